//! Each thread's readers: one for every engine that the thread reads, registered on first use, unregistered when the thread ends.

use std::cell::{Cell, RefCell};
use std::ptr::NonNull;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use knhk_engine::{Error, Hold, Reader, ReaderOptions, Status};
use knhk_hot::layout::{RawView, ReaderLine};
use knhk_hot::raw;

use crate::shared::Shared;

/// A reader of one engine.
struct Entry {
    engine: u64,
    closed: Arc<AtomicBool>,
    reader: Reader,
}

/// All readers of one thread.
struct Readers(RefCell<Vec<Entry>>);

impl Drop for Readers {
    fn drop(&mut self) {
        // Python code may still run on this thread, in another destructor: it must not find a line that is gone.
        LAST.set((0, std::ptr::null_mut()));
    }
}

thread_local! {
    /// The engine read last and the thread's line for it: what makes a read cheap. Engines are numbered from 1.
    static LAST: Cell<(u64, *mut ReaderLine)> = const { Cell::new((0, std::ptr::null_mut())) };
    static READERS: Readers = const { Readers(RefCell::new(Vec::new())) };
}

/// The calling thread's line for the engine it read last, if that is `engine`.
#[inline(always)]
pub(crate) fn last(engine: u64) -> Option<NonNull<ReaderLine>> {
    let (last, line) = LAST.get();
    if last == engine { NonNull::new(line) } else { None }
}

/// The calling thread's line for this engine.
///
/// # Errors
/// `Closed` or `Forked` when the thread has none yet and can get none any more.
#[inline]
pub(crate) fn line(shared: &Arc<Shared>) -> Result<NonNull<ReaderLine>, Error> {
    match last(shared.id) {
        Some(line) => Ok(line),
        None => find(shared),
    }
}

#[cold]
fn find(shared: &Arc<Shared>) -> Result<NonNull<ReaderLine>, Error> {
    let found = READERS.try_with(|readers| {
        let mut readers = readers.0.borrow_mut();
        let at = match readers.iter().position(|entry| entry.engine == shared.id) {
            Some(at) => at,
            None => {
                let reader = shared.engine().register_reader(ReaderOptions::default())?;
                LAST.set((0, std::ptr::null_mut()));
                readers.retain(|entry| !entry.closed.load(Ordering::Acquire));
                readers.push(Entry { engine: shared.id, closed: shared.closed.clone(), reader });
                readers.len() - 1
            }
        };
        let line = readers[at].reader.as_raw();
        LAST.set((shared.id, line.as_ptr()));
        Ok(line)
    });
    found.unwrap_or_else(|_| {
        Err(Error::new(Status::Closed, "read", "", "this thread is ending and has given up its readers"))
    })
}

/// Runs `f` in a view of the newest generation.
///
/// `f` runs no Python code (nothing that allocates a container, which may collect garbage): views on a line end in the reverse order
/// of their beginning, and Python code could switch to another stack of the same thread.
#[inline]
pub(crate) fn with_view<R>(
    shared: &Arc<Shared>,
    f: impl FnOnce(NonNull<ReaderLine>, RawView) -> R,
) -> Result<R, Error> {
    let line = line(shared)?;
    // SAFETY: the line is this thread's own and registered: `READERS` keeps it, and `LAST` never outlives it.
    let view = unsafe { raw::begin(line.as_ptr()) };
    let result = f(line, view);
    // SAFETY: as above; the newest view on this line, and what was read from it was copied.
    unsafe { raw::end(line.as_ptr(), view) };
    Ok(result)
}

/// A counted reference to the newest generation: for whatever outlives a few instructions.
pub(crate) fn hold(shared: &Arc<Shared>) -> Result<Hold, Error> {
    // SAFETY: the view is open, and of an engine of this library.
    with_view(shared, |_, view| unsafe { Hold::of(view) })
}
