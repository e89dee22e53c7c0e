//! Observations: the monitor, its aggregates, and what it kept.

use std::sync::{Arc, PoisonError, RwLock};

use knhk_observation::{
    Arms, Busy, Knowledge, Monitor, ObjectiveState, ObserveStats, RECORD_BYTES, Record, Series, Settings, Trial, prove,
    record, records,
};
use knhk_ontology::Snapshot;
use knhk_promotion::Sector;
use knhk_store::{Segment, SegmentQuery};

use crate::engine::Inner;
use crate::{Engine, Error, Level, Status};

/// A batch of observations of one sector that became durable under one receipt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SegmentInfo {
    /// Its number, from 0, without gaps.
    pub number: u64,
    /// The sector.
    pub sector: String,
    /// The earliest observation's time, in nanoseconds since 1970 (UTC).
    pub first_ns: u64,
    /// The latest observation's time.
    pub last_ns: u64,
    /// How many observations.
    pub count: u64,
    /// The Merkle root over them (RFC 9162), which the receipt states.
    pub root: [u8; 32],
    /// The number of its receipt in the log.
    pub receipt: Option<u64>,
}

impl From<Segment> for SegmentInfo {
    fn from(segment: Segment) -> SegmentInfo {
        let Segment { number, sector, first_ns, last_ns, count, root, receipt, .. } = segment;
        SegmentInfo { number, sector, first_ns, last_ns, count, root, receipt }
    }
}

/// An observation that was kept.
#[derive(Clone, Debug, PartialEq)]
pub struct ObservationInfo {
    /// The sector.
    pub sector: String,
    /// The path of its key; none where the sector's key table has no such slot.
    pub key: Option<String>,
    /// The observation itself.
    pub record: Record,
}

/// An observation with the proof that it was ingested.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObservationProof {
    /// The observation's 64 bytes, as they were signed.
    pub record: [u8; RECORD_BYTES],
    /// The batch's signed statement, the observation's place in it and the path to its Merkle root, in CBOR.
    pub proof: Vec<u8>,
}

impl Engine {
    /// Starts the monitor, if one is asked for.
    pub(crate) fn observe(&self, settings: Option<Settings>) -> Result<(), Error> {
        let Some(settings) = settings else { return Ok(()) };
        let durable = self.inner.journal.durable.as_ref().ok_or_else(|| {
            let message =
                "observations are kept under receipts: open the engine on a folder, or in memory with a signer";
            Error::new(Status::InvalidArgument, "observe", "", message)
        })?;
        if durable.writable().is_err() {
            let message = "an engine that is read-only keeps no observations: leave the option observations off";
            return Err(Error::new(Status::InvalidArgument, "observe", "", message));
        }
        let sectors = Arc::new(Sectors(self.inner.sectors.clone()));
        let monitor = Monitor::start(&self.inner.hot, durable.history.ledger(), sectors, settings)?;
        *self.inner.monitor.write().unwrap_or_else(PoisonError::into_inner) = Some(monitor);
        Ok(())
    }

    fn monitor<T>(&self, ask: impl FnOnce(&Monitor) -> Result<T, Error>) -> Result<T, Error> {
        self.checked()?;
        let monitor = self.inner.monitor.read().unwrap_or_else(PoisonError::into_inner);
        let monitor = monitor.as_ref().ok_or_else(|| {
            let message = "nothing is observed here: open the engine with the option observations";
            Error::new(Status::NotReady, "observe", "", message)
        })?;
        ask(monitor)
    }

    /// Refuses to hand out observations that a monitor drains.
    pub(crate) fn not_observing(&self) -> Result<(), Error> {
        if self.inner.monitor.read().unwrap_or_else(PoisonError::into_inner).is_none() {
            return Ok(());
        }
        let message = "the engine drains its observations by itself since it was opened with the option observations: \
                       read aggregates or segments, or open it without";
        Err(Error::new(Status::InvalidArgument, "drain", "", message))
    }

    /// Figures of a sector's observations by key and kind: over the window that ends now, and counts since the engine was opened.
    ///
    /// # Errors
    /// `NotFound` for an unknown sector, `NotReady` where nothing is observed, `Closed`.
    pub fn aggregates(&self, sector: &str) -> Result<Vec<Series>, Error> {
        let number = self.sector_number(sector)?;
        self.monitor(|monitor| Ok(monitor.series(number)?))
    }

    /// How a sector's service level objectives stand now. Where there is no data for one, it is not met.
    ///
    /// # Errors
    /// As [`Engine::aggregates`].
    pub fn objectives(&self, sector: &str) -> Result<Vec<ObjectiveState>, Error> {
        let number = self.sector_number(sector)?;
        self.monitor(|monitor| Ok(monitor.objectives(number)?))
    }

    /// Begins to add up what is recorded of a trial; none where nothing is observed.
    pub(crate) fn begin_trial(&self, trial: Trial) -> Result<Option<u64>, Error> {
        let monitor = self.inner.monitor.read().unwrap_or_else(PoisonError::into_inner);
        Ok(monitor.as_ref().map(|monitor| monitor.begin_trial(trial)).transpose()?)
    }

    /// How a trial stands; none where nothing is observed.
    pub(crate) fn trial(&self, number: u64) -> Result<Option<Arms>, Error> {
        let monitor = self.inner.monitor.read().unwrap_or_else(PoisonError::into_inner);
        Ok(monitor.as_ref().map(|monitor| monitor.trial(number)).transpose()?.flatten())
    }

    pub(crate) fn end_trial(&self, number: u64) -> Result<(), Error> {
        let monitor = self.inner.monitor.read().unwrap_or_else(PoisonError::into_inner);
        Ok(monitor.as_ref().map_or(Ok(()), |monitor| monitor.end_trial(number))?)
    }

    /// Drains what the rings hold now, and waits until it is durable under receipts: what was accepted before is not lost in a crash.
    ///
    /// # Errors
    /// `NotReady` where nothing is observed, `Io` where it cannot be stored now; it is kept and tried again.
    pub fn flush_observations(&self) -> Result<(), Error> {
        self.monitor(|monitor| Ok(monitor.flush()?))
    }

    /// Figures of the monitor since the engine was opened.
    ///
    /// # Errors
    /// `NotReady` where nothing is observed.
    pub fn observe_stats(&self) -> Result<ObserveStats, Error> {
        self.monitor(|monitor| Ok(monitor.stats()))
    }

    /// The segments that a query asks for, in order; at most 1,000 unless it says otherwise.
    ///
    /// # Errors
    /// `NotFound` without a ledger, `Io` when the store cannot be read.
    pub fn segments(&self, query: &SegmentQuery) -> Result<Vec<SegmentInfo>, Error> {
        Ok(self.durable()?.store().segments(query)?.into_iter().map(SegmentInfo::from).collect())
    }

    /// How many segments there ever were; the newest has the number before that.
    ///
    /// # Errors
    /// As [`Engine::segments`].
    pub fn segment_count(&self) -> Result<u64, Error> {
        Ok(self.durable()?.store().segment_count()?)
    }

    /// The observations of a segment, in the order in which they were drained.
    ///
    /// # Errors
    /// `NotFound` where there is no such segment or retention dropped it, `Corrupt` when it is damaged.
    pub fn observations(&self, segment: u64) -> Result<Vec<ObservationInfo>, Error> {
        let records = records(&**self.durable()?.store(), segment)?;
        let sector = self.segment_sector(segment)?;
        Ok(self.named(&sector, records))
    }

    /// A single observation.
    ///
    /// # Errors
    /// As [`Engine::observations`], and `NotFound` where the segment has no such observation.
    pub fn observation(&self, segment: u64, index: u64) -> Result<ObservationInfo, Error> {
        let record = record(&**self.durable()?.store(), segment, index)?;
        let sector = self.segment_sector(segment)?;
        let mut named = self.named(&sector, vec![record]);
        named.pop().ok_or_else(|| Error::new(Status::NotFound, "observe", "", "there is no such observation"))
    }

    /// A single observation with the proof that it was ingested, for whoever holds the log's trust root and nothing else.
    ///
    /// # Errors
    /// As [`Engine::observation`].
    pub fn prove_observation(&self, segment: u64, index: u64) -> Result<ObservationProof, Error> {
        let (record, proof) = prove(&**self.durable()?.store(), segment, index)?;
        Ok(ObservationProof { record, proof: proof.encode() })
    }

    /// Checks that an observation was ingested by this engine's log.
    ///
    /// # Errors
    /// `Unproven` where the proof does not show that, `InvalidArgument` where it is none, `NotFound` without a ledger.
    pub fn verify_observation(&self, record: &[u8], proof: &[u8]) -> Result<(), Error> {
        let keys = self.durable()?.history.ledger().keys()?;
        knhk_ledger::ObservationProof::decode(proof)?.verify(record, &keys)?;
        Ok(())
    }

    fn segment_sector(&self, number: u64) -> Result<String, Error> {
        let query = SegmentQuery { from: number, limit: Some(1), ..Default::default() };
        let found = self.durable()?.store().segments(&query)?.pop();
        Ok(found.map_or_else(String::new, |segment| segment.sector))
    }

    /// Names the keys of records.
    fn named(&self, sector: &str, records: Vec<Record>) -> Vec<ObservationInfo> {
        let found = self.sector(sector).ok();
        let state = found.as_ref().and_then(|sector| sector.lock().ok());
        let name = |record: Record| ObservationInfo {
            sector: sector.into(),
            key: state.as_ref().and_then(|state| state.keys.path(record.slot)),
            record,
        };
        records.into_iter().map(name).collect()
    }
}

impl Inner {
    /// Makes durable what the rings hold, and ends the monitor.
    pub(crate) fn end_observing(&self) {
        let monitor = self.monitor.write().unwrap_or_else(PoisonError::into_inner).take();
        self.end(monitor);
    }

    /// The same where nobody else has the engine any more. In a forked child, where its threads are not, the monitor is left as it is.
    pub(crate) fn drop_monitor(&mut self) {
        let monitor = self.monitor.get_mut().unwrap_or_else(PoisonError::into_inner).take();
        if self.hot.is_forked() {
            std::mem::forget(monitor);
        } else {
            self.end(monitor);
        }
    }

    fn end(&self, monitor: Option<Monitor>) {
        if let Some(mut monitor) = monitor
            && let Err(error) = monitor.close()
        {
            let lost = monitor.stats().lost;
            let line = format!("{lost} observations could not be stored until the end: {error}");
            self.announcer.log(Level::Error, "observe", line);
        }
    }
}

/// The engine's sectors, as the monitor asks about them.
struct Sectors(Arc<RwLock<Vec<Arc<Sector>>>>);

impl Sectors {
    fn get(&self, number: u32) -> Option<Arc<Sector>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).get(number as usize).cloned()
    }
}

impl Knowledge for Sectors {
    fn sector(&self, number: u32) -> Option<Arc<str>> {
        self.get(number).map(|sector| sector.name().into())
    }

    fn snapshot(&self, sector: u32) -> Result<Option<Arc<Snapshot>>, Busy> {
        let Some(sector) = self.get(sector) else { return Ok(None) };
        let state = sector.try_lock().ok_or(Busy)?;
        Ok(state.current().map(|version| version.snapshot.clone()))
    }

    fn slots(&self, sector: u32, keys: &[&str]) -> Result<Vec<Option<u32>>, Busy> {
        let Some(sector) = self.get(sector) else { return Ok(vec![None; keys.len()]) };
        let state = sector.try_lock().ok_or(Busy)?;
        Ok(keys.iter().map(|key| state.keys.get(key)).collect())
    }

    fn key(&self, sector: u32, slot: u32) -> Option<String> {
        self.get(sector)?.lock().ok()?.keys.path(slot)
    }
}
