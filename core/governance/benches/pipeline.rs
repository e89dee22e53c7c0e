//! What it costs to judge a change of 20 statements in a sector of 10,000 and of 100,000: applied, compiled, and judged by all stages; and
//! each stage's share of it.

#[path = "../tests/common/mod.rs"]
mod common;
#[path = "../../hot/benches/driver/mod.rs"]
mod driver;

use std::cell::RefCell;
use std::fmt::Write;
use std::rc::Rc;
use std::time::Instant;

use common::{Sector, parsed};
use driver::{Program, Sample, median};
use knhk_governance::{Candidate, Stage, Verdict};
use knhk_ontology::graph::{Delta, Term, Triple};

/// Runs of a round; fewer where each takes long.
const RUNS: usize = 15;
const LONG_RUNS: usize = 3;

/// Three quarters parameters with a range and a unit, one quarter instances of a class that shapes look at.
fn sector(statements: usize) -> Sector {
    let mut json = String::from("{");
    for parameter in 0..statements * 3 / 16 {
        let separator = if parameter == 0 { "" } else { ", " };
        match parameter % 10 {
            0 if parameter > 0 => _ = write!(json, "}}, \"group_{}\": {{", parameter / 10),
            0 => _ = write!(json, "\"group_0\": {{"),
            _ => json.push_str(separator),
        }
        _ = write!(
            json,
            "\"limit_{parameter}\": {{\"$value\": {parameter}, \"$min\": 0, \"$max\": 1000000, \"$unit\": \"lots\"}}"
        );
    }
    json.push_str("}}");
    let mut turtle = String::new();
    for instance in 0..statements / 16 {
        _ = writeln!(
            turtle,
            ":i{instance} a :Venue ; rdfs:label \"Venue {instance}\" ; :fee {instance} ; :near :i{} .",
            instance / 2
        );
    }
    for shape in 0..20 {
        _ = writeln!(turtle, ":Shape{shape} a sh:NodeShape ; sh:targetClass :Venue ; sh:property :Shape{shape}-p .");
        _ = writeln!(turtle, ":Shape{shape}-p sh:path :fee ; sh:minCount 1 ; sh:maxCount 1 ; sh:minInclusive 0 .");
    }
    Sector::named("orders", &json, &turtle)
}

/// Ten parameters with other values.
fn of_values(sector: &Sector) -> Delta {
    let graph = sector.snapshot.graph();
    let value = graph.terms().find_iri("urn:knhk:core:value").expect("it has values");
    let all: Vec<Triple> = graph.own().filter(|triple| triple.predicate == value).collect();
    let removed: Vec<Triple> = all.iter().step_by(all.len() / 10).take(10).copied().collect();
    let new = |triple: &Triple| Triple { object: Term::integer(500_001).expect("it is small"), ..*triple };
    let added = removed.iter().map(new).collect();
    Delta::new(graph, removed, added)
}

/// Five new parameters with four statements each.
fn of_names(sector: &Sector) -> Delta {
    let mut turtle = String::new();
    for new in 0..5 {
        _ = writeln!(
            turtle,
            "<urn:knhk:orders:group_{new}/new> knhk:value 7 ; knhk:min 0 ; knhk:max 9 ; knhk:unit \"lots\" ."
        );
    }
    Delta::new(sector.snapshot.graph(), Vec::new(), parsed(&sector.snapshot, &turtle))
}

/// Times of the runs of the last round, by what took them.
type Shares = Rc<RefCell<Vec<Vec<f64>>>>;

fn add(program: &mut Program, name: &'static str, size: usize, delta: fn(&Sector) -> Delta) {
    // Made when it is first asked for: each takes memory.
    let made: Rc<RefCell<Option<(Sector, Delta)>>> = Rc::default();
    let shares: Shares = Rc::new(RefCell::new(vec![Vec::new(); 2 + Stage::ALL.len()]));
    let (inside, told) = (shares.clone(), made.clone());
    program.add(name, move || {
        let mut made = told.borrow_mut();
        let (sector, delta) = made.get_or_insert_with(|| {
            let sector = sector(size);
            let delta = delta(&sector);
            assert_eq!(delta.len(), 20);
            (sector, delta)
        });
        let mut shares = inside.borrow_mut();
        shares.iter_mut().for_each(Vec::clear);
        for _ in 0..if size > 10_000 { LONG_RUNS } else { RUNS } {
            let began = Instant::now();
            let candidate = prepared(sector, delta);
            let prepared = began.elapsed();
            let report = sector.run(&candidate);
            shares[0].push(began.elapsed().as_nanos() as f64);
            shares[1].push(prepared.as_nanos() as f64);
            assert_eq!(report.verdict, Verdict::Passed, "{}", knhk_governance::render(&report));
            for (share, stage) in shares[2..].iter_mut().zip(&report.stages) {
                share.push(stage.duration_ns as f64);
            }
        }
        Sample { ns: median(&mut shares[0].clone()), ..Sample::default() }
    });
    let parts = ["prepare"].into_iter().chain(Stage::ALL.map(Stage::as_str));
    for (at, part) in parts.enumerate() {
        let shares = shares.clone();
        // A variant's name lives as long as the program.
        let name: &'static str = Box::leak(format!("{name}_{part}").into_boxed_str());
        program.add(name, move || {
            let mut share = shares.borrow()[at + 1].clone();
            let ns = if share.is_empty() { 0.0 } else { median(&mut share) };
            Sample { ns, ..Sample::default() }
        });
    }
}

fn prepared(sector: &Sector, delta: &Delta) -> Candidate {
    sector.by(delta.clone())
}

fn main() {
    let mut program = Program::default();
    add(&mut program, "pipeline_10k", 10_000, of_values);
    add(&mut program, "pipeline_10k_names", 10_000, of_names);
    add(&mut program, "pipeline_100k", 100_000, of_values);
    add(&mut program, "pipeline_100k_names", 100_000, of_names);
    program.run();
}
