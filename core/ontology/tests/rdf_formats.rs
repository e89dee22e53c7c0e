//! What is written reads back as the same graph, in every format; what cannot be read says where, why, and what to do.

use std::sync::Arc;

use knhk_ontology::Limits;
use knhk_ontology::graph::{Graph, GraphBuilder, Term, Terms};
use knhk_ontology::rdf::{self, Format};
use proptest::prelude::*;

const FORMATS: [Format; 5] = [Format::Turtle, Format::NTriples, Format::NQuads, Format::JsonLd, Format::RdfXml];

fn graph(text: impl AsRef<[u8]>, format: Format) -> Graph {
    let terms = Arc::new(Terms::new());
    let core = Graph::empty(terms.clone());
    let graph = rdf::parse_graph(text.as_ref(), format, "urn:knhk:orders:", &terms, &Limits::default(), &core);
    graph.unwrap_or_else(|error| panic!("{error}\n{:.2000}", String::from_utf8_lossy(text.as_ref())))
}

fn written(graph: &Graph, format: Format) -> String {
    let mut out = Vec::new();
    rdf::write(graph, graph.own(), format, &mut out).unwrap_or_else(|error| panic!("{error}"));
    String::from_utf8(out).expect("what is written is UTF-8")
}

fn refused(text: impl AsRef<[u8]>, format: Format, base: &str) -> String {
    let terms = Arc::new(Terms::new());
    rdf::parse(text.as_ref(), format, base, &terms, &Limits::default()).expect_err("it is refused").to_string()
}

const ORDERS: &str = "\
@prefix knhk: <urn:knhk:core:> .
@prefix orders: <urn:knhk:orders:> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
@prefix sh: <http://www.w3.org/ns/shacl#> .
@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .

orders:Order a rdfs:Class ;
    rdfs:comment \"\"\"An order.
It has a \\\"side\\\".\"\"\"@en .

orders:OrderShape a sh:NodeShape ;
    sh:property
        [
            sh:datatype xsd:integer ;
            sh:minInclusive 1 ;
            sh:path orders:qty
        ] ,
        [
            sh:in ( \"buy\" \"sell\" ) ;
            sh:path orders:side
        ] ;
    sh:targetClass orders:Order .

orders:limits\\/max_qty knhk:max 5000 ;
    knhk:min 1 ;
    knhk:value 1000 .

orders:limits\\/ratio knhk:value \"1.5\"^^xsd:double .
";

#[test]
fn turtle_is_laid_out_as_people_do() {
    assert_eq!(written(&graph(ORDERS, Format::Turtle), Format::Turtle), ORDERS);
}

#[test]
fn a_small_change_is_a_small_difference() {
    let changed = graph(
        ORDERS.replace("\"sell\"", "\"sell\" \"short\"").replace("knhk:value 1000", "knhk:value 900"),
        Format::Turtle,
    );
    let (before, after) = (ORDERS.lines(), written(&changed, Format::Turtle));
    assert_eq!(before.zip(after.lines()).filter(|(before, after)| before != after).count(), 2);
}

#[test]
fn circles_and_shared_nodes_keep_labels() {
    for text in [
        "_:a <a:p> _:b . _:b <a:p> _:a .",
        "_:a <a:p> _:a .",
        "<a:s> <a:p> _:a . <a:t> <a:p> _:a . _:a <a:q> ( 1 _:a ) .",
        "<a:s> <a:p> [] , ( ) , ( ( ) ( [] ) ) .",
        "_:l <http://www.w3.org/1999/02/22-rdf-syntax-ns#first> 1 , 2 ; <http://www.w3.org/1999/02/22-rdf-syntax-ns#rest> () . <a:s> <a:p> _:l .",
        "_:l <http://www.w3.org/1999/02/22-rdf-syntax-ns#first> 1 ; <http://www.w3.org/1999/02/22-rdf-syntax-ns#rest> _:l .",
    ] {
        let graph = self::graph(text, Format::Turtle);
        for format in FORMATS {
            let again = self::graph(written(&graph, format), format);
            assert_eq!(written(&again, Format::NTriples), written(&graph, Format::NTriples), "{text} as {format}");
        }
    }
}

#[test]
fn nesting_beyond_the_reader_s_limit_is_written_flat() {
    let deep = (0..500).map(|at| format!("_:n{at} <a:p> _:n{} ; <a:q> {at} .\n", at + 1)).collect::<String>()
        + "<a:s> <a:p> _:n0 . _:n500 <a:q> 1 .";
    let graph = graph(deep, Format::Turtle);
    for format in FORMATS {
        assert_eq!(self::graph(written(&graph, format), format).len(), graph.len(), "{format}");
    }
}

#[test]
fn names_below_a_sector_are_relative_to_it() {
    let graph = graph("<limits/max_qty> <urn:knhk:core:value> 1 . <> a <#it> .", Format::Turtle);
    let lines = written(&graph, Format::NTriples);
    assert!(lines.contains("<urn:knhk:orders:limits/max_qty> <urn:knhk:core:value> \"1\""), "{lines}");
    assert!(
        lines.contains("<urn:knhk:orders:> <http://www.w3.org/1999/02/22-rdf-syntax-ns#type> <urn:knhk:orders:#it>"),
        "{lines}"
    );
    let elsewhere = "@base <http://example.org/a/b> . <c> <d> <../e> .";
    assert!(
        written(&self::graph(elsewhere, Format::Turtle), Format::NTriples)
            .starts_with("<http://example.org/a/c> <http://example.org/a/d> <http://example.org/e>")
    );
}

#[test]
fn errors_say_where_and_what_to_do() {
    let cases: [(&str, Format, &str, &str); 14] = [
        ("<a:b> <a:c> 1 .\n<a:b> <a:c> é§ .", Format::Turtle, "", "line 2, column 13, at `é§ .`: not Turtle: "),
        (
            "e:b <a:c> 1 .",
            Format::Turtle,
            "",
            "line 1, column 1, at `e:b <a:c> 1 .`: not Turtle: The prefix e: has not been declared",
        ),
        (
            "<b> <a:c> 1 .",
            Format::Turtle,
            "",
            "the IRI `b` is relative and there is no base to resolve it by: write it in full",
        ),
        ("<b> <a:c> <a:d> .", Format::NTriples, "", "the IRI `b` is relative"),
        (
            "<a:b> <a:c> <a:d> <a:g> .",
            Format::NQuads,
            "",
            "in the named graph <a:g>: a sector is one graph, so leave the graph's name out",
        ),
        (
            "{\"@id\": \"a:g\", \"@graph\": [{\"@id\": \"a:b\", \"a:c\": 1}]}",
            Format::JsonLd,
            "",
            "in the named graph <a:g>",
        ),
        ("<a:g> { <a:b> <a:c> 1 }", Format::Turtle, "", "named graph"),
        (
            "<< <a:b> <a:c> 1 >> <a:c> 1 .",
            Format::Turtle,
            "",
            "line 1, column 1, at `<< <a:b> <a:c> 1 >> <a:c> 1 .`: triple terms",
        ),
        (
            "<a:b> <a:c> <<( <a:b> <a:c> <a:d> )>> .",
            Format::NTriples,
            "",
            "triple terms (RDF 1.2, RDF-star) are not supported",
        ),
        ("{\"a:b\": }", Format::JsonLd, "", "line 1, column "),
        ("{\"@context\": \"http://example.org/c\"}", Format::JsonLd, "", "nothing is fetched: put its content here"),
        ("<a><b></a>", Format::RdfXml, "", "line 1, column "),
        ("<a:b> <a:c> 1 .", Format::Turtle, "no base", "the base \"no base\" is not an absolute IRI"),
        ("{}", Format::Json, "", "plain JSON is a document, not RDF"),
    ];
    for (text, format, base, expected) in cases {
        let error = refused(text, format, base);
        assert!(error.contains(expected), "{text}: {error}");
    }
    assert_eq!(
        refused(b"<a:b> <a:c>\n \"\xff\" .", Format::Turtle, ""),
        "line 2, column 3, at `\u{fffd}\" .`: not UTF-8: save the text as UTF-8"
    );
}

#[test]
fn formats_are_found_by_what_people_call_them() {
    for format in FORMATS.into_iter().chain([Format::Json]) {
        assert_eq!(Format::from_extension(format.extension()), Some(format));
        assert_eq!(Format::from_media_type(format.media_type()), Some(format));
        assert_eq!(format.name().parse(), Ok(format));
        assert_eq!(format.to_string(), format.name());
    }
    assert_eq!(Format::from_extension(".OWL"), Some(Format::RdfXml));
    assert_eq!(Format::from_media_type("text/turtle; charset=utf-8"), Some(Format::Turtle));
    assert!("word".parse::<Format>().is_err_and(|error| error.to_string().contains("there are turtle, ntriples")));
}

/// A change, as the graph's readable lines.
fn change(current: &Graph, removed: &str, added: &str) -> Result<String, String> {
    let delta = rdf::parse_delta(
        removed.as_bytes(),
        added.as_bytes(),
        Format::Turtle,
        "urn:knhk:orders:",
        current,
        &Limits::default(),
    );
    delta.map(|delta| delta.display(current.terms()).to_string()).map_err(|error| error.to_string())
}

#[test]
fn changes_name_the_graph_s_blank_nodes_and_bring_their_own() {
    let current = graph("<a:s> <a:p> [ <a:q> 1 ] .", Format::Turtle);
    assert_eq!(
        change(&current, "_:c14n0 <a:q> 1 .", "_:c14n0 <a:q> 2 .").unwrap(),
        "- _:c14n0 <a:q> \"1\"^^<http://www.w3.org/2001/XMLSchema#integer> .\n+ _:c14n0 <a:q> \"2\"^^<http://www.w3.org/2001/XMLSchema#integer> .\n"
    );
    let brought = change(&current, "", "<a:s> <a:p> [ <a:q> _:c14n0 ] .").unwrap();
    assert!(
        brought.contains("+ <a:s> <a:p> <urn:knhk:skolem:") && brought.contains(":c14n0> <a:q> _:c14n0 ."),
        "{brought}"
    );
    assert_eq!(brought, change(&current, "", "_:x <a:q> _:c14n0 . <a:s> <a:p> _:x .").unwrap());
    assert_ne!(brought, change(&current, "_:c14n0 <a:q> 1 .", "_:x <a:q> _:c14n0 . <a:s> <a:p> _:x .").unwrap());
    assert!(change(&current, "_:c14n7 <a:q> 1 .", "").unwrap_err().contains("the graph has no blank node `_:c14n7`"));
    assert!(change(&current, "", "_:c14n7 <a:q> 1 .").unwrap_err().contains("the graph has no blank node `_:c14n7`"));
    assert!(change(&current, "[] <a:q> 1 .", "").unwrap_err().contains("without a label that the graph knows"));
    assert_eq!(change(&current, "", "").unwrap(), "");
}

#[test]
fn an_empty_text_changes_nothing_in_any_format() {
    let current = graph("<a:s> <a:p> 1 .", Format::Turtle);
    for format in FORMATS {
        let delta = rdf::parse_delta(b"", b" \n", format, "", &current, &Limits::default());
        assert!(delta.is_ok_and(|delta| delta.is_empty()), "{format}");
    }
}

/// What fuzzing found: a list that begins below a node which only `@type` names, its cells in another order than it; a namespace called as XML lets nobody.
#[test]
fn odd_graphs_survive_every_format() {
    let list = r#"@prefix e: <http:+/enample.org/> . @prefix sh: <ht-p:ыhacl#> .
        e:Shape a sh:No, [ sh:phth e:side ; sh:in ( "buy" '|ell'@en ) ] ."#;
    let named = "<http://e.org/xml:a> <http://e.org/xml:b> <http://e.org/XMLthing/a> , <http://e.org/XMLthing/b> .";
    for text in [list, named] {
        let graph = graph(text, Format::Turtle);
        let lines = written(&graph, Format::NTriples);
        for format in FORMATS {
            let once = written(&graph, format);
            assert_eq!(written(&self::graph(&once, format), Format::NTriples), lines, "as {format}:\n{once}");
        }
    }
}

/// A term by its number: names that formats treat in their own ways, blank nodes, and literals of all kinds.
fn term(terms: &Terms, number: usize, text: &str) -> Term {
    const XSD: &str = "http://www.w3.org/2001/XMLSchema#";
    const RDF: &str = "http://www.w3.org/1999/02/22-rdf-syntax-ns#";
    match number {
        0..=5 => terms.blank(&format!("b{number}")),
        6 => terms.iri(&format!("{RDF}nil")),
        7 => terms.iri("urn:knhk:orders:limits/max_qty"),
        8 => terms.iri("urn:knhk:orders:limits/"),
        9 => terms.iri("http://example.org/#frag.ment."),
        10 => terms.iri("sh:not-a-prefix"),
        11 => terms.iri("http://example.org/é(1)"),
        12 => terms.iri("http://example.org/a"),
        13 => terms.literal(text, &format!("{XSD}string")),
        14 => terms.language_literal(text, "en-GB"),
        15 => terms.literal(text, &format!("{RDF}JSON")),
        16 => terms.literal("1.50", &format!("{XSD}decimal")),
        17 => terms.literal("-1e3", &format!("{XSD}double")),
        18 => terms.literal("007", &format!("{XSD}integer")),
        19 => terms.literal("7", &format!("{XSD}integer")),
        20 => terms.literal("true", &format!("{XSD}boolean")),
        21 => terms.literal("9223372036854775808", &format!("{XSD}integer")),
        _ => terms.literal(text, "http://example.org/type"),
    }
}

fn predicate(terms: &Terms, number: usize) -> Term {
    const RDF: &str = "http://www.w3.org/1999/02/22-rdf-syntax-ns#";
    match number {
        0 => terms.iri(&format!("{RDF}type")),
        1 => terms.iri(&format!("{RDF}first")),
        2 => terms.iri(&format!("{RDF}rest")),
        3 => terms.iri("urn:knhk:orders:limits/qty"),
        4 => terms.iri("http://example.org/p1"),
        _ => terms.iri("http://example.org/2p"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn graphs_survive_every_format(
        statements in proptest::collection::vec((0..13_usize, 0..6_usize, 0..23_usize), 0..25),
        text in "(?s)[ -~\t\n\ré\u{7f}\u{85}\u{2028}𝄞]{0,12}",
    ) {
        let terms = Arc::new(Terms::new());
        let mut builder = GraphBuilder::new(terms.clone());
        for (subject, property, object) in statements {
            builder.push(term(&terms, subject, ""), predicate(&terms, property), term(&terms, object, &text));
        }
        let lines = written(&graph(written(&builder.finish(), Format::NTriples), Format::NTriples), Format::NTriples);
        let graph = self::graph(&lines, Format::NTriples);
        for format in FORMATS {
            let once = written(&graph, format);
            let again = self::graph(&once, format);
            prop_assert_eq!(written(&again, Format::NTriples), &*lines, "as {}:\n{}", format, once);
        }
    }

    #[test]
    fn any_text_is_read_or_refused(text in "\\PC{0,40}", turtle in "[<>a:b\"'\\[\\]() .;,@^_#\\\\\n]{0,40}") {
        for text in [text, turtle] {
            for format in FORMATS {
                let terms = Arc::new(Terms::new());
                let _ = rdf::parse(text.as_bytes(), format, "urn:knhk:orders:", &terms, &Limits::default());
            }
        }
    }
}
