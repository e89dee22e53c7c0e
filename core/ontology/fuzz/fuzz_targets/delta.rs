//! Any bytes as a sequence of changes of a graph.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../tests/changes/mod.rs"]
mod changes;

/// Of a sequence: enough for chunks to fill up, be divided and be merged, and few, since each change is compared with all that there is.
const BYTES: usize = 240;

fuzz_target!(|bytes: &[u8]| changes::changes(&bytes[..bytes.len().min(BYTES)]));
