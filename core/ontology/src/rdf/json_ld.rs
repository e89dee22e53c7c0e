//! Reads JSON-LD.

use std::panic::{AssertUnwindSafe, catch_unwind};

use oxjsonld::{JsonLdParser, JsonLdSyntaxError};

use super::error::{Place, RdfErrorKind as Kind};
use super::sink::Sink;
use super::{Format, RdfError, json_ld_guard};
use crate::Limits;

pub(super) fn read(text: &[u8], sink: &mut Sink<'_>, limits: &Limits) -> Result<(), RdfError> {
    json_ld_guard::check(text, limits)?;
    let mut parser = JsonLdParser::new();
    if let Some(base) = sink.base().for_parser() {
        parser = parser.with_base_iri(base).map_err(|_| Kind::BadBase { base: base.to_owned() })?;
    }
    let mut statements = parser.for_slice(text);
    // The expansion's states assert more than its authors could try. What fails there fails here as an error.
    let mut next = || catch_unwind(AssertUnwindSafe(|| statements.next())).map_err(|panic| failed(&*panic));
    while let Some(quad) = next()? {
        sink.push_quad(quad.map_err(|error| refused(text, &error))?)?;
    }
    Ok(())
}

fn refused(text: &[u8], error: &JsonLdSyntaxError) -> RdfError {
    let offset = error.location().map(|range| usize::try_from(range.start.offset).unwrap_or(text.len()));
    RdfError { place: offset.map(|at| Place::at(text, at)), kind: Kind::syntax(Format::JsonLd, &error.to_string()) }
}

fn failed(panic: &(dyn std::any::Any + Send)) -> Kind {
    let said = panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    Kind::Reader { format: Format::JsonLd, message: super::error::shortened(said.unwrap_or("a panic")) }
}
