//! What the monitor tells of itself.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::counters::{DRAINED, LOST, PERSISTED, PRUNED, REFUSED, SEGMENTS, STORED_BYTES};

/// Figures of a monitor since it was started. While nothing is under way, `drained = persisted + lost + unattributed`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ObserveStats {
    /// Observations taken out of the rings.
    pub drained: u64,
    /// Observations that are durable under a receipt.
    pub persisted: u64,
    /// Observations that were refused, as far as receipts state it: by full rings, and those without a sector.
    pub refused: u64,
    /// Of those, the ones that were drained and belong to no sector: their key was never interned.
    pub unattributed: u64,
    /// Observations that were drained and could not be stored until the end.
    pub lost: u64,
    /// Segments that are durable under a receipt.
    pub segments: u64,
    /// Bytes of their content as it was stored.
    pub stored_bytes: u64,
    /// Segments whose observations retention dropped.
    pub pruned: u64,
    /// Bytes of observations that are held in the store, 64 each, those of earlier runs included.
    pub held_bytes: u64,
    /// Buffers of a segment each that are in use: being filled, or on their way to the disk.
    pub buffers: u64,
    /// Why observations cannot be stored now, if so.
    pub failing: Option<String>,
}

/// The same, as the threads count it.
#[derive(Default)]
pub(crate) struct Tally {
    pub(crate) drained: AtomicU64,
    pub(crate) persisted: AtomicU64,
    pub(crate) refused: AtomicU64,
    pub(crate) unattributed: AtomicU64,
    pub(crate) lost: AtomicU64,
    pub(crate) segments: AtomicU64,
    pub(crate) stored_bytes: AtomicU64,
    pub(crate) pruned: AtomicU64,
    pub(crate) held_bytes: AtomicU64,
    pub(crate) buffers: AtomicU64,
    /// Refusals that a receipt states, or will.
    pub(crate) announced: AtomicU64,
    failing: Mutex<Option<String>>,
}

impl Tally {
    pub(crate) fn drained(&self, count: u64) {
        self.drained.fetch_add(count, Ordering::Relaxed);
        DRAINED.add(count);
    }

    pub(crate) fn persisted(&self, count: u64, refused: u64, stored_bytes: u64) {
        self.persisted.fetch_add(count, Ordering::Relaxed);
        self.refused.fetch_add(refused, Ordering::Relaxed);
        self.segments.fetch_add(1, Ordering::Relaxed);
        self.stored_bytes.fetch_add(stored_bytes, Ordering::Relaxed);
        PERSISTED.add(count);
        REFUSED.add(refused);
        SEGMENTS.add(1);
        STORED_BYTES.add(stored_bytes);
    }

    pub(crate) fn lost(&self, count: u64) {
        self.lost.fetch_add(count, Ordering::Relaxed);
        LOST.add(count);
    }

    pub(crate) fn pruned(&self, segments: u64) {
        self.pruned.fetch_add(segments, Ordering::Relaxed);
        PRUNED.add(segments);
    }

    pub(crate) fn failing(&self) -> Option<String> {
        self.failing.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn set_failing(&self, why: Option<String>) {
        *self.failing.lock().unwrap_or_else(PoisonError::into_inner) = why;
    }

    pub(crate) fn stats(&self) -> ObserveStats {
        let value = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        ObserveStats {
            drained: value(&self.drained),
            persisted: value(&self.persisted),
            refused: value(&self.refused),
            unattributed: value(&self.unattributed),
            lost: value(&self.lost),
            segments: value(&self.segments),
            stored_bytes: value(&self.stored_bytes),
            pruned: value(&self.pruned),
            held_bytes: value(&self.held_bytes),
            buffers: value(&self.buffers),
            failing: self.failing(),
        }
    }
}
