//! SHA-256 of leaves and nodes: messages of a few blocks, padded in place and compressed without a buffer between.

use sha2::block_api::compress256;

/// A SHA-256 digest.
pub type Hash = [u8; 32];

/// The first byte of what a leaf hashes, and of what a node does (as RFC 9162, section 2.1, keeps them apart).
const LEAF: u8 = 0;
const NODE: u8 = 1;

/// FIPS 180-4, section 5.3.3.
const INITIAL: [u32; 8] =
    [0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19];

/// The leaf of a statement's canonical line, line feed included.
pub fn leaf(line: &[u8]) -> Hash {
    let mut message = Vec::with_capacity(line.len() + 73);
    push_leaf(&mut message, |message| message.extend_from_slice(line));
    digest(&message)
}

/// Appends the padded message of a leaf, whose line `write` appends.
pub(super) fn push_leaf(messages: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
    let start = messages.len();
    messages.push(LEAF);
    write(messages);
    pad(messages, start);
}

/// The hash of a node whose children have these hashes; a bit of `present` says where each child stands, counted from
/// the lowest. `message` lends its room.
pub(super) fn node_of<'a>(message: &mut Vec<u8>, present: u16, children: impl Iterator<Item = &'a Hash>) -> Hash {
    message.clear();
    message.push(NODE);
    message.extend_from_slice(&present.to_be_bytes());
    children.for_each(|child| message.extend_from_slice(child));
    pad(message, 0);
    digest(message)
}

/// Pads the message that begins at `start`, as FIPS 180-4, section 5.1.1, says.
fn pad(message: &mut Vec<u8>, start: usize) {
    let len = message.len() - start;
    message.push(0x80);
    message.resize(start + (len + 9).next_multiple_of(64) - 8, 0);
    message.extend_from_slice(&(8 * len as u64).to_be_bytes());
}

/// The digest of a padded message.
pub(super) fn digest(padded: &[u8]) -> Hash {
    let mut state = INITIAL;
    compress256(&mut state, padded.as_chunks().0);
    let mut hash = [0; 32];
    for (bytes, word) in hash.as_chunks_mut().0.iter_mut().zip(state) {
        *bytes = word.to_be_bytes();
    }
    hash
}
