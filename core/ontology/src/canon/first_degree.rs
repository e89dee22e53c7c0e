//! The hash of what is said directly of a blank node (RDFC-1.0, 4.6).

use std::ops::Range;

use super::{Blanks, Hash, count, hash};
use crate::graph::{self, Term, Triple};

/// Nodes from which on a second thread saves time.
const TWO_THREADS: usize = 1024;

/// The hash of each blank node.
pub(super) fn hashes(graph: &Blanks<'_>) -> Vec<Hash> {
    let some = |nodes: Range<usize>| -> Vec<Hash> {
        let mut first = FirstDegree::new(graph);
        nodes.map(|node| first.hash(count(node))).collect()
    };
    let all = graph.nodes.len();
    if all < TWO_THREADS {
        return some(0..all);
    }
    std::thread::scope(|scope| {
        let rest = scope.spawn(|| some(all / 2..all));
        let mut hashes = some(0..all / 2);
        hashes.extend(rest.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        hashes
    })
}

/// Hashes blank nodes, reusing its buffers.
struct FirstDegree<'a> {
    graph: &'a Blanks<'a>,
    /// What the node at hand is called, and what any other is.
    this: Term,
    other: Term,
    text: Vec<u8>,
    lines: Vec<Range<usize>>,
    sorted: Vec<u8>,
}

impl<'a> FirstDegree<'a> {
    fn new(graph: &'a Blanks<'a>) -> FirstDegree<'a> {
        let (this, other) = (graph.terms.blank("a"), graph.terms.blank("z"));
        FirstDegree { graph, this, other, text: Vec::new(), lines: Vec::new(), sorted: Vec::new() }
    }

    fn hash(&mut self, node: u32) -> Hash {
        self.text.clear();
        self.lines.clear();
        let node_term = self.graph.nodes[node as usize];
        let (this, other) = (self.this, self.other);
        let called = |term: Term| match term.is_blank() {
            true if term == node_term => this,
            true => other,
            false => term,
        };
        for at in self.graph.mentions(node) {
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
