//! What a lookup by a run-time string costs among 100,000 names of an artifact.

mod driver;
mod names;

use driver::Program;
use knhk_hot::artifact::{Artifact, Builder, Value};
use names::{NAMES, name, queries};

/// The slot of the map whose members are looked up.
const MAP: u32 = 0;

#[unsafe(no_mangle)]
#[inline(never)]
fn loop_rust_lookup(artifact: &Artifact, n: u64) -> u64 {
    let found = |query: &&str| artifact.lookup(Some(MAP), query).map_or(0, u64::from);
    queries().iter().cycle().take(n as usize).map(found).sum()
}

fn main() {
    let mut builder = Builder::new(NAMES as u32 + 1);
    builder.set(MAP, Value::Map).name(None, "tenants", MAP);
    for i in 0..NAMES {
        let slot = i as u32 + 1;
        builder.set(slot, Value::I64(i as i64)).name(Some(MAP), &name(i), slot);
    }
    let artifact = builder.finish().expect("the names fit");
    let mut program = Program::default();
    program.warmed("rust_lookup", NAMES, move |n| loop_rust_lookup(&artifact, n));
    program.run();
}
