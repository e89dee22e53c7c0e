//! The hash of what is said directly of a blank node (RDFC-1.0, 4.6).

use std::ops::Range;

use knhk_digest::Messages;

use super::{Blanks, Hash, count, hex};
use crate::graph::{self, Term, Triple};

/// Nodes from which on a second thread saves time.
const TWO_THREADS: usize = 1024;

/// Nodes that are hashed together.
const TOGETHER: usize = 64;

/// The hash of each blank node.
pub(super) fn hashes(graph: &Blanks<'_>) -> Vec<Hash> {
    let some = |nodes: Range<usize>| -> Vec<Hash> {
        let (mut first, mut messages) = (FirstDegree::new(graph), Messages::default());
        let mut hashes = vec![[0; 64]; nodes.len()];
        for (few, hashes) in hashes.chunks_mut(TOGETHER).enumerate() {
            messages.clear();
            for at in 0..hashes.len() {
                messages.push(|text| first.write(count(nodes.start + few * TOGETHER + at), text));
            }
            messages.digests(|at, digest| hashes[at] = hex(&digest));
        }
        hashes
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

/// Writes what is hashed of blank nodes, reusing its buffers.
struct FirstDegree<'a> {
    graph: &'a Blanks<'a>,
    /// What the node at hand is called, and what any other is.
    this: Term,
    other: Term,
    text: Vec<u8>,
    lines: Vec<Range<usize>>,
}

impl<'a> FirstDegree<'a> {
    fn new(graph: &'a Blanks<'a>) -> FirstDegree<'a> {
        let (this, other) = (graph.terms.blank("a"), graph.terms.blank("z"));
        FirstDegree { graph, this, other, text: Vec::new(), lines: Vec::new() }
    }

    /// Appends what is said of a node: canonical lines, sorted.
    fn write(&mut self, node: u32, out: &mut Vec<u8>) {
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
        let text = &self.text;
        self.lines.sort_unstable_by(|a, b| text[a.clone()].cmp(&text[b.clone()]));
        self.lines.iter().for_each(|line| out.extend_from_slice(&text[line.clone()]));
    }
}
