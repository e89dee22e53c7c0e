//! A rule's history: revisions, which are only ever added, and what follows from them about any moment, as it was known at any other.
//!
//! Two times matter. *Valid time* is when a rule holds: from `from_ns` until `until_ns`. *Decision time* is when that was recorded. A revision takes
//! over from the ones before it from its own `from_ns` on: what is decided today to hold from next month leaves the rule as it is until
//! then, and a revision that ends does not let an older one come back. So the rule at T2, as known at T1, is the revision with the greatest
//! number among those decided by T1 whose `from_ns` is not after T2; it holds where it does not remove the rule and has not ended. Removing
//! is a revision, too. Decisions are in the order of their numbers, whatever the clock said.

use knhk_store::{Rule as Record, Store};
use serde::{Deserialize, Serialize};

use super::rule::Rule;
use super::{RuleError, form};

/// A revision of a rule: what was decided, when, by whom, and why.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RuleRevision {
    /// The rule; of a revision that removes it, what is removed, with `from_ns` from when on.
    pub rule: Rule,
    /// Its number, from 1, without gaps.
    pub revision: u64,
    /// When it was decided, in nanoseconds since 1970 (UTC); not before the revision before it.
    pub decided_ns: u64,
    /// Whether it removes the rule.
    pub removed: bool,
    /// Who decided.
    pub by: String,
    /// Why.
    pub why: String,
}

/// What is stored of a revision beside the columns of its record.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    by: String,
    decided_ns: u64,
    rule: Rule,
    why: String,
}

impl RuleRevision {
    /// The revision's record for the store, whose receipt is the engine's to fill in.
    pub fn to_store(&self) -> Record {
        let body =
            Body { by: self.by.clone(), decided_ns: self.decided_ns, rule: self.rule.clone(), why: self.why.clone() };
        Record {
            id: self.rule.name(),
            revision: self.revision,
            sector: self.rule.sector.clone(),
            from_ns: self.rule.from_ns,
            until_ns: self.rule.until_ns,
            removed: self.removed,
            body: form::canonical(&body),
            receipt: None,
        }
    }

    /// SHA-256 of the revision as it is stored, which its receipt names.
    pub fn hash(&self) -> [u8; 32] {
        form::sha256(self.to_store().body.as_bytes())
    }

    /// Reads it back.
    ///
    /// # Errors
    /// [`RuleError::Stored`] where the body is no rule, or another one than the record says.
    pub fn from_store(record: &Record) -> Result<RuleRevision, RuleError> {
        let damaged = |why: String| RuleError::Stored { rule: record.id.clone(), revision: record.revision, why };
        let body: Body = serde_json::from_str(&record.body).map_err(|error| damaged(error.to_string()))?;
        let Body { by, decided_ns, rule, why } = body;
        let revision = RuleRevision { rule, revision: record.revision, decided_ns, removed: record.removed, by, why };
        let again = Record { receipt: record.receipt, ..revision.to_store() };
        if again != *record {
            return Err(damaged("its columns and its body say different things".to_owned()));
        }
        Ok(revision)
    }
}

/// Every revision in a store, by name and number.
///
/// # Errors
/// The store's; [`RuleError::Stored`]: what cannot be read is not left out, because a rule that is not there is not kept.
pub fn load(store: &dyn Store) -> Result<Vec<RuleRevision>, RuleError> {
    let mut revisions = Vec::new();
    for newest in store.rules()? {
        for record in store.rule_history(&newest.id)? {
            revisions.push(RuleRevision::from_store(&record)?);
        }
    }
    Ok(revisions)
}

/// The revisions of one rule over valid time, as known at a moment: a piece each, in order, from its `from_ns` to the next one's.
#[derive(Clone, Debug)]
pub(super) struct Timeline<'r> {
    pieces: Vec<&'r RuleRevision>,
}

impl<'r> Timeline<'r> {
    /// Each rule's, by name, as known at `decided_ns`.
    pub(super) fn all(revisions: &'r [RuleRevision], decided_ns: u64) -> Vec<(String, Timeline<'r>)> {
        let mut known: Vec<(String, &RuleRevision)> = revisions
            .iter()
            .filter(|revision| revision.decided_ns <= decided_ns)
            .map(|revision| (revision.rule.name(), revision))
            .collect();
        known.sort_by(|left, right| (&left.0, left.1.revision).cmp(&(&right.0, right.1.revision)));
        let rules = known.chunk_by(|left, right| left.0 == right.0);
        rules.map(|rule| (rule[0].0.clone(), Timeline::of(rule.iter().map(|(_, revision)| *revision)))).collect()
    }

    /// Of revisions in the order of their numbers.
    fn of(revisions: impl Iterator<Item = &'r RuleRevision>) -> Timeline<'r> {
        let mut pieces: Vec<&RuleRevision> = Vec::new();
        for revision in revisions {
            while pieces.last().is_some_and(|last| last.rule.from_ns >= revision.rule.from_ns) {
                pieces.pop();
            }
            pieces.push(revision);
        }
        Timeline { pieces }
    }

    /// The times over which a revision holds: from, and until when.
    pub(super) fn holding(&self) -> impl Iterator<Item = (u64, Option<u64>, &'r RuleRevision)> + '_ {
        let next = |at: usize| self.pieces.get(at + 1).map(|next| next.rule.from_ns);
        self.pieces.iter().enumerate().filter(|(_, piece)| !piece.removed).map(move |(at, piece)| {
            let until = [piece.rule.until_ns, next(at)].into_iter().flatten().min();
            (piece.rule.from_ns, until, *piece)
        })
    }

    /// The revision that holds at a moment.
    pub(super) fn at(&self, valid_ns: u64) -> Option<&'r RuleRevision> {
        let holds =
            |(from, until, _): &(u64, Option<u64>, _)| *from <= valid_ns && until.is_none_or(|until| valid_ns < until);
        self.holding().find(holds).map(|(_, _, revision)| revision)
    }

    /// The first moment after `valid_ns` at which another revision holds, or none does any more.
    pub(super) fn changes_after(&self, valid_ns: u64) -> Option<u64> {
        let ends = self.holding().flat_map(|(from, until, _)| [Some(from), until]).flatten();
        ends.filter(|&time| time > valid_ns).min()
    }

    fn starts_ns(&self) -> u64 {
        self.pieces.first().map_or(u64::MAX, |piece| piece.rule.from_ns)
    }
}

/// The rules that hold at `valid_ns`, as known at `decided_ns`, by name.
pub fn rules_at(revisions: &[RuleRevision], valid_ns: u64, decided_ns: u64) -> Vec<&RuleRevision> {
    Timeline::all(revisions, decided_ns).iter().filter_map(|(_, timeline)| timeline.at(valid_ns)).collect()
}

/// The revisions of one rule, oldest first.
fn of_rule<'r>(revisions: &'r [RuleRevision], name: &str) -> Vec<&'r RuleRevision> {
    let mut own: Vec<_> = revisions.iter().filter(|revision| revision.rule.name() == name).collect();
    own.sort_by_key(|revision| revision.revision);
    own
}

/// The next revision of a rule: what was decided now. Where the clock went back, the time of the decision before it stands.
pub fn revise(revisions: &[RuleRevision], rule: Rule, removed: bool, now_ns: u64, by: &str, why: &str) -> RuleRevision {
    let own = of_rule(revisions, &rule.name());
    let last = own.last();
    RuleRevision {
        rule,
        revision: last.map_or(1, |last| last.revision + 1),
        decided_ns: last.map_or(now_ns, |last| last.decided_ns.max(now_ns)),
        removed,
        by: by.to_owned(),
        why: why.to_owned(),
    }
}

/// The revision that removes a rule from `now_ns` on; none where there is none to remove, now or later.
pub fn remove(revisions: &[RuleRevision], name: &str, now_ns: u64, by: &str, why: &str) -> Option<RuleRevision> {
    let timeline = Timeline::of(of_rule(revisions, name).into_iter());
    let (from, _, holds) = timeline.holding().find(|(_, until, _)| until.is_none_or(|until| now_ns < until))?;
    let rule = Rule { from_ns: from.max(now_ns), until_ns: None, ..holds.rule.clone() };
    Some(revise(revisions, rule, true, now_ns, by, why))
}

/// The revisions that clean up: one for each rule that ended by `now_ns` and of which nothing is to come. It removes what holds no more, so
/// that who lists the newest revisions sees that it is gone; what held when stays known.
pub fn expired(revisions: &[RuleRevision], now_ns: u64) -> Vec<RuleRevision> {
    let rules = Timeline::all(revisions, u64::MAX);
    let ended = rules.iter().filter_map(|(_, timeline)| {
        let last = timeline.pieces.last().filter(|last| !last.removed)?;
        let until = last.rule.until_ns.filter(|&until| until <= now_ns)?;
        let rule = Rule { from_ns: until, until_ns: None, ..last.rule.clone() };
        Some(revise(revisions, rule, true, now_ns, "doctrine", &format!("it ended at {}", form::spoken(until))))
    });
    ended.collect()
}

/// The revisions that take the doctrine back to what was known at `decided_ns`: with the bodies of then, numbered on. About any moment it is
/// afterwards known what was known then; that it was otherwise in between stays known, too. Empty where nothing was decided since.
pub fn rollback(revisions: &[RuleRevision], decided_ns: u64, now_ns: u64, by: &str, why: &str) -> Vec<RuleRevision> {
    let mut back = Vec::new();
    let then = Timeline::all(revisions, decided_ns);
    for (name, now) in Timeline::all(revisions, u64::MAX) {
        let own = of_rule(revisions, &name);
        if own.iter().all(|revision| revision.decided_ns <= decided_ns) {
            continue;
        }
        let earlier = then.iter().find(|(other, _)| *other == name).map(|(_, timeline)| timeline);
        let mut number = own.last().map_or(0, |last| last.revision);
        let decided_ns = own.last().map_or(now_ns, |last| last.decided_ns.max(now_ns));
        let mut add = |rule: Rule, removed: bool| {
            number += 1;
            let (by, why) = (by.to_owned(), why.to_owned());
            back.push(RuleRevision { rule, revision: number, decided_ns, removed, by, why });
        };
        // What was said since about times before those that were spoken of then.
        let starts = earlier.map_or(u64::MAX, Timeline::starts_ns);
        if let Some(first) = now.pieces.first().filter(|first| first.rule.from_ns < starts) {
            add(Rule { until_ns: None, ..first.rule.clone() }, true);
        }
        for piece in earlier.into_iter().flat_map(|timeline| &timeline.pieces) {
            add(piece.rule.clone(), piece.removed);
        }
    }
    back
}
