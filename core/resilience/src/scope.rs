//! What the policies of a program share.

use std::sync::Arc;

use crate::clock::{Clock, SystemClock};
use crate::counters::Counters;
use crate::event::{Change, Event, Events};

/// A clock, where events go, and counters. A clone is the same scope.
#[derive(Clone, Debug)]
pub struct Scope {
    clock: Arc<dyn Clock>,
    events: Option<Events>,
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
        Scope { clock, events: None, counters: Arc::default() }
    }

    /// The same clock and counters, with events.
    pub fn with_events(&self, events: Events) -> Scope {
        Scope { events: Some(events), ..self.clone() }
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
        let Some(events) = &self.events else { return };
        let displaced = events.push(Event { source: source.clone(), at_ns, change });
        Counters::add(&self.counters.events_displaced, displaced);
    }
}
