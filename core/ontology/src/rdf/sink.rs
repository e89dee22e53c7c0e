//! Takes the statements of a parser into the interner, within limits.

use hashbrown::HashMap;
use oxrdf::{BlankNode, GraphName, Literal, NamedNode, NamedOrBlankNode, Term as Object};

use super::base::Base;
use super::error::{RdfErrorKind as Kind, shortened, within};
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

    /// Takes a statement of the default graph.
    pub fn push(&mut self, subject: &NamedOrBlankNode, predicate: &NamedNode, object: &Object) -> Result<(), Kind> {
        within("statements", self.triples.len() + 1, self.limits.statements)?;
        let subject = match subject {
            NamedOrBlankNode::NamedNode(node) => self.repeated(Place::Subject, node.as_str())?,
            NamedOrBlankNode::BlankNode(node) => self.blank(node)?,
        };
        let predicate = self.repeated(Place::Predicate, predicate.as_str())?;
        let object = match object {
            Object::NamedNode(node) => self.iri(node.as_str())?,
            Object::BlankNode(node) => self.blank(node)?,
            Object::Literal(literal) => self.literal(literal)?,
            #[allow(unreachable_patterns, reason = "another crate of the build may turn oxrdf's RDF 1.2 on")]
            _ => return Err(Kind::TripleTerm),
        };
        self.triples.push(Triple { subject, predicate, object });
        Ok(())
    }

    /// Takes a statement that may name a graph, which is refused.
    pub fn push_quad(&mut self, quad: &oxrdf::Quad) -> Result<(), Kind> {
        match &quad.graph_name {
            GraphName::DefaultGraph => self.push(&quad.subject, &quad.predicate, &quad.object),
            graph => Err(Kind::NamedGraph { graph: shortened(&graph.to_string()) }),
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

    fn blank(&mut self, node: &BlankNode) -> Result<Term, Kind> {
        let known = match node.as_ref().unique_id() {
            Some(number) => self.anonymous.get(&number),
            None => self.labelled.get(node.as_str()),
        };
        if let Some(&term) = known {
            return Ok(term);
        }
        within("bytes in a blank node's label", node.as_str().len(), self.limits.iri_bytes)?;
        let fresh = self.anonymous.len() + self.labelled.len();
        let term = match self.labels {
            Labels::KeepCanonical if is_canonical(node.as_str()) => self.terms.blank(node.as_str()),
            _ => self.terms.blank(&format!("b{fresh}")),
        };
        match node.as_ref().unique_id() {
            Some(number) => self.anonymous.insert(number, term),
            None => self.labelled.insert(node.as_str().to_owned(), term),
        };
        Ok(term)
    }

    fn literal(&mut self, literal: &Literal) -> Result<Term, Kind> {
        let (lexical, datatype) = (literal.value(), literal.datatype());
        within("bytes in a literal", lexical.len(), self.limits.string_bytes)?;
        self.written(lexical.len())?;
        if let Some(language) = literal.language() {
            return Ok(self.terms.language_literal(lexical, language));
        }
        within("bytes in an IRI", datatype.as_str().len(), self.limits.iri_bytes)?;
        self.written(datatype.as_str().len())?;
        Ok(self.terms.literal(lexical, &self.base.meant(datatype.as_str())?))
    }
}

/// Whether a label is one that RDFC-1.0 gives.
pub(super) fn is_canonical(label: &str) -> bool {
    label
        .strip_prefix("c14n")
        .is_some_and(|digits| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()))
}
