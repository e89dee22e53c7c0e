//! Shared ends of a channel: they end at once whoever waits, lose nothing, and wake wakers.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, mpsc};
use std::task::{Wake, Waker};
use std::time::Duration;

use knhk_warm::channel::{Endpoint, ReceiveError, SendError, endpoints};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

const LONG: Option<Duration> = Some(Duration::from_secs(120));

struct Counted(AtomicUsize);

impl Wake for Counted {
    fn wake(self: Arc<Counted>) {
        self.0.fetch_add(1, SeqCst);
    }
}

fn counted() -> (Arc<Counted>, Waker) {
    let counted = Arc::new(Counted(AtomicUsize::new(0)));
    (counted.clone(), counted.into())
}

#[test]
fn both_ways_and_an_end_that_comes_after_what_was_sent() {
    let (left, right) = endpoints::<&str, u32>(2);
    left.try_send("one").unwrap();
    left.try_send("two").unwrap();
    assert_eq!((left.try_send("three"), left.credit()), (Err(SendError::Full("three")), 0));
    assert_eq!(left.send("three", Some(Duration::ZERO)), Err(SendError::Full("three")));
    right.send(7, None).unwrap();
    assert_eq!((left.receive(LONG), left.try_receive()), (Ok(7), Err(ReceiveError::Empty)));
    left.finish();
    assert_eq!(left.try_send("four"), Err(SendError::Closed("four")));
    assert_eq!((right.receive(None), right.receive(None)), (Ok("one"), Ok("two")));
    assert_eq!(right.receive(None), Err(ReceiveError::Ended));
    // The other direction goes on.
    right.send(8, None).unwrap();
    assert_eq!(left.receive(None), Ok(8));
    right.close();
    assert_eq!((left.receive(None), right.receive(None)), (Err(ReceiveError::Ended), Err(ReceiveError::Ended)));
    assert!(right.is_closed() && !left.is_closed());
    let flow = right.incoming();
    assert_eq!((flow.window, flow.sent, flow.done), (2, 2, 2));
}

#[test]
fn what_is_taken_fills_the_window_until_it_is_done() {
    let (left, right) = endpoints::<u32, ()>(1);
    left.try_send(1).unwrap();
    assert_eq!((right.try_take(), left.try_send(2)), (Ok(1), Err(SendError::Full(2))));
    right.done();
    right.done();
    left.try_send(2).unwrap();
    assert_eq!(left.try_send(3), Err(SendError::Full(3)), "one that was not taken cannot be done");
    assert_eq!(right.receive(None), Ok(2));
    right.hold();
    assert_eq!((left.credit(), left.try_send(3)), (0, Err(SendError::Full(3))));
    let (woken, waker) = counted();
    let noted = left.when_writable(waker);
    right.release();
    assert_eq!(woken.0.load(SeqCst), 1);
    drop(noted);
    left.try_send(3).unwrap();
}

#[test]
fn wakers_are_woken_once_and_forgotten_when_dropped() {
    let (left, right) = endpoints::<u32, ()>(4);
    let (woken, waker) = counted();
    let kept = right.when_readable(waker.clone());
    drop(right.when_readable(waker));
    left.try_send(1).unwrap();
    left.try_send(2).unwrap();
    assert_eq!(woken.0.load(SeqCst), 1);
    drop(kept);
    assert_eq!(Arc::strong_count(&woken), 1, "nothing is kept of them");
}

/// Closing wakes those who wait at either end, whatever they wait for.
#[test]
fn closing_wakes_whoever_waits() {
    for close_left in [true, false] {
        let (left, right) = endpoints::<u32, u32>(1);
        left.try_send(1).unwrap();
        std::thread::scope(|scope| {
            let sends = scope.spawn(|| left.send(2, None));
            let receives = scope.spawn(|| left.receive(None));
            // It waits, or is about to: either way it is woken.
            while left.outgoing().refused == 0 {
                std::thread::yield_now();
            }
            if close_left {
                left.close()
            } else {
                right.close()
            }
            assert_eq!(sends.join().unwrap(), Err(SendError::Closed(2)));
            assert_eq!(receives.join().unwrap(), Err(ReceiveError::Ended));
        });
    }
}

#[test]
fn many_threads_share_two_ends_and_lose_nothing() {
    const EACH: u64 = 5_000;
    for window in [1, 3, 64] {
        let (left, right): (Endpoint<u64, u64>, Endpoint<u64, u64>) = endpoints(window);
        let (asked, answered) = (AtomicU64::new(0), AtomicU64::new(0));
        std::thread::scope(|scope| {
            for part in 0..2 {
                let (left, right, asked, answered) = (&left, &right, &asked, &answered);
                scope.spawn(move || (0..EACH).for_each(|n| left.send(part * EACH + n, None).unwrap()));
                scope.spawn(move || {
                    while let Ok(n) = right.take(None) {
                        asked.fetch_add(n, SeqCst);
                        right.send(n, None).unwrap();
                        right.done();
                    }
                });
                scope.spawn(move || {
                    while let Ok(n) = left.receive(None) {
                        if answered.fetch_add(n + 1, SeqCst) + n + 1 == 2 * EACH + EACH * (2 * EACH - 1) {
                            left.close();
                        }
                    }
                });
            }
        });
        assert_eq!(asked.load(SeqCst), EACH * (2 * EACH - 1), "window {window}");
    }
}

/// What was not received is dropped with the end that would have received it.
#[test]
fn what_is_left_is_dropped_by_whoever_closes() {
    let (left, right) = endpoints::<mpsc::Sender<()>, ()>(4);
    let (sender, receiver) = mpsc::channel::<()>();
    left.try_send(sender).unwrap();
    right.close();
    assert_eq!(receiver.try_recv(), Err(mpsc::TryRecvError::Disconnected));
    assert!(matches!(left.try_send(mpsc::channel().0), Err(SendError::Closed(_))));
}

/// Whether an end's descriptor is readable; `waits` for that, or looks.
fn readable<A, B>(end: &Endpoint<A, B>, waits: bool) -> bool {
    let descriptor = end.descriptor().unwrap();
    let mut polled = [PollFd::new(&descriptor, PollFlags::IN)];
    let at_once = Timespec { tv_sec: 0, tv_nsec: 0 };
    loop {
        match poll(&mut polled, if waits { None } else { Some(&at_once) }) {
            Err(Errno::INTR) => {}
            ready => return ready.unwrap() == 1,
        }
    }
}

#[test]
fn a_descriptor_is_readable_until_nothing_is_found_and_for_good_at_the_end() {
    let (left, right) = endpoints::<u32, u32>(4);
    left.try_send(1).unwrap();
    assert!(readable(&right, false), "what was sent before it was asked for counts");
    assert_eq!(right.try_receive(), Ok(1));
    assert_eq!(right.try_receive(), Err(ReceiveError::Empty));
    assert!(!readable(&right, false));
    left.try_send(2).unwrap();
    left.try_send(3).unwrap();
    assert!(readable(&right, false) && readable(&right, false), "polling changes nothing");
    assert_eq!(right.try_take(), Ok(2));
    assert!(readable(&right, false), "one is left");
    right.done();
    assert_eq!((right.receive(LONG), right.receive(Some(Duration::ZERO))), (Ok(3), Err(ReceiveError::Empty)));
    assert!(!readable(&right, false));
    left.finish();
    assert!(readable(&right, false));
    assert_eq!(right.try_receive(), Err(ReceiveError::Ended));
    assert!(readable(&right, false), "nothing more will come");
    // Its own close is told, too.
    assert!(readable(&left, false) && left.try_receive() == Err(ReceiveError::Empty) && !readable(&left, false));
    left.close();
    assert!(readable(&left, false));
}

/// Whoever polls before it receives, on several threads, misses nothing.
#[test]
fn polling_threads_miss_nothing() {
    const EACH: u64 = 5_000;
    for window in [1, 64] {
        let (left, right): (Endpoint<u64, ()>, Endpoint<(), u64>) = endpoints(window);
        let received = AtomicU64::new(0);
        std::thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    loop {
                        assert!(readable(&right, true));
                        match right.try_receive() {
                            Ok(n) => _ = received.fetch_add(n, SeqCst),
                            Err(ReceiveError::Empty) => {}
                            Err(ReceiveError::Ended) => break,
                        }
                    }
                });
            }
            let sent = [0, EACH].map(|from| {
                let left = &left;
                scope.spawn(move || (from..from + EACH).for_each(|n| left.send(n, None).unwrap()))
            });
            sent.into_iter().for_each(|sent| sent.join().unwrap());
            left.finish();
        });
        assert_eq!(received.load(SeqCst), EACH * (2 * EACH - 1), "window {window}");
    }
}
