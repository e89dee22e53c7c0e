//! Cycles and patterns, as they are kept and told.

use std::collections::BTreeMap;

use knhk_autonomic::Pattern;
use knhk_autonomic::plan::Plan;
use serde::{Deserialize, Serialize};

/// How far a cycle is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CycleState {
    /// Something was found, and a proposer is asked, which answers when it can.
    Detected,
    /// There is a plan.
    Planned,
    /// The proposal lacks an approval, a person, or its time.
    Waiting,
    /// It is current, and on probation.
    Watching,
    /// Nothing more comes of it.
    Closed,
}

/// What became of a cycle.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CycleOutcome {
    /// Its change is current, and its probation, where the sector asks for one, ended without a breach.
    Kept,
    /// Its change was current, and its probation took it back.
    RolledBack,
    /// The pipeline, a cap or a person refused its change; `said` names what.
    Refused,
    /// Nobody knew what to do.
    NoPlan,
    /// Another change of the sector came while it was on probation.
    Superseded,
    /// The loop was stopped, or its process ended, while a proposer was asked. What lasts is found anew.
    Interrupted,
}

/// A cycle: something was found, something was done about it, and something came of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Cycle {
    /// Its name, such as `l-7`.
    pub id: String,
    /// The sector.
    pub sector: String,
    /// How far it is.
    pub state: CycleState,
    /// What was found that began it.
    pub pattern: Pattern,
    /// The names of all patterns that belong to it, the first one first.
    pub patterns: Vec<String>,
    /// Whose plan it is, or who is asked for one; none without one.
    pub proposer: Option<String>,
    /// SHA-256 of the question's JSON, in hexadecimal digits; none where nobody was asked.
    pub question: Option<String>,
    /// What is to change.
    pub plan: Option<Plan>,
    /// The proposal that the plan became.
    pub proposal: Option<String>,
    /// The versions that it led to, by sector.
    pub versions: BTreeMap<String, u64>,
    /// What became of it; none while it is open.
    pub outcome: Option<CycleOutcome>,
    /// How far it is and why, in a sentence.
    pub said: String,
    /// The receipts that it left, oldest first: those of its patterns, of its proposal, of its probation, and its own.
    pub receipts: Vec<String>,
    /// When it began, in nanoseconds since 1970 (UTC).
    pub started_ns: u64,
    /// When it ended.
    pub ended_ns: Option<u64>,
}

impl Cycle {
    /// Whether something can still come of it.
    pub fn is_open(&self) -> bool {
        self.state != CycleState::Closed
    }
}

/// A pattern as it is kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PatternInfo {
    /// Its name, such as `f-12`.
    pub id: String,
    /// The cycle that it began or belongs to; none: its sector was being changed, or its watch's last cycle had just ended.
    pub cycle: Option<String>,
    /// Its receipt.
    pub receipt: Option<String>,
    /// What was found.
    #[serde(flatten)]
    pub pattern: Pattern,
}

/// Which patterns.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PatternQuery {
    /// Only those of this sector.
    pub sector: Option<String>,
    /// Only those that end at this moment or later, in nanoseconds since 1970 (UTC).
    pub since_ns: Option<u64>,
    /// How many at most; none: 100.
    pub limit: Option<usize>,
}

/// Which cycles.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CycleQuery {
    /// Only those of this sector.
    pub sector: Option<String>,
    /// Only those of which something can still come.
    pub open: bool,
    /// Only those that began before this one.
    pub before: Option<String>,
    /// How many at most; none: 100.
    pub limit: Option<usize>,
}

/// How the loop does.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LoopStatus {
    /// Whether it goes round by itself.
    pub running: bool,
    /// Turns since it was started.
    pub turns: u64,
    /// The moment of the last one, in nanoseconds since 1970 (UTC); 0: there was none.
    pub last_turn_ns: u64,
    /// What the last one took, in nanoseconds.
    pub took_ns: u64,
    /// The sectors that declare watches.
    pub sectors: Vec<String>,
    /// The watches at work.
    pub watches: Vec<WatchStatus>,
    /// How each watched series is likely to go on.
    pub forecasts: Vec<ForecastStatus>,
    /// Hooks that were not called because one before them took too long.
    pub hooks_skipped: u64,
    /// Callbacks that panicked, failed or were late.
    pub callbacks_failed: u64,
    /// Why the last turn did not come to its end, where it did not; it is tried again.
    pub failed: Option<String>,
    /// The loop's counters.
    pub counters: BTreeMap<String, u64>,
}

/// A watch at work.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WatchStatus {
    /// The sector.
    pub sector: String,
    /// The watch.
    pub watch: String,
    /// Its detector.
    pub detector: String,
    /// Samples that it has seen.
    pub samples: u64,
    /// How unusual the last one was; none while there were too few.
    pub confidence_last: Option<f64>,
}

/// What is foretold of a watched series.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ForecastStatus {
    /// The sector.
    pub sector: String,
    /// The watch.
    pub watch: String,
    /// The model that foretells best now.
    pub model: String,
    /// The next sample's value.
    pub next: Option<f64>,
    /// Its mean absolute error over that of the naive forecast; 1: it is the naive one.
    pub relative_error: f64,
}
