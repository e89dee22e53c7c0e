//! What reports say to people, and what validation does beyond the W3C's suite.

use std::sync::Arc;

use knhk_ontology::Limits;
use knhk_ontology::graph::{Delta, Terms, Triple};
use knhk_ontology::rdf::{self, Format};
use knhk_ontology::shacl::{Component, Report, Severity, Shapes};

use crate::support::{graph, integer};

/// The report of one graph that holds shapes and data.
fn report(turtle: &str) -> Report {
    let terms = Arc::new(Terms::new());
    let both = graph(&terms, turtle);
    Shapes::compile(&both).unwrap_or_else(|why| panic!("{why}")).validate(&both)
}

#[test]
fn every_component_says_what_is_wrong() {
    for (turtle, line) in [
        ("sh:class ex:C . ex:a ex:p ex:b .", "a p: b is not a C (shape S)"),
        (
            "sh:datatype xsd:byte . ex:a ex:p '300'^^xsd:byte .",
            "a p: \"300\"^^xsd:byte is not of type xsd:byte (shape S)",
        ),
        ("sh:nodeKind sh:IRIOrLiteral . ex:a ex:p _:b .", "a p: _:b0 is not an IRI or a literal (shape S)"),
        ("sh:minCount 2 .", "a p: needs at least 2 values (shape S)"),
        ("sh:maxCount 1 . ex:a ex:p 1, 2 .", "a p: has more than 1 value (shape S)"),
        ("sh:minExclusive 1.5 . ex:a ex:p 1 .", "a p: 1 is not above 1.5 (shape S)"),
        ("sh:minInclusive 2 . ex:a ex:p 1e0 .", "a p: 1e0 is below the minimum 2 (shape S)"),
        ("sh:maxExclusive 2 . ex:a ex:p 2 .", "a p: 2 is not below 2 (shape S)"),
        ("sh:maxInclusive 5000 . ex:a ex:p 9000 .", "a p: 9000 is above the maximum 5000 (shape S)"),
        ("sh:maxInclusive 5000 . ex:a ex:p 'x' .", "a p: \"x\" cannot be compared with 5000 (shape S)"),
        ("sh:minLength 3 . ex:a ex:p 'éé' .", "a p: \"éé\" is shorter than 3 characters (shape S)"),
        ("sh:maxLength 1 . ex:a ex:p 'éé' .", "a p: \"éé\" is longer than 1 character (shape S)"),
        (
            "sh:pattern '^A' ; sh:flags 'i' . ex:a ex:p 'b' .",
            "a p: \"b\" does not match the pattern ^A (flags i) (shape S)",
        ),
        (
            "sh:languageIn ('en' 'de') . ex:a ex:p 'x'@fr .",
            "a p: \"x\"@fr is in none of the languages en, de (shape S)",
        ),
        ("sh:uniqueLang true . ex:a ex:p 'x'@fr, 'y'@fr .", "a p: has several values in the language fr (shape S)"),
        ("sh:equals ex:q . ex:a ex:p 1 .", "a p: 1 is a value of only one of this and q (shape S)"),
        ("sh:disjoint ex:q . ex:a ex:p 1 ; ex:q 1 .", "a p: 1 is also a value of q (shape S)"),
        ("sh:lessThan ex:q . ex:a ex:p 1 ; ex:q 1 .", "a p: 1 is not less than every value of q (shape S)"),
        (
            "sh:lessThanOrEquals ex:q . ex:a ex:p 2 ; ex:q 1 .",
            "a p: 2 is more than a value of q, or has no order with it (shape S)",
        ),
        ("sh:not ex:T . ex:T sh:hasValue 1 . ex:a ex:p 1 .", "a p: 1 has the shape T, which is ruled out (shape S)"),
        ("sh:and (ex:T) . ex:T sh:hasValue 1 . ex:a ex:p 2 .", "a p: 2 does not have all of the shapes T (shape S)"),
        ("sh:or (ex:T) . ex:T sh:hasValue 1 . ex:a ex:p 2 .", "a p: 2 has none of the shapes T (shape S)"),
        (
            "sh:xone (ex:T) . ex:T sh:hasValue 1 . ex:a ex:p 2 .",
            "a p: 2 does not have exactly one of the shapes T (shape S)",
        ),
        ("sh:node [ sh:hasValue 1 ] . ex:a ex:p 2 .", "a p: 2 does not have the shape (unnamed) (shape S)"),
        (
            "sh:qualifiedValueShape ex:T ; sh:qualifiedMinCount 1 . ex:T sh:hasValue 1 . ex:a ex:p 2 .",
            "a p: needs at least 1 value of the shape T (shape S)",
        ),
        (
            "sh:qualifiedValueShape ex:T ; sh:qualifiedMaxCount 0 . ex:T sh:hasValue 2 . ex:a ex:p 2 .",
            "a p: has more than 0 values of the shape T (shape S)",
        ),
        (
            "sh:closed true ; sh:ignoredProperties (ex:q) . ex:a ex:p ex:b . ex:b ex:q 1 ; ex:r 2 .",
            "a r: r is not a property that this shape allows (shape S)",
        ),
        ("sh:hasValue 'x' .", "a p: lacks the value \"x\" (shape S)"),
        ("sh:in (1 true 'x') . ex:a ex:p false .", "a p: false is none of 1, true, \"x\" (shape S)"),
    ] {
        let report = report(&format!("ex:S sh:targetNode ex:a ; sh:path ex:p ; {turtle}"));
        assert_eq!(report.to_string(), format!("{line}\n"));
    }
}

#[test]
fn names_are_those_that_people_use() {
    let report = report(
        "<urn:knhk:finance:MaxQty> sh:targetNode <urn:knhk:finance:orders/max%20qty> ; sh:severity sh:Warning ;
            sh:property [ sh:path <urn:knhk:core:value> ; sh:maxInclusive 5000 ; sh:severity sh:Info ] ;
            sh:property [ sh:path ( ex:p [ sh:zeroOrMorePath [ sh:inversePath ex:q ] ] ) ; sh:minCount 1 ; sh:message 'Nothing!', 'Rien !'@fr ] ;
            sh:nodeKind sh:BlankNode .
         <urn:knhk:finance:orders/max%20qty> <urn:knhk:core:value> 9000 .",
    );
    assert_eq!(
        report.to_string(),
        "orders/max qty p/((^q)*): Nothing! (shape MaxQty)\n\
         orders/max qty: 9000 is above the maximum 5000 (information, shape MaxQty)\n\
         orders/max qty: it is not a blank node (warning, shape MaxQty)\n"
    );
    let result = report.results().find(|result| result.constraint() == Component::MaxInclusive).unwrap();
    assert_eq!(result.focus(), "urn:knhk:finance:orders/max%20qty");
    assert_eq!(result.path().as_deref(), Some("urn:knhk:core:value"));
    assert_eq!(result.value().as_deref(), Some("9000"));
    assert_eq!(result.component(), "http://www.w3.org/ns/shacl#MaxInclusiveConstraintComponent");
    assert_eq!(result.severity(), Severity::Info);
    assert_eq!(report.worst(), Some(Severity::Violation));
}

#[test]
fn what_conforms_says_so() {
    let report = report("ex:S sh:targetNode ex:a ; sh:nodeKind sh:IRI .");
    assert!(report.conforms());
    assert_eq!(report.to_string(), "Conforms: no shape is broken.\n");
    assert_eq!(report.to_graph(&Arc::new(Terms::new())).len(), 2);
}

#[test]
fn reports_are_written_in_every_format_of_rdf() {
    let report =
        report("ex:S sh:targetNode ex:a ; sh:path [ sh:inversePath ex:p ] ; sh:minCount 1 ; sh:message 'No!'@en .");
    let turtle = report.to_rdf(Format::Turtle).unwrap();
    for text in ["sh:conforms false", "sh:inversePath example:p", "\"No!\"@en", "sh:MinCountConstraintComponent"] {
        assert!(turtle.contains(text), "{text} is not in {turtle}");
    }
    for format in [Format::NTriples, Format::NQuads, Format::JsonLd, Format::RdfXml] {
        let text = report.to_rdf(format).unwrap();
        let terms = Arc::new(Terms::new());
        let again = rdf::parse(text.as_bytes(), format, "", &terms, &Limits::default()).unwrap();
        assert_eq!(again.len(), report.to_graph(&terms).len(), "{text}");
    }
    assert!(report.to_rdf(Format::Json).is_err());
}

#[test]
fn a_class_of_owl_is_its_own_target() {
    assert!(!report("ex:C a owl:Class, sh:NodeShape ; sh:nodeKind sh:BlankNode . ex:a a ex:C .").conforms());
}

#[test]
fn shapes_that_share_shapes_take_no_exponential_time() {
    let mut turtle = String::from("ex:S0 sh:targetNode ex:a . ex:a ex:p ex:a . ex:S40 sh:nodeKind sh:IRI .");
    for at in 0..30 {
        turtle += &format!("ex:S{at} sh:and (ex:S{0} ex:S{0}) . ", at + 1);
    }
    for at in 30..40 {
        turtle += &format!("ex:S{at} sh:property ex:P{at}, ex:Q{at} . ");
        turtle += &format!(
            "ex:P{at} sh:path ex:p ; sh:node ex:S{} . ex:Q{at} sh:path ex:p ; sh:property ex:P{at} . ",
            at + 1
        );
    }
    assert!(report(&turtle).conforms());
    assert!(!report(&(turtle + "ex:S40 sh:in () .")).conforms());
}

#[test]
fn rules_are_kept() {
    let terms = Arc::new(Terms::new());
    let shapes = Shapes::compile(&graph(&terms, "ex:S sh:targetClass ex:C ; sh:rule ex:R1, ex:R2 .")).unwrap();
    let rules: Vec<_> = shapes.rules().iter().map(|rule| (rule.shape, rule.rule)).collect();
    let ex = |name: &str| terms.iri(&format!("http://example.org/{name}"));
    assert_eq!(rules, [(ex("S"), ex("R1")), (ex("S"), ex("R2"))]);
    assert_eq!(shapes.names().collect::<Vec<_>>(), ["http://example.org/S"]);
}

#[test]
fn changes_that_touch_the_shapes() {
    let terms = Arc::new(Terms::new());
    let both = graph(
        &terms,
        "ex:S sh:targetClass ex:C ; sh:property [ sh:path ex:p ; sh:in (1 2) ] . ex:C a rdfs:Class . ex:a a ex:C ; ex:p 1 .",
    );
    let shapes = Shapes::compile(&both).unwrap();
    let touched = |turtle: &str| {
        let added: Vec<Triple> = graph(&terms, turtle).iter().collect();
        shapes.touched_by(&Delta::new(&both, Vec::new(), added))
    };
    for turtle in ["ex:T sh:targetNode ex:a .", "ex:S sh:closed true .", "ex:X a sh:NodeShape .", "ex:S a owl:Class ."]
    {
        assert!(touched(turtle), "{turtle}");
    }
    for turtle in
        ["ex:b a ex:C .", "ex:a ex:p 3 .", "ex:l rdf:first 1 .", "ex:S rdfs:label 'S' .", "ex:D rdfs:subClassOf ex:C ."]
    {
        assert!(!touched(turtle), "{turtle}");
    }
    let list = both.with_predicate(terms.iri("http://www.w3.org/1999/02/22-rdf-syntax-ns#first")).next().unwrap();
    let statement = both.iter().find(|it| it.subject == list.1 && it.object == list.0).unwrap();
    assert!(shapes.touched_by(&Delta::new(&both, vec![statement], Vec::new())));
    assert_eq!(list.0, integer(&terms, 1));
}
