//! Leaving behind the terms that no statement uses any more.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::{Graph, Term, Terms};

/// What an interner holds.
#[derive(Clone, Copy)]
struct Size {
    terms: usize,
    /// Bytes of the terms' text.
    text: usize,
}

/// What an interner may hold in vain, besides as much as is used.
const SPARE: Size = Size { terms: 4096, text: 1 << 20 };

impl Size {
    fn exceeds(self, other: Size) -> bool {
        self.terms > other.terms || self.text > other.text
    }

    /// Up to which size an interner of which so much is used is left as it is.
    fn allowed(self) -> Size {
        Size { terms: 2 * self.terms + SPARE.terms, text: 2 * self.text + SPARE.text }
    }
}

impl Graph {
    /// This graph in an interner of its own, where the one that it has holds more than 4,096 terms or 1 MiB of text
    /// besides twice what this graph uses. Ask after each change: it counts only after growth that pays for counting.
    ///
    /// Graphs and terms kept elsewhere stay with the old interner, which lives as long as a graph uses it.
    pub fn compacted(&self) -> Option<Graph> {
        let terms = self.terms();
        let size = Size { terms: terms.len(), text: terms.text_bytes() };
        let [counted_terms, counted_text] = [0, 1].map(|part| terms.count_at[part].load(Ordering::Relaxed));
        if !size.exceeds(Size { terms: counted_terms.max(SPARE.terms), text: counted_text.max(SPARE.text) }) {
            return None;
        }
        let (used, kinds) = self.used();
        if size.exceeds(used.allowed()) {
            return Some(self.moved(&kinds));
        }
        self.count_again(terms, used, size);
        None
    }

    /// What is used, and the kind of each of the interner's terms that is.
    fn used(&self) -> (Size, Vec<Option<u64>>) {
        let terms = self.terms();
        let mut kinds = vec![None; terms.len()];
        let mut used = Size { terms: 0, text: 0 };
        let mut pending = Vec::with_capacity(4);
        for triple in self.iter() {
            pending.extend([triple.subject, triple.predicate, triple.object]);
            while let Some(term) = pending.pop() {
                if !term.is_interned() || kinds[term.index() as usize].replace(term.kind()).is_some() {
                    continue;
                }
                let entry = terms.entry(term);
                used.terms += 1;
                used.text += entry.lexical().len() + entry.language().len();
                pending.extend(term.is_literal().then(|| entry.datatype()));
            }
        }
        (used, kinds)
    }

    /// This graph in a fresh interner.
    fn moved(&self, kinds: &[Option<u64>]) -> Graph {
        let fresh = Terms::new();
        let mut numbers = vec![0; kinds.len()];
        let mut writer = fresh.writer();
        // In the order of the old numbers, so that rows stay sorted; a datatype was interned before its first literal.
        for (old, kind) in kinds.iter().enumerate() {
            if let Some(kind) = kind {
                let term = Term::interned(*kind, old as u32);
                numbers[old] = writer.import(&self.terms().get(term)).0;
            }
        }
        drop(writer);
        let number = |term: Term| if term.is_interned() { Term(numbers[term.index() as usize]) } else { term };
        let moved = self.renumbered(Arc::new(fresh), number);
        let size = Size { terms: moved.terms().len(), text: moved.terms().text_bytes() };
        moved.count_again(moved.terms(), size, size);
        moved
    }

    /// Counts not again before that can have an outcome, and the interner has grown by a share of the statements to be
    /// walked over.
    fn count_again(&self, terms: &Terms, used: Size, size: Size) {
        let growth = self.len() / 4;
        let next = [used.allowed().terms.max(size.terms + growth), used.allowed().text.max(size.text + growth)];
        for (count_at, next) in terms.count_at.iter().zip(next) {
            count_at.store(next, Ordering::Relaxed);
        }
    }
}
