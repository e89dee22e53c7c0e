//! The interner: every term once, for all graphs that share it. Reading a term takes no lock.

use std::borrow::Cow;
use std::hash::{BuildHasher, Hasher};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use hashbrown::{DefaultHashBuilder, HashTable};

use super::term::{BLANK, IRI, LITERAL, Term, TermRef};
use super::{canonical, small};
use crate::vocabulary::rdf;

/// The terms of one or more graphs, at most 2^31 - 1. It only grows; [`Graph::compacted`](super::Graph::compacted)
/// moves a graph into a fresh one.
#[derive(Debug, Default)]
pub struct Terms {
    entries: boxcar::Vec<Entry>,
    index: Mutex<Index>,
    hasher: DefaultHashBuilder,
    text_bytes: AtomicUsize,
    /// Terms and bytes of text at which it pays to count again how many are in use.
    pub(super) count_at: [AtomicUsize; 2],
}

/// Finds terms by what they say.
#[derive(Debug, Default)]
struct Index {
    slots: HashTable<Slot>,
    /// The datatype last looked up, for each of eight last letters: few are in use, and most literals repeat one.
    datatypes: [Option<Term>; 8],
}

#[derive(Clone, Copy, Debug)]
struct Slot {
    hash: u64,
    term: Term,
}

/// What an interned term says.
#[derive(Debug)]
pub(super) struct Entry {
    /// The lexical form, then the language.
    text: Box<str>,
    lexical_len: u32,
    /// Of a literal: where the IRI of its datatype stands.
    datatype: u32,
    /// Whether it is written in N-Triples as it is.
    pub(super) plain: bool,
    ascii: bool,
}

impl Entry {
    pub(super) fn lexical(&self) -> &str {
        &self.text[..self.lexical_len as usize]
    }

    /// Empty where there is none.
    pub(super) fn language(&self) -> &str {
        &self.text[self.lexical_len as usize..]
    }

    /// Of a literal: its datatype.
    pub(super) fn datatype(&self) -> Term {
        Term::interned(IRI, self.datatype)
    }
}

/// What an interned literal says, in terms where it can.
pub(crate) struct InternedLiteral<'a> {
    pub(crate) lexical: &'a str,
    /// Whether each character takes one byte.
    pub(crate) ascii: bool,
    pub(crate) datatype: Term,
    /// Empty where there is none.
    pub(crate) language: &'a str,
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

    /// Bytes of the terms' text.
    pub fn text_bytes(&self) -> usize {
        self.text_bytes.load(Ordering::Relaxed)
    }

    /// Interns many terms under one lock. While it lives every other call that interns or finds waits, on this thread
    /// without end: use nothing but the writer until it is dropped. [`Terms::get`] waits for nobody.
    pub fn writer(&self) -> Writer<'_> {
        // Whoever panicked with a writer in hand left whole terms behind.
        Writer { terms: self, index: self.index.lock().unwrap_or_else(PoisonError::into_inner) }
    }

    /// An IRI. It is taken as it is: parsers check and resolve before.
    pub fn iri(&self, iri: &str) -> Term {
        self.writer().iri(iri)
    }

    /// The IRI's term, where it was interned before.
    pub fn find_iri(&self, iri: &str) -> Option<Term> {
        self.find(&TermRef::Iri(iri))
    }

    /// The term, where it was interned before or needs no interning.
    pub fn find(&self, term: &TermRef<'_>) -> Option<Term> {
        self.writer().find(term)
    }

    /// A blank node, by its label.
    pub fn blank(&self, label: &str) -> Term {
        self.writer().blank(label)
    }

    /// A literal with a datatype.
    pub fn literal(&self, lexical: &str, datatype: &str) -> Term {
        small::term(lexical, datatype).unwrap_or_else(|| self.writer().literal(lexical, datatype))
    }

    /// A text in a language; tags are compared in lower case.
    pub fn language_literal(&self, lexical: &str, language: &str) -> Term {
        self.writer().language_literal(lexical, language)
    }

    /// The same term in this interner.
    pub fn import(&self, term: &TermRef<'_>) -> Term {
        self.writer().import(term)
    }

    /// What a term says.
    pub fn get(&self, term: Term) -> TermRef<'_> {
        if let Some((lexical, datatype)) = small::written(term, &mut small::Room::default()) {
            return TermRef::Literal { lexical: Cow::Owned(lexical.into_owned()), datatype, language: None };
        }
        let entry = self.entry(term);
        match term.kind() {
            IRI => TermRef::Iri(&entry.text),
            BLANK => TermRef::Blank(&entry.text),
            _ => {
                let datatype = self.entry(entry.datatype()).lexical();
                let language = Some(entry.language()).filter(|language| !language.is_empty());
                TermRef::Literal { lexical: Cow::Borrowed(entry.lexical()), datatype, language }
            }
        }
    }

    /// An interned literal; none of any other term, and of a literal that stands for itself.
    #[inline]
    pub(crate) fn interned_literal(&self, term: Term) -> Option<InternedLiteral<'_>> {
        (term.kind() == LITERAL).then(|| {
            let entry = self.entry(term);
            let (lexical, datatype) = (entry.lexical(), entry.datatype());
            InternedLiteral { lexical, ascii: entry.ascii, datatype, language: entry.language() }
        })
    }

    #[inline]
    pub(super) fn entry(&self, term: Term) -> &Entry {
        &self.entries[term.index() as usize]
    }

    fn hash(&self, kind: u64, lexical: &str, datatype: u32, language: &str) -> u64 {
        let mut hasher = self.hasher.build_hasher();
        hasher.write(lexical.as_bytes());
        hasher.write_u64(kind | u64::from(datatype));
        if !language.is_empty() {
            hasher.write(language.as_bytes());
        }
        hasher.finish()
    }
}

/// Interns many terms under one lock; see [`Terms::writer`].
#[derive(Debug)]
pub struct Writer<'a> {
    terms: &'a Terms,
    index: MutexGuard<'a, Index>,
}

impl Writer<'_> {
    /// As [`Terms::iri`].
    pub fn iri(&mut self, iri: &str) -> Term {
        self.intern(IRI, iri, 0, "")
    }

    /// As [`Terms::blank`].
    pub fn blank(&mut self, label: &str) -> Term {
        self.intern(BLANK, label, 0, "")
    }

    /// As [`Terms::literal`].
    pub fn literal(&mut self, lexical: &str, datatype: &str) -> Term {
        small::term(lexical, datatype).unwrap_or_else(|| {
            let datatype = self.datatype(datatype);
            self.intern(LITERAL, lexical, datatype.index(), "")
        })
    }

    /// As [`Terms::language_literal`].
    pub fn language_literal(&mut self, lexical: &str, language: &str) -> Term {
        let datatype = self.datatype(rdf::LANG_STRING);
        self.intern(LITERAL, lexical, datatype.index(), &lower_case(language))
    }

    /// As [`Terms::import`].
    pub fn import(&mut self, term: &TermRef<'_>) -> Term {
        match term {
            TermRef::Iri(iri) => self.iri(iri),
            TermRef::Blank(label) => self.blank(label),
            TermRef::Literal { lexical, language: Some(language), .. } => self.language_literal(lexical, language),
            TermRef::Literal { lexical, datatype, .. } => self.literal(lexical, datatype),
        }
    }

    /// As [`Terms::find`].
    pub fn find(&self, term: &TermRef<'_>) -> Option<Term> {
        let lookup = |kind, lexical: &str, datatype: u32, language: &str| {
            self.lookup(self.terms.hash(kind, lexical, datatype, language), kind, lexical, datatype, language)
        };
        match term {
            TermRef::Iri(iri) => lookup(IRI, iri, 0, ""),
            TermRef::Blank(label) => lookup(BLANK, label, 0, ""),
            TermRef::Literal { lexical, datatype, language } => small::term(lexical, datatype).or_else(|| {
                let datatype = lookup(IRI, if language.is_some() { rdf::LANG_STRING } else { datatype }, 0, "")?;
                lookup(LITERAL, lexical, datatype.index(), &lower_case(language.unwrap_or_default()))
            }),
        }
    }

    fn datatype(&mut self, datatype: &str) -> Term {
        let at = datatype.as_bytes().last().map_or(0, |letter| letter & 7) as usize;
        match self.index.datatypes[at] {
            Some(term) if self.terms.entry(term).lexical() == datatype => term,
            _ => {
                let term = self.iri(datatype);
                self.index.datatypes[at] = Some(term);
                term
            }
        }
    }

    fn lookup(&self, hash: u64, kind: u64, lexical: &str, datatype: u32, language: &str) -> Option<Term> {
        let same = |slot: &Slot| {
            slot.hash == hash && slot.term.kind() == kind && {
                let entry = self.terms.entry(slot.term);
                // Where there is no language none is compared: memcmp on AVX-512 reads even empty texts, and where
                // these dangle the processor takes 100 ns to find out that it need not have.
                entry.datatype == datatype
                    && entry.text.len() == lexical.len() + language.len()
                    && entry.lexical() == lexical
                    && (language.is_empty() || entry.language() == language)
            }
        };
        self.index.slots.find(hash, same).map(|slot| slot.term)
    }

    fn intern(&mut self, kind: u64, lexical: &str, datatype: u32, language: &str) -> Term {
        let hash = self.terms.hash(kind, lexical, datatype, language);
        if let Some(term) = self.lookup(hash, kind, lexical, datatype, language) {
            return term;
        }
        let text = if language.is_empty() { lexical.into() } else { [lexical, language].concat().into_boxed_str() };
        self.terms.text_bytes.fetch_add(text.len(), Ordering::Relaxed);
        let lexical_len = u32::try_from(lexical.len()).expect("limits on input hold texts far below 4 GiB");
        let plain = canonical::is_plain(kind, lexical);
        let ascii = text.is_ascii();
        let at = self.terms.entries.push(Entry { text, lexical_len, datatype, plain, ascii });
        assert!(at < i32::MAX as usize, "limits on input and compaction hold an interner far below 2^31 terms");
        let term = Term::interned(kind, at as u32);
        self.index.slots.insert_unique(hash, Slot { hash, term }, |slot| slot.hash);
        term
    }
}

fn lower_case(language: &str) -> Cow<'_, str> {
    if language.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return Cow::Owned(language.to_ascii_lowercase());
    }
    Cow::Borrowed(language)
}
