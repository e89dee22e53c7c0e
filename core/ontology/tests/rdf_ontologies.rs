//! Published ontologies load, get RDFC-1.0's own labels, and survive every format.

use std::path::Path;
use std::sync::Arc;

use knhk_ontology::graph::{Graph, Terms};
use knhk_ontology::rdf::{self, Format};
use knhk_ontology::{Limits, canon};

mod oracle;

/// The files, and how many statements each has.
const FILES: [(&str, Format, usize); 4] = [
    ("gs1Voc.ttl", Format::Turtle, 18_395),
    ("iof-core.rdf", Format::RdfXml, 3_889),
    ("brick-1.2.ttl", Format::Turtle, 31_598),
    ("brick-soda-hall.ttl", Format::Turtle, 3_774),
];

const FORMATS: [Format; 5] = [Format::Turtle, Format::NTriples, Format::NQuads, Format::JsonLd, Format::RdfXml];

fn text(name: &str) -> Option<Vec<u8>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/ontologies").join(name);
    match std::fs::read(&path) {
        Ok(text) => Some(text),
        Err(_) => {
            eprintln!("skipped: {} is not there", path.display());
            None
        }
    }
}

fn graph(text: &[u8], format: Format) -> Graph {
    let terms = Arc::new(Terms::new());
    let core = Graph::empty(terms.clone());
    rdf::parse_graph(text, format, "", &terms, &Limits::default(), &core).unwrap_or_else(|error| panic!("{error}"))
}

fn written(graph: &Graph, format: Format) -> Vec<u8> {
    let mut out = Vec::new();
    rdf::write(graph, graph.own(), format, &mut out).unwrap_or_else(|error| panic!("{error}"));
    out
}

#[test]
fn ontologies_survive_every_format() {
    for (name, format, statements) in FILES {
        let Some(text) = text(name) else { continue };
        let graph = graph(&text, format);
        assert_eq!(graph.len(), statements, "{name}");
        let lines = written(&graph, Format::NTriples);
        for format in FORMATS {
            if (name, format) == ("gs1Voc.ttl", Format::RdfXml) {
                continue; // see the test below
            }
            let text = written(&graph, format);
            let again = self::graph(&text, format);
            assert_eq!(again.len(), graph.len(), "{name} through {format}");
            assert!(written(&again, Format::NTriples) == lines, "{name} is not itself after {format}");
            assert!(written(&again, format) == text, "{name} is written otherwise the second time as {format}");
        }
    }
}

#[test]
fn ontologies_get_the_labels_of_an_independent_implementation() {
    for (name, format, _) in FILES {
        let Some(text) = text(name) else { continue };
        let terms = Arc::new(Terms::new());
        let triples =
            rdf::parse(&text, format, "", &terms, &Limits::default()).unwrap_or_else(|error| panic!("{error}"));
        let labelled =
            canon::label(triples.clone(), &terms, &Limits::default()).unwrap_or_else(|error| panic!("{error}"));
        assert!(oracle::lines(&labelled, &terms) == oracle::canonical(&triples, &terms), "{name}");
    }
}

#[test]
fn what_rdf_xml_cannot_say_is_refused_by_name() {
    let Some(text) = text("gs1Voc.ttl") else { return };
    let graph = graph(&text, Format::Turtle);
    let mut out = Vec::new();
    let refused = rdf::write(&graph, graph.own(), Format::RdfXml, &mut out)
        .expect_err("GS1 has a predicate that ends in a colon");
    assert!(
        refused.to_string().contains("`http://purl.org/dc/elements/1.1/description:` cannot be an XML element's"),
        "{refused}"
    );
    assert!(out.is_empty());
}
