//! Any bytes as a proof: refused, or written again as the same bytes; and a proof of nothing that was not asked for.
#![no_main]

use knhk_ontology::merkle::Proof;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(proof) = Proof::from_bytes(bytes) {
        assert_eq!(proof.to_bytes(), bytes);
        assert!(!proof.verify(&[7; 32], b"<urn:s> <urn:p> <urn:o> .\n"));
    }
});
