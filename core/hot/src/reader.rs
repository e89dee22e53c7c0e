//! The safe face of a reader: views that cannot outlive what they read.
//!
//! Views of one reader may be dropped in any order. The outermost view's pin is exact; while views are nested the pin is a bound of 0,
//! which keeps everything, and it goes back only when the last nested view is gone. A view that is forgotten (`mem::forget`) keeps
//! memory, and corrupts nothing; [`Reader::reset`] repairs it.

use core::marker::PhantomData;
use core::ptr::NonNull;
use core::sync::atomic::Ordering::{Relaxed, Release};
use std::ops::Deref;

use crate::error::HotError;
use crate::hot::Hot;
use crate::layout::{Key, Outcome, RawView, ReaderLine, Tag};
use crate::raw;
use crate::registry::{ReaderCell, ReaderOptions};
use crate::snapshot::Snapshot;

/// One thread's way to read. Dropping it unregisters it.
pub struct Reader {
    line: NonNull<ReaderLine>,
    /// Not for this thread's reads, but so that the raw functions find an engine as long as this lives.
    hot: Hot,
}

impl Hot {
    /// Registers a reader for the calling thread.
    pub fn register(&self, options: ReaderOptions) -> Result<Reader, HotError> {
        // A leaked view lends what it reads for ever, also to other threads: only raw readers are reaped inside a view.
        let line = self.register_line(options, false)?;
        Ok(Reader { line, hot: self.clone() })
    }

    /// Registers a reader that may move between threads. It is reported when it stalls, never reaped.
    pub fn register_migratable(&self, ring_records: Option<usize>) -> Result<MigratableReader, HotError> {
        Ok(MigratableReader { reader: self.register(ReaderOptions { ring_records, migratable: true })? })
    }
}

/// What was observed, for [`Reader::observe`].
#[derive(Clone, Copy, Debug)]
pub struct Observed {
    /// The key it concerns.
    pub key: Key,
    /// The value's type: bool, i64 or f64.
    pub tag: Tag,
    /// The value's bits.
    pub bits: u64,
    /// An [`Outcome`] as a number, or the program's own code from 256 on.
    pub outcome: u32,
    /// The subject's hash, or 0.
    pub subject: u64,
    /// The program's own word.
    pub detail: u64,
    /// Nanoseconds since the Unix epoch; `None` takes the engine's cached clock.
    pub time_ns: Option<u64>,
}

impl Observed {
    /// An integer under `key`, without more.
    pub fn i64(key: Key, value: i64, outcome: Outcome) -> Observed {
        let bits = value as u64;
        Observed { key, tag: Tag::I64, bits, outcome: outcome as u32, subject: 0, detail: 0, time_ns: None }
    }
}

/// The private part of a line that this library made and that its reader's thread looks at.
fn cell<'r>(line: NonNull<ReaderLine>) -> &'r ReaderCell {
    // SAFETY: the safe face registers its lines itself, and those are the first field of a cell, which outlives its reader.
    unsafe { line.cast().as_ref() }
}

/// # Safety
/// `line` is registered, and the calling thread's to use.
#[inline(always)]
unsafe fn append(line: NonNull<ReaderLine>, view: &Snapshot, what: Observed) -> bool {
    let Observed { key, tag, bits, outcome, subject, detail, time_ns } = what;
    // SAFETY: the caller's promise; the view is open.
    unsafe { raw::observe(line.as_ptr(), view.raw(), key, tag as u32, bits, outcome, subject, detail, time_ns) }
}

#[cold]
#[inline(never)]
fn nest(line: NonNull<ReaderLine>, saved: u64) {
    let (nested, outer) = cell(line).nested.get();
    cell(line).nested.set((nested + 1, if nested == 0 { saved } else { outer }));
}

#[cold]
#[inline(never)]
fn end_out_of_line(line: NonNull<ReaderLine>, view: RawView) {
    let cell = cell(line);
    let (nested, outer) = cell.nested.get();
    if view.saved == 0 {
        // Nested views are still open: nothing to go back to once they end.
        cell.nested.set((nested, 0));
        return;
    }
    cell.nested.set((nested - 1, outer));
    if nested == 1 {
        cell.line.pin.store(outer, Release);
    }
}

impl Reader {
    /// Opens a view of the current snapshot.
    #[inline(always)]
    pub fn view(&self) -> View<'_> {
        // SAFETY: registered, and ours: neither Send nor Sync.
        self.opened(unsafe { raw::begin(self.line.as_ptr()) })
    }

    /// Opens a view of the snapshot that the running canary, if any, chooses for this subject.
    #[inline(always)]
    pub fn view_for(&self, subject_hash: u64) -> View<'_> {
        // SAFETY: as `view`.
        self.opened(unsafe { raw::begin_for(self.line.as_ptr(), subject_hash) })
    }

    #[inline(always)]
    fn opened(&self, raw: RawView) -> View<'_> {
        if raw.saved != 0 {
            nest(self.line, raw.saved);
        }
        // SAFETY: the view ends when it is dropped, or later.
        View { snapshot: unsafe { Snapshot::new(raw) }, line: self.line, reader: PhantomData }
    }

    /// Enters the quiescent mode: reads store nothing until [`Quiescent::announce`]. Ends when the guard is dropped.
    pub fn quiescent(&mut self) -> Quiescent<'_> {
        self.reset();
        // SAFETY: registered, ours, and no view is open.
        unsafe { raw::online(self.line.as_ptr()) };
        Quiescent { line: self.line, reader: PhantomData }
    }

    /// Lets go of what forgotten views keep.
    pub fn reset(&mut self) {
        cell(self.line).nested.set((0, 0));
        // SAFETY: registered, ours; the exclusive borrow says that no view is usable any more.
        unsafe { Hot::reset_raw(self.line) };
    }

    /// Appends an observation made in `view`; false, and counted, where the ring is full.
    #[inline(always)]
    pub fn observe(&self, view: &Snapshot, what: Observed) -> bool {
        // SAFETY: registered, and ours.
        unsafe { append(self.line, view, what) }
    }

    /// The reader's line, for the raw functions. Valid while the reader lives.
    pub fn as_raw(&self) -> NonNull<ReaderLine> {
        self.line
    }

    /// Names the reader in events and observations.
    pub fn id(&self) -> u64 {
        // SAFETY: registered; the id does not change.
        unsafe { (*self.line.as_ptr()).id }
    }

    /// The engine's cell that it reads.
    pub fn hot(&self) -> &Hot {
        &self.hot
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.reset();
        // SAFETY: registered by `register`, and not used again. An error is impossible: the view was reset, the thread is the owner's.
        let _ = unsafe { Hot::unregister_raw(self.line) };
    }
}

impl std::fmt::Debug for Reader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reader").field("id", &self.id()).finish_non_exhaustive()
    }
}

/// A reader that may move between threads.
#[derive(Debug)]
pub struct MigratableReader {
    reader: Reader,
}

// SAFETY: its line holds no mutex of a thread, and moving it is a synchronisation.
unsafe impl Send for MigratableReader {}

impl Deref for MigratableReader {
    type Target = Reader;

    fn deref(&self) -> &Reader {
        &self.reader
    }
}

// No `DerefMut`: a reader that belongs to a thread must not be swapped in.
impl MigratableReader {
    /// [`Reader::quiescent`].
    pub fn quiescent(&mut self) -> Quiescent<'_> {
        self.reader.quiescent()
    }

    /// [`Reader::reset`].
    pub fn reset(&mut self) {
        self.reader.reset();
    }
}

/// A read-side critical section: everything read through it is of one generation, and stays until it is dropped.
pub struct View<'r> {
    snapshot: Snapshot,
    /// A copy, so that the compiler keeps it in a register.
    line: NonNull<ReaderLine>,
    reader: PhantomData<&'r Reader>,
}

impl Deref for View<'_> {
    type Target = Snapshot;

    #[inline(always)]
    fn deref(&self) -> &Snapshot {
        &self.snapshot
    }
}

impl Drop for View<'_> {
    #[inline(always)]
    fn drop(&mut self) {
        let (view, line) = (self.snapshot.raw(), self.line.as_ptr());
        // SAFETY: registered, and ours.
        unsafe {
            // The pin is the exact root only while this is the one open view.
            if view.saved == 0 && (*line).pin.load(Relaxed) == view.root.addr() as u64 {
                raw::end(line, view);
            } else {
                end_out_of_line(self.line, view);
            }
        }
    }
}

impl std::fmt::Debug for View<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.snapshot.fmt(f)
    }
}

/// The quiescent mode of a reader.
#[derive(Debug)]
pub struct Quiescent<'r> {
    /// A copy, so that the compiler keeps it in a register.
    line: NonNull<ReaderLine>,
    reader: PhantomData<&'r mut Reader>,
}

/// A view in quiescent mode: beginning and ending it store nothing.
pub struct QuiescentView<'q> {
    snapshot: Snapshot,
    _mode: core::marker::PhantomData<&'q Quiescent<'q>>,
}

impl Quiescent<'_> {
    /// A view of the current snapshot.
    #[inline(always)]
    pub fn view(&self) -> QuiescentView<'_> {
        // SAFETY: online; the borrow ends before the next announcement.
        let snapshot = unsafe { Snapshot::new(raw::begin_quiescent(self.line.as_ptr())) };
        QuiescentView { snapshot, _mode: core::marker::PhantomData }
    }

    /// A view of the snapshot that the running canary, if any, chooses for this subject.
    #[inline(always)]
    pub fn view_for(&self, subject_hash: u64) -> QuiescentView<'_> {
        // SAFETY: as `view`.
        let snapshot = unsafe { Snapshot::new(raw::begin_quiescent_for(self.line.as_ptr(), subject_hash)) };
        QuiescentView { snapshot, _mode: core::marker::PhantomData }
    }

    /// Says that nothing from before is in use: memory retired since the last announcement may go.
    #[inline(always)]
    pub fn announce(&mut self) {
        // SAFETY: online; the exclusive borrow says that no view is in use.
        unsafe { raw::quiescent(self.line.as_ptr()) }
    }

    /// Runs what may block, outside of the quiescent mode.
    pub fn offline<T>(&mut self, f: impl FnOnce() -> T) -> T {
        struct Back(*mut ReaderLine);
        impl Drop for Back {
            fn drop(&mut self) {
                // SAFETY: offline since below.
                unsafe { raw::online(self.0) }
            }
        }
        let line = self.line.as_ptr();
        // SAFETY: online, and no view is in use.
        unsafe { raw::offline(line) };
        let _back = Back(line);
        f()
    }

    /// Appends an observation made in `view`; false, and counted, where the ring is full.
    #[inline(always)]
    pub fn observe(&self, view: &Snapshot, what: Observed) -> bool {
        // SAFETY: as `Reader::observe`.
        unsafe { append(self.line, view, what) }
    }
}

impl Drop for Quiescent<'_> {
    fn drop(&mut self) {
        // SAFETY: online, and no view is in use.
        unsafe { raw::offline(self.line.as_ptr()) }
    }
}

impl Deref for QuiescentView<'_> {
    type Target = Snapshot;

    #[inline(always)]
    fn deref(&self) -> &Snapshot {
        &self.snapshot
    }
}
