//! Statements as canonical N-Triples, one line each: what is hashed, proven and shown.
//!
//! The form is that of RDF 1.2 N-Triples (section 3), which RDFC-1.0 takes over: one space between terms, `xsd:string`
//! left out, seven escapes with a letter, `\u00XX` for the other control characters and for what XML 1.1 does not know,
//! all else as it is.

use super::term::{IRI, Term};
use super::{Terms, Triple, small};
use crate::vocabulary::xsd;

/// Appends a statement's canonical line, with its line feed.
pub fn write_statement(terms: &Terms, triple: Triple, out: &mut Vec<u8>) {
    write_term(terms, triple.subject, out);
    out.push(b' ');
    write_term(terms, triple.predicate, out);
    out.push(b' ');
    write_term(terms, triple.object, out);
    out.extend_from_slice(b" .\n");
}

/// Writes many statements' lines: what repeats from one to the next is written once and copied then.
pub(crate) struct Lines<'t> {
    terms: &'t Terms,
    /// The predicate written last, and what stands between an IRI's text and the object.
    predicate: Option<Term>,
    between: Vec<u8>,
}

impl<'t> Lines<'t> {
    pub(crate) fn new(terms: &'t Terms) -> Lines<'t> {
        Lines { terms, predicate: None, between: Vec::new() }
    }

    /// Appends what [`write_statement`] does.
    pub(crate) fn write(&mut self, triple: Triple, out: &mut Vec<u8>) {
        let Triple { subject, predicate, object } = triple;
        let plain = subject.is_iri().then(|| self.terms.entry(subject)).filter(|entry| entry.plain);
        let Some(entry) = plain else { return write_statement(self.terms, triple, out) };
        if self.predicate != Some(predicate) {
            self.predicate = Some(predicate);
            self.between.clear();
            self.between.extend_from_slice(b"> ");
            write_term(self.terms, predicate, &mut self.between);
            self.between.push(b' ');
        }
        out.push(b'<');
        out.extend_from_slice(entry.lexical().as_bytes());
        out.extend_from_slice(&self.between);
        if let Some(value) = object.as_integer() {
            out.push(b'"');
            out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
            return out.extend_from_slice(INTEGER_END);
        }
        write_term(self.terms, object, out);
        out.extend_from_slice(b" .\n");
    }
}

/// What follows the digits of an integer.
const INTEGER_END: &[u8; 48] = b"\"^^<http://www.w3.org/2001/XMLSchema#integer> .\n";

/// Appends a term in canonical form.
pub fn write_term(terms: &Terms, term: Term, out: &mut Vec<u8>) {
    if term.is_literal() {
        return write_literal(terms, term, out);
    }
    let entry = terms.entry(term);
    let (opening, closing): (&[u8], &[u8]) = if term.is_iri() { (b"<", b">") } else { (b"_:", b"") };
    out.reserve(entry.lexical().len() + 4);
    out.extend_from_slice(opening);
    if entry.plain {
        out.extend_from_slice(entry.lexical().as_bytes());
    } else {
        escape(term.kind(), entry.lexical(), out);
    }
    out.extend_from_slice(closing);
}

fn write_literal(terms: &Terms, literal: Term, out: &mut Vec<u8>) {
    let mut typed = |lexical: &str, datatype: &str| {
        out.reserve(lexical.len() + datatype.len() + 6);
        for part in ["\"", lexical, "\"^^<", datatype, ">"] {
            out.extend_from_slice(part.as_bytes());
        }
    };
    if let Some((lexical, datatype)) = small::written(literal, &mut small::Room::default()) {
        return typed(&lexical, datatype);
    }
    let entry = terms.entry(literal);
    out.reserve(entry.lexical().len() + 8);
    out.push(b'"');
    if entry.plain {
        out.extend_from_slice(entry.lexical().as_bytes());
    } else {
        escape(literal.kind(), entry.lexical(), out);
    }
    out.push(b'"');
    if !entry.language().is_empty() {
        out.push(b'@');
        out.extend_from_slice(entry.language().as_bytes());
    } else if terms.entry(entry.datatype()).lexical() != xsd::STRING {
        out.extend_from_slice(b"^^");
        write_term(terms, entry.datatype(), out);
    }
}

/// Whether the text of a term of this kind needs no escape.
pub(super) fn is_plain(kind: u64, text: &str) -> bool {
    // Bytes alone tell, but for the two characters that begin with 0xef. Every byte is looked at, many at a time.
    !match kind {
        IRI => text.bytes().fold(false, |found, byte| found | in_iri(byte) | (byte == 0xef)),
        _ => text.bytes().fold(false, |found, byte| found | in_string(byte) | (byte == 0xef)),
    }
}

/// Whether a string escapes this byte.
#[inline]
fn in_string(byte: u8) -> bool {
    (byte < 0x20) | (byte == 0x7f) | (byte == b'"') | (byte == b'\\')
}

/// Whether the grammar keeps this byte out of an IRI: parsers refuse it, and were it here, it must not end the IRI.
#[inline]
fn in_iri(byte: u8) -> bool {
    let brackets = (byte == b'<') | (byte == b'>') | (byte == b'{') | (byte == b'}');
    in_string(byte) | (byte == b' ') | brackets | (byte == b'|') | (byte == b'^') | (byte == b'`')
}

fn escape(kind: u64, text: &str, out: &mut Vec<u8>) {
    let escaped = |char: char| match char {
        '\0'..='\u{7f}' if kind == IRI => in_iri(char as u8),
        '\0'..='\u{7f}' => in_string(char as u8),
        _ => matches!(char, '\u{fffe}' | '\u{ffff}'),
    };
    let mut rest = text;
    while let Some(at) = rest.find(escaped) {
        out.extend_from_slice(&rest.as_bytes()[..at]);
        let char = rest[at..].chars().next().expect("a character was found there");
        match letter(char) {
            Some(letter) if kind != IRI => out.extend_from_slice(&[b'\\', letter]),
            _ => out.extend_from_slice(format!("\\u{:04X}", u32::from(char)).as_bytes()),
        }
        rest = &rest[at + char.len_utf8()..];
    }
    out.extend_from_slice(rest.as_bytes());
}

/// The letter that stands for the character after a backslash in a string.
fn letter(char: char) -> Option<u8> {
    Some(match char {
        '\u{8}' => b'b',
        '\t' => b't',
        '\n' => b'n',
        '\u{c}' => b'f',
        '\r' => b'r',
        '"' => b'"',
        '\\' => b'\\',
        _ => return None,
    })
}
