//! Any bytes as a statement: refused, or read and not taken for one that was signed.
#![no_main]

mod keys;

use knhk_ledger::Statement;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(statement) = Statement::decode(bytes) {
        assert!(!statement.claims.id().is_empty());
        assert!(statement.verify(&keys::keys().newest()).is_err());
    }
});
