//! Channels: nothing lost or reordered, credit exact, backpressure felt, ends noticed.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::time::Duration;

use knhk_warm::channel::{SendError, channel, pair};

const LONG: Duration = Duration::from_secs(120);

#[test]
fn credit_comes_back_when_the_receiver_is_done() {
    let (sender, receiver) = channel(4);
    (0..4).for_each(|n| sender.try_send(n).unwrap());
    assert_eq!((sender.credit(), sender.try_send(4)), (0, Err(SendError::Full(4))));
    let first = receiver.take().unwrap();
    assert_eq!((*first, sender.credit()), (0, 0), "it is being worked on");
    drop(first);
    assert_eq!(sender.credit(), 1);
    sender.try_send(4).unwrap();
    assert_eq!(std::iter::from_fn(|| receiver.try_recv()).collect::<Vec<_>>(), [1, 2, 3, 4]);
    assert_eq!((sender.credit(), receiver.try_recv()), (4, None));

    receiver.hold();
    assert_eq!((sender.credit(), sender.try_send(5)), (0, Err(SendError::Full(5))));
    assert_eq!(sender.send_within(5, Duration::from_millis(1)), Err(SendError::Full(5)));
    receiver.release();
    sender.send(5).unwrap();
    let flow = receiver.flow();
    assert_eq!((flow.window, flow.sent, flow.done, flow.refused, flow.held), (4, 6, 5, 3, false));
    assert_eq!(receiver.recv_within(LONG), Some(5));
}

#[test]
fn ends_are_noticed() {
    let (sender, receiver) = channel(2);
    sender.send("last").unwrap();
    drop(sender);
    assert_eq!((receiver.recv(), receiver.recv()), (Some("last"), None));

    let (sender, receiver) = channel(1);
    sender.send(1).unwrap();
    let other = sender.clone();
    let blocked = std::thread::spawn(move || other.send(2));
    // It is blocked, or about to be: either way the receiver's end wakes it.
    while sender.flow().refused == 0 {
        std::thread::yield_now();
    }
    drop(receiver);
    assert_eq!(blocked.join().unwrap(), Err(SendError::Closed(2)));
    assert_eq!(sender.try_send(3), Err(SendError::Closed(3)));
}

#[test]
fn a_held_sender_goes_on_when_it_is_released() {
    let (sender, receiver) = channel(8);
    receiver.hold();
    let waiting = sender.clone();
    let sending = std::thread::spawn(move || waiting.send(1));
    while sender.flow().refused == 0 {
        std::thread::yield_now();
    }
    receiver.release();
    assert_eq!((receiver.recv(), sending.join().unwrap()), (Some(1), Ok(())));
}

#[test]
fn a_pair_of_threads_talks_both_ways_through_the_smallest_window() {
    for window in [1, 2, 3, 64] {
        const MESSAGES: u64 = 3_000;
        let (here, there) = pair::<u64, u64>(window);
        let other = std::thread::spawn(move || {
            while let Some(n) = there.receiver.recv() {
                there.sender.send(n + 1).unwrap();
            }
        });
        let asking = here.sender;
        let sender = std::thread::spawn(move || (0..MESSAGES).for_each(|n| asking.send(n).unwrap()));
        for n in 0..MESSAGES {
            assert_eq!(here.receiver.recv(), Some(n + 1), "window {window}");
        }
        sender.join().unwrap();
        other.join().unwrap();
        assert_eq!(here.receiver.recv(), None);
    }
}

#[test]
fn many_senders_and_receivers_lose_nothing_and_never_exceed_the_window() {
    const EACH: u64 = 10_000;
    let (sender, receiver) = channel::<u64>(7);
    let receiver = Arc::new(receiver);
    let sum = AtomicU64::new(0);
    std::thread::scope(|scope| {
        for part in 0..3 {
            let sender = sender.clone();
            scope.spawn(move || (0..EACH).for_each(|n| sender.send(part * EACH + n).unwrap()));
        }
        drop(sender);
        for _ in 0..2 {
            let (receiver, sum) = (receiver.clone(), &sum);
            scope.spawn(move || {
                while let Some(delivery) = receiver.take() {
                    sum.fetch_add(*delivery, SeqCst);
                    let flow = receiver.flow();
                    assert!(flow.sent.saturating_sub(flow.done) <= 7, "{flow:?}");
                }
            });
        }
    });
    let all = 3 * EACH;
    assert_eq!(sum.load(SeqCst), all * (all - 1) / 2);
    let flow = receiver.flow();
    assert_eq!((flow.sent, flow.done), (all, all));
}
