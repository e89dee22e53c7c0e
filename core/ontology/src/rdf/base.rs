//! What relative IRIs are resolved by.

use std::borrow::Cow;

use oxiri::Iri;

use super::error::RdfErrorKind;

/// Stands for a base without hierarchy while a text is read, so that the parsers, which know RFC 3986 only, resolve names below it.
const STAND_IN: &str = "x-knhk-base://base/";
const STAND_IN_SCHEME: &str = "x-knhk-base:";

/// A base IRI. One with a hierarchy (`https://example.org/a/b`) resolves as RFC 3986 says. A URN has none: RFC 3986 would make
/// `urn:limits/max` of `limits/max` below `urn:knhk:finance:`, which nobody means, so that names are appended to it instead:
/// `urn:knhk:finance:limits/max`.
#[derive(Clone, Copy)]
pub(super) struct Base<'a> {
    text: &'a str,
    flat: bool,
}

impl<'a> Base<'a> {
    /// An absolute IRI, or nothing where relative IRIs are to be refused.
    pub fn new(text: &'a str) -> Result<Base<'a>, RdfErrorKind> {
        if text.is_empty() {
            return Ok(Base { text, flat: false });
        }
        let iri = Iri::parse(text).map_err(|_| RdfErrorKind::BadBase { base: text.to_owned() })?;
        Ok(Base { text, flat: iri.authority().is_none() && !iri.path().starts_with('/') })
    }

    /// What to tell a parser.
    pub fn for_parser(&self) -> Option<&'a str> {
        match self.text {
            "" => None,
            _ if self.flat => Some(STAND_IN),
            text => Some(text),
        }
    }

    /// The IRI that is meant by one that a parser gives.
    pub fn meant<'i>(&self, iri: &'i str) -> Result<Cow<'i, str>, RdfErrorKind> {
        if !iri.starts_with(STAND_IN_SCHEME) {
            return Ok(Cow::Borrowed(iri));
        }
        match iri.strip_prefix(STAND_IN) {
            Some(below) if self.flat => Ok(Cow::Owned(format!("{}{below}", self.text))),
            _ => Err(RdfErrorKind::RelativeIri { iri: iri[STAND_IN_SCHEME.len()..].to_owned() }),
        }
    }
}
