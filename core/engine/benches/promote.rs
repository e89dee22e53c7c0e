//! What a promotion costs end to end, from the document's text to the swapped root: a document of 1,000 values, each of which changes
//! every time.

#[path = "../../hot/benches/driver/mod.rs"]
mod driver;

use std::any::Any;
use std::fmt::Write;
use std::sync::{Arc, Mutex};

use driver::{Program, Sample, median, ns_per_tick, ticks};
use knhk_engine::{Engine, Options, Origin, SectorKind, Signer};
use knhk_hot::Hot;
use knhk_ontology::{Aside, Document, KeyTable, Limits};
use knhk_promotion::{Guard, NoJournal, Part, Sector, Step, Together};

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
    let (rolled, mut newest) = (opened(":memory:", Options::default(), &document(0)), 3);
    (1..3).for_each(|n| promote(&rolled, &document(n)));
    program.add("rollback", move || {
        timed(|| {
            let start = ticks();
            rolled.rollback("orders", newest - 1, Origin::default()).expect("it is retained");
            newest += 1;
            ticks() - start
        })
    });
    let joint = Joint::new();
    let eight = joint.clone();
    program.add("prepare_8_sectors", move || timed(|| eight.round().0));
    program.add("commit_8_sectors", move || timed(|| joint.round().1));
    program.run();
}

/// Eight sectors of 100 values each, which change together.
#[derive(Clone)]
struct Joint(std::rc::Rc<Eight>);

type Eight = (Hot, Vec<Sector>, Arc<Later>, std::cell::Cell<i64>);

/// Keeps what a commit leaves behind until it is over, as an engine keeps it for its clock's thread.
#[derive(Default)]
struct Later(Mutex<Vec<Box<dyn Any + Send>>>);

impl Later {
    fn free(&self) {
        self.0.lock().expect("nothing panics under it").clear();
    }
}

impl Aside for Later {
    fn submit(&self, _: Box<dyn FnOnce() + Send>) {}

    fn discard(&self, garbage: Box<dyn Any + Send>) {
        self.0.lock().expect("nothing panics under it").push(garbage);
    }
}

impl Joint {
    fn new() -> Joint {
        let hot = Hot::new(knhk_hot::Options::default()).expect("memory for one engine");
        let later = Arc::<Later>::default();
        let sector = |number| {
            let name = format!("s{number}");
            Sector::new(&name, number, SectorKind::Direct, KeyTable::default(), 4).with_aside(later.clone())
        };
        let sectors = (0..8).map(sector).collect();
        let joint = Joint(std::rc::Rc::new((hot, sectors, later, std::cell::Cell::new(0))));
        // Until the histories are full, as they are in a program that runs for long.
        (0..8).for_each(|_| _ = joint.round());
        joint
    }

    /// Prepares all and commits them; the ticks of each.
    fn round(&self) -> (u64, u64) {
        let (hot, sectors, later, generation) = &*self.0;
        generation.set(generation.get() + 1);
        let values: Vec<String> = (0..100).map(|at| format!("\"v{at}\": {}", at + generation.get())).collect();
        let document = Document::parse(format!("{{{}}}", values.join(", ")).as_bytes(), &Limits::default());
        let document = document.expect("the document is sound");
        let part = |sector| Part { sector, step: Step::Content(document.clone().into()), origin: Origin::default() };
        let parts = sectors.iter().map(part).collect();
        let start = ticks();
        let prepared = Together::prepare(hot, &NoJournal, parts, std::time::Duration::from_secs(10));
        let (ready, verified) = prepared.expect("nothing is in the way");
        let guards = verified.into_iter().map(Guard::new).collect();
        let begun = ticks();
        let versions = ready.promote(guards).expect("nothing is in the way");
        let done = ticks();
        hot.reclaim();
        later.free();
        drop(versions);
        (begun - start, done - begun)
    }
}

/// The quantiles of what `once` says that it took, in ticks.
fn timed(mut once: impl FnMut() -> u64) -> Sample {
    let mut taken: Vec<f64> = (0..PROMOTIONS).map(|_| once() as f64 * ns_per_tick()).collect();
    let ns = median(&mut taken);
    let at = |share: f64| taken[(share * taken.len() as f64) as usize];
    Sample { ns, quantiles: Some([ns, at(0.99), at(0.999), taken[taken.len() - 1]]), ..Sample::default() }
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
    let mut next = 0;
    timed(|| {
        let start = ticks();
        promote(engine, &documents[next % documents.len()]);
        next += 1;
        ticks() - start
    })
}
