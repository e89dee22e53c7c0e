//! Plans: which parameters should have which values, and why.
//!
//! A [`Proposer`] answers a [`Question`] with a [`Plan`] or with none. It has no power to change anything: a plan is checked against the
//! parameters' types, bounds and steps ([`Plan::check`]), filed as a proposal like anybody's, and goes through the pipeline.

mod check;
pub mod model;
mod remedy;
mod search;

use std::sync::atomic::AtomicBool;

pub use check::Flaw;
pub use remedy::{Remedies, Remedy, Step};
pub use search::Search;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::Pattern;

/// A parameter that a plan may change.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Parameter {
    /// Its path in the sector.
    pub path: String,
    /// Its type: `bool`, `i64`, `f64`, `string`.
    pub value_type: String,
    /// Its value now.
    pub value: Value,
    /// The smallest value that its range and the guards allow.
    pub min: Option<f64>,
    /// The largest.
    pub max: Option<f64>,
    /// The only values that there are, where they are listed.
    #[serde(default)]
    pub values: Vec<Value>,
    /// The largest change at once, as a share of the value; none: any.
    pub step: Option<f64>,
    /// What it is counted in.
    pub unit: Option<String>,
    /// What it means.
    pub doc: Option<String>,
}

/// What a proposer is asked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Question {
    /// What was found.
    pub pattern: Pattern,
    /// What may be changed.
    pub parameters: Vec<Parameter>,
    /// The rules of the doctrine that hold, a sentence each.
    pub doctrine: Vec<String>,
    /// The guards, a sentence each.
    pub guards: Vec<String>,
    /// The invariants and budgets, a sentence each.
    pub invariants: Vec<String>,
    /// What was done before about patterns of this kind, and what became of it.
    pub examples: Vec<Example>,
    /// What the pipeline said against earlier plans, the most frequent first.
    pub refusals: Vec<String>,
}

/// A plan of the past.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Example {
    /// What had been found.
    pub pattern: Pattern,
    /// What was planned.
    pub plan: Plan,
    /// What became of it: "kept", "rolled back: …", "refused: …".
    pub outcome: String,
}

/// Which parameters should have which values, and why.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// New values, by path.
    pub changes: Vec<Setting>,
    /// Why, in a sentence.
    pub why: String,
    /// How sure the proposer is that it helps, 0 to 1.
    pub confidence: f64,
}

/// A parameter and the value that it should have.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Setting {
    /// The parameter's path.
    pub path: String,
    /// Its new value.
    pub value: Value,
}

/// Why there is no plan although there might have been one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{proposer}: {why}")]
pub struct PlanError {
    /// Who was asked.
    pub proposer: String,
    /// What went wrong, in a sentence.
    pub why: String,
}

/// Proposes changes.
pub trait Proposer: Send + Sync {
    /// Its name, as receipts state it, such as `rule` or `model`.
    fn name(&self) -> &str;

    /// A plan for what was found; none where it knows none.
    ///
    /// # Errors
    /// Why it could not answer.
    fn propose(&self, question: &Question) -> Result<Option<Plan>, PlanError>;

    /// The same, by one who may be told meanwhile (`given_up`) that nobody waits for the answer any more: it makes no further attempt then.
    ///
    /// # Errors
    /// As [`Proposer::propose`].
    fn propose_unless(&self, question: &Question, _given_up: &AtomicBool) -> Result<Option<Plan>, PlanError> {
        self.propose(question)
    }

    /// Of a model: what its last question and answer were, for the receipt.
    fn transcript(&self) -> Option<model::Transcript> {
        None
    }
}
