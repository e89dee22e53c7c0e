//! The limits of a sector: parameters under `governance/` of its own knowledge, changed as all others are.

use knhk_hot::artifact::{Artifact, Value};
use serde::Serialize;

/// What a sector allows. A change is judged by the limits that are in force, never by those that it brings.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Limits {
    /// Names that one change may touch; the first version of a sector may touch any number.
    pub max_changes: u64,
    /// Names that the changes of one hour may touch together.
    pub max_changes_per_hour: u64,
    /// What a read may cost, in nanoseconds, at the median.
    pub read_budget_ns: f64,
    /// What a read may cost, in nanoseconds, at the 95th percentile of short blocks.
    pub tail_budget_ns: f64,
    /// What a look-up by name may cost, in nanoseconds, at the median.
    pub lookup_budget_ns: f64,
    /// What applying a change and compiling may take, in milliseconds.
    pub apply_budget_ms: f64,
    /// Loads, each dependent on the one before, that a read may take.
    pub read_steps: u64,
    /// By how much a read may become slower, in %.
    pub slowdown_percent: f64,
    /// How long the measurement may take until it is decided, in milliseconds.
    pub measure_ms: f64,
    /// Bytes of the artifact together with those of retained versions.
    pub memory_bytes: u64,
    /// Processor time that applying a change and compiling may take, in milliseconds.
    pub cpu_budget_ms: f64,
    /// Recorded observations that are replayed, the newest first.
    pub replay_records: u64,
    /// How long a promotion is watched, in seconds.
    pub probation_seconds: u64,
    /// What may not be removed or weakened: paths of parameters and names of classes and shapes, `*` at the end for all that begin so.
    pub protected: Vec<String>,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            max_changes: 1000,
            max_changes_per_hour: 10_000,
            read_budget_ns: 100.0,
            tail_budget_ns: 1000.0,
            lookup_budget_ns: 2000.0,
            apply_budget_ms: 1000.0,
            read_steps: 8,
            slowdown_percent: 10.0,
            measure_ms: 250.0,
            memory_bytes: 256 << 20,
            cpu_budget_ms: 1000.0,
            replay_records: 1000,
            probation_seconds: 0,
            protected: Vec::new(),
        }
    }
}

/// Where the limits are.
pub const MAP: &str = "governance";

/// What a limit is set to.
enum Set<'l> {
    Whole(&'l mut u64),
    Number(&'l mut f64),
    Names(&'l mut Vec<String>),
}

/// A parameter under `governance/` that is no limit: its path, and what is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoLimit {
    /// Its path.
    pub path: String,
    /// What is wrong, in a sentence.
    pub what: String,
    /// What to do about it.
    pub fix: String,
}

impl Limits {
    /// The limits that an artifact's `governance/…` states, defaults where it says nothing or nothing of use.
    pub fn of(artifact: &Artifact) -> Limits {
        Limits::read(artifact).0
    }

    /// What the first version of a sector is judged by. No limit is in force before it: its own budgets count where they are wider than the
    /// defaults, so that a machine that is slower than these expect can have the sector at all.
    pub fn of_first(artifact: &Artifact) -> Limits {
        let (own, default) = (Limits::of(artifact), Limits::default());
        Limits {
            read_budget_ns: own.read_budget_ns.max(default.read_budget_ns),
            tail_budget_ns: own.tail_budget_ns.max(default.tail_budget_ns),
            lookup_budget_ns: own.lookup_budget_ns.max(default.lookup_budget_ns),
            apply_budget_ms: own.apply_budget_ms.max(default.apply_budget_ms),
            cpu_budget_ms: own.cpu_budget_ms.max(default.cpu_budget_ms),
            measure_ms: own.measure_ms.max(default.measure_ms),
            memory_bytes: own.memory_bytes.max(default.memory_bytes),
            ..default
        }
    }

    /// [`Limits::of`], with what is under `governance/` and is no limit.
    pub fn read(artifact: &Artifact) -> (Limits, Vec<NoLimit>) {
        let mut limits = Limits::default();
        let mut wrong = Vec::new();
        let Some(map) = artifact.find(MAP) else { return (limits, wrong) };
        for (name, set) in limits.all() {
            let Some(value) = artifact.lookup(Some(map), name).and_then(|slot| artifact.value(slot)) else { continue };
            if let Err(expected) = set.to(&value) {
                let path = format!("{MAP}/{name}");
                wrong.push(NoLimit {
                    what: format!("{path} is not {expected}"),
                    fix: format!("make it {expected}"),
                    path,
                });
            }
        }
        (limits, wrong)
    }

    /// The names of all limits, under `governance/`.
    pub fn names() -> Vec<&'static str> {
        Limits::default().all().into_iter().map(|(name, _)| name).collect()
    }

    /// Whether the path is that of a protected name.
    pub fn protects(&self, name: &str) -> bool {
        let covers = |pattern: &String| match pattern.strip_suffix('*') {
            Some(prefix) => name.starts_with(prefix),
            None => name == pattern,
        };
        name == "governance/protected" || self.protected.iter().any(covers)
    }

    fn all(&mut self) -> [(&'static str, Set<'_>); 14] {
        [
            ("max_changes", Set::Whole(&mut self.max_changes)),
            ("max_changes_per_hour", Set::Whole(&mut self.max_changes_per_hour)),
            ("read_budget_ns", Set::Number(&mut self.read_budget_ns)),
            ("tail_budget_ns", Set::Number(&mut self.tail_budget_ns)),
            ("lookup_budget_ns", Set::Number(&mut self.lookup_budget_ns)),
            ("apply_budget_ms", Set::Number(&mut self.apply_budget_ms)),
            ("read_steps", Set::Whole(&mut self.read_steps)),
            ("slowdown_percent", Set::Number(&mut self.slowdown_percent)),
            ("measure_ms", Set::Number(&mut self.measure_ms)),
            ("memory_bytes", Set::Whole(&mut self.memory_bytes)),
            ("cpu_budget_ms", Set::Number(&mut self.cpu_budget_ms)),
            ("replay_records", Set::Whole(&mut self.replay_records)),
            ("probation_seconds", Set::Whole(&mut self.probation_seconds)),
            ("protected", Set::Names(&mut self.protected)),
        ]
    }
}

impl Set<'_> {
    /// Sets it, or says what it must be.
    fn to(self, value: &Value<'_>) -> Result<(), &'static str> {
        match (self, value) {
            (Set::Whole(limit), Value::I64(value)) if *value >= 0 => *limit = *value as u64,
            (Set::Number(limit), Value::I64(value)) if *value > 0 => *limit = *value as f64,
            (Set::Number(limit), Value::F64(value)) if *value > 0.0 => *limit = *value,
            (Set::Names(names), Value::ListStr(value)) => {
                *names = value.iter().map(|name| (*name).to_owned()).collect()
            }
            (Set::Names(names), Value::Str(value)) => *names = vec![(*value).to_owned()],
            (Set::Whole(_), _) => return Err("a whole number that is not negative"),
            (Set::Number(_), _) => return Err("a number greater than 0"),
            (Set::Names(_), _) => return Err("a list of names"),
        }
        Ok(())
    }
}
