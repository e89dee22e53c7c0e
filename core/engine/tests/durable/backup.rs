//! Backup under load, and restore.

use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};

use knhk_engine::{Engine, Options, Origin, ReaderOptions, RestoreOptions, Signer, Status, restore};

use crate::scratch::{Scratch, whole};

fn promote(engine: &Engine, n: i64) -> u64 {
    engine.promote_json("orders", &format!(r#"{{"max_qty": {n}}}"#), Origin::default()).unwrap().version
}

#[test]
fn a_backup_under_load_is_restored_and_goes_on() {
    let scratch = Scratch::new("backup");
    let engine = scratch.orders();
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
