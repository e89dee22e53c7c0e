//! Bounds what an RDF/XML text may make its parser do, before it is parsed: nesting, attributes, namespaces, and entities that swell.

use hashbrown::HashMap;
use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use super::error::{RdfErrorKind as Kind, within};
use super::{Format, RdfError};
use crate::Limits;

/// Attributes of one element: the parser compares each with each.
const ATTRIBUTES: usize = 1024;
/// Namespaces declared at one time: the parser looks along them for each name.
const NAMESPACES: usize = 1024;
/// Entities that a document type declares.
const ENTITIES: usize = 1024;

/// Refuses a text that nests too deep, declares too much, or whose entities are elsewhere or swell.
pub(super) fn check(text: &[u8], limits: &Limits) -> Result<(), RdfError> {
    let mut reader = Reader::from_reader(text);
    reader.config_mut().check_end_names = false;
    let mut guard =
        Guard { limits, open: Vec::new(), namespaces: Namespaces::default(), entities: HashMap::new(), swollen: 0 };
    loop {
        let at = usize::try_from(reader.buffer_position()).unwrap_or(text.len());
        let event = reader.read_event().map_err(|error| {
            let at = usize::try_from(reader.error_position()).unwrap_or(text.len());
            Kind::syntax(Format::RdfXml, &error.to_string()).at(text, at)
        })?;
        let end = matches!(event, Event::Eof);
        guard.event(event).map_err(|kind| kind.at(text, at))?;
        if end {
            return Ok(());
        }
    }
}

struct Guard<'a> {
    limits: &'a Limits,
    /// Of each open element: the namespaces in scope outside it, and whether it may copy its content as it is.
    open: Vec<(Namespaces, bool)>,
    namespaces: Namespaces,
    /// Bytes of each entity, expanded.
    entities: HashMap<Vec<u8>, usize>,
    /// Bytes that entities and copied namespaces come to.
    swollen: usize,
}

/// The namespaces in scope.
#[derive(Clone, Copy, Default)]
struct Namespaces {
    count: usize,
    bytes: usize,
}

impl Guard<'_> {
    fn event(&mut self, event: Event<'_>) -> Result<(), Kind> {
        match event {
            Event::Start(element) => {
                let (outside, copies) = self.element(&element)?;
                self.open.push((outside, copies));
                within("levels of nesting", self.open.len(), self.limits.nesting)
            }
            Event::Empty(element) => {
                self.namespaces = self.element(&element)?.0;
                Ok(())
            }
            Event::End(_) => {
                if let Some((outside, _)) = self.open.pop() {
                    self.namespaces = outside;
                }
                Ok(())
            }
            Event::Text(text) => {
                within("bytes in a literal", text.len(), self.limits.string_bytes)?;
                self.references(&text)
            }
            Event::CData(text) => within("bytes in a literal", text.len(), self.limits.string_bytes),
            Event::DocType(declaration) => self.document_type(&declaration),
            Event::Decl(_) | Event::PI(_) | Event::Comment(_) | Event::Eof => Ok(()),
        }
    }

    /// Takes an element's attributes; the namespaces outside it, and whether its content may be copied as it is.
    fn element(&mut self, element: &BytesStart<'_>) -> Result<(Namespaces, bool), Kind> {
        let outside = self.namespaces;
        if self.open.last().is_some_and(|&(_, copies)| copies) {
            self.swell(outside.bytes)?; // each element at the top of an XML literal declares all of them
        }
        let (mut attributes, mut copies) = (0, false);
        for attribute in element.attributes().with_checks(false) {
            let Ok(attribute) = attribute else {
                break; // the parser says what is wrong with it
            };
            attributes += 1;
            within("attributes", attributes, ATTRIBUTES)?;
            let (key, value) = (attribute.key.as_ref(), &*attribute.value);
            self.references(value)?;
            if key.starts_with(b"xmlns") {
                self.namespaces.count += 1;
                self.namespaces.bytes += key.len() + self.expanded(value) + b" =\"\"".len();
                within("namespaces", self.namespaces.count, NAMESPACES)?;
                within("bytes in an IRI", self.expanded(value), self.limits.iri_bytes)?;
            } else if key == b"xml:base" {
                within("bytes in an IRI", self.expanded(value), self.limits.iri_bytes)?;
            } else if key.ends_with(b"parseType") {
                copies = true;
            }
        }
        Ok((outside, copies))
    }

    /// Reads the entities of a document type, which may use those before them.
    fn document_type(&mut self, declaration: &[u8]) -> Result<(), Kind> {
        let mut rest = declaration;
        while let Some(at) = memchr::memmem::find(rest, b"<!ENTITY") {
            rest = rest[at + b"<!ENTITY".len()..].trim_ascii_start();
            rest = rest.strip_prefix(b"%").unwrap_or(rest).trim_ascii_start();
            let name_len = rest.iter().position(u8::is_ascii_whitespace).unwrap_or(rest.len());
            let (name, value) = rest.split_at(name_len);
            let Some((b'"', value)) = value.trim_ascii_start().split_first() else {
                return Err(self.unquoted(name, value));
            };
            let value = &value[..memchr::memchr(b'"', value).unwrap_or(value.len())];
            let expanded = self.expanded(value);
            self.swell(expanded)?;
            within("entities", self.entities.len() + 1, ENTITIES)?;
            self.entities.insert(name.to_vec(), expanded);
        }
        Ok(())
    }

    fn unquoted(&self, name: &[u8], value: &[u8]) -> Kind {
        let name = super::error::shortened(&String::from_utf8_lossy(name));
        match value.trim_ascii_start() {
            value if value.starts_with(b"SYSTEM") || value.starts_with(b"PUBLIC") => Kind::ExternalEntity { name },
            _ => Kind::syntax(Format::RdfXml, &format!("the entity `{name}` needs its text in double quotes")),
        }
    }

    /// Bytes of a text, its entities expanded.
    fn expanded(&self, text: &[u8]) -> usize {
        let mut bytes = text.len();
        each_reference(text, |name| bytes = bytes.saturating_add(self.entities.get(name).copied().unwrap_or(0)));
        bytes
    }

    fn references(&mut self, text: &[u8]) -> Result<(), Kind> {
        let bytes = self.expanded(text) - text.len();
        within("bytes in a literal", bytes, self.limits.string_bytes)?;
        self.swell(bytes)
    }

    fn swell(&mut self, bytes: usize) -> Result<(), Kind> {
        self.swollen = self.swollen.saturating_add(bytes);
        within("bytes of terms written out", self.swollen, self.limits.text_bytes)
    }
}

/// The names between `&` and `;`.
fn each_reference<'t>(text: &'t [u8], mut found: impl FnMut(&'t [u8])) {
    let mut rest = text;
    while let Some(at) = memchr::memchr(b'&', rest) {
        rest = &rest[at + 1..];
        if let Some(end) = memchr::memchr2(b';', b'&', rest).filter(|&end| rest[end] == b';') {
            found(&rest[..end]);
            rest = &rest[end + 1..];
        }
    }
}
