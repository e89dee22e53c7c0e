//! The engine's own threads, which run no code of the program's: the clock, which advances the cached clock and frees retired roots, and
//! the one that computes content addresses while promotions compile.

use std::sync::Arc;
use std::time::Duration;

use knhk_hot::Hot;
use knhk_ontology::Aside;
use knhk_warm::{Next, Ticker, Worker};

use crate::subscribe::Announcer;
use crate::{Error, Level, Status};

pub(crate) fn start(hot: &Hot, announcer: &Arc<Announcer>, period: Duration) -> Result<Ticker, Error> {
    let (cells, announcer) = (hot.clone(), announcer.clone());
    let mut stalled: Option<u64> = None;
    let step = move || {
        cells.wait_reclaim(period);
        cells.clock().advance();
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

/// Computes content addresses.
pub(crate) struct Hashing(Worker);

/// Jobs that wait at most: one a promotion that runs.
const JOBS: usize = 64;

impl Hashing {
    pub(crate) fn start() -> Result<Hashing, Error> {
        Worker::spawn("knhk-hash", JOBS).map(Hashing).map_err(|error| {
            let message = format!("the hashing thread could not be started: {error}");
            Error::new(Status::System, "open", "knhk-hash", message)
        })
    }
}

impl Aside for Hashing {
    fn submit(&self, job: Box<dyn FnOnce() + Send>) {
        // Where the queue is full, the promotion hashes by itself.
        _ = self.0.submit(job);
    }
}
