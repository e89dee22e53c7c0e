//! The content address: a Merkle map over a graph's canonical lines, updated by changes, with a proof for each single
//! statement.
//!
//! A hex trie. A leaf is SHA-256(0x00 ‖ line), the line with its line feed; the nibbles of that hash, high one first,
//! say where it stands, and it stands at the smallest depth at which it is alone. A node is SHA-256(0x01 ‖ bitmap ‖
//! children), the bitmap 16 bits big-endian with bit n for the child at nibble n, the children the 32-byte hashes of
//! those present in order. The root of a map of one leaf is that leaf; of none, 32 zero bytes. So the root depends on
//! the set of lines alone, whatever changes led to it.

mod proof;
mod sha256;
mod trie;

pub use proof::{Proof, ProofError};
pub use sha256::{Hash, leaf};

use std::sync::{Arc, OnceLock};

use knhk_digest::Messages;

use crate::graph::{self, Delta, Graph, Terms, Triple};
use proof::Level;
use sha256::push_leaf;
use trie::{Maker, Tree, nibble, sorted};

/// Statements from which it pays to hash on two threads.
const TWO_THREADS: usize = 8192;

/// Messages that are written before they are hashed: few, so that they are in the cache still.
const TOGETHER: usize = 64;

/// An immutable set of canonical lines under one root. Cloning it is cheap, and what two versions share is stored once.
#[derive(Clone, Debug, Default)]
pub struct Map {
    root: Hash,
    len: usize,
    lines: Lines,
}

/// The lines' leaves, in one of two forms.
#[derive(Clone, Debug)]
enum Lines {
    Tree(Option<Tree>),
    /// Sorted, and the tree from the first question that needs it: where all changes every time, none ever does.
    Leaves(Arc<(Vec<Hash>, OnceLock<Option<Tree>>)>),
}

impl Default for Lines {
    fn default() -> Lines {
        Lines::Tree(None)
    }
}

impl Map {
    /// No lines.
    pub fn empty() -> Map {
        Map::default()
    }

    /// The map of these statements; where they are many, hashed on two threads.
    pub fn from_statements(terms: &Terms, statements: impl IntoIterator<Item = Triple>) -> Map {
        let statements: Vec<Triple> = statements.into_iter().collect();
        if statements.len() < TWO_THREADS {
            return Map::from_leaves(leaves(terms, &statements));
        }
        let (left, right) = statements.split_at(statements.len() / 2);
        let mut both = Vec::with_capacity(statements.len());
        std::thread::scope(|scope| {
            let right = scope.spawn(|| leaves(terms, right));
            both.extend(leaves(terms, left));
            both.extend(right.join().expect("hashing does not panic"));
        });
        Map::from_leaves(both)
    }

    /// The map of the lines with these leaves.
    pub fn from_leaves(leaves: Vec<Hash>) -> Map {
        let (leaves, root) = trie::sorted_with_root(&leaves);
        Map { root, len: leaves.len(), lines: Lines::Leaves(Arc::new((leaves, OnceLock::new()))) }
    }

    /// The map after a change of the graph whose own statements it is the map of. It hashes the lines that come and go;
    /// where all that there is goes, only those that come.
    pub fn apply(&self, terms: &Terms, delta: &Delta) -> Map {
        if delta.removed().len() == self.len {
            return Map::from_leaves(leaves(terms, delta.added()));
        }
        self.apply_leaves(&leaves(terms, delta.removed()), &leaves(terms, delta.added()))
    }

    /// As [`Map::apply`], where the graph after the change is at hand: a change of most of it hashes what is there
    /// then, and nothing that goes.
    pub fn apply_towards(&self, after: &Graph, delta: &Delta) -> Map {
        if delta.len() > after.own_len() {
            return Map::from_statements(after.terms(), after.own());
        }
        self.apply(after.terms(), delta)
    }

    /// The map without the lines of some leaves and then with those of others.
    pub fn apply_leaves(&self, removed: &[Hash], added: &[Hash]) -> Map {
        if removed.len() + added.len() == 0 {
            return self.clone();
        }
        let mut maker = Maker::default();
        let tree = maker.update(self.tree(), &sorted(removed.iter()), &sorted(added.iter()));
        let root = tree.as_ref().map_or([0; 32], |tree| tree.hash);
        Map {
            root,
            lines: Lines::Tree(tree),
            len: self.len.checked_add_signed(maker.gained).expect("no more lines go than are there"),
        }
    }

    /// The root: equal for equal sets of lines, and for no others that anyone could find.
    pub fn root(&self) -> Hash {
        self.root
    }

    fn tree(&self) -> Option<&Tree> {
        match &self.lines {
            Lines::Tree(tree) => tree.as_ref(),
            Lines::Leaves(leaves) => leaves.1.get_or_init(|| Maker::default().build(&leaves.0)).as_ref(),
        }
    }

    /// How many lines there are.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The proof that this canonical line, line feed included, is in the map; none where it is not.
    pub fn prove(&self, line: &[u8]) -> Option<Proof> {
        let leaf = leaf(line);
        let mut levels = Vec::new();
        let mut tree = self.tree()?;
        while let Some(node) = &tree.below {
            let child = node.child(nibble(&leaf, levels.len()))?;
            let siblings = node.children.iter().enumerate().filter(|&(at, _)| at != child);
            levels.push(Level { present: node.present, siblings: siblings.map(|(_, tree)| tree.hash).collect() });
            tree = &node.children[child];
        }
        (tree.hash == leaf).then_some(Proof { levels })
    }
}

/// The leaves of statements, in their order. It needs nothing but the interner, so that two threads can share the work.
pub fn leaves(terms: &Terms, statements: &[Triple]) -> Vec<Hash> {
    let mut leaves = Vec::with_capacity(statements.len());
    Hasher::new(terms).push(statements, &mut leaves);
    leaves
}

/// Hashes statements, re-using its memory.
pub(crate) struct Hasher<'t> {
    lines: graph::Lines<'t>,
    messages: Messages,
}

impl<'t> Hasher<'t> {
    pub(crate) fn new(terms: &'t Terms) -> Hasher<'t> {
        // Most lines take two or three blocks: growing would cost as much as hashing.
        Hasher { lines: graph::Lines::new(terms), messages: Messages::with_capacity(TOGETHER, 180) }
    }

    /// Appends the leaves of statements, in their order.
    pub(crate) fn push(&mut self, statements: &[Triple], leaves: &mut Vec<Hash>) {
        let Hasher { lines, messages } = self;
        for statements in statements.chunks(TOGETHER) {
            messages.clear();
            for &statement in statements {
                push_leaf(messages, |message| lines.write(statement, message));
            }
            let start = leaves.len();
            leaves.resize(start + statements.len(), [0; 32]);
            messages.digests(|number, leaf| leaves[start + number] = leaf);
        }
    }
}
