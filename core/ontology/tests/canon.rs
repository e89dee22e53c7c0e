//! Canonical labels: those of an independent implementation of RDFC-1.0, whatever the labels and the order were before.

use std::sync::Arc;

use knhk_ontology::graph::{Term, Terms, Triple};
use knhk_ontology::rdf::{self, Format};
use knhk_ontology::{Limits, canon};
use proptest::prelude::*;

mod oracle;

fn parse(text: &str) -> (Arc<Terms>, Vec<Triple>) {
    let terms = Arc::new(Terms::new());
    let triples = rdf::parse(text.as_bytes(), Format::Turtle, "", &terms, &Limits::default());
    (terms, triples.unwrap_or_else(|error| panic!("{error}")))
}

fn lines(triples: Vec<Triple>, terms: &Terms) -> Vec<String> {
    let labelled = canon::label(triples, terms, &Limits::default()).unwrap_or_else(|error| panic!("{error}"));
    oracle::lines(&labelled, terms)
}

#[track_caller]
fn agrees(text: &str) {
    let (terms, triples) = parse(&format!("@prefix e: <http://example.org/> .\n{text}"));
    assert_eq!(lines(triples.clone(), &terms), oracle::canonical(&triples, &terms));
}

#[test]
fn hand_made_graphs() {
    // Told apart by what is said of them, by their neighbours, by their neighbours' neighbours, or not at all.
    agrees("e:s e:p [ e:q 1 ] , [ e:q 2 ] .");
    agrees("[] e:p [] . [] e:p [] .");
    agrees("_:a e:p _:b . _:b e:p _:c . _:c e:p _:a .");
    agrees("_:a e:p _:b . _:b e:p _:a . _:c e:p _:d . _:d e:p _:c .");
    agrees("_:a e:p _:a . _:b e:p _:b . _:a e:q _:b .");
    agrees("_:a e:p _:b , _:c , _:d . _:b e:q _:e . _:c e:q _:f . _:d e:q _:e .");
    agrees("e:s e:p (1 1 1 1 1 1) , (1 1 1) , (1 2 (3 (3) [ e:p (3) ])) .");
    agrees("e:s e:p [ e:q [ e:q [ e:q [ e:q 1 ] ] ] ] , [ e:q [ e:q [ e:q [ e:q 2 ] ] ] ] .");
    // A cube, and Petersen's graph, all of whose nodes look alike.
    let cube = (0..8).flat_map(|from: u32| (0..3).map(move |bit| format!("_:n{from} e:p _:n{} . ", from ^ 1 << bit)));
    agrees(&cube.collect::<String>());
    let petersen = (0..5).flat_map(|at| [(at, (at + 1) % 5), (at, at + 5), (at + 5, (at + 2) % 5 + 5)]);
    agrees(&petersen.map(|(from, to)| format!("_:n{from} e:p _:n{to} . _:n{to} e:p _:n{from} . ")).collect::<String>());
    // Two triangles and a hexagon: each node has the same neighbourhood at first sight.
    agrees(
        "_:a e:p _:b . _:b e:p _:c . _:c e:p _:a . _:d e:p _:e . _:e e:p _:f . _:f e:p _:d . _:1 e:p _:2 . _:2 e:p _:3 . _:3 e:p _:4 . _:4 e:p _:5 . _:5 e:p _:6 . _:6 e:p _:1 .",
    );
    // A list of equal elements, longer than the issuer looks along.
    agrees(&format!("e:s e:p ({}) .", "1 ".repeat(80)));
}

#[test]
fn nothing_to_label() {
    let (terms, triples) = parse("<a:b> <a:c> 1 , 'x'@en .");
    assert_eq!(canon::label(triples.clone(), &terms, &Limits::default()).unwrap(), triples);
}

/// Statements over a few nodes, most of them blank.
fn graphs() -> impl Strategy<Value = Vec<(u8, u8, u8)>> {
    proptest::collection::vec((0..8_u8, 0..2_u8, 0..10_u8), 1..20)
}

/// Interns statements under labels that `name` gives.
fn interned(statements: &[(u8, u8, u8)], terms: &Terms, name: impl Fn(u8) -> String) -> Vec<Triple> {
    let node = |number: u8| -> Term {
        match number {
            6 => terms.iri("http://example.org/a"),
            7 => terms.iri("http://example.org/b"),
            8.. => terms.literal(&number.to_string(), "http://www.w3.org/2001/XMLSchema#string"),
            blank => terms.blank(&name(blank)),
        }
    };
    let triple = |&(subject, predicate, object): &(u8, u8, u8)| Triple {
        subject: node(subject),
        predicate: terms.iri(&format!("http://example.org/p{predicate}")),
        object: node(object),
    };
    statements.iter().map(triple).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn generated_graphs_get_the_other_implementation_s_labels(statements in graphs()) {
        let terms = Terms::new();
        let triples = interned(&statements, &terms, |number| format!("n{number}"));
        prop_assert_eq!(lines(triples.clone(), &terms), oracle::canonical(&triples, &terms));
    }

    #[test]
    fn labels_and_order_before_do_not_matter(mut statements in graphs(), shift in 1..200_u8) {
        let (terms, others) = (Terms::new(), Terms::new());
        let triples = interned(&statements, &terms, |number| format!("n{number}"));
        statements.reverse();
        let shifted = interned(&statements, &others, |number| format!("c14n{}", number.wrapping_mul(5).wrapping_add(shift)));
        prop_assert_eq!(lines(triples, &terms), lines(shifted, &others));
    }
}
