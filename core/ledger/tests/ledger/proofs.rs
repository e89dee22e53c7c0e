//! Proofs hold, and nothing else passes for one.

use knhk_ledger::{
    Checkpoint, ConsistencyReceipt, InclusionReceipt, KeyRing, ObservationProof, TrustRoot, prove_observation,
};
use knhk_store::Store;

use crate::world::{ORIGIN, RECORD, World, observations, signer, updated};

/// Changes each byte of `bytes`, one at a time, by a bit that moves along.
fn each_flip(bytes: &[u8], mut see: impl FnMut(usize, &[u8])) {
    let mut changed = bytes.to_vec();
    for at in 0..bytes.len() {
        changed[at] ^= 1 << (at % 8);
        see(at, &changed);
        changed[at] ^= 1 << (at % 8);
    }
}

#[test]
fn inclusion() {
    let world = World::full(300);
    let keys = world.ledger.keys().unwrap();
    let size = world.store.log_size().unwrap();
    for number in [0, 256, size - 1] {
        let bytes = world.ledger.prove_inclusion(number).unwrap();
        let statement = world.store.receipt(number).unwrap().unwrap().statement;
        let receipt = InclusionReceipt::decode(&bytes).unwrap();
        assert_eq!((receipt.size, receipt.index), (size, number));
        receipt.verify(&statement, &keys).unwrap();
        let other = world.store.receipt((number + 1) % size).unwrap().unwrap().statement;
        receipt.verify(&other, &keys).unwrap_err();
        each_flip(&bytes, |at, changed| {
            let held = InclusionReceipt::decode(changed).is_ok_and(|receipt| receipt.verify(&statement, &keys).is_ok());
            assert!(!held, "byte {at} of the receipt for {number}");
        });
        let foreign = KeyRing::new(TrustRoot::new(ORIGIN, signer(7).public()).unwrap());
        receipt.verify(&statement, &foreign).unwrap_err();
    }
    assert!(world.ledger.prove_inclusion(size).is_err());
}

#[test]
fn consistency() {
    let world = World::new();
    let mut roots = vec![Checkpoint::decode(&world.ledger.checkpoint(1).unwrap()).unwrap().root];
    for n in 0..40 {
        world.ledger.append(vec![updated(n)]).unwrap();
        roots.push(Checkpoint::decode(&world.ledger.checkpoint(1).unwrap()).unwrap().root);
    }
    let keys = world.ledger.keys().unwrap();
    for (before, root) in roots.iter().enumerate() {
        let bytes = world.ledger.prove_consistency(before as u64 + 1).unwrap();
        let receipt = ConsistencyReceipt::decode(&bytes).unwrap();
        receipt.verify(root, &roots[40], &keys).unwrap();
        if before < 40 {
            receipt.verify(&roots[before + 1], &roots[40], &keys).unwrap_err();
            receipt.verify(root, &roots[39], &keys).unwrap_err();
        }
        if ![0, 6, 7, 20].contains(&before) {
            continue;
        }
        each_flip(&bytes, |at, changed| {
            let held = ConsistencyReceipt::decode(changed).is_ok_and(|r| r.verify(root, &roots[40], &keys).is_ok());
            assert!(!held, "byte {at} of the receipt from {}", before + 1);
        });
    }
    assert!(world.ledger.prove_consistency(0).is_err());
    assert!(world.ledger.prove_consistency(42).is_err());
}

#[test]
fn an_observation_of_a_batch() {
    let world = World::full(3);
    let keys = world.ledger.keys().unwrap();
    for (segment, count) in [(0, 100), (1, 1), (2, 33)] {
        let stored = world.store.segment(segment).unwrap().unwrap();
        let statement = world.store.receipt(stored.receipt.unwrap()).unwrap().unwrap().statement;
        let records = observations(segment, count);
        for index in 0..count {
            let record = &records[index * RECORD..(index + 1) * RECORD];
            let proof = prove_observation(&statement, &records, RECORD, index as u64).unwrap();
            let bytes = proof.encode();
            let read = ObservationProof::decode(&bytes).unwrap();
            assert_eq!(read, proof);
            assert_eq!(read.verify(record, &keys).unwrap().claims.number, stored.receipt.unwrap());
            let mut changed = record.to_vec();
            changed[index % RECORD] ^= 1;
            read.verify(&changed, &keys).unwrap_err();
        }
        let proof = prove_observation(&statement, &records, RECORD, 0).unwrap().encode();
        each_flip(&proof, |at, changed| {
            let held =
                ObservationProof::decode(changed).is_ok_and(|proof| proof.verify(&records[..RECORD], &keys).is_ok());
            assert!(!held, "byte {at} of segment {segment}'s proof");
        });
        assert!(prove_observation(&statement, &records, RECORD, count as u64).is_err());
        assert!(prove_observation(&statement, &records[1..], RECORD, 0).is_err());
    }
}

#[test]
fn checkpoints_are_signed_notes() {
    let world = World::full(3);
    let keys = world.ledger.keys().unwrap();
    let note = world.ledger.checkpoint(9).unwrap();
    let lines: Vec<&str> = note.split('\n').collect();
    assert_eq!((lines[0], lines[1], lines[3]), (ORIGIN, world.store.log_size().unwrap().to_string().as_str(), ""));
    assert!(lines[4].starts_with(&format!("\u{2014} {ORIGIN} ")) && lines[5..] == [""], "{note}");
    let checkpoint = Checkpoint::decode(&note).unwrap();
    checkpoint.verify(&keys).unwrap();
    // The key of before the rotation is no longer the log's.
    checkpoint.verify(&KeyRing::new(world.root.clone())).unwrap_err();
    each_flip(note.as_bytes(), |at, changed| {
        let Ok(text) = std::str::from_utf8(changed) else { return };
        let held = Checkpoint::decode(text).is_ok_and(|checkpoint| checkpoint.verify(&keys).is_ok());
        assert!(!held, "byte {at} of the note");
    });
    // A witness signs beside the log.
    let witnessed = format!("{note}\u{2014} witness.example/w AAAAAAAAAAAA\n");
    Checkpoint::decode(&witnessed).unwrap().verify(&keys).unwrap();
    for text in ["", "a", "a\n1\n\n", "a\n01\nAAAA\n\n\u{2014} a AAAAAAAA\n", &note.replace('\u{2014}', "-")] {
        assert!(Checkpoint::decode(text).is_err(), "{text:?}");
    }
    for checkpoint in world.store.checkpoints(0).unwrap() {
        Checkpoint::decode(&checkpoint.note).unwrap().verify(&keys).unwrap();
    }
}

#[test]
fn trust_roots_are_verifier_keys() {
    let world = World::new();
    let text = world.root.to_string();
    assert_eq!(text.parse::<TrustRoot>().unwrap(), world.root);
    assert!(text.starts_with("example.org/orders+") && text.matches('+').count() >= 2, "{text}");
    for changed in [text.replace("orders", "order"), text.replacen('+', "+0", 1), text[..text.len() - 2].into()] {
        assert!(changed.parse::<TrustRoot>().is_err(), "{changed}");
    }
    for origin in ["", "a b", "a+b", "a\nb"] {
        assert!(TrustRoot::new(origin, signer(1).public()).is_err(), "{origin:?}");
    }
}
