//! Turtle into graphs.

use std::sync::Arc;

use knhk_ontology::Limits;
use knhk_ontology::graph::{Graph, GraphBuilder, Term, Terms, Triple};
use knhk_ontology::rdf::{self, Format};
use knhk_ontology::vocabulary::xsd;

/// What every test's Turtle may use.
pub const PREFIXES: &str = "
    @prefix ex: <http://example.org/> .
    @prefix owl: <http://www.w3.org/2002/07/owl#> .
    @prefix rdf: <http://www.w3.org/1999/02/22-rdf-syntax-ns#> .
    @prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
    @prefix sh: <http://www.w3.org/ns/shacl#> .
    @prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
";

/// A graph from Turtle with the usual prefixes.
pub fn graph(terms: &Arc<Terms>, turtle: &str) -> Graph {
    parse(terms, &format!("{PREFIXES}{turtle}"), "http://example.org/")
}

/// A graph from Turtle.
pub fn parse(terms: &Arc<Terms>, turtle: &str, base: &str) -> Graph {
    let triples = rdf::parse(turtle.as_bytes(), Format::Turtle, base, terms, &Limits::default());
    let mut builder = GraphBuilder::new(terms.clone());
    for Triple { subject, predicate, object } in triples.unwrap_or_else(|error| panic!("{base}: {error}")) {
        builder.push(subject, predicate, object);
    }
    builder.finish()
}

/// An `xsd:integer`.
#[allow(dead_code, reason = "not every test that shares this file needs it")]
pub fn integer(terms: &Terms, value: i64) -> Term {
    terms.literal(&value.to_string(), xsd::INTEGER)
}
