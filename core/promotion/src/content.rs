//! What can be promoted.

use std::sync::Arc;

use knhk_ontology::graph::{Delta, Terms, Triple};
use knhk_ontology::{Document, Limits, Snapshot, SnapshotError, Text};

use crate::{PromotionError, Sector, Version};

/// New knowledge for a sector, parsed and sound by itself.
#[derive(Debug)]
pub enum Content {
    /// The values, maps and classes that take the place of those that there are; what a document cannot say stays.
    Document(Document),
    /// [`Content::Document`] as a text, which makes the next one quick to read where it says the same with other values.
    Json(Json),
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

/// A JSON text that was read.
#[derive(Debug)]
pub struct Json(Read);

#[derive(Debug)]
enum Read {
    Parsed {
        json: String,
        document: Document,
    },
    /// What the text of version `base` says, with other values.
    Again {
        base: Arc<Version>,
        delta: Delta,
        text: Text,
        limits: Limits,
    },
}

/// What a content changes.
pub(crate) struct Changes {
    pub delta: Delta,
    pub text: TextRead,
}

/// What is known of the text that is promoted.
pub(crate) enum TextRead {
    /// It was none, or nothing is.
    Nothing,
    /// It was parsed.
    Parsed { json: String, document: Document },
    /// Where its values are.
    Text(Text),
}

impl Sector {
    /// Reads a JSON text; by comparing it with the one promoted last, where it says the same with other values.
    ///
    /// # Errors
    /// What is wrong with the document.
    pub fn read_json(&self, json: &str, limits: &Limits) -> Result<Content, PromotionError> {
        let last = {
            let state = self.lock()?;
            state.text.clone().zip(state.current().cloned())
        };
        if let Some((text, base)) = last
            && text.version == base.number
            && let Some((delta, text)) = text.text.again(json, &base.snapshot, &base.compiled, limits)
        {
            return Ok(Content::Json(Json(Read::Again { base, delta, text, limits: *limits })));
        }
        let document = Document::parse(json, limits)?;
        Ok(Content::Json(Json(Read::Parsed { json: json.to_owned(), document })))
    }
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
    ///
    /// # Errors
    /// What is wrong with what the snapshot holds.
    pub fn change(self, base: &Snapshot) -> Result<Delta, SnapshotError> {
        Ok(self.against(base, None)?.delta)
    }

    /// What it changes in a snapshot, which is the current version's where there is one.
    pub(crate) fn against(self, base: &Snapshot, current: Option<&Arc<Version>>) -> Result<Changes, SnapshotError> {
        let graph = base.graph();
        let delta = match self {
            Content::Json(Json(read)) => return read.against(base, current),
            Content::Document(document) => base.change_to(&document)?,
            Content::Whole(statements) => Delta::new(graph, graph.own().collect(), statements.within(graph.terms())),
            Content::Change { removed, added } => {
                Delta::new(graph, removed.within(graph.terms()), added.within(graph.terms()))
            }
        };
        Ok(Changes { delta, text: TextRead::Nothing })
    }
}

impl Read {
    fn against(self, base: &Snapshot, current: Option<&Arc<Version>>) -> Result<Changes, SnapshotError> {
        let (json, document) = match self {
            Read::Again { base, delta, text, .. } if current.is_some_and(|current| Arc::ptr_eq(current, &base)) => {
                return Ok(Changes { delta, text: TextRead::Text(text) });
            }
            // Another promotion came between.
            Read::Again { text, limits, .. } => {
                let json = text.json().to_owned();
                let document = Document::parse(&json, &limits)?;
                (json, document)
            }
            Read::Parsed { json, document } => (json, document),
        };
        Ok(Changes { delta: base.change_to(&document)?, text: TextRead::Parsed { json, document } })
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
