//! Any text as a checkpoint or a trust root: refused, or read; a checkpoint is not taken for one that was signed, and a trust root is
//! written back as it was.
#![no_main]

mod keys;

use knhk_ledger::{Checkpoint, TrustRoot};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Ok(checkpoint) = Checkpoint::decode(text) {
        assert!(checkpoint.verify(&keys::keys()).is_err());
    }
    if let Ok(root) = text.parse::<TrustRoot>() {
        assert_eq!(root.to_string(), text);
    }
});
