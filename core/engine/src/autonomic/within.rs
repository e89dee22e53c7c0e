//! Whether the calling thread runs a callback of a loop: what would wait for the loop there would wait for itself.

use std::cell::Cell;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::{Engine, Error, Status};

/// What runs on a thread of a loop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Callback {
    Proposer,
    /// A turn waits for it.
    Detector,
    Hook,
}

/// Tells the loops of this process apart.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Mark(u64);

impl Default for Mark {
    fn default() -> Mark {
        static LAST: AtomicU64 = AtomicU64::new(0);
        Mark(LAST.fetch_add(1, Ordering::Relaxed))
    }
}

thread_local! {
    static RUNS: Cell<Option<(Mark, Callback)>> = const { Cell::new(None) };
}

impl Mark {
    /// From now on the calling thread runs such callbacks, and nothing else.
    pub(super) fn enter(self, callback: Callback) {
        RUNS.set(Some((self, callback)));
    }

    fn runs(self) -> Option<Callback> {
        RUNS.get().filter(|(mark, _)| *mark == self).map(|(_, callback)| callback)
    }
}

impl Engine {
    /// Refuses what changes the loop, from a callback of it, and on a closed engine.
    pub(super) fn not_within(&self, what: &str) -> Result<(), Error> {
        self.checked()?;
        self.inner.autonomic.mark.runs().map_or(Ok(()), |callback| Err(busy(what, callback)))
    }

    /// Refuses what waits for the end of a turn, from a callback that a turn waits for.
    pub(super) fn not_within_turn(&self, what: &str) -> Result<(), Error> {
        match self.inner.autonomic.mark.runs() {
            Some(callback @ Callback::Detector) => Err(busy(what, callback)),
            _ => Ok(()),
        }
    }
}

fn busy(what: &str, callback: Callback) -> Error {
    let callback = match callback {
        Callback::Proposer => "a proposer",
        Callback::Detector => "a detector",
        Callback::Hook => "a hook",
    };
    let message = format!(
        "{what} was called from {callback} of this loop, which would wait for itself: call it from a thread of the program's own, after the callback returned"
    );
    Error::new(Status::Busy, "loop", what, message)
}
