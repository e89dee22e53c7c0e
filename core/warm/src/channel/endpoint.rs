//! An end of a two-way channel that any number of threads share and any of them can end: what the faces of other languages hold.
//!
//! An [`super::End`] is ended by dropping it, which a garbage collector or a handle that threads share cannot do in time. Here nobody
//! blocks inside the channel: who waits leaves a [`Waker`] and tries again when it is woken, be it a thread or an event loop. A waiter is
//! noted before it looks a last time, and whoever changes something looks for waiters afterwards; a fence on each side has one of them
//! see the other. Who is noted, and how many, changes under one lock. The loom models check each step (`tests/loom`).

use std::os::fd::BorrowedFd;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release, SeqCst};
use std::sync::{Arc, PoisonError};
use std::task::{Wake, Waker};
use std::time::{Duration, Instant};
use std::{fmt, io};

use crossbeam_channel::TryRecvError;

use super::credit::Credit;
use super::descriptor::Descriptor;
use super::{Flow, Receiver, SendError, Sender, channel};
use crate::mutant::Mutant::{
    self, ClearedLate, CloseRungFirst, CloseUnrung, DoneUnrung, FinishUnrung, ForgottenForAll, NotedUnfenced,
    ReleaseUnrung, RingerUnfenced, SentUnrung, UnderWayStored, UnseenOnceNoted,
};
use crate::mutant::mutated;
use crate::primitive::{
    AtomicBool, AtomicU64, AtomicUsize, Mutex, MutexGuard, RwLock, Thread, current, fence, park, park_timeout,
};

/// The largest window of [`endpoints`]: its memory is taken at once.
pub const LARGEST_WINDOW: u32 = 1 << 20;

/// Why nothing was received.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReceiveError {
    /// Nothing is there at present.
    #[error("no message is there at present")]
    Empty,
    /// Nothing will come: the other end has finished and everything was received, or this end was closed.
    #[error("nothing more will come")]
    Ended,
}

/// Those who wait for a change.
#[derive(Debug, Default)]
struct Bell {
    waiting: AtomicUsize,
    next: AtomicU64,
    wakers: Mutex<Vec<(u64, Waker)>>,
    descriptor: Descriptor,
}

impl Bell {
    fn wakers(&self) -> MutexGuard<'_, Vec<(u64, Waker)>> {
        self.wakers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn ring_unless(&self, mutant: Mutant) {
        if !mutated(mutant) {
            self.ring();
        }
    }

    fn ring(&self) {
        if !mutated(RingerUnfenced) {
            fence(SeqCst);
        }
        self.descriptor.raise();
        if self.waiting.load(Relaxed) == 0 {
            return;
        }
        let wakers = {
            let mut wakers = self.wakers();
            if !mutated(ClearedLate) {
                self.waiting.store(0, Relaxed);
            }
            std::mem::take(&mut *wakers)
        };
        wakers.into_iter().for_each(|(_, waker)| waker.wake());
        if mutated(ClearedLate) {
            self.waiting.store(0, Relaxed);
        }
    }
}

/// A waker that is noted. It is forgotten when it was woken, and when this is dropped.
#[derive(Debug)]
pub struct Registration {
    bell: Arc<Bell>,
    number: u64,
}

impl Registration {
    fn new(bell: &Arc<Bell>, waker: Waker) -> Registration {
        let number = bell.next.fetch_add(1, Relaxed);
        let mut wakers = bell.wakers();
        wakers.push((number, waker));
        bell.waiting.store(wakers.len(), Relaxed);
        drop(wakers);
        if !mutated(NotedUnfenced) {
            fence(SeqCst);
        }
        Registration { bell: bell.clone(), number }
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        let mut wakers = self.bell.wakers();
        let at = wakers.iter().position(|(number, _)| *number == self.number);
        let waker = at.map(|at| wakers.swap_remove(at));
        self.bell.waiting.store(if mutated(ForgottenForAll) { 0 } else { wakers.len() }, Relaxed);
        drop(wakers);
        // Foreign code, which may come back here.
        drop(waker);
    }
}

/// One direction, as both ends see it.
#[derive(Debug)]
struct Way {
    credit: Arc<Credit>,
    /// A message is there, or the end.
    readable: Arc<Bell>,
    /// Credit is there, or the end.
    writable: Arc<Bell>,
    /// Messages that were taken and are not done.
    under_way: AtomicU64,
}

/// An end: it sends `A` and receives `B`. Dropping it closes it.
pub struct Endpoint<A, B> {
    sender: RwLock<Option<Sender<A>>>,
    receiver: RwLock<Option<Receiver<B>>>,
    outward: Arc<Way>,
    inward: Arc<Way>,
}

impl<A, B> fmt::Debug for Endpoint<A, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Endpoint").field("sends", &self.outgoing()).field("receives", &self.incoming()).finish()
    }
}

/// Two ends: what one sends the other receives, at most `window` messages (1 to [`LARGEST_WINDOW`], else the nearest) under way each way.
pub fn endpoints<A, B>(window: u32) -> (Endpoint<A, B>, Endpoint<B, A>) {
    let window = window.clamp(1, LARGEST_WINDOW);
    let (to_right, from_left) = channel(window);
    let (to_left, from_right) = channel(window);
    let way = |credit: &Arc<Credit>| {
        let (readable, writable, under_way) = Default::default();
        Arc::new(Way { credit: credit.clone(), readable, writable, under_way })
    };
    let (rightward, leftward) = (way(&to_right.credit), way(&to_left.credit));
    let left = Endpoint {
        sender: RwLock::new(Some(to_right)),
        receiver: RwLock::new(Some(from_right)),
        outward: rightward.clone(),
        inward: leftward.clone(),
    };
    let (sender, receiver) = (RwLock::new(Some(to_left)), RwLock::new(Some(from_left)));
    (left, Endpoint { sender, receiver, outward: leftward, inward: rightward })
}

impl<A, B> Endpoint<A, B> {
    /// Sends without waiting.
    ///
    /// # Errors
    /// [`SendError`] gives the message back; `Closed` also where this end has finished.
    pub fn try_send(&self, message: A) -> Result<(), SendError<A>> {
        {
            // Held for the attempt alone, which does not wait: an end comes behind it, and is seen by the receiver after the message.
            let sender = self.sender.read().unwrap_or_else(PoisonError::into_inner);
            match &*sender {
                Some(sender) => sender.try_send(message)?,
                None => return Err(SendError::Closed(message)),
            }
        }
        self.outward.readable.ring_unless(SentUnrung);
        Ok(())
    }

    /// Sends, and waits for credit: for ever, or for at most `timeout`.
    ///
    /// # Errors
    /// As [`Endpoint::try_send`].
    pub fn send(&self, message: A, timeout: Option<Duration>) -> Result<(), SendError<A>> {
        let mut held = Some(message);
        let sent = wait(&self.outward.writable, timeout, || {
            match self.try_send(held.take().expect("what was not sent is given back")) {
                Err(SendError::Full(back)) => {
                    held = Some(back);
                    None
                }
                over => Some(over),
            }
        });
        sent.unwrap_or_else(|| Err(SendError::Full(held.take().expect("what was not sent is given back"))))
    }

    /// The next message where one is there. It fills its place in the window until [`Endpoint::done`] is called, once for each.
    ///
    /// # Errors
    /// [`ReceiveError`].
    pub fn try_take(&self) -> Result<B, ReceiveError> {
        let receiver = self.receiver.read().unwrap_or_else(PoisonError::into_inner);
        let receiver = receiver.as_ref().ok_or(ReceiveError::Ended)?;
        receiver.credit.step();
        let received = self.inward.readable.descriptor.lowered(|| match receiver.messages.try_recv() {
            Err(TryRecvError::Empty) => None,
            received => Some(received),
        });
        let message = received.ok_or(ReceiveError::Empty)?.map_err(|_| ReceiveError::Ended)?;
        self.inward.under_way.fetch_add(1, Relaxed);
        Ok(message)
    }

    /// Says that a message which was taken is done with; without one it does nothing.
    pub fn done(&self) {
        let (under_way, less) = (&self.inward.under_way, |under_way: u64| under_way.checked_sub(1));
        let taken = if mutated(UnderWayStored) {
            less(under_way.load(Relaxed)).map(|less| under_way.store(less, Relaxed)).is_some()
        } else {
            under_way.fetch_update(Relaxed, Relaxed, less).is_ok()
        };
        if !taken {
            return;
        }
        if let Some(receiver) = &*self.receiver.read().unwrap_or_else(PoisonError::into_inner) {
            receiver.credit.step();
            receiver.credit.give_back(receiver.messages.is_empty());
        }
        self.inward.writable.ring_unless(DoneUnrung);
    }

    /// [`Endpoint::try_take`], waiting: for ever, or for at most `timeout`.
    ///
    /// # Errors
    /// [`ReceiveError`]; `Empty` where none came in time.
    pub fn take(&self, timeout: Option<Duration>) -> Result<B, ReceiveError> {
        let taken = wait(&self.inward.readable, timeout, || match self.try_take() {
            Err(ReceiveError::Empty) => None,
            over => Some(over),
        });
        taken.unwrap_or(Err(ReceiveError::Empty))
    }

    /// The next message where one is there; it is done with.
    ///
    /// # Errors
    /// As [`Endpoint::try_take`].
    pub fn try_receive(&self) -> Result<B, ReceiveError> {
        self.try_take().inspect(|_| self.done())
    }

    /// [`Endpoint::take`] of a message that is done with.
    ///
    /// # Errors
    /// As [`Endpoint::take`].
    pub fn receive(&self, timeout: Option<Duration>) -> Result<B, ReceiveError> {
        self.take(timeout).inspect(|_| self.done())
    }

    /// Has a waker woken once when there may be something to receive; the caller tries again after this returned, and then waits.
    pub fn when_readable(&self, waker: Waker) -> Registration {
        Registration::new(&self.inward.readable, waker)
    }

    /// Has a waker woken once when there may be credit; as [`Endpoint::when_readable`].
    pub fn when_writable(&self, waker: Waker) -> Registration {
        Registration::new(&self.outward.writable, waker)
    }

    /// A descriptor to poll, for event loops: readable while there may be something to receive, and for good when nothing more will come. Receiving
    /// without waiting until [`ReceiveError::Empty`] lowers it; nobody else reads it. It lives as long as this end.
    ///
    /// # Errors
    /// The system's, where it gives no descriptor.
    pub fn descriptor(&self) -> io::Result<BorrowedFd<'_>> {
        self.inward.readable.descriptor.get()
    }

    /// Withdraws the credit of the other end until [`Endpoint::release`]; what it sent can still be received.
    pub fn hold(&self) {
        if let Some(receiver) = &*self.receiver.read().unwrap_or_else(PoisonError::into_inner) {
            receiver.hold();
        }
    }

    /// Gives back the credit that [`Endpoint::hold`] withdrew.
    pub fn release(&self) {
        if let Some(receiver) = &*self.receiver.read().unwrap_or_else(PoisonError::into_inner) {
            receiver.release();
        }
        self.inward.writable.ring_unless(ReleaseUnrung);
    }

    /// Sends nothing more: the other end receives what was sent, and then learns that it has ended.
    pub fn finish(&self) {
        let sender = self.sender.write().unwrap_or_else(PoisonError::into_inner).take();
        self.outward.credit.step();
        drop(sender);
        self.outward.readable.ring_unless(FinishUnrung);
        self.outward.writable.ring_unless(FinishUnrung);
    }

    /// Finishes, and receives nothing more: what was not received is dropped, the other end cannot send, and who waits here is woken.
    pub fn close(&self) {
        self.finish();
        if mutated(CloseRungFirst) {
            self.inward.writable.ring();
            self.inward.readable.ring();
        }
        let receiver = self.receiver.write().unwrap_or_else(PoisonError::into_inner).take();
        // Outside the lock: dropping messages is foreign code. One that is being sent at this moment is dropped with the other end.
        if let Some(receiver) = receiver {
            receiver.credit.close();
            receiver.credit.step();
            while receiver.messages.try_recv().is_ok() {}
        }
        if !mutated(CloseRungFirst) {
            self.inward.writable.ring_unless(CloseUnrung);
            self.inward.readable.ring_unless(CloseUnrung);
        }
    }

    /// Whether this end was closed.
    pub fn is_closed(&self) -> bool {
        self.receiver.read().unwrap_or_else(PoisonError::into_inner).is_none()
    }

    /// Messages that may be sent at present.
    pub fn credit(&self) -> u64 {
        self.sender.read().unwrap_or_else(PoisonError::into_inner).as_ref().map_or(0, Sender::credit)
    }

    /// How what this end sends has fared.
    pub fn outgoing(&self) -> Flow {
        self.outward.credit.flow()
    }

    /// How what this end receives has fared.
    pub fn incoming(&self) -> Flow {
        self.inward.credit.flow()
    }
}

impl<A, B> Drop for Endpoint<A, B> {
    fn drop(&mut self) {
        self.close();
    }
}

/// Wakes a thread that parks.
struct Parked {
    thread: Thread,
    woken: AtomicBool,
}

impl Wake for Parked {
    fn wake(self: Arc<Parked>) {
        self.woken.store(true, Release);
        self.thread.unpark();
    }
}

/// Tries again and again as something changes; none: the time is over.
fn wait<T>(bell: &Arc<Bell>, timeout: Option<Duration>, mut attempt: impl FnMut() -> Option<T>) -> Option<T> {
    if let Some(over) = attempt() {
        return Some(over);
    }
    // A moment that cannot be named is one that never comes.
    let until = timeout.map(|timeout| Instant::now().checked_add(timeout)).unwrap_or_default();
    loop {
        let parked = Arc::new(Parked { thread: current(), woken: AtomicBool::new(false) });
        let _noted = Registration::new(bell, parked.clone().into());
        if !mutated(UnseenOnceNoted)
            && let Some(over) = attempt()
        {
            return Some(over);
        }
        while !parked.woken.load(Acquire) {
            match until.map(|until| until.saturating_duration_since(Instant::now())) {
                None => park(),
                Some(left) if left.is_zero() => return attempt(),
                Some(left) => park_timeout(left),
            }
        }
    }
}
