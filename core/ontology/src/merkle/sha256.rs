//! SHA-256 of leaves and nodes: messages of a few blocks, padded in place and compressed without a buffer between.

use sha2::block_api::compress256;

/// A SHA-256 digest.
pub type Hash = [u8; 32];

/// Children of a node.
pub(super) const WIDTH: usize = 16;
/// The first byte of what a leaf hashes, and of what a node does (as RFC 9162, section 2.1, keeps them apart).
const LEAF: u8 = 0;
const NODE: u8 = 1;
const NODE_HEAD: usize = 3;
/// The largest node's message with its padding.
const NODE_BYTES: usize = (NODE_HEAD + WIDTH * 32 + 9).next_multiple_of(64);

/// FIPS 180-4, section 5.3.3.
const INITIAL: [u32; 8] =
    [0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19];

/// The leaf of a statement's canonical line, line feed included.
pub fn leaf(line: &[u8]) -> Hash {
    let mut message = Vec::with_capacity(line.len() + 73);
    leaf_of(&mut message, |message| message.extend_from_slice(line))
}

/// The leaf of the line that `write` appends; `message` lends its room.
pub(super) fn leaf_of(message: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) -> Hash {
    message.clear();
    message.push(LEAF);
    write(message);
    let bits = 8 * message.len() as u64;
    message.push(0x80);
    message.resize((message.len() + 8).next_multiple_of(64) - 8, 0);
    message.extend_from_slice(&bits.to_be_bytes());
    digest(message)
}

/// The message of a node, which is filled child by child.
pub(super) struct NodeMessage {
    bytes: [u8; NODE_BYTES],
    children: usize,
}

impl NodeMessage {
    pub(super) fn new() -> NodeMessage {
        NodeMessage { bytes: [0; NODE_BYTES], children: 0 }
    }

    pub(super) fn push(&mut self, child: &Hash) {
        let at = NODE_HEAD + 32 * self.children;
        self.bytes[at..at + 32].copy_from_slice(child);
        self.children += 1;
    }

    /// The hashes pushed so far.
    pub(super) fn children(&self) -> &[Hash] {
        self.bytes[NODE_HEAD..NODE_HEAD + 32 * self.children].as_chunks().0
    }

    /// The node's hash; a bit of `present` says where each child stands, counted from the lowest.
    pub(super) fn hash(mut self, present: u16) -> Hash {
        self.bytes[0] = NODE;
        self.bytes[1..NODE_HEAD].copy_from_slice(&present.to_be_bytes());
        let len = NODE_HEAD + 32 * self.children;
        self.bytes[len] = 0x80;
        let end = (len + 9).next_multiple_of(64);
        self.bytes[end - 8..end].copy_from_slice(&(8 * len as u64).to_be_bytes());
        digest(&self.bytes[..end])
    }
}

/// The digest of a padded message.
fn digest(padded: &[u8]) -> Hash {
    let mut state = INITIAL;
    compress256(&mut state, padded.as_chunks().0);
    let mut hash = [0; 32];
    for (bytes, word) in hash.as_chunks_mut().0.iter_mut().zip(state) {
        *bytes = word.to_be_bytes();
    }
    hash
}
