//! Transitions, told to whoever listens, without waiting for them.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, TrySendError, bounded};
use knhk_warm::{Next, Ticker};

use crate::{breaker, health, recover};

/// A transition of one policy. Of two transitions that follow each other at once, the later may be queued first; `from` and `to` tell.
/// What holds now is the policy's own state.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// The policy's name.
    pub source: Arc<str>,
    /// When, by the scope's clock.
    pub at_ns: u64,
    /// What changed.
    pub change: Change,
}

/// What changed.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Change {
    /// A circuit breaker's state.
    Breaker {
        /// The state before.
        from: breaker::State,
        /// The state now.
        to: breaker::State,
        /// What made it change.
        why: breaker::Why,
    },
    /// A degradation level.
    Degradation {
        /// The level's name before.
        from: Arc<str>,
        /// The level's name now.
        to: Arc<str>,
        /// The features that are off now.
        off: Vec<String>,
    },
    /// A recovery was tried.
    Recovery {
        /// What was broken.
        component: Arc<str>,
        /// How it went.
        report: recover::Report,
    },
    /// A component's health.
    Health {
        /// The component.
        component: Arc<str>,
        /// The state before.
        from: health::State,
        /// The state now.
        to: health::State,
        /// The system's weighted availability now, 0 to 1.
        availability: f64,
    },
    /// The system's health.
    System {
        /// The state before.
        from: health::System,
        /// The state now.
        to: health::System,
        /// The weighted availability now, 0 to 1.
        availability: f64,
    },
    /// A checkpoint was taken.
    CheckpointTaken {
        /// Its number.
        number: u64,
        /// Whether it stands alone.
        full: bool,
        /// Its bytes, as they are kept.
        bytes: u64,
        /// Its SHA-256.
        digest: [u8; 32],
    },
    /// A checkpoint could not be taken.
    CheckpointFailed {
        /// Why.
        why: Arc<str>,
    },
    /// A checkpoint was restored.
    CheckpointRestored {
        /// Its number.
        number: u64,
        /// Newer ones that could not be.
        skipped: u64,
        /// Its SHA-256.
        digest: [u8; 32],
    },
}

impl Change {
    /// The state, level or outcome before and after, in words; a recovery was "broken" before, a checkpoint nothing.
    pub fn ends(&self) -> (String, String) {
        match self {
            Change::Breaker { from, to, .. } => (from.to_string(), to.to_string()),
            Change::Degradation { from, to, .. } => (from.to_string(), to.to_string()),
            Change::Recovery { report, .. } => {
                ("broken".into(), if report.mended_by.is_some() { "mended" } else { "not mended" }.into())
            }
            Change::Health { from, to, .. } => (from.to_string(), to.to_string()),
            Change::System { from, to, .. } => (from.to_string(), to.to_string()),
            Change::CheckpointTaken { .. } => (String::new(), "taken".into()),
            Change::CheckpointFailed { .. } => (String::new(), "failed".into()),
            Change::CheckpointRestored { .. } => (String::new(), "restored".into()),
        }
    }

    /// What kind of transition it is: "breaker", "degradation", "recovery", "health", "system" or "checkpoint".
    pub fn kind(&self) -> &'static str {
        match self {
            Change::Breaker { .. } => "breaker",
            Change::Degradation { .. } => "degradation",
            Change::Recovery { .. } => "recovery",
            Change::Health { .. } => "health",
            Change::System { .. } => "system",
            Change::CheckpointTaken { .. } | Change::CheckpointFailed { .. } | Change::CheckpointRestored { .. } => {
                "checkpoint"
            }
        }
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Change::Breaker { from, to, why } => write!(f, "circuit breaker {from} -> {to}: {why}"),
            Change::Degradation { from, to, .. } => write!(f, "degradation {from} -> {to}"),
            Change::Recovery { component, report } => write!(f, "recovery of {component}: {report}"),
            Change::Health { component, from, to, .. } => write!(f, "{component} {from} -> {to}"),
            Change::System { from, to, .. } => write!(f, "system {from} -> {to}"),
            Change::CheckpointTaken { number, full: true, bytes, .. } => {
                write!(f, "checkpoint {number}, full, {bytes} bytes")
            }
            Change::CheckpointTaken { number, full: false, bytes, .. } => {
                write!(f, "checkpoint {number}, {bytes} bytes")
            }
            Change::CheckpointFailed { why } => write!(f, "no checkpoint: {why}"),
            Change::CheckpointRestored { number, skipped: 0, .. } => write!(f, "restored checkpoint {number}"),
            Change::CheckpointRestored { number, skipped, .. } => {
                write!(f, "restored checkpoint {number}, after {skipped} newer ones that could not be")
            }
        }
    }
}

/// A bounded queue of events. A clone is the same queue; each event goes to one of those who fetch. When it is full the oldest event
/// makes room, so that whoever fell behind still learns the newest, and how many were missed.
#[derive(Clone, Debug)]
pub struct Events {
    sender: Sender<Event>,
    receiver: Receiver<Event>,
    missed: Arc<AtomicU64>,
}

impl Events {
    /// A queue of at most `capacity` events, at least one.
    pub fn new(capacity: usize) -> Events {
        let (sender, receiver) = bounded(capacity.max(1));
        Events { sender, receiver, missed: Arc::default() }
    }

    /// The oldest event, if there is one.
    pub fn try_next(&self) -> Option<Event> {
        self.receiver.try_recv().ok()
    }

    /// The oldest event; waits for one at most `timeout`.
    pub fn next_within(&self, timeout: Duration) -> Option<Event> {
        self.receiver.recv_timeout(timeout).ok()
    }

    /// Has a thread of its own call `callback` with each event, one after the other, until what this returns is dropped. A callback
    /// that blocks delays the events after it, and none of the policies.
    ///
    /// # Errors
    /// The system's, when it has no more threads.
    pub fn listen(&self, mut callback: Box<dyn FnMut(Event) + Send>) -> std::io::Result<Ticker> {
        /// How long the end of the listener may take to be noticed.
        const LOOK: Duration = Duration::from_millis(50);
        let events = self.clone();
        Ticker::spawn("knhk-resilience", move || {
            if let Some(event) = events.next_within(LOOK) {
                callback(event);
            }
            Next::Continue
        })
    }

    /// Whether this is the same queue.
    pub(crate) fn is(&self, other: &Events) -> bool {
        self.sender.same_channel(&other.sender)
    }

    /// Events that were displaced before anybody fetched them.
    pub fn missed(&self) -> u64 {
        self.missed.load(Relaxed)
    }

    /// Queues an event; returns how many older ones it displaced.
    pub(crate) fn push(&self, mut event: Event) -> u64 {
        let mut displaced = 0;
        while let Err(TrySendError::Full(back)) = self.sender.try_send(event) {
            event = back;
            displaced += u64::from(self.receiver.try_recv().is_ok());
        }
        self.missed.fetch_add(displaced, Relaxed);
        displaced
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::breaker::{State, Why};

    #[test]
    fn keeps_the_newest_and_counts_the_missed() {
        let events = Events::new(2);
        let change = Change::Breaker { from: State::Closed, to: State::ForcedOpen, why: Why::ByHand };
        for at_ns in 0..5 {
            events.push(Event { source: "a".into(), at_ns, change: change.clone() });
        }
        let kept: Vec<u64> = std::iter::from_fn(|| events.try_next()).map(|event| event.at_ns).collect();
        assert_eq!((kept, events.missed()), (vec![3, 4], 3));
        assert_eq!(events.next_within(Duration::ZERO), None);
    }

    #[test]
    fn a_listener_hears_in_order() {
        let events = Events::new(10);
        let (said, heard) = std::sync::mpsc::channel();
        let listener = events.listen(Box::new(move |event| said.send(event.at_ns).unwrap())).unwrap();
        let change = Change::Breaker { from: State::Closed, to: State::ForcedOpen, why: Why::ByHand };
        for at_ns in 0..5 {
            events.push(Event { source: "a".into(), at_ns, change: change.clone() });
        }
        assert_eq!(heard.iter().take(5).collect::<Vec<_>>(), [0, 1, 2, 3, 4]);
        drop(listener);
        assert!(heard.recv().is_err(), "the callback is gone");
    }
}
