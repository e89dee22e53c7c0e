//! The pipeline in order: what becomes current, what is refused, and that a refusal changes nothing.

use crate::support::{cells, document, origin, promote, promoted, sector, state};
use knhk_promotion::{Guard, NoJournal, Promotion, PromotionError, Ready};

#[test]
fn a_promotion_is_current_when_it_returns() {
    let (hot, orders) = (cells(), sector("orders", 3, 8));
    let preparing = orders.prepare(&hot, &NoJournal, document(r#"{"max_qty": 1000}"#));
    let (ready, verified) = preparing.with_origin(origin("ops-2"), 17).verify().unwrap();
    assert_eq!(ready.differences().len(), 1);
    let promoted = ready.promote(Guard::new(verified)).unwrap();

    let version = promoted.version();
    assert_eq!((version.number, version.epoch, version.rollback_of), (1, hot.epoch(), None));
    assert_eq!(version.origin.by, "ops-2");
    let state = orders.lock().unwrap();
    assert_eq!(state.current().unwrap().snapshot_id, version.snapshot.id());
    let reader = hot.register(Default::default()).unwrap();
    assert_eq!(reader.view().snapshot_id(3), version.snapshot_id);
    assert_eq!(reader.view().sector_epoch(3), version.epoch);
}

#[test]
fn each_phase_is_recorded() {
    let (hot, orders) = (cells(), sector("orders", 0, 8));
    let preparing = orders.prepare(&hot, &NoJournal, document(r#"{"max_qty": 1000}"#));
    let (ready, verified) = preparing.with_origin(origin(""), 17).verify().unwrap();
    let promoted = ready.promote(Guard::new(verified)).unwrap();
    let phases = promoted.version().phases;
    assert_eq!(phases.parse_ns, 17);
    assert!(phases.verify_ns > 0 && phases.compile_ns > 0 && phases.swap_ns > 0, "{phases:?}");
    let sum = 17 + phases.verify_ns + phases.compile_ns + phases.journal_ns + phases.swap_ns;
    assert_eq!(phases.total_ns(), sum);
}

#[test]
fn what_is_ready_and_dropped_changes_nothing() {
    let (hot, orders) = (cells(), sector("orders", 0, 8));
    promoted(&orders, &hot, r#"{"max_qty": 1000}"#);
    let before = state(&orders, &hot);
    let (ready, verified) = orders.prepare(&hot, &NoJournal, document(r#"{"max_qty": 2000}"#)).verify().unwrap();
    drop((ready, verified));
    assert_eq!(state(&orders, &hot), before);
    assert_eq!(promoted(&orders, &hot, r#"{"max_qty": 3000}"#), 2, "no number is lost");
}

#[test]
fn a_guard_of_another_sector_is_refused() {
    let hot = cells();
    let (orders, quotes) = (sector("orders", 0, 8), sector("quotes", 1, 8));
    let (orders_ready, for_orders) = orders.prepare(&hot, &NoJournal, document(r#"{"a": 1}"#)).verify().unwrap();
    let (quotes_ready, for_quotes) = quotes.prepare(&hot, &NoJournal, document(r#"{"a": 1}"#)).verify().unwrap();
    let refused = orders_ready.promote(Guard::new(for_quotes)).err().unwrap();
    assert!(matches!(&refused, PromotionError::ForeignGuard { sector } if sector == "orders"), "{refused}");
    let refused = quotes_ready.promote(Guard::new(for_orders)).err().unwrap();
    assert!(matches!(&refused, PromotionError::ForeignGuard { sector } if sector == "quotes"), "{refused}");
    assert_eq!(hot.epoch(), 0);
}

#[test]
fn a_guard_of_another_document_is_refused() {
    let (hot, orders) = (cells(), sector("orders", 0, 8));
    let (harmless, verified) = orders.prepare(&hot, &NoJournal, document(r#"{"a": 1}"#)).verify().unwrap();
    drop(harmless);
    let (ready, _) = orders.prepare(&hot, &NoJournal, document(r#"{"a": 1000000}"#)).verify().unwrap();
    let refused = ready.promote(Guard::new(verified)).err().unwrap();
    assert!(matches!(refused, PromotionError::ForeignGuard { .. }), "{refused}");
    assert_eq!(state(&orders, &hot), (0, vec![], None));
}

#[test]
fn a_guard_of_an_earlier_verification_of_the_same_document_is_refused() {
    let (hot, orders) = (cells(), sector("orders", 0, 8));
    let verify = || orders.prepare(&hot, &NoJournal, document(r#"{"a": 1}"#)).verify().unwrap();
    let (dropped, kept) = verify();
    drop(dropped);
    let (ready, _) = verify();
    assert!(matches!(ready.promote(Guard::new(kept)), Err(PromotionError::ForeignGuard { .. })));
}

#[test]
fn a_guard_of_another_engine_is_refused() {
    let (hot, other_hot) = (cells(), cells());
    let (orders, other) = (sector("orders", 0, 8), sector("orders", 0, 8));
    let (ready, _) = orders.prepare(&hot, &NoJournal, document(r#"{"a": 1}"#)).verify().unwrap();
    let (_, foreign) = other.prepare(&other_hot, &NoJournal, document(r#"{"a": 1}"#)).verify().unwrap();
    assert!(matches!(ready.promote(Guard::new(foreign)), Err(PromotionError::ForeignGuard { .. })));
}

#[test]
fn a_guard_kept_from_an_earlier_version_is_refused() {
    let (hot, orders) = (cells(), sector("orders", 0, 8));
    let (ready, kept) = orders.prepare(&hot, &NoJournal, document(r#"{"a": 1}"#)).verify().unwrap();
    drop(ready);
    promoted(&orders, &hot, r#"{"a": 2}"#);
    let (ready, _) = orders.prepare(&hot, &NoJournal, document(r#"{"a": 1}"#)).verify().unwrap();
    assert!(matches!(ready.promote(Guard::new(kept)), Err(PromotionError::ForeignGuard { .. })));
}

#[test]
fn any_retained_version_comes_back() {
    let (hot, orders) = (cells(), sector("orders", 0, 4));
    let json = |n: u64| format!(r#"{{"max_qty": {n}}}"#);
    for n in 1..=6 {
        promoted(&orders, &hot, &json(n));
    }
    for (rolled_back, number) in [(3, 7), (5, 8), (7, 9)] {
        let (ready, verified) =
            Promotion::<Ready>::back_to(&orders, &hot, &NoJournal, rolled_back, origin("ops-2")).unwrap();
        let back = ready.promote(Guard::new(verified)).unwrap();
        assert_eq!((back.version().number, back.version().rollback_of), (number, Some(rolled_back)));
    }
    // 7 brought back 3, so that 9 is 3 too.
    let current = orders.lock().unwrap().current().unwrap().clone();
    assert_eq!(current.document(), &document(&json(3)));
    assert_eq!(state(&orders, &hot).1, [6, 7, 8, 9]);
}

#[test]
fn a_version_that_is_not_retained_is_named() {
    let (hot, orders) = (cells(), sector("orders", 0, 2));
    let back = |number| Promotion::<Ready>::back_to(&orders, &hot, &NoJournal, number, origin("")).err().unwrap();
    assert_eq!(back(1).to_string(), "sector orders retains no version 1; it has none yet");
    for n in 1..=4 {
        promoted(&orders, &hot, &format!(r#"{{"a": {n}}}"#));
    }
    assert_eq!(back(2).to_string(), "sector orders retains no version 2; it has 3 to 4");
    assert_eq!(state(&orders, &hot).1, [3, 4]);
}

#[test]
fn a_refused_document_changes_nothing() {
    let (hot, orders) = (cells(), sector("orders", 0, 8));
    promoted(&orders, &hot, r#"{"max_qty": 1000}"#);
    {
        let mut state = orders.lock().unwrap();
        let slot = state.keys.get("max_qty").expect("it was promoted");
        state.keys.mark_interned(slot, knhk_ontology::ValueType::I64);
    }
    let before = state(&orders, &hot);
    let refused = promote(&orders, &hot, &NoJournal, r#"{"max_qty": "many"}"#).err().unwrap();
    assert!(matches!(&refused, PromotionError::Incompatible(broken) if broken.len() == 1), "{refused}");
    assert_eq!(state(&orders, &hot), before);

    let major = knhk_promotion::Origin { major: true, ..origin("ops-2") };
    let preparing = orders.prepare(&hot, &NoJournal, document(r#"{"max_qty": "many"}"#)).with_origin(major, 0);
    let (ready, verified) = preparing.verify().unwrap();
    assert_eq!(ready.promote(Guard::new(verified)).unwrap().version().number, 2);
}
