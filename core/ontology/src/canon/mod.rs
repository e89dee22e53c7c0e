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
use issuer::Issuer;

/// A hash as RDFC-1.0 compares and embeds it: lower-case hexadecimal digits.
type Hash = [u8; 64];

/// The statements with canonical labels for their blank nodes, in no particular order.
///
/// # Errors
/// `TooLarge` where telling blank nodes apart would take more than `limits.blank_node_steps` steps.
pub fn label(mut triples: Vec<Triple>, terms: &Terms, limits: &Limits) -> Result<Vec<Triple>, RdfError> {
    let mut blank: Vec<Triple> = triples.extract_if(.., |triple| has_blank(triple)).collect();
    if blank.is_empty() {
        return Ok(triples);
    }
    blank.sort_unstable();
    blank.dedup();
    let graph = Blanks::new(terms, blank);
    let (issued, names) = issue(&graph, limits)?;
    let mut labels = vec![None; graph.nodes.len()];
    for (&node, name) in issued.order().iter().zip(names) {
        labels[node as usize] = Some(name);
    }
    let label = |node: u32| labels[node as usize].expect("every blank node is issued a label");
    triples.extend(graph.triples.iter().zip(&graph.ends).map(|(&triple, &[subject, object])| Triple {
        subject: if subject == NAMED { triple.subject } else { label(subject) },
        object: if object == NAMED { triple.object } else { label(object) },
        ..triple
    }));
    Ok(triples)
}

fn has_blank(triple: &Triple) -> bool {
    triple.subject.is_blank() || triple.object.is_blank()
}

/// The first labels.
fn names(terms: &Terms, count: usize) -> Vec<Term> {
    let (mut writer, mut label) = (terms.writer(), "c14n".to_owned());
    let name = |number| {
        label.truncate("c14n".len());
        label.push_str(itoa::Buffer::new().format(number));
        writer.blank(&label)
    };
    (0..count).map(name).collect()
}

/// Stands where a subject or an object is no blank node.
const NAMED: u32 = u32::MAX;

/// The statements that mention blank nodes, and the blank nodes, numbered.
struct Blanks<'a> {
    terms: &'a Terms,
    triples: Vec<Triple>,
    /// Of each statement: its subject's and its object's number, or [`NAMED`].
    ends: Vec<[u32; 2]>,
    nodes: Vec<Term>,
    /// The statements that mention each node: one list, cut into a piece for each.
    mentions: Vec<u32>,
    starts: Vec<u32>,
}

impl<'a> Blanks<'a> {
    fn new(terms: &'a Terms, triples: Vec<Triple>) -> Blanks<'a> {
        let (mut nodes, mut numbers) = (Vec::new(), HashMap::new());
        let mut number = |term: Term| match term.is_blank() {
            true => *numbers.entry(term).or_insert_with(|| {
                nodes.push(term);
                count(nodes.len() - 1)
            }),
            false => NAMED,
        };
        let mut ends = Vec::with_capacity(triples.len());
        // Sorted as they are, subjects repeat.
        for same in triples.chunk_by(|a, b| a.subject == b.subject) {
            let subject = number(same[0].subject);
            ends.extend(same.iter().map(|triple| [subject, number(triple.object)]));
        }
        let mut starts = vec![0; nodes.len() + 1];
        each_mention(&ends, |node, _| starts[node as usize + 1] += 1);
        for at in 1..starts.len() {
            starts[at] += starts[at - 1];
        }
        let mut next = starts.clone();
        let mut mentions = vec![0; starts[nodes.len()] as usize];
        each_mention(&ends, |node, triple| {
            mentions[next[node as usize] as usize] = triple;
            next[node as usize] += 1;
        });
        Blanks { terms, triples, ends, nodes, mentions, starts }
    }

    /// The statements that mention a node, by their place.
    fn mentions(&self, node: u32) -> impl Iterator<Item = u32> + '_ {
        let range = self.starts[node as usize] as usize..self.starts[node as usize + 1] as usize;
        self.mentions[range].iter().copied()
    }
}

fn each_mention(ends: &[[u32; 2]], mut found: impl FnMut(u32, u32)) {
    for (at, &[subject, object]) in ends.iter().enumerate() {
        if subject != NAMED {
            found(subject, count(at));
        }
        if object != NAMED && object != subject {
            found(object, count(at));
        }
    }
}

fn count(at: usize) -> u32 {
    u32::try_from(at).expect("an interner holds fewer than 2^31 terms, and limits as many statements")
}

/// Steps 3 to 5 of the canonicalization algorithm, and as many labels as there are nodes.
fn issue(graph: &Blanks<'_>, limits: &Limits) -> Result<(Issuer, Vec<Term>), RdfError> {
    let hashes = first_degree::hashes(graph);
    let order = in_order(&hashes);
    let mut canonical = Issuer::default();
    let mut alike: Vec<&[u32]> = Vec::new();
    for group in order.chunk_by(|&a, &b| hashes[a as usize] == hashes[b as usize]) {
        match group {
            [node] => {
                canonical.issue(*node);
            }
            group => alike.push(group),
        }
    }
    let names = || names(graph.terms, graph.nodes.len());
    let names = match alike.is_empty() {
        true => names(),
        false => n_degree::issue(graph, &hashes, &alike, &mut canonical, limits, names)?,
    };
    Ok((canonical, names))
}

/// The nodes in the order of their hashes. Of two that differ the first eight digits mostly tell, and lie close by.
fn in_order(hashes: &[Hash]) -> Vec<u32> {
    let first = |hash: &Hash| *hash.first_chunk().expect("a hash has 64 digits");
    let mut order: Vec<(u64, u32)> =
        hashes.iter().zip(0..).map(|(hash, node)| (u64::from_be_bytes(first(hash)), node)).collect();
    order.sort_unstable_by(|a, b| {
        let whole = || hashes[a.1 as usize].cmp(&hashes[b.1 as usize]);
        a.0.cmp(&b.0).then_with(whole).then(a.1.cmp(&b.1))
    });
    order.into_iter().map(|(_, node)| node).collect()
}

/// Every byte's two digits.
const DIGITS: [[u8; 2]; 256] = {
    let (mut digits, mut byte) = ([[0; 2]; 256], 0);
    while byte < 256 {
        digits[byte] = [b"0123456789abcdef"[byte >> 4], b"0123456789abcdef"[byte & 15]];
        byte += 1;
    }
    digits
};

/// The hash of a text.
fn hash(text: &[u8]) -> Hash {
    hex(&knhk_digest::digest(text))
}

fn hex(digest: &knhk_digest::Digest) -> Hash {
    let mut hex = [0; 64];
    for (pair, byte) in hex.as_chunks_mut().0.iter_mut().zip(digest) {
        *pair = DIGITS[usize::from(*byte)];
    }
    hex
}
