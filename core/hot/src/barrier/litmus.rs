//! Store buffering, on this processor: the shape that the asymmetric barrier must forbid.
//!
//! The reader stores to x and loads y with nothing but [`light`] in between; the reclaimer stores to y and loads x behind its barrier.
//! Both loading 0 is what a freed root under a pinned reader looks like. Without the barrier it must happen, or the test shows nothing.

use core::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use core::sync::atomic::{AtomicBool, AtomicU64};

use super::{Barrier, BarrierChoice, light};

#[repr(align(128))]
struct Cell(AtomicU64);

struct Shape {
    x: Cell,
    y: Cell,
    /// What the reader's store waits behind, as in a program that has written elsewhere just before.
    elsewhere: [Cell; 16],
    round: Cell,
    loaded: Cell,
    over: AtomicBool,
}

const fn cell() -> Cell {
    Cell(AtomicU64::new(0))
}

/// Rounds in which both loaded the old value, of at most `rounds`; ends after `enough` of them.
fn violations(rounds: u64, enough: u64, heavy: impl Fn()) -> u64 {
    let shape = Shape {
        x: cell(),
        y: cell(),
        elsewhere: [const { cell() }; 16],
        round: cell(),
        loaded: cell(),
        over: AtomicBool::new(false),
    };
    let wait = |cell: &Cell, value: u64| {
        let mut spins = 0u32;
        while cell.0.load(Acquire) != value && !shape.over.load(Relaxed) {
            spins += 1;
            if spins > 2_000 {
                std::thread::yield_now();
            }
        }
    };
    std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            for round in 1..=rounds {
                wait(&shape.round, round);
                if shape.over.load(Relaxed) {
                    return;
                }
                for line in &shape.elsewhere {
                    line.0.store(round, Relaxed);
                }
                shape.x.0.store(round, Release);
                light();
                let y = shape.y.0.load(Acquire);
                // The round's number and whether the old value was seen, in one word.
                shape.loaded.0.store(round << 1 | u64::from(y != round), Release);
            }
        });
        let mut found = 0;
        for round in 1..=rounds {
            for line in &shape.elsewhere {
                line.0.store(round, Relaxed);
            }
            shape.round.0.store(round, Release);
            for _ in 0..round % 64 {
                core::hint::spin_loop();
            }
            shape.y.0.store(round, Release);
            heavy();
            let x = shape.x.0.load(Acquire);
            let mut spins = 0u32;
            while shape.loaded.0.load(Acquire) >> 1 != round {
                spins += 1;
                if spins > 2_000 {
                    std::thread::yield_now();
                }
            }
            if x != round && shape.loaded.0.load(Relaxed) & 1 == 1 {
                found += 1;
                if found == enough {
                    break;
                }
            }
        }
        shape.over.store(true, Relaxed);
        reader.join().expect("the reader does not panic");
        found
    })
}

#[test]
fn the_barrier_forbids_what_happens_without_it() {
    let barrier = Barrier::open(BarrierChoice::Auto);
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    if barrier.is_fence() || processors < 2 {
        // Nothing to prove here: the readers fence, or never run beside the reclaimer.
        return;
    }
    let without = violations(20_000_000, 20, || ());
    assert!(without > 0, "the control shows no violation, so the test would not see one");
    let writer_only = violations(20_000_000, 20, || core::sync::atomic::fence(core::sync::atomic::Ordering::SeqCst));
    assert!(writer_only > 0, "a fence in the writer alone must not be enough");
    assert_eq!(violations(30_000, 1, || assert!(barrier.heavy())), 0);
}
