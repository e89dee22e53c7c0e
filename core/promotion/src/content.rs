//! What can be promoted.

use std::sync::Arc;

use knhk_ontology::graph::{Delta, Terms, Triple};
use knhk_ontology::{Document, Snapshot, SnapshotError};

/// New knowledge for a sector, parsed and sound by itself.
#[derive(Debug)]
pub enum Content {
    /// The values, maps and classes that take the place of those that there are; what a document cannot say stays.
    Document(Document),
    /// The whole of Σ_sector.
    Whole(Statements),
    /// A change of what there is.
    Change {
        /// Statements to remove.
        removed: Statements,
        /// Statements to add.
        added: Statements,
    },
}

/// Statements in the numbers of an interner. Blank nodes have the labels that they keep.
#[derive(Clone, Debug)]
pub struct Statements {
    /// The interner.
    pub terms: Arc<Terms>,
    /// The statements.
    pub triples: Vec<Triple>,
}

impl From<Document> for Content {
    fn from(document: Document) -> Content {
        Content::Document(document)
    }
}

impl Content {
    /// What it changes in a snapshot.
    pub(crate) fn against(self, base: &Snapshot) -> Result<Delta, SnapshotError> {
        let graph = base.graph();
        Ok(match self {
            Content::Document(document) => base.change_to(&document)?,
            Content::Whole(statements) => Delta::new(graph, graph.own().collect(), statements.within(graph.terms())),
            Content::Change { removed, added } => {
                Delta::new(graph, removed.within(graph.terms()), added.within(graph.terms()))
            }
        })
    }
}

impl Statements {
    /// The same statements in the numbers of another interner.
    fn within(self, terms: &Arc<Terms>) -> Vec<Triple> {
        if Arc::ptr_eq(&self.terms, terms) {
            return self.triples;
        }
        let moved = |term| terms.import(&self.terms.get(term));
        let triples = self.triples.into_iter();
        triples
            .map(|Triple { subject, predicate, object }| Triple {
                subject: moved(subject),
                predicate: moved(predicate),
                object: moved(object),
            })
            .collect()
    }
}
