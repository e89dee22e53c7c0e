//! What an executor is doing, as seen by whoever does not own it.

use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, PoisonError, Weak};

use super::run::Shared;
use super::{Executor, Stats, TaskStats};

impl Shared {
    pub(super) fn stats(&self) -> Stats {
        Stats {
            waiting: self.queues.by_level(),
            running: self.running.load(Relaxed),
            resting: self.resting.count(),
            paused: self.paused.load(Relaxed),
            load: self.load(),
        }
    }

    pub(super) fn task_stats(&self) -> Vec<TaskStats> {
        let tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        tasks.iter().filter_map(|task| Some(task.upgrade()?.stats())).collect()
    }
}

/// Looks at an executor without keeping it. A clone looks at the same one.
#[derive(Clone)]
pub struct Watch(Weak<Shared>);

impl std::fmt::Debug for Watch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Watch").field(&self.look().map(|(stats, _)| stats)).finish()
    }
}

impl Executor {
    /// A look at it for others, an operator's list say.
    pub fn watch(&self) -> Watch {
        Watch(Arc::downgrade(&self.shared))
    }
}

impl Watch {
    /// [`Executor::stats`] and [`Executor::tasks`]; none once it has ended.
    pub fn look(&self) -> Option<(Stats, Vec<TaskStats>)> {
        let shared = self.0.upgrade().filter(|shared| !shared.stopping.load(Relaxed))?;
        Some((shared.stats(), shared.task_stats()))
    }
}
