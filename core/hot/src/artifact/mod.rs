//! The flat artifact: a snapshot compiled to typed slots that inline code reads.
//!
//! # Format
//!
//! Version 1, little-endian, position-independent. Everything has one possible place, which follows from the counts in the header; in
//! the table `S` is the number of slots, `C` of classes, `B` of buckets, and `P` the *artifact's address*, which descriptors hold.
//!
//! | from | bytes | what |
//! |---|---|---|
//! | `P − 16·S − 192` | 192 | header, below |
//! | `P − 16·S` | `16·S` | ranges, mirrored: the one of slot `i` at `P − 16·(i + 1)`: `{low, high}`, inclusive; `{1, 0}` where there is no number |
//! | `P` | `16·S` | slots: `{tag, value}` |
//! | `P + 16·S` | `4·S` | name references: offset of the slot's record in the names section, `0xffff_ffff` for none; zeros up to a multiple of 8 |
//! | then | heap bytes | strings (NUL-terminated UTF-8 without NUL inside), bytes, list elements (8-byte aligned numbers, 4-byte aligned spans) |
//! | then | `C · ⌈C/64⌉ · 8` | class rows: bit `a` of row `c` says that class `c` is a class `a`; reflexive and transitive |
//! | then | name bytes | name records `{slot u32, parent u32, length u32, text, NUL}`, each padded to 4, a parent before its children; zeros up to a multiple of 8 |
//! | then | `8·B` | buckets `{low half of the hash, record offset}`, `0xffff_ffff` twice where empty |
//!
//! | header | bytes | what |
//! |---|---|---|
//! | 0 | 8 | magic `KNHKart\0` |
//! | 8 | 4 | layout version |
//! | 12 | 4 | bytes of the header: 192 |
//! | 16 | 8 | bytes of the image |
//! | 24 | 8 | XXH3-64 of the bytes from 32 on |
//! | 32 | 4 × 6 | slots, classes, names, name bytes, buckets (a power of two), heap bytes |
//! | 56 | 8 | seed of the name hash |
//! | 64 | 32 | identity of the key table that the slot numbers come from |
//! | 96 | 32 | content address of the snapshot |
//! | 128 | 64 | zero |
//!
//! A name's hash is XXH3-64 of its text, seeded with `seed ^ (parent + 1) · 0x9e3779b97f4a7c15`; the high half, masked, is its first
//! bucket, and it lies at most 31 buckets behind it.
//!
//! # Why an inline read of a verified image stays inside it
//!
//! What is verified is a private copy, which is protected before anyone sees its address, so that what was checked is what is read.
//! Inline code holds a descriptor `{P, limit = 16·S}` and a key whose slot offset `o` is a multiple of 16.
//!
//! - *Slot and range.* `o < limit` gives `P + o + 16 ≤ P + 16·S` and `P − o − 16 ≥ P − 16·S`: both lie in sections of `16·S` bytes that the
//!   length check showed to be there. Nothing in the header takes part.
//! - *Out-of-line values.* A span is followed only behind a tag that has one, and for each slot with such a tag the verifier computed, in
//!   64 bits, `offset` and `offset + length · size` (with the string's NUL), and found both in the heap; for lists of strings and bytes also
//!   for each element. Alignments were checked relative to `P`, which is a multiple of 16 because the mapping begins on a page.
//! - *Values.* Truth values are 0 or 1, text is UTF-8, doubles are finite: no read produces a value that its type does not have.
//! - *Classes.* A class slot's offset is exactly that of the row of its number, its number is below `C`, and a row has a bit for each
//!   number below `C`. Hence two class slots *of one artifact* give a bit test inside the row; the caller compares the descriptors.
//! - *Names.* [`lookup_raw`] goes through bounds-checked slices, and looks at no more than 32 buckets.
//!
//! The verifier itself reads through bounds-checked slices, and pays for each heap byte once, so that a hostile image can neither
//! crash it nor keep it busy for longer than linear time.

mod builder;
mod error;
mod format;
mod memory;
mod names;
mod read;
mod revise;
mod value;
mod verify;

use std::sync::Arc;

pub use builder::Builder;
pub use error::ArtifactError;
pub use format::LAYOUT_VERSION;
pub use read::lookup_raw;
pub use revise::Revision;
pub use value::{Bounds, Entry, Value};
pub use verify::Limits;

use crate::layout::Slot;
use format::{Sections, field};
use memory::{Mapping, Protected};

/// A verified image in private, read-only memory.
#[derive(Debug)]
pub struct Artifact {
    memory: Protected,
    sections: Sections,
}

impl Artifact {
    /// An artifact without slots: every read of it is absent.
    ///
    /// # Panics
    /// If the system has no page of memory left.
    pub fn empty() -> Artifact {
        Builder::new(0).finish().expect("an image without slots keeps every rule")
    }

    /// Copies `image` into private memory, verifies the copy and protects it.
    pub fn from_image(image: &[u8], limits: &Limits) -> Result<Artifact, ArtifactError> {
        verify::header(image, limits)?;
        let memory = |source| ArtifactError::Memory { bytes: image.len() as u64, source };
        let mut mapping = Mapping::zeroed(image.len()).map_err(memory)?;
        mapping.bytes_mut().copy_from_slice(image);
        // The header is read again from the copy: the caller's bytes may be shared with someone who changes them meanwhile.
        let sections = verify::header(mapping.bytes(), limits)?;
        verify::sum(mapping.bytes())?;
        verify::contents(mapping.bytes(), &sections, limits)?;
        Ok(Artifact::new(mapping.protect().map_err(memory)?, sections))
    }

    fn new(memory: Protected, sections: Sections) -> Artifact {
        Artifact { memory, sections }
    }

    /// The image: what [`Artifact::from_image`] takes.
    pub fn image(&self) -> &[u8] {
        self.memory.bytes()
    }

    /// Where the slots begin: what a descriptor holds.
    pub fn address(&self) -> *const Slot {
        // Offset from the image's first byte, so that the pointer may also be used to reach the ranges before it.
        self.image().as_ptr().wrapping_add(self.sections.slots).cast()
    }

    /// Bytes of slots behind the address: a key's slot offset is valid below it.
    pub fn limit(&self) -> u64 {
        16 * u64::from(self.sections.counts.slots)
    }

    /// Bytes of memory that the image takes.
    pub fn bytes(&self) -> usize {
        self.sections.total
    }

    /// The number of slots, absent ones included.
    pub fn slots(&self) -> u32 {
        self.sections.counts.slots
    }

    /// The number of classes.
    pub fn classes(&self) -> u32 {
        self.sections.counts.classes
    }

    /// Identity of the key table that the slot numbers come from.
    pub fn key_table(&self) -> [u8; 32] {
        self.id(field::KEY_TABLE)
    }

    /// Content address of the snapshot this was compiled from.
    pub fn snapshot_id(&self) -> [u8; 32] {
        self.id(field::SNAPSHOT_ID)
    }

    fn id(&self, at: usize) -> [u8; 32] {
        self.image()[at..at + 32].try_into().expect("32 bytes were cut")
    }
}

const _: () = {
    const fn shared_between_threads<T: Send + Sync>() {}
    shared_between_threads::<Arc<Artifact>>();
};
