//! Reads Turtle, N-Triples and N-Quads.

use std::sync::mpsc::sync_channel;
use std::thread;

use oxttl::{NQuadsParser, NTriplesParser, TurtleParser, TurtleSyntaxError};

use super::error::{Place, RdfErrorKind as Kind};
use super::said::{self, Batch};
use super::sink::Sink;
use super::{Format, RdfError, nesting};
use crate::Limits;
use crate::aside::soon;
use crate::graph::Triple as Statement;

pub(super) fn read_turtle(text: &[u8], sink: Sink<'_>, limits: &Limits) -> Result<Vec<Statement>, RdfError> {
    nesting::check_turtle(text, limits)?;
    let mut parser = TurtleParser::new();
    if let Some(base) = sink.base() {
        parser = parser.with_base_iri(base).map_err(|_| Kind::BadBase { base: base.to_owned() })?;
    }
    read(text, Format::Turtle, parser.for_slice(text), sink)
}

pub(super) fn read_ntriples(text: &[u8], sink: Sink<'_>) -> Result<Vec<Statement>, RdfError> {
    read(text, Format::NTriples, NTriplesParser::new().for_slice(text), sink)
}

pub(super) fn read_nquads(text: &[u8], sink: Sink<'_>) -> Result<Vec<Statement>, RdfError> {
    read(text, Format::NQuads, NQuadsParser::new().for_slice(text), sink)
}

/// Takes what a parser finds. Of a long text the parser runs ahead on a thread of its own.
fn read<T>(
    text: &[u8],
    format: Format,
    mut statements: impl Iterator<Item = Result<T, TurtleSyntaxError>> + Send,
    mut sink: Sink<'_>,
) -> Result<Vec<Statement>, RdfError>
where
    for<'s> said::Statement<'s>: From<&'s T>,
{
    let refused = |error: TurtleSyntaxError| refused(text, format, &error);
    if text.len() < LONG {
        for statement in statements {
            sink.push(&(&statement.map_err(refused)?).into())?;
        }
        return Ok(sink.finish());
    }
    let (parsed, batches) = sync_channel::<(Batch, Option<TurtleSyntaxError>)>(AHEAD);
    let (taken, spent) = sync_channel::<Batch>(2 * AHEAD);
    thread::scope(|scope| {
        thread::Builder::new().name("knhk-parse".to_owned()).spawn_scoped(scope, move || {
            loop {
                let (mut batch, mut error) = (spent.try_recv().unwrap_or_default(), None);
                batch.clear();
                while batch.bytes() < BATCH
                    && error.is_none()
                    && let Some(statement) = statements.next()
                {
                    match statement {
                        Ok(statement) => batch.push(&(&statement).into()),
                        Err(fault) => error = Some(fault),
                    }
                }
                let last = error.is_some() || batch.is_empty();
                // The other side goes away when it has refused a statement.
                if parsed.send((batch, error)).is_err() || last {
                    return;
                }
            }
        })?;
        // Gone with this closure when a statement is refused, so that the parser does not wait for room for ever.
        let batches = batches;
        while let Some((batch, error)) = soon(&batches) {
            batch.each(|statement| sink.push(statement))?;
            if let Some(error) = error {
                return Err(refused(error));
            }
            drop(taken.try_send(batch));
        }
        Ok(sink.finish())
    })
}

/// Bytes from which on a thread of its own pays for the parser.
const LONG: usize = 64 << 10;
/// Bytes of names and texts that are handed over together, and how many such batches the parser may be ahead: enough that to wake the other
/// thread costs little, and few, so that they stay in the cache.
const BATCH: usize = 64 << 10;
const AHEAD: usize = 4;

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
