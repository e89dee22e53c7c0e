//! Durability comes first: what cannot be written is not promoted, and a panic closes the sector for changes, not for reads.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};

use crate::support::{cells, document, origin, promote, promoted, sector, state};
use knhk_hot::Hot;
use knhk_ontology::{Document, KeyTable};
use knhk_promotion::{
    Guard, Journal, JournalError, NoJournal, Promoted, Promotion, PromotionError, Ready, Record, Sector, Version,
};

/// Where a journal goes wrong.
#[derive(Clone, Copy, PartialEq)]
pub enum Fault {
    VersionFails,
    VersionPanics,
    PromotedPanics,
}

pub struct Faulty(pub Fault);

impl Journal for Faulty {
    fn versions(&self, _: &[Record<'_>]) -> Result<Vec<String>, JournalError> {
        match self.0 {
            Fault::VersionFails => Err("the disk is full".into()),
            Fault::VersionPanics => panic!("a defect before the swap"),
            Fault::PromotedPanics => Ok(Vec::new()),
        }
    }

    fn intend(&self, _: usize, _: &str, _: &Arc<Version>) -> Result<(), JournalError> {
        Ok(())
    }

    fn declared(&self, _: &str, _: &Document, _: &KeyTable) -> Result<(), JournalError> {
        Err("the disk is full".into())
    }

    fn promoted(&self, _: &str, _: &Arc<Version>) {
        assert!(self.0 != Fault::PromotedPanics, "a defect after the swap");
    }
}

#[test]
fn what_cannot_be_written_is_not_promoted() {
    let (hot, orders) = (cells(), sector("orders", 0, 8));
    promoted(&orders, &hot, r#"{"max_qty": 1000}"#);
    let before = state(&orders, &hot);
    let faulty = Faulty(Fault::VersionFails);
    let refused = promote(&orders, &hot, &faulty, r#"{"max_qty": 2000}"#).err().unwrap();
    assert!(matches!(&refused, PromotionError::Journal { version: 2, .. }), "{refused}");
    assert!(refused.to_string().contains("the disk is full; nothing was promoted"), "{refused}");
    assert_eq!(state(&orders, &hot), before);
    assert_eq!(promoted(&orders, &hot, r#"{"max_qty": 3000}"#), 2, "the number is free again");
    let refused = promote(&orders, &hot, &faulty, r#"{"max_qty": 2000, "new": 1}"#);
    assert!(refused.is_err());
    let keys = |name| {
        let state = orders.lock().unwrap();
        state.keys.get(name).is_some_and(|slot| state.keys.is_promoted(slot))
    };
    assert!(keys("max_qty") && !keys("new"), "a name that only a refused promotion had is unknown");
    promoted(&orders, &hot, r#"{"max_qty": 2000, "new": 1}"#);
    assert!(keys("new"));
}

#[test]
fn defaults_that_cannot_be_written_are_not_declared() {
    let (hot, orders) = (cells(), sector("orders", 0, 8));
    let before = state(&orders, &hot);
    let refused = orders.declare(&hot, &Faulty(Fault::VersionFails), document(r#"{"max_qty": 1}"#)).unwrap_err();
    assert!(matches!(&refused, PromotionError::Journal { .. }), "{refused}");
    assert_eq!(state(&orders, &hot), before);
    assert!(orders.lock().unwrap().document().is_none());
}

#[test]
fn a_panic_before_the_swap_leaves_the_last_version_current_and_refuses_changes() {
    let hot = cells();
    let (orders, quotes) = (sector("orders", 0, 8), sector("quotes", 1, 8));
    promoted(&orders, &hot, r#"{"max_qty": 1000}"#);
    let (epoch, reader) = (hot.epoch(), hot.register(Default::default()).unwrap());
    let snapshot = reader.view().snapshot_id(0);

    let faulty = Faulty(Fault::VersionPanics);
    catch_unwind(AssertUnwindSafe(|| promote(&orders, &hot, &faulty, r#"{"max_qty": 2000}"#).map(drop))).unwrap_err();

    assert_eq!(hot.epoch(), epoch);
    assert_eq!(reader.view().snapshot_id(0), snapshot, "reads go on");
    let refused = promote(&orders, &hot, &NoJournal, r#"{"max_qty": 3000}"#).err().unwrap();
    assert!(matches!(refused, PromotionError::Poisoned { .. }), "{refused}");
    assert_eq!(promoted(&quotes, &hot, r#"{"spread": 0.5}"#), 1, "other sectors are not concerned");
}

#[test]
fn a_panic_after_the_swap_leaves_the_new_version_current_and_refuses_changes() {
    let hot = cells();
    let (orders, quotes) = (sector("orders", 0, 8), sector("quotes", 1, 8));
    promoted(&orders, &hot, r#"{"max_qty": 1000}"#);
    let reader = hot.register(Default::default()).unwrap();
    let snapshot = reader.view().snapshot_id(0);

    let faulty = Faulty(Fault::PromotedPanics);
    catch_unwind(AssertUnwindSafe(|| promote(&orders, &hot, &faulty, r#"{"max_qty": 2000}"#).map(drop))).unwrap_err();

    assert_ne!(reader.view().snapshot_id(0), snapshot, "it was journalled, and it is current");
    assert!(matches!(orders.lock(), Err(PromotionError::Poisoned { .. })));
    assert_eq!(promoted(&quotes, &hot, r#"{"spread": 0.5}"#), 1, "other sectors are not concerned");
    assert_ne!(reader.view().snapshot_id(1), [0; 32]);
}

/// Remembers in which order it was called.
#[derive(Default)]
pub struct Recording(pub Mutex<Vec<String>>);

impl Recording {
    fn note(&self, what: String) {
        self.0.lock().unwrap().push(what);
    }
}

impl Journal for Recording {
    fn versions(&self, records: &[Record<'_>]) -> Result<Vec<String>, JournalError> {
        let said = |Record { sector, version, keys, emergency }: &Record<'_>| {
            let urgent = if *emergency { " urgently" } else { "" };
            format!("{sector} {} with {} keys{urgent}", version.number, keys.line_count())
        };
        self.note(records.iter().map(said).collect::<Vec<_>>().join(", "));
        Ok(records.iter().map(|record| format!("receipt {}", record.version.number)).collect())
    }

    fn intend(&self, sector: usize, _: &str, version: &Arc<Version>) -> Result<(), JournalError> {
        self.note(format!("intend {sector} {}", version.number));
        Ok(())
    }

    fn declared(&self, _: &str, _: &Document, _: &KeyTable) -> Result<(), JournalError> {
        Ok(())
    }

    fn promoted(&self, _: &str, version: &Arc<Version>) {
        let receipt = version.receipt.get().map_or("no receipt", |receipt| receipt);
        self.note(format!("current {} with {receipt}", version.number));
    }
}

#[test]
fn a_version_is_durable_with_its_keys_before_it_is_seen() {
    let (hot, orders, journal) = (cells(), sector("orders", 0, 1), Recording::default());
    for n in 1..=2 {
        promote(&orders, &hot, &journal, &format!(r#"{{"a": {n}}}"#)).unwrap();
    }
    let calls = journal.0.into_inner().unwrap();
    let of = |n| [format!("orders {n} with 1 keys"), format!("current {n} with receipt {n}")];
    assert_eq!(calls, [of(1), of(2)].concat());
    let state = orders.lock().unwrap();
    assert_eq!(state.current().unwrap().parent, Some(1));
}

fn rolled_back_at_once<'s>(
    orders: &'s Sector,
    hot: &'s Hot,
    journal: &'s dyn Journal,
    number: u64,
) -> Promotion<'s, Promoted> {
    let (ready, verified) = Promotion::<Ready>::back_to(orders, hot, journal, number, origin("ops-2")).unwrap();
    ready.promote_at_once(Guard::new(verified)).unwrap()
}

#[test]
fn an_emergency_rollback_is_seen_before_it_is_durable() {
    let (hot, orders, journal) = (cells(), sector("orders", 0, 8), Recording::default());
    promoted(&orders, &hot, r#"{"max_qty": 1000}"#);
    promoted(&orders, &hot, r#"{"max_qty": 2000}"#);
    assert!(rolled_back_at_once(&orders, &hot, &journal, 1).recorded());
    assert_eq!(journal.0.into_inner().unwrap(), ["current 3 with no receipt", "orders 3 with 1 keys urgently"]);
    let state = orders.lock().unwrap();
    assert_eq!(state.current().unwrap().receipt.get().map(String::as_str), Some("receipt 3"));
}

#[test]
fn an_emergency_rollback_works_where_nothing_can_be_written() {
    let (hot, orders) = (cells(), sector("orders", 0, 8));
    promoted(&orders, &hot, r#"{"max_qty": 1000}"#);
    promoted(&orders, &hot, r#"{"max_qty": 2000}"#);
    let faulty = Faulty(Fault::VersionFails);
    assert!(!rolled_back_at_once(&orders, &hot, &faulty, 1).recorded());
    let (_, numbers, current) = state(&orders, &hot);
    assert_eq!((numbers, current.as_deref()), (vec![1, 2, 3], Some(&*document(r#"{"max_qty": 1000}"#).to_json())));
}

#[test]
fn what_is_new_is_never_promoted_before_it_is_durable() {
    let (hot, orders) = (cells(), sector("orders", 0, 8));
    let (ready, verified) = orders.prepare(&hot, &NoJournal, document(r#"{"max_qty": 1}"#)).verify().unwrap();
    let refused = ready.promote_at_once(Guard::new(verified)).err().unwrap();
    assert!(matches!(refused, PromotionError::NotRollback { .. }), "{refused}");
    assert_eq!(state(&orders, &hot), (0, vec![], None));
}
