//! Warm executors that the engine lists for operators: its own, and the program's.

use std::sync::PoisonError;

use knhk_warm::Executor;
use knhk_warm::executor::{Stats, TaskStats};

use crate::{Engine, Error, Status};

/// An executor, as enumerated.
#[derive(Clone, Debug)]
pub struct ExecutorInfo {
    /// Its name.
    pub name: String,
    /// What it is doing.
    pub stats: Stats,
    /// Its tasks.
    pub tasks: Vec<TaskStats>,
}

impl Engine {
    /// Makes an executor known under a name: [`Engine::executors`] lists it until it ends, and it yields to the engine's hot path
    /// ([`Engine::report_hot`]), unless it yields to another one already. It stays its owner's.
    ///
    /// # Errors
    /// `InvalidArgument` for an empty name, `AlreadyExists`, `Closed`.
    pub fn add_executor(&self, name: &str, executor: &Executor) -> Result<(), Error> {
        self.checked()?;
        if name.is_empty() || name.len() > 128 || name.chars().any(char::is_control) {
            let message = format!("{name:?} cannot name an executor: use 1 to 128 bytes");
            return Err(Error::new(Status::InvalidArgument, "executor", name, message));
        }
        if name == crate::own::NAME {
            let message = format!("{name} is the engine's own executor: choose another name");
            return Err(Error::new(Status::AlreadyExists, "executor", name, message));
        }
        let mut known = self.inner.announcer.policies.executors.lock().unwrap_or_else(PoisonError::into_inner);
        known.retain(|(_, watch)| watch.look().is_some());
        if known.iter().any(|(known, _)| known == name) {
            let message = format!("there is an executor {name} already");
            return Err(Error::new(Status::AlreadyExists, "executor", name, message));
        }
        executor.yield_to(self.inner.own.hot.clone());
        known.push((name.into(), executor.watch()));
        Ok(())
    }

    /// The executors that were made known and have not ended, in that order, and last the engine's own, once it has something to do by itself.
    pub fn executors(&self) -> Vec<ExecutorInfo> {
        let own = |executor: &Executor| ExecutorInfo {
            name: crate::own::NAME.into(),
            stats: executor.stats(),
            tasks: executor.tasks(),
        };
        let own = self.inner.own.look(own);
        let known = self.inner.announcer.policies.executors.lock().unwrap_or_else(PoisonError::into_inner);
        let look = |(name, watch): &(String, knhk_warm::executor::Watch)| {
            let (stats, tasks) = watch.look()?;
            Some(ExecutorInfo { name: name.clone(), stats, tasks })
        };
        known.iter().filter_map(look).chain(own).collect()
    }
}
