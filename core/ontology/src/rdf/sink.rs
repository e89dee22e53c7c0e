//! Takes the statements of a parser into the interner, within limits.

use hashbrown::HashMap;
use oxrdf::{BlankNode, GraphName, Literal, NamedNode, NamedOrBlankNode};

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
    blanks: HashMap<BlankNode, Term>,
    /// How blank nodes are labelled.
    labels: Labels,
    /// The subject and predicate that came last, since texts repeat them.
    subject: Option<(NamedOrBlankNode, Term)>,
    predicate: Option<(NamedNode, Term)>,
}

/// How the blank nodes of a text are labelled.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Labels {
    /// `b0`, `b1`, … in order of appearance.
    Fresh,
    /// The canonical ones (`c14n0` …) stay as they are, others are fresh.
    KeepCanonical,
}

impl<'a> Sink<'a> {
    pub fn new(terms: &'a Terms, limits: &'a Limits, base: Base<'a>, labels: Labels) -> Sink<'a> {
        let blanks = HashMap::new();
        Sink {
            terms: terms.writer(),
            limits,
            base,
            triples: Vec::new(),
            text: 0,
            blanks,
            labels,
            subject: None,
            predicate: None,
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
    pub fn push(&mut self, subject: NamedOrBlankNode, predicate: NamedNode, object: oxrdf::Term) -> Result<(), Kind> {
        within("statements", self.triples.len() + 1, self.limits.statements)?;
        let subject = match &self.subject {
            Some((last, term)) if *last == subject => self.again(subject_text(last).len(), *term)?,
            _ => {
                let term = match &subject {
                    NamedOrBlankNode::NamedNode(node) => self.iri(node.as_str())?,
                    NamedOrBlankNode::BlankNode(node) => self.blank(node)?,
                };
                self.subject = Some((subject, term));
                term
            }
        };
        let predicate = match &self.predicate {
            Some((last, term)) if *last == predicate => self.again(last.as_str().len(), *term)?,
            _ => {
                let term = self.iri(predicate.as_str())?;
                self.predicate = Some((predicate, term));
                term
            }
        };
        let object = match object {
            oxrdf::Term::NamedNode(node) => self.iri(node.as_str())?,
            oxrdf::Term::BlankNode(node) => self.blank(&node)?,
            oxrdf::Term::Literal(literal) => self.literal(&literal)?,
            #[allow(unreachable_patterns, reason = "another crate of the build may turn oxrdf's RDF 1.2 on")]
            _ => return Err(Kind::TripleTerm),
        };
        self.triples.push(Triple { subject, predicate, object });
        Ok(())
    }

    /// Takes a statement that may name a graph, which is refused.
    pub fn push_quad(&mut self, quad: oxrdf::Quad) -> Result<(), Kind> {
        match quad.graph_name {
            GraphName::DefaultGraph => self.push(quad.subject, quad.predicate, quad.object),
            graph => Err(Kind::NamedGraph { graph: shortened(&graph.to_string()) }),
        }
    }

    fn again(&mut self, bytes: usize, term: Term) -> Result<Term, Kind> {
        self.written(bytes)?;
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
        within("bytes in a blank node's label", node.as_str().len(), self.limits.iri_bytes)?;
        if let Some(&term) = self.blanks.get(node) {
            return Ok(term);
        }
        let term = match self.labels {
            Labels::KeepCanonical if is_canonical(node.as_str()) => self.terms.blank(node.as_str()),
            _ => self.terms.blank(&format!("b{}", self.blanks.len())),
        };
        self.blanks.insert(node.clone(), term);
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

fn subject_text(subject: &NamedOrBlankNode) -> &str {
    match subject {
        NamedOrBlankNode::NamedNode(node) => node.as_str(),
        NamedOrBlankNode::BlankNode(node) => node.as_str(),
    }
}

/// Whether a label is one that RDFC-1.0 gives.
pub(super) fn is_canonical(label: &str) -> bool {
    label
        .strip_prefix("c14n")
        .is_some_and(|digits| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()))
}
