//! Trust roots and checkpoints: the log that is opened is the one that is trusted, and none of it was cut off.

use std::fs;

use knhk_engine::{Engine, Options, Origin, Signer, Status, VerifyOptions};

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
fn a_log_that_is_not_the_one_that_is_trusted_is_not_opened() {
    let (ours, theirs) = (Scratch::new("ours"), Scratch::new("theirs"));
    let engine = ours.orders();
    promote(&engine, 1);
    let root = engine.trust_root().unwrap();
    drop(engine);
    let engine = theirs.orders();
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
    promote(&scratch.orders(), 1);
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
    promote(&scratch.orders(), 1);
    assert!(!scratch.at("signing.key.new").exists() && !scratch.at("trust-root.new").exists());
    // Before the trust root had its name.
    fs::rename(scratch.at("trust-root"), scratch.at("trust-root.new")).unwrap();
    let picture = Engine::open_read_only(scratch.0.to_str().unwrap(), Options::default()).unwrap();
    assert!(picture.trust_root().is_some());
    assert_eq!(promote(&scratch.orders(), 2), 2);
    assert!(scratch.at("trust-root").exists());
}

#[test]
fn a_tail_that_was_cut_off_is_found_by_a_checkpoint_held_elsewhere() {
    let scratch = Scratch::new("tail");
    let engine = scratch.orders();
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
    let engine = scratch.orders();
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
