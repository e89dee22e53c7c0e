//! Beginning and ending views. The steps, and why they are enough, are in `cell.rs`.

use core::sync::atomic::Ordering::{Acquire, Relaxed, Release, SeqCst};

use crate::barrier::light;
use crate::layout::{HotLine, LOWER_BOUND, REGION, RawView, ReaderLine};
use crate::mutant::Mutant::{self, *};
use crate::mutant::{Step, mutated, step, unless};
use crate::primitive::{AtomicU64, fence};

/// `slow`'s third argument: the current root.
const CURRENT: u32 = 0;
/// `slow`'s third argument: the candidate's root.
const CANDIDATE: u32 = 1;
/// `slow`'s third argument: announce a quiescent state and leave the pin a lower bound.
const QUIESCENT: u32 = 2;

/// Opens a view of the current snapshot.
///
/// # Safety
/// `reader` is a registered line that no other thread uses now.
#[inline(always)]
pub unsafe fn begin(reader: *mut ReaderLine) -> RawView {
    // SAFETY: the line is registered, so its hot line lives.
    unsafe {
        let hot = hot_line(reader);
        begin_in(reader, &hot.gate, &hot.root, CURRENT)
    }
}

/// Opens a view of the snapshot that the running canary, if any, chooses for this subject.
///
/// # Safety
/// As [`begin`].
#[inline(always)]
pub unsafe fn begin_for(reader: *mut ReaderLine, subject_hash: u64) -> RawView {
    // SAFETY: as `begin`.
    unsafe {
        let hot = hot_line(reader);
        if chosen(hot, subject_hash) {
            begin_in(reader, &hot.cand_gate, &hot.cand_root, CANDIDATE)
        } else {
            begin_in(reader, &hot.gate, &hot.root, CURRENT)
        }
    }
}

/// The reader's hot line, by its place in the region: a load of `(*reader).hot` in each begin would cost a fifth of the read.
///
/// # Safety
/// `reader` is registered.
#[inline(always)]
unsafe fn hot_line<'h>(reader: *mut ReaderLine) -> &'h HotLine {
    // SAFETY: a registered line lies in its engine's region, which begins with the hot line and outlives the reader.
    unsafe { &*reader.map_addr(|at| at & !(REGION - 1)).cast::<HotLine>() }
}

#[inline(always)]
fn chosen(hot: &HotLine, subject_hash: u64) -> bool {
    subject_hash.wrapping_mul(hot.canary_salt.load(Relaxed)) < hot.canary_limit.load(Relaxed)
}

#[inline(always)]
unsafe fn begin_in(reader: *mut ReaderLine, gate: &AtomicU64, root: &AtomicU64, which: u32) -> RawView {
    // SAFETY: the line is registered and ours.
    unsafe {
        step(Step::Begin);
        let pin = &(*reader).pin;
        let saved = pin.load(Relaxed);
        if saved != 0 {
            return view(out_of_line(reader, saved, which), saved);
        }
        let expected = gate.load(Relaxed);
        step(Step::GateLoaded);
        if !mutated(PinAfterRoot) {
            pin.store(expected, unless(mutated(PinRelaxed), Release));
        }
        step(Step::Pinned);
        light();
        if expected != root.load(unless(mutated(RootRelaxed), Acquire)) && (!mutated(NoValidation) || expected == 0) {
            return view(out_of_line(reader, 0, which), 0);
        }
        step(Step::RootLoaded);
        if mutated(PinAfterRoot) {
            pin.store(expected, Release);
        }
        view(expected, 0)
    }
}

/// Apart, so that the compiler lays out the fast path without the registers of this call.
///
/// # Safety
/// As [`begin`].
#[cold]
#[inline(never)]
unsafe fn out_of_line(reader: *mut ReaderLine, saved: u64, which: u32) -> u64 {
    // SAFETY: the caller's promise.
    unsafe { ((*reader).slow)(reader, saved, which) }
}

#[inline(always)]
fn view(root: u64, saved: u64) -> RawView {
    RawView { root: core::ptr::with_exposed_provenance(root as usize), saved }
}

/// Ends a view. Views of one reader end in the reverse order of their beginning.
///
/// # Safety
/// `view` came from [`begin`] or [`begin_for`] on this reader, and nothing read from it is used any more.
#[inline(always)]
pub unsafe fn end(reader: *mut ReaderLine, view: RawView) {
    step(Step::Ending);
    // SAFETY: the line is registered and ours. Release: every read of the view comes before.
    unsafe { (*reader).pin.store(view.saved, unless(mutated(EndRelaxed), Release)) }
    step(Step::Ended);
}

/// Enters the quiescent mode: until [`offline`], views by [`begin_quiescent`] store nothing.
///
/// # Safety
/// As [`begin`]; no view is open.
#[inline(always)]
pub unsafe fn online(reader: *mut ReaderLine) {
    // SAFETY: the caller's promise.
    unsafe { quiescent(reader) }
}

/// Says that no view from before is in use any more.
///
/// # Safety
/// The reader is online, and nothing read from an earlier quiescent view is used any more.
#[inline(always)]
pub unsafe fn quiescent(reader: *mut ReaderLine) {
    // SAFETY: the line is registered and ours.
    unsafe {
        let hot = hot_line(reader);
        if hot.gate.load(Relaxed) == 0 {
            out_of_line(reader, 0, QUIESCENT);
            return;
        }
        let epoch = hot.epoch.load(unless(mutated(QuiescentEpochRelaxed), Acquire));
        step(Step::QuiescentLoaded);
        (*reader).pin.store(lower_bound(epoch), unless(mutated(QuiescentRelaxed), Release));
        step(Step::QuiescentStored);
        light();
    }
}

/// Leaves the quiescent mode.
///
/// # Safety
/// As [`quiescent`].
#[inline(always)]
pub unsafe fn offline(reader: *mut ReaderLine) {
    // SAFETY: the line is registered and ours.
    unsafe { (*reader).pin.store(0, Release) }
}

/// A view of the current snapshot, valid until the next [`quiescent`] or [`offline`]. It is not ended.
///
/// # Safety
/// The reader is online.
#[inline(always)]
pub unsafe fn begin_quiescent(reader: *mut ReaderLine) -> RawView {
    // SAFETY: the line is registered and ours. Should someone end this view, a bound of 0 keeps memory and corrupts nothing.
    let root = unsafe { hot_line(reader).root.load(Acquire) };
    step(Step::QuiescentRoot);
    view(root, LOWER_BOUND)
}

/// [`begin_quiescent`] with the choice of a canary.
///
/// # Safety
/// As [`begin_quiescent`].
#[inline(always)]
pub unsafe fn begin_quiescent_for(reader: *mut ReaderLine, subject_hash: u64) -> RawView {
    // SAFETY: as `begin_quiescent`.
    unsafe {
        let hot = hot_line(reader);
        let root = if chosen(hot, subject_hash) { &hot.cand_root } else { &hot.root };
        view(root.load(Acquire), LOWER_BOUND)
    }
}

#[inline(always)]
pub(crate) fn lower_bound(epoch: u64) -> u64 {
    epoch << 1 | LOWER_BOUND
}

/// The out-of-line half of `begin`: nested views, a root replaced between the two loads, a closed gate.
///
/// `fenced` is set once the reader has passed here with both gates closed: from then on each of its begins comes here, because a
/// location's values are never seen going backwards and a closed gate stays closed.
pub(crate) fn slow(hot: &HotLine, pin: &AtomicU64, fenced: &AtomicU64, saved: u64, which: u32) -> u64 {
    step(Step::Slow);
    let mark = || {
        if hot.gate.load(Relaxed) == 0 && hot.cand_gate.load(Relaxed) == 0 {
            fenced.store(1, unless(mutated(MarkEarly), Release));
        }
    };
    let forgets = mutated(NestedForgetsOuter);
    let bound = match saved != 0 && !forgets {
        true => lower_bound(0),
        false => lower_bound(hot.epoch.load(unless(mutated(SlowEpochRelaxed), Acquire))),
    };
    step(Step::BoundLoaded);
    if mutated(MarkEarly) {
        mark();
    }
    pin.store(bound, unless(mutated(SlowBoundRelaxed), Release));
    step(Step::BoundStored);
    let unfenced: Mutant = if which == QUIESCENT { QuiescentUnfenced } else { SlowUnfenced };
    if !mutated(unfenced) {
        fence(SeqCst);
    }
    step(Step::SlowFenced);
    let root = if which == CANDIDATE { &hot.cand_root } else { &hot.root };
    let root = root.load(unless(mutated(SlowRootRelaxed), Acquire));
    step(Step::SlowRootLoaded);
    if saved == 0 && which != QUIESCENT {
        pin.store(root, unless(mutated(SlowPinRelaxed), Release));
        step(Step::SlowPinned);
    }
    mark();
    root
}
