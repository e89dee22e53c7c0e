//! Into a governed sector comes what passed, and nothing else; out of it everyone may go back.

use std::sync::Arc;

use crate::support::{cells, document, origin, state};
use knhk_governance::Stage;
use knhk_hot::Hot;
use knhk_ledger::{Entry, Evidence, Ledger, Outcome, Signer};
use knhk_ontology::KeyTable;
use knhk_promotion::{
    Guard, NoJournal, Passed, Promoted, Promotion, PromotionError, Ready, Sector, SectorKind, Verified,
};
use knhk_store::MemoryStore;

fn ledger(seed: u8) -> Ledger {
    Ledger::create(Arc::new(MemoryStore::new()), "test.example/log", Signer::from_seed(&[seed; 32]), 1).unwrap().0
}

fn governed() -> Sector {
    Sector::new("orders", 0, SectorKind::Governed, KeyTable::default(), 8)
}

fn stages() -> Vec<String> {
    Stage::ALL.iter().map(|stage| format!("{}: passed", stage.as_str())).collect()
}

type Said = (Option<&'static str>, Outcome, Vec<String>, [u8; 32], Option<[u8; 32]>);

fn receipt(ledger: &Ledger, (sector, outcome, stages, snapshot, before): Said) -> Vec<u8> {
    let evidence = Evidence::ValidationExecuted { proposal: None, snapshot, before, stages, duration_ns: 1 };
    let entry = Entry { time_ns: 2, sector: sector.map(str::to_owned), outcome, evidence, links: Vec::new() };
    ledger.append(vec![entry]).unwrap().pop().unwrap().statement
}

fn ready<'s>(sector: &'s Sector, hot: &'s Hot, json: &str) -> (Promotion<'s, Ready<'s>>, Verified) {
    let preparing = sector.prepare(hot, &NoJournal, document(json)).with_origin(origin("ops-2"), 0);
    preparing.verify().unwrap()
}

/// What the content would be addressed by.
fn address(json: &str) -> [u8; 32] {
    let (direct, hot) = (Sector::new("orders", 0, SectorKind::Direct, KeyTable::default(), 1), cells());
    let (ready, verified) = ready(&direct, &hot, json);
    ready.promote(Guard::new(verified)).unwrap().version().snapshot_id
}

fn promoted<'s>(
    sector: &'s Sector,
    hot: &'s Hot,
    json: &str,
    ledger: &Ledger,
    said: Said,
) -> Result<Promotion<'s, Promoted>, PromotionError> {
    let passed = Passed::from_receipt(&receipt(ledger, said), &ledger.keys().unwrap())?;
    let (ready, verified) = ready(sector, hot, json);
    ready.promote(Guard::governed(verified, passed))
}

const ONE: &str = r#"{"max_qty": 1}"#;
const TWO: &str = r#"{"max_qty": 2}"#;

#[test]
fn what_passed_is_promoted_and_its_receipt_points_to_the_validation() {
    let (orders, hot, ledger) = (governed(), cells(), ledger(1));
    let said = (Some("orders"), Outcome::Approved, stages(), address(ONE), None);
    let version = promoted(&orders, &hot, ONE, &ledger, said).unwrap().version().clone();
    assert_eq!(version.links.len(), 1);
    assert!(version.links[0].ends_with("-orders-1"), "{:?}", version.links);
    let said = (Some("orders"), Outcome::Approved, stages(), address(TWO), Some(address(ONE)));
    promoted(&orders, &hot, TWO, &ledger, said).unwrap();
    let (back, verified) = Promotion::<Ready>::back_to(&orders, &hot, &NoJournal, 1, origin("ops-3")).unwrap();
    let back = back.promote(Guard::new(verified)).unwrap();
    assert_eq!(back.version().rollback_of, Some(1), "what it goes back to has passed");
}

#[test]
fn without_the_proof_nothing_new_comes_in() {
    let (orders, hot) = (governed(), cells());
    let (ready, verified) = ready(&orders, &hot, ONE);
    let refused = ready.promote(Guard::new(verified)).err().unwrap();
    assert!(matches!(refused, PromotionError::Ungoverned { .. }), "{refused}");
    assert_eq!(refused.to_string(), "sector orders is governed: propose the change (Engine::propose, knhk propose)");
    assert_eq!(state(&orders, &hot), (0, vec![], None));
}

#[test]
fn a_receipt_of_anything_else_is_no_proof() {
    let (ledger, other) = (ledger(1), ledger(2));
    let keys = ledger.keys().unwrap();
    let without = |stage: &str| stages().into_iter().filter(|said| !said.starts_with(stage)).collect::<Vec<_>>();
    let mut waiting = stages();
    waiting[2] = "doctrine: waiting".into();
    let sound = |stages| (Some("orders"), Outcome::Approved, stages, [7; 32], None);
    for (said, why) in [
        (sound(without("rollback")), "does not say that the stage rollback passed"),
        (sound(waiting), "does not say that the stage doctrine passed"),
        (sound(vec![]), "does not say that the stage schema passed"),
        ((Some("orders"), Outcome::Rejected, stages(), [7; 32], None), "says that it was rejected"),
        ((Some("orders"), Outcome::Pending, stages(), [7; 32], None), "says that it was pending"),
        ((None, Outcome::Approved, stages(), [7; 32], None), "names no sector"),
    ] {
        let refused = Passed::from_receipt(&receipt(&ledger, said), &keys).err().unwrap();
        assert!(refused.to_string().contains(why), "{refused}");
    }
    let genuine = receipt(&ledger, sound(stages()));
    let mut forged = genuine.clone();
    let at = forged.windows(6).position(|bytes| bytes == b"orders").unwrap();
    forged[at] = b'0';
    for statement in [&forged[..], &receipt(&other, sound(stages())), b"", &genuine[..genuine.len() - 1]] {
        let refused = Passed::from_receipt(statement, &keys).err().unwrap();
        assert!(refused.to_string().contains("is not the log's"), "{refused}");
    }
    let other_kind = Entry {
        time_ns: 2,
        sector: Some("orders".into()),
        outcome: Outcome::Approved,
        evidence: Evidence::SectorUpdated { change: "x".into(), by: String::new(), why: String::new() },
        links: Vec::new(),
    };
    let statement = ledger.append(vec![other_kind]).unwrap().pop().unwrap().statement;
    let refused = Passed::from_receipt(&statement, &keys).err().unwrap();
    assert!(refused.to_string().contains("states something else"), "{refused}");
}

#[test]
fn a_proof_is_of_one_change_of_one_version() {
    let (orders, hot, ledger) = (governed(), cells(), ledger(1));
    let said = |sector, snapshot, before| (Some(sector), Outcome::Approved, stages(), snapshot, before);
    promoted(&orders, &hot, ONE, &ledger, said("orders", address(ONE), None)).unwrap();
    let before = state(&orders, &hot);
    for (said, stale) in [
        (said("quotes", address(TWO), Some(address(ONE))), false),
        (said("orders", address(ONE), Some(address(ONE))), true),
        (said("orders", address(TWO), None), true),
        (said("orders", address(TWO), Some(address(TWO))), true),
    ] {
        let refused = promoted(&orders, &hot, TWO, &ledger, said).err().unwrap();
        assert_eq!(matches!(refused, PromotionError::Stale { .. }), stale, "{refused}");
        assert!(stale || matches!(refused, PromotionError::NotPassed { .. }), "{refused}");
        assert_eq!(state(&orders, &hot), before);
    }
}
