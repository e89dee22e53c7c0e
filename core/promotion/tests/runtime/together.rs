//! Several sectors at once: all of it or nothing, in one generation, and never a mix.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread;
use std::time::Duration;

use crate::journal::{Fault, Faulty, Recording};
use crate::support::{cells, document, origin, promoted, sector, state};
use knhk_hot::Hot;
use knhk_hot::layout::Key;
use knhk_ontology::{KeyTable, ValueType};
use knhk_promotion::{
    Guard, Journal, Locked, NoJournal, Part, PromotionError, Sector, SectorKind, Step, Together, Version,
};

const MINUTE: Duration = Duration::from_secs(60);

fn sectors(count: usize) -> Vec<Sector> {
    (0..count).map(|number| sector(&format!("s{number}"), number, 8)).collect()
}

fn part<'s>(sector: &'s Sector, json: &str) -> Part<'s> {
    Part { sector, step: Step::Content(document(json).into()), origin: origin("ops-2") }
}

fn back(sector: &Sector, number: u64) -> Part<'_> {
    let version = sector.lock().unwrap().version(number).unwrap().clone();
    Part { sector, step: Step::Back(version), origin: origin("ops-3") }
}

fn newest(sector: &Sector) -> u64 {
    sector.lock().unwrap().next_number() - 1
}

fn together<'s>(
    hot: &'s Hot,
    journal: &'s dyn Journal,
    parts: Vec<Part<'s>>,
) -> Result<Vec<Arc<Version>>, PromotionError> {
    let (ready, verified) = Together::prepare(hot, journal, parts, MINUTE)?;
    ready.promote(verified.into_iter().map(Guard::new).collect())
}

fn states(sectors: &[Sector], hot: &Hot) -> Vec<(u64, Vec<u64>, Option<String>)> {
    sectors.iter().map(|sector| state(sector, hot)).collect()
}

#[test]
fn all_become_current_in_one_generation_under_one_record() {
    let (hot, sectors, journal) = (cells(), sectors(3), Recording::default());
    promoted(&sectors[1], &hot, r#"{"n": 0}"#);
    let parts = [2, 0, 1].map(|at| part(&sectors[at], &format!(r#"{{"n": {at}}}"#)));
    let versions = together(&hot, &journal, parts.into()).unwrap();
    assert_eq!(versions.iter().map(|version| version.number).collect::<Vec<_>>(), [1, 2, 1]);
    assert!(versions.iter().all(|version| version.epoch == hot.epoch() && version.time_ns == versions[0].time_ns));
    assert_eq!(hot.epoch(), 2, "one swap");
    let calls = journal.0.into_inner().unwrap();
    assert_eq!(calls[0], "s0 1 with 1 keys, s1 2 with 1 keys, s2 1 with 1 keys", "in the order of their numbers");
    assert_eq!(calls[1..], ["current 1 with receipt 1", "current 2 with receipt 2", "current 1 with receipt 1"]);
    for (at, sector) in sectors.iter().enumerate() {
        assert_eq!(state(sector, &hot).2, Some(document(&format!(r#"{{"n": {at}}}"#)).to_json()));
    }
}

#[test]
fn what_one_refuses_none_becomes() {
    let (hot, sectors) = (cells(), sectors(3));
    let interned = r#"{"n": 1}"#;
    promoted(&sectors[1], &hot, interned);
    {
        let mut state = sectors[1].lock().unwrap();
        let slot = state.keys.get("n").unwrap();
        state.keys.mark_interned(slot, ValueType::I64);
    }
    let before = states(&sectors, &hot);
    let parts =
        vec![part(&sectors[0], r#"{"a": 1}"#), part(&sectors[1], r#"{"m": 1}"#), part(&sectors[2], r#"{"a": 1}"#)];
    let refused = together(&hot, &NoJournal, parts).unwrap_err();
    assert!(matches!(&refused, PromotionError::Together { sector, of: 3, .. } if sector == "s1"), "{refused}");
    assert!(refused.to_string().contains("none of the 3 sectors changed"), "{refused}");
    assert_eq!(states(&sectors, &hot), before);
    let twice = together(&hot, &NoJournal, vec![part(&sectors[0], "{}"), part(&sectors[0], "{}")]).unwrap_err();
    assert!(matches!(twice, PromotionError::Twice { .. }), "{twice}");
}

#[test]
fn what_cannot_be_written_becomes_current_nowhere() {
    let (hot, sectors) = (cells(), sectors(3));
    let before = states(&sectors, &hot);
    let all = || sectors.iter().map(|sector| part(sector, r#"{"n": 1}"#)).collect();
    let refused = together(&hot, &Faulty(Fault::VersionFails), all()).unwrap_err();
    assert!(matches!(refused, PromotionError::Journal { .. }), "{refused}");
    assert_eq!(states(&sectors, &hot), before);
    assert_eq!(together(&hot, &NoJournal, all()).unwrap().len(), 3, "and nothing is left behind");
    let panicked = catch_unwind(AssertUnwindSafe(|| together(&hot, &Faulty(Fault::VersionPanics), all()).map(drop)));
    panicked.unwrap_err();
    for sector in &sectors {
        assert!(matches!(sector.lock(), Err(PromotionError::Poisoned { .. })));
    }
    assert_eq!(hot.epoch(), 1);
}

#[test]
fn what_does_not_get_its_turn_in_time_changes_nothing() {
    let (hot, sectors) = (cells(), sectors(2));
    let before = states(&sectors, &hot);
    let busy: Locked<'_> = sectors[1].lock().unwrap();
    let parts = || sectors.iter().map(|sector| part(sector, r#"{"n": 1}"#)).collect::<Vec<_>>();
    let refused = Together::prepare(&hot, &NoJournal, parts(), Duration::ZERO).err().unwrap();
    assert!(matches!(&refused, PromotionError::TimedOut { sector, .. } if sector == "s1"), "{refused}");
    assert!(sectors[0].try_lock().is_some(), "what it had is free again");
    drop(busy);
    // It has its turn, and no time to prepare.
    let refused = Together::prepare(&hot, &NoJournal, parts(), Duration::ZERO).err().unwrap();
    assert!(matches!(&refused, PromotionError::TimedOut { .. }), "{refused}");
    assert_eq!(states(&sectors, &hot), before);
}

#[test]
fn those_that_overlap_do_not_wait_for_each_other_for_ever() {
    let (hot, sectors) = (cells(), sectors(4));
    thread::scope(|scope| {
        for worker in 0..4_usize {
            let (hot, sectors) = (&hot, &sectors);
            scope.spawn(move || {
                for n in 0..20 {
                    let order: Vec<usize> =
                        (0..3).map(|at| (worker + if n % 2 == 0 { at } else { 4 - at }) % 4).collect();
                    let json = format!(r#"{{"n": {n}, "by": {worker}}}"#);
                    let parts = order.into_iter().map(|at| part(&sectors[at], &json)).collect();
                    together(hot, &NoJournal, parts).unwrap();
                }
            });
        }
    });
    assert_eq!(hot.epoch(), 80, "each was one generation");
    let numbers: u64 = sectors.iter().map(|sector| sector.lock().unwrap().next_number() - 1).sum();
    assert_eq!(numbers, 240);
}

#[test]
fn all_go_back_together() {
    let (hot, sectors, journal) = (cells(), sectors(3), Recording::default());
    for n in 1..=2 {
        together(&hot, &NoJournal, sectors.iter().map(|one| part(one, &format!(r#"{{"n": {n}}}"#))).collect()).unwrap();
    }
    let versions = together(&hot, &NoJournal, sectors.iter().map(|one| back(one, 1)).collect()).unwrap();
    assert!(versions.iter().all(|version| version.rollback_of == Some(1) && version.epoch == 3));
    let parts = sectors.iter().map(|one| back(one, 2)).collect();
    let (ready, verified) = Together::prepare(&hot, &journal, parts, MINUTE).unwrap();
    let (versions, recorded) = ready.promote_at_once(verified.into_iter().map(Guard::new).collect()).unwrap();
    assert!(recorded && versions.iter().all(|version| version.epoch == 4));
    let calls = journal.0.into_inner().unwrap();
    assert!(calls[0].starts_with("current 4") && calls[3].contains("urgently"), "{calls:?}");
    let parts = vec![back(&sectors[0], 1), part(&sectors[1], r#"{"n": 9}"#)];
    let (ready, verified) = Together::prepare(&hot, &NoJournal, parts, MINUTE).unwrap();
    let refused = ready.promote_at_once(verified.into_iter().map(Guard::new).collect()).err().unwrap();
    assert!(matches!(&refused, PromotionError::NotRollback { sector } if sector == "s1"), "{refused}");
    assert_eq!(hot.epoch(), 4);
}

#[test]
fn a_governed_one_among_them_needs_its_proof() {
    let hot = cells();
    let direct = sector("s0", 0, 8);
    let governed = Sector::new("s1", 1, SectorKind::Governed, KeyTable::default(), 8);
    let parts = vec![part(&direct, r#"{"n": 1}"#), part(&governed, r#"{"n": 1}"#)];
    let refused = together(&hot, &NoJournal, parts).unwrap_err();
    assert!(matches!(&refused, PromotionError::Ungoverned { sector } if sector == "s1"), "{refused}");
    assert_eq!(state(&direct, &hot), (0, vec![], None));
    let parts = vec![part(&direct, r#"{"n": 1}"#), part(&direct, r#"{"n": 1}"#)];
    assert!(Together::prepare(&hot, &NoJournal, parts, MINUTE).is_err());
    let (ready, mut verified) =
        Together::prepare(&hot, &NoJournal, vec![part(&direct, r#"{"n": 1}"#)], MINUTE).unwrap();
    let guard = Guard::new(verified.pop().unwrap());
    drop(ready);
    let (ready, _) = Together::prepare(&hot, &NoJournal, vec![part(&direct, r#"{"n": 1}"#)], MINUTE).unwrap();
    assert!(matches!(ready.promote(vec![guard]), Err(PromotionError::ForeignGuard { .. })));
}

#[test]
fn no_reader_sees_a_mix_of_eight_sectors() {
    let (hot, sectors, done) = (cells(), sectors(8), AtomicBool::new(false));
    together(&hot, &NoJournal, sectors.iter().map(|one| part(one, r#"{"n": 0}"#)).collect()).unwrap();
    let slot = sectors[0].lock().unwrap().keys.get("n").unwrap();
    thread::scope(|scope| {
        let readers: Vec<_> = (0..2)
            .map(|_| {
                let (hot, done) = (&hot, &done);
                scope.spawn(move || {
                    let reader = hot.register(Default::default()).unwrap();
                    let mut seen = 0;
                    while !done.load(Relaxed) || seen == 0 {
                        let view = reader.view();
                        let values: Vec<_> = (0..8).map(|at| view.get_i64(Key::new(at, slot), -1)).collect();
                        assert!(values[0] >= 0 && values.iter().all(|value| *value == values[0]), "{values:?}");
                        seen += 1;
                    }
                })
            })
            .collect();
        for n in 1..200 {
            let parts = match n % 5 {
                0 => sectors.iter().map(|one| back(one, newest(one) - 1)).collect(),
                _ => sectors.iter().map(|one| part(one, &format!(r#"{{"n": {n}}}"#))).collect(),
            };
            together(&hot, &NoJournal, parts).unwrap();
        }
        done.store(true, Relaxed);
        readers.into_iter().for_each(|reader| reader.join().unwrap());
    });
}
