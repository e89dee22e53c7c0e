//! Guards: boundaries that no change crosses, save under a relaxation that a quorum signed.
//!
//! A guard says what it is of ([`GuardKind`]), how critical that is ([`Criticality`]: how many approve a relaxation, and after how long), and where
//! its boundary runs, in sections that a machine can check. [`Guards::judge`] says of a change which boundaries it crosses, with the guard, the
//! parameter or statement, the values and the way out.
//!
//! A guard looks at what changes: what was beyond its boundary before and is left as it is does not stop another change. A compliance
//! rule's shapes and required statements are about the whole of what would become current. What cannot be decided, such as the
//! bound on a figure that was not measured, refuses.

mod admit;
mod chain;
mod compliance;
mod interlock;
mod judge;
mod limit;
mod pattern;
mod performance;
mod residency;
mod value;

pub use judge::Standing;
pub use pattern::Pattern;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
pub use value::Scalar;

pub use crate::number::Number;

use crate::approval::Refusal;

/// A boundary.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Guard {
    /// Its name, which is its alone.
    pub id: String,
    /// What it is for.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub doc: String,
    /// What its boundary is of.
    pub kind: GuardKind,
    /// What a relaxation takes.
    pub criticality: Criticality,
    /// The sector that it guards; none: all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sector: Option<String>,
    /// The groups whose members may approve a relaxation; empty: every approver.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<String>,
    /// How long a relaxation may last, in seconds; 7 days where nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub longest_seconds: Option<u64>,
    /// Of an approval chain: who approves what, one after the other.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chain: Option<Chain>,
    /// Of a safety interlock: what parameters may be, and how they may change.
    #[serde(default, skip_serializing_if = "Vec::is_empty", rename = "limit")]
    pub limits: Vec<Limit>,
    /// Of a safety interlock: what has to hold while something else does.
    #[serde(default, skip_serializing_if = "Vec::is_empty", rename = "interlock")]
    pub interlocks: Vec<Interlock>,
    /// Of data residency: where what is may be.
    #[serde(default, skip_serializing_if = "Vec::is_empty", rename = "residency")]
    pub residencies: Vec<Residency>,
    /// Of a performance bound: figures of the measurement.
    #[serde(default, skip_serializing_if = "Vec::is_empty", rename = "bound")]
    pub bounds: Vec<Bound>,
    /// Of a compliance rule: what the whole has to conform to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compliance: Option<Compliance>,
    /// Of data residency and compliance rules: statements that no change removes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub keep: Vec<Keep>,
}

/// What a guard's boundary is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GuardKind {
    /// Who has to approve a change, one after the other.
    ApprovalChain,
    /// What values may be, how they may change, and which must not be together.
    SafetyInterlock,
    /// Where data may be.
    DataResidency,
    /// What a change may cost.
    PerformanceBound,
    /// What the whole has to conform to.
    ComplianceRule,
}

/// How critical a guard is: how many approve a relaxation, and how long it lies open for review.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Criticality {
    /// 1 approval, at once.
    Low,
    /// 1 approval, after 1 h.
    Medium,
    /// 2 approvals, after 12 h.
    High,
    /// 3 approvals, after 24 h.
    Critical,
}

/// Steps of approval: each by someone of its group, after the one before, and nobody takes two.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Chain {
    /// Changes of what.
    pub paths: Vec<Pattern>,
    /// Only where a number changes by more than this share of what it was: 0.25 is a quarter. Whatever is no number counts as more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub above: Option<f64>,
    /// The groups, in the order in which they approve.
    pub steps: Vec<String>,
}

/// What parameters may be, and how they may change.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limit {
    /// Which parameters.
    pub paths: Vec<Pattern>,
    /// The least that a value, or an element of a list, may be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<Number>,
    /// The most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<Number>,
    /// Whether they may not change at all.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub fixed: bool,
    /// Which way is looser: that way they may not go, nor may their own ranges and allowed values become wider.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub loosens: Option<Loosens>,
    /// By which share of what it was a value may change at once: 0.25 is a quarter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_step: Option<f64>,
}

/// Which way a parameter becomes looser.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Loosens {
    /// A greater value is looser.
    Up,
    /// A smaller value is looser.
    Down,
    /// Only a wider range is.
    Range,
}

/// While one condition holds, the other has to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Interlock {
    /// While this holds …
    pub when: Condition,
    /// … this has to.
    pub require: Condition,
}

/// What a parameter is. Of several values each has to hold; a parameter that is not there holds nothing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Condition {
    /// The parameter.
    pub path: String,
    /// One of these.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<Scalar>,
    /// At least this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<Number>,
    /// At most this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<Number>,
}

/// Where data may be.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Residency {
    /// Parameters whose values, or elements, are places.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub paths: Vec<Pattern>,
    /// The class, and those below it, whose instances' `property` is a place: a name in the sector, or an IRI.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<String>,
    /// The property that says where an instance is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub property: Option<String>,
    /// The places: texts, names in the sector or IRIs.
    pub allowed: Vec<String>,
}

/// A bound on a figure of the measurement.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bound {
    /// Its name, as the performance stage gives it.
    pub figure: String,
    /// The least that it may be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<f64>,
    /// The most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<f64>,
}

/// What the whole has to conform to. Relative names are the sector's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Compliance {
    /// SHACL shapes, in Turtle.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub shapes: String,
    /// Statements that have to be there, in Turtle.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub required: String,
}

/// Statements that no change removes: those that every pattern given matches.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Keep {
    /// Of the subject: a name in the sector, or an IRI.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<Pattern>,
    /// Of the predicate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub predicate: Option<Pattern>,
    /// Of the object: a name in the sector, an IRI, or a literal's text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object: Option<Pattern>,
}

/// The guards in force. They change only by a [`Change`](crate::approval::Change).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Guards {
    /// Which in the row of sets; 0: there were none yet.
    pub revision: u64,
    /// The guards.
    #[serde(default, rename = "guard")]
    pub guards: Vec<Guard>,
}

impl Criticality {
    /// Approvals that a relaxation takes.
    pub fn quorum(self) -> u32 {
        match self {
            Criticality::Critical => 3,
            Criticality::High => 2,
            Criticality::Medium | Criticality::Low => 1,
        }
    }

    /// How long a relaxation lies open for review before it comes into force, in nanoseconds.
    pub fn review_ns(self) -> u64 {
        const HOUR: u64 = 3_600_000_000_000;
        match self {
            Criticality::Critical => 24 * HOUR,
            Criticality::High => 12 * HOUR,
            Criticality::Medium => HOUR,
            Criticality::Low => 0,
        }
    }
}

impl GuardKind {
    /// All of them.
    pub const ALL: [GuardKind; 5] = [
        GuardKind::ApprovalChain,
        GuardKind::SafetyInterlock,
        GuardKind::DataResidency,
        GuardKind::PerformanceBound,
        GuardKind::ComplianceRule,
    ];

    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            GuardKind::ApprovalChain => "approval_chain",
            GuardKind::SafetyInterlock => "safety_interlock",
            GuardKind::DataResidency => "data_residency",
            GuardKind::PerformanceBound => "performance_bound",
            GuardKind::ComplianceRule => "compliance_rule",
        }
    }
}

impl Guard {
    /// `guard max-notional`.
    pub fn name(&self) -> String {
        format!("guard {}", self.id)
    }

    /// SHA-256 of `knhk guard 1\0` and its JSON: it changes when anything in it does.
    pub fn hash(&self) -> [u8; 32] {
        Sha256::new_with_prefix(b"knhk guard 1\0").chain_update(self.to_json()).finalize().into()
    }

    /// The JSON form, of which there is one: what is hashed and stored.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("texts, numbers and lists are written")
    }

    /// Reads the JSON form.
    ///
    /// # Errors
    /// When it is none, or a guard that cannot be, with what is wrong and what to do.
    pub fn from_json(json: &str) -> Result<Guard, Refusal> {
        admit::within(json)?;
        let guard: Guard =
            serde_json::from_str(json).map_err(|error| Refusal::malformed("guard", error.to_string()))?;
        guard.checked()
    }

    /// How long a relaxation may last, in nanoseconds.
    pub fn longest_ns(&self) -> u64 {
        self.longest_seconds.unwrap_or(7 * 24 * 3600).saturating_mul(1_000_000_000)
    }

    pub(crate) fn is_open_to(&self, groups: &[String]) -> bool {
        self.groups.is_empty() || groups.iter().any(|group| self.groups.contains(group))
    }
}

impl Guards {
    /// Reads the JSON form.
    ///
    /// # Errors
    /// As [`Guard::from_json`]; and when two guards have one name.
    pub fn from_json(json: &str) -> Result<Guards, Refusal> {
        admit::within(json)?;
        let guards: Guards =
            serde_json::from_str(json).map_err(|error| Refusal::malformed("guards", error.to_string()))?;
        guards.checked()
    }

    /// Reads the TOML form: `revision`, and a `[[guard]]` for each.
    ///
    /// # Errors
    /// As [`Guards::from_json`].
    pub fn from_toml(text: &str) -> Result<Guards, Refusal> {
        admit::within(text)?;
        let guards: Guards = toml::from_str(text).map_err(|error| Refusal::malformed("guards", error.to_string()))?;
        guards.checked()
    }

    /// The JSON form, of which there is one: what is hashed and stored.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("texts, numbers and lists are written")
    }

    /// The TOML form.
    pub fn to_toml(&self) -> String {
        toml::to_string(self).expect("texts, numbers and lists are written")
    }

    /// What stands for the set where it is approved: SHA-256 of `knhk guards 1\0` and its JSON.
    pub fn digest(&self) -> [u8; 32] {
        Sha256::new_with_prefix(b"knhk guards 1\0").chain_update(self.to_json()).finalize().into()
    }

    /// The guard of a name.
    pub fn get(&self, id: &str) -> Option<&Guard> {
        self.guards.iter().find(|guard| guard.id == id)
    }

    /// The next set, in which this guard is added, or stands in the place of the one of its name.
    pub fn with(&self, guard: Guard) -> Guards {
        let mut next = self.without(&guard.id);
        let at = self.guards.iter().position(|old| old.id == guard.id).unwrap_or(next.guards.len());
        next.guards.insert(at, guard);
        next
    }

    /// The next set, without the guard of this name.
    pub fn without(&self, id: &str) -> Guards {
        let guards = self.guards.iter().filter(|guard| guard.id != id).cloned().collect();
        Guards { revision: self.revision + 1, guards }
    }
}
