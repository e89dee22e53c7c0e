//! Keys: loaded, rotated, held elsewhere, and secret.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};

use knhk_ledger::{Ledger, LedgerError, PublicKey, Signer};
use knhk_store::{Batch, Store};

use crate::world::{World, signer, updated};

pub const SEED: [u8; 32] = *b"\x9d\x61\xb1\x9d\xef\xfd\x5a\x60\xba\x84\x4a\xf4\x92\xec\x2c\xc4\x44\x49\xc5\x69\x7b\x32\x69\x19\x70\x3b\xac\x03\x1c\xae\x7f\x60";

pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub fn write(path: &Path, content: impl AsRef<[u8]>, mode: u32) {
    fs::write(path, content).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

/// RFC 8032, 7.1: the first test's seed and public key (the seed's last byte aside, which its own vector has).
#[test]
fn a_known_key() {
    let seed: [u8; 32] = SEED;
    let public = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
    assert_eq!(hex(&Signer::from_seed(&seed).public().to_bytes()), public);
}

#[test]
fn keys_load_from_every_form_and_only_for_their_owner() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("key");
    let public = Signer::from_seed(&SEED).public();
    for (form, content) in
        [("raw", SEED.to_vec()), ("hex", hex(&SEED).into_bytes()), ("hex line", format!("{}\n", hex(&SEED)).into())]
    {
        write(&path, content, 0o600);
        assert_eq!(Signer::load(&path).unwrap().public(), public, "{form}");
    }
    fs::remove_file(&path).unwrap();
    Signer::from_seed(&SEED).save(&path).unwrap();
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(Signer::load(&path).unwrap().public(), public);
    assert!(Signer::from_seed(&SEED).save(&path).is_err(), "a key file is not overwritten");
    for mode in [0o640, 0o604, 0o620, 0o777] {
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        let error = Signer::load(&path).unwrap_err().to_string();
        assert!(error.contains("chmod 600"), "{error}");
    }
    fs::set_permissions(&path, fs::Permissions::from_mode(0o400)).unwrap();
    Signer::load(&path).unwrap();
    for content in [&b""[..], b"not a key", &[7; 31], &[b'g'; 64]] {
        write(&folder.path().join("other"), content, 0o600);
        assert!(matches!(Signer::load(&folder.path().join("other")), Err(LedgerError::KeyFile { .. })));
    }
    assert!(matches!(Signer::load(folder.path()), Err(LedgerError::KeyFile { .. })));
}

#[test]
fn openssl_reads_our_keys_and_we_read_its() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let openssl = |arguments: &[&str], file: &Path| {
        Command::new("openssl")
            .args(arguments)
            .arg(file)
            .output()
            .map(|output| (output.status.success(), output.stdout))
    };
    let Ok((made, _)) = openssl(&["genpkey", "-algorithm", "ed25519", "-out"], &path("theirs")) else {
        println!("skipped: openssl is not installed");
        return;
    };
    assert!(made);
    fs::set_permissions(path("theirs"), fs::Permissions::from_mode(0o600)).unwrap();
    let ours = Signer::generate().unwrap();
    ours.save(&path("ours")).unwrap();
    for (name, signer) in [("theirs", Signer::load(&path("theirs")).unwrap()), ("ours", ours)] {
        let (read, der) = openssl(&["pkey", "-pubout", "-outform", "DER", "-in"], &path(name)).unwrap();
        assert!(read, "openssl reads {name}");
        assert_eq!(der[der.len() - 32..], signer.public().to_bytes());
    }
}

#[test]
fn a_rotation_is_signed_by_both_and_survives_opening() {
    let world = World::new();
    world.ledger.append(vec![updated(1)]).unwrap();
    let rotated = world.ledger.rotate(signer(2), 5, Batch::new()).unwrap();
    assert_eq!(rotated.number, 2);
    world.ledger.append(vec![updated(2)]).unwrap();
    let again = world.ledger.rotate(signer(1), 6, Batch::new());
    assert!(matches!(again, Err(LedgerError::State { .. })), "a key that was the log's before does not come back");
    world.verify().unwrap();
    let open = |signer| Ledger::open(world.store.clone(), &world.root, signer, None);
    assert!(matches!(open(Some(signer(1))), Err(LedgerError::State { .. })), "the old key no longer signs");
    let ledger = open(Some(signer(2))).unwrap();
    let keys = ledger.keys().unwrap();
    assert_eq!((keys.at(2), keys.at(3)), (signer(1).public(), signer(2).public()));
    ledger.append(vec![updated(3)]).unwrap();
    assert!(matches!(open(None).unwrap().append(vec![updated(4)]), Err(LedgerError::ReadOnly)));
    let verified = world.verify().unwrap();
    assert_eq!((verified.receipts, verified.keys), (5, 2));
}

/// The newest checkpoint is before the rotation, as it is where the later ones were lost: the rotation is taken up from its receipt.
#[test]
fn a_rotation_after_the_newest_checkpoint_is_followed() {
    let world = World::new();
    world.ledger.append(vec![updated(1)]).unwrap();
    world.ledger.rotate(signer(2), 5, Batch::new()).unwrap();
    world.ledger.append(vec![updated(2)]).unwrap();
    world.tamper("DELETE FROM checkpoints WHERE size > 1");
    let ledger = Ledger::open(world.store.clone(), &world.root, Some(signer(2)), None).unwrap();
    ledger.append(vec![updated(3)]).unwrap();
    assert_eq!(world.verify().unwrap().keys, 2);
}

/// A rotation whose receipt is one at which a checkpoint is due: the new key signs it.
#[test]
fn a_rotation_where_a_checkpoint_is_due() {
    let world = World::new();
    world.ledger.append((0..254).map(updated).collect()).unwrap();
    world.ledger.rotate(signer(2), 5, Batch::new()).unwrap();
    assert_eq!(world.store.log_size(), Ok(256));
    world.verify().unwrap();
    Ledger::open(world.store.clone(), &world.root, Some(signer(2)), None).unwrap();
}

/// A callback of a key that lives elsewhere; `fail` has it refuse.
fn delegated(seed: u8, fail: Arc<Mutex<bool>>) -> Signer {
    use ed25519_dalek::Signer as _;
    let held = ed25519_dalek::SigningKey::from_bytes(&[seed; 32]);
    Signer::delegated(signer(1).public(), move |message| match *fail.lock().unwrap() {
        true => Err("the vault is sealed".into()),
        false => Ok(held.sign(message).to_bytes()),
    })
}

#[test]
fn a_key_held_elsewhere_signs() {
    let world = World::new();
    let fail = Arc::new(Mutex::new(false));
    let open = |signer| Ledger::open(world.store.clone(), &world.root, Some(signer), None).unwrap();
    let ledger = open(delegated(1, fail.clone()));
    ledger.append(vec![updated(1)]).unwrap();
    *fail.lock().unwrap() = true;
    let error = ledger.append(vec![updated(2)]).unwrap_err();
    assert_eq!(error, LedgerError::Signing { why: "the vault is sealed".into() });
    *fail.lock().unwrap() = false;
    ledger.append(vec![updated(2)]).unwrap();
    // One that signs with another key is found out before anything is stored.
    let wrong = open(delegated(3, fail));
    assert!(matches!(wrong.append(vec![updated(3)]), Err(LedgerError::Signing { .. })));
    assert_eq!(world.verify().unwrap().receipts, 3);
}

#[test]
fn weak_keys_are_refused() {
    // The neutral element, for which anyone can sign.
    let mut weak = [0; 32];
    weak[0] = 1;
    assert!(PublicKey::from_bytes(&weak).is_err());
    assert!(PublicKey::from_bytes(&[0xff; 32]).is_err());
}
