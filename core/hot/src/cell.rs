//! Publishing through the hot line.

use core::sync::atomic::Ordering::{Release, SeqCst};

use crate::layout::HotLine;
use crate::mutant::Mutant::*;
use crate::mutant::{Step, mutated, step, unless};
use crate::primitive::AtomicU64;

/// One generation, as the hot line announces it.
#[derive(Clone, Copy)]
pub struct Generation {
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
        #[cfg(feature = "mutants")]
        let next = &late(next);
        if mutated(EpochFirst) {
            self.epoch.store(next.epoch, Release);
        }
        step(Step::Publishing);
        self.root.swap(next.root, unless(mutated(RootStoreRelaxed), SeqCst));
        step(Step::Exchanged);
        self.gate.store(gate(next.root), Release);
        step(Step::GateStored);
        if !mutated(CandidateKept) {
            self.cand_root.store(next.candidate, unless(mutated(CandidateRelaxed), Release));
            step(Step::CandidateStored);
            self.cand_gate.store(gate(next.candidate), Release);
        }
        // Last: whoever acquires this epoch finds both roots at least as new, which is what a lower bound promises.
        self.epoch.store(next.epoch, unless(mutated(EpochRelaxed), Release));
        step(Step::EpochStored);
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

/// Under the mutant, the generation before this one.
#[cfg(feature = "mutants")]
fn late(next: &Generation) -> Generation {
    static PENDING: std::sync::Mutex<Option<Generation>> = std::sync::Mutex::new(None);
    if mutated(AckEarly) { crate::hot::lock(&PENDING).replace(*next).unwrap_or(*next) } else { *next }
}
