//! The engine's own threads, which run no code of the program's: the clock, which advances the cached clock and frees retired roots, and
//! the one that computes content addresses while promotions compile.

use std::any::Any;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use knhk_hot::Hot;
use knhk_ontology::Aside;
use knhk_warm::{Next, Ticker, Worker};

use crate::subscribe::Announcer;
use crate::{Error, Level, Status};

pub(crate) fn start(
    hot: &Hot,
    announcer: &Arc<Announcer>,
    background: &Arc<Background>,
    period: Duration,
) -> Result<Ticker, Error> {
    let (cells, announcer, background) = (hot.clone(), announcer.clone(), background.clone());
    let mut stalled: Option<u64> = None;
    let step = move || {
        cells.wait_reclaim(period);
        cells.clock().advance();
        background.free();
        let reclaimed = cells.reclaim();
        let now = reclaimed.stalled.as_ref().map(|reader| reader.reader);
        if now != stalled {
            match &reclaimed.stalled {
                Some(reader) => announcer.log(Level::Warning, "hot", reader.to_string()),
                None => announcer.log(Level::Info, "hot", "no reader holds memory back any more".into()),
            }
            stalled = now;
        }
        Next::Continue
    };
    Ticker::spawn("knhk-clock", step).map_err(|error| {
        Error::new(Status::System, "open", "knhk-clock", format!("the clock thread could not be started: {error}"))
    })
}

/// What promotions leave to others: hashing to a thread of its own, freeing old versions to the clock's.
pub(crate) struct Background {
    hashing: Worker,
    garbage: Mutex<Vec<Box<dyn Any + Send>>>,
}

/// Jobs that wait at most: one a promotion that runs.
const JOBS: usize = 64;
/// Old versions that wait at most; what comes then is freed by who brings it.
const GARBAGE: usize = 256;

impl Background {
    pub(crate) fn start() -> Result<Background, Error> {
        let hashing = Worker::spawn("knhk-hash", JOBS).map_err(|error| {
            let message = format!("the hashing thread could not be started: {error}");
            Error::new(Status::System, "open", "knhk-hash", message)
        })?;
        Ok(Background { hashing, garbage: Mutex::default() })
    }

    fn garbage(&self) -> MutexGuard<'_, Vec<Box<dyn Any + Send>>> {
        self.garbage.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn free(&self) {
        let garbage = std::mem::take(&mut *self.garbage());
        drop(garbage);
    }
}

impl Aside for Background {
    fn submit(&self, job: Box<dyn FnOnce() + Send>) {
        // Where the queue is full, the promotion hashes by itself.
        _ = self.hashing.submit(job);
    }

    fn discard(&self, garbage: Box<dyn Any + Send>) {
        let mut waiting = self.garbage();
        if waiting.len() < GARBAGE {
            waiting.push(garbage);
        }
    }
}
