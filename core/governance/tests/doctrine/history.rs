//! Two times: what held when, as it was known when; and the way back.

use knhk_governance::doctrine::{self, Doctrine, Rule, RuleRevision, expired, rollback, rules_at};
use knhk_store::{Batch, MemoryStore, Store, Write};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use super::support::rule;

fn limit(id: &str, max: u64, from_ns: u64, until_ns: Option<u64>) -> Rule {
    let rest = format!("paths = [\"a\"]\n[rule.resource_limit]\nof = \"value\"\nmax = {max}");
    Rule { from_ns, until_ns, ..rule(id, "hard_mandatory", &rest) }
}

/// The bodies that hold, by name.
fn held(revisions: &[RuleRevision], valid_ns: u64, decided_ns: u64) -> Vec<String> {
    rules_at(revisions, valid_ns, decided_ns).into_iter().map(|revision| revision.rule.to_json()).collect()
}

#[test]
fn what_is_decided_for_later_leaves_the_rule_as_it_is_until_then() {
    let mut all = Vec::new();
    let mut decide = |rule: Rule, removed: bool, now: u64| {
        let revision = doctrine::revise(&all, rule, removed, now, "a", "b");
        all.push(revision);
    };
    decide(limit("r", 1, 10, None), false, 5);
    decide(limit("r", 2, 100, Some(200)), false, 50);
    // As known at 50: the first until 100, the second until it ends, then none.
    let max = |valid, decided| match rules_at(&all, valid, decided).as_slice() {
        [] => None,
        [one] => one.rule.to_json().split("\"max\":").nth(1)?.chars().next()?.to_digit(10),
        _ => panic!("one rule"),
    };
    for (valid, decided, is) in [
        (9, 60, None),
        (10, 60, Some(1)),
        (99, 60, Some(1)),
        (100, 60, Some(2)),
        (199, 60, Some(2)),
        (200, 60, None),
        // As known before the second, and before the first.
        (150, 49, Some(1)),
        (150, 4, None),
    ] {
        assert_eq!(max(valid, decided), is, "{valid} as known at {decided}");
    }
    assert_eq!(Doctrine::at(&all, 20, 60).holds_until(), Some(100));
    assert_eq!(Doctrine::at(&all, 250, 60).holds_until(), None);
}

#[test]
fn a_rule_that_ended_is_cleaned_up_once_and_stays_known() {
    let mut all = vec![doctrine::revise(&[], limit("r", 1, 10, Some(100)), false, 5, "a", "b")];
    assert!(expired(&all, 99).is_empty());
    let cleaned = expired(&all, 150);
    assert_eq!((cleaned.len(), cleaned[0].removed, cleaned[0].revision), (1, true, 2));
    all.extend(cleaned);
    assert!(expired(&all, 200).is_empty());
    assert_eq!((rules_at(&all, 50, 300).len(), rules_at(&all, 150, 300).len()), (1, 0));
}

#[test]
fn a_rule_is_removed_from_now_on_and_can_come_back() {
    let mut all = vec![doctrine::revise(&[], limit("r", 1, 10, None), false, 5, "a", "b")];
    assert_eq!(doctrine::remove(&all, "orders/other", 50, "a", "b"), None);
    let gone = doctrine::remove(&all, "orders/r", 50, "a", "not needed").unwrap();
    all.push(gone);
    assert_eq!(doctrine::remove(&all, "orders/r", 60, "a", "b"), None, "it is gone already");
    assert_eq!((rules_at(&all, 49, 60).len(), rules_at(&all, 50, 60).len(), rules_at(&all, 70, 49).len()), (1, 0, 1));
    let back = doctrine::revise(&all, limit("r", 3, 80, None), false, 70, "a", "b");
    all.push(back);
    assert_eq!((rules_at(&all, 79, 90).len(), rules_at(&all, 80, 90).len()), (0, 1));
}

#[test]
fn a_clock_that_goes_back_does_not_reorder_decisions() {
    let first = doctrine::revise(&[], limit("r", 1, 0, None), false, 100, "a", "b");
    let second = doctrine::revise(std::slice::from_ref(&first), limit("r", 2, 0, None), false, 40, "a", "b");
    assert_eq!((second.revision, second.decided_ns), (2, 100));
}

#[test]
fn revisions_are_kept_in_a_store_and_read_back_whole() {
    let store = MemoryStore::new();
    let mut all = vec![doctrine::revise(&[], limit("r", 1, 10, None), false, 5, "a", "b")];
    all.push(doctrine::revise(&all, limit("r", 2, 10, Some(99)), false, 6, "a", "c"));
    all.push(doctrine::remove(&all, "orders/r", 20, "a", "d").unwrap());
    let mut batch = Batch::new();
    for revision in &all {
        batch.push(Write::Rule(revision.to_store()));
    }
    store.commit(batch).unwrap();
    assert_eq!(doctrine::load(&store).unwrap(), all);
    // What says one thing in its columns and another in its body is not taken for a rule.
    let mut damaged = all[0].to_store();
    damaged.until_ns = Some(12);
    let error = RuleRevision::from_store(&damaged).unwrap_err();
    assert_eq!(
        error.to_string(),
        "revision 1 of rule orders/r in the store is damaged: its columns and its body say different things"
    );
}

/// Decisions: which rule, whether it is removed, from when, until when.
fn histories() -> impl Strategy<Value = Vec<(u8, bool, u64, Option<u64>)>> {
    vec((0..3_u8, proptest::bool::weighted(0.25), 0..20_u64, option::of(1..10_u64)), 0..12)
}

fn history(decisions: &[(u8, bool, u64, Option<u64>)]) -> Vec<RuleRevision> {
    let mut all: Vec<RuleRevision> = Vec::new();
    for (at, &(which, removed, from_ns, lasts)) in decisions.iter().enumerate() {
        let rule = limit(&format!("r{which}"), at as u64, from_ns, lasts.map(|lasts| from_ns + lasts));
        let revision = doctrine::revise(&all, rule, removed, 10 * at as u64, "a", "b");
        all.push(revision);
    }
    all
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    /// The definition, written the other way round: of those decided and begun, the greatest number counts.
    #[test]
    fn the_rule_at_a_moment_is_the_newest_one_known_that_has_begun(decisions in histories(), decided in 0..130_u64) {
        let all = history(&decisions);
        for valid in 0..32 {
            let mut expected = Vec::new();
            for which in 0..3 {
                let name = format!("orders/r{which}");
                let begun = all.iter().filter(|one| one.rule.name() == name && one.decided_ns <= decided && one.rule.from_ns <= valid);
                let newest = begun.max_by_key(|one| one.revision);
                expected.extend(newest.filter(|one| !one.removed && one.rule.is_valid_at(valid)).map(|one| one.rule.to_json()));
            }
            prop_assert_eq!(held(&all, valid, decided), expected, "at {} as known at {}", valid, decided);
        }
    }

    /// What was known does not change by what is decided later, and after a rollback it is known again about every moment.
    #[test]
    fn a_rollback_leads_back_and_hides_nothing(decisions in histories(), to in 0..130_u64) {
        let before = history(&decisions);
        let mut all = before.clone();
        all.extend(rollback(&before, to, 1000, "a", "c"));
        for valid in 0..32 {
            prop_assert_eq!(held(&all, valid, 1000), held(&before, valid, to), "at {}", valid);
            let hash = |revisions: &[RuleRevision], decided| Doctrine::at(revisions, valid, decided).hash();
            prop_assert_eq!(hash(&all, 1000), hash(&before, to));
            prop_assert_eq!(held(&all, valid, 999), held(&before, valid, 999), "at {} before the rollback", valid);
        }
        // Numbers go on without gaps, as the store asks for.
        for which in 0..3 {
            let name = format!("orders/r{which}");
            let numbers: Vec<u64> = all.iter().filter(|one| one.rule.name() == name).map(|one| one.revision).collect();
            prop_assert_eq!(&numbers, &(1..=numbers.len() as u64).collect::<Vec<_>>());
        }
        prop_assert!(rollback(&all, 1000, 2000, "a", "d").is_empty(), "nothing was decided since");
    }
}
