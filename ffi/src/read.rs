//! Views: what a thread reads is of one generation, and stays until the view ends.
//!
//! These functions are inline, about a nanosecond for all of a begin, a typed read and an end. With KNHK_NO_INLINE defined, and for
//! languages that load the library at run time, the same bodies are exported as symbols. Nothing is checked that inline code could not
//! check for a nanosecond: a reader must be registered, and a view open.
//!
//! A reader belongs to one thread at a time. Views on one reader end in the reverse order of their beginning; nested ones, and those begun
//! in a signal handler on the thread's reader, may see a newer generation than the outer one. Do not block inside a view: it keeps memory.

use knhk_hot::layout::{Descriptor, Key, ROOT_HEADER, RawView, ReaderLine};
use knhk_hot::raw;

/// Begins a view of the current generation. Wait-free.
///
/// Any promotion that was acknowledged before this call is seen. The view ends with knhk_read_end on the same reader. Async-signal-safe.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_read_begin(reader: *mut ReaderLine) -> RawView {
    // SAFETY: as documented.
    unsafe { raw::begin(reader) }
}

/// Begins a view of the candidate generation if a canary runs and chooses this subject, else of the current one. Wait-free.
///
/// `subject_hash`: a hash of whom the decision concerns; the same one always gets the same choice. Otherwise as knhk_read_begin.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_read_begin_for(reader: *mut ReaderLine, subject_hash: u64) -> RawView {
    // SAFETY: as documented.
    unsafe { raw::begin_for(reader, subject_hash) }
}

/// Ends a view. Strings, bytes and lists that were read in it may not be used any more. Async-signal-safe.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_read_end(reader: *mut ReaderLine, view: RawView) {
    // SAFETY: as documented.
    unsafe { raw::end(reader, view) }
}

/// Enters the quiescent mode: views then store nothing at all, and the thread says now and then that it holds nothing.
///
/// No view is open. Until knhk_reader_offline, memory that is retired after the last knhk_reader_quiescent stays, so a thread that
/// blocks goes offline before.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_reader_online(reader: *mut ReaderLine) {
    // SAFETY: as documented.
    unsafe { raw::online(reader) }
}

/// Says that nothing read since the last call is used any more. The reader is online.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_reader_quiescent(reader: *mut ReaderLine) {
    // SAFETY: as documented.
    unsafe { raw::quiescent(reader) }
}

/// Leaves the quiescent mode; nothing read in it is used any more.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_reader_offline(reader: *mut ReaderLine) {
    // SAFETY: as documented.
    unsafe { raw::offline(reader) }
}

/// A view of the current generation in quiescent mode, valid until the next knhk_reader_quiescent or knhk_reader_offline. It is not
/// ended.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_read_quiescent(reader: *mut ReaderLine) -> RawView {
    // SAFETY: as documented.
    unsafe { raw::begin_quiescent(reader) }
}

/// knhk_read_quiescent with the choice of a canary, as knhk_read_begin_for.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_read_quiescent_for(reader: *mut ReaderLine, subject_hash: u64) -> RawView {
    // SAFETY: as documented.
    unsafe { raw::begin_quiescent_for(reader, subject_hash) }
}

/// The reader's number, which names it in events and observations. Unique in its engine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_reader_id(reader: *const ReaderLine) -> u64 {
    // SAFETY: as documented.
    unsafe { (*reader).id }
}

/// The number of the generation that a view sees; it grows with every change.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_view_epoch(view: RawView) -> u64 {
    // SAFETY: the view is open, as documented.
    unsafe { (*view.root).epoch }
}

/// The generation in which the key's sector became what a view sees of it; 0 before its first promotion, and for a key of zeros.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_view_sector_epoch(view: RawView, key: Key) -> u64 {
    // SAFETY: the view is open and the key an engine's, as documented.
    unsafe { descriptor(view, key) }.map_or(0, |at| unsafe { (*at).epoch })
}

/// The content address, 32 bytes, of what a view sees of the key's sector; zeros before its first promotion, NULL for a key of zeros.
/// Valid until the view ends.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_view_snapshot_id(view: RawView, key: Key) -> *const u8 {
    // SAFETY: the view is open and the key an engine's, as documented.
    unsafe { descriptor(view, key) }.map_or(std::ptr::null(), |at| unsafe { &raw const (*at).snapshot_id }.cast())
}

/// The key's descriptor; none for a key of zeros.
///
/// # Safety
/// The view is open, and the key is an engine's or all zero.
pub(crate) unsafe fn descriptor(view: RawView, key: Key) -> Option<*const Descriptor> {
    let offset = ROOT_HEADER + key.sector()? as usize * size_of::<Descriptor>();
    // SAFETY: an engine's key lies within every root.
    Some(unsafe { view.root.byte_add(offset).cast() })
}
