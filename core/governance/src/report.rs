//! What the stages say of a change.

use serde::{Deserialize, Serialize};

/// A stage of the pipeline, in the order in which they are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// The candidate conforms to its shapes and to the core's.
    Schema,
    /// Q1 to Q5 hold.
    Invariants,
    /// The organisation's rules for changes.
    Doctrine,
    /// The boundaries, and the relaxations in force.
    Guards,
    /// Measured against the current snapshot.
    Performance,
    /// The way back was gone, and leads to the identical content address.
    Rollback,
    /// What readers would lose or see changed.
    Compatibility,
}

/// How a stage, or all of them, ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Nothing speaks against it.
    Passed,
    /// It lacks what can still come: approvals, or time.
    Waiting,
    /// Of a stage alone: there was nothing for it to judge, because of what another stage refuses. It is no pass.
    NotJudged,
    /// It cannot become current as it is.
    Refused,
}

impl Verdict {
    /// The verdict of all of them: the gravest. What was not judged did not pass, and nothing at all is no pass either.
    pub(crate) fn of(verdicts: impl IntoIterator<Item = Verdict>) -> Verdict {
        match verdicts.into_iter().max() {
            None | Some(Verdict::NotJudged) => Verdict::Refused,
            Some(gravest) => gravest,
        }
    }

    /// Its name, as it is written everywhere.
    pub fn as_str(self) -> &'static str {
        match self {
            Verdict::Passed => "passed",
            Verdict::Waiting => "waiting",
            Verdict::NotJudged => "not_judged",
            Verdict::Refused => "refused",
        }
    }
}

/// How grave a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Worth knowing.
    Info,
    /// Worth a look; it does not stop the change.
    Warning,
    /// It stops the change.
    Blocker,
}

impl Severity {
    /// The one with this name.
    pub fn from_name(name: &str) -> Option<Severity> {
        match name {
            "info" => Some(Severity::Info),
            "warning" => Some(Severity::Warning),
            "blocker" => Some(Severity::Blocker),
            _ => None,
        }
    }
}

/// One thing that a stage found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// How grave.
    pub severity: Severity,
    /// What it is about, named: `rule orders/four-eyes`, `guard max-notional`, `invariant Q3`, `parameter max_qty`, `shape order:Limit`.
    pub item: String,
    /// What is wrong, in a sentence.
    pub what: String,
    /// What to do about it, in a sentence; may be empty.
    pub fix: String,
}

/// What a change still lacks and can get.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Need {
    /// Who asks for it: `rule orders/four-eyes`.
    pub item: String,
    /// The groups whose members may approve; empty: any approver.
    pub groups: Vec<String>,
    /// Approvals that count so far.
    pub approvals: u32,
    /// Approvals that it takes.
    pub quorum: u32,
    /// Not before this moment, in nanoseconds since 1970 (UTC): the end of the review time, or of a closed window.
    pub not_before_ns: Option<u64>,
}

/// What one stage says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StageReport {
    /// Which.
    pub stage: Stage,
    /// How it ended.
    pub verdict: Verdict,
    /// What it found, gravest first.
    pub findings: Vec<Finding>,
    /// What it still lacks, where it waits.
    pub needs: Vec<Need>,
    /// Figures that the verdict rests on, by name.
    pub evidence: serde_json::Value,
    /// How long it took, in nanoseconds.
    pub duration_ns: u64,
}

/// What all stages say of a change of one sector.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// The proposal; empty for a mere question.
    pub proposal: String,
    /// The sector.
    pub sector: String,
    /// The gravest of the stages' verdicts.
    pub verdict: Verdict,
    /// The stages, in their order.
    pub stages: Vec<StageReport>,
    /// How long all of it took, in nanoseconds.
    pub duration_ns: u64,
}

impl Stage {
    /// All of them, in their order.
    pub const ALL: [Stage; 7] = [
        Stage::Schema,
        Stage::Invariants,
        Stage::Doctrine,
        Stage::Guards,
        Stage::Performance,
        Stage::Rollback,
        Stage::Compatibility,
    ];

    /// Its name, as it is written everywhere.
    pub fn as_str(self) -> &'static str {
        match self {
            Stage::Schema => "schema",
            Stage::Invariants => "invariants",
            Stage::Doctrine => "doctrine",
            Stage::Guards => "guards",
            Stage::Performance => "performance",
            Stage::Rollback => "rollback",
            Stage::Compatibility => "compatibility",
        }
    }
}
