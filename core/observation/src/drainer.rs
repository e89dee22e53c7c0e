//! Draining: observations out of the rings, into aggregates and into the buffers of their sectors.
//!
//! The drainer's thread owns both, so that no lock is taken for a record; questions come to it as closures between two chunks. Full or old
//! buffers go to the sealer and come back empty. While all of them are in use nothing is drained: the rings fill, and refuse.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender};
use knhk_hot::layout::SECTOR_CAPACITY;
use knhk_hot::{Hot, Observation};
use knhk_warm::Next;

use crate::monitor::{Busy, Knowledge};
use crate::sealer::{Full, Job};
use crate::stats::Tally;
use crate::trial::Trials;
use crate::window::NS;
use crate::{Aggregates, ObservationError, Record, Schema, Settings};

/// Observations drained at once, at most: between two chunks questions are answered and buffers taken back.
const CHUNK: usize = 8192;
/// How often a changed ontology is looked for, in nanoseconds.
const LEARN_NS: u64 = NS / 20;

/// What is to be done about trials, now.
type Trying = dyn FnOnce(&mut Trials, u64) -> Began + Send;

/// What the drainer is asked.
pub(crate) enum Ask {
    /// To look at the aggregates.
    Look(Box<dyn FnOnce(&Aggregates) + Send>),
    /// To look at the trials, begin one or end one.
    Try(Box<Trying>),
    /// To make durable what the rings hold now.
    Flush(Sender<Result<(), ObservationError>>),
    /// To do so and end.
    End(Sender<Result<(), ObservationError>>),
}

/// Whether a trial of a sector began, which then learns the sector's ontology.
pub(crate) type Began = Option<u32>;

pub(crate) struct Drainer {
    pub(crate) hot: Hot,
    pub(crate) knowledge: Arc<dyn Knowledge>,
    pub(crate) asks: Receiver<Ask>,
    pub(crate) jobs: Sender<Job>,
    pub(crate) emptied: Receiver<Vec<u8>>,
    pub(crate) settings: Settings,
    buffers: Buffers,
    aggregates: Aggregates,
    trials: Trials,
    /// The generation and the time as of which the ontologies were last read.
    learnt: Option<(u64, u64)>,
    /// The content address of what was read, by sector.
    snapshots: Vec<Option<[u8; 32]>>,
    asked: Vec<Sender<Result<(), ObservationError>>>,
    ending: Option<Sender<Result<(), ObservationError>>>,
}

/// The buffers of all sectors.
struct Buffers {
    tally: Arc<Tally>,
    segment_bytes: usize,
    /// Those that are being filled, by sector.
    filling: Vec<Option<Filling>>,
    /// Names of sectors, by number.
    names: Vec<Option<Arc<str>>>,
    spare: Vec<Vec<u8>>,
    /// Being filled, or at the sealer.
    in_use: usize,
    full: Vec<Full>,
}

struct Filling {
    records: Vec<u8>,
    first_ns: u64,
    last_ns: u64,
    since_ns: u64,
}

impl Drainer {
    pub(crate) fn new(
        hot: Hot,
        knowledge: Arc<dyn Knowledge>,
        asks: Receiver<Ask>,
        (jobs, emptied): (Sender<Job>, Receiver<Vec<u8>>),
        tally: Arc<Tally>,
        settings: Settings,
    ) -> Drainer {
        let now_ns = hot.clock().advance();
        let buffers = Buffers {
            tally,
            segment_bytes: settings.segment_bytes(),
            filling: (0..SECTOR_CAPACITY).map(|_| None).collect(),
            names: vec![None; SECTOR_CAPACITY],
            spare: Vec::new(),
            in_use: 0,
            full: Vec::new(),
        };
        Drainer {
            aggregates: Aggregates::new(settings.window.as_secs() as u32, settings.series, now_ns),
            trials: Trials::new(settings.window.as_secs() as u32, settings.series),
            learnt: None,
            snapshots: vec![None; SECTOR_CAPACITY],
            asked: Vec::new(),
            ending: None,
            buffers,
            hot,
            knowledge,
            asks,
            jobs,
            emptied,
            settings,
        }
    }

    /// Drains a chunk, and waits for the next occasion where the rings are empty.
    pub(crate) fn step(&mut self) -> Next {
        let now_ns = self.hot.clock().advance();
        // A second that ends goes into the windows that are known by then.
        let pause_ns = if self.aggregates.ends_second(now_ns) { 0 } else { LEARN_NS };
        self.learn(now_ns, pause_ns);
        self.aggregates.advance(now_ns);
        self.trials.advance(now_ns);
        let full = self.take_back();
        let taken = if full { 0 } else { self.drain(now_ns) };
        let old = now_ns.saturating_sub(self.settings.seal_after.as_nanos() as u64);
        self.seal(now_ns, |filling| filling.since_ns <= old);
        // What is asked for while nothing can be stored is answered as things are.
        let empty = !full && taken < CHUNK;
        let stuck = full && self.buffers.tally.failing().is_some();
        if (empty || stuck) && self.finish(now_ns) == Next::Stop {
            return Next::Stop;
        }
        self.listen(!full && taken < CHUNK)
    }

    /// Takes back buffers that the sealer emptied; whether all are in use still, after a while.
    fn take_back(&mut self) -> bool {
        let most = self.settings.buffers();
        if self.buffers.in_use >= most
            && let Ok(buffer) = self.emptied.recv_timeout(self.settings.period)
        {
            self.buffers.take_back(buffer, most);
        }
        while let Ok(buffer) = self.emptied.try_recv() {
            self.buffers.take_back(buffer, most);
        }
        self.buffers.in_use >= most
    }

    fn drain(&mut self, now_ns: u64) -> usize {
        let Drainer { hot, knowledge, aggregates, trials, buffers, .. } = self;
        let taken = hot.drain(CHUNK, |reader, observation| {
            let Some(sector) = buffers.sector(&observation, &**knowledge) else { return };
            let record = Record::of(reader, &observation);
            aggregates.add(sector, &record, || knowledge.key(sector, record.slot));
            if !trials.is_empty() {
                trials.add(sector, &record, || knowledge.key(sector, record.slot));
            }
            buffers.put(sector, &record, now_ns);
        });
        buffers.tally.drained(taken as u64);
        self.send_full(now_ns);
        taken
    }

    /// Reads the ontologies again that changed, unless that was done within `pause_ns`.
    fn learn(&mut self, now_ns: u64, pause_ns: u64) {
        let epoch = self.hot.epoch();
        if self.learnt.is_some_and(|(learnt, at_ns)| learnt == epoch || now_ns.saturating_sub(at_ns) < pause_ns) {
            return;
        }
        let all = (0..SECTOR_CAPACITY as u32).map(|sector| self.learn_sector(sector)).fold(Ok(()), Result::and);
        // No generation has this number: where a sector was busy, all are asked again.
        self.learnt = Some((all.map_or(u64::MAX, |()| epoch), now_ns));
    }

    fn learn_sector(&mut self, sector: u32) -> Result<(), Busy> {
        let at = sector as usize;
        if self.buffers.names[at].is_none() {
            self.buffers.names[at] = self.knowledge.sector(sector);
        }
        if self.buffers.names[at].is_none() {
            return Ok(());
        }
        let Some(snapshot) = self.knowledge.snapshot(sector)? else { return Ok(()) };
        if self.snapshots[at] == Some(snapshot.id()) {
            return Ok(());
        }
        let schema = Schema::of(&snapshot);
        let keys: Vec<&str> = schema.kinds.iter().filter_map(|kind| kind.key.as_deref()).collect();
        let slots = self.knowledge.slots(sector, &keys)?;
        let slots: HashMap<String, u32> =
            keys.iter().zip(slots).filter_map(|(key, slot)| Some(((*key).to_owned(), slot?))).collect();
        self.trials.learn(sector, &schema, |key| slots.get(key).copied());
        self.aggregates.learn(sector, schema, |key| slots.get(key).copied());
        self.snapshots[at] = Some(snapshot.id());
        Ok(())
    }

    /// Sends those buffers to the sealer that `which` picks.
    fn seal(&mut self, now_ns: u64, which: impl Fn(&Filling) -> bool) {
        for sector in 0..SECTOR_CAPACITY {
            if self.buffers.filling[sector].as_ref().is_some_and(&which) {
                self.buffers.fill_up(sector, now_ns);
            }
        }
        self.send_full(now_ns);
    }

    fn send_full(&mut self, now_ns: u64) {
        if self.buffers.full.is_empty() {
            return;
        }
        // The first receipt from here on says what was refused so far.
        let mut refused = self.buffers.newly_refused(&self.hot);
        for mut full in self.buffers.full.drain(..) {
            (full.refused, full.time_ns) = (std::mem::take(&mut refused), now_ns);
            // The sealer goes after the drainer.
            _ = self.jobs.send(Job::Seal(full));
        }
    }

    /// Answers those who wait for the rings to be empty, or for the end.
    fn finish(&mut self, now_ns: u64) -> Next {
        if self.asked.is_empty() && self.ending.is_none() {
            return Next::Continue;
        }
        self.seal(now_ns, |_| true);
        self.state_refused(now_ns);
        for answer in self.asked.drain(..) {
            _ = self.jobs.send(Job::Flush(answer));
        }
        match self.ending.take() {
            Some(answer) => {
                _ = self.jobs.send(Job::End(answer));
                Next::Stop
            }
            None => Next::Continue,
        }
    }

    /// Has a receipt without observations state what was refused and no other receipt says: by readers without a ring, or without a sector.
    fn state_refused(&mut self, time_ns: u64) {
        let Some(sector) = self.buffers.names.iter().flatten().next().cloned() else { return };
        if self.buffers.refused(&self.hot) > self.buffers.tally.announced.load(Relaxed) {
            let (records, refused) = (Vec::new(), 0);
            self.buffers.in_use += 1;
            self.buffers.full.push(Full { sector, records, first_ns: time_ns, last_ns: time_ns, refused, time_ns });
            self.send_full(time_ns);
        }
    }

    /// Takes the questions that came; waits for one where there is nothing to drain.
    fn listen(&mut self, wait: bool) -> Next {
        let mut ask = if wait && self.asked.is_empty() && self.ending.is_none() {
            match self.asks.recv_timeout(self.settings.period) {
                Err(RecvTimeoutError::Disconnected) => return Next::Stop,
                asked => asked.ok(),
            }
        } else {
            self.asks.try_recv().ok()
        };
        while let Some(asked) = ask {
            match asked {
                Ask::Look(look) => {
                    let now_ns = self.hot.clock().now_ns();
                    // Whoever asks right after a promotion hears of its kinds.
                    self.learn(now_ns, 0);
                    self.aggregates.advance(now_ns);
                    look(&self.aggregates);
                }
                Ask::Try(look) => {
                    let now_ns = self.hot.clock().now_ns();
                    self.learn(now_ns, 0);
                    self.trials.advance(now_ns);
                    if let Some(sector) = look(&mut self.trials, now_ns) {
                        self.snapshots[sector as usize % SECTOR_CAPACITY] = None;
                        self.learnt = None;
                    }
                    self.learn(now_ns, 0);
                }
                Ask::Flush(answer) => self.asked.push(answer),
                Ask::End(answer) => self.ending = Some(answer),
            }
            ask = self.asks.try_recv().ok();
        }
        Next::Continue
    }
}

impl Buffers {
    /// The number of an observation's sector; none for one whose key was never interned, which is refused.
    fn sector(&mut self, observation: &Observation, knowledge: &dyn Knowledge) -> Option<u32> {
        let number = observation.key.sector().filter(|number| *number < SECTOR_CAPACITY as u32);
        let known = number.filter(|number| {
            let name = &mut self.names[*number as usize];
            if name.is_none() {
                *name = knowledge.sector(*number);
            }
            name.is_some()
        });
        if known.is_none() {
            self.tally.unattributed.fetch_add(1, Relaxed);
        }
        known
    }

    #[inline]
    fn put(&mut self, sector: u32, record: &Record, now_ns: u64) {
        let at = sector as usize;
        if self.filling[at].is_none() {
            let records = self.spare.pop().unwrap_or_else(|| Vec::with_capacity(self.segment_bytes));
            self.in_use += 1;
            self.tally.buffers.store(self.in_use as u64, Relaxed);
            self.filling[at] = Some(Filling { records, first_ns: u64::MAX, last_ns: 0, since_ns: now_ns });
        }
        let filling = self.filling[at].as_mut().expect("it was just put there");
        filling.records.extend_from_slice(&record.encode());
        filling.first_ns = filling.first_ns.min(record.time_ns);
        filling.last_ns = filling.last_ns.max(record.time_ns);
        if filling.records.len() >= self.segment_bytes {
            self.fill_up(at, now_ns);
        }
    }

    /// Declares a sector's buffer full.
    fn fill_up(&mut self, sector: usize, time_ns: u64) {
        let (Some(filling), Some(name)) = (self.filling[sector].take(), self.names[sector].clone()) else { return };
        let Filling { records, first_ns, last_ns, .. } = filling;
        self.full.push(Full { sector: name, records, first_ns, last_ns, refused: 0, time_ns });
    }

    fn take_back(&mut self, buffer: Vec<u8>, most: usize) {
        self.in_use -= 1;
        self.tally.buffers.store(self.in_use as u64, Relaxed);
        // A chunk of many sectors may have taken some more.
        if self.in_use + self.spare.len() < most && buffer.capacity() > 0 {
            self.spare.push(buffer);
        }
    }

    /// What was refused since the last time.
    fn newly_refused(&mut self, hot: &Hot) -> u64 {
        let refused = self.refused(hot);
        refused.saturating_sub(self.tally.announced.swap(refused, Relaxed))
    }

    /// What was refused so far.
    fn refused(&self, hot: &Hot) -> u64 {
        hot.stats().dropped + self.tally.unattributed.load(Relaxed)
    }
}
