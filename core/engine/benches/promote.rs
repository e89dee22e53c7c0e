//! What a promotion costs end to end, from the document's text to the swapped root: a document of 1,000 values, each of which changes
//! every time.

#[path = "../../hot/benches/driver/mod.rs"]
mod driver;

use std::fmt::Write;

use driver::{Program, Sample, median, ns_per_tick, ticks};
use knhk_engine::{Engine, Options, Origin, SectorKind, Signer};

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

/// The engines that are measured: in memory; in memory with a receipt for each promotion; and on a folder, where each is on the disk, too.
fn main() {
    let folder = tempfile::tempdir().expect("there is room for a folder");
    let mut signed = Options::default();
    signed.signer = Some(Signer::from_seed(&[1; 32]));
    let place = folder.path().join("engine");
    let place = place.to_str().expect("the system's temporary folder has a name in UTF-8");
    let mut program = Program::default();
    program.add("promote_1000_values", promoting(":memory:", Options::default()));
    program.add("promote_1000_values_receipted", promoting(":memory:", signed));
    program.add("promote_1000_values_durable", promoting(place, Options::default()));
    program.run();
}

fn promoting(location: &str, options: Options) -> impl FnMut() -> Sample + 'static {
    let engine = Engine::open(location, options).expect("the engine opens");
    engine.create_sector("orders", SectorKind::Direct).expect("the name is new");
    let documents = [document(0), document(1)];
    let promote = move |i: usize| {
        engine.promote_json("orders", &documents[i % 2], Origin::default()).expect("the document is sound")
    };
    promote(1);
    move || {
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
    }
}
