//! Reads Turtle, N-Triples and N-Quads.

use oxrdf::Triple;
use oxttl::{NQuadsParser, NTriplesParser, TurtleParser, TurtleSyntaxError};

use super::error::{Place, RdfErrorKind as Kind};
use super::sink::Sink;
use super::{Format, RdfError, nesting};
use crate::Limits;
use crate::graph::Triple as Statement;

pub(super) fn read_turtle(text: &[u8], sink: Sink<'_>, limits: &Limits) -> Result<Vec<Statement>, RdfError> {
    nesting::check_turtle(text, limits)?;
    let mut parser = TurtleParser::new();
    if let Some(base) = sink.base() {
        parser = parser.with_base_iri(base).map_err(|_| Kind::BadBase { base: base.to_owned() })?;
    }
    read(text, Format::Turtle, parser.for_slice(text), sink, push)
}

pub(super) fn read_ntriples(text: &[u8], sink: Sink<'_>) -> Result<Vec<Statement>, RdfError> {
    let triples = NTriplesParser::new().for_slice(text);
    read(text, Format::NTriples, triples, sink, push)
}

pub(super) fn read_nquads(text: &[u8], sink: Sink<'_>) -> Result<Vec<Statement>, RdfError> {
    read(text, Format::NQuads, NQuadsParser::new().for_slice(text), sink, |sink, quad| sink.push_quad(quad))
}

fn read<T>(
    text: &[u8],
    format: Format,
    statements: impl Iterator<Item = Result<T, TurtleSyntaxError>>,
    mut sink: Sink<'_>,
    push: impl Fn(&mut Sink<'_>, T) -> Result<(), Kind>,
) -> Result<Vec<Statement>, RdfError> {
    for statement in statements {
        push(&mut sink, statement.map_err(|error| refused(text, format, &error))?)?;
    }
    Ok(sink.finish())
}

fn push(sink: &mut Sink<'_>, triple: Triple) -> Result<(), Kind> {
    sink.push(triple.subject, triple.predicate, triple.object)
}

/// What a parser's error means.
fn refused(text: &[u8], format: Format, error: &TurtleSyntaxError) -> RdfError {
    let range = error.location();
    let start = usize::try_from(range.start.offset).unwrap_or(text.len()).min(text.len());
    let at = text[start..].iter().position(|byte| !byte.is_ascii_whitespace()).map_or(start, |space| start + space);
    let kind = match &text[at..] {
        [b'<', b'<', ..] | [b'{', b'|', ..] | [b'~', ..] => Kind::TripleTerm,
        [b'<', rest @ ..] if error.message().contains("No scheme found") => {
            let end = memchr::memchr(b'>', rest).unwrap_or(rest.len());
            Kind::RelativeIri { iri: super::error::shortened(&String::from_utf8_lossy(&rest[..end])) }
        }
        [b'{', ..] if format == Format::Turtle => Kind::NamedGraph { graph: "that begins here".to_owned() },
        _ => Kind::syntax(format, error.message()),
    };
    RdfError { place: Some(Place::at(text, at)), kind }
}
