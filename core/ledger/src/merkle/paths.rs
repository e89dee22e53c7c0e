//! Paths through the tree that prove a leaf, or an earlier tree, and their verification.

use super::{Hash, Nodes, empty_root, node_hash, split, subtree};
use crate::LedgerError;

/// RFC 9162, 2.1.3.1: the path from a leaf to the root of the first `size` leaves.
pub(crate) fn inclusion_path(nodes: &impl Nodes, index: u64, size: u64) -> Result<Vec<Hash>, LedgerError> {
    let mut path = Vec::new();
    let mut range = 0..size;
    while range.end - range.start > 1 {
        let middle = range.start + split(range.end - range.start);
        if index < middle {
            path.push(subtree(nodes, middle..range.end)?);
            range.end = middle;
        } else {
            path.push(subtree(nodes, range.start..middle)?);
            range.start = middle;
        }
    }
    path.reverse();
    Ok(path)
}

/// RFC 9162, 2.1.4.1: what shows that the first `size` leaves begin with the first `earlier`; 0 < earlier <= size.
pub(crate) fn consistency_path(nodes: &impl Nodes, earlier: u64, size: u64) -> Result<Vec<Hash>, LedgerError> {
    let mut path = Vec::new();
    let mut range = 0..size;
    let mut whole = true;
    while earlier != range.end {
        let middle = range.start + split(range.end - range.start);
        if earlier <= middle {
            path.push(subtree(nodes, middle..range.end)?);
            range.end = middle;
        } else {
            path.push(subtree(nodes, range.start..middle)?);
            range.start = middle;
            whole = false;
        }
    }
    if !whole {
        path.push(subtree(nodes, range)?);
    }
    path.reverse();
    Ok(path)
}

/// RFC 9162, 2.1.3.2: the root of `size` leaves that a path leads to from the leaf at `index`.
///
/// # Errors
/// When the path is not one of that leaf in a tree of that size.
pub fn verify_inclusion(leaf: &Hash, index: u64, size: u64, path: &[Hash]) -> Result<Hash, LedgerError> {
    if index >= size {
        return Err(LedgerError::unproven(format!("leaf {index} is not one of {size}")));
    }
    let (mut node, mut last) = (index, size - 1);
    let mut hash = *leaf;
    for step in path {
        if last == 0 {
            return Err(LedgerError::unproven("the path is too long"));
        }
        if node & 1 == 1 || node == last {
            hash = node_hash(step, &hash);
            while node & 1 == 0 && node != 0 {
                node >>= 1;
                last >>= 1;
            }
        } else {
            hash = node_hash(&hash, step);
        }
        node >>= 1;
        last >>= 1;
    }
    if last == 0 { Ok(hash) } else { Err(LedgerError::unproven("the path is too short")) }
}

/// RFC 9162, 2.1.4.2: whether `path` shows that the tree of `size` leaves begins with the tree of `earlier`.
///
/// # Errors
/// When it does not.
pub fn verify_consistency(
    earlier: u64,
    size: u64,
    path: &[Hash],
    earlier_root: &Hash,
    root: &Hash,
) -> Result<(), LedgerError> {
    let differ = || LedgerError::unproven("the roots are not those that the path leads to");
    if earlier > size {
        return Err(LedgerError::unproven(format!("{earlier} leaves are not the first of {size}")));
    }
    if earlier == size || earlier == 0 {
        let agree = path.is_empty() && if earlier == 0 { *earlier_root == empty_root() } else { earlier_root == root };
        return if agree { Ok(()) } else { Err(differ()) };
    }
    let mut steps = path.iter();
    let (mut node, mut last) = (earlier - 1, size - 1);
    while node & 1 == 1 {
        node >>= 1;
        last >>= 1;
    }
    // A power of two is a subtree, whose root the verifier has.
    let begin = if node == 0 { *earlier_root } else { *steps.next().ok_or_else(differ)? };
    let (mut old, mut new) = (begin, begin);
    for step in steps {
        if last == 0 {
            return Err(differ());
        }
        if node & 1 == 1 || node == last {
            old = node_hash(step, &old);
            new = node_hash(step, &new);
            while node & 1 == 0 && node != 0 {
                node >>= 1;
                last >>= 1;
            }
        } else {
            new = node_hash(&new, step);
        }
        node >>= 1;
        last >>= 1;
    }
    if last == 0 && old == *earlier_root && new == *root { Ok(()) } else { Err(differ()) }
}
