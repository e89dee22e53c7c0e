//! Changes announced: by callback on the warm thread, by a descriptor to poll, by a version to compare. And the log callback.

use std::collections::{HashMap, VecDeque};
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use knhk_ontology::Aside;
use knhk_promotion::Version;
use knhk_warm::Worker;
use rustix::event::{EventfdFlags, eventfd};

use crate::resilience::Policies;
use crate::warm::Background;
use crate::{Change, Error, Status};

/// How many changes wait for a slow subscriber before the oldest are dropped and counted.
const WAITING: usize = 256;

/// How many past changes [`crate::Engine::changes_since`] can tell.
const REMEMBERED: usize = 256;

/// Names a subscription.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Subscription(pub u64);

/// How much a log line matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// For whoever debugs the engine.
    Debug,
    /// What happened.
    Info,
    /// What someone should look at.
    Warning,
    /// What did not work.
    Error,
}

type ChangeCallback = Box<dyn FnMut(&Change) + Send>;
type LogCallback = Box<dyn FnMut(Level, &str, &str) + Send>;

/// One subscriber: its callback, and what waits for it.
struct Subscriber {
    /// Held while the callback runs; empty once it was unsubscribed.
    callback: Mutex<Option<ChangeCallback>>,
    waiting: Mutex<Waiting>,
}

#[derive(Default)]
struct Waiting {
    changes: VecDeque<Arc<Change>>,
    missed: u64,
    scheduled: bool,
}

/// All who want to hear of changes.
pub(crate) struct Announcer {
    worker: Worker,
    aside: Arc<Background>,
    subscribers: Mutex<HashMap<u64, Arc<Subscriber>>>,
    next: AtomicU64,
    descriptor: OnceLock<OwnedFd>,
    past: Mutex<VecDeque<Arc<Change>>>,
    log: Arc<Mutex<Option<LogCallback>>>,
    /// Whether there is a log callback: without one a promotion wakes no thread for its line.
    logs: AtomicBool,
    pub(crate) missed: Arc<AtomicU64>,
    pub(crate) policies: Policies,
}

impl Announcer {
    pub(crate) fn new(aside: Arc<Background>) -> Result<Announcer, Error> {
        let worker = Worker::spawn("knhk-warm", 4096).map_err(|error| {
            Error::new(Status::System, "open", "knhk-warm", format!("the warm thread could not be started: {error}"))
        })?;
        Ok(Announcer {
            worker,
            aside,
            subscribers: Mutex::default(),
            next: AtomicU64::new(1),
            descriptor: OnceLock::new(),
            past: Mutex::default(),
            log: Arc::default(),
            logs: AtomicBool::new(false),
            missed: Arc::default(),
            policies: Policies::default(),
        })
    }

    pub(crate) fn subscribe(&self, callback: ChangeCallback) -> Subscription {
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let subscriber = Subscriber { callback: Mutex::new(Some(callback)), waiting: Mutex::default() };
        lock(&self.subscribers).insert(id, Arc::new(subscriber));
        Subscription(id)
    }

    /// Returns after a running call of the callback has ended, unless called from the warm thread itself.
    pub(crate) fn unsubscribe(&self, subscription: Subscription) -> bool {
        let Some(subscriber) = lock(&self.subscribers).remove(&subscription.0) else { return false };
        if self.worker.is_current() {
            // The callback may be the caller: it is dropped when it has returned, with the last reference.
            lock(&subscriber.waiting).changes.clear();
        } else {
            drop(lock(&subscriber.callback).take());
        }
        true
    }

    /// Called in the order of generations.
    pub(crate) fn announce(&self, sector: &str, version: &Arc<Version>) {
        for (level, message) in self.policies.follow(sector, version) {
            self.log(level, "resilience", message);
        }
        let change = Arc::new(Change::new(sector, version));
        tracing::info!(sector, version = version.number, epoch = version.epoch, by = version.origin.by, "promoted");
        let told = change.clone();
        self.tell(Level::Info, "promotion", move || told.summary());
        {
            let mut past = lock(&self.past);
            let forgotten = if past.len() == REMEMBERED { past.pop_front() } else { None };
            past.push_back(change.clone());
            if let Some(forgotten) = forgotten {
                // A snapshot is much memory to free, which another thread does.
                self.aside.discard(Box::new(forgotten));
            }
        }
        let subscribers: Vec<_> = lock(&self.subscribers).values().cloned().collect();
        for subscriber in subscribers {
            let schedule = {
                let mut waiting = lock(&subscriber.waiting);
                if waiting.changes.len() == WAITING {
                    waiting.changes.pop_front();
                    waiting.missed += 1;
                    self.missed.fetch_add(1, Ordering::Relaxed);
                }
                waiting.changes.push_back(change.clone());
                !std::mem::replace(&mut waiting.scheduled, true)
            };
            if schedule {
                let target = subscriber.clone();
                if self.worker.submit(move || target.deliver()).is_err() {
                    lock(&subscriber.waiting).scheduled = false;
                }
            }
        }
        if let Some(descriptor) = self.descriptor.get() {
            // A full counter means that the descriptor is readable already.
            _ = rustix::io::write(descriptor, &1u64.to_ne_bytes());
        }
    }

    pub(crate) fn since(&self, epoch: u64) -> Vec<Change> {
        let past: Vec<_> = lock(&self.past).iter().filter(|past| past.epoch > epoch).cloned().collect();
        past.iter().map(|past| Change::clone(past)).collect()
    }

    pub(crate) fn descriptor(&self) -> Result<RawFd, Error> {
        if let Some(descriptor) = self.descriptor.get() {
            return Ok(descriptor.as_raw_fd());
        }
        let made = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK).map_err(|error| {
            Error::new(Status::System, "subscribe", "eventfd", format!("no descriptor for changes: {error}"))
        })?;
        Ok(self.descriptor.get_or_init(|| made).as_raw_fd())
    }

    pub(crate) fn set_log(&self, callback: Option<LogCallback>) {
        self.logs.store(callback.is_some(), Ordering::Release);
        let log = self.log.clone();
        let replace = move || drop(std::mem::replace(&mut *lock(&log), callback));
        if self.worker.is_current() {
            // The callback in place may be the caller: it goes when it has returned.
            _ = self.worker.submit(replace);
        } else {
            replace();
        }
    }

    /// Reports to `tracing` at once and to the log callback on the warm thread.
    pub(crate) fn log(&self, level: Level, part: &'static str, message: String) {
        match level {
            Level::Debug => tracing::debug!(part, "{message}"),
            Level::Info => tracing::info!(part, "{message}"),
            Level::Warning => tracing::warn!(part, "{message}"),
            Level::Error => tracing::error!(part, "{message}"),
        }
        self.tell(level, part, move || message);
    }

    /// Calls the log callback on the warm thread, where the line is also made.
    fn tell(&self, level: Level, part: &'static str, line: impl FnOnce() -> String + Send + 'static) {
        if !self.logs.load(Ordering::Acquire) {
            return;
        }
        let log = self.log.clone();
        _ = self.worker.submit(move || {
            if let Some(callback) = &mut *lock(&log) {
                callback(level, part, &line());
            }
        });
    }
}

impl Subscriber {
    fn deliver(&self) {
        loop {
            let (change, missed) = {
                let mut waiting = lock(&self.waiting);
                match waiting.changes.pop_front() {
                    Some(change) => (change, std::mem::take(&mut waiting.missed)),
                    None => {
                        waiting.scheduled = false;
                        return;
                    }
                }
            };
            if let Some(callback) = &mut *lock(&self.callback) {
                let mut change = Change::clone(&change);
                change.missed = missed;
                callback(&change);
            }
        }
    }
}

/// The data behind these locks is whole after a panic of a callback: each is changed in one step.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
