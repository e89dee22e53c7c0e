//! Texts and graphs made to exhaust a reader are refused, each by the limit that it runs against; what is just inside a limit is read.

use std::io;
use std::sync::Arc;

use knhk_ontology::graph::Terms;
use knhk_ontology::rdf::{self, Format, RdfError, RdfErrorKind};
use knhk_ontology::{Limits, canon};

/// The defaults, lowered where running into them takes a debug build seconds.
fn limits() -> Limits {
    let mut limits = Limits::default();
    (limits.statements, limits.text_bytes, limits.blank_node_steps) = (100_000, 64 << 20, 30_000);
    limits
}

fn parse(text: impl AsRef<[u8]>, format: Format) -> Result<usize, RdfError> {
    let terms = Arc::new(Terms::new());
    rdf::parse(text.as_ref(), format, "urn:knhk:orders:", &terms, &limits()).map(|triples| triples.len())
}

#[track_caller]
fn refused(text: impl AsRef<[u8]>, format: Format, what: &str) {
    let error = parse(text, format).expect_err("it is over a limit");
    match &error.kind {
        RdfErrorKind::TooLarge { what: found, .. } => assert_eq!(*found, what, "{error}"),
        _ => panic!("{error}"),
    }
}

const PREFIXES: &str = "@prefix e: <http://example.org/> .\n";

#[test]
fn turtle_that_nests_without_end() {
    for (open, close) in [("[ e:p ", " ]"), ("( ", " )"), ("[ e:p ( ", " ) ]")] {
        for closed in [false, true] {
            let deep = open.repeat(100_000) + "1" + &if closed { close.repeat(100_000) } else { String::new() };
            refused(format!("{PREFIXES}e:s e:p {deep} ."), Format::Turtle, "levels of nesting");
            refused(
                format!("{PREFIXES}e:s e:p # a comment ends here, too\r {deep} ."),
                Format::Turtle,
                "levels of nesting",
            );
            refused(
                format!("{PREFIXES}e:s e:p '\\'', \"\"\"\"\\\"\"\"\", e:\\( , {deep} ."),
                Format::Turtle,
                "levels of nesting",
            );
        }
    }
    let inside = "[ e:p ".repeat(64) + "1" + &" ]".repeat(64);
    assert_eq!(parse(format!("{PREFIXES}e:s e:p {inside} ."), Format::Turtle).unwrap(), 65);
    let unclosed = "[ e:p ".repeat(64) + " .";
    assert!(matches!(
        parse(format!("{PREFIXES}e:s e:p {unclosed} ."), Format::Turtle),
        Err(RdfError { kind: RdfErrorKind::Syntax { .. }, .. })
    ));
}

#[test]
fn brackets_that_do_not_nest_are_read() {
    let flat = "e:s e:q [ e:p '[(' , \"(\\\"(\" , <http://example.org/((> , e:a\\(\\( , '''(' [''' ] . # ((\n";
    assert_eq!(parse(PREFIXES.to_owned() + &flat.repeat(200), Format::Turtle).unwrap(), 200 * 6);
}

#[test]
fn literals_and_names_that_go_on_and_on() {
    let long = "x".repeat((1 << 20) + 1);
    refused(format!("<a:b> <a:c> \"{long}\" ."), Format::Turtle, "bytes in a literal");
    refused(format!("<a:b> <a:c> '''{long}''' ."), Format::Turtle, "bytes in a literal");
    refused(format!("<a:b> <a:c> \"{long}\" ."), Format::NTriples, "bytes in a literal");
    refused(format!("<a:b> <a:c> \"{long}\" ."), Format::NQuads, "bytes in a literal");
    refused(format!("{{\"a:b\": \"{long}\"}}"), Format::JsonLd, "bytes in a literal");
    refused(rdf_xml(&format!("<rdf:value>{long}</rdf:value>")), Format::RdfXml, "bytes in a literal");
    refused(format!("<a:{long}> <a:c> 1 ."), Format::Turtle, "bytes in an IRI");
    refused(format!("<a:b> <a:c> <a:{long}> ."), Format::NTriples, "bytes in an IRI");
    refused(format!("@prefix e: <a:b> . e:{long} <a:c> 1 ."), Format::Turtle, "bytes in an IRI");
    refused(format!("_:{long} <a:c> <a:c> ."), Format::NTriples, "bytes in a blank node's label");
    refused(rdf_xml(&format!("<rdf:value rdf:resource='a:{long}'/>")), Format::RdfXml, "bytes in an IRI");
    refused(format!("{{\"@id\": \"a:{long}\", \"a:b\": 1}}"), Format::JsonLd, "bytes in a literal");
}

/// A source that never ends, and counts what was asked of it.
struct Endless(usize);

impl io::Read for Endless {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        buffer.fill(b'x');
        self.0 += buffer.len();
        Ok(buffer.len())
    }
}

#[test]
fn a_line_without_end_is_read_up_to_the_limit() {
    let (limits, mut endless) = (Limits::default(), Endless(0));
    let error = rdf::read(&mut endless, &limits).expect_err("it has no end");
    assert!(matches!(error.kind, RdfErrorKind::TooLarge { what: "bytes", .. }), "{error}");
    assert!(endless.0 <= 2 * limits.bytes, "{} bytes were read", endless.0);
    refused(vec![b'x'; limits.bytes + 1], Format::NTriples, "bytes");
}

#[test]
fn too_many_statements() {
    let limit = limits().statements;
    refused(format!("<a:b> <a:c> {} 1 .", "1,".repeat(limit)), Format::Turtle, "statements");
    refused(format!("{{\"@id\": \"a:b\", \"a:c\": [{} 1]}}", "1,".repeat(limit)), Format::JsonLd, "statements");
}

#[test]
fn prefixes_and_bases_that_swell() {
    let long = "x".repeat(30_000);
    let used = "e:a e:a e:a . ".repeat(300_000);
    refused(format!("@prefix e: <a:{long}> . {used}"), Format::Turtle, "bytes of terms written out");
    let used = "<a> <a> <a> . ".repeat(300_000);
    refused(format!("@base <http://a/{long}/> . {used}"), Format::Turtle, "bytes of terms written out");
    for word in ["@base", "BASE", "base"] {
        let dot = if word == "@base" { "." } else { "" };
        let growing = format!("{word} <{}/>{dot}\n", "x".repeat(30_000)).repeat(500);
        refused(format!("@base <http://a/> . {growing}"), Format::Turtle, "bytes in a base");
    }
    let data = "e:database <b> <c> . e:base <b> 1 . ".repeat(10_000);
    assert_eq!(parse(format!("{PREFIXES}{data}"), Format::Turtle).unwrap(), 20_000);
}

#[test]
fn json_ld_that_nests_without_end() {
    for (open, close) in [("[", "]"), ("{\"a:b\":", "}"), ("{\"@list\":[", "]}"), ("{\"@context\":{\"a\":", "}}")] {
        for closed in [false, true] {
            let deep = open.repeat(100_000) + "1" + &if closed { close.repeat(100_000) } else { String::new() };
            refused(deep, Format::JsonLd, "levels of nesting");
        }
    }
    let inside = "{\"a:b\":".repeat(64) + "1" + &"}".repeat(64);
    assert_eq!(parse(inside, Format::JsonLd).unwrap(), 64);
    let lists = "{\"a:b\":{\"@list\":[".repeat(21) + "1" + &"]}}".repeat(21);
    assert_eq!(parse(lists, Format::JsonLd).unwrap(), 21 * 3);
}

#[test]
fn objects_that_are_read_again_on_each_level() {
    let nodes = "{\"a:p\": 1},".repeat(20_000);
    let deep = format!("{}[{nodes} 1]{}", "{\"a:b\":".repeat(60), "}".repeat(60));
    refused(deep, Format::JsonLd, "names in JSON-LD, each in each object around it");
}

#[test]
fn contexts_elsewhere_are_not_fetched() {
    for context in [
        "\"http://example.org/context\"",
        "[{}, \"http://example.org/context\"]",
        "{\"@import\": \"http://example.org/context\"}",
        "{\"a\": {\"@id\": \"a:b\", \"@context\": \"http://example.org/context\"}}",
    ] {
        let error =
            parse(format!("{{\"@context\": {context}, \"a:b\": 1}}"), Format::JsonLd).expect_err("it is elsewhere");
        assert!(
            matches!(&error.kind, RdfErrorKind::RemoteContext { url } if url == "http://example.org/context"),
            "{error}"
        );
    }
}

#[test]
fn contexts_that_make_work() {
    let terms = |count: usize| (0..count).map(|at| format!("\"t{at}\": \"a:b{at}\"")).collect::<Vec<_>>().join(",");
    let nodes = "{\"@context\": {\"u\": \"a:c\"}, \"u\": 1},".repeat(50_000);
    let again = format!("{{\"@context\": {{{}}}, \"@graph\": [{nodes} {{}}]}}", terms(20_000));
    refused(again, Format::JsonLd, "bytes of contexts, each time they are applied");
    let uses = "{\"s\": 1},".repeat(50_000);
    let scoped = format!(
        "{{\"@context\": {{\"s\": {{\"@id\": \"a:s\", \"@context\": {{{}}}}}}}, \"@graph\": [{uses} {{}}]}}",
        terms(20_000)
    );
    refused(scoped, Format::JsonLd, "bytes of contexts, each time they are applied");
    let chain: Vec<String> = (0..20_000).map(|at| format!("\"t{at}\": \"t{}:x\"", at + 1)).collect();
    let chain = format!("{{\"@context\": {{{}, \"t20000\": \"a:b\"}}, \"t0\": 1}}", chain.join(","));
    refused(chain, Format::JsonLd, "terms of a context that are defined by one another");
    let swell = format!(
        "{{\"@context\": {{\"@vocab\": \"a:{}\"}}, \"@graph\": [{} {{}}]}}",
        "x".repeat(30_000),
        "{\"b\": null},".repeat(100_000)
    );
    refused(swell, Format::JsonLd, "bytes of terms written out");
    let list = format!("{{\"@context\": [{} {{}}], \"a:b\": 1}}", "{\"@base\": \"xxxxxxxx/\"},".repeat(100_000));
    refused(list, Format::JsonLd, "contexts in a list");
}

fn rdf_xml(inside: &str) -> String {
    format!(
        "<rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'><rdf:Description>{inside}</rdf:Description></rdf:RDF>"
    )
}

#[test]
fn xml_that_nests_without_end() {
    let inner = "<rdf:Description><rdf:value>";
    for closed in [false, true] {
        let end = if closed { "</rdf:value></rdf:Description>".repeat(50_000) } else { String::new() };
        refused(
            rdf_xml(&format!("<rdf:value>{}{end}</rdf:value>", inner.repeat(50_000))),
            Format::RdfXml,
            "levels of nesting",
        );
    }
    let inside = inner.repeat(30) + "1" + &"</rdf:value></rdf:Description>".repeat(30);
    assert_eq!(parse(rdf_xml(&format!("<rdf:value>{inside}</rdf:value>")), Format::RdfXml).unwrap(), 31);
}

#[test]
fn entities_that_swell_or_are_elsewhere() {
    let document = |entities: &str, value: &str| {
        format!("<!DOCTYPE rdf:RDF [{entities}]>{}", rdf_xml(&format!("<rdf:value>{value}</rdf:value>")))
    };
    let mut laughs = "<!ENTITY l0 \"ha\">".to_owned();
    for at in 1..40 {
        laughs += &format!("<!ENTITY l{at} \"{}\">", format!("&l{};", at - 1).repeat(10));
    }
    refused(document(&laughs, "&l39;"), Format::RdfXml, "bytes of terms written out");
    let wide = format!("<!ENTITY w \"{}\">", "x".repeat(100_000));
    refused(document(&wide, &"&w;".repeat(100_000)), Format::RdfXml, "bytes in a literal");
    let many = format!("{}</rdf:value>", "&w;</rdf:value><rdf:value>".repeat(10_000));
    refused(document(&wide, &many), Format::RdfXml, "bytes of terms written out");
    for outside in ["<!ENTITY e SYSTEM \"file:///etc/passwd\">", "<!ENTITY % e PUBLIC \"a\" \"http://example.org/e\">"]
    {
        let error = parse(document(outside, "&e;"), Format::RdfXml).expect_err("it is elsewhere");
        assert!(matches!(&error.kind, RdfErrorKind::ExternalEntity { name } if name == "e"), "{error}");
    }
    assert_eq!(parse(document("<!ENTITY e \"text\"><!ENTITY f \"&e;&e;\">", "&f;"), Format::RdfXml).unwrap(), 1);
}

#[test]
fn xml_with_too_many_attributes_or_namespaces() {
    let attributes: String = (0..100_000).map(|at| format!(" a{at}='1'")).collect();
    refused(rdf_xml(&format!("<rdf:value{attributes}/>")), Format::RdfXml, "attributes");
    let spaces: String = (0..900).map(|at| format!(" xmlns:n{at}='a:{}'", "x".repeat(1000))).collect();
    let nested = format!("<rdf:Description{spaces}><rdf:value{}>", spaces.replace(":n", ":m"));
    refused(rdf_xml(&format!("<rdf:value>{nested}")), Format::RdfXml, "namespaces");
    let copied = format!("<rdf:value{spaces} rdf:parseType='Literal'>{}</rdf:value>", "<a/>".repeat(100_000));
    refused(rdf_xml(&copied), Format::RdfXml, "bytes of terms written out");
}

/// Statements that connect each node with each.
fn clique(nodes: usize) -> String {
    let pairs = (0..nodes).flat_map(|from| (0..nodes).map(move |to| (from, to))).filter(|(from, to)| from != to);
    pairs.map(|(from, to)| format!("_:n{from} <a:p> _:n{to} .\n")).collect()
}

#[test]
fn blank_nodes_that_nobody_can_tell_apart() {
    let chain: String = (0..20_000).map(|at| format!("_:n{at} <a:p> _:n{} .\n", at + 1)).collect();
    let grid: String =
        (0..400).flat_map(|at| [1, 20].map(|step| format!("_:n{at} <a:p> _:n{} .\n", (at + step) % 400))).collect();
    let cliques: String = (0..100).map(|at| clique(8).replace("_:n", &format!("_:n{at}x"))).collect();
    for (name, text) in [("clique", clique(30)), ("chain", chain), ("grid", grid), ("cliques", cliques)] {
        let terms = Arc::new(Terms::new());
        let triples = rdf::parse(text.as_bytes(), Format::NTriples, "", &terms, &limits()).unwrap();
        let error = canon::label(triples, &terms, &limits()).expect_err(name);
        assert!(error.to_string().contains("blank nodes that look alike"), "{name}: {error}");
    }
}
