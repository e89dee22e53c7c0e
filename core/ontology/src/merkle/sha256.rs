//! What leaves and nodes hash.

use knhk_digest::{Messages, digest};

/// A SHA-256 digest.
pub type Hash = knhk_digest::Digest;

/// The first byte of what a leaf hashes, and of what a node does (as RFC 9162, section 2.1, keeps them apart).
const LEAF: u8 = 0;
const NODE: u8 = 1;

/// The leaf of a statement's canonical line, line feed included.
pub fn leaf(line: &[u8]) -> Hash {
    digest(&[&[LEAF], line].concat())
}

/// Adds the message of a leaf, whose line `write` appends.
pub(super) fn push_leaf(messages: &mut Messages, write: impl FnOnce(&mut Vec<u8>)) {
    messages.push(|message| {
        message.push(LEAF);
        write(message);
    });
}

/// Adds the message of a node whose children have these hashes; a bit of `present` says where each child stands, counted from the lowest.
pub(super) fn push_node<'a>(messages: &mut Messages, present: u16, children: impl Iterator<Item = &'a Hash>) {
    let [high, low] = present.to_be_bytes();
    messages.push(|message| {
        message.extend_from_slice(&[NODE, high, low]);
        children.for_each(|child| message.extend_from_slice(child));
    });
}

/// The hash of one node. `messages` lends its room.
pub(super) fn node_of<'a>(messages: &mut Messages, present: u16, children: impl Iterator<Item = &'a Hash>) -> Hash {
    messages.clear();
    push_node(messages, present, children);
    let mut hash = [0; 32];
    messages.digests(|_, only| hash = only);
    hash
}
