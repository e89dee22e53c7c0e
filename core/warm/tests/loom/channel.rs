//! The event count, and the credit of channels.

use knhk_warm::model::{ModelCredit, ModelEvents};
use loom::sync::Arc;
use loom::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use loom::thread;

/// Messages that a channel holds; never more than its window.
struct Channel {
    credit: ModelCredit,
    window: usize,
    held: AtomicUsize,
}

impl Channel {
    /// A channel that is full.
    fn full(window: usize) -> Arc<Channel> {
        let channel = Channel { credit: ModelCredit::new(window as u64), window, held: AtomicUsize::new(0) };
        (0..window).for_each(|_| channel.send());
        Arc::new(channel)
    }

    fn send(&self) {
        assert!(self.credit.take(), "there is a receiver");
        assert!(self.held.fetch_add(1, Relaxed) < self.window, "there is a place for each credit");
    }

    fn receive(&self) {
        assert!(self.held.fetch_sub(1, Relaxed) > 0, "a message is there");
        self.credit.give_back(false);
    }
}

/// Two threads wait for one thing each, and are told one at a time.
pub fn one_each() {
    let things = Arc::new((ModelEvents::default(), AtomicUsize::new(0)));
    let take = |things: Arc<(ModelEvents, AtomicUsize)>| {
        move || things.0.wait(|| things.1.fetch_update(Relaxed, Relaxed, |left| left.checked_sub(1)).is_ok())
    };
    let takers = [thread::spawn(take(things.clone())), thread::spawn(take(things.clone()))];
    for _ in 0..2 {
        things.1.fetch_add(1, Relaxed);
        things.0.notify_one();
    }
    takers.into_iter().for_each(|taker| taker.join().unwrap());
}

/// A sender waits while the receiver is done with a message.
pub fn credit_comes() {
    let channel = Channel::full(1);
    let sender = channel.clone();
    let sender = thread::spawn(move || sender.send());
    channel.receive();
    sender.join().unwrap();
}

/// Two senders, and credit for one of them until the receiver is done with a message.
pub fn credit_of_two_senders() {
    let channel = Channel::full(2);
    channel.receive();
    let senders = [channel.clone(), channel.clone()].map(|sender| thread::spawn(move || sender.send()));
    channel.receive();
    senders.into_iter().for_each(|sender| sender.join().unwrap());
}

/// Two receivers are done with a message each; a sender has credit for both.
pub fn credit_of_two_receivers() {
    let channel = Channel::full(2);
    let receivers = [channel.clone(), channel.clone()].map(|receiver| thread::spawn(move || receiver.receive()));
    (0..2).for_each(|_| channel.send());
    receivers.into_iter().for_each(|receiver| receiver.join().unwrap());
}

/// A receiver gives back the credit that it withdrew.
pub fn credit_that_was_held() {
    let channel = Channel::full(1);
    channel.receive();
    channel.credit.hold(true);
    let sender = channel.clone();
    let sender = thread::spawn(move || sender.send());
    channel.credit.hold(false);
    sender.join().unwrap();
}

/// The receiver goes while a sender waits.
pub fn credit_of_a_channel_that_closes() {
    let channel = Channel::full(1);
    let sender = channel.clone();
    let sender = thread::spawn(move || sender.credit.take());
    channel.credit.close();
    assert!(!sender.join().unwrap(), "nothing can be sent");
}
