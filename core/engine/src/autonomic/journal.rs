//! What the loop keeps of its turns: enough to recompute every decision.
//!
//! A turn states its inputs: the moment, the segments, the versions of the sectors, what became of earlier cycles, and whatever was answered by
//! somebody else (callbacks, models, the rules in force). Turns are kept in pages, each with the state after its last turn and the hash of the page
//! before; so replay takes the state of one page, and goes through the turns of the next. Receipts of decisions name the hash of their page.

use std::collections::BTreeMap;

use knhk_autonomic::Pattern;
use knhk_autonomic::detect::Score;
use knhk_autonomic::knowledge::Knowledge;
use knhk_autonomic::plan::model::Transcript;
use knhk_autonomic::plan::{Parameter, Plan};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::{CycleOutcome, Settings};
use crate::control::hex;

/// The name that pages have in the store.
pub(crate) const PAGES: &str = "knhk.loop";

/// Turns of a page, at most.
pub(super) const TURNS: usize = 64;

/// Turns, one after the other, and the state after them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Page {
    /// Its number, from 1.
    pub number: u64,
    /// SHA-256 of the page before, in hexadecimal digits; empty: there is none.
    pub before: String,
    /// How the loop was set.
    pub settings: Settings,
    /// The number of the last turn so far, and the first segment that it did not look at.
    pub turn: u64,
    pub next_segment: u64,
    pub turns: Vec<Turn>,
    /// What came after the last of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub after: Vec<Event>,
    /// What the loop knows after all of it: the state of its [`Mind`](super::mind::Mind).
    pub state: Value,
}

/// One look at what was recorded.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Turn {
    /// Its number, from 1.
    pub number: u64,
    /// The moment up to which samples are closed, in nanoseconds since 1970 (UTC).
    pub moment_ns: u64,
    /// Whether nobody looked for a while before it: a sample without records says nothing then.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub resumes: bool,
    /// The first segment that is looked at.
    pub first_segment: u64,
    /// The first one that is not.
    pub next_segment: u64,
    /// The current versions of the sectors, of those that changed since the turn before.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub versions: BTreeMap<String, u64>,
    /// What happened before it, since the turn before.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub events: Vec<Event>,
    /// What detectors by callback said, in the order in which they were asked.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scores: Vec<Option<Score>>,
    /// What plans could rest on, in the order in which it was asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub grounds: Vec<Ground>,
    /// What proposers answered that are no rules, in the order in which they were asked; of those who answer later, that they were asked.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub answers: Vec<Answer>,
    /// What was decided.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub decisions: Vec<Decision>,
}

/// Something that happened beside the turns.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Event {
    /// The proposal of a cycle lacks something.
    Waiting { cycle: String },
    /// The change of a cycle is current, and on probation.
    Watching { cycle: String },
    /// A cycle ended.
    Ended {
        cycle: String,
        at_ns: u64,
        outcome: CycleOutcome,
        said: String,
        /// What refused it: items, each with what was wrong.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        refused: Vec<(String, String)>,
    },
    /// A proposer answered what it was asked in an earlier turn.
    Answered { cycle: String, answer: Answer },
    /// Somebody imported what another loop learned.
    Imported { knowledge: Box<Knowledge> },
}

/// What a plan for a sector can rest on.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Ground {
    pub sector: String,
    /// The version that it is about.
    pub version: u64,
    /// What may be changed.
    pub parameters: Vec<Parameter>,
    /// The rules of the doctrine that hold, the guards, and the invariants with the budgets: a sentence each.
    pub doctrine: Vec<String>,
    pub guards: Vec<String>,
    pub invariants: Vec<String>,
}

/// What a proposer answered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Answer {
    /// Who was asked.
    pub proposer: String,
    /// SHA-256 of the question's JSON, in hexadecimal digits.
    pub question: String,
    /// What came back.
    pub said: Said,
    /// Of a model: the hashes of what was asked and answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transcript: Option<Transcript>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Said {
    Plan(Plan),
    /// It knows none.
    Nothing,
    /// It could not answer, and why.
    Failed(String),
    /// It is asked beside the turns, and its answer is an event of a later one.
    Asked,
    /// There is no such proposer.
    Absent,
}

/// What a turn decided about a pattern.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Decision {
    /// The pattern's name.
    pub id: String,
    /// Whether the pattern was found in an earlier turn, and this is what follows from an answer.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub late: bool,
    pub pattern: Pattern,
    /// The cycle that it begins or belongs to.
    pub cycle: Option<String>,
    /// What follows, where it begins one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub planned: Option<Planned>,
}

/// What follows from a pattern: a plan, an outcome, or that somebody is asked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Planned {
    /// SHA-256 of the question's JSON, in hexadecimal digits; none where nobody was asked.
    pub question: Option<String>,
    /// Who knew a plan, or is asked for one.
    pub proposer: Option<String>,
    pub plan: Option<Plan>,
    /// Whether the plan becomes current once it has passed; otherwise a person says so.
    pub enact: bool,
    /// What became of it at once, where there is no plan.
    pub outcome: Option<CycleOutcome>,
    /// Why, in a sentence: whose plan, or what each said who was asked.
    pub said: String,
}

impl Page {
    /// As it is stored.
    pub(super) fn bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("a page has text for keys, and numbers that JSON knows")
    }
}

impl Decision {
    /// What receipts state of it: SHA-256 of its JSON.
    pub(crate) fn digest(&self) -> [u8; 32] {
        digest(&serde_json::to_vec(self).expect("a decision has text for keys, and numbers that JSON knows"))
    }
}

pub(crate) fn digest(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

/// [`digest`] in hexadecimal digits.
pub(crate) fn digest_text(bytes: &[u8]) -> String {
    hex(&digest(bytes))
}
