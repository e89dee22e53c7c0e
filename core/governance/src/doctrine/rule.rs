//! What a rule says: plain data. What is checked of it, and how it is written, stand in the files beside this one.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::form::Form;
use super::{RuleError, check, form, turtle};
use crate::number::Number;

/// A rule for changes. It holds over its valid time, for the changes that its sector and its paths select.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Form", into = "Form")]
pub struct Rule {
    /// Its name in its sector: letters, digits, `-`, `_` and `.`, at most 128 bytes.
    pub id: String,
    /// The sector whose changes it judges; none: every sector's.
    pub sector: Option<String>,
    /// What breaking it means.
    pub enforcement: Enforcement,
    /// The parameters that it is about: a path and everything below it, `*` for any one name (`limits`,
    /// `limits/**`, `*/max_qty`). It judges changes that touch one of them; where
    /// there are none, every change.
    pub paths: Vec<String>,
    /// From when on it is valid, in nanoseconds since 1970 (UTC).
    pub from_ns: u64,
    /// From when on it is valid no more; none: until it is revised.
    pub until_ns: Option<u64>,
    /// The guards that it stands behind, by name: for people who ask why a guard is there.
    pub guards: Vec<String>,
    /// The groups whose members may override it, where it is soft-mandatory; empty: any approver.
    pub override_by: Vec<String>,
    /// What it is for.
    pub doc: String,
    /// What somebody whose change broke it should do; empty: what its kind says.
    pub fix: String,
    /// What it asks for.
    pub kind: Kind,
}

/// What breaking a rule means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Enforcement {
    /// A warning.
    Advisory,
    /// The change waits until an approval overrides the rule by name; that it was overridden is recorded.
    SoftMandatory,
    /// The change is refused, and nobody can override that.
    HardMandatory,
}

/// What a rule asks for.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Kind {
    /// Approvals by groups.
    ApprovalChain(ApprovalChain),
    /// Nobody holds two duties that exclude each other.
    SegregationOfDuties(SegregationOfDuties),
    /// A bound on a value, on how far it moves, or on how much changes.
    ResourceLimit(ResourceLimit),
    /// Times at which changes take effect.
    TimeWindow(TimeWindow),
    /// SHACL shapes that the knowledge conforms to after the change.
    Shape(Shape),
    /// A condition in CEL.
    Expression(Condition),
    /// A function of the program.
    Callback(Callback),
}

/// Approvals by groups. Each approver counts in one step at most, whichever lets most steps be complete; steps need no order in time, so that
/// nobody has to approve twice because somebody else came late.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApprovalChain {
    /// The steps.
    pub steps: Vec<Step>,
    /// Asked for only where a number moves by more than this share of what it was, in percent; whatever has no such share (another type, a new
    /// value, a removed one, knowledge that is no parameter) counts as above.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub above_percent: Option<f64>,
    /// Whether who proposes counts as an approver, in whichever step their groups fit.
    #[serde(default, skip_serializing_if = "is_false")]
    pub proposer_counts: bool,
}

/// A step of an approval chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// The groups whose members may approve; empty: any approver.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<String>,
    /// How many of them must.
    pub quorum: u32,
}

/// Duties that exclude each other.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SegregationOfDuties {
    /// Whether who proposes may approve. Their approval never counts in a chain that does not say so; where this is false it is refused.
    #[serde(default, skip_serializing_if = "is_false")]
    pub proposer_may_approve: bool,
    /// The groups of which who proposes must be in one; empty: anyone may propose.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub proposers: Vec<String>,
    /// Sets of groups: nobody who proposes or approves a change is in two groups of a set.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exclusive: Vec<Vec<String>>,
}

/// A bound on a quantity. At least one of `min` and `max`; both are inside.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ResourceLimit {
    /// The quantity.
    pub of: Quantity,
    /// The least.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<Number>,
    /// The most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<Number>,
}

/// What a limit bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Quantity {
    /// The new value of each changed parameter that `paths` select; of a list, each element. A parameter that is removed has none; one that
    /// `paths` name in full and that is no number breaks the rule.
    Value,
    /// How far a number moves, up or down; what it was before must be a number, too.
    Change,
    /// The same in percent of what it was.
    ChangePercent,
    /// How many paths the change touches, of those that `paths` select.
    Paths,
    /// How many statements it removes and adds.
    Statements,
    /// How many changes of the sector took effect within the hour before, and this one.
    ChangesPerHour,
    /// How many names programs could read after it.
    Keys,
    /// Bytes of what programs would map after it.
    ArtifactBytes,
}

/// Times at which changes take effect. The window opens on each of `days` at `from` and closes at `to`, on the next day where that is not later.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TimeWindow {
    /// The time zone, by its IANA name: `Europe/Berlin`.
    pub zone: String,
    /// `mon` to `sun`; empty: every day.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub days: Vec<String>,
    /// `HH:MM`.
    #[serde(default = "midnight")]
    pub from: String,
    /// `HH:MM`.
    #[serde(default = "midnight")]
    pub to: String,
    /// Whether changes are kept out of the window instead of in it: a freeze.
    #[serde(default, skip_serializing_if = "is_false")]
    pub closed: bool,
}

/// SHACL shapes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shape {
    /// In Turtle; relative names are those of the rule's sector. At most 32 KiB.
    pub turtle: String,
}

/// A condition in CEL that is true of every change that keeps the rule. What it can say is in [`Expression`](super::Expression).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Condition {
    /// The expression, at most 2 KiB.
    pub cel: String,
}

/// A function of the program.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Callback {
    /// The name that it is registered by. A rule whose function is not there refuses.
    pub name: String,
}

pub(super) fn is_false(value: &bool) -> bool {
    !value
}

fn midnight() -> String {
    "00:00".to_owned()
}

impl Enforcement {
    /// Its name, as it is written everywhere.
    pub fn as_str(self) -> &'static str {
        match self {
            Enforcement::Advisory => "advisory",
            Enforcement::SoftMandatory => "soft_mandatory",
            Enforcement::HardMandatory => "hard_mandatory",
        }
    }
}

impl Kind {
    /// Its name, as it is written everywhere.
    pub fn as_str(&self) -> &'static str {
        match self {
            Kind::ApprovalChain(_) => "approval_chain",
            Kind::SegregationOfDuties(_) => "segregation_of_duties",
            Kind::ResourceLimit(_) => "resource_limit",
            Kind::TimeWindow(_) => "time_window",
            Kind::Shape(_) => "shape",
            Kind::Expression(_) => "expression",
            Kind::Callback(_) => "callback",
        }
    }
}

/// `rule orders/four-eyes`
impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "rule {}", self.name())
    }
}

impl Rule {
    /// Bytes of one rule's text, whatever its form.
    pub const MAX_BYTES: usize = 64 << 10;

    /// Its name: `orders/four-eyes`, or `four-eyes` for a rule of every sector.
    pub fn name(&self) -> String {
        match &self.sector {
            Some(sector) => format!("{sector}/{}", self.id),
            None => self.id.clone(),
        }
    }

    /// Whether it is valid at a moment.
    pub fn is_valid_at(&self, time_ns: u64) -> bool {
        self.from_ns <= time_ns && self.until_ns.is_none_or(|until| time_ns < until)
    }

    /// Whether it says something that can be judged: names, times, zones, quorums, shapes and expressions.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn check(&self) -> Result<(), RuleError> {
        check::rule(self)
    }

    /// Reads it from JSON.
    ///
    /// # Errors
    /// [`RuleError::TooLarge`] before memory is taken for it; what is no JSON, or no rule; as [`Rule::check`].
    pub fn from_json(text: &str) -> Result<Rule, RuleError> {
        form::from_json(text)
    }

    /// Its canonical JSON: keys sorted bytewise, no white space, each number in the one way that reads back to it.
    pub fn to_json(&self) -> String {
        form::canonical(self)
    }

    /// Reads it from TOML, which holds one `[[rule]]`. [`super::rules_from_toml`] reads several.
    ///
    /// # Errors
    /// As [`Rule::from_json`].
    pub fn from_toml(text: &str) -> Result<Rule, RuleError> {
        form::one(form::rules_from_toml(text)?)
    }

    /// Its TOML, as people write it: one `[[rule]]`.
    pub fn to_toml(&self) -> String {
        form::rules_to_toml(std::slice::from_ref(self))
    }

    /// Reads it from Turtle, which describes one `knhk:Rule`. [`super::rules_from_turtle`] reads several.
    ///
    /// # Errors
    /// As [`Rule::from_json`].
    pub fn from_turtle(text: &str) -> Result<Rule, RuleError> {
        form::one(turtle::rules(text)?)
    }

    /// Its statements as Turtle, in the ontology's own vocabulary. A rule of a sector is `<urn:knhk:orders:doctrine/four-eyes>`, one of every
    /// sector `<urn:knhk-doctrine:four-eyes>`; both can be put into a sector's graph, where they describe and do not judge.
    pub fn to_turtle(&self) -> String {
        turtle::write(self)
    }

    /// SHA-256 of its canonical JSON.
    pub fn hash(&self) -> [u8; 32] {
        form::sha256(self.to_json().as_bytes())
    }
}
