//! The frozen memory layouts that inline code reads (`include/knhk_inline.h` mirrors them).
//!
//! Everything here is ABI: a compiled C program carries these offsets. A change of meaning, order or size is a new ABI number
//! and a new layout beside the old one. What is *not* here (strides of roots, the root's private part, the number of sectors)
//! stays free to change, because keys carry byte offsets.

use core::mem::{offset_of, size_of};

use crate::primitive::AtomicU64;

/// The ABI number: part of the SONAME, passed at open, at reader registration and at key interning.
pub const ABI: u32 = 1;

/// Descriptors in every root. Fixed, so that no key of any engine leaves a root's bounds.
pub const SECTOR_CAPACITY: usize = 64;

/// Where the descriptors begin in a root, in bytes.
pub const ROOT_HEADER: usize = 64;

/// An engine's reader lines lie in one region of this many bytes, aligned to as many, which begins with the engine's [`HotLine`]: a
/// reader's address gives the hot line's without a load.
pub const REGION: usize = 4 << 20;

/// Set in a pin that is a lower bound of epochs instead of the address of one root.
pub const LOWER_BOUND: u64 = 1;

/// What the promoter publishes through: one cache line an engine, written by the promoter alone.
///
/// `gate == 0` sends every `begin` to the slow path. `root` and `cand_root` are never 0.
#[repr(C, align(64))]
pub struct HotLine {
    /// The current root's address while the fast path is open, else 0.
    pub gate: AtomicU64,
    /// The current root's address.
    pub root: AtomicU64,
    /// The epoch of the newest published root; stored last.
    pub epoch: AtomicU64,
    /// `gate`'s twin for decisions that the canary chose.
    pub cand_gate: AtomicU64,
    /// `root`'s twin for decisions that the canary chose; equals `root` while no canary runs.
    pub cand_root: AtomicU64,
    /// A subject whose mixed hash is below this reads the candidate; 0 while no canary runs.
    pub canary_limit: AtomicU64,
    /// Multiplied with the subject's hash before it is compared with `canary_limit`.
    pub canary_salt: AtomicU64,
    /// Zero.
    pub reserved: AtomicU64,
}

/// `slow(reader, saved, candidate)`: the out-of-line half of `begin`; returns the address of a pinned root.
pub type SlowBegin = unsafe extern "C" fn(reader: *mut ReaderLine, saved: u64, candidate: u32) -> u64;

/// One reader's own line: what an inline `begin`, `end` and `observe` touch. The part behind the frozen 64 bytes is private.
#[repr(C, align(128))]
pub struct ReaderLine {
    /// 0, the exact address of a root, or `epoch << 1 | LOWER_BOUND`.
    pub pin: AtomicU64,
    /// The cells this reader reads: the same address that its place in the [`REGION`] gives.
    pub hot: *const HotLine,
    /// This reader's ring; its `capacity` is 0 where the reader observes nothing.
    pub ring: *mut RingHeader,
    /// The engine's cached clock: nanoseconds since the Unix epoch.
    pub clock: *const AtomicU64,
    /// The slow path of the library that made this reader, which need not be the one that the program is linked with.
    pub slow: SlowBegin,
    /// Names this reader in events and records; unique in its engine.
    pub id: u64,
    /// Zero.
    pub reserved: [u64; 2],
}

/// A read-side critical section: the root it reads, and the pin to restore at its end.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct RawView {
    /// The root's address.
    pub root: *const Root,
    /// What `pin` held before: 0 unless views are nested.
    pub saved: u64,
}

/// An interned key: two byte offsets, valid for the engine's life. In Rust every key lies where an engine puts keys, so that a read
/// has nothing left to check but the slot's limit; one that comes from C is trusted as C's own pointers are.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Key {
    /// Offset of the sector's descriptor from the root's address.
    pub(crate) descriptor: u32,
    /// Offset of the slot from the artifact's address.
    pub(crate) slot: u32,
}

impl Key {
    /// The key of slot number `slot` in sector number `sector`.
    ///
    /// # Panics
    /// If the sector is beyond [`SECTOR_CAPACITY`] or the slot beyond 2^28.
    pub const fn new(sector: u32, slot: u32) -> Key {
        assert!(sector < SECTOR_CAPACITY as u32 && slot < 1 << 28);
        Key {
            descriptor: ROOT_HEADER as u32 + sector * size_of::<Descriptor>() as u32,
            slot: slot * size_of::<Slot>() as u32,
        }
    }

    /// The sector's number; `None` for the all-zero key.
    pub const fn sector(self) -> Option<u32> {
        match (self.descriptor as usize).checked_sub(ROOT_HEADER) {
            Some(offset) => Some((offset / size_of::<Descriptor>()) as u32),
            None => None,
        }
    }

    /// The slot's number.
    pub const fn slot(self) -> u32 {
        self.slot / size_of::<Slot>() as u32
    }
}

/// One generation of all sectors' descriptors. Only the first word and the descriptors' place are frozen.
#[repr(C, align(64))]
pub struct Root {
    /// The generation's number; grows with every publication.
    pub epoch: u64,
    /// Counts reads that took the cold path (absent, out of bounds, of another type).
    pub cold_reads: *const AtomicU64,
    /// Zero: makes the all-zero key read as absent, since a descriptor's `limit` falls here.
    pub zero: [u64; 6],
    /// One descriptor a sector; those not in use point at an empty artifact.
    pub descriptors: [Descriptor; SECTOR_CAPACITY],
}

/// The current snapshot of one sector: 64 bytes, one cache line.
#[repr(C, align(64))]
#[derive(Clone, Copy, Debug)]
pub struct Descriptor {
    /// The snapshot's content address.
    pub snapshot_id: [u8; 32],
    /// The artifact's address, where its slots begin.
    pub artifact: *const Slot,
    /// The generation in which this snapshot became current; 0 before the sector's first promotion.
    pub epoch: u64,
    /// Bytes of slots behind `artifact`: a key's slot offset is valid below it.
    pub limit: u64,
    /// Zero.
    pub reserved: u64,
}

/// A typed value. The range that guards it lies mirrored before the artifact's address: see [`Range`].
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Slot {
    /// A [`Tag`].
    pub tag: u64,
    /// The value's bits, or a [`Span`] of bytes in the same artifact.
    pub value: u64,
}

/// Where out-of-line bytes lie: packed into a slot's `value` (offset in the low half).
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Span {
    /// Bytes from the artifact's address.
    pub offset: u32,
    /// Length: bytes of a string (a NUL follows them) or of bytes, elements of a list, class number of a class.
    pub len: u32,
}

/// The inclusive guard range of slot number `i`, at `artifact - 16 * (i + 1)`; as i64 or f64 bits after the slot's tag.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Range {
    /// Smallest allowed value.
    pub low: u64,
    /// Largest allowed value.
    pub high: u64,
}

/// What a slot holds.
#[repr(u64)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Tag {
    /// Nothing.
    Absent = 0,
    /// 0 or 1.
    Bool = 1,
    /// A signed 64-bit integer.
    I64 = 2,
    /// An IEEE 754 double.
    F64 = 3,
    /// UTF-8 text: a span of bytes, NUL-terminated.
    Str = 4,
    /// Bytes: a span.
    Bytes = 5,
    /// One byte (0 or 1) an element.
    ListBool = 6,
    /// 8-byte aligned i64.
    ListI64 = 7,
    /// 8-byte aligned f64.
    ListF64 = 8,
    /// 4-byte aligned spans of strings.
    ListStr = 9,
    /// 4-byte aligned spans of bytes.
    ListBytes = 10,
    /// An object of values, looked up by a run-time string; the value is 0, the slot's number identifies the map.
    Map = 11,
    /// A class: span.offset leads to its row of ancestor bits, span.len is its own class number.
    Class = 12,
}

/// The producer's half of an observation ring, followed 128 bytes later by the consumer's.
///
/// The whole mapping is wiped in a forked child, where `capacity` therefore reads 0 and every append is refused.
#[repr(C, align(128))]
pub struct RingHeader {
    /// Records appended; the producer's own.
    pub tail: u64,
    /// The producer's last view of `head`.
    pub head_cache: u64,
    /// Records that fit, a power of two, or 0.
    pub capacity: u64,
    /// The first record.
    pub records: *mut Record,
    /// Appends refused because the ring was full; written by the producer alone.
    pub dropped: AtomicU64,
    /// Zero.
    pub reserved: [u64; 11],
    /// Records consumed; written by the consumer alone.
    pub head: AtomicU64,
    /// Zero.
    pub reserved_consumer: [u64; 15],
}

/// One observation: one cache line.
#[repr(C, align(64))]
pub struct Record {
    /// The record's number plus one, stored last with release: the consumer reads the line when this matches.
    pub sequence: AtomicU64,
    /// Nanoseconds since the Unix epoch, from the caller or from the engine's cached clock.
    pub time_ns: u64,
    /// The generation of the view it was made in.
    pub epoch: u64,
    /// What was observed.
    pub key: Key,
    /// The value's bits, after `tag`.
    pub value: u64,
    /// [`Tag`] of the value: bool, i64 or f64.
    pub tag: u32,
    /// An [`Outcome`], or a code of the program's own from 256 on.
    pub outcome: u32,
    /// Whom it concerns: the subject's hash, or 0.
    pub subject: u64,
    /// The program's own word.
    pub detail: u64,
}

/// What became of what was observed.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// Nothing was said.
    Unspecified = 0,
    /// It went well.
    Success = 1,
    /// It was refused by a rule or a limit.
    Rejected = 2,
    /// It failed.
    Error = 3,
    /// It took too long.
    Timeout = 4,
}

macro_rules! frozen {
    ($type:ty, $size:literal $(, $field:ident @ $offset:literal)*) => {
        const _: () = assert!(size_of::<$type>() == $size);
        $(const _: () = assert!(offset_of!($type, $field) == $offset);)*
    };
}

#[cfg(not(loom))]
mod frozen {
    use super::*;
    frozen!(HotLine, 64, gate @ 0, root @ 8, epoch @ 16, cand_gate @ 24, cand_root @ 32, canary_limit @ 40, canary_salt @ 48);
    frozen!(ReaderLine, 128, pin @ 0, hot @ 8, ring @ 16, clock @ 24, slow @ 32, id @ 40);
    frozen!(RingHeader, 256, tail @ 0, head_cache @ 8, capacity @ 16, records @ 24, dropped @ 32, head @ 128);
    frozen!(Record, 64, sequence @ 0, time_ns @ 8, epoch @ 16, key @ 24, value @ 32, tag @ 40, outcome @ 44, subject @ 48, detail @ 56);
}
frozen!(RawView, 16, root @ 0, saved @ 8);
frozen!(Key, 8, descriptor @ 0, slot @ 4);
frozen!(Descriptor, 64, snapshot_id @ 0, artifact @ 32, epoch @ 40, limit @ 48);
frozen!(Slot, 16, tag @ 0, value @ 8);
frozen!(Span, 8, offset @ 0, len @ 4);
frozen!(Range, 16, low @ 0, high @ 8);
frozen!(Root, 4160, epoch @ 0, cold_reads @ 8, zero @ 16, descriptors @ 64);
