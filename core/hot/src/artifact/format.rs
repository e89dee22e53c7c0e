//! Where everything lies in an image: the header's fields and the sections that its counts call for.

use super::{ArtifactError, Limits};

pub(super) const MAGIC: [u8; 8] = *b"KNHKart\0";
/// The version of the layout that this build writes and reads.
pub const LAYOUT_VERSION: u32 = 1;
/// Bytes of the header.
pub(super) const HEADER: usize = 192;
/// The header's part that the checksum does not cover, because each of its fields is compared with the one value it may have.
pub(super) const UNSUMMED: usize = 32;
/// In a name record and a name reference: none.
pub(super) const NONE: u32 = u32::MAX;
/// A name record's fixed part: slot, parent, length.
pub(super) const RECORD: usize = 12;

/// Byte offsets of the header's fields.
pub(super) mod field {
    pub const MAGIC: usize = 0;
    pub const LAYOUT: usize = 8;
    pub const HEADER: usize = 12;
    pub const TOTAL: usize = 16;
    pub const CHECKSUM: usize = 24;
    pub const SLOTS: usize = 32;
    pub const CLASSES: usize = 36;
    pub const NAMES: usize = 40;
    pub const NAME_BYTES: usize = 44;
    pub const BUCKETS: usize = 48;
    pub const HEAP_BYTES: usize = 52;
    pub const SEED: usize = 56;
    pub const KEY_TABLE: usize = 64;
    pub const SNAPSHOT_ID: usize = 96;
    pub const RESERVED: usize = 128;
}

#[inline]
pub(super) fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four bytes were cut"))
}

#[inline]
pub(super) fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(bytes[at..at + 8].try_into().expect("eight bytes were cut"))
}

pub(super) fn put_u32(bytes: &mut [u8], at: usize, value: u32) {
    bytes[at..at + 4].copy_from_slice(&value.to_le_bytes());
}

pub(super) fn put_u64(bytes: &mut [u8], at: usize, value: u64) {
    bytes[at..at + 8].copy_from_slice(&value.to_le_bytes());
}

/// The counts from which every section's place follows.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Counts {
    pub slots: u32,
    pub classes: u32,
    pub names: u32,
    pub name_bytes: u32,
    pub buckets: u32,
    pub heap_bytes: u32,
}

/// Offsets of the sections from the image's first byte.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sections {
    pub counts: Counts,
    /// The artifact's address; ranges lie before it, slots from it on.
    pub slots: usize,
    /// A name reference a slot.
    pub references: usize,
    pub heap: usize,
    /// Rows of ancestor bits.
    pub rows: usize,
    pub row_bytes: usize,
    pub names: usize,
    pub buckets: usize,
    pub total: usize,
}

impl Counts {
    #[inline]
    pub(super) fn read(image: &[u8]) -> Counts {
        Counts {
            slots: u32_at(image, field::SLOTS),
            classes: u32_at(image, field::CLASSES),
            names: u32_at(image, field::NAMES),
            name_bytes: u32_at(image, field::NAME_BYTES),
            buckets: u32_at(image, field::BUCKETS),
            heap_bytes: u32_at(image, field::HEAP_BYTES),
        }
    }

    /// Refuses counts over a limit, or that 32-bit offsets from the artifact's address cannot reach.
    pub(super) fn check(self, limits: &Limits) -> Result<Sections, ArtifactError> {
        let within = ArtifactError::check_limit;
        within("slots", self.slots.into(), limits.slots.min(1 << 27).into())?;
        within("classes", self.classes.into(), limits.classes.min(1 << 16).into())?;
        within("names", self.names.into(), self.slots.into())?;
        let total = self.total();
        within("bytes", total, limits.bytes)?;
        within("bytes behind its address", total - HEADER as u64 - 16 * u64::from(self.slots), u32::MAX.into())?;
        Ok(self.sections())
    }

    fn total(self) -> u64 {
        let slots = u64::from(self.slots);
        let rows = u64::from(self.classes) * u64::from(self.classes).div_ceil(64) * 8;
        let heap = (HEADER as u64 + 36 * slots).next_multiple_of(8) + u64::from(self.heap_bytes);
        heap + rows + u64::from(self.name_bytes) + 8 * u64::from(self.buckets)
    }

    /// The sections of counts that [`Counts::check`] let pass.
    #[inline]
    pub(super) fn sections(self) -> Sections {
        let count = self.slots as usize;
        let slots = HEADER + 16 * count;
        let references = slots + 16 * count;
        let heap = (references + 4 * count).next_multiple_of(8);
        let rows = heap + self.heap_bytes as usize;
        let row_bytes = (self.classes as usize).div_ceil(64) * 8;
        let names = rows + row_bytes * self.classes as usize;
        let buckets = names + self.name_bytes as usize;
        let total = buckets + 8 * self.buckets as usize;
        Sections { counts: self, slots, references, heap, rows, row_bytes, names, buckets, total }
    }
}

impl Sections {
    /// Where slot number `slot` lies.
    pub(super) fn slot(&self, slot: usize) -> usize {
        self.slots + 16 * slot
    }

    /// Where the range of slot number `slot` lies.
    pub(super) fn range(&self, slot: usize) -> usize {
        self.slots - 16 * (slot + 1)
    }

    /// Where the name reference of slot number `slot` lies.
    pub(super) fn reference(&self, slot: usize) -> usize {
        self.references + 4 * slot
    }

    /// What a span's offset counts from the artifact's address, as an offset into the image.
    pub(super) fn spanned(&self, offset: u32) -> usize {
        self.slots + offset as usize
    }
}
