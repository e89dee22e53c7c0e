//! Tells blank nodes apart that look alike directly, by what they are connected with (RDFC-1.0, 4.7 and 4.8).

use hashbrown::HashMap;

use super::issuer::Issuer;
use super::{Blanks, Hash, NAMED, count, hash};
use crate::Limits;
use crate::graph::{Term, TermRef};
use crate::rdf::{RdfError, RdfErrorKind, within};

/// How deep one node may lead to the next. Each level takes well below a KiB of stack in a release build, a few otherwise.
const DEPTH: usize = 4096;
/// Stack for that many levels. Only what is used is ever backed by memory.
const STACK: usize = 64 << 20;
/// Nodes of a group from which on a second thread saves time.
const TWO_THREADS: usize = 256;

/// A node's hash, and the numbers issued on the way to it.
type Found = (Hash, Issuer);

/// Step 5 of the canonicalization algorithm: issues numbers to the nodes of groups that look alike, given in order of their hashes. It takes
/// a thread of its own, so that this one does something else meanwhile.
pub(super) fn issue<T>(
    graph: &Blanks<'_>,
    hashes: &[Hash],
    groups: &[&[u32]],
    canonical: &mut Issuer,
    limits: &Limits,
    meanwhile: impl FnOnce() -> T,
) -> Result<T, RdfError> {
    let mut alike = vec![0; hashes.len()];
    for group in groups {
        group.iter().for_each(|&node| alike[node as usize] = group[0]);
    }
    let alike = &alike[..];
    // What the nodes are connected with decides how deep this goes, not the thread that happens to call.
    let work = || {
        let mut steps = 0;
        for group in groups {
            let explore = |nodes: &[u32]| -> Result<(Vec<Found>, usize), RdfErrorKind> {
                let mut explorer = Explorer::new(graph, hashes, alike, limits, canonical, steps);
                Ok((explorer.explore_each(nodes)?, explorer.steps - steps))
            };
            let (mut found, taken) = if group.len() < TWO_THREADS {
                explore(group)?
            } else {
                let (left, right) = group.split_at(group.len() / 2);
                let (left, right) = std::thread::scope(|scope| {
                    let right = deep_thread().spawn_scoped(scope, || explore(right));
                    (
                        explore(left),
                        right.map(|right| right.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))),
                    )
                });
                let ((mut found, taken), (others, also)) = (left?, right??);
                found.extend(others);
                (found, taken + also)
            };
            steps += taken;
            within_steps(steps, limits)?;
            found.sort_by_key(|(hash, _)| *hash);
            for (_, issuer) in found {
                issuer.order().iter().for_each(|&node| {
                    canonical.issue(node);
                });
            }
        }
        Ok(())
    };
    on_deep_stack(work, meanwhile)
}

fn deep_thread() -> std::thread::Builder {
    std::thread::Builder::new().name("knhk-canon".to_owned()).stack_size(STACK)
}

/// What `meanwhile` gives, once `work` is done.
fn on_deep_stack<T>(
    work: impl FnOnce() -> Result<(), RdfError> + Send,
    meanwhile: impl FnOnce() -> T,
) -> Result<T, RdfError> {
    std::thread::scope(|scope| {
        let thread = deep_thread().spawn_scoped(scope, work)?;
        let made = meanwhile();
        thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
        Ok(made)
    })
}

fn within_steps(steps: usize, limits: &Limits) -> Result<(), RdfErrorKind> {
    within("blank nodes that look alike, in steps to tell them apart", steps, limits.blank_node_steps)
}

struct Explorer<'a> {
    graph: &'a Blanks<'a>,
    hashes: &'a [Hash],
    /// Of each node that looks like others: the first of them.
    alike: &'a [u32],
    limits: &'a Limits,
    canonical: &'a Issuer,
    steps: usize,
    depth: usize,
    /// Lends its room to what is hashed.
    text: Vec<u8>,
    /// The hashes of connections, and their numbers: many nodes that look alike are connected alike.
    connections: Vec<Hash>,
    numbers: HashMap<Connection, u32>,
    /// Empty texts to be used again.
    room: Vec<Vec<u8>>,
}

/// What tells the hash of a connection.
type Connection = (u8, Term, Other);

/// What a node leads to.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Other {
    /// A node with a canonical number.
    Canonical(u32),
    /// One with a number of the way that is explored.
    Issued(u32),
    /// One without a number: the first of those that look like it.
    Alike(u32),
}

impl<'a> Explorer<'a> {
    fn new(
        graph: &'a Blanks<'a>,
        hashes: &'a [Hash],
        alike: &'a [u32],
        limits: &'a Limits,
        canonical: &'a Issuer,
        steps: usize,
    ) -> Explorer<'a> {
        let (text, connections, numbers, room) = (Vec::new(), Vec::new(), HashMap::new(), Vec::new());
        Explorer { graph, hashes, alike, limits, canonical, steps, depth: 0, text, connections, numbers, room }
    }

    /// Explores each node that has no number yet.
    fn explore_each(&mut self, nodes: &[u32]) -> Result<Vec<Found>, RdfErrorKind> {
        let mut found = Vec::with_capacity(nodes.len());
        for &node in nodes.iter().filter(|&&node| self.canonical.number(node).is_none()) {
            let mut issuer = Issuer::default();
            issuer.issue(node);
            found.push(self.explore(node, issuer)?);
        }
        Ok(found)
    }

    fn step(&mut self, steps: usize) -> Result<(), RdfErrorKind> {
        self.steps += steps;
        within_steps(self.steps, self.limits)
    }

    fn copy(&mut self, issuer: &Issuer) -> Result<Issuer, RdfErrorKind> {
        self.step(issuer.weight())?;
        Ok(issuer.clone())
    }

    /// Hash N-Degree Quads.
    fn explore(&mut self, node: u32, mut issuer: Issuer) -> Result<Found, RdfErrorKind> {
        within("blank nodes that look alike in a row", self.depth, DEPTH)?;
        self.depth += 1;
        let related = self.related(node, &issuer)?;
        let mut data = self.room.pop().unwrap_or_default();
        for group in related.chunk_by(|a, b| a.0 == b.0) {
            data.extend_from_slice(&self.connections[group[0].0 as usize]);
            if let [(_, only)] = *group {
                self.step(1)?;
                issuer = self.follow_one(only, issuer, &mut data)?;
                continue;
            }
            let mut order: Vec<u32> = group.iter().map(|&(_, other)| other).collect();
            let mut best: Option<(Vec<u8>, Issuer)> = None;
            loop {
                let copy = self.copy(&issuer)?;
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
        let found = hash(&data);
        data.clear();
        self.room.push(data);
        Ok((found, issuer))
    }

    /// The blank nodes that a node is connected with, by how (steps 1 to 3), sorted by its hash. Equal hashes have equal numbers.
    fn related(&mut self, node: u32, issuer: &Issuer) -> Result<Vec<(u32, u32)>, RdfErrorKind> {
        let graph = self.graph;
        let mut related: Vec<(u32, u32)> = Vec::new();
        for at in graph.mentions(node) {
            for (position, &other) in [b's', b'o'].into_iter().zip(&graph.ends[at as usize]) {
                if other == NAMED || other == node {
                    continue;
                }
                self.step(1)?;
                let leads_to = match self.canonical.number(other) {
                    Some(number) => Other::Canonical(number),
                    None => issuer.number(other).map_or(Other::Alike(self.alike[other as usize]), Other::Issued),
                };
                related.push((self.connection((position, graph.triples[at as usize].predicate, leads_to)), other));
            }
        }
        let hash = |number: u32| &self.connections[number as usize];
        related.sort_unstable_by(|a, b| match a.0 == b.0 {
            true => a.1.cmp(&b.1),
            false => hash(a.0).cmp(hash(b.0)),
        });
        Ok(related)
    }

    /// Hash Related Blank Node: the number of the hash.
    fn connection(&mut self, connection: Connection) -> u32 {
        if let Some(&known) = self.numbers.get(&connection) {
            return known;
        }
        let (position, predicate, leads_to) = connection;
        let TermRef::Iri(predicate) = self.graph.terms.get(predicate) else { unreachable!("predicates are IRIs") };
        let text = &mut self.text;
        text.clear();
        text.extend_from_slice(&[position, b'<']);
        text.extend_from_slice(predicate.as_bytes());
        text.push(b'>');
        match leads_to {
            Other::Canonical(number) => push_label(text, "c14n", number),
            Other::Issued(number) => push_label(text, "b", number),
            Other::Alike(node) => text.extend_from_slice(&self.hashes[node as usize]),
        }
        let number = count(self.connections.len());
        self.connections.push(hash(text));
        self.numbers.insert(connection, number);
        number
    }

    /// Follows the only node of its kind: there is one order, and nothing to go back to.
    fn follow_one(&mut self, other: u32, mut issuer: Issuer, path: &mut Vec<u8>) -> Result<Issuer, RdfErrorKind> {
        if let Some(number) = self.canonical.number(other) {
            push_label(path, "c14n", number);
            return Ok(issuer);
        }
        let known = issuer.number(other);
        let number = known.unwrap_or_else(|| issuer.issue(other));
        push_label(path, "b", number);
        if known.is_none() {
            push_label(path, "b", number);
            let (hash, after) = self.explore(other, issuer)?;
            path.push(b'<');
            path.extend_from_slice(&hash);
            path.push(b'>');
            issuer = after;
        }
        Ok(issuer)
    }

    /// Follows related nodes in one order (step 5.4): its path and issuer, unless it comes after the best so far.
    fn follow(
        &mut self,
        order: &[u32],
        mut issuer: Issuer,
        best: Option<&[u8]>,
    ) -> Result<Option<(Vec<u8>, Issuer)>, RdfErrorKind> {
        let worse = |path: &[u8]| best.is_some_and(|best| path.len() >= best.len() && path > best);
        let mut path = Vec::with_capacity(128);
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
    text.extend_from_slice(b"_:");
    text.extend_from_slice(prefix.as_bytes());
    text.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
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
