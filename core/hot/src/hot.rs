//! The engine's cell: what promoters, readers and the reclaimer share.

use core::mem::ManuallyDrop;
use core::ptr::NonNull;
use core::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use core::sync::atomic::{AtomicBool, AtomicUsize};
use std::any::Any;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use crate::barrier::{Barrier, BarrierChoice};
use crate::cell::Generation;
use crate::clock::Clock;
use crate::error::HotError;
use crate::fork::ForkWord;
use crate::layout::{HotLine, ReaderLine, SlowBegin};
use crate::pool::Pool;
use crate::primitive::AtomicU64;
use crate::publish::Writer;
use crate::reclaim::Scratch;
use crate::region::Region;
use crate::registry::{ReaderCell, ReaderOptions, Registry, slow_begin};
use crate::ring::{Observation, Ring};

/// How to make a [`Hot`].
#[derive(Clone, Debug)]
pub struct Options {
    /// Which barrier the reclaimer uses.
    pub barrier: BarrierChoice,
    /// Retired roots that may wait to be reclaimed before a promotion has to reclaim by itself.
    pub retained_roots: usize,
    /// Bytes of retired artifacts from which [`Hot::reclaim`] names the reader that keeps the most.
    pub soft_limit_bytes: u64,
    /// Bytes of retired artifacts from which promotions are refused.
    pub hard_limit_bytes: u64,
    /// Records of a reader's observation ring, unless its own options say otherwise.
    pub ring_records: usize,
    /// The generation of the first root, which is empty: beyond what was used before a restart, so that generations only grow.
    pub first_epoch: u64,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            barrier: BarrierChoice::Auto,
            retained_roots: 256,
            soft_limit_bytes: 256 << 20,
            hard_limit_bytes: 1 << 30,
            ring_records: 1024,
            first_epoch: 0,
        }
    }
}

/// Counters, as of one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct HotStats {
    /// The newest generation.
    pub epoch: u64,
    /// Readers registered.
    pub readers: usize,
    /// Roots retired and not yet reclaimed.
    pub retained_roots: usize,
    /// Bytes of artifacts that only retired roots keep; exact as of the last reclaim.
    pub retained_bytes: u64,
    /// Reads that found nothing of their type.
    pub cold_reads: u64,
    /// Observations drained.
    pub observed: u64,
    /// Observations refused because a ring was full.
    pub dropped: u64,
    /// Whether readers fence for themselves.
    pub fence_mode: bool,
    /// Heavy barriers issued.
    pub reclaim_batches: u64,
    /// Roots reclaimed.
    pub reclaimed_roots: u64,
    /// Readers whose thread died without unregistering them.
    pub reaped: u64,
    /// Heap and mapped bytes of the pool of roots.
    pub pool_bytes: u64,
}

/// The wait-free cell of one engine. Clones share it.
#[derive(Clone)]
pub struct Hot {
    pub(crate) inner: Arc<Inner>,
}

impl std::fmt::Debug for Hot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Hot").field("epoch", &self.epoch()).finish_non_exhaustive()
    }
}

pub(crate) struct Inner {
    pub region: Region,
    pub clock: Clock,
    pub cold_reads: Box<ColdReads>,
    pub fork: ForkWord,
    pub options: Options,
    pub barrier: Barrier,
    pub pool: Pool,
    pub writer: ManuallyDrop<Mutex<Writer>>,
    pub registry: ManuallyDrop<Mutex<Registry>>,
    /// Held through one reclaim. Taken before the writer's lock, never after.
    pub turn: ManuallyDrop<Mutex<Scratch>>,
    pub retired: AtomicUsize,
    pub reclaimed: core::sync::atomic::AtomicU64,
    /// Bytes of artifacts that only retired roots keep: exact after a reclaim, what publications retire is added until the next.
    pub retained_bytes: core::sync::atomic::AtomicU64,
    /// Set under the writer's lock; read without it, so that nobody waits for a promotion to ask.
    pub closed: AtomicBool,
    /// What a line's ring points to once its own is gone: refuses every append.
    pub no_ring: Ring,
    wake: ManuallyDrop<Mutex<()>>,
    woken: Condvar,
    draining: ManuallyDrop<Mutex<usize>>,
    kept: OnceLock<Box<dyn Any + Send + Sync>>,
}

/// On a line of its own: cold reads of many threads must not disturb the hot line.
#[repr(align(128))]
pub(crate) struct ColdReads(pub AtomicU64);

// SAFETY: raw pointers to parts of itself; the locks and the protocol order every access.
unsafe impl Send for Inner {}
// SAFETY: as above.
unsafe impl Sync for Inner {}

/// Locks, also after a panic elsewhere: no section under these locks leaves its data half-changed at a point that can panic.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // ThreadSanitizer does not see into the standard library, where a lock that has to wait is taken.
    #[cfg(tsan)]
    loop {
        match mutex.try_lock() {
            Ok(guard) => return guard,
            Err(std::sync::TryLockError::Poisoned(poisoned)) => return poisoned.into_inner(),
            Err(std::sync::TryLockError::WouldBlock) => std::thread::yield_now(),
        }
    }
    #[cfg(not(tsan))]
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Hot {
    /// An engine's cell, whose sectors are all empty.
    pub fn new(options: Options) -> Result<Hot, HotError> {
        let (pool, writer) = (Pool::new(Writer::pool_len(&options)), Writer::new(&options));
        let first = Generation { root: 0, candidate: 0, epoch: 0, open: false };
        let inner = Arc::new(Inner {
            region: Region::new(HotLine::new(&first))?,
            clock: Clock::new(),
            cold_reads: Box::new(ColdReads(AtomicU64::new(0))),
            fork: ForkWord::new()?,
            barrier: Barrier::open(options.barrier),
            no_ring: Ring::new(0)?,
            options,
            pool,
            writer: ManuallyDrop::new(Mutex::new(writer)),
            registry: ManuallyDrop::new(Mutex::new(Registry::new())),
            turn: ManuallyDrop::new(Mutex::new(Scratch::default())),
            retired: AtomicUsize::new(0),
            reclaimed: core::sync::atomic::AtomicU64::new(0),
            retained_bytes: core::sync::atomic::AtomicU64::new(0),
            closed: AtomicBool::new(false),
            wake: ManuallyDrop::new(Mutex::new(())),
            woken: Condvar::new(),
            draining: ManuallyDrop::new(Mutex::new(0)),
            kept: OnceLock::new(),
        });
        lock(&inner.writer).first(&inner);
        Ok(Hot { inner })
    }

    /// The newest generation: the first one, and the number of publications since.
    pub fn epoch(&self) -> u64 {
        self.inner.hot().epoch.load(Acquire)
    }

    /// The cached clock that observations are stamped with.
    pub fn clock(&self) -> &Clock {
        &self.inner.clock
    }

    /// Whether this process was forked from the one that made this cell.
    pub fn is_forked(&self) -> bool {
        self.inner.fork.is_forked()
    }

    /// Keeps a value until the cell is gone, which its readers and holds keep as well; `false` if there is one already. It must not keep
    /// the cell itself for ever.
    pub fn keep(&self, value: impl Any + Send + Sync) -> bool {
        self.inner.kept.set(Box::new(value)).is_ok()
    }

    /// Registers a reader by its raw line. It keeps the cell until [`Hot::unregister_raw`], or until its thread ends.
    pub fn register_raw(&self, options: ReaderOptions) -> Result<NonNull<ReaderLine>, HotError> {
        self.register_line(options, true)
    }

    /// `reap_views`: whether a view that is open when the thread ends, ends with it.
    pub(crate) fn register_line(
        &self,
        options: ReaderOptions,
        reap_views: bool,
    ) -> Result<NonNull<ReaderLine>, HotError> {
        if self.is_forked() {
            return Err(HotError::Forked);
        }
        if self.inner.closed.load(Acquire) {
            return Err(HotError::Closed);
        }
        // Also one without records is the reader's own: a refusal writes to it.
        let ring = Arc::new(Ring::new(options.ring_records.unwrap_or(self.inner.options.ring_records))?);
        let line = lock(&self.inner.registry).register(&self.inner, ring, options.migratable, reap_views)?;
        core::mem::forget(self.inner.clone());
        Ok(line)
    }

    /// Whether this copy of the library made the reader; another one's can be read with, and nothing else.
    ///
    /// # Safety
    /// The line is a reader's, of any copy of the library with this ABI, and its engine is still there.
    pub unsafe fn made(line: NonNull<ReaderLine>) -> bool {
        // SAFETY: the frozen part is the same in every copy.
        core::ptr::fn_addr_eq(unsafe { (*line.as_ptr()).slow }, slow_begin as SlowBegin)
    }

    /// Unregisters a reader, also after close. Refused while a view is open, or by another thread than the one that registered it.
    ///
    /// # Safety
    /// The line came from [`Hot::register_raw`] of this copy of the library, of an engine that is still there, and is not used again
    /// once this returned `Ok`.
    pub unsafe fn unregister_raw(line: NonNull<ReaderLine>) -> Result<(), HotError> {
        // SAFETY: the line is the first field of a cell, whose engine is still there.
        let inner = unsafe { &*(*line.cast::<ReaderCell>().as_ptr()).owner };
        if inner.fork.is_forked() {
            // A lock may have been held by a thread that this process does not have: leave everything as it is.
            return Ok(());
        }
        // SAFETY: of this engine's registry.
        let counted = unsafe { lock(&inner.registry).unregister(line)? };
        if counted {
            // SAFETY: the count that `register_raw` forgot.
            unsafe { Arc::decrement_strong_count(inner) };
        }
        Ok(())
    }

    /// Repairs a reader whose views were not ended, as after a `longjmp`: none of them may be used any more.
    ///
    /// # Safety
    /// The line is registered and not used by another thread now.
    pub unsafe fn reset_raw(line: NonNull<ReaderLine>) {
        // SAFETY: the caller's promise.
        unsafe { line.as_ref().pin.store(0, Release) }
    }

    /// Hands at most `max` observations to `f`, those of past readers first. One thread drains at a time; the others wait.
    pub fn drain(&self, max: usize, mut f: impl FnMut(u64, Observation)) -> usize {
        if self.is_forked() {
            return 0;
        }
        let mut next = lock(&self.inner.draining);
        let mut rings = Vec::new();
        lock(&self.inner.registry).rings(&mut rings);
        let mut taken = 0;
        // Where the last call stopped, so that a busy ring does not starve the others.
        let start = if rings.is_empty() { 0 } else { *next % rings.len() };
        for at in (start..rings.len()).chain(0..start) {
            *next = at;
            let (reader, ring) = &rings[at];
            taken += ring.drain(max - taken, &mut |observation| f(*reader, observation));
            if taken == max {
                return taken;
            }
        }
        drop(rings);
        lock(&self.inner.registry).forget_empty();
        taken
    }

    /// Whether half of the retired roots' ring is full.
    pub fn needs_reclaim(&self) -> bool {
        self.inner.retired.load(Relaxed) >= self.inner.half()
    }

    /// Waits until [`Hot::needs_reclaim`], close, or the time is over; returns whether there is a need.
    pub fn wait_reclaim(&self, timeout: Duration) -> bool {
        if self.is_forked() {
            return false;
        }
        let deadline = Instant::now() + timeout;
        let mut guard = lock(&self.inner.wake);
        while !self.needs_reclaim() {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() || self.inner.closed.load(Acquire) {
                return false;
            }
            guard = self.inner.woken.wait_timeout(guard, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        true
    }

    /// Counters. In a forked child only the epoch and the mode are told.
    pub fn stats(&self) -> HotStats {
        let inner = &*self.inner;
        let mut stats = HotStats { epoch: self.epoch(), fence_mode: inner.barrier.is_fence(), ..HotStats::default() };
        if self.is_forked() {
            return stats;
        }
        let mut rings = Vec::new();
        {
            let registry = lock(&inner.registry);
            registry.rings(&mut rings);
            stats.readers = registry.readers();
            stats.reaped = registry.reaped;
            stats.observed = registry.past_observed;
            stats.dropped = registry.past_dropped;
        }
        for (_, ring) in &rings {
            stats.observed += ring.consumed();
            stats.dropped += ring.dropped();
        }
        stats.retained_roots = inner.retired.load(Relaxed);
        stats.retained_bytes = inner.retained_bytes.load(Relaxed);
        stats.cold_reads = inner.cold_reads.0.load(Relaxed);
        stats.reclaim_batches = inner.barrier.issued();
        stats.reclaimed_roots = inner.reclaimed.load(Relaxed);
        stats.pool_bytes = inner.pool.bytes();
        stats
    }
}

impl Inner {
    pub fn hot(&self) -> &HotLine {
        self.region.hot()
    }

    pub fn half(&self) -> usize {
        (self.options.retained_roots / 2).max(1)
    }

    /// Wakes the thread in `wait_reclaim`. The caller holds no lock.
    pub fn wake(&self) {
        drop(lock(&self.wake));
        self.woken.notify_all();
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        if self.fork.is_forked() {
            // Another thread of the parent may have been in the middle of a change: leaking is safe, touching is not.
            return;
        }
        // SAFETY: the last count is gone, so no reader is registered and no hold is left; each is dropped once.
        unsafe {
            let used = lock(&self.writer).used_slots();
            lock(&self.registry).free_lines();
            self.pool.free(used);
            ManuallyDrop::drop(&mut self.registry);
            ManuallyDrop::drop(&mut self.writer);
            ManuallyDrop::drop(&mut self.turn);
            ManuallyDrop::drop(&mut self.wake);
            ManuallyDrop::drop(&mut self.draining);
        }
    }
}
