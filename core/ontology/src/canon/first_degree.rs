//! The hash of what is said directly of a blank node (RDFC-1.0, 4.6).

use std::ops::Range;

use super::{Blanks, Hash, hash};
use crate::graph::{self, Term, Triple};

/// Hashes blank nodes, reusing its buffers.
pub(super) struct FirstDegree<'a> {
    graph: &'a Blanks<'a>,
    /// What the node at hand is called, and what any other is.
    this: Term,
    other: Term,
    text: Vec<u8>,
    lines: Vec<Range<usize>>,
    sorted: Vec<u8>,
}

impl<'a> FirstDegree<'a> {
    pub fn new(graph: &'a Blanks<'a>) -> FirstDegree<'a> {
        let (this, other) = (graph.terms.blank("a"), graph.terms.blank("z"));
        FirstDegree { graph, this, other, text: Vec::new(), lines: Vec::new(), sorted: Vec::new() }
    }

    pub fn hash(&mut self, node: u32) -> Hash {
        self.text.clear();
        self.lines.clear();
        let node_term = self.graph.nodes.terms[node as usize];
        let (this, other) = (self.this, self.other);
        let called = |term: Term| match term.is_blank() {
            true if term == node_term => this,
            true => other,
            false => term,
        };
        for &at in self.graph.mentions.of(node) {
            let triple = self.graph.triples[at as usize];
            let triple = Triple { subject: called(triple.subject), object: called(triple.object), ..triple };
            let start = self.text.len();
            graph::write_statement(self.graph.terms, triple, &mut self.text);
            self.lines.push(start..self.text.len());
        }
        if let [_] = self.lines[..] {
            return hash(&self.text);
        }
        let text = &self.text;
        self.lines.sort_unstable_by(|a, b| text[a.clone()].cmp(&text[b.clone()]));
        self.sorted.clear();
        self.lines.iter().for_each(|line| self.sorted.extend_from_slice(&text[line.clone()]));
        hash(&self.sorted)
    }
}
