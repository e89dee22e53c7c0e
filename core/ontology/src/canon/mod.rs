//! Labels blank nodes canonically: [RDFC-1.0](https://www.w3.org/TR/rdf-canon/) over interned terms, for one graph.
//!
//! Two texts of the same graph get the same labels, `c14n0`, `c14n1`, …, so that their canonical statements are the same bytes. Blank
//! nodes that differ in what is said of them directly cost one hash each; those that look alike are told apart by exploring what they are
//! connected with, which can take factorial time on graphs made for that. [`Limits::blank_node_steps`] bounds it.

mod first_degree;
mod issuer;
mod n_degree;

use hashbrown::HashMap;

use crate::Limits;
use crate::graph::{Term, Terms, Triple};
use crate::rdf::RdfError;
use first_degree::FirstDegree;
use issuer::Issuer;

/// A hash as RDFC-1.0 compares and embeds it: lower-case hexadecimal digits.
type Hash = [u8; 64];

/// The statements with canonical labels for their blank nodes, in no particular order.
///
/// # Errors
/// `TooLarge` where telling blank nodes apart would take more than `limits.blank_node_steps` steps.
pub fn label(mut triples: Vec<Triple>, terms: &Terms, limits: &Limits) -> Result<Vec<Triple>, RdfError> {
    let mut nodes = Nodes::default();
    triples.iter().for_each(|triple| nodes.mention(triple));
    if nodes.terms.is_empty() {
        return Ok(triples);
    }
    triples.sort_unstable();
    triples.dedup();
    let mentions = Mentions::new(&triples, &nodes);
    let graph = Blanks { terms, triples: &triples, nodes: &nodes, mentions: &mentions };
    let issued = issue(&graph, limits)?;
    let labels: Vec<Term> = {
        let mut labels = vec![None; nodes.terms.len()];
        for (number, &node) in issued.order().iter().enumerate() {
            labels[node as usize] = Some(terms.blank(&format!("c14n{number}")));
        }
        labels.into_iter().map(|label| label.expect("every blank node is issued a label")).collect()
    };
    for triple in &mut triples {
        for term in [&mut triple.subject, &mut triple.object] {
            if term.is_blank() {
                *term = labels[nodes.index[term] as usize];
            }
        }
    }
    Ok(triples)
}

/// The blank nodes of a graph, numbered.
#[derive(Default)]
struct Nodes {
    terms: Vec<Term>,
    index: HashMap<Term, u32>,
}

impl Nodes {
    fn mention(&mut self, triple: &Triple) {
        for term in [triple.subject, triple.object] {
            if term.is_blank() {
                let next = u32::try_from(self.terms.len()).expect("fewer statements than 2^32");
                if *self.index.entry(term).or_insert(next) == next {
                    self.terms.push(term);
                }
            }
        }
    }
}

/// Which statements mention each blank node: one list cut into a piece per node.
struct Mentions {
    starts: Vec<u32>,
    triples: Vec<u32>,
}

impl Mentions {
    fn new(triples: &[Triple], nodes: &Nodes) -> Mentions {
        let mut starts = vec![0_u32; nodes.terms.len() + 1];
        let each = |found: &mut dyn FnMut(u32, u32)| {
            for (at, triple) in triples.iter().enumerate() {
                let at = u32::try_from(at).expect("fewer statements than 2^32");
                if triple.subject.is_blank() {
                    found(nodes.index[&triple.subject], at);
                }
                if triple.object.is_blank() && triple.object != triple.subject {
                    found(nodes.index[&triple.object], at);
                }
            }
        };
        each(&mut |node, _| starts[node as usize + 1] += 1);
        for at in 1..starts.len() {
            starts[at] += starts[at - 1];
        }
        let mut next = starts.clone();
        let mut mentions = vec![0; starts[nodes.terms.len()] as usize];
        each(&mut |node, at| {
            mentions[next[node as usize] as usize] = at;
            next[node as usize] += 1;
        });
        Mentions { starts, triples: mentions }
    }

    fn of(&self, node: u32) -> &[u32] {
        &self.triples[self.starts[node as usize] as usize..self.starts[node as usize + 1] as usize]
    }
}

/// A graph as seen from its blank nodes.
struct Blanks<'a> {
    terms: &'a Terms,
    triples: &'a [Triple],
    nodes: &'a Nodes,
    mentions: &'a Mentions,
}

/// Steps 3 to 5 of the canonicalization algorithm.
fn issue(graph: &Blanks<'_>, limits: &Limits) -> Result<Issuer, RdfError> {
    let mut first = FirstDegree::new(graph);
    let hashes: Vec<Hash> = (0..graph.nodes.terms.len() as u32).map(|node| first.hash(node)).collect();
    let mut order: Vec<u32> = (0..hashes.len() as u32).collect();
    order.sort_unstable_by_key(|&node| (hashes[node as usize], node));
    let mut canonical = Issuer::default();
    let alike = |a: &u32, b: &u32| hashes[*a as usize] == hashes[*b as usize];
    let mut doubtful: Vec<&[u32]> = Vec::new();
    for group in order.chunk_by(alike) {
        match group {
            [node] => {
                canonical.issue(*node);
            }
            group => doubtful.push(group),
        }
    }
    if !doubtful.is_empty() {
        n_degree::issue(graph, &hashes, &doubtful, &mut canonical, limits)?;
    }
    Ok(canonical)
}

/// The hash of a text.
fn hash(text: &[u8]) -> Hash {
    use sha2::{Digest, Sha256};
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut hex = [0; 64];
    for (pair, byte) in hex.chunks_exact_mut(2).zip(Sha256::digest(text)) {
        pair[0] = DIGITS[usize::from(byte >> 4)];
        pair[1] = DIGITS[usize::from(byte & 15)];
    }
    hex
}
