//! Sealing: a full buffer becomes a segment under a signed receipt, both durable in one commit.
//!
//! The sealer's thread hashes, compresses and signs one segment after another and hands each in without waiting; it waits for the oldest
//! one under way only when nothing else is to be done, or too much is under way. Segments that could not be stored are kept and handed in
//! again, in their order, until they are durable or the monitor ends: meanwhile nothing comes back to the drain, whose buffers run out, so
//! that rings fill and refuse, which is counted.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender};
use knhk_hot::Hot;
use knhk_ledger::{Entry, Evidence, Ledger, LedgerError, Outcome, PendingReceipts, observations_root};
use knhk_store::{Batch, Segment, StoreError, Write};
use knhk_warm::Next;
use zstd::bulk::Compressor;

use crate::counters::RETRIES;
use crate::retention::{Held, HeldSegment, receipts};
use crate::stats::Tally;
use crate::{ObservationError, RECORD_BYTES};

/// Segments under way at once, at most: enough to share a flush, few enough to be handed in again.
const UNDER_WAY: usize = 16;
/// How long to wait after a failure, at first and at most.
const PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// How often retention is looked at while nothing comes.
const IDLE: Duration = Duration::from_secs(1);

/// A buffer that is to become a segment.
pub(crate) struct Full {
    pub(crate) sector: Arc<str>,
    pub(crate) records: Vec<u8>,
    pub(crate) first_ns: u64,
    pub(crate) last_ns: u64,
    /// Refused since the one before.
    pub(crate) refused: u64,
    pub(crate) time_ns: u64,
}

impl Full {
    fn count(&self) -> u64 {
        (self.records.len() / RECORD_BYTES) as u64
    }
}

/// What the sealer is told.
pub(crate) enum Job {
    Seal(Full),
    /// Answers once everything before it is durable.
    Flush(Sender<Result<(), ObservationError>>),
    /// Ends, and answers as [`Job::Flush`].
    End(Sender<Result<(), ObservationError>>),
}

/// A segment under way.
struct UnderWay {
    full: Full,
    number: u64,
    stored_bytes: u64,
    pruned: Vec<HeldSegment>,
    pending: PendingReceipts,
}

pub(crate) struct Sealer {
    pub(crate) hot: Hot,
    pub(crate) ledger: Arc<Ledger>,
    pub(crate) jobs: Receiver<Job>,
    pub(crate) emptied: Sender<Vec<u8>>,
    pub(crate) tally: Arc<Tally>,
    compressor: Compressor<'static>,
    held: Held,
    /// The next segment's number.
    next: u64,
    under_way: VecDeque<UnderWay>,
    /// What could not be stored.
    again: VecDeque<Full>,
    pause: Duration,
}

impl Sealer {
    pub(crate) fn new(
        hot: Hot,
        ledger: Arc<Ledger>,
        jobs: Receiver<Job>,
        emptied: Sender<Vec<u8>>,
        tally: Arc<Tally>,
        settings: &crate::Settings,
    ) -> Result<Sealer, ObservationError> {
        let store = ledger.store();
        let (held, next) = (Held::read(&**store, settings.retention)?, store.segment_count()?);
        tally.held_bytes.store(held.bytes(), Relaxed);
        Ok(Sealer {
            compressor: Compressor::new(settings.compression)?,
            held,
            next,
            under_way: VecDeque::new(),
            again: VecDeque::new(),
            pause: PAUSE,
            hot,
            ledger,
            jobs,
            emptied,
            tally,
        })
    }

    /// Does one thing.
    pub(crate) fn step(&mut self) -> Next {
        if !self.again.is_empty() {
            return self.retry();
        }
        let job = match self.under_way.is_empty() {
            true => self.jobs.recv_timeout(IDLE),
            false => self.jobs.try_recv().map_err(|_| RecvTimeoutError::Timeout),
        };
        match job {
            Ok(Job::Seal(full)) => {
                self.seal(full);
                if self.under_way.len() >= UNDER_WAY {
                    self.settle();
                }
            }
            Ok(Job::Flush(answer)) => {
                _ = answer.send(self.flush());
            }
            Ok(Job::End(answer)) => return self.end(&answer),
            Err(_) if !self.under_way.is_empty() => self.settle(),
            Err(RecvTimeoutError::Timeout) => self.prune(),
            Err(RecvTimeoutError::Disconnected) => return Next::Stop,
        }
        Next::Continue
    }

    /// Hands a segment in, with its receipt and what retention drops for it.
    fn seal(&mut self, full: Full) {
        if !self.again.is_empty() {
            // Behind what came before it.
            self.again.push_back(full);
            return;
        }
        let coming =
            self.under_way.iter().map(|one| &one.full).chain([&full]).map(|full| full.records.len() as u64).sum();
        let pruned = self.held.due(self.hot.clock().now_ns(), coming);
        match self.hand_in(&full, &pruned) {
            Ok((pending, stored_bytes)) => {
                self.under_way.push_back(UnderWay { full, number: self.next, stored_bytes, pruned, pending });
                self.next += 1;
            }
            Err(error) => {
                self.held.restore(pruned);
                self.failed(&error);
                self.again.push_back(full);
            }
        }
    }

    fn hand_in(&mut self, full: &Full, pruned: &[HeldSegment]) -> Result<(PendingReceipts, u64), ObservationError> {
        let root = observations_root(&full.records, RECORD_BYTES)?;
        let content = self.compressor.compress(&full.records)?;
        let stored_bytes = content.len() as u64;
        let (number, count) = (self.next, full.count());
        let evidence = Evidence::ObservationsIngested {
            segment: number,
            count,
            record_bytes: RECORD_BYTES as u64,
            root,
            first_ns: full.first_ns,
            last_ns: full.last_ns,
            refused: full.refused,
        };
        let sector = full.sector.to_string();
        let entry = Entry {
            time_ns: full.time_ns,
            sector: Some(sector.clone()),
            outcome: Outcome::Approved,
            evidence,
            links: Vec::new(),
        };
        let mut entries = vec![entry];
        entries.extend(receipts(pruned, full.time_ns));
        let pending = self.ledger.submit(entries, |appended| {
            let segment = Segment {
                number,
                sector,
                first_ns: full.first_ns,
                last_ns: full.last_ns,
                count,
                record_bytes: RECORD_BYTES as u32,
                root,
                receipt: appended.first().map(|receipt| receipt.number),
                content: Some(content),
            };
            let prune = pruned.iter().map(|segment| Write::PruneSegment(segment.number));
            [Write::Segment(segment)].into_iter().chain(prune).collect()
        })?;
        Ok((pending, stored_bytes))
    }

    /// Waits for the oldest segment under way. Where it could not be stored, those behind it cannot be either: each one's place in the log
    /// is the next after the one before.
    fn settle(&mut self) {
        let Some(oldest) = self.under_way.pop_front() else { return };
        let UnderWay { full, number, stored_bytes, pruned, pending } = oldest;
        match pending.wait() {
            Ok(_) => self.stored(full, number, stored_bytes, &pruned),
            Err(error) => {
                if is_hopeless(&error) && !pruned.is_empty() {
                    // What is to be dropped may be gone; that must not cost what is new.
                    tracing::error!(%error, "observations that retention is to drop cannot be dropped; they are left alone");
                    self.again.push_back(full);
                    return;
                }
                self.held.restore(pruned);
                if is_hopeless(&error) {
                    tracing::error!(%error, sector = &*full.sector, lost = full.count(), "observations cannot be stored");
                    self.tally.lost(full.count());
                    self.empty(full);
                    return;
                }
                self.failed(&error.into());
                self.again.push_back(full);
            }
        }
    }

    fn stored(&mut self, full: Full, number: u64, stored_bytes: u64, pruned: &[HeldSegment]) {
        let count = full.count();
        let (sector, bytes) = (full.sector.clone(), count * RECORD_BYTES as u64);
        self.held.add(HeldSegment { number, sector, bytes, last_ns: full.last_ns });
        self.tally.persisted(count, full.refused, stored_bytes);
        self.tally.pruned(pruned.len() as u64);
        self.tally.held_bytes.store(self.held.bytes(), Relaxed);
        self.empty(full);
        if self.pause != PAUSE {
            self.pause = PAUSE;
            self.tally.set_failing(None);
            tracing::info!("observations can be stored again");
        }
    }

    /// Gives a buffer back.
    fn empty(&self, full: Full) {
        let mut records = full.records;
        records.clear();
        // Whoever no longer drains needs no buffer.
        _ = self.emptied.send(records);
    }

    fn failed(&mut self, error: &ObservationError) {
        if self.tally.failing().is_none() {
            tracing::error!(%error, "observations cannot be stored; they are kept and tried again");
        }
        self.tally.set_failing(Some(error.to_string()));
    }

    /// Hands in what failed, after a pause in which it only listens.
    fn retry(&mut self) -> Next {
        while !self.under_way.is_empty() {
            self.settle();
        }
        match self.jobs.recv_timeout(self.pause) {
            Ok(Job::Seal(full)) => self.again.push_back(full),
            // Answered as things are: nobody waits for a disk to be mended.
            Ok(Job::Flush(answer)) => {
                _ = answer.send(self.resume());
            }
            Ok(Job::End(answer)) => {
                _ = self.resume();
                return self.end(&answer);
            }
            Err(RecvTimeoutError::Timeout) => {
                _ = self.resume();
            }
            Err(RecvTimeoutError::Disconnected) => return Next::Stop,
        }
        Next::Continue
    }

    fn end(&mut self, answer: &Sender<Result<(), ObservationError>>) -> Next {
        let flushed = self.flush();
        let lost: u64 = self.again.drain(..).map(|full| full.count()).sum();
        if lost > 0 {
            self.tally.lost(lost);
            tracing::error!(lost, "observations were drained and could not be stored until the end");
        }
        _ = answer.send(flushed);
        Next::Stop
    }

    /// Tries once more to store all that failed.
    fn resume(&mut self) -> Result<(), ObservationError> {
        RETRIES.add(1);
        self.pause = (self.pause * 2).min(LONGEST_PAUSE);
        match self.ledger.store().segment_count() {
            Ok(count) => self.next = count,
            Err(error) => {
                let error = error.into();
                self.failed(&error);
                return Err(error);
            }
        }
        let again = std::mem::take(&mut self.again);
        for full in again {
            self.seal(full);
        }
        self.flush()
    }

    /// Waits for all that is under way.
    fn flush(&mut self) -> Result<(), ObservationError> {
        while !self.under_way.is_empty() {
            self.settle();
        }
        if self.again.is_empty() {
            return Ok(());
        }
        let why = self.tally.failing().unwrap_or_default();
        Err(ObservationError::Failing { why })
    }

    /// Drops, with receipts, what retention no longer holds while no segment takes it along.
    fn prune(&mut self) {
        let now_ns = self.hot.clock().now_ns();
        let due = self.held.due(now_ns, 0);
        if due.is_empty() {
            return;
        }
        let batch: Batch = due.iter().map(|segment| Write::PruneSegment(segment.number)).collect();
        match self.ledger.append_with(receipts(&due, now_ns), |_| batch) {
            Ok(_) => {
                self.tally.pruned(due.len() as u64);
                self.tally.held_bytes.store(self.held.bytes(), Relaxed);
            }
            Err(error) => {
                tracing::warn!(%error, "observations could not be dropped; it is tried again");
                self.held.restore(due);
            }
        }
    }
}

/// Whether handing it in again would be refused again, whatever the disk does.
fn is_hopeless(error: &LedgerError) -> bool {
    matches!(error, LedgerError::Store(StoreError::Missing { .. } | StoreError::Limit { .. }))
}
