//! Token buckets as they pass from the one thread that had them to many: what they admit stays exact, whoever comes, ends, forks or interrupts.
#![cfg(all(unix, not(loom)))]

use std::ptr::null_mut;
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Barrier};
use std::time::Duration;

use knhk_resilience::limit::{Bulkhead, TokenBucket};
use knhk_resilience::{ManualClock, Rejected, Scope};

/// A bucket whose clock stands still: it admits its burst, and nothing more.
fn bucket(burst: u32) -> TokenBucket {
    TokenBucket::new(1.0, burst, &Scope::new(Arc::new(ManualClock::new(5)))).unwrap()
}

/// Takes until nothing is left; how much that was.
fn drain(bucket: &TokenBucket) -> u64 {
    (0..).take_while(|_| bucket.try_take(1).is_ok()).count() as u64
}

#[test]
fn threads_that_come_while_the_first_one_takes_admit_the_burst_with_it() {
    const OTHERS: usize = 3;
    for round in 0..200 {
        let (burst, taken) = (5_000, AtomicU64::new(0));
        let bucket = bucket(burst);
        let (own, begin) = (u64::from(bucket.try_take(1).is_ok()), Barrier::new(1 + OTHERS));
        taken.fetch_add(own, SeqCst);
        std::thread::scope(|scope| {
            for number in 0..OTHERS {
                let (bucket, taken, begin) = (&bucket, &taken, &begin);
                scope.spawn(move || {
                    begin.wait();
                    // Not all at once, and not at the same point of the owner's program in each round.
                    (0..(round * (number + 1)) % 997).for_each(|_| std::hint::spin_loop());
                    taken.fetch_add(drain(bucket), SeqCst);
                });
            }
            begin.wait();
            taken.fetch_add(drain(&bucket), SeqCst);
        });
        assert_eq!((taken.load(SeqCst), bucket.tokens()), (u64::from(burst), 0), "round {round}");
    }
}

#[test]
fn a_thread_that_ended_leaves_what_it_did_not_take() {
    for _ in 0..100 {
        let bucket = bucket(10);
        let mut left = 10;
        for _ in 0..5 {
            // Each may get the memory, and the system's number, of the one before.
            std::thread::scope(|scope| scope.spawn(|| bucket.try_take(1).unwrap()).join().unwrap());
            left -= 1;
            assert_eq!(bucket.tokens(), left);
        }
        assert_eq!(drain(&bucket), 5);
    }
}

#[test]
fn a_lane_passes_on_with_the_place_in_it() {
    for _ in 0..100 {
        let bulkhead = Bulkhead::new(2, &Scope::default()).unwrap();
        let place = bulkhead.try_enter().unwrap();
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let second = bulkhead.try_enter().unwrap();
                assert_eq!(bulkhead.try_enter().unwrap_err(), Rejected::Full { limit: 2 });
                bulkhead.leave(place);
                bulkhead.leave(second);
            });
        });
        assert_eq!(bulkhead.taken(), 0);
        let both = [bulkhead.try_enter().unwrap(), bulkhead.try_enter().unwrap()];
        assert!(bulkhead.try_enter().is_err());
        both.into_iter().for_each(|place| bulkhead.leave(place));
    }
}

/// Has a forked child do something, which must say yes; it may not take longer than a minute.
fn in_a_child(what: impl FnOnce() -> bool) {
    // SAFETY: the child does not allocate, takes no lock, and ends.
    let child = unsafe { libc::fork() };
    assert!(child >= 0);
    if child == 0 {
        // SAFETY: a child that waits for ever is ended; it returns to nobody.
        unsafe {
            libc::alarm(60);
            libc::_exit(if what() { 0 } else { 1 });
        }
    }
    let mut status = 0;
    // SAFETY: the child is ours, and the status is a place for its own.
    assert_eq!(unsafe { libc::waitpid(child, &raw mut status, 0) }, child);
    assert_eq!(status, 0, "the child's");
}

#[test]
fn a_forked_child_waits_for_no_thread_of_its_parent() {
    let (own, other, over) = (bucket(60_000), bucket(1), AtomicBool::new(false));
    own.try_take(1).unwrap();
    let begun = Barrier::new(2);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            // Within its section for much of the time: what it takes is refused soon, and that takes a section as well.
            let _ = other.try_take(1);
            begun.wait();
            while !over.load(SeqCst) {
                (0..1000).for_each(|_| assert!(other.try_take(1).is_err()));
            }
        });
        begun.wait();
        for _ in 0..100 {
            in_a_child(|| {
                // The other thread's, which is not there; and its own, which is another thread's now.
                let refused = other.try_take(1).is_err() && other.try_take(1).is_err();
                refused && own.try_take(1).is_ok() && own.try_take(59_998).is_ok() && own.try_take(1).is_err()
            });
        }
        over.store(true, SeqCst);
    });
    assert_eq!(drain(&own), 59_999);
}

static INTERRUPTED: AtomicPtr<TokenBucket> = AtomicPtr::new(null_mut());
static TAKEN: AtomicU64 = AtomicU64::new(0);
static SERVED: AtomicU64 = AtomicU64::new(0);
static TURNED_AWAY: AtomicU64 = AtomicU64::new(0);

extern "C" fn take_one(_: libc::c_int) {
    SERVED.fetch_add(1, SeqCst);
    // SAFETY: null, or a bucket that lives until the pointer is null again, which the interrupted thread itself sees to.
    let Some(bucket) = (unsafe { INTERRUPTED.load(SeqCst).as_ref() }) else { return };
    match bucket.try_take(1) {
        Ok(()) => TAKEN.fetch_add(1, SeqCst),
        Err(Rejected::RateLimited { retry_after: Duration::ZERO }) => TURNED_AWAY.fetch_add(1, SeqCst),
        Err(_) => 0,
    };
}

#[test]
fn a_signal_handler_takes_nothing_twice() {
    // SAFETY: all zeroes are a signal's action.
    let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
    action.sa_sigaction = take_one as *const () as libc::sighandler_t;
    action.sa_flags = libc::SA_RESTART;
    // SAFETY: the handler makes no call that may not be made there, and nobody else uses the signal.
    assert_eq!(unsafe { libc::sigaction(libc::SIGUSR1, &raw const action, null_mut()) }, 0);
    // SAFETY: no precondition.
    let (owner, over) = (unsafe { libc::pthread_self() }, AtomicBool::new(false));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !over.load(SeqCst) {
                let before = SERVED.load(SeqCst);
                // SAFETY: the owner waits for this thread before it ends.
                unsafe { libc::pthread_kill(owner, libc::SIGUSR1) };
                // One at a time, so that the owner comes on.
                while SERVED.load(SeqCst) == before && !over.load(SeqCst) {
                    std::hint::spin_loop();
                }
            }
        });
        // Where the system has no barrier, nobody ever owns a bucket, and no handler is turned away.
        let owned = knhk_hot::asymmetric::is_available();
        while SERVED.load(SeqCst) < 1_000 || owned && TURNED_AWAY.load(SeqCst) == 0 {
            let mut bucket = bucket(65_535);
            TAKEN.store(0, SeqCst);
            INTERRUPTED.store(&raw mut bucket, SeqCst);
            let own = drain(&bucket);
            INTERRUPTED.store(null_mut(), SeqCst);
            assert_eq!(own + TAKEN.load(SeqCst), 65_535);
        }
        over.store(true, SeqCst);
    });
}
