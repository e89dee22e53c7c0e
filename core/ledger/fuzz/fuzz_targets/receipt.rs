//! Any bytes as a COSE receipt: refused, or read and not taken for one that was signed.
#![no_main]

mod keys;

use knhk_ledger::{ConsistencyReceipt, InclusionReceipt};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(receipt) = InclusionReceipt::decode(bytes) {
        assert!(receipt.verify(b"a statement", &keys::keys()).is_err());
    }
    if let Ok(receipt) = ConsistencyReceipt::decode(bytes) {
        assert!(receipt.verify(&[1; 32], &[2; 32], &keys::keys()).is_err());
    }
});
