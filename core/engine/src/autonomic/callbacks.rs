//! Proposers and detectors of the program, and how the detectors are called: on threads of their own, with a deadline, and with no lock held.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, SyncSender, TrySendError, channel, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use knhk_autonomic::detect::{Custom, Score};
use knhk_autonomic::plan::Proposer;
use knhk_autonomic::watch::Sample;

use super::Loop;
use super::asks::Desk;
use super::counters::CALLBACKS_FAILED;
use super::settings::is_name;
use super::within::{Callback, Mark};
use crate::{Engine, Error, Status};

/// Makes a detector for a watch of a sector: `(sector, watch)`.
pub type DetectorFn = dyn Fn(&str, &str) -> Box<dyn Custom> + Send + Sync;

/// How often it is looked whether the loop is stopped, while a detector is waited for.
const LOOK: Duration = Duration::from_millis(100);

/// What the program registered.
#[derive(Default)]
pub(super) struct Callbacks {
    proposers: Mutex<HashMap<String, Arc<Desk>>>,
    detectors: Mutex<HashMap<String, Arc<DetectorFn>>>,
    /// Detectors at work, by sector and watch.
    at_work: Mutex<HashMap<(String, String), AtWork>>,
    /// How often one panicked, failed or was late.
    failed: AtomicU64,
}

/// The loop was stopped while somebody was waited for.
pub(super) struct Stopped;

/// What a detector said, or that it is late or gone.
type Heard = Result<Result<Option<Score>, String>, RecvTimeoutError>;

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
    pub(super) fn proposer(&self, name: &str) -> Option<Arc<Desk>> {
        lock(&self.proposers).get(name).cloned()
    }

    /// Counts one that panicked, failed or was late.
    pub(super) fn fail(&self) {
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

impl Loop {
    /// What a detector says of a sample; none where there is no such detector, it is late, or it fails. The loop's end does not wait for it.
    pub(super) fn score(
        &self,
        sector: &str,
        watch: &str,
        detector: &str,
        sample: &Sample,
        deadline: Duration,
    ) -> Result<Option<Score>, Stopped> {
        let key = (sector.to_owned(), watch.to_owned());
        // Taken out meanwhile, so that nothing is locked while the program's code runs.
        let callbacks = &self.callbacks;
        let at_work = lock(&callbacks.at_work).remove(&key).filter(|one| one.detector == detector);
        let start = || {
            let make = lock(&callbacks.detectors).get(detector).cloned()?;
            AtWork::start(detector, make, key.clone(), self.mark)
        };
        let Some(mut at_work) = at_work.or_else(start) else { return Ok(None) };
        let failed = |why: &str| {
            callbacks.fail();
            tracing::warn!(name: "knhk.loop.detector_failed", sector, watch, detector, why, "a detector by callback");
            None
        };
        let said = match at_work.ask(sample, deadline, &self.stopping) {
            Some(Ok(Ok(score))) => Ok(score),
            Some(Ok(Err(why))) => Ok(failed(&why)),
            Some(Err(RecvTimeoutError::Timeout)) => Ok(failed("it is late")),
            // Its thread ended: another is made with the next sample.
            Some(Err(RecvTimeoutError::Disconnected)) => return Ok(failed("it panicked")),
            // What it says of the sample would be another's answer: the next one is made anew.
            None => return Err(Stopped),
        };
        lock(&callbacks.at_work).insert(key, at_work);
        said
    }
}

impl AtWork {
    fn start(detector: &str, make: Arc<DetectorFn>, (sector, watch): (String, String), mark: Mark) -> Option<AtWork> {
        let (samples, to_judge) = sync_channel::<Sample>(1);
        let (said, heard): (Sender<Result<Option<Score>, String>>, _) = channel();
        let run = move || {
            mark.enter(Callback::Detector);
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

    /// What it says of a sample; none where the loop is stopped meanwhile.
    fn ask(&mut self, sample: &Sample, deadline: Duration, stopping: &AtomicBool) -> Option<Heard> {
        match self.samples.try_send(*sample) {
            Ok(()) => {}
            Err(TrySendError::Full(_)) => return Some(Err(RecvTimeoutError::Timeout)),
            Err(TrySendError::Disconnected(_)) => return Some(Err(RecvTimeoutError::Disconnected)),
        }
        let mut until = Instant::now() + deadline;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            match self.said.recv_timeout(left.min(LOOK)) {
                Ok(_) if self.late > 0 => {
                    self.late -= 1;
                    until = Instant::now() + deadline;
                }
                Ok(said) => return Some(Ok(said)),
                Err(RecvTimeoutError::Timeout) if stopping.load(Ordering::Acquire) => return None,
                Err(RecvTimeoutError::Timeout) if left > LOOK => {}
                Err(error) => {
                    self.late += 1;
                    return Some(Err(error));
                }
            }
        }
    }
}

impl Engine {
    /// Adds a proposer, which [`Settings::proposers`](super::Settings) name by its name. It is asked one question at a time, beside the turns, on a
    /// thread of its own; its answer is dropped when it is late.
    ///
    /// # Errors
    /// `AlreadyExists`, `InvalidArgument` for a name that is none or the loop's own (`rule`, `search`), `Closed`.
    pub fn add_proposer(&self, proposer: Arc<dyn Proposer>) -> Result<(), Error> {
        self.checked()?;
        let name = proposer.name().to_owned();
        named(&name, matches!(name.as_str(), "rule" | "search"))?;
        added(&mut lock(&self.inner.autonomic.callbacks.proposers), &name, Arc::new(Desk::new(proposer, None)))
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
