//! Trials: what was recorded of a sector since a generation, added up apart from everything before, and by arm where a canary runs.

use crate::schema::Schema;
use crate::window::Counts;
use crate::{Aggregates, ObjectiveState, Record, Series};

/// Which records a trial is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trial {
    /// The sector's number.
    pub sector: u32,
    /// The first generation whose views count.
    pub from_epoch: u64,
    /// How a canary chooses, by limit and salt: subjects with `hash * salt < limit` (wrapping) read the candidate. None: there is one arm.
    pub choice: Option<(u64, u64)>,
}

/// What was recorded in one arm.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Arm {
    /// How many records since the trial began, and how they ended.
    pub counts: Counts,
    /// The same by key and kind.
    pub series: Vec<Series>,
    /// How the sector's objectives stand in this arm.
    pub objectives: Vec<ObjectiveState>,
}

/// What was recorded in a trial.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Arms {
    /// Those who read what is current.
    pub current: Arm,
    /// Those who read the candidate; nothing where no canary chooses.
    pub candidate: Arm,
    /// Records without a subject, which belong to no arm; only where a canary chooses.
    pub without_subject: u64,
}

/// The trials that run.
#[derive(Default)]
pub(crate) struct Trials {
    running: Vec<Running>,
    last: u64,
    window_s: u32,
    limit: usize,
}

struct Running {
    number: u64,
    trial: Trial,
    current: Side,
    candidate: Side,
    without_subject: u64,
}

struct Side {
    counts: Counts,
    aggregates: Aggregates,
}

impl Trials {
    pub fn new(window_s: u32, limit: usize) -> Trials {
        Trials { window_s, limit, ..Trials::default() }
    }

    /// Begins one; gives its number. It learns the sector's ontology next.
    pub fn begin(&mut self, trial: Trial, now_ns: u64) -> u64 {
        self.last += 1;
        let side =
            || Side { counts: Counts::default(), aggregates: Aggregates::new(self.window_s, self.limit, now_ns) };
        let (current, candidate) = (side(), side());
        self.running.push(Running { number: self.last, trial, current, candidate, without_subject: 0 });
        self.last
    }

    pub fn end(&mut self, number: u64) {
        self.running.retain(|running| running.number != number);
    }

    pub fn is_empty(&self) -> bool {
        self.running.is_empty()
    }

    pub fn advance(&mut self, now_ns: u64) {
        for running in &mut self.running {
            running.current.aggregates.advance(now_ns);
            running.candidate.aggregates.advance(now_ns);
        }
    }

    pub fn learn(&mut self, sector: u32, schema: &Schema, slot: impl Fn(&str) -> Option<u32>) {
        for running in self.running.iter_mut().filter(|running| running.trial.sector == sector) {
            running.current.aggregates.learn(sector, schema.clone(), &slot);
            running.candidate.aggregates.learn(sector, schema.clone(), &slot);
        }
    }

    pub fn add(&mut self, sector: u32, record: &Record, key: impl Fn() -> Option<String>) {
        for running in &mut self.running {
            let Trial { sector: of, from_epoch, choice } = running.trial;
            if of != sector || record.epoch < from_epoch {
                continue;
            }
            let side = match choice {
                None => &mut running.current,
                Some(_) if record.subject == 0 => {
                    running.without_subject += 1;
                    continue;
                }
                Some((limit, salt)) if record.subject.wrapping_mul(salt) < limit => &mut running.candidate,
                Some(_) => &mut running.current,
            };
            side.counts.add(record.outcome, false);
            side.aggregates.add(sector, record, &key);
        }
    }

    /// How one stands; none where it was ended.
    pub fn arms(&self, number: u64) -> Option<Arms> {
        let running = self.running.iter().find(|running| running.number == number)?;
        let arm = |side: &Side| Arm {
            counts: side.counts,
            series: side.aggregates.series(running.trial.sector),
            objectives: side.aggregates.objectives(running.trial.sector),
        };
        let (current, candidate) = (arm(&running.current), arm(&running.candidate));
        Some(Arms { current, candidate, without_subject: running.without_subject })
    }
}
