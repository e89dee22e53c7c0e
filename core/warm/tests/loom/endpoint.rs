//! Shared ends of a channel: whoever waits is woken, by what comes, by what goes, and beside others.
//!
//! The messages go through crossbeam's channel, of which loom sees nothing: in a model each of its calls is one step, which everybody
//! sees at once and which orders nothing else.

use std::sync::Arc;
use std::task::Waker;

use knhk_warm::channel::{Endpoint, ReceiveError, SendError, endpoints};
use loom::thread::{self, JoinHandle};

type Ends = (Arc<Endpoint<u32, u32>>, Arc<Endpoint<u32, u32>>);

/// Two ends of which what is sent fills the window.
fn ends(window: u32, sent: u32) -> Ends {
    let (left, right) = endpoints(window);
    (0..sent).for_each(|n| left.try_send(n).unwrap());
    (Arc::new(left), Arc::new(right))
}

fn receives(end: &Arc<Endpoint<u32, u32>>) -> JoinHandle<Result<u32, ReceiveError>> {
    let end = end.clone();
    thread::spawn(move || end.receive(None))
}

fn sends(end: &Arc<Endpoint<u32, u32>>, message: u32) -> JoinHandle<Result<(), SendError<u32>>> {
    let end = end.clone();
    thread::spawn(move || end.send(message, None))
}

/// A message comes to who waits for it.
pub fn end_receives() {
    let (left, right) = ends(1, 0);
    let receiver = receives(&right);
    left.try_send(7).unwrap();
    assert_eq!(receiver.join().unwrap(), Ok(7));
    assert_eq!(right.incoming().done, 1);
}

/// Two wait, and two messages come.
pub fn end_receives_twice() {
    let (left, right) = ends(2, 0);
    let receivers = [receives(&right), receives(&right)];
    (1..3).for_each(|n| left.try_send(n).unwrap());
    let sum: u32 = receivers.into_iter().map(|receiver| receiver.join().unwrap().unwrap()).sum();
    assert_eq!(sum, 3);
}

/// Credit comes to who waits for it.
pub fn end_has_credit() {
    let (left, right) = ends(1, 1);
    let sender = sends(&left, 1);
    assert_eq!(right.try_receive(), Ok(0));
    assert_eq!(sender.join().unwrap(), Ok(()));
    assert_eq!(right.try_receive(), Ok(1));
}

/// Credit that was withdrawn comes back to who waits for it.
pub fn end_is_released() {
    let (left, right) = ends(1, 0);
    right.hold();
    let sender = sends(&left, 1);
    right.release();
    assert_eq!(sender.join().unwrap(), Ok(()));
}

/// The other end finishes while one waits for a message.
pub fn end_finishes() {
    let (left, right) = ends(1, 0);
    let receiver = receives(&right);
    left.finish();
    assert_eq!(receiver.join().unwrap(), Err(ReceiveError::Ended));
}

/// A message and the end come: the message comes first.
pub fn end_finishes_behind_a_message() {
    let (left, right) = ends(1, 0);
    let sender = sends(&left, 7);
    let closing = left.clone();
    let closing = thread::spawn(move || closing.finish());
    let received = right.receive(None);
    let sent = sender.join().unwrap();
    closing.join().unwrap();
    assert_eq!(received.is_ok(), sent.is_ok(), "{received:?} of {sent:?}");
    assert_eq!(right.receive(None), Err(ReceiveError::Ended));
}

/// The other end closes while one waits for credit.
pub fn end_closes_on_a_sender() {
    let (left, right) = ends(1, 1);
    let sender = sends(&left, 1);
    right.close();
    assert_eq!(sender.join().unwrap(), Err(SendError::Closed(1)));
}

/// An end closes while one waits at it for a message.
pub fn end_closes_on_its_receiver() {
    let (_left, right) = ends(1, 0);
    let receiver = receives(&right);
    right.close();
    assert_eq!(receiver.join().unwrap(), Err(ReceiveError::Ended));
}

/// One waits, another one is noted and leaves, and a message comes.
pub fn end_is_left_by_another() {
    let (left, right) = ends(1, 0);
    let receiver = receives(&right);
    let other = right.clone();
    let other = thread::spawn(move || drop(other.when_readable(Waker::noop().clone())));
    left.try_send(7).unwrap();
    assert_eq!(receiver.join().unwrap(), Ok(7));
    other.join().unwrap();
}

/// Two say that they are done with the one message that was taken.
pub fn end_is_done_twice() {
    let (left, right) = ends(1, 1);
    assert_eq!(right.try_take(), Ok(0));
    let other = right.clone();
    let other = thread::spawn(move || other.done());
    right.done();
    other.join().unwrap();
    assert_eq!((right.incoming().done, left.credit()), (1, 1));
}
