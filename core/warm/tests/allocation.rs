//! The executor and the channels allocate nothing in their steady state.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};

use knhk_warm::executor::{RunState, Settings, TaskSettings};
use knhk_warm::{Executor, Priority, Step, SystemClock};

/// The system's allocator, which counts what the process asks of it, whatever the thread.
struct Counting;

static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);

// SAFETY: each call is handed to the system's allocator as it is.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, SeqCst);
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(at, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Of one function, so that nothing else allocates meanwhile.
#[test]
fn the_steady_state_allocates_nothing() {
    let settings = Settings { threads: 2, capacity: 256, ..Settings::default() };
    let executor = Executor::new(settings, Arc::new(SystemClock)).unwrap();
    let settings = |priority| TaskSettings { priority, ..TaskSettings::default() };
    let tasks = [Priority::Low, Priority::Normal, Priority::Critical].map(|priority| {
        executor.task("task", settings(priority), |run| if run.slice() < 2 { Step::Again } else { Step::Done })
    });
    let rounds = |rounds: u64| {
        for round in 0..rounds {
            for task in &tasks {
                let (ticket, cancelled) = (task.submit_by(round, round).unwrap(), task.submit(round).unwrap());
                cancelled.cancel();
                assert_eq!(ticket.wait(std::time::Duration::from_secs(60)), RunState::Done);
                while !cancelled.state().is_over() {}
            }
        }
    };
    // The first waits and the like.
    rounds(200);
    let before = ALLOCATIONS.load(SeqCst);
    drop(Box::new(before));
    assert!(ALLOCATIONS.load(SeqCst) > before, "allocations are counted");
    let before = ALLOCATIONS.load(SeqCst);
    rounds(2000);
    assert_eq!(ALLOCATIONS.load(SeqCst) - before, 0);
}
