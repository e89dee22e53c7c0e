//! RDF in and out: texts of five formats into interned statements, and back.
//!
//! What is read keeps [`Limits`], held before memory is taken for it, so that hostile texts (deep nesting, huge literals, prefixes,
//! bases or entities that swell) are refused in bounded time and memory. Nothing is ever fetched.

mod base;
mod delta;
mod error;
mod format;
mod json_ld;
mod json_ld_guard;
mod nesting;
mod said;
mod sink;
mod turtle;
mod write;
mod xml;
mod xml_guard;

use std::io::Read;
use std::sync::Arc;

pub use delta::parse_delta;
pub use error::{Place, RdfError, RdfErrorKind};
pub use format::{Format, UnknownFormat};
pub use write::write;

pub(crate) use error::within;

use crate::graph::{Graph, GraphBuilder, Terms, Triple, write_statement};
use crate::{Limits, canon, counters};
use base::Base;
use sink::{Labels, Sink};

/// The statements of a text, in no particular order; a statement that is there twice may come twice.
///
/// `base` resolves relative IRIs; empty refuses them. One that is a URN has no hierarchy: names are appended to it, so that `<limits/max>`
/// below `urn:knhk:finance:` is `urn:knhk:finance:limits/max`. Blank nodes are labelled `b0`, `b1`, …, which are this text's alone: give
/// [`canon::label`] what comes of it before other statements join.
///
/// # Errors
/// What the format, RDF 1.1 or a limit does not allow, with its place in the text. Terms of a refused text may stay in the interner.
pub fn parse(
    text: &[u8],
    format: Format,
    base: &str,
    terms: &Arc<Terms>,
    limits: &Limits,
) -> Result<Vec<Triple>, RdfError> {
    parse_labelled(text, format, base, terms, limits, Labels::Fresh)
}

/// The graph of a text over a core: parsed, its blank nodes labelled by RDFC-1.0.
///
/// # Errors
/// Those of [`parse`] and of [`canon::label`].
pub fn parse_graph(
    text: &[u8],
    format: Format,
    base: &str,
    terms: &Arc<Terms>,
    limits: &Limits,
    core: &Graph,
) -> Result<Graph, RdfError> {
    let triples = canon::label(parse(text, format, base, terms, limits)?, terms, limits)?;
    let mut builder = GraphBuilder::over(core);
    for triple in triples {
        builder.push(triple.subject, triple.predicate, triple.object);
    }
    Ok(builder.finish())
}

/// The canonical lines of a text's statements, each with its line feed; blank nodes with labels of RDFC-1.0 keep them.
///
/// # Errors
/// Those of [`parse`].
pub fn canonical_lines(text: &[u8], format: Format, limits: &Limits) -> Result<Vec<Vec<u8>>, RdfError> {
    let terms = Arc::new(Terms::new());
    let triples = parse_labelled(text, format, "", &terms, limits, Labels::KeepCanonical)?;
    let line = |triple| {
        let mut line = Vec::new();
        write_statement(&terms, triple, &mut line);
        line
    };
    Ok(triples.into_iter().map(line).collect())
}

/// The statements of canonical lines, whose blank nodes keep their labels: what [`Snapshot::own_lines`](crate::Snapshot::own_lines) wrote.
///
/// # Errors
/// Those of [`parse`].
pub fn parse_own_lines(lines: &[u8], terms: &Arc<Terms>, limits: &Limits) -> Result<Vec<Triple>, RdfError> {
    parse_labelled(lines, Format::NTriples, "", terms, limits, Labels::KeepCanonical)
}

/// Reads a text whole, up to the limit: what is longer is refused as soon as the limit is reached, however long it is.
///
/// # Errors
/// `TooLarge`, or what reading failed with.
pub fn read(reader: impl Read, limits: &Limits) -> Result<Vec<u8>, RdfError> {
    let mut text = Vec::new();
    reader.take(limits.bytes as u64 + 1).read_to_end(&mut text)?;
    within("bytes", text.len(), limits.bytes)?;
    Ok(text)
}

fn parse_labelled(
    text: &[u8],
    format: Format,
    base: &str,
    terms: &Arc<Terms>,
    limits: &Limits,
    labels: Labels,
) -> Result<Vec<Triple>, RdfError> {
    let _span = tracing::debug_span!("knhk.ontology.import", format = format.name(), bytes = text.len()).entered();
    let statements = parse_text(text, format, base, terms, limits, labels);
    match &statements {
        Ok(statements) => {
            counters::READ.add(1);
            counters::STATEMENTS.add(statements.len());
        }
        Err(error) => {
            counters::REFUSED.add(1);
            tracing::debug!(%error, "the text was refused");
        }
    }
    statements
}

fn parse_text(
    text: &[u8],
    format: Format,
    base: &str,
    terms: &Arc<Terms>,
    limits: &Limits,
    labels: Labels,
) -> Result<Vec<Triple>, RdfError> {
    within("bytes", text.len(), limits.bytes)?;
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    if let Err(error) = std::str::from_utf8(text) {
        return Err(RdfErrorKind::NotUtf8.at(text, error.valid_up_to()));
    }
    let base = Base::new(base)?;
    let sink = || Sink::new(terms, limits, base, labels);
    match format {
        Format::Turtle => turtle::read_turtle(text, sink(), limits),
        Format::NTriples => turtle::read_ntriples(text, sink()),
        Format::NQuads => turtle::read_nquads(text, sink()),
        Format::JsonLd => json_ld::read(text, sink, limits),
        Format::RdfXml => xml::read(text, sink(), limits),
        Format::Json => Err(RdfErrorKind::PlainJson.into()),
    }
}

/// Whether a text of so many bytes may be read: for whoever has to copy it first.
///
/// # Errors
/// `TooLarge`.
pub fn check_bytes(len: usize, limits: &Limits) -> Result<(), RdfError> {
    Ok(within("bytes", len, limits.bytes)?)
}
