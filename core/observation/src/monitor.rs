//! The monitor: two threads that take observations out of the rings, add them up, and make them durable under receipts.

use std::sync::Arc;

use crossbeam_channel::{Sender, bounded, unbounded};
use knhk_hot::Hot;
use knhk_ledger::Ledger;
use knhk_ontology::Snapshot;
use knhk_warm::Ticker;

use crate::drainer::{Ask, Began, Drainer};
use crate::sealer::Sealer;
use crate::stats::Tally;
use crate::trial::{Arms, Trial, Trials};
use crate::{Aggregates, ObjectiveState, ObservationError, ObserveStats, Series, Settings};

/// What the monitor asks about sectors, on its own thread and now and then. It drains nothing while it waits for an answer.
pub trait Knowledge: Send + Sync {
    /// The name of the sector with this number. It is in the store before any key of the sector is interned.
    fn sector(&self, number: u32) -> Option<Arc<str>>;
    /// What is current in a sector, if anything is.
    ///
    /// # Errors
    /// [`Busy`].
    fn snapshot(&self, sector: u32) -> Result<Option<Arc<Snapshot>>, Busy>;
    /// The slots of keys of a sector, in their order.
    ///
    /// # Errors
    /// [`Busy`].
    fn slots(&self, sector: u32, keys: &[&str]) -> Result<Vec<Option<u32>>, Busy>;
    /// The key of a slot: asked once for each key that no kind declares.
    fn key(&self, sector: u32, slot: u32) -> Option<String>;
}

/// A sector is being changed just now: it is asked again later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Busy;

/// A running monitor. Dropping it ends it as [`Monitor::close`] does.
pub struct Monitor {
    hot: Hot,
    asks: Sender<Ask>,
    tally: Arc<Tally>,
    // Ended in this order.
    drainer: Option<Ticker>,
    sealer: Option<Ticker>,
}

impl Monitor {
    /// Starts observing: from now on the monitor alone drains `hot`, and alone adds segments to the ledger's store.
    ///
    /// # Errors
    /// When a setting cannot be used, the store cannot be read, or there are no threads.
    pub fn start(
        hot: &Hot,
        ledger: &Arc<Ledger>,
        knowledge: Arc<dyn Knowledge>,
        settings: Settings,
    ) -> Result<Monitor, ObservationError> {
        settings.check()?;
        let tally = Arc::<Tally>::default();
        // What was refused before is another's.
        tally.announced.store(hot.stats().dropped, std::sync::atomic::Ordering::Relaxed);
        let (asks, asked) = unbounded();
        // Both ways are bounded by the number of buffers.
        let ((jobs, to_seal), (emptied, empty)) = (unbounded(), unbounded());
        let mut sealer = Sealer::new(hot.clone(), ledger.clone(), to_seal, emptied, tally.clone(), &settings)?;
        let mut drainer = Drainer::new(hot.clone(), knowledge, asked, (jobs, empty), tally.clone(), settings);
        let sealer = Ticker::spawn("knhk-sealer", move || sealer.step())?;
        let drainer = Ticker::spawn("knhk-monitor", move || drainer.step())?;
        Ok(Monitor { hot: hot.clone(), asks, tally, drainer: Some(drainer), sealer: Some(sealer) })
    }

    /// The figures of a sector by key and kind, as of now: what was drained, which is all but the last moments.
    ///
    /// # Errors
    /// [`ObservationError::Stopped`].
    pub fn series(&self, sector: u32) -> Result<Vec<Series>, ObservationError> {
        self.look(move |aggregates| aggregates.series(sector))
    }

    /// How a sector's service level objectives stand now.
    ///
    /// # Errors
    /// [`ObservationError::Stopped`].
    pub fn objectives(&self, sector: u32) -> Result<Vec<ObjectiveState>, ObservationError> {
        self.look(move |aggregates| aggregates.objectives(sector))
    }

    /// Begins to add up what is drained from now on and belongs to a trial; gives the trial's number.
    ///
    /// # Errors
    /// [`ObservationError::Stopped`].
    pub fn begin_trial(&self, trial: Trial) -> Result<u64, ObservationError> {
        self.with_trials(move |trials, now_ns| (trials.begin(trial, now_ns), Some(trial.sector)))
    }

    /// How a trial stands; none where it was ended.
    ///
    /// # Errors
    /// [`ObservationError::Stopped`].
    pub fn trial(&self, number: u64) -> Result<Option<Arms>, ObservationError> {
        self.with_trials(move |trials, _| (trials.arms(number), None))
    }

    /// Ends a trial.
    ///
    /// # Errors
    /// [`ObservationError::Stopped`].
    pub fn end_trial(&self, number: u64) -> Result<(), ObservationError> {
        self.with_trials(move |trials, _| (trials.end(number), None))
    }

    fn with_trials<T: Send + 'static>(
        &self,
        question: impl FnOnce(&mut Trials, u64) -> (T, Began) + Send + 'static,
    ) -> Result<T, ObservationError> {
        let (answer, answered) = bounded(1);
        let ask = move |trials: &mut Trials, now_ns: u64| {
            let (said, began) = question(trials, now_ns);
            // Whoever no longer waits does not want to know.
            _ = answer.send(said);
            began
        };
        self.ask(Ask::Try(Box::new(ask)))?;
        answered.recv().map_err(|_| ObservationError::Stopped)
    }

    fn look<T: Send + 'static>(
        &self,
        question: impl FnOnce(&Aggregates) -> T + Send + 'static,
    ) -> Result<T, ObservationError> {
        let (answer, answered) = bounded(1);
        let look = move |aggregates: &Aggregates| {
            // Whoever no longer waits does not want to know.
            _ = answer.send(question(aggregates));
        };
        self.ask(Ask::Look(Box::new(look)))?;
        answered.recv().map_err(|_| ObservationError::Stopped)
    }

    fn ask(&self, ask: Ask) -> Result<(), ObservationError> {
        self.asks.send(ask).map_err(|_| ObservationError::Stopped)
    }

    /// Drains what the rings hold now and waits until all of it is durable under receipts.
    ///
    /// # Errors
    /// [`ObservationError::Failing`] where it cannot be stored now; it is kept and tried again.
    pub fn flush(&self) -> Result<(), ObservationError> {
        let (answer, answered) = bounded(1);
        self.ask(Ask::Flush(answer))?;
        answered.recv().unwrap_or(Err(ObservationError::Stopped))
    }

    /// Figures since the start.
    pub fn stats(&self) -> ObserveStats {
        self.tally.stats()
    }

    /// Drains what the rings hold, makes it durable, and ends. Readers should be gone: what they append later is drained by nobody.
    ///
    /// # Errors
    /// [`ObservationError::Failing`] where some of it could not be stored: [`ObserveStats::lost`] says how much.
    pub fn close(&mut self) -> Result<(), ObservationError> {
        if self.drainer.is_none() {
            return Ok(());
        }
        // In a forked child the threads are not there; dropping them leaves them alone.
        let ended = if self.hot.is_forked() { Ok(()) } else { self.end() };
        drop(self.drainer.take());
        drop(self.sealer.take());
        ended
    }

    fn end(&self) -> Result<(), ObservationError> {
        let (answer, answered) = bounded(1);
        self.ask(Ask::End(answer))?;
        answered.recv().unwrap_or(Err(ObservationError::Stopped))
    }
}

impl Drop for Monitor {
    fn drop(&mut self) {
        if let Err(error) = self.close() {
            tracing::error!(%error, "observing did not end in order");
        }
    }
}
