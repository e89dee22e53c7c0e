//! Any bytes as a document: refused, or it survives every journey.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../tests/journey/mod.rs"]
mod journey;

fuzz_target!(|json: &[u8]| {
    journey::journey(json);
});
