//! A window of the last N outcomes: blocks of outcomes in a ring.
//!
//! A block is one word: its number, the tag of the closed period it belongs to, how many outcomes it holds, and two bits for each (failed,
//! slow). *An outcome* is one exchange of the newest block; while one thread alone has changed the window it is one store (`bias.rs`),
//! and what follows holds all the more. Where that block is full, or of an earlier period, the exchange is of the next word of the ring,
//! from what it was to a block of the next number with this one outcome; whoever sees a begun block moves the head to it. A block that is
//! not the newest never changes again until it is begun anew: it is full, or of an earlier period, whose outcomes count no more. So an
//! exchange that succeeds appends to the newest block or begins the next one, and no outcome is lost or taken twice. A block's number makes
//! the words of its place differ through 2^25 turns of the ring, so a thread would have to sleep through 400 million outcomes a block, and
//! wake at the same one, to be mistaken.
//!
//! *The tally* walks back from the newest block. Whoever moves the head has seen the block before it full, and begun the next one or
//! seen it begun; the head is moved with release and loaded with acquire, so whoever appends to a block sees what was put into those before
//! it, and in its own block what was put there before, since all exchanges of one word have an order. So of two failures that count
//! together, the later one's tally has both. Blocks that are begun anew during the walk are noticed by their number, and the walk
//! starts again.

use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release};

use super::Tally;
use super::state::{TAG_BITS, TAG_MAX, after};
use crate::bias::{Bias, Turn};
use crate::mutant::Mutant::{BlockStored, HeadLoadRelaxed, HeadRelaxed, HeadUnhelped, NextStored};
use crate::mutant::{mutated, unless};
use crate::primitive::AtomicU64;

/// Outcomes of a block.
#[cfg(not(loom))]
const BLOCK: u32 = 12;
#[cfg(loom)]
const BLOCK: u32 = 2;

const SLOW: u32 = 12;
const HELD: u32 = 24;
const TAG: u32 = 28;
const NUMBER: u32 = TAG + TAG_BITS;
const NUMBER_MAX: u64 = (1 << (64 - NUMBER)) - 1;

/// From the low end: failed (12 bits), slow (12), outcomes held (4), tag (11), number (25).
#[derive(Clone, Copy)]
struct Block(u64);

impl Block {
    fn number(self) -> u64 {
        self.0 >> NUMBER
    }

    fn tag(self) -> u64 {
        self.0 >> TAG & TAG_MAX
    }

    fn held(self) -> u32 {
        (self.0 >> HELD) as u32 & 15
    }

    fn begin(number: u64, tag: u64) -> Block {
        Block((number & NUMBER_MAX) << NUMBER | tag << TAG)
    }

    fn with(self, failed: bool, slow: bool) -> Block {
        let at = self.held();
        Block((self.0 | u64::from(failed) << at | u64::from(slow) << (SLOW + at)) + (1 << HELD))
    }

    /// Failures and slow calls among the newest `n`.
    fn newest(self, n: u32) -> (u32, u32) {
        let mask = (1u64 << self.held()) - (1u64 << (self.held() - n));
        ((self.0 & mask).count_ones(), (self.0 >> SLOW & mask).count_ones())
    }
}

/// The window.
#[derive(Debug)]
pub(crate) struct CountWindow {
    size: u32,
    /// Of all changes.
    bias: Bias,
    /// The newest block's number, or the one before it.
    head: AtomicU64,
    blocks: Box<[AtomicU64]>,
}

impl CountWindow {
    pub(crate) fn new(size: u32) -> CountWindow {
        // One block is part full, and one may be begun anew during a walk.
        let blocks = (size.div_ceil(BLOCK) as usize + 2).next_power_of_two();
        CountWindow {
            size,
            bias: Bias::new(),
            head: AtomicU64::new(0),
            blocks: (0..blocks).map(|_| AtomicU64::new(0)).collect(),
        }
    }

    fn place(&self, number: u64) -> &AtomicU64 {
        &self.blocks[number as usize & (self.blocks.len() - 1)]
    }

    /// Takes an outcome of the period; false when a later period has begun, or [`Turn::Nested`].
    #[inline]
    pub(crate) fn record(&self, tag: u64, failed: bool, slow: bool) -> bool {
        if let Some(turn) = self.bias.enter_quickly() {
            let head = self.head.load(unless(HeadLoadRelaxed, Acquire));
            let place = self.place(head);
            let block = Block(place.load(Relaxed));
            let newest = block.number() == head & NUMBER_MAX && block.tag() == tag && block.held() < BLOCK;
            if newest && turn.exchange(place, block.0, block.with(failed, slow).0, BlockStored) {
                return true;
            }
        }
        self.record_slowly(tag, failed, slow)
    }

    #[inline(never)]
    fn record_slowly(&self, tag: u64, failed: bool, slow: bool) -> bool {
        let turn = self.bias.enter();
        if matches!(turn, Turn::Nested) {
            return false;
        }
        loop {
            let head = self.head.load(unless(HeadLoadRelaxed, Acquire));
            let place = self.place(head);
            let block = Block(place.load(Relaxed));
            if block.number() != head & NUMBER_MAX {
                continue; // Begun anew since: the head has moved on.
            }
            if after(block.tag(), tag) {
                return false;
            }
            if block.tag() == tag && block.held() < BLOCK {
                if turn.exchange(place, block.0, block.with(failed, slow).0, BlockStored) {
                    return true;
                }
            } else if self.begin_block(&turn, head, Block::begin(head + 1, tag).with(failed, slow)) {
                return true;
            }
        }
    }

    /// Begins a period, unless one of its outcomes, or a later period, did.
    pub(crate) fn begin(&self, tag: u64) {
        let turn = self.bias.enter();
        if matches!(turn, Turn::Nested) {
            return;
        }
        loop {
            let head = self.head.load(unless(HeadLoadRelaxed, Acquire));
            let block = Block(self.place(head).load(Relaxed));
            if block.number() == head & NUMBER_MAX {
                let begun = block.tag() == tag || after(block.tag(), tag);
                if begun || self.begin_block(&turn, head, Block::begin(head + 1, tag)) {
                    return;
                }
            }
        }
    }

    /// Begins the block after `head`; false when somebody else did.
    fn begin_block(&self, turn: &Turn<'_>, head: u64, new: Block) -> bool {
        let next = head + 1;
        let place = self.place(next);
        let old = Block(place.load(Relaxed));
        let begun = old.number() != next & NUMBER_MAX && turn.exchange(place, old.0, new.0, NextStored);
        if let Turn::Alone(_) = turn {
            self.head.store(next, Release);
        } else if begun || !mutated(HeadUnhelped) {
            // Fails when somebody else moved it, who may be further.
            let _ = self.head.compare_exchange(head, next, unless(HeadRelaxed, AcqRel), Relaxed);
        }
        begun
    }

    /// The last N outcomes of the period.
    pub(crate) fn tally(&self, tag: u64) -> Tally {
        loop {
            if let Some(tally) = self.walk(tag) {
                return tally;
            }
        }
    }

    /// None when a block was begun anew under the walk.
    fn walk(&self, tag: u64) -> Option<Tally> {
        let load = |number| Block(self.place(number).load(Relaxed));
        let head = self.head.load(unless(HeadLoadRelaxed, Acquire));
        let is = |number: u64| load(number).number() == number & NUMBER_MAX;
        let newest = if is(head + 1) { head + 1 } else { head };
        let (mut tally, mut number) = (Tally::default(), newest);
        while tally.calls < u64::from(self.size) {
            let block = load(number);
            if block.number() != number & NUMBER_MAX {
                return None;
            }
            if block.tag() != tag {
                break;
            }
            let n = block.held().min(self.size - tally.calls as u32);
            let (failures, slow) = block.newest(n);
            tally.calls += u64::from(n);
            tally.failures += u64::from(failures);
            tally.slow += u64::from(slow);
            if number == 0 {
                break;
            }
            number -= 1;
        }
        Some(tally)
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn is_the_last_n_of_the_period() {
        for size in [1, 2, 5, 12, 13, 24, 100] {
            let window = CountWindow::new(size);
            let mut all: Vec<(bool, bool)> = Vec::new();
            for i in 0..1000u32 {
                let (failed, slow) = (i % 3 == 0 || i % 7 == 1, i % 5 == 2);
                assert!(window.record(7, failed, slow));
                all.push((failed, slow));
                let last = &all[all.len().saturating_sub(size as usize)..];
                let count = |of: fn(&(bool, bool)) -> bool| last.iter().filter(|outcome| of(outcome)).count() as u64;
                let expected = Tally { calls: last.len() as u64, failures: count(|o| o.0), slow: count(|o| o.1) };
                assert_eq!(window.tally(7), expected, "size {size} after {}", i + 1);
            }
            assert_eq!(window.tally(8), Tally::default());
            assert!(window.record(9, true, false));
            assert!(!window.record(7, true, false), "an earlier period's");
            assert_eq!(window.tally(9), Tally { calls: 1, failures: 1, slow: 0 });
        }
    }
}
