//! Why a text of RDF was refused, or a graph could not be written.

use std::{fmt, io};

use super::Format;

/// A text that was refused, or a graph that could not be written: where, and why.
#[derive(Debug)]
pub struct RdfError {
    /// Where in the text; none where the fault is in no one place.
    pub place: Option<Place>,
    /// What is wrong.
    pub kind: RdfErrorKind,
}

/// A place in a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Counted from 1.
    pub line: u64,
    /// Counted in characters from 1.
    pub column: u64,
    /// What stands there, shortened.
    pub near: String,
}

/// Characters of what stands in a place.
const NEAR: usize = 40;
/// Characters of a parser's message, or of a name out of the text, that an error repeats.
const QUOTED: usize = 200;

impl Place {
    /// The place of a byte offset; one past the end is the end.
    pub(super) fn at(text: &[u8], offset: usize) -> Place {
        let offset = offset.min(text.len());
        let before = &text[..offset];
        let line = 1 + memchr::memchr_iter(b'\n', before).count() as u64;
        let start = memchr::memrchr(b'\n', before).map_or(0, |at| at + 1);
        let column = 1 + String::from_utf8_lossy(&before[start..]).chars().count() as u64;
        let rest = &text[offset..text.len().min(offset + 4 * NEAR)];
        let shown = |c: char| if c.is_control() { ' ' } else { c };
        let near =
            String::from_utf8_lossy(rest).lines().next().unwrap_or_default().chars().take(NEAR).map(shown).collect();
        Place { line, column, near }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}", self.line, self.column)?;
        if self.near.is_empty() { Ok(()) } else { write!(f, ", at `{}`", self.near.trim_end()) }
    }
}

impl std::error::Error for RdfError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.kind {
            RdfErrorKind::Io(error) => Some(error),
            _ => None,
        }
    }
}

impl fmt::Display for RdfError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Some(place) => write!(f, "{place}: {}", self.kind),
            None => write!(f, "{}", self.kind),
        }
    }
}

impl From<RdfErrorKind> for RdfError {
    fn from(kind: RdfErrorKind) -> RdfError {
        RdfError { place: None, kind }
    }
}

impl From<io::Error> for RdfError {
    fn from(error: io::Error) -> RdfError {
        RdfErrorKind::Io(error).into()
    }
}

/// What is wrong; the text says what to do about it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RdfErrorKind {
    /// The text does not keep its format's grammar.
    #[error("not {format}: {message}")]
    Syntax {
        /// The format it was read as.
        format: Format,
        /// What the parser said.
        message: String,
    },
    /// Not UTF-8.
    #[error("not UTF-8: save the text as UTF-8")]
    NotUtf8,
    /// Over a limit.
    #[error("too many {what}: {found}, the limit is {limit}")]
    TooLarge {
        /// What there is too much of.
        what: &'static str,
        /// How much was found when it was refused.
        found: usize,
        /// How much there may be.
        limit: usize,
    },
    /// An IRI without a scheme, and nothing to resolve it by.
    #[error(
        "the IRI `{iri}` is relative and there is no base to resolve it by: write it in full, or declare a prefix or a base"
    )]
    RelativeIri {
        /// The IRI, or what the parser said of it.
        iri: String,
    },
    /// A base that is no IRI.
    #[error("the base {base:?} is not an absolute IRI")]
    BadBase {
        /// The base.
        base: String,
    },
    /// A statement in a named graph.
    #[error(
        "the statement is in the named graph {graph}: a sector is one graph, so leave the graph's name out, or make it a sector of its own"
    )]
    NamedGraph {
        /// The graph's name.
        graph: String,
    },
    /// RDF 1.2's triple terms, and what went before them as RDF-star.
    #[error(
        "triple terms (RDF 1.2, RDF-star) are not supported: describe the statement with rdf:subject, rdf:predicate and rdf:object instead"
    )]
    TripleTerm,
    /// A context or a document elsewhere.
    #[error("the context {url} is elsewhere and nothing is fetched: put its content here, as the value of `@context`")]
    RemoteContext {
        /// Where it is.
        url: String,
    },
    /// An entity of a document type that is elsewhere.
    #[error("the entity `{name}` is elsewhere and nothing is fetched: declare it with its text in quotes")]
    ExternalEntity {
        /// The entity.
        name: String,
    },
    /// A text that no other format than the one named can be read as.
    #[error(
        "the name `{predicate}` cannot be an XML element's, so RDF/XML cannot say this statement: write Turtle instead"
    )]
    PredicateName {
        /// The predicate.
        predicate: String,
    },
    /// A character that XML cannot hold.
    #[error("a literal holds the character U+{code:04X}, which XML cannot say: write Turtle instead")]
    XmlCharacter {
        /// The character's code point.
        code: u32,
    },
    /// A blank node's label that ΔΣ may not use.
    #[error(
        "the graph has no blank node `_:{label}`: name the one to change by its label in an export (`_:c14n0` and so on)"
    )]
    UnknownBlank {
        /// The label.
        label: String,
    },
    /// A blank node that ΔΣ removes without a label.
    #[error(
        "a removed statement has a blank node without a label that the graph knows: name it by its label in an export (`_:c14n0` and so on)"
    )]
    AnonymousRemoved,
    /// Plain JSON where RDF is due.
    #[error("plain JSON is a document, not RDF: promote it as a document, or save it as JSON-LD")]
    PlainJson,
    /// The reader of JSON-LD gave up on a text that it should have refused.
    #[error("the reader of {format} failed on this text ({message}): please report it, and write Turtle instead")]
    Reader {
        /// The format.
        format: Format,
        /// What it said.
        message: String,
    },
    /// Reading or writing failed.
    #[error("{0}")]
    Io(io::Error),
}

impl RdfErrorKind {
    /// At a byte offset of a text.
    pub(super) fn at(self, text: &[u8], offset: usize) -> RdfError {
        RdfError { place: Some(Place::at(text, offset)), kind: self }
    }

    pub(super) fn syntax(format: Format, message: &str) -> RdfErrorKind {
        RdfErrorKind::Syntax { format, message: shortened(message) }
    }
}

/// Refuses what is over a limit.
pub(crate) fn within(what: &'static str, found: usize, limit: usize) -> Result<(), RdfErrorKind> {
    if found > limit { Err(RdfErrorKind::TooLarge { what, found, limit }) } else { Ok(()) }
}

/// A text that an error may repeat.
pub(super) fn shortened(text: &str) -> String {
    match text.char_indices().nth(QUOTED) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
