//! Reads JSON-LD.

use std::any::Any;
use std::thread;

use oxjsonld::{JsonLdParser, JsonLdSyntaxError};

use super::error::{Place, RdfErrorKind as Kind, shortened};
use super::sink::Sink;
use super::{Format, RdfError, json_ld_guard};
use crate::Limits;
use crate::graph::Triple;

/// Stack that a level of nesting may take: the parser's states are large, and it goes through them once a level.
const LEVEL: usize = 256 << 10;

/// The reader runs on a thread of its own: how much stack it takes depends on the text, not on who happens to call, and what it asserts in
/// vain becomes an error.
pub(super) fn read<'a>(
    text: &[u8],
    sink: impl FnOnce() -> Sink<'a> + Send,
    limits: &Limits,
) -> Result<Vec<Triple>, RdfError> {
    json_ld_guard::check(text, limits)?;
    let stack = (limits.nesting + 8).saturating_mul(LEVEL);
    thread::scope(|scope| {
        let reader = thread::Builder::new().name("knhk-json-ld".to_owned()).stack_size(stack);
        let reader = reader.spawn_scoped(scope, || statements(text, sink()))?;
        reader.join().unwrap_or_else(|panic| Err(failed(&*panic).into()))
    })
}

fn statements(text: &[u8], mut sink: Sink<'_>) -> Result<Vec<Triple>, RdfError> {
    let mut parser = JsonLdParser::new();
    if let Some(base) = sink.base() {
        parser = parser.with_base_iri(base).map_err(|_| Kind::BadBase { base: base.to_owned() })?;
    }
    for quad in parser.for_slice(text) {
        sink.push(&(&quad.map_err(|error| refused(text, &error))?).into())?;
    }
    Ok(sink.finish())
}

fn refused(text: &[u8], error: &JsonLdSyntaxError) -> RdfError {
    let offset = error.location().map(|range| usize::try_from(range.start.offset).unwrap_or(text.len()));
    RdfError { place: offset.map(|at| Place::at(text, at)), kind: Kind::syntax(Format::JsonLd, &error.to_string()) }
}

fn failed(panic: &(dyn Any + Send)) -> Kind {
    let said = panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    Kind::Reader { format: Format::JsonLd, message: shortened(said.unwrap_or("it panicked")) }
}
