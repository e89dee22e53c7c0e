//! Whatever is changed is found, and named.

use knhk_ledger::{Ledger, LedgerError, Statement, Tampering, VerifyOptions, verify};
use knhk_store::{ReceiptQuery, Store};

use crate::world::{World, signer, updated};

/// Tampers with a log and gives what is found.
fn found(sql: &str) -> Tampering {
    let world = World::full(300);
    let whole = world.verify().unwrap();
    world.tamper(sql);
    match world.verify() {
        Err(LedgerError::Tampered(finding)) => finding,
        other => panic!("{sql}: {other:?}, and {whole:?} before"),
    }
}

fn swap(left: u64, right: u64, columns: &str) -> String {
    let set: Vec<String> = columns
        .split(' ')
        .map(|column| {
            format!("{column} = (SELECT {column} FROM kept WHERE number = {left} + {right} - receipts.number)")
        })
        .collect();
    format!(
        "CREATE TEMP TABLE kept AS SELECT * FROM receipts WHERE number IN ({left}, {right});
         UPDATE receipts SET {} WHERE number IN ({left}, {right})",
        set.join(", ")
    )
}

#[test]
fn a_log_that_nobody_touched_is_whole() {
    let world = World::full(300);
    let verified = world.verify().unwrap();
    assert_eq!(verified.receipts, world.store.log_size().unwrap());
    assert_eq!((verified.keys, verified.versions, verified.observations, verified.dropped), (2, 3, 134, 0));
    assert_eq!(verified.checkpoints, 3, "the first, the one after 256 receipts, and that of the rotation");
    assert_eq!((verified.first_ns, verified.last_ns), (1000, 1702));
    let mut reports = Vec::new();
    verify(&*world.store, &world.root, VerifyOptions::default(), &mut |at| {
        reports.push(at);
        true
    })
    .unwrap();
    assert_eq!(reports.last().map(|at| (at.receipts, at.observations)), Some((verified.receipts, 134)));
    let stopped = verify(&*world.store, &world.root, VerifyOptions::default(), &mut |_| false);
    assert_eq!(stopped, Err(LedgerError::Stopped));
}

/// Each byte of a statement, and each of a receipt's columns.
#[test]
fn a_changed_byte_anywhere_is_found() {
    let world = World::full(3);
    let keys = world.ledger.keys().unwrap();
    for number in [0, 1, 3, 8, 9] {
        let statement = world.store.receipt(number).unwrap().unwrap().statement;
        Statement::decode(&statement).unwrap().verify(&keys.at(number)).unwrap();
        for at in 0..statement.len() {
            let mut changed = statement.clone();
            changed[at] ^= 1 << (at % 8);
            let accepted = Statement::decode(&changed).is_ok_and(|read| read.verify(&keys.at(number)).is_ok());
            assert!(!accepted, "byte {at} of statement {number}");
        }
    }
    let byte = "UPDATE receipts SET statement = CAST(replace(statement, CAST('change 2001' AS BLOB), CAST('change 2009' AS BLOB)) AS BLOB)";
    assert!(matches!(found(byte), Tampering::Changed { number: 6, .. } | Tampering::Changed { number: 5, .. }));
    for (column, value) in [
        ("time_ns", "1"),
        ("sector", "NULL"),
        ("kind", "'loop cycle completed'"),
        ("outcome", "'rejected'"),
        ("leaf", "zeroblob(32)"),
    ] {
        let finding = found(&format!("UPDATE receipts SET {column} = {value} WHERE number = 9"));
        assert!(matches!(finding, Tampering::Changed { number: 9, .. }), "{column}: {finding}");
    }
}

/// Whoever mends the log's hash after a change is given away by the signature, not by the receipt that no longer follows.
#[test]
fn a_change_whose_hash_was_mended_is_found() {
    let world = World::full(30);
    let receipt = world.store.receipt(9).unwrap().unwrap();
    let mut statement = receipt.statement;
    let last = statement.len() - 1;
    // A bit of the signature: the claims beside it stay right.
    statement[last - 40] ^= 1;
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let leaf = knhk_ledger::leaf_hash(&statement);
    let sql =
        format!("UPDATE receipts SET statement = x'{}', leaf = x'{}' WHERE number = 9", hex(&statement), hex(&leaf));
    world.tamper(&sql);
    let what = "its signature is not its key's".into();
    assert_eq!(world.verify(), Err(Tampering::Changed { number: 9, what }.into()));
}

#[test]
fn receipts_in_another_order_are_found() {
    let all = "time_ns sector kind outcome statement leaf";
    assert_eq!(found(&swap(7, 9, all)), Tampering::Reordered { number: 7, says: 9 });
    assert_eq!(found(&swap(7, 8, all)), Tampering::Reordered { number: 7, says: 8 });
}

#[test]
fn a_missing_receipt_is_found() {
    assert_eq!(found("DELETE FROM receipts WHERE number = 20"), Tampering::Gap { number: 20 });
    assert_eq!(found("DELETE FROM receipts WHERE number = 0"), Tampering::Gap { number: 0 });
    let taken_out = "DELETE FROM receipts WHERE number = 20; UPDATE receipts SET number = number - 1 WHERE number > 20";
    assert_eq!(found(taken_out), Tampering::Reordered { number: 20, says: 21 });
}

/// Whoever has the key can sign another history; those who hold a checkpoint of the first find out.
#[test]
fn a_fork_is_found_by_a_checkpoint() {
    let (first, second) = (World::new(), World::new());
    first.ledger.append((0..10).map(updated).collect()).unwrap();
    second.ledger.append((0..10).map(|n| updated(n + u64::from(n > 5))).collect()).unwrap();
    let held = first.ledger.checkpoint(5).unwrap();
    second.ledger.append(vec![updated(99)]).unwrap();
    second.verify().unwrap();
    let options = VerifyOptions { known: Some(&held), ..VerifyOptions::default() };
    let fork = Err(LedgerError::Tampered(Tampering::Fork { size: 11 }));
    assert_eq!(verify(&*second.store, &second.root, options, &mut |_| true), fork);
    let opened = Ledger::open(second.store.clone(), &second.root, None, Some(&held));
    assert_eq!(opened.err(), fork.err());
    verify(&*first.store, &first.root, options, &mut |_| true).unwrap();

    // A receipt of the other history spliced in, signed by the right key, at its right place: it follows another.
    let other = second.store.receipt(9).unwrap().unwrap();
    let hex: String = other.statement.iter().map(|byte| format!("{byte:02x}")).collect();
    let leaf: String = other.leaf.iter().map(|byte| format!("{byte:02x}")).collect();
    first.tamper(&format!(
        "UPDATE receipts SET statement = x'{hex}', leaf = x'{leaf}', time_ns = {} WHERE number = 9",
        other.time_ns
    ));
    assert_eq!(first.verify(), Err(Tampering::Orphan { number: 9 }.into()));
}

#[test]
fn a_tail_that_was_cut_off_is_found_by_a_checkpoint_held_elsewhere() {
    let world = World::new();
    world.ledger.append((0..10).map(updated).collect()).unwrap();
    let held = world.ledger.checkpoint(7).unwrap();
    world.tamper("DELETE FROM receipts WHERE number >= 8");
    // The stored checkpoint tells already.
    assert_eq!(world.verify(), Err(Tampering::CutTail { signed: 11, size: 8 }.into()));
    let open = |known: Option<&str>| Ledger::open(world.store.clone(), &world.root, None, known).err();
    assert_eq!(open(None), Some(Tampering::CutTail { signed: 11, size: 8 }.into()));
    // Set back as a whole it cannot be told from an older log, except by who holds a later checkpoint.
    world.tamper("DELETE FROM checkpoints WHERE size > 8");
    world.verify().unwrap();
    assert_eq!(open(None), None);
    assert_eq!(open(Some(&held)), Some(Tampering::CutTail { signed: 11, size: 8 }.into()));
    let options = VerifyOptions { known: Some(&held), ..VerifyOptions::default() };
    let cut = verify(&*world.store, &world.root, options, &mut |_| true);
    assert_eq!(cut, Err(Tampering::CutTail { signed: 11, size: 8 }.into()));
}

#[test]
fn what_stands_beside_the_receipts_is_checked_too() {
    assert_eq!(
        found("UPDATE log_nodes SET hash = zeroblob(32) WHERE level = 8 AND position = 0"),
        Tampering::Node { level: 8, position: 0 }
    );
    assert!(matches!(
        found("UPDATE checkpoints SET root = zeroblob(32) WHERE size = 305"),
        Tampering::Checkpoint { size: 305, .. }
    ));
    assert!(matches!(
        found("UPDATE checkpoints SET note = replace(note, '305', '304')"),
        Tampering::Checkpoint { size: 305, .. }
    ));
    assert!(matches!(
        found("UPDATE public_keys SET key = zeroblob(32) WHERE number = 1"),
        Tampering::Key { number: 1, .. }
    ));
    assert!(matches!(found("DELETE FROM public_keys WHERE number = 1"), Tampering::Key { number: 1, .. }));
    assert!(matches!(
        found("INSERT INTO public_keys VALUES (2, x'00', zeroblob(32), 0, 0)"),
        Tampering::Key { number: 2, .. }
    ));
}

#[test]
fn changed_observations_are_found() {
    for (sql, segment) in [
        ("UPDATE segments SET content = (SELECT content FROM segments WHERE number = 2) WHERE number = 0", 0),
        ("UPDATE segments SET content = x'00' WHERE number = 1", 1),
        ("UPDATE segments SET count = 99 WHERE number = 0", 0),
        ("UPDATE segments SET root = zeroblob(32) WHERE number = 2", 2),
        ("UPDATE segments SET receipt = 1 WHERE number = 1", 1),
        ("DELETE FROM segments WHERE number = 2", 2),
        ("INSERT INTO segments SELECT 3, sector, 0, 0, 1, 64, root, NULL, NULL FROM segments WHERE number = 0", 3),
        ("INSERT INTO segments SELECT 3, sector, 0, 0, 1, 64, root, receipt, NULL FROM segments WHERE number = 0", 3),
    ] {
        let finding = found(sql);
        assert!(matches!(&finding, Tampering::Observations { segment: at, .. } if *at == segment), "{sql}: {finding}");
    }
    // Retention is no tampering.
    let world = World::full(3);
    world.store.commit(knhk_store::Batch::new().with(knhk_store::Write::PruneSegment(0))).unwrap();
    let verified = world.verify().unwrap();
    assert_eq!((verified.observations, verified.dropped), (34, 100));
}

#[test]
fn a_version_that_no_receipt_stands_for_is_an_orphan() {
    let version = |finding: Tampering, at: u64| {
        assert!(matches!(&finding, Tampering::Version { number, .. } if *number == at), "{finding}")
    };
    version(
        found("UPDATE versions SET snapshot = (SELECT snapshot FROM versions WHERE number = 1) WHERE number = 2"),
        2,
    );
    version(found("UPDATE versions SET receipt = 5 WHERE number = 2"), 2);
    version(
        found(
            "INSERT INTO versions SELECT sector, 4, snapshot, '[]', 9, 9, NULL, '', '', 0, NULL, NULL FROM versions WHERE number = 1",
        ),
        4,
    );
    // An older version passed off as the current one.
    version(found("DELETE FROM versions WHERE number = 3"), 3);
}

#[test]
fn another_trust_root_is_refused() {
    let world = World::full(3);
    let other = knhk_ledger::TrustRoot::new(crate::world::ORIGIN, signer(9).public()).unwrap();
    let open = Ledger::open(world.store.clone(), &other, None, None).err().unwrap();
    assert!(matches!(open, LedgerError::Tampered(Tampering::Root { .. })), "{open}");
    let verified = verify(&*world.store, &other, VerifyOptions::default(), &mut |_| true);
    assert!(matches!(verified, Err(LedgerError::Tampered(_))), "{verified:?}");
    let renamed = knhk_ledger::TrustRoot::new("example.org/quotes", signer(1).public()).unwrap();
    let open = Ledger::open(world.store.clone(), &renamed, None, None).err().unwrap();
    assert!(matches!(open, LedgerError::Tampered(Tampering::Root { .. })), "{open}");
    let read = world.store.receipts(&ReceiptQuery::default()).unwrap();
    assert_eq!(read.len() as u64, world.store.log_size().unwrap());
}

/// A backup is restored only where the ledger in it is whole.
#[test]
fn a_backup_is_verified_before_it_is_restored() {
    let world = World::full(20);
    let at = |name: &str| world.folder.path().join(name);
    world.store.backup(&at("copy.db"), &mut |_| true).unwrap();
    let whole = |store: &knhk_store::SqliteStore| {
        let verified = verify(store, &world.root, VerifyOptions::default(), &mut |_| true);
        verified.map(drop).map_err(|error| knhk_store::StoreError::Corrupt { what: error.to_string() })
    };
    knhk_store::restore(&at("copy.db"), &at("restored.db"), &mut |store| whole(store)).unwrap();
    let restored = std::sync::Arc::new(knhk_store::SqliteStore::open(&at("restored.db")).unwrap());
    Ledger::open(restored, &world.root, Some(signer(2)), None).unwrap().append(vec![updated(9)]).unwrap();

    let tool = rusqlite::Connection::open(at("copy.db")).unwrap();
    tool.execute("UPDATE receipts SET outcome = 'rejected' WHERE number = 4", []).unwrap();
    drop(tool);
    let refused = knhk_store::restore(&at("copy.db"), &at("again.db"), &mut |store| whole(store)).unwrap_err();
    assert!(refused.to_string().contains("receipt 4 was changed"), "{refused}");
    assert!(!at("again.db").exists());
}
