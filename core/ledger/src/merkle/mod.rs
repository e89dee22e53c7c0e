//! The Merkle tree of RFC 9162 with SHA-256: roots, inclusion proofs, consistency proofs.
//!
//! A tree of n leaves, n > 1, has on its left the largest power of two of them that is smaller than n, and the rest on its right.

mod paths;

use std::ops::Range;

use knhk_digest::Messages;
use sha2::{Digest, Sha256};

pub(crate) use self::paths::{consistency_path, inclusion_path};
pub use self::paths::{verify_consistency, verify_inclusion};
use crate::LedgerError;

/// A SHA-256.
pub type Hash = [u8; 32];

/// Messages that are hashed together: enough to keep the processor busy, few enough to stay in its nearest cache.
const TOGETHER: usize = 128;

/// Levels between two that are stored: one hash is kept for each 256 of the level below.
pub(crate) const STRIDE: u8 = 8;

/// The hash of a leaf: SHA-256(0x00 || content).
pub fn leaf_hash(content: &[u8]) -> Hash {
    Sha256::new_with_prefix([0]).chain_update(content).finalize().into()
}

/// The hash of a node: SHA-256(0x01 || left || right).
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    let mut content = [1; 65];
    content[1..33].copy_from_slice(left);
    content[33..].copy_from_slice(right);
    Sha256::digest(content).into()
}

/// The hashes of leaves that have one length and follow one another.
pub(crate) fn leaf_hashes(content: &[u8], length: usize) -> Vec<Hash> {
    let mut hashes = vec![[0; 32]; content.len() / length];
    let mut leaves = Messages::with_capacity(TOGETHER, 1 + length);
    for (hashes, content) in hashes.chunks_mut(TOGETHER).zip(content.chunks(TOGETHER * length)) {
        leaves.clear();
        for leaf in content.chunks_exact(length) {
            leaves.push(|message| {
                message.push(0);
                message.extend_from_slice(leaf);
            });
        }
        leaves.digests(|leaf, hash| hashes[leaf] = hash);
    }
    hashes
}

/// The root over no leaves.
pub(crate) fn empty_root() -> Hash {
    Sha256::digest([]).into()
}

/// The root over leaf hashes, which are used up.
pub(crate) fn root_of(mut level: Vec<Hash>) -> Hash {
    if level.is_empty() {
        return empty_root();
    }
    let mut nodes = Messages::with_capacity(TOGETHER, 65);
    while level.len() > 1 {
        let pairs = level.len() / 2;
        for first in (0..pairs).step_by(TOGETHER) {
            nodes.clear();
            for pair in level[2 * first..2 * pairs.min(first + TOGETHER)].as_chunks::<2>().0 {
                nodes.push(|node| {
                    node.push(1);
                    node.extend_from_slice(pair.as_flattened());
                });
            }
            // Where they are put is before what the next ones are made of.
            nodes.digests(|pair, hash| level[first + pair] = hash);
        }
        // What has no partner moves up as it is, which makes the same tree as the RFC's splits.
        if level.len() % 2 == 1 {
            level[pairs] = level[level.len() - 1];
        }
        level.truncate(level.len().div_ceil(2));
    }
    level[0]
}

/// A node that became complete.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Completed {
    pub(crate) level: u8,
    pub(crate) position: u64,
    pub(crate) hash: Hash,
}

/// A growing tree's right edge: the roots of the complete subtrees that it consists of, from the left, one for each bit of its size.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Frontier {
    size: u64,
    peaks: Vec<Hash>,
}

impl Frontier {
    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    /// Appends a leaf; tells of each node that is stored and became complete.
    pub(crate) fn push(&mut self, leaf: Hash, mut stored: impl FnMut(Completed)) {
        let mut hash = leaf;
        let mut rest = self.size;
        let mut level = 0;
        while rest & 1 == 1 {
            let left = self.peaks.pop().expect("there is a peak for each bit of the size");
            hash = node_hash(&left, &hash);
            rest >>= 1;
            level += 1;
            if level % STRIDE == 0 {
                stored(Completed { level, position: rest, hash });
            }
        }
        self.peaks.push(hash);
        self.size += 1;
    }

    pub(crate) fn root(&self) -> Hash {
        let from_right = self.peaks.iter().rev();
        from_right.copied().reduce(|right, left| node_hash(&left, &right)).unwrap_or_else(empty_root)
    }

    /// The right edge of a stored tree.
    pub(crate) fn load(nodes: &impl Nodes, size: u64) -> Result<Frontier, LedgerError> {
        let mut peaks = Vec::new();
        let mut start = 0;
        for level in (0..64).rev().filter(|level| size >> level & 1 == 1) {
            let end = start + (1 << level);
            peaks.push(subtree(nodes, start..end)?);
            start = end;
        }
        Ok(Frontier { size, peaks })
    }
}

/// Where a tree's stored hashes come from: the leaves' at level 0, and those of each [`STRIDE`]th level above.
pub(crate) trait Nodes {
    fn nodes(&self, level: u8, positions: Range<u64>) -> Result<Vec<Hash>, LedgerError>;
}

/// The root over a range of a stored tree's leaves that is one of its subtrees.
pub(crate) fn subtree(nodes: &impl Nodes, range: Range<u64>) -> Result<Hash, LedgerError> {
    let size = range.end - range.start;
    if size == 0 {
        return Ok(empty_root());
    }
    if !size.is_power_of_two() {
        let middle = range.start + split(size);
        return Ok(node_hash(&subtree(nodes, range.start..middle)?, &subtree(nodes, middle..range.end)?));
    }
    // At most 128 hashes of the highest stored level that is not above it.
    let level = size.trailing_zeros() as u8 / STRIDE * STRIDE;
    let found = nodes.nodes(level, range.start >> level..range.end >> level)?;
    if found.len() as u64 != size >> level {
        return Err(LedgerError::unproven(format!("a hash of level {level} of the log is not stored")));
    }
    Ok(root_of(found))
}

/// The largest power of two smaller than a size of 2 or more.
fn split(size: u64) -> u64 {
    1 << (63 - (size - 1).leading_zeros())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A tree by the RFC's own words.
    fn plain(leaves: &[Hash]) -> Hash {
        match leaves {
            [] => empty_root(),
            [leaf] => *leaf,
            _ => {
                let (left, right) = leaves.split_at(split(leaves.len() as u64) as usize);
                node_hash(&plain(left), &plain(right))
            }
        }
    }

    /// Stored hashes as a store has them.
    struct Stored(Vec<Vec<Hash>>);

    impl Nodes for Stored {
        fn nodes(&self, level: u8, positions: Range<u64>) -> Result<Vec<Hash>, LedgerError> {
            let level = self.0.get(usize::from(level / STRIDE)).map_or(&[][..], Vec::as_slice);
            Ok(level[positions.start as usize..positions.end as usize].to_vec())
        }
    }

    fn grown(size: u64) -> (Stored, Vec<Hash>, Frontier) {
        let leaves: Vec<Hash> = (0..size).map(|n| leaf_hash(&n.to_be_bytes())).collect();
        let mut stored = Stored(vec![leaves.clone(), Vec::new(), Vec::new(), Vec::new()]);
        let mut frontier = Frontier::default();
        for leaf in &leaves {
            frontier.push(*leaf, |done| {
                let level = &mut stored.0[usize::from(done.level / STRIDE)];
                assert_eq!(level.len() as u64, done.position);
                level.push(done.hash);
            });
        }
        (stored, leaves, frontier)
    }

    /// The test vectors of RFC 6962's reference implementation: eight leaves and the root of each beginning.
    #[test]
    fn known_roots() {
        let hex = |text: &str| -> Vec<u8> {
            (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
        };
        let leaves =
            ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"];
        let roots = [
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
            "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
            "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
            "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
            "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
            "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
            "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
        ];
        let mut frontier = Frontier::default();
        for (leaf, root) in leaves.iter().zip(roots) {
            frontier.push(leaf_hash(&hex(leaf)), |_| {});
            assert_eq!(frontier.root().to_vec(), hex(root));
        }
    }

    #[test]
    fn every_proof_of_small_trees_holds_and_no_other() {
        let (stored, leaves, _) = grown(40);
        for size in 1..=40 {
            let root = plain(&leaves[..size as usize]);
            assert_eq!(root_of(leaves[..size as usize].to_vec()), root);
            assert_eq!(Frontier::load(&stored, size).unwrap().root(), root);
            for index in 0..size {
                let path = inclusion_path(&stored, index, size).unwrap();
                let leaf = &leaves[index as usize];
                assert_eq!(verify_inclusion(leaf, index, size, &path), Ok(root));
                for other in (0..size).filter(|other| *other != index) {
                    assert_ne!(verify_inclusion(leaf, other, size, &path), Ok(root), "{index} as {other} of {size}");
                }
                assert_ne!(verify_inclusion(leaf, index, size, &[path, vec![root]].concat()), Ok(root));
            }
            for earlier in 1..=size {
                let path = consistency_path(&stored, earlier, size).unwrap();
                let before = plain(&leaves[..earlier as usize]);
                assert_eq!(verify_consistency(earlier, size, &path, &before, &root), Ok(()), "{earlier} of {size}");
                let mut changed = path.clone();
                for step in 0..path.len() {
                    changed[step][0] ^= 1;
                    verify_consistency(earlier, size, &changed, &before, &root).unwrap_err();
                    changed[step][0] ^= 1;
                }
                if earlier < size {
                    verify_consistency(earlier, size, &path, &root, &root).unwrap_err();
                    verify_consistency(earlier, size, &[path, vec![root]].concat(), &before, &root).unwrap_err();
                }
            }
        }
    }

    #[test]
    fn large_trees_are_proven_from_few_stored_hashes() {
        let size = 70_000;
        let (stored, leaves, frontier) = grown(size);
        assert_eq!(stored.0.iter().map(Vec::len).collect::<Vec<_>>(), [70_000, 273, 1, 0]);
        let root = root_of(leaves.clone());
        assert_eq!(frontier.root(), root);
        assert_eq!(Frontier::load(&stored, size).unwrap(), frontier);
        for index in [0, 1, 255, 256, 65_535, 65_536, 69_999] {
            let path = inclusion_path(&stored, index, size).unwrap();
            assert_eq!(verify_inclusion(&leaves[index as usize], index, size, &path), Ok(root));
        }
        for earlier in [1, 255, 256, 257, 65_535, 65_536, 65_537, 69_999] {
            let path = consistency_path(&stored, earlier, size).unwrap();
            let before = root_of(leaves[..earlier as usize].to_vec());
            assert_eq!(verify_consistency(earlier, size, &path, &before, &root), Ok(()));
        }
    }
}
