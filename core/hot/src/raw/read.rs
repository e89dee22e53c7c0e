//! Typed reads from a view: two dependent loads, a bounds check and a check of the type.

use core::slice;
use core::sync::atomic::Ordering::Relaxed;

use super::Reason;
use crate::layout::{Descriptor, Key, ROOT_HEADER, Range, RawView, Slot, Span, Tag};

/// The key's descriptor.
#[inline(always)]
pub(super) unsafe fn descriptor(view: RawView, key: Key) -> *const Descriptor {
    // SAFETY: a key's descriptor offset lies in every root of every engine.
    unsafe { view.root.byte_add(key.descriptor as usize).cast() }
}

/// The key's slot, or NULL where the snapshot has no value of this type.
#[inline(always)]
pub(super) unsafe fn slot(view: RawView, key: Key, tag: Tag) -> *const Slot {
    // SAFETY: the descriptor's limit bounds the slots behind its artifact, which the view keeps.
    unsafe {
        let descriptor = descriptor(view, key);
        if u64::from(key.slot) < (*descriptor).limit {
            let slot = (*descriptor).artifact.byte_add(key.slot as usize);
            if (*slot).tag == tag as u64 {
                return slot;
            }
        }
        core::ptr::null()
    }
}

#[cold]
#[inline(never)]
unsafe fn count_cold(view: RawView) {
    // SAFETY: the counter lives as long as the engine, which outlives its views.
    unsafe { (*(*view.root).cold_reads).fetch_add(1, Relaxed) };
}

#[cold]
#[inline(never)]
unsafe fn explain(view: RawView, key: Key) -> Reason {
    // SAFETY: as `slot`.
    unsafe {
        count_cold(view);
        if (key.descriptor as usize) < ROOT_HEADER {
            return Reason::Absent;
        }
        let descriptor = descriptor(view, key);
        let tag = match u64::from(key.slot) < (*descriptor).limit {
            true => (*(*descriptor).artifact.byte_add(key.slot as usize)).tag,
            false => 0,
        };
        if (*descriptor).epoch == 0 {
            Reason::NotReady
        } else if tag == Tag::Absent as u64 {
            Reason::Absent
        } else {
            Reason::WrongType
        }
    }
}

#[inline(always)]
unsafe fn found(view: RawView, key: Key) -> Reason {
    // SAFETY: as `descriptor`.
    if unsafe { (*descriptor(view, key)).epoch } == 0 { Reason::NotReady } else { Reason::Present }
}

macro_rules! scalar {
    ($get:ident, $try:ident, $type:ty, $tag:ident, $what:literal, $from:expr) => {
        #[doc = concat!("Reads ", $what, ", or returns `fallback` and counts a cold read.")]
        ///
        /// # Safety
        /// `view` is open, and `key` was interned by an engine (or is all zero).
        #[inline(always)]
        pub unsafe fn $get(view: RawView, key: Key, fallback: $type) -> $type {
            // SAFETY: the caller's promise.
            unsafe {
                let slot = slot(view, key, Tag::$tag);
                if slot.is_null() {
                    count_cold(view);
                    return fallback;
                }
                $from((*slot).value)
            }
        }

        #[doc = concat!("Reads ", $what, " and says why, if it returns `fallback`.")]
        ///
        /// # Safety
        /// As the form without the reason.
        #[inline(always)]
        pub unsafe fn $try(view: RawView, key: Key, fallback: $type) -> ($type, Reason) {
            // SAFETY: the caller's promise.
            unsafe {
                let slot = slot(view, key, Tag::$tag);
                if slot.is_null() {
                    return (fallback, explain(view, key));
                }
                ($from((*slot).value), found(view, key))
            }
        }
    };
}

scalar!(get_i64, try_i64, i64, I64, "a 64-bit integer", |bits: u64| bits as i64);
scalar!(get_f64, try_f64, f64, F64, "a double", f64::from_bits);
scalar!(get_bool, try_bool, bool, Bool, "a boolean", |bits: u64| bits != 0);

/// Where a value of this type lies: the address of its first byte, and its length (bytes of text, elements of a list).
///
/// # Safety
/// As [`get_i64`]; `tag` is one whose slot holds a span.
#[inline(always)]
pub unsafe fn spanned(view: RawView, key: Key, tag: Tag) -> Option<(*const u8, usize)> {
    // SAFETY: the artifact's verifier checked every span.
    unsafe {
        let slot = slot(view, key, tag);
        if slot.is_null() {
            count_cold(view);
            return None;
        }
        let artifact = (*descriptor(view, key)).artifact;
        Some((artifact.cast::<u8>().add((*slot).value as u32 as usize), ((*slot).value >> 32) as usize))
    }
}

macro_rules! span {
    ($name:ident, $type:ty, $tag:ident, $what:literal) => {
        #[doc = concat!("Reads ", $what, ": address and length, valid until the view ends.")]
        ///
        /// # Safety
        /// As [`get_i64`].
        #[inline(always)]
        pub unsafe fn $name(view: RawView, key: Key) -> Option<(*const $type, usize)> {
            // SAFETY: the caller's promise; the builder aligned the elements and the verifier checked that.
            unsafe { spanned(view, key, Tag::$tag).map(|(at, len)| (at.cast(), len)) }
        }
    };
}

span!(get_str, u8, Str, "a string, which a NUL follows");
span!(get_bytes, u8, Bytes, "bytes");
span!(list_bool, u8, ListBool, "a list of booleans, one byte each");
span!(list_i64, i64, ListI64, "a list of 64-bit integers");
span!(list_f64, f64, ListF64, "a list of doubles");
span!(list_str, Span, ListStr, "a list of strings, as spans of the same artifact");
span!(list_bytes, Span, ListBytes, "a list of byte strings, as spans of the same artifact");

/// Reads a string and says why, if there is none.
///
/// # Safety
/// As [`get_i64`].
#[inline(always)]
pub unsafe fn try_str(view: RawView, key: Key) -> (Option<(*const u8, usize)>, Reason) {
    // SAFETY: the caller's promise.
    unsafe { try_span(view, key, Tag::Str) }
}

/// Reads bytes and says why, if there are none.
///
/// # Safety
/// As [`get_i64`].
#[inline(always)]
pub unsafe fn try_bytes(view: RawView, key: Key) -> (Option<(*const u8, usize)>, Reason) {
    // SAFETY: the caller's promise.
    unsafe { try_span(view, key, Tag::Bytes) }
}

#[inline(always)]
unsafe fn try_span(view: RawView, key: Key, tag: Tag) -> (Option<(*const u8, usize)>, Reason) {
    // SAFETY: the caller's promise; a NULL slot is explained, which counts it.
    unsafe {
        if slot(view, key, tag).is_null() {
            return (None, explain(view, key));
        }
        (spanned(view, key, tag), found(view, key))
    }
}

/// Whether the class `class` is `ancestor` or descends from it: one bit of the compiled closure.
///
/// # Safety
/// As [`get_i64`], for both keys.
#[inline(always)]
pub unsafe fn is_a(view: RawView, class: Key, ancestor: Key) -> bool {
    // SAFETY: the rows of one artifact all have a bit for each of its class numbers, which is why both keys must be of one sector.
    unsafe {
        let (from, to) = (slot(view, class, Tag::Class), slot(view, ancestor, Tag::Class));
        if from.is_null() || to.is_null() || class.descriptor != ancestor.descriptor {
            count_cold(view);
            return false;
        }
        let number = ((*to).value >> 32) as usize;
        let row = (*descriptor(view, class)).artifact.cast::<u8>().add((*from).value as u32 as usize);
        *row.add(number / 8) >> (number % 8) & 1 != 0
    }
}

macro_rules! guard {
    ($name:ident, $type:ty, $tag:ident, $from:expr) => {
        /// Whether `value` lies in the guard range of `key`; false, and counted, where there is no such value.
        ///
        /// # Safety
        /// As [`get_i64`].
        #[inline(always)]
        pub unsafe fn $name(view: RawView, key: Key, value: $type) -> bool {
            // SAFETY: the range of slot i lies mirrored, at 16 * (i + 1) before the artifact's address.
            unsafe {
                if slot(view, key, Tag::$tag).is_null() {
                    count_cold(view);
                    return false;
                }
                let range = (*descriptor(view, key)).artifact.cast::<Range>().byte_sub(key.slot as usize).sub(1);
                $from((*range).low) <= value && value <= $from((*range).high)
            }
        }
    };
}

guard!(guard_i64, i64, I64, |bits: u64| bits as i64);
guard!(guard_f64, f64, F64, f64::from_bits);

/// The bytes of one element of a list of strings or byte strings.
///
/// # Safety
/// `span` was read from this view under `key`.
#[inline(always)]
pub(crate) unsafe fn element<'v>(view: RawView, key: Key, span: Span) -> &'v [u8] {
    // SAFETY: the verifier checked the spans of each list.
    unsafe {
        let artifact = (*descriptor(view, key)).artifact.cast::<u8>();
        slice::from_raw_parts(artifact.add(span.offset as usize), span.len as usize)
    }
}
