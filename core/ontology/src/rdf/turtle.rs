//! Reads Turtle, N-Triples and N-Quads.

use std::sync::mpsc::sync_channel;
use std::thread;

use oxrdf::{NamedNode, NamedOrBlankNode, Quad, Term, Triple};
use oxttl::{NQuadsParser, NTriplesParser, TurtleParser, TurtleSyntaxError};

use super::error::{Place, RdfErrorKind as Kind};
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
    read(text, Format::Turtle, parser.for_slice(text), sink, push, size)
}

pub(super) fn read_ntriples(text: &[u8], sink: Sink<'_>) -> Result<Vec<Statement>, RdfError> {
    let triples = NTriplesParser::new().for_slice(text);
    read(text, Format::NTriples, triples, sink, push, size)
}

pub(super) fn read_nquads(text: &[u8], sink: Sink<'_>) -> Result<Vec<Statement>, RdfError> {
    let quads = NQuadsParser::new().for_slice(text);
    let of_quad = |quad: &Quad| bytes_of(&quad.subject, &quad.predicate, &quad.object);
    read(text, Format::NQuads, quads, sink, |sink, quad| sink.push_quad(quad), of_quad)
}

/// Takes what a parser finds. Of a long text the parser runs ahead on a thread of its own, and gets its statements back to drop them,
/// since memory goes back most cheaply where it came from.
fn read<T: Send>(
    text: &[u8],
    format: Format,
    mut statements: impl Iterator<Item = Result<T, TurtleSyntaxError>> + Send,
    mut sink: Sink<'_>,
    push: impl Fn(&mut Sink<'_>, &T) -> Result<(), Kind>,
    size: impl Fn(&T) -> usize + Send,
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
                let mut bytes = 0;
                while bytes < BATCH
                    && let Some(statement) = statements.next()
                {
                    bytes += statement.as_ref().map_or(BATCH, &size);
                    batch.push(statement);
                }
                // The other side goes away when it has refused a statement.
                if batch.is_empty() || parsed.send(batch).is_err() {
                    return;
                }
            }
        })?;
        // Gone with this closure when a statement is refused, so that the parser does not wait for room for ever.
        let batches = batches;
        while let Some(batch) = soon(&batches) {
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
/// Bytes of names and texts that are handed over together, and how many such batches the parser may be ahead: enough that to wake the other
/// thread costs little, and few, so that they stay in the cache.
const BATCH: usize = 64 << 10;
const AHEAD: usize = 4;

fn push(sink: &mut Sink<'_>, triple: &Triple) -> Result<(), Kind> {
    sink.push(&triple.subject, &triple.predicate, &triple.object)
}

/// Bytes that a statement takes.
fn size(triple: &Triple) -> usize {
    bytes_of(&triple.subject, &triple.predicate, &triple.object)
}

fn bytes_of(subject: &NamedOrBlankNode, predicate: &NamedNode, object: &Term) -> usize {
    let subject = match subject {
        NamedOrBlankNode::NamedNode(node) => node.as_str().len(),
        NamedOrBlankNode::BlankNode(node) => node.as_str().len(),
    };
    let object = match object {
        Term::NamedNode(node) => node.as_str().len(),
        Term::BlankNode(node) => node.as_str().len(),
        Term::Literal(literal) => literal.value().len() + literal.datatype().as_str().len(),
        #[allow(unreachable_patterns, reason = "another crate of the build may turn oxrdf's RDF 1.2 on")]
        _ => 0,
    };
    size_of::<Triple>() + subject + predicate.as_str().len() + object
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
