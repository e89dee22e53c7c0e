//! Any text as guards, as approvers, as one guard: refused with a reason, or read and written so that it reads the same.
#![no_main]

use knhk_governance::approval::Approvers;
use knhk_governance::guard::{Guard, Guards};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    for guards in [Guards::from_toml(text), Guards::from_json(text)].into_iter().flatten() {
        assert_eq!(Guards::from_toml(&guards.to_toml()).expect("it was written so"), guards);
        assert_eq!(Guards::from_json(&guards.to_json()).expect("it was written so").digest(), guards.digest());
    }
    if let Ok(guard) = Guard::from_json(text) {
        assert_eq!(Guard::from_json(&guard.to_json()).expect("it was written so").hash(), guard.hash());
    }
    for set in [Approvers::from_toml(text), Approvers::from_json(text)].into_iter().flatten() {
        assert_eq!(Approvers::from_toml(&set.to_toml()).expect("it was written so"), set);
        assert_eq!(Approvers::from_json(&set.to_json()).expect("it was written so").digest(), set.digest());
    }
});
