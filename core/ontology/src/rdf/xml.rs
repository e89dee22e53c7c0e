//! Reads RDF/XML.

use oxrdfxml::{RdfXmlParser, RdfXmlSyntaxError};

use super::error::{RdfErrorKind as Kind, shortened};
use super::sink::Sink;
use super::{Format, RdfError, xml_guard};
use crate::Limits;
use crate::graph::Triple;

pub(super) fn read(text: &[u8], mut sink: Sink<'_>, limits: &Limits) -> Result<Vec<Triple>, RdfError> {
    xml_guard::check(text, limits)?;
    let mut parser = RdfXmlParser::new();
    if let Some(base) = sink.base() {
        parser = parser.with_base_iri(base).map_err(|_| Kind::BadBase { base: base.to_owned() })?;
    }
    let mut statements = parser.for_slice(text);
    while let Some(statement) = statements.next() {
        let at = usize::try_from(statements.buffer_position()).unwrap_or(text.len());
        let triple = statement.map_err(|error| refused(&error).at(text, at))?;
        sink.push(&(&triple).into()).map_err(|kind| kind.at(text, at))?;
    }
    Ok(sink.finish())
}

fn refused(error: &RdfXmlSyntaxError) -> Kind {
    let message = error.to_string();
    match message.split_once("IRI '").and_then(|(_, rest)| rest.rsplit_once("': No scheme found")) {
        Some((iri, _)) => Kind::RelativeIri { iri: shortened(iri) },
        None => Kind::syntax(Format::RdfXml, &message),
    }
}
