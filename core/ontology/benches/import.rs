//! What the import of an ontology costs, from its text to its content address, beside bare parsing of the same text by oxttl.

#[path = "../../hot/benches/driver/mod.rs"]
mod driver;

use std::hint::black_box;
use std::path::Path;
use std::sync::Arc;

use driver::Program;
use knhk_ontology::graph::{Graph, GraphBuilder, Terms, Triple};
use knhk_ontology::merkle::Map;
use knhk_ontology::rdf::{self, Format};
use knhk_ontology::{Limits, canon};
use oxttl::TurtleParser;

fn parse(text: &[u8]) -> (Arc<Terms>, Vec<Triple>) {
    let terms = Arc::new(Terms::new());
    let triples = rdf::parse(text, Format::Turtle, "", &terms, &Limits::default()).expect("Brick is Turtle");
    (terms, triples)
}

fn build(core: &Graph, triples: &[Triple]) -> Graph {
    let mut builder = GraphBuilder::over(core);
    for triple in triples {
        builder.push(triple.subject, triple.predicate, triple.object);
    }
    builder.finish()
}

fn main() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/ontologies/brick-1.2.ttl");
    let text: &'static [u8] = std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display())).leak();
    let limits = Limits::default();
    let mut program = Program::default();
    program.plain("oxttl_parse_brick", 1, move |count| {
        let parse = |_| TurtleParser::new().for_slice(text).filter(|triple| black_box(triple).is_ok()).count() as u64;
        (0..count).map(parse).sum()
    });
    program.plain("import_brick", 1, move |count| {
        let import = |_| {
            let terms = Arc::new(Terms::new());
            let core = Graph::empty(terms.clone());
            let graph = rdf::parse_graph(text, Format::Turtle, "", &terms, &limits, &core).expect("Brick is Turtle");
            u64::from(Map::from_statements(&terms, graph.own()).root()[0])
        };
        (0..count).map(import).sum()
    });
    // The steps by themselves, to see where the time goes.
    program.plain("import_brick_parse", 1, move |count| (0..count).map(|_| parse(text).1.len() as u64).sum());
    let (terms, triples) = parse(text);
    let (names, unlabelled) = (terms.clone(), triples.clone());
    program.plain("import_brick_label", 1, move |count| {
        let label = |_| canon::label(unlabelled.clone(), &names, &limits).expect("Brick is harmless").len() as u64;
        (0..count).map(label).sum()
    });
    let core = Graph::empty(terms.clone());
    let graph = build(&core, &triples);
    program.plain("import_brick_graph", 1, move |count| (0..count).map(|_| build(&core, &triples).len() as u64).sum());
    program.plain("import_brick_address", 1, move |count| {
        (0..count).map(|_| u64::from(Map::from_statements(&terms, graph.own()).root()[0])).sum()
    });
    program.run();
}
