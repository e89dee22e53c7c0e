//! What the loom models see beside the executor.

use std::ops::ControlFlow;

use crate::channel::credit::Credit;
use crate::event_count::EventCount;

/// An event count.
#[derive(Debug, Default)]
pub struct ModelEvents(EventCount);

impl ModelEvents {
    /// Waits until a look says yes.
    pub fn wait(&self, look: impl Fn() -> bool) {
        self.0.wait(|| if look() { ControlFlow::Break(()) } else { ControlFlow::Continue(None) });
    }

    /// Something has changed that one waiter can deal with.
    pub fn notify_one(&self) {
        self.0.notify_one();
    }
}

/// The credit of a channel.
#[derive(Debug)]
pub struct ModelCredit(Credit);

impl ModelCredit {
    /// Of a window.
    pub fn new(window: u64) -> ModelCredit {
        ModelCredit(Credit::new(window))
    }

    /// Takes the credit for a message, waiting for it; whether there is a receiver.
    pub fn take(&self) -> bool {
        loop {
            if self.0.is_closed() {
                return false;
            }
            if self.0.take() {
                return true;
            }
            self.0.wait(None);
        }
    }

    /// The receiver is done with a message.
    pub fn give_back(&self, nothing_waits: bool) {
        self.0.give_back(nothing_waits);
    }

    /// Withdraws all credit, or gives it back.
    pub fn hold(&self, held: bool) {
        self.0.hold(held);
    }

    /// There is no receiver any more.
    pub fn close(&self) {
        self.0.close();
    }
}
