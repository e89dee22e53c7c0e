//! The proof that a statement is in a snapshot, which anyone can check with SHA-256 alone.

use knhk_digest::Messages;

use super::sha256::{Hash, leaf, node_of};
use super::trie::{nibble, rank};

/// The way from a root to a statement's leaf: of each node, which children it has and the hashes of those beside the
/// way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    /// From the root on.
    pub(super) levels: Vec<Level>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Level {
    /// Which children there are, from the lowest bit.
    pub(super) present: u16,
    /// Their hashes in order, without the one on the way.
    pub(super) siblings: Vec<Hash>,
}

/// Why bytes are no proof.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProofError {
    /// It was written by another version.
    #[error(
        "the proof has version {0}, and only version {VERSION} is known here: use the library that wrote it, or a newer one"
    )]
    Version(u8),
    /// It is too short, too long or names more levels than a hash has nibbles.
    #[error("the proof has {found} bytes where its beginning says {expected}: it was cut off or damaged on the way")]
    Length {
        /// Bytes that its first bytes ask for.
        expected: usize,
        /// Bytes that there are.
        found: usize,
    },
    /// A node without children cannot be on the way.
    #[error("level {0} of the proof has no children: it was damaged on the way")]
    NoChildren(usize),
    /// A hash of 32 bytes has 64 nibbles.
    #[error("the proof has {0} levels, and 64 are the most: it was damaged on the way")]
    Levels(usize),
}

const VERSION: u8 = 1;
/// The version and the number of levels.
const HEAD: usize = 2;
const MOST_LEVELS: usize = 64;

impl Proof {
    /// Whether the map with this root holds this canonical line, line feed included.
    pub fn verify(&self, root: &Hash, line: &[u8]) -> bool {
        self.root(line).is_some_and(|computed| computed == *root)
    }

    /// The root of the map that the proof speaks of, if it is a proof for this canonical line.
    pub fn root(&self, line: &[u8]) -> Option<Hash> {
        self.root_of(&leaf(line))
    }

    /// The root of the map that the proof speaks of, if it is a proof for this leaf.
    fn root_of(&self, leaf: &Hash) -> Option<Hash> {
        let (mut hash, mut messages) = (*leaf, Messages::default());
        for (depth, level) in self.levels.iter().enumerate().rev() {
            let own = rank(level.present, nibble(leaf, depth))?;
            let (before, after) = level.siblings.split_at_checked(own)?;
            hash = node_of(&mut messages, level.present, before.iter().chain([&hash]).chain(after));
        }
        Some(hash)
    }

    /// The proof as bytes: version 1, the number of levels, of each the bitmap (big-endian), then of each the siblings'
    /// hashes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let hashes: usize = self.levels.iter().map(|level| level.siblings.len()).sum();
        let mut bytes = Vec::with_capacity(HEAD + 2 * self.levels.len() + 32 * hashes);
        bytes.extend([VERSION, self.levels.len() as u8]);
        bytes.extend(self.levels.iter().flat_map(|level| level.present.to_be_bytes()));
        bytes.extend(self.levels.iter().flat_map(|level| level.siblings.as_flattened()));
        bytes
    }

    /// Reads what [`Proof::to_bytes`] writes, and nothing else.
    pub fn from_bytes(bytes: &[u8]) -> Result<Proof, ProofError> {
        let short = |expected| ProofError::Length { expected, found: bytes.len() };
        let (&[version, levels], rest) = bytes.split_first_chunk::<HEAD>().ok_or(short(HEAD))?;
        let levels = usize::from(levels);
        if version != VERSION {
            return Err(ProofError::Version(version));
        }
        if levels > MOST_LEVELS {
            return Err(ProofError::Levels(levels));
        }
        let (bitmaps, hashes) = rest.split_at_checked(2 * levels).ok_or(short(HEAD + 2 * levels))?;
        let bitmaps = bitmaps.as_chunks().0.iter().map(|&bytes| u16::from_be_bytes(bytes));
        if let Some(empty) = bitmaps.clone().position(|present| present == 0) {
            return Err(ProofError::NoChildren(empty));
        }
        let siblings = |present: u16| present.count_ones() as usize - 1;
        let expected = HEAD + 2 * levels + 32 * bitmaps.clone().map(siblings).sum::<usize>();
        if bytes.len() != expected {
            return Err(short(expected));
        }
        let mut hashes = hashes.as_chunks().0;
        let levels = bitmaps.map(|present| {
            let (own, others) = hashes.split_at(siblings(present));
            hashes = others;
            Level { present, siblings: own.to_vec() }
        });
        Ok(Proof { levels: levels.collect() })
    }
}
