//! Signing keys: files, rotation, delegation.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use knhk_engine::{Engine, Options, Origin, SectorKind, Signer, Status};

use crate::scratch::{Scratch, whole};

fn promote(engine: &Engine, n: i64) -> u64 {
    engine.promote_json("orders", &format!(r#"{{"max_qty": {n}}}"#), Origin::default()).unwrap().version
}

fn options(change: impl FnOnce(&mut Options)) -> Options {
    let mut options = Options::default();
    change(&mut options);
    options
}

#[test]
fn the_folder_keeps_its_key_for_its_owner_alone_and_its_trust_root() {
    let scratch = Scratch::new("files");
    let engine = scratch.orders();
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
    assert_eq!(promote(&scratch.orders(), 2), 2);
}

#[test]
fn keys_rotate_and_the_folder_keeps_the_newest_alone() {
    let scratch = Scratch::new("rotate");
    let engine = scratch.orders();
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
    let engine = scratch.orders();
    assert_eq!(fs::read(scratch.at("signing.key")).unwrap(), second);
    promote(&engine, 3);
    drop(engine);
    // One before it was: the key that was to take over is the next one.
    let third = Signer::from_seed(&[3; 32]);
    third.save(&scratch.at("signing.key.new")).unwrap();
    let engine = scratch.orders();
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
    let engine = scratch.orders();
    assert!(scratch.at("signing.key").exists());
    let other = Signer::from_seed(&[10; 32]);
    engine.rotate_key(Some(other)).unwrap();
    assert!(!scratch.at("signing.key").exists(), "the caller keeps the key now");
    promote(&engine, 3);
    assert_eq!(whole(&engine).log.keys, 3);
    let again = engine.rotate_key(Some(held)).unwrap_err();
    assert_eq!(again.status(), Status::InvalidArgument, "{again}");
}
