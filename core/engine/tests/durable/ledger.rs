//! Receipts and their proofs.

use knhk_engine::{Engine, Options, Origin, ReceiptQuery, SectorKind, Signer, Status, VerifyOptions};
use knhk_ledger::{ConsistencyReceipt, InclusionReceipt, KeyRing, Statement, leaf_hash};

use crate::scratch::{Scratch, receipts, whole};

fn promote(engine: &Engine, n: i64) -> u64 {
    engine.promote_json("orders", &format!(r#"{{"max_qty": {n}}}"#), Origin::default()).unwrap().version
}

fn ring(engine: &Engine) -> KeyRing {
    KeyRing::new(engine.trust_root().unwrap().parse().unwrap())
}

#[test]
fn every_operation_leaves_its_receipt() {
    let scratch = Scratch::new("operations");
    let engine = scratch.orders();
    engine.declare_json("orders", r#"{"max_qty": {"$type": "i64", "$default": 3}}"#).unwrap();
    let origin = Origin { by: "ops-2".into(), why: "desk asked".into(), ..Origin::default() };
    let promoted = engine.promote_json("orders", r#"{"max_qty": 1}"#, origin).unwrap();
    engine.promote_json("orders", "{", Origin { by: "ops-3".into(), ..Origin::default() }).unwrap_err();
    promote(&engine, 2);
    engine.rollback("orders", 9, Origin::default()).unwrap_err();
    engine.rollback("orders", 1, Origin::default()).unwrap();
    engine.emergency_rollback("orders", 2, Origin::default()).unwrap();
    engine.rotate_key(None).unwrap();

    let receipts = receipts(&engine);
    let told: Vec<String> =
        receipts.iter().map(|r| format!("{} {} {}", r.sector.as_deref().unwrap_or("-"), r.kind, r.outcome)).collect();
    assert_eq!(
        told[..5],
        [
            "- ledger created approved",
            "orders sector updated approved",
            "orders sector updated approved",
            "orders snapshot promoted approved",
            "orders snapshot promoted rejected"
        ]
    );
    assert_eq!(
        told[told.len() - 4..],
        [
            "orders rollback executed rejected",
            "orders rollback executed approved",
            "orders rollback executed approved",
            "- key rotated approved"
        ]
    );
    let receipt = engine.receipt(promoted.receipt.as_ref().unwrap()).unwrap();
    assert_eq!(receipt, receipts[3]);
    assert_eq!(receipt, engine.receipt("3").unwrap());
    let hex: String = promoted.snapshot_id.iter().map(|byte| format!("{byte:02x}")).collect();
    let evidence = serde_json::json!({
        "version": 1, "snapshot": hex, "major": false, "epoch": promoted.epoch, "by": "ops-2", "why": "desk asked",
    });
    assert_eq!(receipt.evidence, evidence);
    assert_eq!(
        (receipts[4].evidence["version"].as_u64(), receipts[4].evidence["by"].as_str()),
        (Some(2), Some("ops-3"))
    );
    assert!(
        receipts.iter().any(|receipt| receipt.evidence["parents"] == serde_json::json!([1])),
        "what it came from is signed"
    );
    assert!(receipts[4].evidence["refused"].as_str().unwrap().contains("line 1"), "{}", receipts[4].evidence);
    let emergencies: Vec<_> = receipts.iter().filter(|r| r.evidence["emergency"] == true).collect();
    assert_eq!(emergencies.len(), 1);
    let verified = whole(&engine);
    assert_eq!((verified.log.receipts, verified.log.keys), (receipts.len() as u64, 2));
    let query =
        ReceiptQuery { sector: Some("orders".into()), newest_first: true, limit: Some(1), ..Default::default() };
    assert_eq!(engine.receipts(&query).unwrap()[0], receipts[receipts.len() - 2]);
    assert_eq!(engine.receipt("no-such-receipt").unwrap_err().status(), Status::NotFound);
    assert_eq!(engine.receipt("999").unwrap_err().status(), Status::NotFound);
}

#[test]
fn receipts_and_proofs_convince_whoever_has_the_trust_root() {
    let scratch = Scratch::new("proofs");
    let engine = scratch.orders();
    let version = engine.promote_json("orders", r#"{"max_qty": 1}"#, Origin::default()).unwrap();
    let id = version.receipt.unwrap();
    let (inclusion, earlier) = (engine.prove_receipt(&id).unwrap(), engine.checkpoint().unwrap());
    let size = receipts(&engine).len() as u64;
    promote(&engine, 2);
    let consistency = engine.prove_consistency(size).unwrap();
    let keys = ring(&engine);
    let receipt = engine.receipt(&id).unwrap();
    let statement = Statement::decode(&receipt.statement).unwrap();
    statement.verify(&keys.newest()).unwrap();
    assert_eq!(leaf_hash(&receipt.statement), receipt.leaf);
    let proof = InclusionReceipt::decode(&inclusion).unwrap();
    proof.verify(&receipt.statement, &keys).unwrap();
    assert!(proof.verify(&engine.receipt("0").unwrap().statement, &keys).is_err(), "of another receipt");
    let then = knhk_ledger::Checkpoint::decode(&earlier).unwrap();
    then.verify(&keys).unwrap();
    let now = knhk_ledger::Checkpoint::decode(&engine.checkpoint().unwrap()).unwrap();
    let grown = ConsistencyReceipt::decode(&consistency).unwrap();
    grown.verify(&then.root, &now.root, &keys).unwrap();
    assert!(grown.verify(&now.root, &then.root, &keys).is_err());
    assert_eq!(engine.prove_consistency(999).unwrap_err().status(), Status::InvalidArgument);
    assert_eq!(engine.prove_receipt("999").unwrap_err().status(), Status::NotFound);
}

#[test]
fn a_receipt_that_was_changed_is_found_at_open_or_by_verifying() {
    let scratch = Scratch::new("changed");
    let engine = scratch.orders();
    (1..4).for_each(|n| _ = promote(&engine, n));
    let last = receipts(&engine).len() as u64 - 1;
    drop(engine);
    let flip = |number: u64| {
        let sql = scratch.connection();
        let mut bytes: Vec<u8> =
            sql.query_row("SELECT statement FROM receipts WHERE number = ?1", [number], |row| row.get(0)).unwrap();
        let at = bytes.len() - 10;
        bytes[at] ^= 1;
        sql.execute("UPDATE receipts SET statement = ?1 WHERE number = ?2", rusqlite::params![bytes, number]).unwrap();
    };
    flip(last);
    assert_eq!(scratch.refused(Options::default()).status(), Status::Tampered);
    flip(last);
    whole(&scratch.orders());
    // Under a checkpoint the log's hashes are what is looked at when opening; verifying looks at every receipt.
    let engine = scratch.orders();
    engine.checkpoint().unwrap();
    flip(2);
    assert_eq!(engine.verify(&VerifyOptions::default(), &mut |_| true).unwrap_err().status(), Status::Tampered);
}

#[test]
fn an_engine_in_memory_has_receipts_where_someone_signs() {
    let mut signed = Options::default();
    signed.signer = Some(Signer::from_seed(&[4; 32]));
    let engine = Engine::open(":memory:", signed).unwrap();
    engine.create_sector("orders", SectorKind::Direct).unwrap();
    promote(&engine, 1);
    assert_eq!(receipts(&engine).len(), 3);
    whole(&engine);
    assert_eq!(engine.rotate_key(None).unwrap_err().status(), Status::InvalidArgument);
    engine.rotate_key(Some(Signer::from_seed(&[5; 32]))).unwrap();
    promote(&engine, 2);
    assert_eq!(whole(&engine).log.keys, 2);
}
