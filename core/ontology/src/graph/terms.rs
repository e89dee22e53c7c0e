//! The interner: every term once, for all graphs that share it. Reading a term takes no lock.

use std::borrow::Cow;
use std::hash::BuildHasher;
use std::sync::Mutex;

use hashbrown::{DefaultHashBuilder, HashTable};

use super::term::{BLANK, IRI, KIND, LITERAL, Term, TermRef};
use crate::vocabulary::xsd;

/// The terms of one or more graphs. It only grows.
#[derive(Debug, Default)]
pub struct Terms {
    entries: boxcar::Vec<Entry>,
    index: Mutex<HashTable<Term>>,
    hasher: DefaultHashBuilder,
}

#[derive(Debug, PartialEq, Eq)]
struct Entry {
    text: Box<str>,
    /// Of a literal: its datatype's IRI.
    datatype: Option<Term>,
    language: Option<Box<str>>,
}

impl Terms {
    /// No terms yet.
    pub fn new() -> Terms {
        Terms::default()
    }

    /// How many terms are interned.
    pub fn len(&self) -> usize {
        self.entries.count()
    }

    /// Whether nothing was interned yet.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// An IRI. It is taken as it is: parsers check and resolve before.
    pub fn iri(&self, iri: &str) -> Term {
        self.intern(IRI, iri, None, None)
    }

    /// The IRI's term, where it was interned before.
    pub fn find_iri(&self, iri: &str) -> Option<Term> {
        let index = self.index.lock().expect("interning does not panic");
        self.find(&index, IRI, iri, None, None)
    }

    /// A blank node, by its label.
    pub fn blank(&self, label: &str) -> Term {
        self.intern(BLANK, label, None, None)
    }

    /// A literal with a datatype.
    pub fn literal(&self, lexical: &str, datatype: &str) -> Term {
        match datatype {
            xsd::INTEGER => {
                let canonical = lexical.parse::<i64>().ok().filter(|value| value.to_string() == lexical);
                if let Some(term) = canonical.and_then(Term::integer) {
                    return term;
                }
            }
            xsd::BOOLEAN if lexical == "true" => return Term::boolean(true),
            xsd::BOOLEAN if lexical == "false" => return Term::boolean(false),
            _ => {}
        }
        let datatype = self.iri(datatype);
        self.intern(LITERAL, lexical, Some(datatype), None)
    }

    /// A text in a language; tags are compared in lower case.
    pub fn language_literal(&self, lexical: &str, language: &str) -> Term {
        let datatype = self.iri(crate::vocabulary::rdf::LANG_STRING);
        self.intern(LITERAL, lexical, Some(datatype), Some(&language.to_ascii_lowercase()))
    }

    /// The same term in this interner.
    pub fn import(&self, term: &TermRef<'_>) -> Term {
        match term {
            TermRef::Iri(iri) => self.iri(iri),
            TermRef::Blank(label) => self.blank(label),
            TermRef::Literal { lexical, language: Some(language), .. } => self.language_literal(lexical, language),
            TermRef::Literal { lexical, datatype, .. } => self.literal(lexical, datatype),
        }
    }

    /// What a term says.
    pub fn get(&self, term: Term) -> TermRef<'_> {
        if let Some(value) = term.as_integer() {
            return TermRef::integer(value);
        }
        if let Some(value) = term.as_boolean() {
            return TermRef::boolean(value);
        }
        let entry = &self.entries[term.index()];
        match entry.datatype {
            None if term.is_iri() => TermRef::Iri(&entry.text),
            None => TermRef::Blank(&entry.text),
            Some(datatype) => {
                let TermRef::Iri(datatype) = self.get(datatype) else { unreachable!("datatypes are IRIs") };
                debug_assert_eq!(entry.language.is_some(), TermRef::is_language(datatype));
                TermRef::Literal { lexical: Cow::Borrowed(&entry.text), datatype, language: entry.language.as_deref() }
            }
        }
    }

    fn hash(&self, kind: u64, text: &str, datatype: Option<Term>, language: Option<&str>) -> u64 {
        self.hasher.hash_one((kind, text, datatype, language))
    }

    fn find(
        &self,
        index: &HashTable<Term>,
        kind: u64,
        text: &str,
        datatype: Option<Term>,
        language: Option<&str>,
    ) -> Option<Term> {
        let same = |&term: &Term| {
            let entry = &self.entries[term.index()];
            term.0 & KIND == kind
                && &*entry.text == text
                && entry.datatype == datatype
                && entry.language.as_deref() == language
        };
        index.find(self.hash(kind, text, datatype, language), same).copied()
    }

    fn intern(&self, kind: u64, text: &str, datatype: Option<Term>, language: Option<&str>) -> Term {
        let mut index = self.index.lock().expect("interning does not panic");
        if let Some(term) = self.find(&index, kind, text, datatype, language) {
            return term;
        }
        let at = self.entries.push(Entry { text: text.into(), datatype, language: language.map(Into::into) });
        let term = Term(kind | at as u64);
        let rehash = |&term: &Term| {
            let entry = &self.entries[term.index()];
            self.hash(term.0 & KIND, &entry.text, entry.datatype, entry.language.as_deref())
        };
        index.insert_unique(self.hash(kind, text, datatype, language), term, rehash);
        term
    }
}
