//! The statements of a graph, sorted three ways.

use std::sync::Arc;

use super::delta::Delta;
use super::{Term, Terms};

/// A statement: subject, predicate, object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Triple {
    /// An IRI or a blank node.
    pub subject: Term,
    /// An IRI.
    pub predicate: Term,
    /// Any term.
    pub object: Term,
}

/// An immutable set of statements. Cloning it is cheap, and what two versions share is stored once.
#[derive(Clone, Debug)]
pub struct Graph {
    terms: Arc<Terms>,
    by_subject: Arc<Vec<Triple>>,
    by_predicate: Arc<Vec<[Term; 3]>>,
    by_object: Arc<Vec<[Term; 3]>>,
}

impl Graph {
    /// No statements.
    pub fn empty(terms: Arc<Terms>) -> Graph {
        GraphBuilder::new(terms).finish()
    }

    /// The interner of its terms.
    pub fn terms(&self) -> &Arc<Terms> {
        &self.terms
    }

    /// How many statements there are.
    pub fn len(&self) -> usize {
        self.by_subject.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.by_subject.is_empty()
    }

    /// Whether it says this.
    pub fn contains(&self, triple: Triple) -> bool {
        self.by_subject.binary_search(&triple).is_ok()
    }

    /// All statements, ordered by their terms' numbers: subject, predicate, object.
    pub fn iter(&self) -> impl Iterator<Item = Triple> + '_ {
        self.by_subject.iter().copied()
    }

    /// What is said of a subject: predicates and objects.
    pub fn about(&self, subject: Term) -> impl Iterator<Item = (Term, Term)> + '_ {
        let start = self.by_subject.partition_point(|triple| triple.subject < subject);
        let said = self.by_subject[start..].iter().take_while(move |triple| triple.subject == subject);
        said.map(|triple| (triple.predicate, triple.object))
    }

    /// The objects of a subject's property.
    pub fn objects(&self, subject: Term, predicate: Term) -> impl Iterator<Item = Term> + '_ {
        let key = (subject, predicate);
        let start = self.by_subject.partition_point(|triple| (triple.subject, triple.predicate) < key);
        let said = self.by_subject[start..].iter().take_while(move |triple| (triple.subject, triple.predicate) == key);
        said.map(|triple| triple.object)
    }

    /// The subjects that have this object for a property.
    pub fn subjects(&self, predicate: Term, object: Term) -> impl Iterator<Item = Term> + '_ {
        between(&self.by_predicate, [predicate, object]).map(|row| row[2])
    }

    /// The statements with a predicate: objects and subjects, ordered by object.
    pub fn with_predicate(&self, predicate: Term) -> impl Iterator<Item = (Term, Term)> + '_ {
        between(&self.by_predicate, [predicate]).map(|row| (row[1], row[2]))
    }

    /// The statements with an object: subjects and predicates.
    pub fn with_object(&self, object: Term) -> impl Iterator<Item = (Term, Term)> + '_ {
        between(&self.by_object, [object]).map(|row| (row[1], row[2]))
    }

    /// The graph after a change. This one stays as it is.
    pub fn apply(&self, delta: &Delta) -> Graph {
        let mut builder = GraphBuilder::new(self.terms.clone());
        let kept = self.iter().filter(|triple| delta.removed().binary_search(triple).is_err());
        builder.triples.extend(kept);
        builder.triples.extend_from_slice(delta.added());
        builder.finish()
    }
}

/// The rows that begin so, of rows that are sorted.
fn between<const N: usize>(rows: &[[Term; 3]], prefix: [Term; N]) -> impl Iterator<Item = &[Term; 3]> {
    let start = rows.partition_point(|row| row[..N] < prefix[..]);
    rows[start..].iter().take_while(move |row| row[..N] == prefix[..])
}

/// Collects statements into a graph.
#[derive(Debug)]
pub struct GraphBuilder {
    terms: Arc<Terms>,
    triples: Vec<Triple>,
}

impl GraphBuilder {
    /// No statements yet.
    pub fn new(terms: Arc<Terms>) -> GraphBuilder {
        GraphBuilder { terms, triples: Vec::new() }
    }

    /// The interner of its terms.
    pub fn terms(&self) -> &Arc<Terms> {
        &self.terms
    }

    /// How many statements were pushed, repetitions included.
    pub fn len(&self) -> usize {
        self.triples.len()
    }

    /// Whether none was pushed.
    pub fn is_empty(&self) -> bool {
        self.triples.is_empty()
    }

    /// Adds a statement; saying it twice is saying it once.
    pub fn push(&mut self, subject: Term, predicate: Term, object: Term) {
        self.triples.push(Triple { subject, predicate, object });
    }

    /// The graph of what was pushed.
    pub fn finish(self) -> Graph {
        let GraphBuilder { terms, mut triples } = self;
        triples.sort_unstable();
        triples.dedup();
        let sorted = |row: fn(&Triple) -> [Term; 3]| {
            let mut rows: Vec<[Term; 3]> = triples.iter().map(row).collect();
            rows.sort_unstable();
            Arc::new(rows)
        };
        let by_predicate = sorted(|triple| [triple.predicate, triple.object, triple.subject]);
        let by_object = sorted(|triple| [triple.object, triple.subject, triple.predicate]);
        Graph { terms, by_subject: Arc::new(triples), by_predicate, by_object }
    }
}
