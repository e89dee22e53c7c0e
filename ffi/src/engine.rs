//! Engines: opening and closing.
//!
//! An engine holds sectors; a sector holds typed values under names. All calls on one engine may be made from any thread at any time. In
//! a child made by fork they return KNHK_FORKED: the child may go on reading, close does nothing there, and opening anew works.

use std::ffi::c_char;
use std::process;
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use knhk_engine::{Engine, Error, Status};

use crate::abi::{AbiInfo, check};
use crate::call::{call, on_engine, total};
use crate::error::ErrorHandle;
use crate::handle::not_a;
use crate::options::{OptionsC, engine_options};
use crate::signals::Blocked;
use crate::text::{output, text};

/// An engine, as C holds it. It lives in what its readers and holds keep, so that one closed before them refuses further work instead of
/// dangling.
#[repr(C)]
pub struct EngineHandle {
    magic: AtomicU64,
    /// None once it is closed.
    engine: RwLock<Option<Engine>>,
    poisoned: AtomicBool,
    process: u32,
}

const MAGIC: u64 = 0x6b6e_686b_656e_6701;

impl EngineHandle {
    /// Puts an engine behind a handle that lives until the engine, its readers and its holds are gone.
    fn make(engine: Engine) -> *mut EngineHandle {
        let handle = Arc::new(EngineHandle {
            magic: AtomicU64::new(MAGIC),
            engine: RwLock::new(Some(engine.clone())),
            poisoned: AtomicBool::new(false),
            process: process::id(),
        });
        let at = Arc::as_ptr(&handle).cast_mut();
        engine.hot().keep(handle);
        at
    }

    /// A share in the handle, so that a close on another thread does not free it during a call.
    ///
    /// # Safety
    /// NULL, or a handle that [`EngineHandle::make`] made and that is not freed.
    pub(crate) unsafe fn shared(at: *const EngineHandle) -> Result<Arc<EngineHandle>, Error> {
        if at.is_null() || !at.is_aligned() {
            return Err(not_a(at.is_null(), "engine"));
        }
        // SAFETY: the caller's promise; the word is read before anything else is believed.
        unsafe {
            if (*at).magic.load(Ordering::Acquire) != MAGIC {
                return Err(not_a(false, "engine"));
            }
            Arc::increment_strong_count(at);
            Ok(Arc::from_raw(at))
        }
    }

    /// The engine, if it still does work.
    pub(crate) fn engine(&self) -> Result<Engine, Error> {
        if self.is_forked() {
            // Before any lock, which a thread of the parent may have held.
            let message = "this process was forked from the one that opened the engine: open it again in the child";
            return Err(Error::new(Status::Forked, "call", "engine", message));
        }
        if self.poisoned.load(Ordering::Acquire) {
            let message = "the library panicked on this engine before: reads go on, open it anew for the rest";
            return Err(Error::new(Status::Panic, "call", "engine", message));
        }
        let engine = self.engine.read().unwrap_or_else(PoisonError::into_inner);
        engine.clone().ok_or_else(|| Error::new(Status::Closed, "call", "engine", "the engine is closed"))
    }

    pub(crate) fn is_forked(&self) -> bool {
        self.process != process::id()
    }

    pub(crate) fn poison(&self) {
        self.poisoned.store(true, Ordering::Release);
    }
}

impl Drop for EngineHandle {
    fn drop(&mut self) {
        self.magic.store(0, Ordering::Release);
    }
}

/// Opens an engine; called through the macro knhk_engine_open(location, options, engine, err), which adds what the header was made
/// for.
///
/// `location`: a folder, made where it does not exist, or ":memory:". `options`: NULL for the defaults. `abi`: knhk_header_abi().
/// `engine`: receives the engine, which the program closes with knhk_engine_close.
/// Returns KNHK_OK; KNHK_ABI_MISMATCH when header and library do not fit; KNHK_STRUCT_SIZE; KNHK_INVALID_ARGUMENT for an option out of
/// its domain; KNHK_BUSY when another engine has the folder open; KNHK_IO; KNHK_CORRUPT when nothing whole is stored.
/// Any thread. The engine starts two threads of its own, on which no signal handler of the program runs.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_engine_open_abi(
    location: *const c_char,
    options: *const OptionsC,
    abi: *const AbiInfo,
    engine: *mut *mut EngineHandle,
    err: *mut *mut ErrorHandle,
) -> Status {
    let body = || {
        // SAFETY: as documented.
        unsafe {
            check(abi)?;
            let engine = output(engine, "engine")?;
            let location = text(location, "location")?;
            let (options, read_only) = engine_options(options)?;
            let blocked = Blocked::new();
            let opened = if read_only { Engine::open_read_only } else { Engine::open }(location, options)?;
            drop(blocked);
            ptr::write(engine, EngineHandle::make(opened));
        }
        Ok(())
    };
    // SAFETY: as documented.
    unsafe { call(err, body) }
}

/// Closes an engine. NULL does nothing.
///
/// Values read as absent from now on, for every reader; a view that is open keeps what it sees. Changes are refused and the folder is
/// free when this returns. Readers and holds may be ended before or after, in any order and by any thread that may end them: while one of
/// them is left, the handle stays, and calls on it return KNHK_CLOSED; with the last one it is freed. Callbacks that are registered are
/// destroyed. Any thread, also from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_engine_close(engine: *mut EngineHandle) {
    total((), || {
        // SAFETY: as documented.
        let Ok(handle) = (unsafe { EngineHandle::shared(engine) }) else { return };
        if handle.is_forked() {
            return;
        }
        let opened = handle.engine.write().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(opened) = opened {
            opened.close();
        }
    });
}

/// Moves the clock of an engine that was opened with `manual_time_ns`.
///
/// `by_ns`: nanoseconds. `now_ns`: NULL, or receives the moment that it shows then, in nanoseconds since the Unix epoch.
/// Returns KNHK_OK; KNHK_INVALID_ARGUMENT for an engine that goes by the system's clock. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_time_advance(
    engine: *const EngineHandle,
    by_ns: u64,
    now_ns: *mut u64,
    err: *mut *mut ErrorHandle,
) -> Status {
    // SAFETY: as documented.
    unsafe {
        on_engine(engine, err, |engine| {
            let now = engine.advance_time(Duration::from_nanos(by_ns))?;
            if !now_ns.is_null() {
                ptr::write(now_ns, now);
            }
            Ok(())
        })
    }
}

/// The number of the newest generation: it grows with every change of any sector, so comparing it tells whether anything changed.
///
/// Returns 0 for NULL and for an engine that is closed or was inherited by fork. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_change_version(engine: *const EngineHandle) -> u64 {
    // SAFETY: as documented.
    total(0, || unsafe { EngineHandle::shared(engine) }.and_then(|handle| Ok(handle.engine()?.version())).unwrap_or(0))
}

/// An engine in memory, for the tests of this crate.
#[cfg(test)]
pub(crate) fn opened() -> *mut EngineHandle {
    EngineHandle::make(Engine::open(":memory:", Default::default()).unwrap())
}
