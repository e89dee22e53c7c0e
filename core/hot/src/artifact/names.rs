//! The index of names known only at run time: open addressing with linear probing over 8-byte buckets.
//!
//! A lookup costs at most two cache misses in a row: the bucket (eight to a line) and the name record, which holds slot, parent
//! and text together. No name lies further than [`MAX_PROBES`] buckets from where its hash points: the builder chooses the seed
//! for that, and the verifier refuses an image in which any name is not found within them. So a hostile image cannot make a
//! lookup slow either.

use twox_hash::XxHash3_64;

use super::format::{NONE, RECORD, Sections, u32_at};

/// Buckets that a lookup looks at before it says no.
pub(super) const MAX_PROBES: u32 = 32;

/// A bucket: low half of the name's hash, then the record's offset in the names section, or [`NONE`].
pub(super) const EMPTY_BUCKET: u64 = u64::MAX;

/// The hash of a name below `parent`.
#[inline]
pub(super) fn hash(seed: u64, parent: u32, name: &[u8]) -> u64 {
    let seed = seed ^ (u64::from(parent) + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    XxHash3_64::oneshot_with_seed(seed, name)
}

/// The first bucket for `hash`.
#[inline]
pub(super) fn home(hash: u64, mask: u32) -> u32 {
    (hash >> 32) as u32 & mask
}

/// The slot of `name` below `parent` (or [`NONE`]). Safe on any bytes of the right length; meaningful on verified ones.
#[inline]
pub(super) fn lookup(image: &[u8], sections: &Sections, seed: u64, parent: u32, name: &[u8]) -> Option<u32> {
    let count = sections.counts.buckets;
    if count == 0 {
        return None;
    }
    let (mask, hash) = (count - 1, hash(seed, parent, name));
    let mut bucket = home(hash, mask);
    for _ in 0..MAX_PROBES.min(count) {
        let at = sections.buckets + 8 * bucket as usize;
        let record = u32_at(image, at + 4);
        if record == NONE {
            return None;
        }
        if u32_at(image, at) == hash as u32 {
            let record = Record::at(image, sections, record)?;
            if record.parent == parent && record.name == name {
                return Some(record.slot);
            }
        }
        bucket = (bucket + 1) & mask;
    }
    None
}

/// A name record.
#[derive(Clone, Copy, Debug)]
pub(super) struct Record<'a> {
    pub slot: u32,
    pub parent: u32,
    pub name: &'a [u8],
}

impl<'a> Record<'a> {
    /// The record at `offset` in the names section, where one fits there.
    #[inline]
    pub(super) fn at(image: &'a [u8], sections: &Sections, offset: u32) -> Option<Record<'a>> {
        let names = &image[sections.names..sections.buckets];
        let rest = names.get(offset as usize..)?;
        let head = rest.first_chunk::<RECORD>()?;
        let name = rest.get(RECORD..RECORD + u32_at(head, 8) as usize)?;
        Some(Record { slot: u32_at(head, 0), parent: u32_at(head, 4), name })
    }

    /// Bytes from this record to the next: the name is followed by at least one NUL, up to a multiple of 4.
    pub(super) fn stride(name_len: usize) -> usize {
        (RECORD + name_len + 1).next_multiple_of(4)
    }
}

/// Fills `buckets` with `(hash, record offset)` pairs so that no name lies beyond [`MAX_PROBES`]; false if one would.
///
/// Robin Hood insertion (Celis, 1986): the name that is further from home keeps the bucket, which evens the distances out.
pub(super) fn fill(buckets: &mut [u64], entries: impl Iterator<Item = (u64, u32)>) -> bool {
    buckets.fill(EMPTY_BUCKET);
    let mask = buckets.len() as u32 - 1;
    // A bucket keeps only the low half of its hash, so the distance from home is kept beside it while filling.
    let mut distances = vec![0u8; buckets.len()];
    for (hash, record) in entries {
        let (mut bucket, mut distance) = (home(hash, mask), 0u8);
        let mut carried = u64::from(hash as u32) | u64::from(record) << 32;
        loop {
            let at = bucket as usize;
            if buckets[at] == EMPTY_BUCKET {
                (buckets[at], distances[at]) = (carried, distance);
                break;
            }
            if distances[at] < distance {
                std::mem::swap(&mut buckets[at], &mut carried);
                std::mem::swap(&mut distances[at], &mut distance);
            }
            (bucket, distance) = ((bucket + 1) & mask, distance + 1);
            if u32::from(distance) >= MAX_PROBES.min(buckets.len() as u32) {
                return false;
            }
        }
    }
    true
}
