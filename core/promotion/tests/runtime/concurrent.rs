//! Promotions of one sector from many threads: serialised, and each told its own outcome.

use std::sync::Barrier;

use crate::support::{cells, document, origin, promote, sector};
use knhk_promotion::{Guard, NoJournal, Promotion, PromotionError, Ready};

const THREADS: u64 = 8;
const EACH: u64 = 40;

#[test]
fn every_thread_is_told_its_own_version() {
    let (hot, orders) = (cells(), sector("orders", 0, (THREADS * EACH) as usize));
    let start = Barrier::new(THREADS as usize);
    let mut told: Vec<(u64, u64)> = std::thread::scope(|scope| {
        let promoter = |thread| {
            let (hot, orders, start) = (&hot, &orders, &start);
            move || {
                start.wait();
                let value = move |n| thread * EACH + n;
                let promote = |n| {
                    let promoted = promote(orders, hot, &NoJournal, &format!(r#"{{"a": {}}}"#, value(n))).unwrap();
                    (promoted.version().number, value(n))
                };
                (0..EACH).map(promote).collect::<Vec<_>>()
            }
        };
        let threads: Vec<_> = (0..THREADS).map(|thread| scope.spawn(promoter(thread))).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });

    told.sort_unstable();
    let numbers: Vec<u64> = told.iter().map(|(number, _)| *number).collect();
    assert_eq!(numbers, (1..=THREADS * EACH).collect::<Vec<_>>(), "dense, and none given twice");
    let state = orders.lock().unwrap();
    let mut epoch = 0;
    for (number, value) in told {
        let version = state.version(number).expect("the history is as long as there were promotions");
        assert_eq!(version.document(), &document(&format!(r#"{{"a": {value}}}"#)));
        assert!(version.epoch > epoch, "generations follow versions");
        epoch = version.epoch;
    }
    assert_eq!(epoch, hot.epoch());
}

#[test]
fn a_rollback_races_promotions_and_both_are_told() {
    let (hot, orders) = (cells(), sector("orders", 0, 1000));
    promote(&orders, &hot, &NoJournal, r#"{"a": 0}"#).unwrap();
    let start = Barrier::new(2);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            start.wait();
            for n in 1..=100 {
                promote(&orders, &hot, &NoJournal, &format!(r#"{{"a": {n}}}"#)).unwrap();
            }
        });
        start.wait();
        for _ in 0..100 {
            let (ready, verified) = Promotion::<Ready>::back_to(&orders, &hot, &NoJournal, 1, origin("ops-2")).unwrap();
            let back = ready.promote(Guard::new(verified)).unwrap();
            assert_eq!(back.version().rollback_of, Some(1));
        }
    });
    let state = orders.lock().unwrap();
    assert_eq!(state.versions.iter().map(|version| version.number).collect::<Vec<_>>(), (1..=201).collect::<Vec<_>>());
    assert_eq!(state.versions.iter().filter(|version| version.rollback_of == Some(1)).count(), 100);
}

#[test]
fn a_failure_on_one_thread_is_told_to_that_thread_alone() {
    let (hot, orders) = (cells(), sector("orders", 0, 100));
    promote(&orders, &hot, &NoJournal, r#"{"a": 0}"#).unwrap();
    {
        let mut state = orders.lock().unwrap();
        let slot = state.keys.get("a").expect("it was promoted");
        state.keys.mark_interned(slot, knhk_ontology::ValueType::I64);
    }
    let start = Barrier::new(2);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            start.wait();
            for _ in 0..50 {
                let refused = promote(&orders, &hot, &NoJournal, r#"{"a": "text"}"#).err().unwrap();
                assert!(matches!(refused, PromotionError::Incompatible(_)), "{refused}");
            }
        });
        start.wait();
        for n in 1..=50 {
            let promoted = promote(&orders, &hot, &NoJournal, &format!(r#"{{"a": {n}}}"#)).unwrap();
            assert_eq!(promoted.version().number, n + 1);
        }
    });
}
