//! What validation costs: 10,000 statements against twenty shapes, and a change of ten statements on 100,000 that were validated.
//! The peers are in tests/oracles/shacl.

#[path = "../../hot/benches/driver/mod.rs"]
mod driver;
#[path = "shacl_workload/mod.rs"]
mod workload;

use std::sync::Arc;
use std::sync::mpsc::{SyncSender, sync_channel};

use driver::Program;
use knhk_ontology::graph::{Delta, Graph, GraphBuilder, Terms, Triple};
use knhk_ontology::rdf::{self, Format};
use knhk_ontology::shacl::Shapes;
use knhk_ontology::vocabulary::xsd;
use knhk_ontology::{Aside, Limits};

/// Orders of which a change gives quantity to another: one statement goes and one comes for each.
const CHANGED: usize = 5;

fn graph(terms: &Arc<Terms>, turtle: &str) -> Graph {
    let triples = rdf::parse(turtle.as_bytes(), Format::Turtle, "", terms, &Limits::default());
    let mut builder = GraphBuilder::new(terms.clone());
    for Triple { subject, predicate, object } in triples.expect("the workload is Turtle") {
        builder.push(subject, predicate, object);
    }
    builder.finish()
}

/// The shapes, and data of so many statements.
fn workload(statements: usize) -> (Shapes, Graph) {
    let terms = Arc::new(Terms::new());
    let shapes = Shapes::compile(&graph(&terms, &workload::shapes())).expect("the shapes are SHACL Core");
    let data = graph(&terms, &workload::data(statements));
    assert_eq!(data.len(), statements);
    assert_eq!(shapes.names().count(), 20);
    (shapes, data)
}

/// The change that sets the quantities of some orders.
fn change(data: &Graph, turn: usize) -> Delta {
    let terms = data.terms();
    let ex = |name: &str| terms.iri(&format!("http://example.org/{name}"));
    let qty = ex("qty");
    let (mut removed, mut added) = (Vec::new(), Vec::new());
    for at in 0..CHANGED {
        let order = ex(&format!("order{}", (turn * 31 + at * 17) % 1000));
        let old = data.objects(order, qty).next().expect("an order has a quantity");
        // Every tenth is above the maximum.
        let new = if (turn + at).is_multiple_of(10) { 6000 + turn } else { 1 + (turn * 13 + at) % 4000 };
        removed.push(Triple { subject: order, predicate: qty, object: old });
        added.push(Triple { subject: order, predicate: qty, object: terms.literal(&new.to_string(), xsd::INTEGER) });
    }
    Delta::new(data, removed, added)
}

/// A second thread, as an engine has one.
struct Second(SyncSender<Box<dyn FnOnce() + Send>>);

impl Second {
    fn start() -> Second {
        let (jobs, taken) = sync_channel::<Box<dyn FnOnce() + Send>>(1);
        std::thread::spawn(move || taken.into_iter().for_each(|job| job()));
        Second(jobs)
    }
}

impl Aside for Second {
    fn submit(&self, job: Box<dyn FnOnce() + Send>) {
        _ = self.0.try_send(job);
    }
}

fn main() {
    let mut program = Program::default();
    let (shapes, data) = workload(10_000);
    let found = shapes.validate(&data).len();
    assert_eq!(found, 20, "one record in fifty of each of five kinds breaks a shape");
    program.warmed("shacl_10k", 4, move |times| (0..times).map(|_| shapes.validate(&data).len() as u64).sum());
    let (shapes, data) = workload(10_000);
    let second = Second::start();
    program.warmed("shacl_10k_two_threads", 4, move |times| {
        (0..times).map(|_| shapes.validate_with(&data, &second).len() as u64).sum()
    });
    let (shapes, mut data) = workload(100_000);
    let mut report = shapes.validate(&data);
    let mut turn = 0;
    program.warmed("shacl_delta_10_on_100k", 16, move |times| {
        for _ in 0..times {
            turn += 1;
            let delta = change(&data, turn);
            let after = data.apply(&delta);
            report = shapes.validate_delta(&data, &after, &delta, &report);
            data = after;
        }
        report.len() as u64
    });
    program.run();
}
