//! SHA-256 of many short messages: what leaves and nodes of Merkle trees are.
//!
//! One message is a chain of rounds in which each waits for the one before, so that the processor's SHA-256 unit idles most of the time. Of
//! messages that need nothing of each other, four are hashed in turns ([`lanes`]); where the processor has no such unit, each is hashed by
//! the crate `sha2`, which also serves in the tests to say what is right.

mod lanes;

use sha2::block_api::compress256;

/// A SHA-256 digest.
pub type Digest = [u8; 32];

/// Bytes of a block.
const BLOCK: usize = 64;

/// FIPS 180-4, section 5.3.3.
const INITIAL: [u32; 8] =
    [0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19];

/// What comes between a message and its length.
const PADDING: [u8; BLOCK] = {
    let mut padding = [0; BLOCK];
    padding[0] = 0x80;
    padding
};

/// Messages that wait to be hashed together. The memory is used again after [`Messages::clear`].
#[derive(Clone, Debug, Default)]
pub struct Messages {
    /// Each padded as FIPS 180-4, section 5.1.1, says.
    bytes: Vec<u8>,
    /// Where each ends, in bytes.
    ends: Vec<usize>,
}

impl Messages {
    /// No messages, with room for so many of so many bytes.
    pub fn with_capacity(messages: usize, bytes: usize) -> Messages {
        let padded = (bytes + 9).next_multiple_of(BLOCK);
        Messages { bytes: Vec::with_capacity(messages * padded), ends: Vec::with_capacity(messages) }
    }

    /// How many wait.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether none waits.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Forgets all.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.ends.clear();
    }

    /// Adds a message, which `write` appends to the bytes that it is given; it must leave those that are there alone.
    ///
    /// # Panics
    /// When `write` takes bytes away.
    pub fn push(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        let start = self.bytes.len();
        write(&mut self.bytes);
        let len = self.bytes.len().checked_sub(start).expect("a message is appended, and nothing is taken away");
        self.bytes.extend_from_slice(&PADDING[..(len + 9).next_multiple_of(BLOCK) - 8 - len]);
        self.bytes.extend_from_slice(&(8 * len as u64).to_be_bytes());
        self.ends.push(self.bytes.len());
    }

    /// Hashes all, and gives each message's number and digest, in no particular order.
    pub fn digests(&self, each: impl FnMut(usize, Digest)) {
        lanes::digests(self, each);
    }

    /// The blocks of a message.
    fn blocks(&self, number: usize) -> &[[u8; BLOCK]] {
        let start = number.checked_sub(1).map_or(0, |before| self.ends[before]);
        self.bytes[start..self.ends[number]].as_chunks().0
    }
}

/// The digest of one message.
pub fn digest(message: &[u8]) -> Digest {
    let (blocks, rest) = message.as_chunks();
    let mut state = INITIAL;
    compress256(&mut state, blocks);
    let mut end = [0; 2 * BLOCK];
    let len = (rest.len() + 9).next_multiple_of(BLOCK);
    end[..rest.len()].copy_from_slice(rest);
    end[rest.len()] = PADDING[0];
    end[len - 8..len].copy_from_slice(&(8 * message.len() as u64).to_be_bytes());
    one(state, end[..len].as_chunks().0)
}

/// The digest of a message of which these blocks are left.
fn one(mut state: [u32; 8], blocks: &[[u8; BLOCK]]) -> Digest {
    compress256(&mut state, blocks);
    finish(state)
}

fn finish(state: [u32; 8]) -> Digest {
    let mut digest = [0; 32];
    for (bytes, word) in digest.as_chunks_mut().0.iter_mut().zip(state) {
        *bytes = word.to_be_bytes();
    }
    digest
}
