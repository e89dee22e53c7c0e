//! Any bytes as a proof of an observation: refused, or read, written back as they were, and not taken for one that holds.
#![no_main]

mod keys;

use knhk_ledger::ObservationProof;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(proof) = ObservationProof::decode(bytes) {
        assert_eq!(proof.encode(), bytes);
        assert!(proof.verify(&[0; 64], &keys::keys()).is_err());
    }
});
