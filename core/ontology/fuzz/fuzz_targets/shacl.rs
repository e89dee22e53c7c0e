//! Any text as shapes and data in one: refused, or validated, reported, and validated again after half of it is gone, as the whole.
#![no_main]

use std::sync::Arc;

use knhk_ontology::Limits;
use knhk_ontology::graph::{Delta, GraphBuilder, Terms};
use knhk_ontology::rdf::{self, Format};
use knhk_ontology::shacl::Shapes;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &[u8]| {
    let terms = Arc::new(Terms::new());
    let Ok(triples) = rdf::parse(text, Format::Turtle, "urn:fuzz:", &terms, &Limits::default()) else { return };
    let mut builder = GraphBuilder::new(terms.clone());
    triples.iter().for_each(|it| builder.push(it.subject, it.predicate, it.object));
    let graph = builder.finish();
    let shapes = match Shapes::compile(&graph) {
        Ok(shapes) => shapes,
        Err(error) => return assert!(!error.to_string().is_empty()),
    };
    let report = shapes.validate(&graph);
    assert_eq!(report.to_string().lines().count(), report.len().max(1));
    report.to_graph(&Arc::new(Terms::new()));
    let removed = graph.iter().step_by(2).collect();
    let delta = Delta::new(&graph, removed, Vec::new());
    let after = graph.apply(&delta);
    let lines = |report: &knhk_ontology::shacl::Report| report.results().map(|it| it.to_string()).collect::<Vec<_>>();
    assert_eq!(lines(&shapes.validate_delta(&graph, &after, &delta, &report)), lines(&shapes.validate(&after)));
});
