//! Proposers and detectors of the program: called on threads of their own, with a deadline, and with no lock held.

use std::any::Any;
use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, SyncSender, channel, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use knhk_autonomic::detect::{Custom, Score};
use knhk_autonomic::plan::{Proposer, Question};
use knhk_autonomic::watch::Sample;

use super::counters::CALLBACKS_FAILED;
use super::journal::Said;
use super::settings::is_name;
use crate::{Engine, Error, Status};

/// Makes a detector for a watch of a sector: `(sector, watch)`.
pub type DetectorFn = dyn Fn(&str, &str) -> Box<dyn Custom> + Send + Sync;

/// How often it is looked whether the loop is stopped, while somebody is asked.
const LOOK: Duration = Duration::from_millis(100);

/// What the program registered.
#[derive(Default)]
pub(super) struct Callbacks {
    proposers: Mutex<HashMap<String, Arc<dyn Proposer>>>,
    detectors: Mutex<HashMap<String, Arc<DetectorFn>>>,
    /// Detectors at work, by sector and watch.
    at_work: Mutex<HashMap<(String, String), AtWork>>,
    /// How often one panicked, failed or was late.
    failed: AtomicU64,
}

/// A detector on its thread.
struct AtWork {
    detector: String,
    samples: SyncSender<Sample>,
    /// What it said, in order; an error ends nothing.
    said: Receiver<Result<Option<Score>, String>>,
    /// Answers that are late and are to be passed over when they come.
    late: u64,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Callbacks {
    pub(super) fn proposer(&self, name: &str) -> Option<Arc<dyn Proposer>> {
        lock(&self.proposers).get(name).cloned()
    }

    /// What a detector says of a sample; none where there is no such detector, it is late, or it fails.
    pub(super) fn score(
        &self,
        sector: &str,
        watch: &str,
        detector: &str,
        sample: &Sample,
        deadline: Duration,
    ) -> Option<Score> {
        let key = (sector.to_owned(), watch.to_owned());
        // Taken out meanwhile, so that nothing is locked while the program's code runs.
        let at_work = lock(&self.at_work).remove(&key).filter(|one| one.detector == detector);
        let mut at_work = match at_work {
            Some(at_work) => at_work,
            None => {
                let make = lock(&self.detectors).get(detector).cloned()?;
                AtWork::start(detector, make, key.clone())?
            }
        };
        let failed = |why: &str| {
            self.fail();
            tracing::warn!(name: "knhk.loop.detector_failed", sector, watch, detector, why, "a detector by callback");
            None
        };
        let said = match at_work.ask(sample, deadline) {
            Ok(Ok(score)) => score,
            Ok(Err(why)) => failed(&why),
            Err(RecvTimeoutError::Timeout) => failed("it is late"),
            // Its thread ended: another is made with the next sample.
            Err(RecvTimeoutError::Disconnected) => return failed("it panicked"),
        };
        lock(&self.at_work).insert(key, at_work);
        said
    }

    /// Has a proposer answer on a thread of its own; what comes after the deadline is dropped. None where the loop is stopped meanwhile.
    pub(super) fn answer(
        &self,
        proposer: &Arc<dyn Proposer>,
        question: &Question,
        deadline: Duration,
        stopping: &AtomicBool,
    ) -> Option<Said> {
        let (said, heard) = channel();
        let (asked, question) = (proposer.clone(), question.clone());
        let ask = move || {
            let answer = catch_unwind(AssertUnwindSafe(|| asked.propose(&question)));
            // Whoever no longer waits does not want to know.
            _ = said.send(answer);
        };
        if let Err(error) = thread::Builder::new().name("knhk-propose".into()).spawn(ask) {
            return Some(Said::Failed(format!("there is no thread to ask it on: {error}")));
        }
        let failed = |why: String| {
            self.fail();
            Said::Failed(why)
        };
        let until = Instant::now() + deadline;
        loop {
            // A model may take minutes, and whoever stops the loop does not wait for it.
            let left = until.saturating_duration_since(Instant::now());
            return Some(match heard.recv_timeout(left.min(LOOK)) {
                Ok(Ok(Ok(Some(plan)))) => Said::Plan(plan),
                Ok(Ok(Ok(None))) => Said::Nothing,
                Ok(Ok(Err(error))) => failed(error.why),
                Ok(Err(panic)) => failed(format!("it panicked: {}", message(&*panic))),
                Err(_) if stopping.load(Ordering::Acquire) => return None,
                Err(_) if left > LOOK => continue,
                Err(_) => failed(format!("it took more than {} ms", deadline.as_millis())),
            });
        }
    }

    fn fail(&self) {
        self.failed.fetch_add(1, Ordering::Relaxed);
        CALLBACKS_FAILED.add(1);
    }

    /// How often one panicked, failed or was late.
    pub(super) fn failed(&self) -> u64 {
        self.failed.load(Ordering::Relaxed)
    }

    /// Lets go of all of them.
    pub(super) fn close(&self) {
        let proposers = std::mem::take(&mut *lock(&self.proposers));
        let detectors = std::mem::take(&mut *lock(&self.detectors));
        let at_work = std::mem::take(&mut *lock(&self.at_work));
        drop((proposers, detectors, at_work));
    }
}

impl AtWork {
    fn start(detector: &str, make: Arc<DetectorFn>, (sector, watch): (String, String)) -> Option<AtWork> {
        let (samples, to_judge) = sync_channel::<Sample>(1);
        let (said, heard): (Sender<Result<Option<Score>, String>>, _) = channel();
        let run = move || {
            let mut custom = make(&sector, &watch);
            for sample in to_judge {
                if said.send(custom.observe(&sample)).is_err() {
                    return;
                }
            }
        };
        thread::Builder::new().name("knhk-detect".into()).spawn(run).ok()?;
        Some(AtWork { detector: detector.into(), samples, said: heard, late: 0 })
    }

    fn ask(&mut self, sample: &Sample, deadline: Duration) -> Result<Result<Option<Score>, String>, RecvTimeoutError> {
        use std::sync::mpsc::TrySendError;
        match self.samples.try_send(*sample) {
            Ok(()) => {}
            Err(TrySendError::Full(_)) => return Err(RecvTimeoutError::Timeout),
            Err(TrySendError::Disconnected(_)) => return Err(RecvTimeoutError::Disconnected),
        }
        loop {
            match self.said.recv_timeout(deadline) {
                Ok(_) if self.late > 0 => self.late -= 1,
                Ok(said) => return Ok(said),
                Err(error) => {
                    self.late += 1;
                    return Err(error);
                }
            }
        }
    }
}

fn message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("it does not say why")
}

impl Engine {
    /// Adds a proposer, which [`Settings::proposers`](super::Settings) name by its name. It is asked on a thread of its own, and its answer is dropped
    /// when it is late.
    ///
    /// # Errors
    /// `AlreadyExists`, `InvalidArgument` for a name that is none or the loop's own (`rule`, `search`), `Closed`.
    pub fn add_proposer(&self, proposer: Arc<dyn Proposer>) -> Result<(), Error> {
        self.checked()?;
        let name = proposer.name().to_owned();
        named(&name, matches!(name.as_str(), "rule" | "search"))?;
        added(&mut lock(&self.inner.autonomic.callbacks.proposers), &name, proposer)
    }

    /// Removes a proposer; `false` when there is none.
    pub fn remove_proposer(&self, name: &str) -> bool {
        let removed = lock(&self.inner.autonomic.callbacks.proposers).remove(name);
        removed.is_some()
    }

    /// Adds a detector, which watches name as `callback:<name>`. For each of them `make(sector, watch)` is called, and what it makes gets every sample
    /// in order, on a thread of its own. A restart makes it anew.
    ///
    /// # Errors
    /// As [`Engine::add_proposer`].
    pub fn add_detector(&self, name: &str, make: Arc<DetectorFn>) -> Result<(), Error> {
        self.checked()?;
        named(name, false)?;
        added(&mut lock(&self.inner.autonomic.callbacks.detectors), name, make)
    }

    /// Removes a detector; `false` when there is none. What it made gets no sample any more.
    pub fn remove_detector(&self, name: &str) -> bool {
        let callbacks = &self.inner.autonomic.callbacks;
        let removed = lock(&callbacks.detectors).remove(name);
        let gone: Vec<_> = lock(&callbacks.at_work).extract_if(|_, one| one.detector == name).collect();
        drop(gone);
        removed.is_some()
    }
}

fn named(name: &str, own: bool) -> Result<(), Error> {
    if is_name(name) && !own {
        return Ok(());
    }
    let message = if own {
        format!("{name} is the loop's own: choose another name")
    } else {
        format!("{name:?} names no callback: use 1 to 64 letters, digits, `-`, `_` and `.`")
    };
    Err(Error::new(Status::InvalidArgument, "loop", name, message))
}

fn added<T: ?Sized>(known: &mut HashMap<String, Arc<T>>, name: &str, new: Arc<T>) -> Result<(), Error> {
    if known.contains_key(name) {
        let message = format!("{name} is there already: remove it first");
        return Err(Error::new(Status::AlreadyExists, "loop", name, message));
    }
    known.insert(name.into(), new);
    Ok(())
}
