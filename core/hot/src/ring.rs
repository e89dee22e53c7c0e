//! A reader's observation ring: one producer, one consumer, one cache line a record.
//!
//! *Producer* (`raw::observe`): if tail - head_cache is the capacity, head_cache = head (acquire), and if it still is, refuse. Write the record,
//! then its sequence word = tail + 1 with release; tail is the producer's own and never shared.
//! *Consumer* ([`Ring::drain`]): at number n, load the record's sequence word with acquire; if it is n + 1, copy the record and store
//! head = n + 1 with release.
//!
//! The word says n + 1 only when the record of number n is complete: in the lap before, it said n + 1 - capacity, and before the first 0.
//! The release of the word orders the record's bytes before it. The producer writes there again only for number n + capacity, which it
//! may do only after it acquired a head above n, which the consumer released after its copy. So no byte is written while it is read,
//! nothing is read before it is written, and no record that was accepted is skipped: the consumer stops at the first word that does not match.
//!
//! A consumer that stops anywhere, or a producer that dies between two stores, leaves the ring in one of these states. In a forked child
//! the mapping reads as zeros: the capacity is 0, and each append is refused before it touches a record.

use core::sync::atomic::Ordering::{Acquire, Relaxed, Release};

use crate::error::HotError;
use crate::fork::Wiped;
use crate::layout::{Key, Record, RingHeader};
use crate::mutant::Mutant::{DrainRelaxed, HeadFirst, HeadRelaxed};
use crate::mutant::{Step, mutated, read, step, unless};

/// An observation as it was appended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Observation {
    /// Its number in its reader's ring, from 0, without gaps.
    pub sequence: u64,
    /// Nanoseconds since the Unix epoch.
    pub time_ns: u64,
    /// The generation of the view it was made in.
    pub epoch: u64,
    /// What was observed.
    pub key: Key,
    /// The value's bits, after `tag`.
    pub value: u64,
    /// [`crate::layout::Tag`] of the value.
    pub tag: u32,
    /// [`crate::layout::Outcome`], or the program's own code from 256 on.
    pub outcome: u32,
    /// Whom it concerns, or 0.
    pub subject: u64,
    /// The program's own word.
    pub detail: u64,
}

/// The mapping of one ring.
pub(crate) struct Ring {
    memory: Wiped,
    capacity: u64,
}

impl Ring {
    /// A ring for at least `records` records; one of 0 refuses every append.
    pub fn new(records: usize) -> Result<Ring, HotError> {
        let capacity = if records == 0 { 0 } else { records.next_power_of_two() };
        let memory = Wiped::new(size_of::<RingHeader>() + capacity * size_of::<Record>())?;
        let header = memory.at().cast::<RingHeader>();
        // SAFETY: fresh zeroed memory, aligned to a page; the header's other fields are zero.
        unsafe {
            let records = header.add(1).cast::<Record>();
            (*header.as_ptr()).records = records.as_ptr();
            (*header.as_ptr()).capacity = capacity as u64;
        }
        Ok(Ring { memory, capacity: capacity as u64 })
    }

    pub fn header(&self) -> *mut RingHeader {
        self.memory.at().cast().as_ptr()
    }

    /// Appends that were refused.
    pub fn dropped(&self) -> u64 {
        // SAFETY: the header lives as long as self; atomics are shared.
        unsafe { (*self.header()).dropped.load(Relaxed) }
    }

    /// Records consumed.
    pub fn consumed(&self) -> u64 {
        // SAFETY: as above.
        unsafe { (*self.header()).head.load(Relaxed) }
    }

    /// Records appended and not consumed. Exact once the producer is gone.
    pub fn waiting(&self) -> u64 {
        let start = self.consumed();
        let records: *const Record = self.header().wrapping_add(1).cast();
        let ready = |number: u64| {
            // SAFETY: within the mapping; the sequence word is atomic.
            let sequence = unsafe { &(*records.add((number & (self.capacity - 1)) as usize)).sequence };
            sequence.load(Acquire) == number + 1
        };
        (start..start + self.capacity).take_while(|&number| ready(number)).count() as u64
    }

    /// Hands at most `max` records to `f`. The caller is the only consumer.
    pub fn drain(&self, max: usize, f: &mut impl FnMut(Observation)) -> usize {
        let header = self.header();
        let records: *const Record = header.wrapping_add(1).cast();
        // SAFETY: head is written by the consumer alone, which is the caller.
        let head = unsafe { &(*header).head };
        let (start, mut taken) = (head.load(Relaxed), 0);
        while taken < max as u64 && self.capacity != 0 {
            let number = start + taken;
            // SAFETY: within the mapping. A sequence word that matches was stored with release after the record's other words, and the
            // producer leaves the record alone until `head` passes it.
            let observation = unsafe {
                let record = records.add((number & (self.capacity - 1)) as usize);
                if (*record).sequence.load(unless(mutated(DrainRelaxed), Acquire)) != number + 1 {
                    break;
                }
                if mutated(HeadFirst) {
                    head.store(number + 1, Release);
                }
                step(Step::Copying);
                read(record);
                Observation {
                    sequence: number,
                    time_ns: (*record).time_ns,
                    epoch: (*record).epoch,
                    key: (*record).key,
                    value: (*record).value,
                    tag: (*record).tag,
                    outcome: (*record).outcome,
                    subject: (*record).subject,
                    detail: (*record).detail,
                }
            };
            taken += 1;
            // Given back at once, so that a panic in `f` neither repeats nor loses more than this record.
            head.store(start + taken, unless(mutated(HeadRelaxed), Release));
            f(observation);
        }
        taken as usize
    }
}
