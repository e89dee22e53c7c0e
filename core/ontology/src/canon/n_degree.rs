//! Tells blank nodes apart that look alike directly, by what they are connected with (RDFC-1.0, 4.7 and 4.8).

use std::collections::BTreeMap;

use super::issuer::Issuer;
use super::{Blanks, Hash, hash};
use crate::Limits;
use crate::graph::TermRef;
use crate::rdf::{RdfError, RdfErrorKind, within};

/// How deep one node may lead to the next. Each level takes well below a KiB of stack in a release build, a few otherwise.
const DEPTH: usize = 4096;
/// Stack for that many levels. Only what is used is ever backed by memory.
const STACK: usize = 64 << 20;

/// Step 5 of the canonicalization algorithm: issues numbers to the nodes of groups that look alike, given in order of their hashes.
pub(super) fn issue(
    graph: &Blanks<'_>,
    hashes: &[Hash],
    groups: &[&[u32]],
    canonical: &mut Issuer,
    limits: &Limits,
) -> Result<(), RdfError> {
    // What the nodes are connected with decides how deep this goes, not the thread that happens to call.
    std::thread::scope(|scope| {
        let work = || Explorer { graph, hashes, limits, canonical, steps: 0, depth: 0 }.issue(groups);
        let thread =
            std::thread::Builder::new().name("knhk-canon".to_owned()).stack_size(STACK).spawn_scoped(scope, work)?;
        thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)).map_err(RdfError::from)
    })
}

struct Explorer<'a> {
    graph: &'a Blanks<'a>,
    hashes: &'a [Hash],
    limits: &'a Limits,
    canonical: &'a mut Issuer,
    steps: usize,
    depth: usize,
}

impl Explorer<'_> {
    fn issue(mut self, groups: &[&[u32]]) -> Result<(), RdfErrorKind> {
        for group in groups {
            let mut found = Vec::new();
            for &node in *group {
                if self.canonical.number(node).is_none() {
                    let mut issuer = Issuer::default();
                    issuer.issue(node);
                    found.push(self.explore(node, issuer)?);
                }
            }
            found.sort_by_key(|(hash, _)| *hash);
            for (_, issuer) in found {
                issuer.order().iter().for_each(|&node| {
                    self.canonical.issue(node);
                });
            }
        }
        Ok(())
    }

    fn step(&mut self, steps: usize) -> Result<(), RdfErrorKind> {
        self.steps += steps;
        within("blank nodes that look alike, in steps to tell them apart", self.steps, self.limits.blank_node_steps)
    }

    fn copy(&mut self, issuer: &Issuer) -> Result<Issuer, RdfErrorKind> {
        self.step(issuer.weight())?;
        Ok(issuer.clone())
    }

    /// Hash N-Degree Quads.
    fn explore(&mut self, node: u32, mut issuer: Issuer) -> Result<(Hash, Issuer), RdfErrorKind> {
        within("blank nodes that look alike in a row", self.depth, DEPTH)?;
        self.depth += 1;
        let mut data = Vec::new();
        for (hash, mut order) in self.related(node, &issuer)? {
            data.extend_from_slice(&hash);
            let mut best: Option<(Vec<u8>, Issuer)> = None;
            order.sort_unstable();
            // A single order needs no copy to go back to.
            let mut only = (order.len() == 1).then(|| std::mem::take(&mut issuer));
            loop {
                let copy = only.take().map_or_else(|| self.copy(&issuer), Ok)?;
                self.step(order.len())?;
                if let Some(better) = self.follow(&order, copy, best.as_ref().map(|(path, _)| &path[..]))? {
                    best = Some(better);
                }
                if !next_permutation(&mut order) {
                    break;
                }
            }
            let (path, chosen) = best.expect("the first order is followed to its end");
            data.extend_from_slice(&path);
            issuer = chosen;
        }
        self.depth -= 1;
        Ok((hash(&data), issuer))
    }

    /// The blank nodes that a node is connected with, by the hash of how (steps 1 to 3).
    fn related(&mut self, node: u32, issuer: &Issuer) -> Result<BTreeMap<Hash, Vec<u32>>, RdfErrorKind> {
        let graph = self.graph;
        let mut related: BTreeMap<Hash, Vec<u32>> = BTreeMap::new();
        let mut text = Vec::new();
        for &at in graph.mentions.of(node) {
            let triple = graph.triples[at as usize];
            for (position, term) in [(b's', triple.subject), (b'o', triple.object)] {
                let Some(&other) = graph.nodes.index.get(&term).filter(|&&other| other != node) else {
                    continue;
                };
                self.step(1)?;
                let TermRef::Iri(predicate) = graph.terms.get(triple.predicate) else {
                    unreachable!("predicates are IRIs")
                };
                text.clear();
                text.extend_from_slice(&[position, b'<']);
                text.extend_from_slice(predicate.as_bytes());
                text.push(b'>');
                match (self.canonical.number(other), issuer.number(other)) {
                    (Some(number), _) => push_label(&mut text, "c14n", number),
                    (None, Some(number)) => push_label(&mut text, "b", number),
                    (None, None) => text.extend_from_slice(&self.hashes[other as usize]),
                }
                related.entry(hash(&text)).or_default().push(other);
            }
        }
        Ok(related)
    }

    /// Follows related nodes in one order (step 5.4): its path and issuer, unless it comes after the best so far.
    fn follow(
        &mut self,
        order: &[u32],
        mut issuer: Issuer,
        best: Option<&[u8]>,
    ) -> Result<Option<(Vec<u8>, Issuer)>, RdfErrorKind> {
        let worse = |path: &[u8]| best.is_some_and(|best| path.len() >= best.len() && path > best);
        let mut path = Vec::new();
        let mut onward = Vec::new();
        for &other in order {
            if let Some(number) = self.canonical.number(other) {
                push_label(&mut path, "c14n", number);
            } else {
                if issuer.number(other).is_none() {
                    onward.push(other);
                }
                push_label(&mut path, "b", issuer.issue(other));
            }
            if worse(&path) {
                return Ok(None);
            }
        }
        for other in onward {
            push_label(&mut path, "b", issuer.issue(other));
            let (hash, after) = self.explore(other, issuer)?;
            path.push(b'<');
            path.extend_from_slice(&hash);
            path.push(b'>');
            issuer = after;
            if worse(&path) {
                return Ok(None);
            }
        }
        Ok(best.is_none_or(|best| *path < *best).then_some((path, issuer)))
    }
}

fn push_label(text: &mut Vec<u8>, prefix: &str, number: u32) {
    use std::io::Write;
    write!(text, "_:{prefix}{number}").expect("writing into memory does not fail");
}

/// The next order of the items, lexicographically; false after the last.
fn next_permutation(items: &mut [u32]) -> bool {
    let Some(at) = items.windows(2).rposition(|pair| pair[0] < pair[1]) else {
        return false;
    };
    let above = items.iter().rposition(|&item| item > items[at]).expect("the one after it is above");
    items.swap(at, above);
    items[at + 1..].reverse();
    true
}
