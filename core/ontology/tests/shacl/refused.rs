//! Shapes that are ill-formed, that are not SHACL Core, or that nobody could check: each is refused with its name and the reason.

use std::sync::Arc;

use knhk_ontology::graph::Terms;
use knhk_ontology::shacl::{ProblemKind, Shapes, ShapesError};

use crate::support::graph;

fn error(turtle: &str) -> ShapesError {
    let terms = Arc::new(Terms::new());
    Shapes::compile(&graph(&terms, turtle)).err().unwrap_or_else(|| panic!("is not refused: {turtle}"))
}

fn refused(kind: ProblemKind, turtle: &str, words: &[&str]) {
    let error = error(turtle);
    let problem = &error.problems()[0];
    assert_eq!(problem.kind, kind, "{error}");
    let text = error.to_string();
    words.iter().for_each(|word| assert!(text.contains(word), "{word:?} is not in: {text}"));
}

#[test]
fn what_is_not_shacl_core() {
    let refused = |turtle: &str, words: &[&str]| refused(ProblemKind::Unsupported, turtle, words);
    refused("ex:S a sh:NodeShape ; sh:sparql [ sh:select 'SELECT' ] .", &["<http://example.org/S>", "sh:sparql"]);
    refused("ex:S sh:js [] .", &["<http://example.org/S>", "sh:js"]);
    refused("ex:S a sh:NodeShape ; sh:maxCuont 1 .", &["sh:maxCuont"]);
    refused("ex:S a rdfs:Class ; sh:surprise 1 .", &["sh:surprise"]);
    refused("ex:S sh:target [ a sh:SPARQLTarget ] ; sh:class ex:C .", &["sh:target"]);
    refused("ex:S sh:property [ sh:path ex:p ; sh:expression [] ] .", &["in <http://example.org/S>", "sh:expression"]);
    refused("<> sh:entailment <http://www.w3.org/ns/entailment/RDFS> . ex:S sh:class ex:C .", &["entailment/RDFS"]);
    refused(
        "ex:Odd a sh:ConstraintComponent ; sh:parameter [ sh:path ex:odd ] . ex:S a sh:NodeShape ; ex:odd true .",
        &["<http://example.org/odd>", "<http://example.org/Odd>", "shape <http://example.org/S>"],
    );
}

#[test]
fn what_is_ill_formed() {
    for (turtle, word) in [
        ("ex:S sh:property ex:T . ex:T sh:class ex:C .", "has no sh:path"),
        ("ex:S a sh:PropertyShape ; sh:class ex:C .", "needs a sh:path"),
        ("ex:S a sh:NodeShape ; sh:path ex:p .", "has no sh:path"),
        ("ex:S sh:path ex:p, ex:q ; sh:class ex:C .", "more than one value"),
        ("ex:S sh:minCount 1 .", "sh:minCount needs a shape with a sh:path"),
        ("ex:S sh:path ex:p ; sh:minCount -1 .", "sh:minCount: \"-1\" is not a whole number"),
        ("ex:S sh:path ex:p ; sh:maxCount 1, 2 .", "sh:maxCount has more than one value"),
        ("ex:S sh:path ex:p ; sh:maxCount '1' .", "sh:maxCount: \"1\" is not a whole number"),
        ("ex:S sh:lessThan ex:p .", "sh:lessThan needs"),
        ("ex:S sh:datatype 'xsd:integer' .", "sh:datatype: \"xsd:integer\" is not an IRI"),
        ("ex:S sh:nodeKind sh:Iri .", "is no kind of node"),
        ("ex:S sh:minInclusive ex:p .", "sh:minInclusive: <http://example.org/p> is not a literal"),
        ("ex:S sh:pattern '(' .", "sh:pattern: unclosed group"),
        ("ex:S sh:pattern 'a' ; sh:flags 'k' .", "flag 'k'"),
        ("ex:S sh:in ex:a .", "sh:in: <http://example.org/a> is not a well-formed list"),
        ("ex:S sh:in _:l . _:l rdf:first 1 ; rdf:rest _:l .", "circular"),
        ("ex:S sh:and ( 'a' ) .", "sh:and: \"a\" is not a shape"),
        ("ex:S sh:node 1 .", "sh:node: \"1\" is not a shape"),
        ("ex:S sh:closed 'yes' .", "sh:closed: \"yes\" is neither true nor false"),
        ("ex:S sh:languageIn ( 1 ) .", "sh:languageIn: \"1\" is not a string"),
        ("ex:S sh:path ex:p ; sh:qualifiedValueShape [ sh:class ex:C ] .", "needs sh:qualifiedMinCount"),
        ("ex:S sh:path 'p' ; sh:class ex:C .", "is not a path"),
        ("ex:S sh:path ( ex:p ) ; sh:class ex:C .", "fewer than two"),
        ("ex:S sh:path [ sh:inversePath ex:p ; sh:zeroOrMorePath ex:q ] ; sh:class ex:C .", "more than one path"),
        ("ex:S sh:path _:p ; sh:class ex:C . _:p sh:inversePath _:p .", "refers to itself"),
        ("ex:S sh:targetNode [] ; sh:class ex:C .", "not a blank node"),
        ("ex:S sh:targetClass 'C' .", "sh:targetClass: \"C\" is not an IRI"),
        ("ex:S sh:severity 'bad' ; sh:class ex:C .", "sh:severity"),
        ("ex:S sh:message 1 ; sh:class ex:C .", "sh:message: \"1\" is not a string"),
        ("ex:S sh:deactivated 1 ; sh:class ex:C .", "sh:deactivated"),
    ] {
        refused(ProblemKind::IllFormed, turtle, &["shape <http://example.org/S>", word]);
    }
}

#[test]
fn all_problems_are_listed() {
    let error = error("ex:B sh:in ex:a . ex:A sh:sparql [] ; sh:minCount 1 .");
    let shapes: Vec<_> = error.problems().iter().map(|problem| problem.shape.as_str()).collect();
    assert_eq!(shapes, ["<http://example.org/A>", "<http://example.org/A>", "<http://example.org/B>"]);
}

#[test]
fn shapes_that_refer_to_themselves() {
    refused(
        ProblemKind::Recursive,
        "ex:A sh:not ex:B . ex:B sh:property ex:C . ex:C sh:path ex:p ; sh:or ( [ sh:node ex:A ] ) .",
        &["<http://example.org/A> → <http://example.org/B> → <http://example.org/C> → _:", "→ <http://example.org/A>"],
    );
    refused(ProblemKind::Recursive, "ex:A sh:node ex:A .", &["<http://example.org/A> → <http://example.org/A>"]);
}

#[test]
fn shapes_and_paths_that_are_too_deep() {
    let shapes: String = (0..2000).map(|at| format!("ex:S{at} sh:node ex:S{} . ", at + 1)).collect();
    refused(ProblemKind::Limit, &shapes, &["more than 64 deep"]);
    let path = format!("{}ex:p{}", "[ sh:inversePath ".repeat(40), " ]".repeat(40));
    refused(ProblemKind::IllFormed, &format!("ex:S sh:path {path} ; sh:class ex:C ."), &["deeper than 32"]);
}

#[test]
fn what_looks_odd_but_constrains_nothing() {
    for turtle in [
        "ex:x sh:surprise 1 .",
        "_:unused sh:inversePath _:unused .",
        "ex:S a sh:NodeShape ; sh:rule [ a sh:TripleRule ; sh:subject sh:this ] ; sh:name 'S' ; sh:order 1 .",
        "ex:r a sh:ValidationResult ; sh:focusNode ex:a ; sh:value 1 ; sh:resultPath ex:p .",
        "ex:f a sh:SPARQLFunction ; sh:parameter [ sh:path ex:arg ; sh:datatype xsd:string ; sh:optional true ] .",
    ] {
        let terms = Arc::new(Terms::new());
        Shapes::compile(&graph(&terms, turtle)).unwrap_or_else(|why| panic!("{turtle}: {why}"));
    }
}
