//! The promoter's side: building a root, publishing it, the canary, close.

use core::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::sync::{Arc, MutexGuard};

use crate::artifact::Artifact;
use crate::cell::Generation;
use crate::error::HotError;
use crate::hot::{Hot, Inner, Options, lock};
use crate::layout::SECTOR_CAPACITY;

/// What becomes of one sector in the next generation.
#[derive(Clone, Debug)]
pub struct Change {
    /// The sector's number.
    pub sector: usize,
    /// Its snapshot, compiled.
    pub artifact: Arc<Artifact>,
    /// The snapshot's content address.
    pub snapshot_id: [u8; 32],
    /// False where the artifact holds declared defaults only: nothing was promoted yet.
    pub ready: bool,
}

/// Retired roots beyond the limit that an urgent publication may still use.
const RESERVE: usize = 8;
/// The current root, the candidate, two staged ones, and the one that close publishes.
const LIVE: usize = 5;

/// A root removed from every cell, waiting to be freed.
#[derive(Clone, Copy)]
pub(crate) struct Retired {
    pub slot: u32,
    pub epoch: u64,
    pub since_ns: u64,
}

/// The promoter's state, under the writer's lock.
pub(crate) struct Writer {
    current: u32,
    candidate: Option<u32>,
    epoch: u64,
    /// Sectors in use are below this; the descriptors behind it are those of a fresh slot.
    sectors: usize,
    free: Vec<u32>,
    used: u32,
    pub retired: Vec<Retired>,
    /// The running canary's changes, and the epoch they carry.
    canary: Option<(Vec<Change>, u64)>,
    open: bool,
    capacity: u32,
}

impl Writer {
    pub fn pool_len(options: &Options) -> usize {
        options.retained_roots.max(4) + RESERVE + LIVE
    }

    pub fn new(options: &Options) -> Writer {
        let capacity = Writer::pool_len(options);
        Writer {
            current: 0,
            candidate: None,
            epoch: options.first_epoch,
            sectors: 0,
            free: Vec::with_capacity(capacity),
            used: 0,
            retired: Vec::with_capacity(capacity),
            canary: None,
            open: false,
            capacity: capacity as u32,
        }
    }

    /// Publishes the first, empty root, before any reader is there.
    pub fn first(&mut self, inner: &Inner) {
        self.current = self.take(inner);
        self.open = !inner.barrier.is_fence();
        let root = inner.pool.address(self.current);
        // SAFETY: taken for this, and not published yet.
        unsafe { (*inner.pool.slot(self.current).as_ptr()).root.epoch = self.epoch };
        inner.hot().publish(&Generation { root, candidate: root, epoch: self.epoch, open: self.open });
    }

    /// The slots that the hot line shows.
    pub fn live(&self) -> impl Iterator<Item = u32> + use<> {
        core::iter::once(self.current).chain(self.candidate)
    }

    pub fn used_slots(&self) -> u32 {
        self.used
    }

    /// A slot nobody reads: the one freed last, else one never used.
    fn take(&mut self, inner: &Inner) -> u32 {
        self.free.pop().unwrap_or_else(|| {
            assert!(self.used < self.capacity, "the pool holds every live, staged and retired root");
            let slot = self.used;
            self.used += 1;
            // SAFETY: in the pool, and never used before.
            unsafe { inner.pool.initialise(slot, inner, &inner.cold_reads.0) };
            slot
        })
    }

    pub fn give_back(&mut self, slot: u32) {
        self.free.push(slot);
    }

    /// A new root: those of `base`, then the changes.
    fn build(&mut self, inner: &Inner, base: u32, epoch: u64, changes: &[Change], changed_in: u64) -> u32 {
        let slot = self.take(inner);
        let sectors = self.sectors;
        // SAFETY: `slot` is the promoter's alone; `base` is published, so nobody changes it.
        let (root, artifacts, from) = unsafe {
            let at = inner.pool.slot(slot).as_ptr();
            (&mut (*at).root, &mut *(*at).artifacts.get(), inner.pool.slot(base).as_ref())
        };
        // SAFETY: the artifacts of a published root are only read until it is retired.
        let from_artifacts = unsafe { &*from.artifacts.get() };
        #[cfg(feature = "mutants")]
        root.descriptors.copy_from_slice(&from.root.descriptors);
        root.descriptors[..sectors].copy_from_slice(&from.root.descriptors[..sectors]);
        artifacts[..sectors].clone_from_slice(&from_artifacts[..sectors]);
        root.epoch = epoch;
        for change in changes {
            let descriptor = &mut root.descriptors[change.sector];
            descriptor.snapshot_id = change.snapshot_id;
            descriptor.artifact = change.artifact.address();
            descriptor.limit = change.artifact.limit();
            descriptor.epoch = if change.ready { changed_in } else { 0 };
            artifacts[change.sector] = Some(change.artifact.clone());
        }
        slot
    }

    /// Bytes of the artifacts that `old` held and `new` no longer does.
    fn replaced_bytes(&self, inner: &Inner, old: u32, new: u32) -> u64 {
        // SAFETY: both are built, and neither is free: their artifacts are only read.
        let (old, new) = unsafe {
            (&*inner.pool.slot(old).as_ref().artifacts.get(), &*inner.pool.slot(new).as_ref().artifacts.get())
        };
        let replaced = old[..self.sectors].iter().zip(new).filter_map(|(old, new)| {
            let old = old.as_ref()?;
            new.as_ref().is_none_or(|new| !Arc::ptr_eq(old, new)).then(|| old.bytes() as u64)
        });
        replaced.sum()
    }

    fn retire(&mut self, inner: &Inner, slot: u32, epoch: u64) {
        self.retired.push(Retired { slot, epoch, since_ns: inner.clock.now_ns() });
    }

    pub fn shut(&mut self, inner: &Inner) {
        self.open = false;
        inner.hot().shut();
    }
}

/// A root that is built and not yet published. Dropping it changes nothing.
pub struct Staged<'h> {
    hot: &'h Hot,
    writer: Option<MutexGuard<'h, Writer>>,
    root: u32,
    candidate: Option<u32>,
    epoch: u64,
    replaced_bytes: u64,
}

impl std::fmt::Debug for Staged<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Staged").field("epoch", &self.epoch).finish_non_exhaustive()
    }
}

/// What to do about the canary in the generation that is being built.
enum Canary {
    Keep,
    Start(Vec<Change>),
    Stop { adopt: bool },
}

impl Hot {
    /// Takes the promoter's lock, and builds the next generation.
    pub fn prepare<'h>(&'h self, changes: &[Change]) -> Result<Staged<'h>, HotError> {
        self.stage(changes, Canary::Keep, false)
    }

    /// [`Hot::prepare`] from the reserve: works, for a rollback, where the limits refuse other promotions.
    pub fn prepare_urgent<'h>(&'h self, changes: &[Change]) -> Result<Staged<'h>, HotError> {
        self.stage(changes, Canary::Keep, true)
    }

    /// Publishes a generation with these changes, and returns its epoch. Any view begun after the return sees it, or a newer one.
    pub fn publish(&self, changes: &[Change]) -> Result<u64, HotError> {
        Ok(self.prepare(changes)?.swap())
    }

    /// [`Hot::publish`] from the reserve.
    pub fn publish_reserved(&self, changes: &[Change]) -> Result<u64, HotError> {
        Ok(self.prepare_urgent(changes)?.swap())
    }

    /// Starts a canary, in place of one that runs: subjects with `hash * salt < limit` (wrapping) read these changes.
    ///
    /// `limit` is the wanted fraction of 2^64. `salt` is made odd, so that it loses no bit of the hash.
    pub fn start_canary(&self, changes: &[Change], limit: u64, salt: u64) -> Result<u64, HotError> {
        let staged = self.stage(&[], Canary::Start(changes.to_vec()), false)?;
        Ok(staged.swap_with(Some((limit, salt | 1)), |_| {}))
    }

    /// Ends the canary: its changes become everyone's if `adopt`, and no one's otherwise.
    pub fn stop_canary(&self, adopt: bool) -> Result<u64, HotError> {
        Ok(self.stage(&[], Canary::Stop { adopt }, true)?.swap_with(Some((0, 1)), |_| {}))
    }

    /// Publishes a root without a value, and sends every begin to the slow path. Readers, holds and drained rings stay usable.
    pub fn close(&self) {
        if self.is_forked() {
            return;
        }
        let inner = &*self.inner;
        {
            let mut writer = lock(&inner.writer);
            if inner.closed.swap(true, Release) {
                return;
            }
            writer.shut(inner);
            // The one slot that every limit leaves over.
            let slot = writer.take(inner);
            // SAFETY: ours alone; a root without a sector points everywhere at the empty artifact.
            unsafe {
                let at = inner.pool.slot(slot).as_ptr();
                (*at).root.descriptors = inner.pool.unused();
                (*at).root.epoch = writer.epoch + 1;
            }
            writer.canary = None;
            let staged = Staged {
                hot: self,
                replaced_bytes: writer.replaced_bytes(inner, writer.current, slot),
                root: slot,
                candidate: None,
                epoch: writer.epoch + 1,
                writer: Some(writer),
            };
            staged.swap_with(Some((0, 1)), |_| {});
        }
        inner.wake();
        self.reclaim();
    }

    fn stage<'h>(&'h self, changes: &[Change], canary: Canary, urgent: bool) -> Result<Staged<'h>, HotError> {
        if self.is_forked() {
            return Err(HotError::Forked);
        }
        let started = match &canary {
            Canary::Start(changes) => &changes[..],
            _ => &[],
        };
        if let Some(change) = changes.iter().chain(started).find(|change| change.sector >= SECTOR_CAPACITY) {
            return Err(HotError::Sector(change.sector));
        }
        let inner = &*self.inner;
        let mut writer = self.room(urgent)?;
        let epoch = writer.epoch + 1;
        let adopted = match canary {
            Canary::Keep => Vec::new(),
            Canary::Start(changes) => {
                writer.canary = Some((changes, epoch));
                Vec::new()
            }
            Canary::Stop { adopt } => writer.canary.take().filter(|_| adopt).map_or(Vec::new(), |(changes, _)| changes),
        };
        let changes = if adopted.is_empty() { changes } else { &adopted };
        let running = writer.canary.iter().flat_map(|(changes, _)| changes);
        let sectors = changes.iter().chain(running).map(|change| change.sector + 1).max().unwrap_or(0);
        writer.sectors = writer.sectors.max(sectors);
        let current = writer.current;
        let root = writer.build(inner, current, epoch, changes, epoch);
        let candidate = writer.canary.take().map(|(changes, since)| {
            let slot = writer.build(inner, root, epoch, &changes, since);
            writer.canary = Some((changes, since));
            slot
        });
        let replaced_bytes = writer.replaced_bytes(inner, current, root);
        Ok(Staged { hot: self, writer: Some(writer), root, candidate, epoch, replaced_bytes })
    }

    /// The promoter's lock, with room for two more retired roots. Reclaims by itself where there is none.
    fn room(&self, urgent: bool) -> Result<MutexGuard<'_, Writer>, HotError> {
        let options = &self.inner.options;
        let limit = options.retained_roots.max(4) + if urgent { RESERVE } else { 0 };
        loop {
            let writer = lock(&self.inner.writer);
            if self.inner.closed.load(Acquire) {
                return Err(HotError::Closed);
            }
            let full = writer.retired.len() + 2 > limit;
            if !full && (urgent || self.inner.retained_bytes.load(Relaxed) <= options.hard_limit_bytes) {
                return Ok(writer);
            }
            let before = writer.retired.len();
            drop(writer);
            let reclaimed = self.reclaim_now();
            if reclaimed.roots == 0 && lock(&self.inner.writer).retired.len() >= before {
                return Err(match reclaimed.stalled {
                    Some(stalled) => HotError::Stalled(stalled),
                    None => continue,
                });
            }
        }
    }
}

impl Staged<'_> {
    /// The generation's number, if it is swapped in.
    pub fn epoch(&self) -> u64 {
        self.epoch
    }

    /// Publishes it, waiting for nobody.
    pub fn swap(self) -> u64 {
        self.swap_with(None, |_| {})
    }

    /// Publishes it, and calls `then` with the epoch before anyone else can publish: what must happen in the order of
    /// generations, and briefly.
    pub fn swap_then(self, then: impl FnOnce(u64)) -> u64 {
        self.swap_with(None, then)
    }

    fn swap_with(mut self, canary: Option<(u64, u64)>, then: impl FnOnce(u64)) -> u64 {
        let inner = &*self.hot.inner;
        let mut writer = self.writer.take().expect("held until the swap");
        let root = inner.pool.address(self.root);
        let candidate = self.candidate.map_or(root, |slot| inner.pool.address(slot));
        let next = Generation { root, candidate, epoch: self.epoch, open: writer.open };
        if canary.is_some() {
            inner.hot().choose_none();
        }
        inner.hot().publish(&next);
        if let Some((limit, salt)) = canary {
            inner.hot().choose(limit, salt);
        }
        let (old, old_epoch) = (writer.current, writer.epoch);
        writer.retire(inner, old, old_epoch);
        if let Some(old) = writer.candidate.take() {
            writer.retire(inner, old, old_epoch);
        }
        writer.current = self.root;
        writer.candidate = self.candidate;
        writer.epoch = self.epoch;
        inner.retained_bytes.store(inner.retained_bytes.load(Relaxed) + self.replaced_bytes, Relaxed);
        let (before, retired) = (inner.retired.load(Relaxed), writer.retired.len());
        inner.retired.store(retired, Relaxed);
        then(self.epoch);
        drop(writer);
        if before < inner.half() && retired >= inner.half() {
            inner.wake();
        }
        self.epoch
    }
}

impl Drop for Staged<'_> {
    fn drop(&mut self) {
        let Some(mut writer) = self.writer.take() else { return };
        let inner = &*self.hot.inner;
        for slot in core::iter::once(self.root).chain(self.candidate) {
            // SAFETY: never published: the promoter's alone.
            unsafe { (&mut *inner.pool.slot(slot).as_ref().artifacts.get()).fill(None) };
            writer.give_back(slot);
        }
    }
}
