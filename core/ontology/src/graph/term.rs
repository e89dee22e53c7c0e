//! A term: an IRI, a blank node or a literal, as a number that stands for it.

use std::borrow::Cow;

use crate::vocabulary::{rdf, xsd};

/// A term of one [`Terms`](crate::graph::Terms): equal numbers are equal terms there. Whole numbers and booleans in canonical form need no room
/// in the interner.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Term(pub(super) u64);

pub(super) const KIND: u64 = 0b111 << 61;
pub(super) const IRI: u64 = 0 << 61;
pub(super) const BLANK: u64 = 1 << 61;
pub(super) const LITERAL: u64 = 2 << 61;
pub(super) const INTEGER: u64 = 3 << 61;
pub(super) const BOOLEAN: u64 = 4 << 61;

impl Term {
    /// An `xsd:integer` in canonical form; none where it needs more than 61 bits and has to be interned.
    pub fn integer(value: i64) -> Option<Term> {
        (value == value << 3 >> 3).then_some(Term(INTEGER | value as u64 & !KIND))
    }

    /// An `xsd:boolean` in canonical form.
    pub fn boolean(value: bool) -> Term {
        Term(BOOLEAN | u64::from(value))
    }

    /// Whether it is an IRI.
    pub fn is_iri(self) -> bool {
        self.0 & KIND == IRI
    }

    /// Whether it is a blank node.
    pub fn is_blank(self) -> bool {
        self.0 & KIND == BLANK
    }

    /// Whether it is a literal.
    pub fn is_literal(self) -> bool {
        self.0 & KIND >= LITERAL
    }

    /// The number, where it is a canonical `xsd:integer` of up to 61 bits.
    pub fn as_integer(self) -> Option<i64> {
        (self.0 & KIND == INTEGER).then_some((self.0 as i64) << 3 >> 3)
    }

    /// The truth value, where it is a canonical `xsd:boolean`.
    pub fn as_boolean(self) -> Option<bool> {
        (self.0 & KIND == BOOLEAN).then_some(self.0 & 1 != 0)
    }

    pub(super) fn index(self) -> usize {
        (self.0 & !KIND) as usize
    }
}

/// What a term says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TermRef<'a> {
    /// An absolute IRI.
    Iri(&'a str),
    /// A blank node's label.
    Blank(&'a str),
    /// A literal.
    Literal {
        /// Its lexical form, as it was written.
        lexical: Cow<'a, str>,
        /// The datatype's IRI; `rdf:langString` where there is a language.
        datatype: &'a str,
        /// Language tag, in lower case.
        language: Option<&'a str>,
    },
}

impl TermRef<'_> {
    pub(super) fn integer(value: i64) -> TermRef<'static> {
        TermRef::Literal { lexical: Cow::Owned(value.to_string()), datatype: xsd::INTEGER, language: None }
    }

    pub(super) fn boolean(value: bool) -> TermRef<'static> {
        let lexical = Cow::Borrowed(if value { "true" } else { "false" });
        TermRef::Literal { lexical, datatype: xsd::BOOLEAN, language: None }
    }

    /// Whether a literal of this datatype carries a language.
    pub(super) fn is_language(datatype: &str) -> bool {
        datatype == rdf::LANG_STRING
    }
}
