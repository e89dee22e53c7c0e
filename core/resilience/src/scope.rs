//! What the policies of a program share.

use std::sync::Arc;

use arc_swap::ArcSwap;

use crate::clock::{Clock, SystemClock};
use crate::counters::Counters;
use crate::event::{Change, Event, Events};

/// A clock, where events go, and counters. A clone is the same scope.
#[derive(Clone, Debug)]
pub struct Scope {
    clock: Arc<dyn Clock>,
    /// Each hears every event.
    listeners: Arc<ArcSwap<Vec<Events>>>,
    counters: Arc<Counters>,
}

impl Default for Scope {
    /// The system's clock, and no events.
    fn default() -> Scope {
        Scope::new(Arc::new(SystemClock))
    }
}

impl Scope {
    /// A scope of that clock, without events.
    pub fn new(clock: Arc<dyn Clock>) -> Scope {
        Scope { clock, listeners: Arc::default(), counters: Arc::default() }
    }

    /// The same scope, where `events` hears of every transition from now on.
    pub fn with_events(self, events: Events) -> Scope {
        self.subscribe(events);
        self
    }

    /// The same listeners and counters under another clock.
    pub fn with_clock(&self, clock: Arc<dyn Clock>) -> Scope {
        Scope { clock, ..self.clone() }
    }

    /// Has `events` hear of every transition of this scope's policies from now on. Each queue that was subscribed hears all of them.
    pub fn subscribe(&self, events: Events) {
        self.listeners.rcu(|listeners| {
            let mut listeners = Vec::clone(listeners);
            listeners.push(events.clone());
            listeners
        });
    }

    /// Has `events` hear of nothing more.
    pub fn unsubscribe(&self, events: &Events) {
        self.listeners.rcu(|listeners| listeners.iter().filter(|other| !other.is(events)).cloned().collect::<Vec<_>>());
    }

    /// Its clock.
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.clock
    }

    /// Its counters.
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// Tells whoever listens. It never waits for a listener.
    pub(crate) fn announce(&self, source: &Arc<str>, at_ns: u64, change: Change) {
        tracing::info!(name: "knhk.resilience.transition", source = &**source, at_ns, "{change}");
        let event = Event { source: source.clone(), at_ns, change };
        for listener in self.listeners.load().iter() {
            Counters::add(&self.counters.events_displaced, listener.push(event.clone()));
        }
    }
}
