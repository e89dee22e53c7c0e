//! Planted faults, and the hooks between the protocol's steps.
//!
//! In the product every function here is a constant and leaves no instruction. Under the feature `mutants`, and in the loom models, a
//! test chooses at run time one fault that the same source then has, and must be found; and it may delay any thread at any step.
//!
//! The loom models find each of them; `examples/soak` finds on real processors what they can show. What no test can catch, and why:
//!
//! - The compiler barrier of `begin`: a mutant would be another binary. `tests/assembly.rs` looks at the instructions instead.
//! - `gate` and `cand_gate` stored relaxed: a view is used only after `root` was loaded, with acquire, and had the same value; the gate
//!   carries no information of its own, other than being closed.
//! - `root` exchanged with acquire-release instead of seq_cst: what is promised to whoever hears of the acknowledgement follows from
//!   coherence, and reclamation from the barrier. The difference is whether the exchange may be delayed beyond the promoter's
//!   return, which on x86-64 is the same instruction.
//! - The clock, the counters and the canary's salt and limit relaxed: they order nothing.

/// A fault.
macro_rules! mutants {
    ($($name:ident $text:literal $what:literal,)*) => {
        /// A fault that can be planted.
        #[cfg_attr(not(any(loom, feature = "mutants")), allow(dead_code))]
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u32)]
        pub enum Mutant {
            $(#[doc = $what] $name,)*
        }

        #[cfg(any(loom, feature = "mutants"))]
        impl Mutant {
            /// Each fault with its name on a command line and what it does.
            pub const ALL: &[(Mutant, &str, &str)] = &[$((Mutant::$name, $text, $what),)*];
        }
    };
}

mutants! {
    Faithful "none" "no fault",
    PinRelaxed "pin-relaxed" "begin stores the pin relaxed",
    RootRelaxed "root-relaxed" "begin loads the root relaxed",
    EndRelaxed "end-relaxed" "end stores the pin relaxed",
    NoValidation "no-validation" "begin trusts the gate without looking at the root again",
    PinAfterRoot "pin-after-root" "begin validates first and pins then",
    SlowUnfenced "slow-unfenced" "the slow path has no fence",
    SlowEpochRelaxed "slow-epoch-relaxed" "the slow path loads the epoch relaxed",
    SlowBoundRelaxed "slow-bound-relaxed" "the slow path stores the lower bound relaxed",
    SlowRootRelaxed "slow-root-relaxed" "the slow path loads the root relaxed",
    SlowPinRelaxed "slow-pin-relaxed" "the slow path stores the exact pin relaxed",
    NestedForgetsOuter "nested-forgets-outer" "a nested view replaces the outer view's pin by a bound of the current epoch",
    QuiescentEpochRelaxed "quiescent-epoch-relaxed" "an announcement loads the epoch relaxed",
    QuiescentRelaxed "quiescent-relaxed" "an announcement stores the bound relaxed",
    QuiescentUnfenced "quiescent-unfenced" "an announcement in fence mode has no fence",
    EpochFirst "epoch-first" "the promoter stores the epoch before it replaces the roots",
    EpochRelaxed "epoch-relaxed" "the promoter stores the epoch relaxed",
    RootStoreRelaxed "root-store-relaxed" "the promoter replaces the root relaxed",
    CandidateRelaxed "candidate-relaxed" "the promoter replaces the candidate relaxed",
    CandidateKept "candidate-kept" "a publication leaves the candidate of an older epoch where it is, and retires the root under it",
    AckEarly "ack-early" "a publication returns before the root is replaced",
    NoBarrier "no-barrier" "the reclaimer has no barrier at all",
    FenceOnWriterOnly "fence-on-writer-only" "the reclaimer fences for itself only",
    BarrierFirst "barrier-first" "the reclaimer issues its barrier before it takes the list of what was removed",
    ScanRelaxed "scan-relaxed" "the reclaimer loads the pins relaxed",
    BoundBelow "bound-below" "a lower bound of e protects only what is newer than e",
    BoundsIgnored "bounds-ignored" "the reclaimer looks at exact pins only",
    HoldsFirst "holds-first" "the reclaimer looks at the holds before the pins",
    HoldsRelaxed "holds-relaxed" "the reclaimer loads the holds relaxed",
    ReleaseRelaxed "release-relaxed" "a hold is released relaxed",
    MarksIgnored "marks-ignored" "after the fallback the reclaimer trusts readers that never fenced",
    MarkEarly "mark-early" "the slow path marks the reader first, and relaxed",
    SequenceFirst "sequence-first" "an append stores the sequence word before the record",
    SequenceRelaxed "sequence-relaxed" "an append stores the sequence word relaxed",
    DrainRelaxed "drain-relaxed" "the consumer loads the sequence word relaxed",
    HeadFirst "head-first" "the consumer gives the record back before it copies it",
    HeadRelaxed "head-relaxed" "the consumer gives the record back relaxed",
    FullRelaxed "full-relaxed" "the producer loads the consumer's head relaxed",
}

/// Where a thread is in the protocol.
#[cfg_attr(not(any(loom, feature = "mutants")), allow(dead_code))]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Step {
    /// Reader: nothing done yet.
    Begin,
    /// Reader: the gate is loaded.
    GateLoaded,
    /// Reader: the pin is stored.
    Pinned,
    /// Reader: the root is loaded.
    RootLoaded,
    /// Reader: the slow path is entered.
    Slow,
    /// Reader: the slow path loaded the epoch.
    BoundLoaded,
    /// Reader: the slow path stored the bound.
    BoundStored,
    /// Reader: the slow path fenced.
    SlowFenced,
    /// Reader: the slow path loaded the root.
    SlowRootLoaded,
    /// Reader: the slow path stored the exact pin.
    SlowPinned,
    /// Reader: an announcement loaded the epoch.
    QuiescentLoaded,
    /// Reader: an announcement stored the bound.
    QuiescentStored,
    /// Reader: a quiescent view loaded the root.
    QuiescentRoot,
    /// Reader: a program between two reads of one view.
    Reading,
    /// Reader: about to end a view.
    Ending,
    /// Reader: the view is ended.
    Ended,
    /// Promoter: about to replace the root.
    Publishing,
    /// Promoter: the root is replaced.
    Exchanged,
    /// Promoter: the gate is replaced.
    GateStored,
    /// Promoter: the candidate is replaced.
    CandidateStored,
    /// Promoter: the epoch is stored.
    EpochStored,
    /// Reclaimer: took the list of removed roots.
    Taken,
    /// Reclaimer: the barrier is over.
    BarrierDone,
    /// Reclaimer: about to look at the pins.
    Scanning,
    /// Reclaimer: looked at every pin.
    Scanned,
    /// Reclaimer: about to give slots back.
    Freeing,
    /// Producer: about to write a record.
    Appending,
    /// Consumer: about to copy a record.
    Copying,
}

#[cfg(not(any(loom, feature = "mutants")))]
mod planted {
    use super::{Mutant, Step};

    #[inline(always)]
    pub(crate) const fn mutated(_: Mutant) -> bool {
        false
    }

    #[inline(always)]
    pub(crate) const fn step(_: Step) {}

    #[inline(always)]
    pub(crate) const fn written<T>(_: *const T) {}

    #[inline(always)]
    pub(crate) const fn read<T>(_: *const T) {}
}

#[cfg(any(loom, feature = "mutants"))]
mod planted {
    use std::sync::atomic::{AtomicPtr, AtomicU32, Ordering::Relaxed};

    use super::{Mutant, Step};

    static CHOSEN: AtomicU32 = AtomicU32::new(Mutant::Faithful as u32);
    static HOOK: AtomicPtr<()> = AtomicPtr::new(core::ptr::null_mut());
    static TOUCH: AtomicPtr<()> = AtomicPtr::new(core::ptr::null_mut());

    #[inline(always)]
    pub(crate) fn mutated(mutant: Mutant) -> bool {
        CHOSEN.load(Relaxed) == mutant as u32
    }

    /// Plants a fault, for the whole process.
    pub fn plant(mutant: Mutant) {
        CHOSEN.store(mutant as u32, Relaxed);
    }

    /// Has `hook` called at every step of every thread.
    pub fn hook(hook: fn(Step)) {
        HOOK.store(hook as *mut (), Relaxed);
    }

    /// Has `touch` called at every access (true: a write) to memory that the protocol hands from thread to thread.
    pub fn on_touch(touch: fn(*const (), bool)) {
        TOUCH.store(touch as *mut (), Relaxed);
    }

    #[inline(always)]
    pub(crate) fn step(step: Step) {
        let hook = HOOK.load(Relaxed);
        if !hook.is_null() {
            // SAFETY: only `hook` stores here.
            unsafe { core::mem::transmute::<*mut (), fn(Step)>(hook)(step) }
        }
    }

    fn touched(at: *const (), write: bool) {
        let touch = TOUCH.load(Relaxed);
        if !touch.is_null() {
            // SAFETY: only `on_touch` stores here.
            unsafe { core::mem::transmute::<*mut (), fn(*const (), bool)>(touch)(at, write) }
        }
    }

    pub(crate) fn written<T>(at: *const T) {
        touched(at.cast(), true);
    }

    pub(crate) fn read<T>(at: *const T) {
        touched(at.cast(), false);
    }
}

#[cfg(any(loom, feature = "mutants"))]
pub use planted::{hook, on_touch, plant};
pub(crate) use planted::{mutated, read, step, written};

/// `order`, or relaxed under the mutant.
#[inline(always)]
pub(crate) const fn unless(mutant: bool, order: core::sync::atomic::Ordering) -> core::sync::atomic::Ordering {
    if mutant { core::sync::atomic::Ordering::Relaxed } else { order }
}
