//! The persistent trie: nodes that versions share, and how changes reach them.

use std::sync::Arc;

use super::sha256::{Hash, NodeMessage, WIDTH};

/// A leaf alone in its part of the trie, or a node over several.
#[derive(Clone, Debug)]
pub(super) enum Tree {
    Leaf(Hash),
    Node(Hash, Arc<Node>),
}

/// Up to 16 children by the next nibble of their leaves' hashes. At least two leaves are below.
#[derive(Debug)]
pub(super) struct Node {
    /// Which children there are, from the lowest bit.
    present: u16,
    /// Which of them are nodes.
    inner: u16,
    /// The children's hashes.
    hashes: Box<[Hash]>,
    /// The children that are nodes.
    below: Box<[Arc<Node>]>,
}

/// A leaf that comes or goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Change {
    pub(super) leaf: Hash,
    pub(super) added: bool,
}

impl Tree {
    pub(super) fn hash(&self) -> &Hash {
        match self {
            Tree::Leaf(hash) | Tree::Node(hash, _) => hash,
        }
    }

    /// The tree of these leaves, which are sorted and without repetition.
    pub(super) fn build(leaves: &[Hash], depth: usize) -> Option<Tree> {
        let mut rest = match leaves {
            [] => return None,
            [leaf] => return Some(Tree::Leaf(*leaf)),
            leaves => leaves,
        };
        let mut parts = Parts::new();
        while let Some(first) = rest.first() {
            let at = nibble(first, depth);
            let (group, others) = rest.split_at(rest.partition_point(|leaf| nibble(leaf, depth) == at));
            parts.push(at, Tree::build(group, depth + 1));
            rest = others;
        }
        parts.finish()
    }

    /// The tree after changes, which are sorted by leaf, one a leaf; `gained` counts the leaves that were not there
    /// before less those that are gone.
    pub(super) fn update(tree: Option<Tree>, depth: usize, changes: &[Change], gained: &mut isize) -> Option<Tree> {
        let node = match tree {
            Some(Tree::Node(_, node)) => node,
            alone => {
                let old = alone.map(|tree| *tree.hash());
                let kept = old.filter(|old| changes.binary_search_by_key(old, |change| change.leaf).is_err());
                let mut leaves: Vec<Hash> =
                    changes.iter().filter(|change| change.added).map(|change| change.leaf).collect();
                if let Some(leaf) = kept {
                    leaves.insert(leaves.partition_point(|other| *other < leaf), leaf);
                }
                *gained += leaves.len() as isize - isize::from(old.is_some());
                return Tree::build(&leaves, depth);
            }
        };
        let mut parts = Parts::new();
        let mut rest = changes;
        for at in 0..WIDTH {
            let here = rest.iter().take_while(|change| nibble(&change.leaf, depth) == at).count();
            let (group, others) = rest.split_at(here);
            let child = node.child(at);
            parts.push(at, if here == 0 { child } else { Tree::update(child, depth + 1, group, gained) });
            rest = others;
        }
        parts.finish()
    }
}

impl Node {
    fn child(&self, at: usize) -> Option<Tree> {
        let hash = *self.hashes.get(rank(self.present, at)?)?;
        Some(match rank(self.inner, at) {
            Some(inner) => Tree::Node(hash, self.below[inner].clone()),
            None => Tree::Leaf(hash),
        })
    }

    /// What a proof needs of this node for a leaf below its child at `at`: the bitmap and the other children's hashes.
    pub(super) fn siblings(&self, at: usize) -> Option<(u16, Vec<Hash>, Step<'_>)> {
        let own = rank(self.present, at)?;
        let mut siblings = self.hashes.to_vec();
        let hash = siblings.remove(own);
        let step = rank(self.inner, at).map_or(Step::Leaf(hash), |inner| Step::Node(&self.below[inner]));
        Some((self.present, siblings, step))
    }
}

/// Where the way from the root to a leaf leads on.
pub(super) enum Step<'a> {
    Leaf(Hash),
    Node(&'a Node),
}

/// The children of a node that is being made.
struct Parts {
    present: u16,
    inner: u16,
    message: NodeMessage,
    below: Vec<Arc<Node>>,
}

impl Parts {
    fn new() -> Parts {
        Parts { present: 0, inner: 0, message: NodeMessage::new(), below: Vec::new() }
    }

    fn push(&mut self, at: usize, child: Option<Tree>) {
        let Some(child) = child else { return };
        self.present |= 1 << at;
        self.message.push(child.hash());
        if let Tree::Node(_, node) = child {
            self.inner |= 1 << at;
            self.below.push(node);
        }
    }

    /// The node; a leaf that is alone stands higher.
    fn finish(self) -> Option<Tree> {
        let Parts { present, inner, message, below } = self;
        match message.children() {
            [] => None,
            [leaf] if inner == 0 => Some(Tree::Leaf(*leaf)),
            hashes => {
                let node = Node { present, inner, hashes: hashes.into(), below: below.into() };
                Some(Tree::Node(message.hash(present), Arc::new(node)))
            }
        }
    }
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
