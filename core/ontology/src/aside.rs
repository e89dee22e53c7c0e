//! Work that another thread may do meanwhile.

use std::sync::mpsc::{Receiver, sync_channel};

/// Runs jobs on another thread, each soon; or refuses one, which its owner then does.
pub trait Aside: Sync {
    /// Takes a job, or drops it.
    fn submit(&self, job: Box<dyn FnOnce() + Send>);
}

/// Nobody else: each job is its owner's.
#[derive(Clone, Copy, Debug)]
pub struct Alone;

impl Aside for Alone {
    fn submit(&self, _: Box<dyn FnOnce() + Send>) {}
}

/// What another thread is making, or nobody.
pub(crate) struct Pending<T>(Receiver<T>);

impl<T: Send + 'static> Pending<T> {
    /// Begins it.
    pub(crate) fn begin(aside: &dyn Aside, make: impl FnOnce() -> T + Send + 'static) -> Pending<T> {
        let (done, made) = sync_channel(1);
        // Whoever waited may have given up, for a reason of its own.
        aside.submit(Box::new(move || _ = done.send(make())));
        Pending(made)
    }

    /// Waits for it. None where nobody took the job, or its thread failed.
    pub(crate) fn finish(self) -> Option<T> {
        self.0.recv().ok()
    }
}
