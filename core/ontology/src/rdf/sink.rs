//! Takes the statements of a parser into the interner, within limits.

use hashbrown::HashMap;

use super::base::Base;
use super::error::{RdfErrorKind as Kind, shortened, within};
use super::said::{Said, Statement};
use crate::Limits;
use crate::graph::{Term, Terms, Triple, Writer};

/// Collects the statements of one text.
pub(super) struct Sink<'a> {
    terms: Writer<'a>,
    limits: &'a Limits,
    base: Base<'a>,
    triples: Vec<Triple>,
    /// Bytes of all terms so far.
    text: usize,
    /// Blank nodes that the parser made, by its number for them, and those with a label of their own.
    anonymous: HashMap<u128, Term>,
    labelled: HashMap<String, Term>,
    /// How blank nodes are labelled.
    labels: Labels,
    /// The IRI that came last in each place, since texts repeat them.
    last: [(String, Option<Term>); 2],
}

/// How the blank nodes of a text are labelled.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Labels {
    /// `b0`, `b1`, … in order of appearance.
    Fresh,
    /// The canonical ones (`c14n0` …) stay as they are, others are fresh.
    KeepCanonical,
}

/// Places in which IRIs repeat.
#[derive(Clone, Copy)]
enum Place {
    Subject,
    Predicate,
}

impl<'a> Sink<'a> {
    pub fn new(terms: &'a Terms, limits: &'a Limits, base: Base<'a>, labels: Labels) -> Sink<'a> {
        let (anonymous, labelled) = (HashMap::new(), HashMap::new());
        Sink {
            terms: terms.writer(),
            limits,
            base,
            triples: Vec::new(),
            text: 0,
            anonymous,
            labelled,
            labels,
            last: Default::default(),
        }
    }

    /// The base that a parser is told.
    pub fn base(&self) -> Option<&'a str> {
        self.base.for_parser()
    }

    pub fn finish(self) -> Vec<Triple> {
        self.triples
    }

    /// Takes a statement of the default graph; one of a named graph is refused.
    pub fn push(&mut self, statement: &Statement<'_>) -> Result<(), Kind> {
        if let Some(graph) = statement.graph {
            return Err(Kind::NamedGraph { graph: shortened(&graph.to_string()) });
        }
        within("statements", self.triples.len() + 1, self.limits.statements)?;
        let subject = match statement.subject {
            Said::Iri(iri) => self.repeated(Place::Subject, iri)?,
            other => self.term(other)?,
        };
        let predicate = self.repeated(Place::Predicate, statement.predicate)?;
        let object = self.term(statement.object)?;
        self.triples.push(Triple { subject, predicate, object });
        Ok(())
    }

    fn term(&mut self, term: Said<'_>) -> Result<Term, Kind> {
        match term {
            Said::Iri(iri) => self.iri(iri),
            Said::Anonymous(number) => Ok(self.anonymous(number)),
            Said::Labelled(label) => self.labelled(label),
            Said::Literal(lexical, datatype) => self.literal(lexical, datatype),
            Said::Text(text, language) => {
                self.lexical(text)?;
                Ok(self.terms.language_literal(text, language))
            }
            Said::Triple => Err(Kind::TripleTerm),
        }
    }

    /// An IRI that often is the one that stood in this place before.
    fn repeated(&mut self, place: Place, iri: &str) -> Result<Term, Kind> {
        let (last, term) = &self.last[place as usize];
        if let Some(term) = term.filter(|_| last == iri) {
            self.written(iri.len())?;
            return Ok(term);
        }
        let term = self.iri(iri)?;
        let (last, known) = &mut self.last[place as usize];
        last.clear();
        last.push_str(iri);
        *known = Some(term);
        Ok(term)
    }

    fn written(&mut self, bytes: usize) -> Result<(), Kind> {
        self.text += bytes;
        within("bytes of terms written out", self.text, self.limits.text_bytes)
    }

    fn iri(&mut self, iri: &str) -> Result<Term, Kind> {
        within("bytes in an IRI", iri.len(), self.limits.iri_bytes)?;
        self.written(iri.len())?;
        Ok(self.terms.iri(&self.base.meant(iri)?))
    }

    fn anonymous(&mut self, number: u128) -> Term {
        if let Some(&term) = self.anonymous.get(&number) {
            return term;
        }
        let term = self.fresh();
        self.anonymous.insert(number, term);
        term
    }

    fn labelled(&mut self, label: &str) -> Result<Term, Kind> {
        if let Some(&term) = self.labelled.get(label) {
            return Ok(term);
        }
        within("bytes in a blank node's label", label.len(), self.limits.iri_bytes)?;
        let term = match self.labels {
            Labels::KeepCanonical if is_canonical(label) => self.terms.blank(label),
            _ => self.fresh(),
        };
        self.labelled.insert(label.to_owned(), term);
        Ok(term)
    }

    fn fresh(&mut self) -> Term {
        let count = self.anonymous.len() + self.labelled.len();
        self.terms.blank(&format!("b{count}"))
    }

    fn lexical(&mut self, lexical: &str) -> Result<(), Kind> {
        within("bytes in a literal", lexical.len(), self.limits.string_bytes)?;
        self.written(lexical.len())
    }

    fn literal(&mut self, lexical: &str, datatype: &str) -> Result<Term, Kind> {
        self.lexical(lexical)?;
        within("bytes in an IRI", datatype.len(), self.limits.iri_bytes)?;
        self.written(datatype.len())?;
        Ok(self.terms.literal(lexical, &self.base.meant(datatype)?))
    }
}

/// Whether a label is one that RDFC-1.0 gives.
pub(super) fn is_canonical(label: &str) -> bool {
    label
        .strip_prefix("c14n")
        .is_some_and(|digits| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()))
}
