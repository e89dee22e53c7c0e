//! Publishing through the hot line, and why nothing that a reader can still reach is ever freed.
//!
//! # The reader's path
//!
//! ```text
//! begin  r1  saved = pin                      nested? then the slow path
//!        r2  x = gate            relaxed
//!        r3  pin = x             release
//!        r4  light barrier       compiler only; the fence is the reclaimer's
//!        r5  x == root ?         acquire      else the slow path
//! end    r6  pin = saved         release
//!
//! slow   s1  e = epoch           acquire      (0 for a nested view)
//!        s2  pin = bound of e    release
//!        s3  fence               seq_cst
//!        s4  x = root            acquire
//!        s5  pin = x             release      (left a bound of 0 for a nested view)
//!        s6  mark                release      if both gates are closed
//!
//! quiescent  q1  e = epoch       acquire
//!            q2  pin = bound of e  release
//!            q3  light barrier                later views load root with acquire, and store nothing
//! ```
//!
//! No step waits: the slow path is straight code too, and keeps whatever root it finds at s4, because its bound was in place before.
//!
//! # The writer's path
//!
//! ```text
//! publish  w1  root = new        exchange, seq_cst        reclaim  c1  take the list of roots that are in no cell
//!          w2  gate = new        release                           c2  heavy barrier
//!          w3  cand_root = new   release                           c3  marks, then pins     acquire
//!          w4  cand_gate = new   release                           c4  holds                acquire
//!          w5  epoch = new       release                           c5  free what no pin equals, no bound of e has e <= k, no hold keeps
//!          w6  old on the list, under the writer's lock
//! ```
//!
//! # Why a pinned root is not freed
//!
//! Let root k be on the list at c1, so that w1 (and w3) of a later generation came before c2. The heavy barrier puts a full fence into
//! each reader's program, at some place between two of its steps. Take a view of k that begins at any time:
//!
//! - *The fence is before r3.* Then r5 comes after it and cannot load k any more, because k's removal came before c2: the view is not of
//!   k. (If k's address is in use again by then, r5 found the newer root there, and acquires its contents.)
//! - *The fence is between r3 and r6.* The pin is visible at c3: it equals k, or it is a nested view's bound of 0, and k stays; or r6 came
//!   meanwhile, as in the next case.
//! - *The fence is after r6.* The pin seen at c3 is that of r6 or a later one. It was stored with release, or behind a release store of the
//!   same reader that c3's acquire also sees (each store to a pin is one), so that every read of the view comes before the free.
//!
//! For the slow path the same holds with s3 for the fence: either c2 comes first, and s4 loads a newer root, or s3 comes first, and c3 sees
//! the bound, or the exact pin that followed it. The bound covers whatever s4 can load: e was acquired at s1, and was stored after the
//! roots (w5), so s4 finds a root at least as new as e, while k <= any root between. From s5 on the exact pin says the same with less.
//! c3 may miss neither, because one location is read once: it sees the bound or the pin.
//!
//! A quiescent reader's bound of e keeps every root from e on. Its views load roots at least as new (w5), and those loaded before the
//! announcement are not used after it, which its release store says.
//!
//! # Nested views, and signal handlers
//!
//! A begin that finds a pin goes to the slow path and stores a bound of 0, which keeps everything: the outer view's root too, whose exact
//! pin is now covered by the bound, in one store. Its end restores the outer pin. A signal handler that interrupts anywhere does the
//! same and leaves the pin as it was: between r2 and r3 it finds 0 and may pin and unpin another root, after which r5 still decides; between
//! r3 and r5 it finds a pin and nests.
//!
//! # The candidate
//!
//! Both roots carry one epoch and are replaced by each publication. A candidate that stayed while the epoch went on would be older than a
//! bound that its own reader has just stored at s2.
//!
//! # Acknowledgement
//!
//! Whoever begins after it learned that `publish` returned sees that generation or a newer one: w1 and w3 happen before the return, the
//! return before the begin, and a later load of the same location cannot go back. The gate may lag; then r5 fails and s4 loads the root.
//!
//! # The gate closes
//!
//! Fence mode and close leave the gates 0 for good. Once a reader saw both at 0 it takes the slow path in every later begin, by coherence,
//! and marks itself at s6. When the barrier stops working in a running engine, the reclaimer closes the gates, fences, and frees nothing
//! as long as a registered reader is without the mark, because its pin might be on its way. The mark is released after the pin that it
//! speaks for, and acquired before the pin is looked at.
//!
//! # Orderings
//!
//! | order | what goes wrong without it | found by |
//! |---|---|---|
//! | r3, r6, s2, q2 release | reads of an earlier view are not before the free that the new pin allows | loom |
//! | r4 after r3 in the program | the compiler moves the load of the root up | `tests/compiler_order.rs` |
//! | r5, s4 acquire | the new root's contents are not there yet | loom, ThreadSanitizer |
//! | s1 acquire | nothing: s3 makes it one for s4; kept because a reader of the code need not know | loom agrees |
//! | s3 | the bound is seen late | loom, soak |
//! | s5 release | nothing: s3 makes it one for earlier views | loom agrees |
//! | q1 acquire | a view of a root older than the bound | loom, with forced fences only |
//! | w1, w3 at least release | as r5 | loom |
//! | w5 last, release | a bound that is newer than the root it should keep | loom, soak |
//! | c2 between c1 and c3 | a pin on its way | loom, litmus test, soak |
//! | c3 acquire, c3 before c4, c4 acquire | reads of a view or through a hold are not before the free; a hold taken under a pin is missed | loom, soak |

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
