//! Freeing what no reader can reach any more, off the promotion path.
//!
//! The order is rule 3's, and `cell.rs` says why it is enough: take the list, heavy barrier, marks and pins, holds; only then is a root
//! free for re-use and are its artifacts dropped. Three locks, never waited for while a later one is held: `turn` (one reclaim at a
//! time), then `writer` or `registry`, each for the length of a copy. The barrier and the destruction of artifacts run under `turn`
//! alone, so that a promotion waits for neither. A retired slot belongs to the reclaimer until it gives it back: nobody else writes
//! there.
//!
//! Between the list and the look at the pins, readers may register: they load roots newer than those on the list. Readers may also
//! unregister, whose pins are then 0 for good.

use core::sync::atomic::Ordering::{Acquire, Relaxed};
use std::collections::HashSet;
use std::sync::Arc;

use crate::artifact::Artifact;
use crate::error::StalledReader;
use crate::hot::{Hot, Inner, lock};
use crate::layout::LOWER_BOUND;
use crate::mutant::Mutant::*;
use crate::mutant::{Step, mutated, step, unless};
use crate::primitive::AtomicU64;
use crate::publish::Retired;
use crate::registry::Seen;

/// What one reclaim did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reclaimed {
    /// Roots freed.
    pub roots: usize,
    /// Roots that had to stay.
    pub retained: usize,
    /// Bytes of artifacts that only retired roots keep.
    pub bytes: u64,
    /// Who keeps the most, where that is over the soft limit or half of the ring.
    pub stalled: Option<StalledReader>,
}

/// Memory that one reclaim after the other uses.
#[derive(Default)]
pub(crate) struct Scratch {
    retired: Vec<Retired>,
    kept: Vec<Retired>,
    freed: Vec<u32>,
    held: Vec<bool>,
    seen: Vec<Seen>,
    dropped: Vec<Arc<Artifact>>,
}

/// What the pins protect.
pub struct Protected {
    /// The smallest epoch of a lower bound.
    bound: Option<u64>,
    /// Exact roots, by address.
    roots: Vec<u64>,
    /// A reader might be in a view whose pin cannot be relied on.
    everything: bool,
}

impl Protected {
    /// By these pins and marks; `fence_mode` asks that each reader fenced for itself at least once.
    pub fn by(pins: impl Iterator<Item = (u64, bool)>, fence_mode: bool) -> Protected {
        let mut protected = Protected { bound: None, roots: Vec::new(), everything: false };
        for (pin, fenced) in pins {
            protected.everything |= fence_mode && !fenced && !mutated(MarksIgnored);
            if pin & LOWER_BOUND != 0 {
                if mutated(BoundsIgnored) {
                    continue;
                }
                let epoch = pin >> 1;
                protected.bound = Some(protected.bound.map_or(epoch, |bound| bound.min(epoch)));
            } else if pin != 0 {
                protected.roots.push(pin);
            }
        }
        protected.roots.sort_unstable();
        protected
    }

    /// Whether a root of this address and epoch must stay.
    pub fn covers(&self, address: u64, epoch: u64) -> bool {
        self.everything
            || self.bound.is_some_and(|bound| if mutated(BoundBelow) { bound < epoch } else { bound <= epoch })
            || self.roots.binary_search(&address).is_ok()
    }
}

/// Whether a hold keeps the root. The pins were looked at before.
pub fn is_held(holds: &AtomicU64) -> bool {
    holds.load(unless(mutated(HoldsRelaxed), Acquire)) != 0
}

impl Hot {
    /// Frees every retired root that no reader and no hold keeps. Called now and then by a thread that may take its time.
    pub fn reclaim(&self) -> Reclaimed {
        if self.is_forked() {
            return Reclaimed::default();
        }
        let mut reclaimed = self.reclaim_now();
        let tolerable =
            reclaimed.bytes <= self.inner.options.soft_limit_bytes && reclaimed.retained < self.inner.half();
        if tolerable {
            reclaimed.stalled = None;
        }
        reclaimed
    }

    /// [`Hot::reclaim`], which always says who keeps what stays.
    pub(crate) fn reclaim_now(&self) -> Reclaimed {
        let inner = &*self.inner;
        let mut scratch = lock(&inner.turn);
        let scratch = &mut *scratch;
        if mutated(BarrierFirst) {
            inner.barrier.heavy();
            step(Step::BarrierDone);
        }
        scratch.retired.clear();
        scratch.retired.extend_from_slice(&lock(&inner.writer).retired);
        step(Step::Taken);
        if scratch.retired.is_empty() {
            return Reclaimed::default();
        }
        if !mutated(BarrierFirst) && !inner.barrier.heavy() {
            tracing::warn!("membarrier stopped working: readers fence for themselves from now on");
            lock(&inner.writer).shut(inner);
            inner.barrier.fall_back();
        }
        step(Step::BarrierDone);
        scratch.seen.clear();
        scratch.held.clear();
        let holds = |retired: &Retired| {
            // SAFETY: a live slot of the pool.
            is_held(unsafe { &inner.pool.slot(retired.slot).as_ref().holds })
        };
        if mutated(HoldsFirst) {
            scratch.held.extend(scratch.retired.iter().map(holds));
        }
        step(Step::Scanning);
        let given_back = lock(&inner.registry).scan(&mut scratch.seen);
        for _ in 0..given_back {
            // SAFETY: a reaped reader's count; `self` holds another.
            unsafe { Arc::decrement_strong_count(Arc::as_ptr(&self.inner)) };
        }
        let pins = scratch.seen.iter().map(|seen| (seen.pin, seen.fenced));
        let protected = Protected::by(pins, inner.barrier.is_fence());
        scratch.kept.clear();
        scratch.freed.clear();
        step(Step::Scanned);
        if !mutated(HoldsFirst) {
            // After the pins: a hold is taken while pinned, so whoever's pin is gone has its hold visible.
            scratch.held.extend(scratch.retired.iter().map(holds));
        }
        for (retired, &held) in scratch.retired.iter().zip(&scratch.held) {
            if held || protected.covers(inner.pool.address(retired.slot), retired.epoch) {
                scratch.kept.push(*retired);
            } else {
                scratch.freed.push(retired.slot);
            }
        }
        for &slot in &scratch.freed {
            // SAFETY: retired and unreachable: the reclaimer's alone until it is given back.
            let artifacts = unsafe { &mut *inner.pool.slot(slot).as_ref().artifacts.get() };
            #[cfg(feature = "mutants")]
            inner.pool.poison(slot);
            scratch.dropped.extend(artifacts.iter_mut().filter_map(Option::take));
        }
        step(Step::Freeing);
        let bytes = self.settle(scratch);
        scratch.dropped.clear();
        inner.reclaimed.fetch_add(scratch.freed.len() as u64, Relaxed);
        Reclaimed {
            roots: scratch.freed.len(),
            retained: scratch.kept.len(),
            bytes,
            stalled: self.blame(scratch, bytes),
        }
    }

    /// Gives the freed slots back to the promoter, and counts the bytes that stay retained.
    fn settle(&self, scratch: &mut Scratch) -> u64 {
        let inner = &*self.inner;
        let (live, before) = {
            let mut writer = lock(&inner.writer);
            writer.retired.splice(..scratch.retired.len(), scratch.kept.iter().copied());
            for &slot in &scratch.freed {
                writer.give_back(slot);
            }
            inner.retired.store(writer.retired.len(), Relaxed);
            scratch.retired.clone_from(&writer.retired);
            (writer.live(), inner.retained_bytes.load(Relaxed))
        };
        // Without the lock: whatever is live or retired now is freed by nobody but this thread.
        let bytes = retained_bytes(inner, &scratch.retired, live);
        let _writer = lock(&inner.writer);
        // What was published since has added to it.
        let since = inner.retained_bytes.load(Relaxed) - before;
        inner.retained_bytes.store(bytes + since, Relaxed);
        bytes + since
    }

    /// The reader on whose account the oldest root stays.
    fn blame(&self, scratch: &Scratch, bytes: u64) -> Option<StalledReader> {
        let oldest = scratch.kept.first()?;
        let address = self.inner.pool.address(oldest.slot);
        let fence_mode = self.inner.barrier.is_fence();
        let keeps = |seen: &&Seen, address, epoch| {
            Protected::by(core::iter::once((seen.pin, seen.fenced)), fence_mode).covers(address, epoch)
        };
        let reader =
            scratch.seen.iter().filter(|seen| keeps(seen, address, oldest.epoch)).min_by_key(|seen| seen.pin & 1 == 0);
        Some(StalledReader {
            reader: reader.map_or(0, |seen| seen.id),
            thread: reader.map_or(0, |seen| seen.thread),
            since_ns: oldest.since_ns,
            bytes,
            roots: scratch.kept.len(),
        })
    }
}

/// Bytes of the artifacts that retired roots hold and live ones do not.
fn retained_bytes(inner: &Inner, retired: &[Retired], live: impl Iterator<Item = u32>) -> u64 {
    let artifacts = |slot: u32| {
        // SAFETY: published, and not freed before the next reclaim: its artifacts are only read.
        let all = unsafe { &*inner.pool.slot(slot).as_ref().artifacts.get() };
        all.iter().flatten()
    };
    if retired.is_empty() {
        return 0;
    }
    let mut counted: HashSet<*const Artifact> = live.flat_map(artifacts).map(Arc::as_ptr).collect();
    let retired = retired.iter().flat_map(|retired| artifacts(retired.slot));
    retired.filter(|artifact| counted.insert(Arc::as_ptr(artifact))).map(|artifact| artifact.bytes() as u64).sum()
}
