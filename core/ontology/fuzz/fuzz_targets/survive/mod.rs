//! Any bytes as RDF: refused, or the graph gets labels, and is the same after each format.

use std::sync::Arc;

use knhk_ontology::Limits;
use knhk_ontology::graph::{Graph, Terms};
use knhk_ontology::rdf::{self, Format, RdfError, RdfErrorKind};

const FORMATS: [Format; 5] = [Format::Turtle, Format::NTriples, Format::NQuads, Format::JsonLd, Format::RdfXml];
const BASE: &str = "urn:knhk:fuzz:";

/// Limits small enough that what runs against them is met often, and quickly.
pub fn limits() -> Limits {
    let mut limits = Limits::default();
    (limits.bytes, limits.statements, limits.iri_bytes, limits.string_bytes) = (1 << 12, 500, 500, 1000);
    (limits.text_bytes, limits.blank_node_steps) = (1 << 16, 2_000);
    limits
}

/// Reads a graph over an empty core.
pub fn read(text: &[u8], format: Format, limits: &Limits) -> Result<Graph, RdfError> {
    let terms = Arc::new(Terms::new());
    let core = Graph::empty(terms.clone());
    rdf::parse_graph(text, format, BASE, &terms, limits, &core)
}

fn written(graph: &Graph, format: Format) -> Result<Vec<u8>, RdfError> {
    let mut out = Vec::new();
    rdf::write(graph, graph.own(), format, &mut out).map(|()| out)
}

/// The journey of one text: to one format and back, since all five take five times as long. Which one the text itself says, so that what
/// was found is found again.
#[allow(dead_code, reason = "the target of changes has a journey of its own")]
pub fn survive(text: &[u8], format: Format) {
    let Ok(graph) = read(text, format, &limits()) else { return };
    let lines = written(&graph, Format::NTriples).expect("lines say everything");
    let format = FORMATS[text.iter().map(|&byte| usize::from(byte)).sum::<usize>() % FORMATS.len()];
    let text = match written(&graph, format) {
        Ok(text) => text,
        Err(RdfError { kind: RdfErrorKind::PredicateName { .. } | RdfErrorKind::XmlCharacter { .. }, .. }) => return,
        Err(error) => panic!("{format}: {error}"),
    };
    let shown = || String::from_utf8_lossy(&text);
    // What is written may be longer than what the fuzzer's limits let in.
    let again = read(&text, format, &Limits::default()).unwrap_or_else(|error| panic!("{format}: {error}\n{}", shown()));
    let after = written(&again, Format::NTriples).expect("lines say everything");
    assert!(after == lines, "{format}:\n{}\n{}\n{}", shown(), String::from_utf8_lossy(&lines), String::from_utf8_lossy(&after));
}

/// Keeps the panics that reading JSON-LD turns into errors from ending the run.
pub fn quiet_readers() {
    let report = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if std::thread::current().name() != Some("knhk-json-ld") {
            report(panic);
        }
    }));
}
