//! One engine of this process, as all its JavaScript environments share it.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use knhk_engine::{Engine, Error, Log, Options, Status};
use knhk_hot::layout;
use knhk_warm::Worker;

use crate::mailbox::{Line, Mailbox};

/// Operations that may wait for the engine's worker before more are refused.
const WAITING: usize = 4096;

/// Log lines kept for the first listener.
const EARLY: usize = 64;

/// The engines that tokens can name. Weak: a token keeps nothing open.
static ENGINES: Mutex<Vec<(u64, Weak<Shared>)>> = Mutex::new(Vec::new());
static NEXT: AtomicU64 = AtomicU64::new(1);

/// Where a key came from, for observations that are drained.
pub(crate) struct Origin {
    pub sector: String,
    pub name: String,
}

/// An environment that has the engine open.
struct Tenant {
    mailbox: Arc<Mailbox>,
    /// The engine's place there.
    place: u32,
}

/// Where log lines go.
struct Lines {
    listeners: Vec<(Arc<Mailbox>, u32)>,
    /// What was logged before anybody listened, what recovery had to say above all; `None` once somebody has.
    early: Option<Vec<Line>>,
}

impl Lines {
    fn add(&mut self, line: Line) {
        for (mailbox, place) in &self.listeners {
            mailbox.line(*place, line.clone());
        }
        if let Some(early) = self.early.as_mut().filter(|early| early.len() < EARLY) {
            early.push(line);
        }
    }
}

pub(crate) struct Shared {
    id: u64,
    pub engine: Engine,
    closed: AtomicBool,
    /// Whether a function of JavaScript signs, whose thread must not wait for the engine meanwhile.
    delegated: AtomicBool,
    /// Operations that wait for the worker, or that it is at.
    queued: Arc<AtomicUsize>,
    /// The log's name and first key, which it has for good.
    pub trust_root: Option<String>,
    /// Runs what can take time, in the order in which it was asked for, whichever environment asked.
    worker: Worker,
    names: Mutex<HashMap<layout::Key, Origin>>,
    tenants: Mutex<Vec<Tenant>>,
    log: Arc<Mutex<Lines>>,
}

impl Shared {
    pub(crate) fn open(
        location: &str,
        mut options: Options,
        read_only: bool,
        delegated: bool,
    ) -> Result<Arc<Shared>, Error> {
        let open = if read_only { Engine::open_read_only } else { Engine::open };
        let worker = Worker::spawn("knhk-node", WAITING).map_err(|error| {
            Error::new(Status::System, "open", "knhk-node", format!("no thread for the engine's operations: {error}"))
        })?;
        let lines = Arc::new(Mutex::new(Lines { listeners: Vec::new(), early: Some(Vec::new()) }));
        let log = lines.clone();
        options.log = Some(Log(Arc::new(move |level, part, message| {
            lock(&lines).add(Line { level, part: part.into(), message: message.into(), missed: 0 });
        })));
        let engine = open(location, options)?;
        let shared = Arc::new(Shared {
            id: NEXT.fetch_add(1, Ordering::Relaxed),
            trust_root: engine.trust_root(),
            engine,
            closed: AtomicBool::new(false),
            delegated: AtomicBool::new(delegated),
            queued: Arc::default(),
            worker,
            names: Mutex::default(),
            tenants: Mutex::default(),
            log,
        });
        let mut engines = lock(&ENGINES);
        engines.retain(|(_, engine)| engine.strong_count() > 0);
        engines.push((shared.id, Arc::downgrade(&shared)));
        Ok(shared)
    }

    /// Names the engine in this process.
    pub(crate) fn token(&self) -> String {
        format!("knhk-engine:{}:{}", std::process::id(), self.id)
    }

    /// The engine that a token names.
    pub(crate) fn find(token: &str) -> Result<Arc<Shared>, Error> {
        let refused = |status, message: &str| Err(Error::new(status, "attach", token, message));
        let mut parts = token.split(':');
        let (Some("knhk-engine"), Some(process), Some(id), None) =
            (parts.next(), parts.next(), parts.next().and_then(|id| id.parse::<u64>().ok()), parts.next())
        else {
            return refused(
                Status::InvalidArgument,
                "this is not a token of an engine: pass what engine.share() returned",
            );
        };
        if process.parse() != Ok(std::process::id()) {
            return refused(
                Status::InvalidArgument,
                "the token was made in another process: an engine is shared between the threads of one process",
            );
        }
        let engine = lock(&ENGINES).iter().find(|(known, _)| *known == id).and_then(|(_, engine)| engine.upgrade());
        match engine {
            Some(engine) if !engine.is_closed() => Ok(engine),
            _ => refused(Status::Closed, "the engine that the token named is closed"),
        }
    }

    /// Queues a job behind those that were queued before. It counts as one that may be waited for until it drops what it is called with.
    pub(crate) fn submit(&self, job: impl FnOnce(Queued) + Send + 'static) -> Result<(), Error> {
        let queued = self.queued.clone();
        queued.fetch_add(1, Ordering::AcqRel);
        let queued = Queued(queued);
        self.worker.submit(move || job(queued)).map_err(|_| {
            Error::new(
                Status::Limit,
                "queue",
                "",
                format!("{WAITING} operations wait already; await some of them first"),
            )
        })
    }

    /// Notes that a function of JavaScript signs from here on, or that none does.
    pub(crate) fn set_delegated(&self, delegated: bool) {
        self.delegated.store(delegated, Ordering::Release);
    }

    /// Refuses what would record something on a thread that waits for it, where a function of JavaScript signs.
    pub(crate) fn check_change(&self) -> Result<(), Error> {
        if !self.delegated.load(Ordering::Acquire) {
            return Ok(());
        }
        Err(signs_in_javascript())
    }

    /// Refuses what might wait for an operation that waits for this thread, where a function of JavaScript signs.
    pub(crate) fn check_read(&self) -> Result<(), Error> {
        if !self.delegated.load(Ordering::Acquire) || self.queued.load(Ordering::Acquire) == 0 {
            return Ok(());
        }
        let message = "an operation of this engine may wait for the JavaScript function that signs, which cannot run while this call waits: \
                       await the operation first";
        Err(Error::new(Status::Busy, "call", "signer", message))
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    /// Closes the engine for every environment, and tells those.
    pub(crate) fn close(&self) {
        if self.closed.swap(true, Ordering::AcqRel) {
            return;
        }
        self.engine.close();
        for tenant in lock(&self.tenants).iter() {
            tenant.mailbox.closed(tenant.place);
        }
    }

    pub(crate) fn enter(&self, mailbox: &Arc<Mailbox>, place: u32) {
        lock(&self.tenants).push(Tenant { mailbox: mailbox.clone(), place });
    }

    pub(crate) fn leave(&self, mailbox: &Arc<Mailbox>, place: u32) {
        self.set_log(mailbox, place, false);
        lock(&self.tenants).retain(|tenant| tenant.place != place || !Arc::ptr_eq(&tenant.mailbox, mailbox));
    }

    /// Starts or stops sending the engine's log lines to an environment. The first listener also gets what was logged before.
    pub(crate) fn set_log(&self, mailbox: &Arc<Mailbox>, place: u32, wanted: bool) {
        let mut log = lock(&self.log);
        log.listeners.retain(|(to, at)| *at != place || !Arc::ptr_eq(to, mailbox));
        if wanted {
            log.listeners.push((mailbox.clone(), place));
            for line in log.early.take().into_iter().flatten() {
                mailbox.line(place, line);
            }
        }
    }

    /// Remembers an interned key for [`Shared::origin`].
    pub(crate) fn remember(&self, key: layout::Key, origin: Origin) {
        lock(&self.names).insert(key, origin);
    }

    /// Calls `use_it` with what is known of an interned key.
    pub(crate) fn origin<T>(&self, key: layout::Key, use_it: impl FnOnce(Option<&Origin>) -> T) -> T {
        use_it(lock(&self.names).get(&key))
    }
}

/// Counts an operation as long as it is there.
pub(crate) struct Queued(Arc<AtomicUsize>);

impl Drop for Queued {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

/// Why a call that returns its result cannot be made.
pub(crate) fn signs_in_javascript() -> Error {
    let message = "a JavaScript function signs, which cannot run while this call waits for it: use the form that returns a promise";
    Error::new(Status::WrongThread, "call", "signer", message)
}

/// Whole after a panic: each of these is changed in one step.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
