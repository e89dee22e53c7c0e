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

/// What is measured: an engine in memory; one that leaves a receipt for each promotion; and one on a folder, where each is on the disk,
/// too. Those two are there for a round alone, so that their threads do not stand in the first one's way.
fn main() {
    let folder = tempfile::tempdir().expect("there is room for a folder");
    let two = [document(0), document(1)];
    // Each another content, which has to be stored.
    let documents: Vec<String> = (0..=PROMOTIONS).map(document).collect();
    let mut program = Program::default();
    let engine = opened(":memory:", Options::default(), &two[1]);
    program.add("promote_1000_values", move || round(&engine, &two));
    let texts = documents.clone();
    program.add("promote_1000_values_receipted", move || {
        let mut options = Options::default();
        options.signer = Some(Signer::from_seed(&[1; 32]));
        round(&opened(":memory:", options, &texts[PROMOTIONS]), &texts)
    });
    let mut rounds = 0;
    program.add("promote_1000_values_durable", move || {
        rounds += 1;
        let place = folder.path().join(rounds.to_string());
        let place = place.to_str().expect("the system's temporary folder has a name in UTF-8");
        round(&opened(place, Options::default(), &documents[PROMOTIONS]), &documents)
    });
    program.run();
}

fn opened(location: &str, options: Options, first: &str) -> Engine {
    let engine = Engine::open(location, options).expect("the engine opens");
    engine.create_sector("orders", SectorKind::Direct).expect("the name is new");
    promote(&engine, first);
    engine
}

fn promote(engine: &Engine, json: &str) {
    engine.promote_json("orders", json, Origin::default()).expect("the document is sound");
}

fn round(engine: &Engine, documents: &[String]) -> Sample {
    let mut taken: Vec<f64> = (0..PROMOTIONS)
        .map(|i| {
            let start = ticks();
            promote(engine, &documents[i % documents.len()]);
            (ticks() - start) as f64 * ns_per_tick()
        })
        .collect();
    let ns = median(&mut taken);
    let at = |share: f64| taken[(share * taken.len() as f64) as usize];
    Sample { ns, quantiles: Some([ns, at(0.99), at(0.999), taken[taken.len() - 1]]), ..Sample::default() }
}
