//! Store buffering, on this processor: the shape that the asymmetric barrier must forbid.
//!
//! The reader stores to x and loads y with nothing but [`light`] in between; the reclaimer stores to y and loads x behind its barrier.
//! Both loading 0 is what a freed root under a pinned reader looks like. Without the barrier it must happen, or the test shows nothing.

use core::sync::atomic::Ordering::{Acquire, Relaxed, Release, SeqCst};
use core::sync::atomic::{AtomicBool, AtomicU64};

use std::time::{Duration, Instant};

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

/// What a number of rounds showed.
struct Shown {
    rounds: u64,
    /// Whether both loaded the old value in one of them, which was the last.
    violation: bool,
}

/// Plays rounds until a violation, `rounds` of them, or the end of the time: two threads that have to meet are slow on a busy machine.
fn play(rounds: u64, time: Duration, heavy: impl Fn()) -> Shown {
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
        let end = Instant::now() + time;
        let mut shown = Shown { rounds: 0, violation: false };
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
            shown.rounds = round;
            shown.violation = x != round && shape.loaded.0.load(Relaxed) & 1 == 1;
            if shown.violation || Instant::now() > end {
                break;
            }
        }
        shape.over.store(true, Relaxed);
        reader.join().expect("the reader does not panic");
        shown
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
    let second = Duration::from_secs(1);
    let controls: [(&str, fn()); 2] =
        [("no barrier", || ()), ("a fence in the reclaimer only", || core::sync::atomic::fence(SeqCst))];
    for (what, control) in controls {
        let shown = play(20_000_000, 20 * second, control);
        if !shown.violation && shown.rounds < 1_000_000 {
            eprintln!("too busy a machine for a litmus test: {} rounds of the control", shown.rounds);
            return;
        }
        assert!(shown.violation, "{what}: no violation in {} rounds, so the test would not see one", shown.rounds);
    }
    let shown = play(50_000, 3 * second, || assert!(barrier.heavy()));
    assert!(!shown.violation, "the barrier does not order the reader, in round {}", shown.rounds);
}
