//! Turtle into graphs.

use std::sync::Arc;

use knhk_ontology::graph::{Graph, GraphBuilder, Term, Terms};
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

/// A graph from Turtle. Blank nodes keep their labels.
pub fn parse(terms: &Arc<Terms>, turtle: &str, base: &str) -> Graph {
    let mut builder = GraphBuilder::new(terms.clone());
    let parser = oxttl::TurtleParser::new().with_base_iri(base).expect("the base is an IRI");
    for triple in parser.for_slice(turtle) {
        let triple = triple.unwrap_or_else(|error| panic!("{base}: {error}"));
        let subject = match &triple.subject {
            oxrdf::NamedOrBlankNode::NamedNode(iri) => terms.iri(iri.as_str()),
            oxrdf::NamedOrBlankNode::BlankNode(node) => terms.blank(node.as_str()),
        };
        builder.push(subject, terms.iri(triple.predicate.as_str()), term(terms, &triple.object));
    }
    builder.finish()
}

fn term(terms: &Terms, term: &oxrdf::Term) -> Term {
    match term {
        oxrdf::Term::NamedNode(iri) => terms.iri(iri.as_str()),
        oxrdf::Term::BlankNode(node) => terms.blank(node.as_str()),
        oxrdf::Term::Literal(literal) => match literal.language() {
            Some(language) => terms.language_literal(literal.value(), language),
            None => terms.literal(literal.value(), literal.datatype().as_str()),
        },
    }
}

/// An `xsd:integer`.
#[allow(dead_code, reason = "not every test that shares this file needs it")]
pub fn integer(terms: &Terms, value: i64) -> Term {
    terms.literal(&value.to_string(), xsd::INTEGER)
}
