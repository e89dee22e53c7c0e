//! The credit of a channel: how many messages may be sent, and who waits for more.

use std::ops::ControlFlow;
use std::sync::atomic::AtomicU64 as Statistic;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Instant;

use super::Flow;
use crate::event_count::EventCount;
use crate::mutant::Mutant::{CloseUntold, DoneStored, GrantedStored, SentStored};
use crate::mutant::mutated;
use crate::primitive::{AtomicBool, AtomicU64};

/// Keeps what one side writes away from what the other does.
#[derive(Debug, Default)]
#[repr(align(64))]
struct Apart<T>(T);

/// Everything is relaxed: the messages bring their own order with them, and an [`EventCount`] that of the waiting.
#[derive(Debug)]
pub(crate) struct Credit {
    window: u64,
    /// Messages that may have been sent in all.
    granted: Apart<AtomicU64>,
    /// Messages that were sent in all.
    sent: Apart<AtomicU64>,
    /// Messages that the receiver is done with.
    done: Apart<AtomicU64>,
    refused: Statistic,
    held: AtomicBool,
    closed: AtomicBool,
    changed: EventCount,
    #[cfg(loom)]
    steps: AtomicU64,
}

impl Credit {
    pub(crate) fn new(window: u64) -> Credit {
        Credit {
            window,
            granted: Apart(AtomicU64::new(window)),
            sent: Apart::default(),
            done: Apart::default(),
            refused: Statistic::new(0),
            held: AtomicBool::new(false),
            closed: AtomicBool::new(false),
            changed: EventCount::default(),
            #[cfg(loom)]
            steps: AtomicU64::new(0),
        }
    }

    /// Comes before each call of the messages' own channel, of which loom sees nothing: in a model, threads may be exchanged here. It
    /// orders nothing else.
    #[inline(always)]
    pub(super) fn step(&self) {
        #[cfg(loom)]
        self.steps.fetch_add(1, Relaxed);
    }

    /// Takes the credit for one message.
    pub(crate) fn take(&self) -> bool {
        if self.held.load(Relaxed) {
            return false;
        }
        let mut sent = self.sent.0.load(Relaxed);
        while sent < self.granted.0.load(Relaxed) {
            if mutated(SentStored) {
                self.sent.0.store(sent + 1, Relaxed);
                return true;
            }
            match self.sent.0.compare_exchange_weak(sent, sent + 1, Relaxed, Relaxed) {
                Ok(_) => return true,
                Err(other) => sent = other,
            }
        }
        false
    }

    pub(super) fn refuse(&self) {
        self.refused.fetch_add(1, Relaxed);
    }

    /// Messages that may be sent at present.
    pub(super) fn left(&self) -> u64 {
        let left = || self.granted.0.load(Relaxed).saturating_sub(self.sent.0.load(Relaxed));
        if self.held.load(Relaxed) { 0 } else { left() }
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.closed.load(Relaxed)
    }

    /// The receiver is done with one more message.
    pub(crate) fn give_back(&self, nothing_waits: bool) {
        let done = if mutated(DoneStored) {
            let done = self.done.0.load(Relaxed);
            self.done.0.store(done + 1, Relaxed);
            done
        } else {
            self.done.0.fetch_add(1, Relaxed)
        };
        let granted = done + 1 + self.window;
        if nothing_waits || granted.saturating_sub(self.granted.0.load(Relaxed)) >= self.window.div_ceil(4) {
            // Another receiver may have granted more in between.
            if mutated(GrantedStored) {
                self.granted.0.store(granted, Relaxed);
            } else {
                self.granted.0.fetch_max(granted, Relaxed);
            }
            self.changed.notify_all();
        }
    }

    /// Withdraws all credit, or gives it back.
    pub(crate) fn hold(&self, held: bool) {
        self.held.store(held, Relaxed);
        if !held {
            self.changed.notify_all();
        }
    }

    /// There is no receiver any more.
    pub(crate) fn close(&self) {
        self.closed.store(true, Relaxed);
        if !mutated(CloseUntold) {
            self.changed.notify_all();
        }
    }

    /// Waits until a sender need not wait; whether that came.
    pub(crate) fn wait(&self, until: Option<Instant>) -> bool {
        self.changed.wait(|| match until {
            _ if self.is_closed() || self.left() > 0 => ControlFlow::Break(true),
            None => ControlFlow::Continue(None),
            Some(until) => match until.checked_duration_since(Instant::now()).filter(|left| !left.is_zero()) {
                None => ControlFlow::Break(false),
                left => ControlFlow::Continue(left),
            },
        })
    }

    pub(super) fn flow(&self) -> Flow {
        Flow {
            window: self.window,
            sent: self.sent.0.load(Relaxed),
            done: self.done.0.load(Relaxed),
            refused: self.refused.load(Relaxed),
            held: self.held.load(Relaxed),
        }
    }
}
