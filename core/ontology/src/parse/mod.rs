//! Reads a document, straight into its arrays.

mod literal;
mod read;
mod rules;

use serde::de::DeserializeSeed;

use crate::document::{Document, Piece, TOP};
use crate::draft::{Draft, too_large};
use crate::error::DocumentErrorKind as Kind;
use crate::{DocumentError, Limits};
use literal::Numbers;
use read::{Item, Place, Top};

pub(crate) use literal::Literal;
pub(crate) use rules::Fields;

impl Document {
    /// Reads a document: plain JSON after this grammar.
    ///
    /// - A document is an object of objects; `/` joins a path. An object of names is also a map, looked up by a run-time string.
    /// - A leaf is a scalar (a number without fraction or exponent is i64, any other f64), a list of scalars of one type, or an object
    ///   with `$value` and any of `$type`, `$min`, `$max`, `$enum`, `$unit`, `$default`, `$doc`. Without `$value`, `$default` is the value.
    /// - Bytes are `{"$bytes": "base64"}`, as a value or in a list.
    /// - `$type` is needed for an empty list only. Where it is given, whole numbers are taken for doubles if it says `f64` or `list<f64>`.
    ///   Without it nothing is converted: a list of `1` and `1.5` is refused, saying to write `1.0`.
    /// - `$min`, `$max` and `$enum` of a list hold for each element.
    /// - `$classes`, at the top, maps each class to the list of its parents. Classes are keys at `$classes/<name>`.
    ///
    /// Any other `$` key, a `/` or a NUL in a name, an empty name, a name that is there twice, a null, a NUL in a string, an integer
    /// beyond 64 bits and a value that its own rules forbid are refused with the path and the way out. `-0` is the integer 0; `-0.0` stays a
    /// double.
    pub fn parse(json: impl AsRef<[u8]>, limits: &Limits) -> Result<Document, DocumentError> {
        Parser::document(json.as_ref(), limits)
    }
}

impl Parser<'_> {
    fn document(json: &[u8], limits: &Limits) -> Result<Document, DocumentError> {
        let at_top = |kind| DocumentError { path: String::new(), kind };
        // Pieces count in 32 bits.
        too_large("bytes", json.len(), limits.bytes.min(u32::MAX as usize)).map_err(at_top)?;
        if json.starts_with(b"\xef\xbb\xbf") {
            return Err(at_top(Kind::ByteOrderMark));
        }
        let text = std::str::from_utf8(json).map_err(|error| at_top(Kind::NotUtf8 { at: error.valid_up_to() }))?;
        let mut parser = Parser {
            draft: Draft::new(limits, json.len()),
            numbers: Numbers::new(text),
            parent: TOP,
            name: None,
            depth: 0,
            error: None,
            elements: Vec::new(),
        };
        let mut json = serde_json::Deserializer::from_str(text);
        match Top(&mut parser).deserialize(&mut json).and_then(|()| {
            (parser.parent, parser.name) = (TOP, None);
            json.end()
        }) {
            Ok(()) => parser.draft.finish(),
            Err(error) => Err(parser.error.take().unwrap_or_else(|| DocumentError {
                path: parser.draft.path(parser.parent, parser.name),
                kind: Kind::Syntax { message: error.to_string() },
            })),
        }
    }
}

/// What is known while reading.
struct Parser<'j> {
    draft: Draft,
    numbers: Numbers<'j>,
    /// The map that is being read, and the name in it: where an error is said to be.
    parent: u32,
    name: Option<Piece>,
    depth: usize,
    /// Our own reason, since the JSON reader's error carries text only.
    error: Option<DocumentError>,
    /// The elements of the list that is being read; kept for its memory.
    elements: Vec<crate::document::Data>,
}

impl Parser<'_> {
    /// Remembers why, and where, reading ends.
    fn refuse<E: serde::de::Error>(&mut self, kind: Kind) -> E {
        let path = self.draft.path(self.parent, self.name);
        self.error.get_or_insert(DocumentError { path, kind });
        E::custom("refused")
    }
}

/// Reads a value written as JSON, as a list is within a graph.
pub(crate) fn json_literal(draft: &mut Draft, text: &str) -> Result<Literal, Kind> {
    let limits = draft.limits;
    let mut parser = Parser {
        draft: std::mem::replace(draft, Draft::new(&limits, 0)),
        numbers: Numbers::new(text),
        parent: TOP,
        name: None,
        depth: 0,
        error: None,
        elements: Vec::new(),
    };
    let mut json = serde_json::Deserializer::from_str(text);
    let read = Item(&mut parser, Place::Field).deserialize(&mut json).and_then(|literal| json.end().map(|()| literal));
    let refused = parser.error.take().map(|error| error.kind);
    *draft = parser.draft;
    match read {
        Ok(literal) => Ok(literal.expect("a field is never a node")),
        Err(error) => Err(refused.unwrap_or_else(|| Kind::Syntax { message: error.to_string() })),
    }
}
