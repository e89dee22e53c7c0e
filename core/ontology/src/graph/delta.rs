//! A change: statements removed and statements added.

use super::{Graph, Triple};

/// ΔΣ against one graph: what it removes is there, what it adds is not; both sorted, without repetition.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Delta {
    added: Vec<Triple>,
    removed: Vec<Triple>,
}

impl Delta {
    /// The change that removes and then adds, as far as that changes `graph`: the terms are those of the graph's interner.
    pub fn new(graph: &Graph, mut removed: Vec<Triple>, mut added: Vec<Triple>) -> Delta {
        for triples in [&mut removed, &mut added] {
            triples.sort_unstable();
            triples.dedup();
        }
        removed.retain(|&triple| graph.contains(triple) && added.binary_search(&triple).is_err());
        added.retain(|&triple| !graph.contains(triple));
        Delta { added, removed }
    }

    /// The change that removes and adds these, sorted and known to be there and not to be.
    pub(crate) fn of_sorted(removed: Vec<Triple>, added: Vec<Triple>) -> Delta {
        debug_assert!(removed.is_sorted() && added.is_sorted());
        Delta { added, removed }
    }

    /// What leads from one graph to another that shares its interner.
    pub fn between(from: &Graph, to: &Graph) -> Delta {
        let added = to.iter().filter(|&triple| !from.contains(triple)).collect();
        let removed = from.iter().filter(|&triple| !to.contains(triple)).collect();
        Delta { added, removed }
    }

    /// Statements that it adds.
    pub fn added(&self) -> &[Triple] {
        &self.added
    }

    /// Statements that it removes.
    pub fn removed(&self) -> &[Triple] {
        &self.removed
    }

    /// Whether it changes nothing.
    pub fn is_empty(&self) -> bool {
        self.added.is_empty() && self.removed.is_empty()
    }

    /// The way back.
    pub fn inverse(&self) -> Delta {
        Delta { added: self.removed.clone(), removed: self.added.clone() }
    }
}
