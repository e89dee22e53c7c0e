//! Terms as values: what authors of RDF write, in the types that programs read.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::document::{Data, Piece};
use crate::draft::{Draft, too_large};
use crate::error::DocumentErrorKind as Kind;
use crate::graph::{Graph, Term, TermRef};
use crate::parse::{self, Literal};
use crate::vocabulary::{rdf, xsd};
use crate::words::Words;

/// A value that was read.
pub(crate) struct Read {
    pub literal: Literal,
    /// Statements of the RDF list that it was, if it was one.
    pub cells: usize,
}

/// Reads a parameter's object: a literal, an IRI (as text), an RDF list of these, or a list as JSON.
pub(crate) fn literal(draft: &mut Draft, graph: &Graph, words: &Words, object: Term) -> Result<Read, Kind> {
    let list = object == words.nil || graph.objects(object, words.first).next().is_some();
    if !list {
        return match graph.terms().get(object) {
            TermRef::Literal { lexical, datatype: rdf::JSON, .. } => {
                Ok(Read { literal: parse::json_literal(draft, &lexical)?, cells: 0 })
            }
            term => Ok(Read { literal: Literal::Known(scalar(draft, &term)?), cells: 0 }),
        };
    }
    let mut elements = Vec::new();
    for cell in list_cells(graph, words, object) {
        too_large("elements in a list", elements.len() + 1, draft.limits.list_len)?;
        let first = cell.ok_or(Kind::BrokenList)?;
        elements.push(scalar(draft, &graph.terms().get(first))?);
    }
    Ok(Read { literal: draft.list(&elements)?, cells: 2 * elements.len() })
}

/// The elements of an RDF list; a none at the end where a cell is not whole. A list that comes back to itself is as long as the
/// graph at most, and its last element is none.
pub(crate) fn list_cells<'g>(
    graph: &'g Graph,
    words: &'g Words,
    head: Term,
) -> impl Iterator<Item = Option<Term>> + 'g {
    let only = |cell, predicate| {
        let mut objects = graph.objects(cell, predicate);
        objects.next().filter(|_| objects.next().is_none())
    };
    let mut next = Some(head);
    let mut left = graph.len();
    std::iter::from_fn(move || {
        let cell = next.filter(|&cell| cell != words.nil)?;
        next = only(cell, words.rest).filter(|_| left > 0);
        left = left.saturating_sub(1);
        Some(next.and_then(|_| only(cell, words.first)))
    })
}

fn scalar(draft: &mut Draft, term: &TermRef<'_>) -> Result<Data, Kind> {
    let (lexical, datatype) = match term {
        TermRef::Iri(iri) => return Ok(Data::Str(draft.text(iri)?)),
        TermRef::Blank(label) => return Err(Kind::BlankValue { label: (*label).to_owned() }),
        TermRef::Literal { lexical, datatype, .. } => (&**lexical, *datatype),
    };
    let ill_formed = || Kind::IllFormed { lexical: lexical.to_owned(), datatype: datatype.to_owned() };
    match datatype.strip_prefix(xsd::PREFIX) {
        Some("boolean") => match lexical.trim() {
            "true" | "1" => Ok(Data::Bool(true)),
            "false" | "0" => Ok(Data::Bool(false)),
            _ => Err(ill_formed()),
        },
        Some(
            "integer" | "long" | "int" | "short" | "byte" | "nonNegativeInteger" | "positiveInteger"
            | "nonPositiveInteger" | "negativeInteger" | "unsignedLong" | "unsignedInt" | "unsignedShort"
            | "unsignedByte",
        ) => {
            let digits = lexical.trim();
            let unsigned = digits.strip_prefix(['+', '-']).unwrap_or(digits);
            if unsigned.is_empty() || !unsigned.bytes().all(|byte| byte.is_ascii_digit()) {
                return Err(ill_formed());
            }
            digits.parse().map(Data::I64).map_err(|_| Kind::IntegerRange { digits: digits.to_owned() })
        }
        Some("double" | "float" | "decimal") => {
            let number = lexical.trim();
            let plain = |byte: u8| matches!(byte, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E');
            match number.parse::<f64>() {
                Ok(value) if number.bytes().all(plain) && value.is_finite() => Ok(Data::F64(value)),
                _ => Err(ill_formed()),
            }
        }
        Some("base64Binary") => {
            too_large("bytes in a value", lexical.len() / 4 * 3, draft.limits.string_bytes.saturating_add(2))?;
            let compact: String = lexical.split_ascii_whitespace().collect();
            draft.raw_bytes(&STANDARD.decode(compact).map_err(|_| ill_formed())?).map(Data::Bytes)
        }
        Some("hexBinary") => {
            too_large("bytes in a value", lexical.len() / 2, draft.limits.string_bytes)?;
            let digit = |byte: u8| (byte as char).to_digit(16).map(|digit| digit as u8);
            let pairs = lexical.trim().as_bytes().chunks(2);
            let bytes: Option<Vec<u8>> = pairs
                .map(|pair| if let [high, low] = pair { Some(digit(*high)? << 4 | digit(*low)?) } else { None })
                .collect();
            draft.raw_bytes(&bytes.ok_or_else(ill_formed)?).map(Data::Bytes)
        }
        // Dates, durations, texts in a language: programs read what was written.
        _ => Ok(Data::Str(draft.text(lexical)?)),
    }
}

impl Draft {
    /// Stores bytes.
    pub(crate) fn raw_bytes(&mut self, bytes: &[u8]) -> Result<Piece, Kind> {
        too_large("bytes in a value", bytes.len(), self.limits.string_bytes)?;
        let start = self.document.bytes.len() as u32;
        self.document.bytes.extend_from_slice(bytes);
        Ok(Piece { start, len: bytes.len() as u32 })
    }
}
