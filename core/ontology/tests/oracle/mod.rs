//! The canonical lines of a graph as oxrdf's implementation of RDFC-1.0 gives them.

use knhk_ontology::graph::{self, Term, TermRef, Terms, Triple};
use oxrdf::dataset::{CanonicalizationAlgorithm, CanonicalizationHashAlgorithm};
use oxrdf::{BlankNode, Dataset, GraphName, Literal, NamedNode, NamedOrBlankNode, Quad};

/// Our own lines, sorted.
pub fn lines(triples: &[Triple], terms: &Terms) -> Vec<String> {
    let mut lines: Vec<String> = triples.iter().map(|&triple| line(triple, terms)).collect();
    lines.sort_unstable();
    lines.dedup();
    lines
}

fn line(triple: Triple, terms: &Terms) -> String {
    let mut out = Vec::new();
    graph::write_statement(terms, triple, &mut out);
    String::from_utf8(out).expect("terms are UTF-8")
}

/// The lines after the other implementation has labelled the blank nodes.
pub fn canonical(triples: &[Triple], terms: &Terms) -> Vec<String> {
    let mut dataset = Dataset::new();
    for triple in triples {
        let quad = Quad::new(
            node(triple.subject, terms),
            name(triple.predicate, terms),
            value(triple.object, terms),
            GraphName::DefaultGraph,
        );
        dataset.insert(&quad);
    }
    let issued = dataset.canonicalize_blank_nodes(CanonicalizationAlgorithm::Rdfc10 {
        hash_algorithm: CanonicalizationHashAlgorithm::Sha256,
    });
    let issued: std::collections::HashMap<BlankNode, String> =
        issued.into_iter().map(|(from, to)| (from.into_owned(), to.as_str().to_owned())).collect();
    let relabelled: Vec<Triple> = triples
        .iter()
        .map(|triple| {
            let label = |term: Term| match terms.get(term) {
                TermRef::Blank(label) => terms.blank(&issued[&BlankNode::new_unchecked(label)]),
                _ => term,
            };
            Triple { subject: label(triple.subject), object: label(triple.object), ..*triple }
        })
        .collect();
    lines(&relabelled, terms)
}

fn name(term: Term, terms: &Terms) -> NamedNode {
    match terms.get(term) {
        TermRef::Iri(iri) => NamedNode::new_unchecked(iri),
        other => panic!("{other:?} is no name"),
    }
}

fn node(term: Term, terms: &Terms) -> NamedOrBlankNode {
    match terms.get(term) {
        TermRef::Blank(label) => BlankNode::new_unchecked(label).into(),
        _ => name(term, terms).into(),
    }
}

fn value(term: Term, terms: &Terms) -> oxrdf::Term {
    match terms.get(term) {
        TermRef::Literal { lexical, language: Some(language), .. } => {
            Literal::new_language_tagged_literal_unchecked(lexical.into_owned(), language).into()
        }
        TermRef::Literal { lexical, datatype, .. } => {
            Literal::new_typed_literal(lexical.into_owned(), NamedNode::new_unchecked(datatype)).into()
        }
        _ => node(term, terms).into(),
    }
}
