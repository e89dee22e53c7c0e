//! Writes RDF/XML: a description for each subject, nothing nested.

use std::fmt::Write;

use super::super::error::{RdfErrorKind as Kind, shortened};
use super::label;
use super::layout::Layout;
use super::prefixes::Prefixes;
use crate::graph::{TermRef, Triple};
use crate::vocabulary::xsd;

const RDF: &str = "http://www.w3.org/1999/02/22-rdf-syntax-ns#";
/// Names of RDF's own that its XML grammar keeps for itself.
const RESERVED: [&str; 13] = [
    "Description",
    "li",
    "RDF",
    "ID",
    "about",
    "parseType",
    "resource",
    "nodeID",
    "datatype",
    "aboutEach",
    "aboutEachPrefix",
    "bagID",
    "version",
];
/// Namespaces that XML lets nobody declare.
const UNDECLARED: [&str; 2] = ["http://www.w3.org/2000/xmlns/", "http://www.w3.org/XML/1998/namespace"];

pub(super) fn write(layout: &Layout<'_>) -> Result<String, Kind> {
    let prefixes = Prefixes::new(layout.terms(), layout.triples());
    let mut body = String::new();
    for (subject, said) in layout.flat() {
        body.push_str("  <rdf:Description ");
        reference(&mut body, &layout.terms().get(subject), "rdf:about")?;
        body.push_str(">\n");
        for triple in said {
            property(&mut body, layout, &prefixes, triple)?;
        }
        body.push_str("  </rdf:Description>\n");
    }
    let mut text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<rdf:RDF".to_owned();
    let mut declare = |name: &str, namespace: &str| -> Result<(), Kind> {
        write!(text, " xmlns:{name}=\"").expect(MEMORY);
        escape(&mut text, namespace)?;
        text.push('"');
        Ok(())
    };
    declare("rdf", RDF)?;
    for (name, namespace) in prefixes.used().iter().filter(|(name, _)| *name != "rdf") {
        declare(name, namespace)?;
    }
    text.push_str(">\n");
    Ok(text + &body + "</rdf:RDF>\n")
}

const MEMORY: &str = "writing into memory does not fail";

fn property(text: &mut String, layout: &Layout<'_>, prefixes: &Prefixes, triple: &Triple) -> Result<(), Kind> {
    let TermRef::Iri(predicate) = layout.terms().get(triple.predicate) else { unreachable!("predicates are IRIs") };
    let (namespace, local) = split(predicate).ok_or_else(|| Kind::PredicateName { predicate: shortened(predicate) })?;
    text.push_str("    <");
    let name = match prefixes.name(namespace) {
        Some(prefix) => format!("{prefix}:{local}"),
        None => format!("p:{local}"),
    };
    text.push_str(&name);
    if name.starts_with("p:") {
        text.push_str(" xmlns:p=\"");
        escape(text, namespace)?;
        text.push('"');
    }
    text.push(' ');
    match layout.terms().get(triple.object) {
        TermRef::Literal { lexical, datatype, language } => {
            match language {
                Some(language) => write!(text, "xml:lang=\"{language}\"").expect(MEMORY),
                None if datatype == xsd::STRING => drop(text.pop()),
                None => {
                    text.push_str("rdf:datatype=\"");
                    escape(text, datatype)?;
                    text.push('"');
                }
            }
            text.push('>');
            escape(text, &lexical)?;
            writeln!(text, "</{name}>").expect(MEMORY);
        }
        term => {
            reference(text, &term, "rdf:resource")?;
            text.push_str("/>\n");
        }
    }
    Ok(())
}

/// A node as an attribute: an IRI's is given, a blank node's is `rdf:nodeID`.
fn reference(text: &mut String, term: &TermRef<'_>, attribute: &str) -> Result<(), Kind> {
    match term {
        TermRef::Blank(name) => write!(text, "rdf:nodeID=\"{}\"", label(name)).expect(MEMORY),
        TermRef::Iri(iri) | TermRef::Literal { datatype: iri, .. } => {
            write!(text, "{attribute}=\"").expect(MEMORY);
            escape(text, iri)?;
            text.push('"');
        }
    }
    Ok(())
}

/// Cuts a predicate before the longest name of an element at its end.
fn split(predicate: &str) -> Option<(&str, &str)> {
    let inside = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    let tail =
        predicate.rfind(|c| !inside(c)).map_or(0, |at| at + predicate[at..].chars().next().map_or(0, char::len_utf8));
    let start = tail + predicate[tail..].find(|c: char| c.is_ascii_alphabetic() || c == '_')?;
    let (namespace, local) = predicate.split_at(start);
    let taken =
        namespace == RDF && RESERVED.contains(&local) || UNDECLARED.contains(&namespace) || namespace.is_empty();
    (!taken).then_some((namespace, local))
}

fn escape(text: &mut String, raw: &str) -> Result<(), Kind> {
    for c in raw.chars() {
        match c {
            '&' => text.push_str("&amp;"),
            '<' => text.push_str("&lt;"),
            '>' => text.push_str("&gt;"),
            '"' => text.push_str("&quot;"),
            '\r' => text.push_str("&#13;"),
            '\n' | '\t' => text.push(c),
            c if c < ' ' || matches!(c, '\u{FFFE}' | '\u{FFFF}') => return Err(Kind::XmlCharacter { code: c.into() }),
            c => text.push(c),
        }
    }
    Ok(())
}
