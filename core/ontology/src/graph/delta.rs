//! A change: statements removed and statements added.

use std::fmt;
use std::sync::Arc;

use super::canonical::write_statement;
use super::{Graph, Terms, Triple};

/// ΔΣ against one graph: what it removes is there, what it adds is not; both sorted, without repetition.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Delta {
    added: Vec<Triple>,
    removed: Vec<Triple>,
}

impl Delta {
    /// The change that removes and then adds, as far as that changes `graph`: the terms are those of the graph's
    /// interner. Statements of the core count as there, so that one that is to be removed can be seen in
    /// [`Delta::removed`].
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

    /// What leads from one graph's own statements to another's, in the interner of `to`; the cost follows the
    /// difference where both come from one graph by changes.
    pub fn between(from: &Graph, to: &Graph) -> Delta {
        let (mut added, mut removed) = (Vec::new(), Vec::new());
        if Arc::ptr_eq(from.terms(), to.terms()) {
            from.differences(to, |gone| removed.push(gone), |new| added.push(new));
        } else {
            let from = from.translated(to);
            from.differences(to, |gone| removed.push(gone), |new| added.push(new));
        }
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

    /// How many statements it adds and removes.
    pub fn len(&self) -> usize {
        self.added.len() + self.removed.len()
    }

    /// Whether it changes nothing.
    pub fn is_empty(&self) -> bool {
        self.added.is_empty() && self.removed.is_empty()
    }

    /// The way back.
    pub fn inverse(&self) -> Delta {
        Delta { added: self.removed.clone(), removed: self.added.clone() }
    }

    /// This change and then one of the graph that it leads to, as one.
    pub fn then(&self, next: &Delta) -> Delta {
        // What one adds and the other removes was never there or still is: a normalised change meets its contrary only
        // so.
        let join = |first: &[Triple], undone: &[Triple], second: &[Triple], undoing: &[Triple]| {
            let left = first.iter().filter(|triple| undone.binary_search(triple).is_err());
            let new = second.iter().filter(|triple| undoing.binary_search(triple).is_err());
            let mut joined: Vec<Triple> = left.chain(new).copied().collect();
            joined.sort_unstable();
            joined
        };
        Delta {
            added: join(&self.added, &next.removed, &next.added, &self.removed),
            removed: join(&self.removed, &next.added, &next.removed, &self.added),
        }
    }

    /// The change for people: a line `- s p o .` for each statement removed and `+ s p o .` for each added, in
    /// N-Triples, sorted by statement.
    pub fn display<'a>(&'a self, terms: &'a Terms) -> impl fmt::Display + 'a {
        Lines { delta: self, terms }
    }
}

struct Lines<'a> {
    delta: &'a Delta,
    terms: &'a Terms,
}

impl fmt::Display for Lines<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let line = |sign, &triple: &Triple| {
            let mut line = Vec::new();
            write_statement(self.terms, triple, &mut line);
            (line, sign)
        };
        let removed = self.delta.removed.iter().map(|triple| line('-', triple));
        let mut lines: Vec<_> = removed.chain(self.delta.added.iter().map(|triple| line('+', triple))).collect();
        lines.sort_unstable();
        for (line, sign) in lines {
            write!(f, "{sign} {}", String::from_utf8_lossy(&line))?;
        }
        Ok(())
    }
}
