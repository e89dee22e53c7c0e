//! Publishing through the hot line.

use core::sync::atomic::Ordering::{Release, SeqCst};

use crate::layout::HotLine;
use crate::primitive::AtomicU64;

/// One generation, as the hot line announces it.
pub(crate) struct Generation {
    /// The root's address.
    pub root: u64,
    /// The candidate's address; the root's own while no canary runs.
    pub candidate: u64,
    /// Greater than that of every generation before; both roots carry it.
    pub epoch: u64,
    /// Whether the fast path is open.
    pub open: bool,
}

impl HotLine {
    pub(crate) fn new(first: &Generation) -> HotLine {
        let gate = |root| AtomicU64::new(if first.open { root } else { 0 });
        HotLine {
            gate: gate(first.root),
            root: AtomicU64::new(first.root),
            epoch: AtomicU64::new(first.epoch),
            cand_gate: gate(first.candidate),
            cand_root: AtomicU64::new(first.candidate),
            canary_limit: AtomicU64::new(0),
            canary_salt: AtomicU64::new(0),
            reserved: AtomicU64::new(0),
        }
    }

    /// Replaces both roots. The caller is the only promoter.
    pub(crate) fn publish(&self, next: &Generation) {
        let gate = |root| if next.open { root } else { 0 };
        self.root.swap(next.root, SeqCst);
        self.gate.store(gate(next.root), Release);
        self.cand_root.store(next.candidate, Release);
        self.cand_gate.store(gate(next.candidate), Release);
        // Last: whoever acquires this epoch finds both roots at least as new, which is what a lower bound promises.
        self.epoch.store(next.epoch, Release);
    }

    /// No subject reads the candidate any more.
    pub(crate) fn choose_none(&self) {
        self.canary_limit.store(0, Release);
    }

    /// Subjects with `hash * salt < limit` read the candidate from now on.
    pub(crate) fn choose(&self, limit: u64, salt: u64) {
        self.canary_salt.store(salt, Release);
        self.canary_limit.store(limit, Release);
    }

    /// Sends every begin to the slow path, for good.
    pub(crate) fn shut(&self) {
        self.gate.store(0, SeqCst);
        self.cand_gate.store(0, SeqCst);
    }
}
