//! A record: one observation as it is kept, hashed and proven.
//!
//! 64 bytes, little-endian, the same for ever:
//!
//! | bytes | field | |
//! |---|---|---|
//! | 0 | time | nanoseconds since 1970 (UTC) |
//! | 8 | epoch | the generation that it was made in |
//! | 16 | reader | the reader that made it, as numbered since the engine was opened |
//! | 24 | sequence | its number among that reader's observations, from 0, without gaps |
//! | 32 | subject | whom it concerns: a hash, or 0 |
//! | 40 | detail | the program's own word |
//! | 48 | value | the value's bits: of an i64 in two's complement, of an f64 as in IEEE 754, of a bool 0 or 1 |
//! | 56 | slot and tag | the key's slot in the low 28 bits, the value's [`Tag`] in the high 4 |
//! | 60 | outcome | an [`Outcome`](knhk_hot::layout::Outcome), or the program's own code from 256 on |
//!
//! The sector is the segment's.

use knhk_hot::Observation;
use knhk_hot::layout::{Outcome, Tag};

/// Bytes of a record.
pub const RECORD_BYTES: usize = 64;

/// Bits of the slot; the tag stands above them.
const SLOT_BITS: u32 = 28;
/// Stands for a tag that no value has.
const UNKNOWN: u32 = 15;

/// An observation as it is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record {
    /// When, in nanoseconds since 1970 (UTC): the program's time, or the engine's cached clock.
    pub time_ns: u64,
    /// The generation of the view that it was made in: what the decision was based on.
    pub epoch: u64,
    /// The reader that made it, as numbered since the engine was opened.
    pub reader: u64,
    /// Its number among that reader's observations, from 0, without gaps.
    pub sequence: u64,
    /// Whom it concerns: a hash, or 0.
    pub subject: u64,
    /// The program's own word.
    pub detail: u64,
    /// The value's bits; [`Record::number`] reads them.
    pub value: u64,
    /// The slot of its key in the sector's key table.
    pub slot: u32,
    /// The value's type, as [`Tag`] numbers them: 1 bool, 2 i64, 3 f64; 15 for what is none.
    pub tag: u8,
    /// 0 unspecified, 1 success, 2 rejected, 3 failed, 4 timed out, or the program's own code from 256 on.
    pub outcome: u32,
}

impl Record {
    /// What a reader observed.
    pub fn of(reader: u64, observation: &Observation) -> Record {
        Record {
            time_ns: observation.time_ns,
            epoch: observation.epoch,
            reader,
            sequence: observation.sequence,
            subject: observation.subject,
            detail: observation.detail,
            value: observation.value,
            slot: observation.key.slot(),
            tag: observation.tag.min(UNKNOWN) as u8,
            outcome: observation.outcome,
        }
    }

    /// Writes it.
    pub fn encode(&self) -> [u8; RECORD_BYTES] {
        let mut bytes = [0; RECORD_BYTES];
        let words = [self.time_ns, self.epoch, self.reader, self.sequence, self.subject, self.detail, self.value];
        for (place, word) in bytes.chunks_exact_mut(8).zip(words) {
            place.copy_from_slice(&word.to_le_bytes());
        }
        let key = self.slot & ((1 << SLOT_BITS) - 1) | u32::from(self.tag) << SLOT_BITS;
        bytes[56..60].copy_from_slice(&key.to_le_bytes());
        bytes[60..].copy_from_slice(&self.outcome.to_le_bytes());
        bytes
    }

    /// Reads it; every 64 bytes are a record.
    pub fn decode(bytes: &[u8; RECORD_BYTES]) -> Record {
        let word = |at: usize| u64::from_le_bytes(std::array::from_fn(|byte| bytes[8 * at + byte]));
        let key = word(7) as u32;
        Record {
            time_ns: word(0),
            epoch: word(1),
            reader: word(2),
            sequence: word(3),
            subject: word(4),
            detail: word(5),
            value: word(6),
            slot: key & ((1 << SLOT_BITS) - 1),
            tag: (key >> SLOT_BITS) as u8,
            outcome: (word(7) >> 32) as u32,
        }
    }

    /// Whether it was a success.
    pub fn succeeded(&self) -> bool {
        self.outcome == Outcome::Success as u32
    }

    /// The value as a number, where its type is one: a bool is 0 or 1.
    pub fn number(&self) -> Option<f64> {
        match u64::from(self.tag) {
            tag if tag == Tag::Bool as u64 => Some(f64::from(u8::from(self.value != 0))),
            tag if tag == Tag::I64 as u64 => Some(self.value as i64 as f64),
            tag if tag == Tag::F64 as u64 => Some(f64::from_bits(self.value)),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The bytes are hashed and signed: they must never change.
    #[test]
    fn the_layout_is_what_is_documented() {
        let record = Record {
            time_ns: 0x0102_0304_0506_0708,
            epoch: 2,
            reader: 3,
            sequence: 4,
            subject: 5,
            detail: 6,
            value: (-7_i64) as u64,
            slot: 0x0abc_def1,
            tag: Tag::I64 as u8,
            outcome: 0x1_0001,
        };
        let mut bytes = vec![8, 7, 6, 5, 4, 3, 2, 1];
        for word in [2_u64, 3, 4, 5, 6] {
            bytes.extend(word.to_le_bytes());
        }
        bytes.extend([0xf9, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]);
        bytes.extend([0xf1, 0xde, 0xbc, 0x2a, 1, 0, 1, 0]);
        assert_eq!(record.encode().to_vec(), bytes);
        assert_eq!(record.number(), Some(-7.0));
    }

    proptest! {
        #[test]
        fn every_64_bytes_are_a_record(bytes in any::<[u8; RECORD_BYTES]>()) {
            prop_assert_eq!(Record::decode(&bytes).encode(), bytes);
        }
    }
}
