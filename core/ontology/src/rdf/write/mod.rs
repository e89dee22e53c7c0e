//! Writes statements: sorted, so that the same graph is the same text, and a small change a small difference.

mod json_ld;
mod layout;
mod prefixes;
mod turtle;
mod xml;

use std::io;

use super::error::RdfErrorKind as Kind;
use super::{Format, RdfError};
use crate::graph::{self, Graph, Terms, Triple};
use layout::Layout;

/// Writes statements of a graph. What is written reads back as the same statements, up to the labels of blank nodes.
///
/// Turtle and JSON-LD nest blank nodes that one statement refers to, and lists; where a label is written it is the graph's own. N-Triples and
/// N-Quads are the canonical lines of RDFC-1.0, sorted, and keep all labels. Prefixes are those in use: the usual ones, sectors' names, and
/// others after their namespaces.
///
/// # Errors
/// What RDF/XML cannot say (some predicates, some characters), and what writing fails with; nothing was written then, or not all.
/// [`Format::Json`] is refused: a document is written by its own front door.
pub fn write(
    graph: &Graph,
    statements: impl Iterator<Item = Triple>,
    format: Format,
    out: &mut impl io::Write,
) -> Result<(), RdfError> {
    let (terms, mut triples) = (&**graph.terms(), statements.collect::<Vec<_>>());
    let text = match format {
        Format::NTriples | Format::NQuads => lines(terms, &triples),
        Format::Turtle => turtle::write(&Layout::new(terms, &mut triples)).into_bytes(),
        Format::JsonLd => json_ld::write(&Layout::new(terms, &mut triples)).into_bytes(),
        Format::RdfXml => xml::write(&Layout::new(terms, &mut triples))?.into_bytes(),
        Format::Json => return Err(Kind::PlainJson.into()),
    };
    Ok(out.write_all(&text)?)
}

/// The canonical lines, sorted.
fn lines(terms: &Terms, triples: &[Triple]) -> Vec<u8> {
    let mut text = Vec::new();
    let mut lines = Vec::with_capacity(triples.len());
    for &triple in triples {
        let start = text.len();
        graph::write_statement(terms, triple, &mut text);
        lines.push(start..text.len());
    }
    lines.sort_unstable_by(|a, b| text[a.clone()].cmp(&text[b.clone()]));
    lines.dedup_by(|a, b| text[a.clone()] == text[b.clone()]);
    lines.iter().flat_map(|line| &text[line.clone()]).copied().collect()
}

/// A label that every format takes: letters and digits, a letter first.
fn label(label: &str) -> String {
    let plain = label.starts_with(|c: char| c.is_ascii_lowercase() && c != 'x')
        && label.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if plain { label.to_owned() } else { label.bytes().fold("x".to_owned(), |text, byte| format!("{text}{byte:02x}")) }
}
