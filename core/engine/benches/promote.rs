//! What a promotion costs end to end, from the document's text to the swapped root, in memory: a document of 1,000 values, each
//! of which changes every time.

#[path = "../../hot/benches/driver/mod.rs"]
mod driver;

use std::fmt::Write;

use driver::{Program, Sample, median, ns_per_tick, ticks};
use knhk_engine::{Engine, Options, Origin, SectorKind};

const VALUES: usize = 1000;
const PROMOTIONS: usize = 60;

/// Numbers for the most part, with texts and switches between them, in groups of ten.
fn document(generation: usize) -> String {
    let mut json = String::from("{");
    for group in 0..VALUES / 10 {
        let separator = if group == 0 { "" } else { ", " };
        let base = group * 10 + generation;
        write!(json, "{separator}\"group_{group}\": {{").expect("a string takes any text");
        for i in 0..6 {
            write!(json, "\"count_{i}\": {}, ", base + i).expect("a string takes any text");
        }
        let even = base.is_multiple_of(2);
        write!(json, "\"share\": {base}.5, \"rate\": {base}.25, \"open\": {even}, \"name\": \"desk {base}\"}}")
            .expect("a string takes any text");
    }
    json + "}"
}

fn main() {
    let engine = Engine::open(":memory:", Options::default()).expect("the engine opens");
    engine.create_sector("orders", SectorKind::Direct).expect("the name is new");
    let documents = [document(0), document(1)];
    let promote = move |i: usize| {
        engine.promote_json("orders", &documents[i % 2], Origin::default()).expect("the document is sound")
    };
    promote(1);
    let mut program = Program::default();
    program.add("promote_1000_values", move || {
        let mut taken: Vec<f64> = (0..PROMOTIONS)
            .map(|i| {
                let start = ticks();
                promote(i);
                (ticks() - start) as f64 * ns_per_tick()
            })
            .collect();
        let ns = median(&mut taken);
        let at = |share: f64| taken[(share * taken.len() as f64) as usize];
        Sample { ns, quantiles: Some([ns, at(0.99), at(0.999), taken[taken.len() - 1]]), ..Sample::default() }
    });
    program.run();
}
