//! Some subjects of a snapshot read alone: what a change of parameters asks for, whose cost so follows the change.

use std::sync::Arc;

use crate::graph::{Delta, GraphBuilder, Term, Triple};
use crate::view::View;
use crate::words::Words;
use crate::{Difference, Document, DocumentError, Snapshot, diff};

impl Snapshot {
    /// What changed since what a change was made from, path by path, where the change is of parameters alone: then only those are looked at.
    /// None for any other change.
    pub fn differences_by(&self, before: &Snapshot, delta: &Delta) -> Option<Result<Vec<Difference>, DocumentError>> {
        let both = || delta.removed().iter().chain(delta.added());
        if !Arc::ptr_eq(self.graph().terms(), before.graph().terms())
            || !both().all(|triple| is_of_parameter(triple, self.words()))
        {
            return None;
        }
        let subjects = subjects(both());
        let (before, after) = (before.view_of(&subjects)?, self.view_of(&subjects)?);
        let before = before.map_or_else(|_| Document::default(), |view| view.document);
        Some(after.map(|after| diff(&before, &after.document)))
    }

    /// What programs would read if nothing but these subjects were there. None where a parameter says more of itself than its own statements
    /// do: a list in the graph's own form.
    pub(crate) fn view_of(&self, subjects: &[Term]) -> Option<Result<View, DocumentError>> {
        let (graph, words) = (self.graph(), self.words());
        let mut builder = GraphBuilder::over(graph);
        for &subject in subjects {
            for (predicate, object) in graph.about(subject) {
                if words.is_of_parameter(predicate) && !object.is_literal() {
                    return None;
                }
                builder.push(subject, predicate, object);
            }
        }
        Some(View::of(&builder.finish(), words, self.namespace(), self.limits()))
    }
}

/// Whether a statement is one of those that parameters make of themselves, and says all of it.
pub(crate) fn is_of_parameter(triple: &Triple, words: &Words) -> bool {
    words.is_of_parameter(triple.predicate) && triple.subject.is_iri() && triple.object.is_literal()
}

/// The subjects of statements, in order.
pub(crate) fn subjects<'t>(triples: impl Iterator<Item = &'t Triple>) -> Vec<Term> {
    let mut subjects: Vec<Term> = triples.map(|triple| triple.subject).collect();
    subjects.sort_unstable();
    subjects.dedup();
    subjects
}
