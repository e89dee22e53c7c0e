//! What the graph costs: building it, asking it, and applying a ΔΣ to it and to its Merkle map; `oxrdf::Graph` as the peer.

#[path = "../../hot/benches/driver/mod.rs"]
mod driver;

use std::sync::Arc;

use driver::{Program, Sample, median, ns_per_tick, ticks};
use knhk_ontology::graph::{Delta, Graph, GraphBuilder, Term, Terms, Triple};
use knhk_ontology::merkle::Map;
use knhk_ontology::vocabulary::{rdf, xsd};
use oxrdf::{LiteralRef, NamedNodeRef, TermRef, TripleRef};

const LARGE: usize = 100_000;
const IMPORTED: usize = 50_000;
/// Statements of the ΔΣ: as many go as come.
const CHANGED: usize = 100;
/// Different changes, each applied once a round.
const CHANGES: usize = 15;
/// Builds of a round: they take long.
const BUILDS: usize = 2;

/// One of four statements about each subject: class, label, number, link.
struct Said {
    subject: String,
    predicate: &'static str,
    object: Object,
}

enum Object {
    Iri(String),
    Literal(String, &'static str),
}

const LABEL: &str = "http://www.w3.org/2000/01/rdf-schema#label";
const CAPACITY: &str = "https://example.org/plant#capacity";
const FEEDS: &str = "https://example.org/plant#feeds";

fn subject(i: usize) -> String {
    format!("https://example.org/plant/line-{}/unit-{i}", i % 40)
}

fn statements(count: usize) -> Vec<Said> {
    let said = |i: usize| {
        let unit = i / 4;
        let (predicate, object) = match i % 4 {
            0 => (rdf::TYPE, Object::Iri(format!("https://example.org/plant#Class{}", unit % 50))),
            1 => (LABEL, Object::Literal(format!("Unit {unit} of the plant"), xsd::STRING)),
            2 => (CAPACITY, Object::Literal((unit * 7 % 1000).to_string(), xsd::INTEGER)),
            _ => (FEEDS, Object::Iri(subject(unit * 31 % (count / 4)))),
        };
        Said { subject: subject(unit), predicate, object }
    };
    (0..count).map(said).collect()
}

fn ours(statements: &[Said]) -> Graph {
    let terms = Arc::new(Terms::new());
    let mut builder = GraphBuilder::new(terms.clone());
    builder.reserve(statements.len());
    let mut writer = terms.writer();
    for said in statements {
        let (subject, predicate) = (writer.iri(&said.subject), writer.iri(said.predicate));
        let object = match &said.object {
            Object::Iri(iri) => writer.iri(iri),
            Object::Literal(lexical, datatype) => writer.literal(lexical, datatype),
        };
        builder.push(subject, predicate, object);
    }
    drop(writer);
    builder.finish()
}

fn theirs(statements: &[Said]) -> oxrdf::Graph {
    let mut graph = oxrdf::Graph::new();
    for said in statements {
        graph.insert(their_triple(said));
    }
    graph
}

fn their_triple(said: &Said) -> TripleRef<'_> {
    let object: TermRef<'_> = match &said.object {
        Object::Iri(iri) => NamedNodeRef::new_unchecked(iri).into(),
        Object::Literal(lexical, xsd::STRING) => LiteralRef::new_simple_literal(lexical).into(),
        Object::Literal(lexical, datatype) => {
            LiteralRef::new_typed_literal(lexical, NamedNodeRef::new_unchecked(datatype)).into()
        }
    };
    let (subject, predicate) = (&said.subject, said.predicate);
    TripleRef::new(NamedNodeRef::new_unchecked(subject), NamedNodeRef::new_unchecked(predicate), object)
}

/// The median over some runs of what takes long, in nanoseconds.
fn timed<T>(times: usize, mut run: impl FnMut(usize) -> T) -> Sample {
    let mut taken: Vec<f64> = (0..times)
        .map(|i| {
            let start = ticks();
            let result = run(i);
            let taken = (ticks() - start) as f64 * ns_per_tick();
            drop(result);
            taken
        })
        .collect();
    Sample { ns: median(&mut taken), ..Sample::default() }
}

/// Changes spread over a graph, each of 50 statements that go and 50 that come.
fn deltas(graph: &Graph) -> Vec<Delta> {
    let all: Vec<Triple> = graph.iter().collect();
    let step = all.len() / (CHANGED / 2);
    let delta = |i: usize| {
        let removed: Vec<Triple> = all.iter().skip(i * 7).step_by(step).take(CHANGED / 2).copied().collect();
        let new = Term::integer(1_000_000 + i as i64).expect("the number is small");
        let added = removed.iter().map(|&triple| Triple { object: new, ..triple }).collect();
        Delta::new(graph, removed, added)
    };
    (0..CHANGES).map(delta).collect()
}

fn main() {
    let mut program = Program::default();
    let (said, peer) = (statements(IMPORTED), statements(IMPORTED));
    program.add("graph_build_50k", move || timed(BUILDS, |_| ours(&said)));
    program.add("oxrdf_build_50k", move || timed(BUILDS, |_| theirs(&peer)));

    let said = statements(LARGE);
    let graph = ours(&said);
    let map = Map::from_statements(graph.terms(), graph.iter());
    let all: Vec<Triple> = graph.iter().collect();
    let statement: Vec<Triple> = (0..LARGE).map(|i| all[i * 37 % LARGE]).collect();
    let changes = deltas(&graph);

    let (before, image, by_subject) = (graph.clone(), map.clone(), changes.clone());
    program.add("delta_100_on_100k", move || {
        timed(CHANGES, |i| (before.apply(&by_subject[i]), image.apply(before.terms(), &by_subject[i])))
    });
    // A graph that was asked by predicate and by object carries these orders along.
    let queried = ours(&said);
    let (asked, image) = (Term::integer(1).expect("the number is small"), map.clone());
    let _ = (queried.subjects(statement[0].predicate, asked).count(), queried.with_object(asked).count());
    let all_orders = deltas(&queried);
    program.add("delta_100_on_100k_three_orders", move || {
        timed(CHANGES, |i| (queried.apply(&all_orders[i]), image.apply(queried.terms(), &all_orders[i])))
    });
    let (asked, triples) = (graph.clone(), statement.clone());
    program.warmed("graph_contains", 10_000, move |n| {
        triples.iter().cycle().take(n as usize).map(|&triple| u64::from(asked.contains(triple))).sum()
    });
    let (asked, triples) = (graph.clone(), statement);
    program.warmed("graph_objects", 10_000, move |n| {
        let objects = |triple: &Triple| asked.objects(triple.subject, triple.predicate).count() as u64;
        triples.iter().cycle().take(n as usize).map(objects).sum()
    });
    let peer = theirs(&said);
    let said = Arc::new(said);
    let order: Vec<usize> = (0..LARGE).map(|i| i * 37 % LARGE).collect();
    let (asked, texts, at) = (peer.clone(), said.clone(), order.clone());
    program.warmed("oxrdf_contains", 10_000, move |n| {
        at.iter().cycle().take(n as usize).map(|&i| u64::from(asked.contains(their_triple(&texts[i])))).sum()
    });
    program.warmed("oxrdf_objects", 10_000, move |n| {
        let objects = |&i: &usize| {
            let triple = their_triple(&said[i]);
            peer.objects_for_subject_predicate(triple.subject, triple.predicate).count() as u64
        };
        order.iter().cycle().take(n as usize).map(objects).sum()
    });
    let statements: Vec<Triple> = graph.iter().collect();
    program
        .add("map_of_100k", move || timed(BUILDS, |_| Map::from_statements(graph.terms(), statements.iter().copied())));
    program.run();
}
