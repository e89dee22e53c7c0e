//! Bounded channels whose receiver hands out credit: a sender sends only what the receiver has room for and was allowed.
//!
//! A receiver grants as many messages as its window holds, and one more for each that it is done with, in batches of a quarter of the
//! window or when nothing waits, so that the two threads touch each other's memory seldom. A message counts as done when
//! [`Receiver::recv`] returns it, or, where working on it is what takes time, when the [`Delivery`] of [`Receiver::take`] is dropped:
//! what is being worked on then fills the window too. A receiver that is in trouble withdraws all credit with [`Receiver::hold`], and the
//! next send is refused.
//!
//! The messages themselves go through crossbeam's bounded channel, which never is full, because there are not more credits than places.

pub(crate) mod credit;

mod descriptor;
mod endpoint;

use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::time::{Duration, Instant};

use self::credit::Credit;
pub use endpoint::{Endpoint, LARGEST_WINDOW, ReceiveError, Registration, endpoints};

/// Why a message was not sent; it is given back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SendError<T> {
    /// The receiver has granted no more for now.
    #[error("the receiver has no room for more at present")]
    Full(T),
    /// There is no receiver any more.
    #[error("the receiver is gone")]
    Closed(T),
}

/// How a channel has fared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flow {
    /// The most messages that were sent and that the receiver is not done with.
    pub window: u64,
    /// Messages that were sent.
    pub sent: u64,
    /// Messages that the receiver is done with.
    pub done: u64,
    /// Sends that found no credit, whether they waited or not.
    pub refused: u64,
    /// Whether the receiver holds its senders back.
    pub held: bool,
}

/// Sends; a clone sends to the same receiver.
#[derive(Debug)]
pub struct Sender<T> {
    messages: crossbeam_channel::Sender<T>,
    credit: Arc<Credit>,
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Sender<T> {
        Sender { messages: self.messages.clone(), credit: self.credit.clone() }
    }
}

/// Receives. Several threads may share it.
#[derive(Debug)]
pub struct Receiver<T> {
    messages: crossbeam_channel::Receiver<T>,
    credit: Arc<Credit>,
}

/// A channel of which at most `window` messages, at least one, are under way.
pub fn channel<T>(window: u32) -> (Sender<T>, Receiver<T>) {
    let window = window.max(1);
    let (sender, receiver) = crossbeam_channel::bounded(window as usize);
    let credit = Arc::new(Credit::new(u64::from(window)));
    (Sender { messages: sender, credit: credit.clone() }, Receiver { messages: receiver, credit })
}

/// Two channels, one each way: what one end sends the other receives.
pub fn pair<A, B>(window: u32) -> (End<A, B>, End<B, A>) {
    let ((to_right, from_left), (to_left, from_right)) = (channel(window), channel(window));
    (End { sender: to_right, receiver: from_right }, End { sender: to_left, receiver: from_left })
}

/// One end of a pair: it sends `A` and receives `B`.
#[derive(Debug)]
pub struct End<A, B> {
    /// Sends to the other end.
    pub sender: Sender<A>,
    /// Receives from the other end.
    pub receiver: Receiver<B>,
}

impl<T> Sender<T> {
    /// Sends without waiting.
    ///
    /// # Errors
    /// [`SendError`] gives the message back: there is no credit, or no receiver.
    pub fn try_send(&self, message: T) -> Result<(), SendError<T>> {
        if self.credit.is_closed() {
            return Err(SendError::Closed(message));
        }
        if !self.credit.take() {
            self.credit.refuse();
            return Err(SendError::Full(message));
        }
        self.credit.step();
        // With a credit there is a place, so this waits for none.
        self.messages.send(message).map_err(|crossbeam_channel::SendError(message)| SendError::Closed(message))
    }

    /// Sends, and waits for credit as long as it takes.
    ///
    /// # Errors
    /// [`SendError::Closed`] gives the message back.
    pub fn send(&self, message: T) -> Result<(), SendError<T>> {
        self.send_until(message, None)
    }

    /// Sends, and waits for credit at most for `timeout`.
    ///
    /// # Errors
    /// [`SendError`] gives the message back.
    pub fn send_within(&self, message: T, timeout: Duration) -> Result<(), SendError<T>> {
        // A moment that cannot be named is one that never comes.
        self.send_until(message, Instant::now().checked_add(timeout))
    }

    fn send_until(&self, mut message: T, until: Option<Instant>) -> Result<(), SendError<T>> {
        loop {
            match self.try_send(message) {
                Err(SendError::Full(back)) => message = back,
                other => return other,
            }
            if !self.credit.wait(until) {
                return Err(SendError::Full(message));
            }
        }
    }

    /// Messages that may be sent at present.
    pub fn credit(&self) -> u64 {
        self.credit.left()
    }

    /// How the channel has fared.
    pub fn flow(&self) -> Flow {
        self.credit.flow()
    }
}

/// A message that counts as under way until this is dropped.
#[derive(Debug)]
pub struct Delivery<'a, T> {
    message: T,
    done: Done<'a, T>,
}

#[derive(Debug)]
struct Done<'a, T>(&'a Receiver<T>);

impl<T> Drop for Done<'_, T> {
    fn drop(&mut self) {
        self.0.credit.give_back(self.0.messages.is_empty());
    }
}

impl<T> Delivery<'_, T> {
    /// The message, which counts as done.
    pub fn into_inner(self) -> T {
        let Delivery { message, done } = self;
        drop(done);
        message
    }
}

impl<T> Deref for Delivery<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.message
    }
}

impl<T> DerefMut for Delivery<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.message
    }
}

impl<T> Receiver<T> {
    /// The next message, waiting for it; none: all senders are gone and nothing is left.
    pub fn recv(&self) -> Option<T> {
        self.take().map(Delivery::into_inner)
    }

    /// The next message where one is there.
    pub fn try_recv(&self) -> Option<T> {
        self.messages.try_recv().ok().map(|message| self.deliver(message).into_inner())
    }

    /// The next message, waiting for it at most for `timeout`; none: it did not come in time, or never will.
    pub fn recv_within(&self, timeout: Duration) -> Option<T> {
        self.messages.recv_timeout(timeout).ok().map(|message| self.deliver(message).into_inner())
    }

    /// The next message, waiting for it, which counts as done only when it is dropped.
    pub fn take(&self) -> Option<Delivery<'_, T>> {
        self.messages.recv().ok().map(|message| self.deliver(message))
    }

    fn deliver(&self, message: T) -> Delivery<'_, T> {
        Delivery { message, done: Done(self) }
    }

    /// Withdraws all credit: sends are refused, or wait, until [`Receiver::release`]. What was sent can still be received.
    pub fn hold(&self) {
        self.credit.hold(true);
    }

    /// Gives back the credit that [`Receiver::hold`] withdrew.
    pub fn release(&self) {
        self.credit.hold(false);
    }

    /// How the channel has fared.
    pub fn flow(&self) -> Flow {
        self.credit.flow()
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        self.credit.close();
    }
}
