//! Receipts, keys, trust roots and checkpoints of an engine; backup and restore.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use knhk_engine::{
    Engine, Options, Origin, ReaderOptions, ReceiptInfo, ReceiptQuery, RestoreOptions, SectorKind, Signer, Status,
    VerifyOptions, restore,
};
use knhk_ledger::{ConsistencyReceipt, InclusionReceipt, KeyRing, Statement, leaf_hash};

struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Scratch {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("ledger-{name}-{}", std::process::id()));
        _ = fs::remove_dir_all(&path);
        Scratch(path)
    }

    fn at(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    fn try_open(&self, options: Options) -> Result<Engine, knhk_engine::Error> {
        Engine::open(self.0.to_str().unwrap(), options)
    }

    fn open(&self) -> Engine {
        let engine = self.try_open(Options::default()).unwrap();
        _ = engine.create_sector("orders", SectorKind::Direct);
        engine
    }

    fn refused(&self, options: Options) -> knhk_engine::Error {
        self.try_open(options).err().unwrap()
    }

    fn sql(&self) -> rusqlite::Connection {
        rusqlite::Connection::open(self.at("store.sqlite")).unwrap()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        _ = fs::remove_dir_all(&self.0);
    }
}

fn promote(engine: &Engine, n: i64) -> u64 {
    engine.promote_json("orders", &format!(r#"{{"max_qty": {n}}}"#), Origin::default()).unwrap().version
}

fn all(engine: &Engine) -> Vec<ReceiptInfo> {
    engine.receipts(&ReceiptQuery::default()).unwrap()
}

fn whole(engine: &Engine) -> knhk_engine::Verified {
    engine.verify(&VerifyOptions::default(), &mut |_| true).unwrap()
}

fn options(change: impl FnOnce(&mut Options)) -> Options {
    let mut options = Options::default();
    change(&mut options);
    options
}

fn ring(engine: &Engine) -> KeyRing {
    KeyRing::new(engine.trust_root().unwrap().parse().unwrap())
}

#[test]
fn every_operation_leaves_its_receipt() {
    let scratch = Scratch::new("operations");
    let engine = scratch.open();
    engine.declare_json("orders", r#"{"max_qty": {"$type": "i64", "$default": 3}}"#).unwrap();
    let origin = Origin { by: "ops-2".into(), why: "desk asked".into(), major: false };
    let promoted = engine.promote_json("orders", r#"{"max_qty": 1}"#, origin).unwrap();
    engine.promote_json("orders", "{", Origin { by: "ops-3".into(), ..Origin::default() }).unwrap_err();
    promote(&engine, 2);
    engine.rollback("orders", 9, Origin::default()).unwrap_err();
    engine.rollback("orders", 1, Origin::default()).unwrap();
    engine.emergency_rollback("orders", 2, Origin::default()).unwrap();
    engine.rotate_key(None).unwrap();

    let receipts = all(&engine);
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
        "version": 1, "snapshot": hex, "epoch": promoted.epoch, "by": "ops-2", "why": "desk asked",
    });
    assert_eq!(receipt.evidence, evidence);
    assert_eq!(
        (receipts[4].evidence["version"].as_u64(), receipts[4].evidence["by"].as_str()),
        (Some(2), Some("ops-3"))
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
    let engine = scratch.open();
    let version = engine.promote_json("orders", r#"{"max_qty": 1}"#, Origin::default()).unwrap();
    let id = version.receipt.unwrap();
    let (inclusion, earlier) = (engine.prove_receipt(&id).unwrap(), engine.checkpoint().unwrap());
    let size = all(&engine).len() as u64;
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
fn the_folder_keeps_its_key_for_its_owner_alone_and_its_trust_root() {
    let scratch = Scratch::new("files");
    let engine = scratch.open();
    promote(&engine, 1);
    let root = engine.trust_root().unwrap();
    assert_eq!(fs::read_to_string(scratch.at("trust-root")).unwrap().trim_end(), root);
    assert!(root.starts_with("knhk/"));
    assert_eq!(fs::metadata(scratch.at("signing.key")).unwrap().permissions().mode() & 0o777, 0o600);
    drop(engine);

    fs::set_permissions(scratch.at("signing.key"), fs::Permissions::from_mode(0o644)).unwrap();
    let refused = scratch.refused(Options::default());
    assert_eq!(refused.status(), Status::KeyFile);
    assert!(refused.message().contains("chmod 600"), "{refused}");
    fs::set_permissions(scratch.at("signing.key"), fs::Permissions::from_mode(0o600)).unwrap();

    let key = fs::read(scratch.at("signing.key")).unwrap();
    fs::rename(scratch.at("signing.key"), scratch.at("elsewhere")).unwrap();
    assert_eq!(scratch.refused(Options::default()).status(), Status::KeyFile);
    let mut given = Options::default();
    given.signer = Some(Signer::load(&scratch.at("elsewhere")).unwrap());
    drop(scratch.try_open(given).unwrap());
    Signer::generate().unwrap().save(&scratch.at("signing.key")).unwrap();
    let other = scratch.refused(Options::default());
    assert_eq!(other.status(), Status::KeyFile, "{other}");
    assert!(other.message().contains("is not the log's newest key"), "{other}");
    fs::write(scratch.at("signing.key"), key).unwrap();
    assert_eq!(promote(&scratch.open(), 2), 2);
}

#[test]
fn a_log_that_is_not_the_one_that_is_trusted_is_not_opened() {
    let (ours, theirs) = (Scratch::new("ours"), Scratch::new("theirs"));
    let engine = ours.open();
    promote(&engine, 1);
    let root = engine.trust_root().unwrap();
    drop(engine);
    let engine = theirs.open();
    promote(&engine, 1000);
    let foreign = engine.trust_root().unwrap();
    drop(engine);

    drop(ours.try_open(options(|o| o.trust_root = Some(root.clone()))).unwrap());
    let refused = ours.refused(options(|o| o.trust_root = Some(foreign.clone())));
    assert_eq!(refused.status(), Status::Tampered, "{refused}");
    let refused = ours.refused(options(|o| o.trust_root = Some("no root".into())));
    assert_eq!(refused.status(), Status::InvalidArgument, "{refused}");

    // Another's log in the place of ours, with its key: the trust root is not its.
    for name in ["store.sqlite", "signing.key"] {
        fs::copy(theirs.at(name), ours.at(name)).unwrap();
    }
    let refused = ours.refused(Options::default());
    assert_eq!(refused.status(), Status::Tampered, "{refused}");
    // With its trust root, too, the folder is whole: who knows the root finds out.
    fs::copy(theirs.at("trust-root"), ours.at("trust-root")).unwrap();
    let refused = ours.refused(options(|o| o.trust_root = Some(root.clone())));
    assert_eq!(refused.status(), Status::Tampered, "{refused}");
    let read_only =
        Engine::open_read_only(ours.0.to_str().unwrap(), options(|o| o.trust_root = Some(root.clone()))).err().unwrap();
    assert_eq!(read_only.status(), Status::Tampered);

    fs::remove_file(ours.at("trust-root")).unwrap();
    let missing = ours.refused(Options::default());
    assert_eq!(missing.status(), Status::Tampered);
    assert!(missing.message().contains("state the trust root"), "{missing}");
    drop(ours.try_open(options(|o| o.trust_root = Some(foreign))).unwrap());
}

#[test]
fn a_log_that_was_taken_away_is_missed() {
    let scratch = Scratch::new("away");
    promote(&scratch.open(), 1);
    for name in ["store.sqlite", "store.sqlite-wal", "store.sqlite-shm"] {
        _ = fs::remove_file(scratch.at(name));
    }
    let refused = scratch.refused(Options::default());
    assert_eq!(refused.status(), Status::Tampered);
    assert!(refused.message().contains("restore the store from a backup"), "{refused}");
}

#[test]
fn a_folder_whose_making_was_cut_off_is_made_to_its_end() {
    let scratch = Scratch::new("cut");
    fs::create_dir_all(&scratch.0).unwrap();
    // Before the key had its name; and before the log was begun.
    fs::write(scratch.at("signing.key.new"), "half a ke").unwrap();
    fs::write(scratch.at("trust-root.new"), "knhk/12").unwrap();
    promote(&scratch.open(), 1);
    assert!(!scratch.at("signing.key.new").exists() && !scratch.at("trust-root.new").exists());
    // Before the trust root had its name.
    fs::rename(scratch.at("trust-root"), scratch.at("trust-root.new")).unwrap();
    let picture = Engine::open_read_only(scratch.0.to_str().unwrap(), Options::default()).unwrap();
    assert!(picture.trust_root().is_some());
    assert_eq!(promote(&scratch.open(), 2), 2);
    assert!(scratch.at("trust-root").exists());
}

#[test]
fn a_tail_that_was_cut_off_is_found_by_a_checkpoint_held_elsewhere() {
    let scratch = Scratch::new("tail");
    let engine = scratch.open();
    promote(&engine, 1);
    engine.backup(&scratch.at("earlier.sqlite"), &mut |_| true).unwrap();
    promote(&engine, 2);
    let checkpoint = engine.checkpoint().unwrap();
    promote(&engine, 3);
    whole(&engine);
    let held = VerifyOptions { checkpoint: Some(checkpoint.clone()), ..VerifyOptions::default() };
    engine.verify(&held, &mut |_| true).unwrap();
    drop(engine);
    drop(scratch.try_open(options(|o| o.checkpoint = Some(checkpoint.clone()))).unwrap());

    // The whole folder is set back: without a checkpoint nothing tells.
    fs::copy(scratch.at("earlier.sqlite"), scratch.at("store.sqlite")).unwrap();
    let refused = scratch.refused(options(|o| o.checkpoint = Some(checkpoint.clone())));
    assert_eq!(refused.status(), Status::Tampered);
    assert!(refused.message().contains("tail was cut off"), "{refused}");
    let engine = scratch.open();
    whole(&engine);
    assert_eq!(engine.verify(&held, &mut |_| true).unwrap_err().status(), Status::Tampered);
    // And a history that went on from there is another one.
    (4..9).for_each(|n| _ = promote(&engine, n));
    let forked = engine.verify(&held, &mut |_| true).unwrap_err();
    assert!(forked.message().contains("forked"), "{forked}");
    let refused = scratch_error(&scratch, engine, checkpoint);
    assert!(refused.message().contains("forked"), "{refused}");
}

fn scratch_error(scratch: &Scratch, engine: Engine, checkpoint: String) -> knhk_engine::Error {
    drop(engine);
    scratch.refused(options(|o| o.checkpoint = Some(checkpoint)))
}

#[test]
fn a_receipt_that_was_changed_is_found_at_open_or_by_verifying() {
    let scratch = Scratch::new("changed");
    let engine = scratch.open();
    (1..4).for_each(|n| _ = promote(&engine, n));
    let last = all(&engine).len() as u64 - 1;
    drop(engine);
    let flip = |number: u64| {
        let sql = scratch.sql();
        let mut bytes: Vec<u8> =
            sql.query_row("SELECT statement FROM receipts WHERE number = ?1", [number], |row| row.get(0)).unwrap();
        let at = bytes.len() - 10;
        bytes[at] ^= 1;
        sql.execute("UPDATE receipts SET statement = ?1 WHERE number = ?2", rusqlite::params![bytes, number]).unwrap();
    };
    flip(last);
    assert_eq!(scratch.refused(Options::default()).status(), Status::Tampered);
    flip(last);
    whole(&scratch.open());
    // Under a checkpoint the log's hashes are what is looked at when opening; verifying looks at every receipt.
    let engine = scratch.open();
    engine.checkpoint().unwrap();
    flip(2);
    assert_eq!(engine.verify(&VerifyOptions::default(), &mut |_| true).unwrap_err().status(), Status::Tampered);
}

#[test]
fn keys_rotate_and_the_folder_keeps_the_newest_alone() {
    let scratch = Scratch::new("rotate");
    let engine = scratch.open();
    promote(&engine, 1);
    let first = fs::read(scratch.at("signing.key")).unwrap();
    let rotated = engine.rotate_key(None).unwrap();
    assert_eq!(rotated.kind, "key rotated");
    promote(&engine, 2);
    let keys = engine.signing_keys().unwrap();
    assert_eq!(
        keys.iter().map(|key| (key.number, key.from_receipt, key.current)).collect::<Vec<_>>(),
        [(0, 0, false), (1, rotated.number + 1, true)]
    );
    let second = fs::read(scratch.at("signing.key")).unwrap();
    assert_ne!(first, second);
    assert!(!scratch.at("signing.key.new").exists());
    drop(engine);

    // A crash after the rotation was durable and before its key had its name.
    fs::write(scratch.at("signing.key.new"), &second).unwrap();
    fs::write(scratch.at("signing.key"), &first).unwrap();
    for name in ["signing.key", "signing.key.new"] {
        fs::set_permissions(scratch.at(name), fs::Permissions::from_mode(0o600)).unwrap();
    }
    let engine = scratch.open();
    assert_eq!(fs::read(scratch.at("signing.key")).unwrap(), second);
    promote(&engine, 3);
    drop(engine);
    // One before it was: the key that was to take over is the next one.
    let third = Signer::from_seed(&[3; 32]);
    third.save(&scratch.at("signing.key.new")).unwrap();
    let engine = scratch.open();
    engine.rotate_key(None).unwrap();
    assert_eq!(engine.signing_keys().unwrap()[2].key, third.public().to_bytes());
    assert_eq!(whole(&engine).log.keys, 3);
}

#[test]
fn a_delegated_key_signs_and_the_folder_holds_none() {
    let scratch = Scratch::new("delegated");
    let held = Signer::from_seed(&[9; 32]);
    let (asked, refuses) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
    let seed = ed25519_dalek::SigningKey::from_bytes(&[9; 32]);
    let delegated = {
        let (asked, refuses) = (asked.clone(), refuses.clone());
        Signer::delegated(held.public(), move |message| {
            asked.fetch_add(1, Ordering::Relaxed);
            if refuses.load(Ordering::Relaxed) {
                return Err("the vault is sealed".into());
            }
            Ok(ed25519_dalek::Signer::sign(&seed, message).to_bytes())
        })
    };
    let with = || options(|o| o.signer = Some(delegated.clone()));
    let engine = scratch.try_open(with()).unwrap();
    engine.create_sector("orders", SectorKind::Direct).unwrap();
    promote(&engine, 1);
    assert!(asked.load(Ordering::Relaxed) >= 3);
    assert!(!scratch.at("signing.key").exists());
    refuses.store(true, Ordering::Relaxed);
    let refused = engine.promote_json("orders", r#"{"max_qty": 2}"#, Origin::default()).unwrap_err();
    assert_eq!((refused.status(), refused.stage()), (Status::Signing, "journal"));
    assert!(refused.message().contains("the vault is sealed"), "{refused}");
    assert_eq!(engine.history("orders").unwrap().len(), 1, "what is not signed is not promoted");
    refuses.store(false, Ordering::Relaxed);
    promote(&engine, 2);
    drop(engine);
    assert_eq!(scratch.refused(Options::default()).status(), Status::KeyFile);
    let engine = scratch.try_open(with()).unwrap();
    // Back to a key of the folder, and away again.
    engine.rotate_key(None).unwrap();
    drop(engine);
    let engine = scratch.open();
    assert!(scratch.at("signing.key").exists());
    let other = Signer::from_seed(&[10; 32]);
    engine.rotate_key(Some(other)).unwrap();
    assert!(!scratch.at("signing.key").exists(), "the caller keeps the key now");
    promote(&engine, 3);
    assert_eq!(whole(&engine).log.keys, 3);
    let again = engine.rotate_key(Some(held)).unwrap_err();
    assert_eq!(again.status(), Status::InvalidArgument, "{again}");
}

#[test]
fn a_new_log_begins_at_the_stated_trust_root() {
    let scratch = Scratch::new("stated");
    let signer = Signer::from_seed(&[5; 32]);
    let root = knhk_ledger::TrustRoot::new("example.com/limits", signer.public()).unwrap().to_string();
    let wrong = scratch.refused(options(|o| o.trust_root = Some(root.clone())));
    assert_eq!(wrong.status(), Status::InvalidArgument, "the folder's own key is another");
    drop(scratch);
    let scratch = Scratch::new("stated");
    let engine = scratch.try_open(options(|o| (o.trust_root, o.signer) = (Some(root.clone()), Some(signer)))).unwrap();
    assert_eq!(engine.trust_root(), Some(root));
}

#[test]
fn a_backup_under_load_is_restored_and_goes_on() {
    let scratch = Scratch::new("backup");
    let engine = scratch.open();
    (1..=20).for_each(|n| _ = promote(&engine, n));
    let root = engine.trust_root().unwrap();
    let stop = AtomicBool::new(false);
    let backup = scratch.at("backup.sqlite");
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut n = 21;
            while !stop.load(Ordering::Acquire) {
                promote(&engine, n);
                n += 1;
            }
        });
        let mut pages = 0;
        engine
            .backup(&backup, &mut |progress| {
                pages = progress.total;
                true
            })
            .unwrap();
        stop.store(true, Ordering::Release);
        assert!(pages > 0);
    });
    assert_eq!(engine.backup(&backup, &mut |_| true).unwrap_err().status(), Status::AlreadyExists);
    assert_eq!(engine.backup(&scratch.at("stopped"), &mut |_| false).unwrap_err().status(), Status::Timeout);
    assert!(!scratch.at("stopped").exists());
    let checkpoint = engine.checkpoint().unwrap();

    let to = scratch.at("restored");
    let (mut last, trusted) = (0, RestoreOptions { trust_root: Some(root.clone()), checkpoint: None });
    let verified = restore(&backup, &to, &trusted, &mut |at| {
        last = at.versions;
        true
    })
    .unwrap();
    assert!(verified.versions >= 20 && last == verified.versions);
    assert!(!to.join("signing.key").exists(), "the secret is in no backup");
    assert_eq!(restore(&backup, &to, &trusted, &mut |_| true).unwrap_err().status(), Status::AlreadyExists);
    fs::copy(scratch.at("signing.key"), to.join("signing.key")).unwrap();
    let restored = Engine::open(to.to_str().unwrap(), Options::default()).unwrap();
    assert_eq!(restored.trust_root(), Some(root));
    let key = restored.key::<i64>("orders", "max_qty").unwrap();
    let reader = restored.register_reader(ReaderOptions::default()).unwrap();
    let newest = restored.history("orders").unwrap().last().unwrap().version;
    assert_eq!(key.get(&reader.view(), -1), newest as i64);
    assert_eq!(promote(&restored, 7), newest + 1);
    whole(&restored);

    // One that is older than the checkpoint that someone holds, or another's, or damaged, is not placed.
    let elsewhere = scratch.at("elsewhere");
    let held = RestoreOptions { checkpoint: Some(checkpoint), ..trusted.clone() };
    assert_eq!(restore(&backup, &elsewhere, &held, &mut |_| true).unwrap_err().status(), Status::Tampered);
    let other = knhk_ledger::TrustRoot::new("other", Signer::from_seed(&[1; 32]).public()).unwrap();
    let other = RestoreOptions { trust_root: Some(other.to_string()), checkpoint: None };
    assert_eq!(restore(&backup, &elsewhere, &other, &mut |_| true).unwrap_err().status(), Status::Tampered);
    assert_eq!(restore(&backup, &elsewhere, &trusted, &mut |_| false).unwrap_err().status(), Status::Timeout);
    let sql = rusqlite::Connection::open(&backup).unwrap();
    sql.execute("UPDATE snapshots SET added = x'00' WHERE id = (SELECT snapshot FROM versions WHERE number = 3)", [])
        .unwrap();
    drop(sql);
    assert_eq!(restore(&backup, &elsewhere, &trusted, &mut |_| true).unwrap_err().status(), Status::Corrupt);
    assert!(!elsewhere.join("store.sqlite").exists());
    assert_eq!(
        restore(&scratch.at("none"), &elsewhere, &trusted, &mut |_| true).unwrap_err().status(),
        Status::NotFound
    );
}

#[test]
fn an_engine_in_memory_has_receipts_where_someone_signs() {
    let engine = Engine::open(":memory:", options(|o| o.signer = Some(Signer::from_seed(&[4; 32])))).unwrap();
    engine.create_sector("orders", SectorKind::Direct).unwrap();
    promote(&engine, 1);
    assert_eq!(all(&engine).len(), 3);
    whole(&engine);
    assert_eq!(engine.rotate_key(None).unwrap_err().status(), Status::InvalidArgument);
    engine.rotate_key(Some(Signer::from_seed(&[5; 32]))).unwrap();
    promote(&engine, 2);
    assert_eq!(whole(&engine).log.keys, 2);
}
