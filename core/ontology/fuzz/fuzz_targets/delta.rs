//! Any bytes as a sequence of changes of a graph.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../tests/changes/mod.rs"]
mod changes;

fuzz_target!(|bytes: &[u8]| changes::changes(bytes));
