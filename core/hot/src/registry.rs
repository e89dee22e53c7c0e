//! The readers of an engine: their lines, who owns them, and what became of them.
//!
//! A line's memory stays until the engine is gone. A reader that belongs to one thread holds a robust mutex locked by that thread; the
//! kernel marks it when the thread ends, however it ends, so that a trylock which reports the owner's death is proof that nobody will
//! end its view (rule 9). The mutex has a memory of its own, which outlives the lock: the kernel walks a list through it.
//!
//! A line is registered, reaped (its thread ended; an unregistration may still come, from a finaliser in another thread), or free for
//! the next reader. Only a line that was unregistered is used again, so that a late unregistration never hits a stranger.

use core::cell::{Cell, UnsafeCell};
use core::mem::MaybeUninit;
use core::ptr::NonNull;
use core::sync::atomic::Ordering::{Acquire, Release};
use std::sync::Arc;

use crate::error::HotError;
use crate::hot::Inner;
use crate::layout::ReaderLine;
use crate::mutant::Mutant::ScanRelaxed;
use crate::mutant::{mutated, unless};
use crate::primitive::AtomicU64;
use crate::raw;
use crate::ring::Ring;

/// How to register a reader.
#[derive(Clone, Copy, Debug, Default)]
pub struct ReaderOptions {
    /// Records of its observation ring, rounded up to a power of two; `None` takes the engine's default, 0 means none.
    pub ring_records: Option<usize>,
    /// The reader may move between threads, whose synchronisation is the caller's. It is reported when it stalls, never reaped.
    pub migratable: bool,
}

/// A reader's line and its private part.
#[repr(C)]
pub(crate) struct ReaderCell {
    pub line: ReaderLine,
    /// Set once each of this reader's begins has a full fence of its own: see [`raw::slow`].
    pub fenced: AtomicU64,
    /// The safe face's: nested views not yet dropped, and the pin to go back to after them. Touched by the reader's thread.
    pub nested: Cell<(usize, u64)>,
    /// The engine; counted while the reader is registered.
    pub owner: *const Inner,
    /// Touched under the registry's lock.
    state: UnsafeCell<State>,
}

struct State {
    life: Life,
    thread: libc::pid_t,
    /// Whether a view that is open when the thread ends, ends with it.
    reap_views: bool,
    /// Locked by the owner's thread from registration on; `None` for a migratable reader.
    alive: Option<Box<UnsafeCell<libc::pthread_mutex_t>>>,
    ring: Option<Arc<Ring>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Life {
    Free,
    Registered,
    /// Its thread died; the line waits for an unregistration that may still come.
    Reaped,
}

/// `slow` of the readers that this library makes.
pub(crate) unsafe extern "C" fn slow_begin(reader: *mut ReaderLine, saved: u64, which: u32) -> u64 {
    // SAFETY: only lines that this library made carry this function, and those are the first field of a cell.
    unsafe {
        let cell = reader.cast::<ReaderCell>();
        raw::slow(&*(*cell).line.hot, &(*cell).line.pin, &(*cell).fenced, saved, which)
    }
}

impl ReaderCell {
    /// A reader without an engine, for the models.
    #[cfg(loom)]
    pub fn unowned(line: ReaderLine) -> ReaderCell {
        let state = State { life: Life::Registered, thread: 0, reap_views: false, alive: None, ring: None };
        ReaderCell {
            line,
            fenced: AtomicU64::new(0),
            nested: Cell::new((0, 0)),
            owner: core::ptr::null(),
            state: UnsafeCell::new(state),
        }
    }

    /// The pin, and whether the reader fences for itself. The barrier came before.
    pub fn look(&self) -> (u64, bool) {
        // The mark first: it was stored after a fence that follows a bound, so the pin read after it is at least as new.
        let fenced = self.fenced.load(Acquire) != 0;
        (self.line.pin.load(unless(mutated(ScanRelaxed), Acquire)), fenced)
    }
}

/// A registered reader, as the reclaimer saw it after its barrier.
#[derive(Clone, Copy)]
pub(crate) struct Seen {
    pub pin: u64,
    pub fenced: bool,
    pub id: u64,
    pub thread: i32,
}

/// All lines of an engine.
pub(crate) struct Registry {
    cells: Vec<NonNull<ReaderCell>>,
    free: Vec<NonNull<ReaderCell>>,
    /// Rings that outlived their reader, to be drained.
    orphans: Vec<(u64, Arc<Ring>)>,
    /// Readers whose thread died without unregistering.
    pub reaped: u64,
    /// Records drained from, and refused by, rings that are gone.
    pub past_observed: u64,
    pub past_dropped: u64,
    next_id: u64,
}

// SAFETY: the cells are touched under the registry's lock, but for atomics.
unsafe impl Send for Registry {}

/// Rings kept for a consumer that never comes; beyond it the oldest are given up and their records counted as dropped.
const ORPHANS: usize = 1024;

impl Registry {
    pub fn new() -> Registry {
        Registry {
            cells: Vec::new(),
            free: Vec::new(),
            orphans: Vec::new(),
            reaped: 0,
            past_observed: 0,
            past_dropped: 0,
            next_id: 1,
        }
    }

    /// Registers a reader of `owner` for the calling thread. The caller adds to the engine's count.
    pub fn register(
        &mut self,
        owner: &Inner,
        ring: Arc<Ring>,
        migratable: bool,
        reap_views: bool,
    ) -> Result<NonNull<ReaderLine>, HotError> {
        let at = match self.free.pop() {
            Some(at) => at,
            None => owner.region.reader()?,
        };
        let alive = match migratable {
            true => None,
            false => match lock_robust() {
                Ok(mutex) => Some(mutex),
                Err(error) => {
                    self.free.push(at);
                    return Err(error);
                }
            },
        };
        let id = self.next_id;
        self.next_id += 1;
        let line = ReaderLine {
            pin: AtomicU64::new(0),
            hot: owner.hot(),
            ring: ring.header(),
            clock: owner.clock.as_ptr(),
            slow: slow_begin,
            id,
            reserved: [0; 2],
        };
        // A thread that has seen the gates closed sees them closed for ever.
        let fenced = owner.hot().gate.load(Acquire) == 0 && owner.hot().cand_gate.load(Acquire) == 0;
        let cell = ReaderCell {
            line,
            fenced: AtomicU64::new(fenced.into()),
            nested: Cell::new((0, 0)),
            owner,
            state: UnsafeCell::new(State {
                life: Life::Registered,
                thread: thread_id(),
                reap_views,
                alive,
                ring: Some(ring),
            }),
        };
        // SAFETY: a free cell, ours under the lock; its old contents, if any, own nothing any more.
        unsafe { at.write(cell) };
        if !self.cells.contains(&at) {
            self.cells.push(at);
        }
        Ok(at.cast())
    }

    /// Takes the reader out. On success the caller gives the engine's count back, if told so.
    ///
    /// # Safety
    /// The line is of this registry.
    pub unsafe fn unregister(&mut self, line: NonNull<ReaderLine>) -> Result<bool, HotError> {
        let at: NonNull<ReaderCell> = line.cast();
        // SAFETY: of this registry, whose lock the caller holds.
        let (cell, state) = unsafe { (at.as_ref(), &mut *at.as_ref().state.get()) };
        let counted = match state.life {
            Life::Free => return Err(HotError::NotRegistered(cell.line.id)),
            Life::Reaped => false,
            Life::Registered => {
                let in_view = cell.line.pin.load(Acquire) != 0;
                let dead = match &state.alive {
                    Some(mutex) if in_view => owner_died(mutex),
                    Some(mutex) => release(mutex, cell.line.id)?,
                    None => false,
                };
                if in_view && !dead {
                    return Err(HotError::InView(cell.line.id));
                }
                if dead {
                    self.reaped += 1;
                }
                true
            }
        };
        self.retire(at);
        // SAFETY: as above.
        unsafe { (*at.as_ref().state.get()).life = Life::Free };
        self.free.push(at);
        Ok(counted)
    }

    /// Ends whatever view was open and lets go of the ring and the mutex.
    fn retire(&mut self, at: NonNull<ReaderCell>) {
        // An append that comes too late is refused instead of lost in memory that is gone.
        // SAFETY: under the lock; the reader is gone or is the caller; the engine outlives the cell.
        unsafe { (*at.as_ptr()).line.ring = (*(*at.as_ptr()).owner).no_ring.header() };
        // SAFETY: as above.
        let (cell, state) = unsafe { (at.as_ref(), &mut *at.as_ref().state.get()) };
        cell.line.pin.store(0, Release);
        state.alive = None;
        if let Some(ring) = state.ring.take() {
            if ring.waiting() == 0 {
                self.past_observed += ring.consumed();
                self.past_dropped += ring.dropped();
                return;
            }
            self.orphans.push((cell.line.id, ring));
            if self.orphans.len() > ORPHANS {
                let (_, ring) = self.orphans.remove(0);
                self.past_observed += ring.consumed();
                self.past_dropped += ring.dropped() + ring.waiting();
            }
        }
    }

    /// Looks at every pin, and reaps the readers whose thread died. Returns how many engine counts are to be given back.
    pub fn scan(&mut self, seen: &mut Vec<Seen>) -> usize {
        let mut given_back = 0;
        for index in 0..self.cells.len() {
            let at = self.cells[index];
            // SAFETY: a cell of this registry, whose lock the caller holds.
            let (cell, state) = unsafe { (at.as_ref(), &mut *at.as_ref().state.get()) };
            if state.life != Life::Registered {
                continue;
            }
            let reapable = state.reap_views || cell.line.pin.load(Acquire) == 0;
            if reapable && state.alive.as_deref().is_some_and(owner_died) {
                tracing::warn!(
                    reader = cell.line.id,
                    thread = state.thread,
                    "reader's thread ended without unregistering"
                );
                self.retire(at);
                // SAFETY: as above.
                unsafe { (*at.as_ref().state.get()).life = Life::Reaped };
                self.reaped += 1;
                given_back += 1;
                continue;
            }
            let (pin, fenced) = cell.look();
            seen.push(Seen { pin, fenced, id: cell.line.id, thread: state.thread });
        }
        given_back
    }

    /// Readers registered now.
    pub fn readers(&self) -> usize {
        // SAFETY: under the lock.
        self.cells.iter().filter(|at| unsafe { (*at.as_ref().state.get()).life == Life::Registered }).count()
    }

    /// All rings, those of past readers first.
    pub fn rings(&self, into: &mut Vec<(u64, Arc<Ring>)>) {
        into.extend(self.orphans.iter().cloned());
        for at in &self.cells {
            // SAFETY: under the lock.
            let (cell, state) = unsafe { (at.as_ref(), &*at.as_ref().state.get()) };
            if let Some(ring) = &state.ring {
                into.push((cell.line.id, ring.clone()));
            }
        }
    }

    /// Lets go of past readers' rings that are empty.
    pub fn forget_empty(&mut self) {
        let (observed, dropped) = (&mut self.past_observed, &mut self.past_dropped);
        self.orphans.retain(|(_, ring)| {
            let keep = ring.waiting() != 0;
            if !keep {
                *observed += ring.consumed();
                *dropped += ring.dropped();
            }
            keep
        });
    }

    /// Frees the lines.
    ///
    /// # Safety
    /// No reader is registered, and none of the lines is used again.
    pub unsafe fn free_lines(&mut self) {
        for at in self.cells.drain(..) {
            // SAFETY: written by `register`, and dropped once; its memory is the region's.
            unsafe { at.drop_in_place() };
        }
        self.free.clear();
    }
}

fn thread_id() -> libc::pid_t {
    // SAFETY: no precondition.
    unsafe { libc::syscall(libc::SYS_gettid) as libc::pid_t }
}

/// A robust mutex, locked by the calling thread.
fn lock_robust() -> Result<Box<UnsafeCell<libc::pthread_mutex_t>>, HotError> {
    let failed = |what, code| HotError::Os { what, source: std::io::Error::from_raw_os_error(code) };
    let mutex = Box::new(UnsafeCell::new(libc::PTHREAD_MUTEX_INITIALIZER));
    let mut attributes = MaybeUninit::<libc::pthread_mutexattr_t>::uninit();
    // SAFETY: initialised in the order that POSIX asks for; the box gives the mutex its final address.
    unsafe {
        match libc::pthread_mutexattr_init(attributes.as_mut_ptr()) {
            0 => {}
            code => return Err(failed("pthread_mutexattr_init", code)),
        }
        libc::pthread_mutexattr_setrobust(attributes.as_mut_ptr(), libc::PTHREAD_MUTEX_ROBUST);
        let code = libc::pthread_mutex_init(mutex.get(), attributes.as_ptr());
        libc::pthread_mutexattr_destroy(attributes.as_mut_ptr());
        if code != 0 {
            return Err(failed("pthread_mutex_init", code));
        }
        match libc::pthread_mutex_lock(mutex.get()) {
            0 => Ok(mutex),
            code => Err(failed("pthread_mutex_lock", code)),
        }
    }
}

/// Whether the thread that locked it died. If so, the mutex is unlocked and destroyed.
fn owner_died(mutex: &UnsafeCell<libc::pthread_mutex_t>) -> bool {
    // SAFETY: an initialised mutex.
    unsafe {
        match libc::pthread_mutex_trylock(mutex.get()) {
            libc::EOWNERDEAD => {
                libc::pthread_mutex_consistent(mutex.get());
                libc::pthread_mutex_unlock(mutex.get());
                libc::pthread_mutex_destroy(mutex.get());
                true
            }
            0 => {
                libc::pthread_mutex_unlock(mutex.get());
                false
            }
            _ => false,
        }
    }
}

/// Unlocks it if the caller is the owner or the owner died (and says which); an error if the owner lives elsewhere.
fn release(mutex: &UnsafeCell<libc::pthread_mutex_t>, id: u64) -> Result<bool, HotError> {
    // SAFETY: an initialised mutex; a robust one refuses to be unlocked by another thread.
    unsafe {
        if libc::pthread_mutex_unlock(mutex.get()) == 0 {
            libc::pthread_mutex_destroy(mutex.get());
            return Ok(false);
        }
    }
    if owner_died(mutex) { Ok(true) } else { Err(HotError::WrongThread(id)) }
}
