//! The persistent trie: nodes that versions share, and how changes reach them.

use std::sync::Arc;

use knhk_digest::Messages;

use super::sha256::{Hash, node_of, push_node};
use super::{TOGETHER, TWO_THREADS};

/// A leaf alone in its part of the trie, or a node over several.
#[derive(Clone, Debug)]
pub(super) struct Tree {
    /// The leaf or the node's hash.
    pub(super) hash: Hash,
    pub(super) below: Option<Node>,
}

/// Up to 16 children by the next nibble of their leaves' hashes; at least two leaves are below.
#[derive(Clone, Debug)]
pub(super) struct Node {
    /// Which children there are, from the lowest bit.
    pub(super) present: u16,
    /// Those that there are, in order.
    pub(super) children: Arc<[Tree]>,
}

const WIDTH: usize = u16::BITS as usize;

impl Node {
    /// Which of the children stands at this nibble.
    pub(super) fn child(&self, at: usize) -> Option<usize> {
        rank(self.present, at)
    }
}

/// Makes the trees of new versions.
#[derive(Default)]
pub(super) struct Maker {
    /// Children of the nodes that are being made, those of the innermost last.
    open: Vec<Tree>,
    /// Room for a node's message.
    messages: Messages,
    /// Leaves that came less those that went.
    pub(super) gained: isize,
}

impl Maker {
    /// The tree of these leaves, which are sorted and without repetition.
    pub(super) fn build(&mut self, leaves: &[Hash]) -> Option<Tree> {
        self.open_leaves(leaves, 0);
        self.open.pop()
    }

    /// The tree without some leaves and then with others, both sorted and without repetition.
    pub(super) fn update(&mut self, tree: Option<&Tree>, removed: &[Hash], added: &[Hash]) -> Option<Tree> {
        self.open_changed(tree, 0, removed, added);
        self.open.pop()
    }

    /// Leaves the tree of some leaves behind as a child.
    fn open_leaves(&mut self, leaves: &[Hash], depth: usize) {
        if let [] | [_] = leaves {
            self.open.extend(leaves.first().map(|&hash| Tree { hash, below: None }));
            return;
        }
        let (start, mut present) = (self.open.len(), 0);
        let mut rest = leaves;
        while let Some(leaf) = rest.first() {
            let at = nibble(leaf, depth);
            present |= 1 << at;
            self.open_leaves(take(&mut rest, depth, at), depth + 1);
        }
        self.close(start, present);
    }

    /// Leaves the tree after a change behind as a child, if anything is left.
    fn open_changed(&mut self, tree: Option<&Tree>, depth: usize, mut removed: &[Hash], mut added: &[Hash]) {
        let Some(node) = tree.and_then(|tree| tree.below.as_ref()) else {
            return self.open_beside(tree.map(|leaf| leaf.hash), depth, removed, added);
        };
        let (start, mut present) = (self.open.len(), 0);
        for at in 0..WIDTH {
            let child = node.child(at).map(|child| &node.children[child]);
            let (gone, new) = (take(&mut removed, depth, at), take(&mut added, depth, at));
            let before = self.open.len();
            if gone.is_empty() && new.is_empty() {
                self.open.extend(child.cloned());
            } else {
                self.open_changed(child, depth + 1, gone, new);
            }
            present |= u16::from(self.open.len() > before) << at;
        }
        self.close(start, present);
    }

    /// A change where at most one leaf is.
    fn open_beside(&mut self, old: Option<Hash>, depth: usize, removed: &[Hash], added: &[Hash]) {
        self.gained += added.len() as isize - isize::from(old.is_some());
        match old.filter(|leaf| removed.binary_search(leaf).is_err()).map(|leaf| (leaf, added.binary_search(&leaf))) {
            Some((leaf, Err(at))) => {
                self.gained += 1;
                self.open_leaves(&[&added[..at], &[leaf], &added[at..]].concat(), depth);
            }
            _ => self.open_leaves(added, depth),
        }
    }

    /// Makes a node of the children from `start` on; a leaf that is alone stands higher.
    fn close(&mut self, start: usize, present: u16) {
        if let [] | [Tree { below: None, .. }] = self.open[start..] {
            return;
        }
        let hash = node_of(&mut self.messages, present, self.open[start..].iter().map(|child| &child.hash));
        let children = self.open.drain(start..).collect();
        self.open.push(Tree { hash, below: Some(Node { present, children }) });
    }
}

/// Leaves sorted and without repetition, and the hash of their tree; 32 zero bytes where there is none. No tree is made. Where they are
/// many, two threads share what is below the root.
pub(super) fn sorted_with_root(leaves: &[Hash]) -> (Vec<Hash>, Hash) {
    if leaves.len() < TWO_THREADS {
        let leaves = sorted(leaves.iter());
        let root = hash_below(&leaves, 0);
        return (leaves, root);
    }
    let half = |high: bool| {
        let leaves = sorted(leaves.iter().filter(|leaf| (nibble(leaf, 0) >= WIDTH / 2) == high));
        let (mut present, mut hashes, mut rest) = (0, Vec::with_capacity(WIDTH), &leaves[..]);
        while let Some(leaf) = rest.first() {
            let at = nibble(leaf, 0);
            present |= 1 << at;
            hashes.push(hash_below(take(&mut rest, 0, at), 1));
        }
        (leaves, present, hashes)
    };
    let ((mut leaves, low, mut hashes), (others, high, other_hashes)) = std::thread::scope(|scope| {
        let others = scope.spawn(|| half(true));
        (half(false), others.join().expect("hashing does not panic"))
    });
    leaves.extend(others);
    hashes.extend(other_hashes);
    (leaves, node_of(&mut Messages::default(), low | high, hashes.iter()))
}

/// The hash of the tree of these leaves, which have the nibbles before `top` in common. The nodes of one depth are hashed one right after
/// the other, since they need nothing of each other.
fn hash_below(leaves: &[Hash], top: usize) -> Hash {
    if let [] | [_] = leaves {
        return leaves.first().copied().unwrap_or([0; 32]);
    }
    // Each depth's nodes follow those of the depth before, and so do their children's hashes.
    let mut hashes: Vec<Hash> = Vec::with_capacity(2 * leaves.len());
    let mut nodes: Vec<Bare> = Vec::with_capacity(leaves.len() / 2 + 1);
    let mut open = vec![(leaves, 0)];
    hashes.push([0; 32]);
    let (mut depth, mut next) = (top, Vec::new());
    while !open.is_empty() {
        for &(leaves, hash) in &open {
            let (start, mut present, mut rest) = (hashes.len(), 0, leaves);
            while let Some(leaf) = rest.first() {
                let at = nibble(leaf, depth);
                present |= 1 << at;
                let below = take(&mut rest, depth, at);
                if below.len() > 1 {
                    next.push((below, hashes.len()));
                }
                hashes.push(*leaf);
            }
            nodes.push(Bare { present, depth, children: start, hash });
        }
        (open, depth) = (std::mem::replace(&mut next, std::mem::take(&mut open)), depth + 1);
        next.clear();
    }
    let mut messages = Messages::default();
    for alike in nodes.chunk_by(|a, b| a.depth == b.depth).rev() {
        for alike in alike.chunks(TOGETHER) {
            messages.clear();
            for node in alike {
                let children = node.present.count_ones() as usize;
                push_node(&mut messages, node.present, hashes[node.children..node.children + children].iter());
            }
            messages.digests(|node, hash| hashes[alike[node].hash] = hash);
        }
    }
    hashes[0]
}

/// A node of which only the hash is wanted.
struct Bare {
    present: u16,
    depth: usize,
    /// Where its children's hashes begin.
    children: usize,
    /// Where its own hash goes.
    hash: usize,
}

/// The leaves at the front whose nibble is this.
fn take<'a>(leaves: &mut &'a [Hash], depth: usize, at: usize) -> &'a [Hash] {
    let count = leaves.iter().take_while(|leaf| nibble(leaf, depth) == at).count();
    let (group, rest) = leaves.split_at(count);
    *leaves = rest;
    group
}

/// The part of a leaf's hash that says where it stands at this depth.
pub(super) fn nibble(leaf: &Hash, depth: usize) -> usize {
    let byte = leaf[depth / 2];
    usize::from(if depth.is_multiple_of(2) { byte >> 4 } else { byte & 0xf })
}

/// How many bits are set below this one, where it is set.
pub(super) fn rank(bits: u16, at: usize) -> Option<usize> {
    (bits >> at & 1 == 1).then(|| (bits & ((1 << at) - 1)).count_ones() as usize)
}

/// Leaves in the order of their bytes, each once.
pub(super) fn sorted<'h>(leaves: impl Iterator<Item = &'h Hash> + Clone) -> Vec<Hash> {
    // Hashes spread evenly, so that to share them out by the first byte is most of the work.
    let mut ends = [0_usize; 257];
    leaves.clone().for_each(|leaf| ends[usize::from(leaf[0]) + 1] += 1);
    let count = ends.iter().sum();
    if count < 64 {
        let mut few: Vec<Hash> = leaves.copied().collect();
        few.sort_unstable_by_key(number);
        few.dedup();
        return few;
    }
    for byte in 0..256 {
        ends[byte + 1] += ends[byte];
    }
    let starts = ends;
    let mut shared = vec![[0; 32]; count];
    for leaf in leaves {
        let end = &mut ends[usize::from(leaf[0])];
        shared[*end] = *leaf;
        *end += 1;
    }
    for bounds in starts.windows(2) {
        shared[bounds[0]..bounds[1]].sort_unstable_by_key(number);
    }
    shared.dedup();
    shared
}

/// A hash as a number that orders as its bytes do.
fn number(hash: &Hash) -> [u128; 2] {
    let halves = hash.as_chunks().0;
    [u128::from_be_bytes(halves[0]), u128::from_be_bytes(halves[1])]
}
