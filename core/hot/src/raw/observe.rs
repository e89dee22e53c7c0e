//! Appending an observation.

use core::sync::atomic::Ordering::{Acquire, Relaxed, Release};

use crate::layout::{Key, RawView, ReaderLine, Record};
use crate::mutant::Mutant::{FullRelaxed, SequenceFirst, SequenceRelaxed};
use crate::mutant::{Step, mutated, step, unless, written};

/// Appends an observation to the reader's ring: one cache line; false, and counted, where the ring is full or the process forked.
///
/// `time_ns` is in nanoseconds since the Unix epoch; `None` takes the engine's cached clock.
///
/// # Safety
/// `reader` is a registered line that no other thread uses now, and `view` is open. Not safe in a signal handler.
#[inline(always)]
#[allow(clippy::too_many_arguments)]
pub unsafe fn observe(
    reader: *mut ReaderLine,
    view: RawView,
    key: Key,
    tag: u32,
    value: u64,
    outcome: u32,
    subject: u64,
    detail: u64,
    time_ns: Option<u64>,
) -> bool {
    // SAFETY: this thread is the ring's only producer; a record between `head` and `head + capacity` from the tail on is no longer
    // read by the consumer, which gave it up by storing `head` with release.
    unsafe {
        let ring = (*reader).ring;
        let tail = (*ring).tail;
        if tail.wrapping_sub((*ring).head_cache) >= (*ring).capacity {
            (*ring).head_cache = (*ring).head.load(unless(mutated(FullRelaxed), Acquire));
            if tail.wrapping_sub((*ring).head_cache) >= (*ring).capacity {
                (*ring).dropped.store((*ring).dropped.load(Relaxed) + 1, Relaxed);
                return false;
            }
        }
        let record = (*ring).records.add((tail & ((*ring).capacity - 1)) as usize);
        if mutated(SequenceFirst) {
            (*record).sequence.store(tail + 1, Release);
        }
        step(Step::Appending);
        written(record);
        claim_ahead(record);
        (*record).time_ns = match time_ns {
            Some(time) => time,
            None => (*(*reader).clock).load(Relaxed),
        };
        (*record).epoch = (*view.root).epoch;
        (*record).key = key;
        (*record).value = value;
        (*record).tag = tag;
        (*record).outcome = outcome;
        (*record).subject = subject;
        (*record).detail = detail;
        (*record).sequence.store(tail + 1, unless(mutated(SequenceRelaxed), Release));
        (*ring).tail = tail + 1;
        true
    }
}

/// Asks for the line of the record eight ahead, which the consumer's processor still shares: a store waits for such a line, and stores
/// retire in order, so that without this each append would wait for one transfer. Behind the ring's end it asks in vain, and harmlessly.
#[inline(always)]
fn claim_ahead(record: *mut Record) {
    #[cfg(all(target_arch = "x86_64", not(miri)))]
    // SAFETY: a hint; it faults at no address. Processors without the instruction take it for a no-op.
    unsafe {
        core::arch::asm!("prefetchw [{}]", in(reg) record.wrapping_add(8).addr(), options(nomem, nostack, preserves_flags));
    }
    #[cfg(not(all(target_arch = "x86_64", not(miri))))]
    let _ = record;
}
