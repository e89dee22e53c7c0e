//! Reads Turtle, N-Triples and N-Quads.

use std::sync::mpsc::sync_channel;
use std::thread;

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

/// Takes what a parser finds. Of a long text the parser runs ahead on a thread of its own, and gets its statements back to drop them,
/// since memory goes back most cheaply where it came from.
fn read<T: Send>(
    text: &[u8],
    format: Format,
    mut statements: impl Iterator<Item = Result<T, TurtleSyntaxError>> + Send,
    mut sink: Sink<'_>,
    push: impl Fn(&mut Sink<'_>, &T) -> Result<(), Kind>,
) -> Result<Vec<Statement>, RdfError> {
    if text.len() < LONG {
        for statement in statements {
            push(&mut sink, &statement.map_err(|error| refused(text, format, &error))?)?;
        }
        return Ok(sink.finish());
    }
    let (parsed, batches) = sync_channel::<Vec<Result<T, TurtleSyntaxError>>>(AHEAD);
    let (taken, spent) = sync_channel(2 * AHEAD);
    thread::scope(|scope| {
        thread::Builder::new().name("knhk-parse".to_owned()).spawn_scoped(scope, move || {
            loop {
                let mut batch: Vec<_> = spent.try_recv().unwrap_or_default();
                batch.clear();
                batch.extend(statements.by_ref().take(BATCH));
                // The other side goes away when it has refused a statement.
                if batch.is_empty() || parsed.send(batch).is_err() {
                    return;
                }
            }
        })?;
        for batch in batches {
            for statement in &batch {
                let statement = statement.as_ref().map_err(|error| refused(text, format, error))?;
                push(&mut sink, statement)?;
            }
            drop(taken.try_send(batch));
        }
        Ok(sink.finish())
    })
}

/// Bytes from which on a thread of its own pays for the parser.
const LONG: usize = 64 << 10;
/// Statements that are handed over together, and how many such batches the parser may be ahead: few, since names may be long.
const BATCH: usize = 64;
const AHEAD: usize = 4;

fn push(sink: &mut Sink<'_>, triple: &Triple) -> Result<(), Kind> {
    sink.push(&triple.subject, &triple.predicate, &triple.object)
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
