//! A change on its way through the rules, with what they look at.

use std::cell::OnceCell;
use std::sync::Arc;

use knhk_ontology::Compiled;
use serde_json::json;

use super::expression::{Expression, Scope};
use super::limits::CHANGES_SHOWN;
use super::rule::Rule;
use super::touched::{Touched, json_of, touched};
use crate::approval::Approved;
use crate::{Candidate, Need};

/// What a change is judged by, beside itself.
#[derive(Clone, Copy)]
pub struct Facts<'a> {
    /// The change.
    pub candidate: &'a Candidate,
    /// The groups that a person is in now.
    pub groups_of: &'a (dyn Fn(&str) -> Vec<String> + Sync),
    /// The approvals of it that count, in the order of their recording.
    pub approvals: &'a [Approved],
    /// Now, in nanoseconds since 1970 (UTC): when it would take effect, unless it says otherwise.
    pub now_ns: u64,
    /// How many changes of the sector took effect within the hour before.
    pub changes_last_hour: u64,
    /// The program's functions, for rules that call one.
    pub callbacks: &'a Callbacks<'a>,
}

/// The program's functions by name: none where there is no such function; else whether the rule is kept, and if not, why. It may be called
/// from any thread.
pub type Callbacks<'a> = dyn Fn(&str, &Rule, &Candidate) -> Option<Result<(), String>> + Sync + 'a;

/// What a condition may ask about.
///
/// `by` and `groups` are who proposes, `why` their reason, `confidence` theirs or null, `major` whether a break was declared. `changes` is
/// what changes, path by path: `{path, kind, old, new}`, where `kind` is `added`, `removed` or `changed`, and `old` and `new` are the values of
/// programs, null where there is none, bytes in hexadecimal. `before` and `after` map the paths that the condition writes out to their values,
/// where they have one. `statements` counts statements removed and added, `changes_last_hour` earlier changes. `approvals` are `{by, groups}`.
/// `effective_seconds` is when it takes effect, since 1970.
pub const VARIABLES: [&str; 13] = [
    "after",
    "approvals",
    "before",
    "by",
    "changes",
    "changes_last_hour",
    "confidence",
    "effective_seconds",
    "groups",
    "major",
    "sector",
    "statements",
    "why",
];

/// One thing that breaks a rule: with a need where it can still come.
#[derive(Debug)]
pub(super) struct Breach {
    pub what: String,
    pub fix: String,
    pub need: Option<Need>,
}

impl Breach {
    pub(super) fn of(what: impl Into<String>, fix: impl Into<String>) -> Breach {
        Breach { what: what.into(), fix: fix.into(), need: None }
    }
}

/// A change on its way through the rules.
pub(super) struct Case<'a> {
    pub facts: &'a Facts<'a>,
    pub touched: Vec<Touched<'a>>,
    /// Whether the change is also about what is no name of the sector.
    pub beyond: bool,
    proposer_groups: OnceCell<Vec<String>>,
    scope: OnceCell<Scope<'static>>,
}

impl<'a> Case<'a> {
    pub(super) fn of(facts: &'a Facts<'a>) -> Case<'a> {
        let (touched, beyond) = touched(facts.candidate);
        Case { facts, touched, beyond, proposer_groups: OnceCell::new(), scope: OnceCell::new() }
    }

    /// The groups that who proposes is in.
    pub(super) fn proposer_groups(&self) -> &[String] {
        self.proposer_groups.get_or_init(|| (self.facts.groups_of)(&self.facts.candidate.by))
    }

    /// When it would take effect.
    pub(super) fn effective_ns(&self) -> u64 {
        self.facts.candidate.effective_ns.unwrap_or(self.facts.now_ns)
    }

    /// What every condition may ask about: made when the first one asks.
    pub(super) fn scope(&self) -> &Scope<'static> {
        self.scope.get_or_init(|| self.variables())
    }

    /// What a condition may ask about beside that: the values at the paths that it writes out itself, so that its answer is its own,
    /// whatever other rules there are.
    pub(super) fn values(&self, expression: &Expression) -> serde_json::Value {
        let of = |compiled: &Option<Arc<Compiled>>| -> serde_json::Map<String, serde_json::Value> {
            let artifact = compiled.as_ref().map(|compiled| &compiled.artifact);
            let value = |path| artifact.and_then(|artifact| artifact.value(artifact.find(path)?));
            expression.literals().filter_map(|path| Some((path.to_owned(), json_of(&value(path)?)))).collect()
        };
        json!({"after": of(&self.facts.candidate.compiled), "before": of(&self.facts.candidate.current)})
    }

    fn variables(&self) -> Scope<'static> {
        let Facts { candidate, approvals, changes_last_hour, .. } = self.facts;
        let change = |touched: &Touched<'_>| {
            let (old, new) = (touched.before(candidate), touched.after(candidate));
            let kind = match (&old, &new) {
                (None, Some(_)) => "added",
                (Some(_), None) => "removed",
                _ => "changed",
            };
            let told = |value: Option<_>| value.as_ref().map_or(serde_json::Value::Null, json_of);
            json!({"path": touched.path, "kind": kind, "old": told(old), "new": told(new)})
        };
        let changes: Vec<_> = self.touched.iter().take(CHANGES_SHOWN).map(change).collect();
        let approval = |approved: &Approved| json!({"by": approved.by, "groups": approved.groups});
        Scope::new(&json!({
            "approvals": approvals.iter().map(approval).collect::<Vec<_>>(),
            "by": candidate.by,
            "changes": changes,
            "changes_last_hour": changes_last_hour,
            "confidence": candidate.confidence,
            "effective_seconds": self.effective_ns() / 1_000_000_000,
            "groups": self.proposer_groups(),
            "major": candidate.major,
            "sector": candidate.sector,
            "statements": candidate.delta.len(),
            "why": candidate.why,
        }))
    }
}
