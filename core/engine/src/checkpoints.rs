//! Checkpoints of the program's own components, in the engine's store.

use std::sync::{Arc, PoisonError};

use knhk_resilience::checkpoint::{CheckpointError, Checkpoints, InStore, Settings};

use crate::{Engine, Error, Status};

impl Engine {
    /// Checkpoints under a name, kept beside the engine's receipts: each one that is taken or restored leaves a receipt with its digest,
    /// and a backup of the engine has them. A name has one such object at a time, which [`Engine::checkpointed`] lists as long as somebody
    /// holds it. It can be used until the engine is closed.
    ///
    /// # Errors
    /// [`Status::NotFound`]: the engine keeps nothing, because it was opened in memory without a signer; [`Status::InvalidArgument`]: a
    /// setting is out of its range; [`Status::AlreadyExists`]: the name is in use; [`Status::System`]: the store cannot be read.
    pub fn checkpoints(&self, name: &str, settings: Settings) -> Result<Arc<Checkpoints>, Error> {
        self.checked()?;
        let fail = |status, why: &dyn std::fmt::Display| Error::new(status, "checkpoint", name, why.to_string());
        settings.check().map_err(|error| fail(Status::InvalidArgument, &error))?;
        let backend = InStore::new(self.durable()?.store().clone(), name);
        let mut open = self.inner.announcer.policies.checkpoints.lock().unwrap_or_else(PoisonError::into_inner);
        open.retain(|known| known.strong_count() > 0);
        if open.iter().filter_map(std::sync::Weak::upgrade).any(|known| &**known.name() == name) {
            let message = format!(
                "the checkpoints of {name} are open already, and a name has one writer: share that one, or free it"
            );
            return Err(fail(Status::AlreadyExists, &message));
        }
        let made = Checkpoints::open(name, backend, settings, &self.scope());
        let made = Arc::new(made.map_err(|error| fail(Status::System, &error))?);
        open.push(Arc::downgrade(&made));
        Ok(made)
    }

    /// The checkpoints that are open, in the order in which they were opened.
    pub fn checkpointed(&self) -> Vec<Arc<Checkpoints>> {
        let open = self.inner.announcer.policies.checkpoints.lock().unwrap_or_else(PoisonError::into_inner);
        open.iter().filter_map(std::sync::Weak::upgrade).collect()
    }
}

/// An error of checkpoints under a name, as the engine's: `NotFound` for none to restore, `Corrupt` for none that is whole, `Limit`
/// for too much state, `Io` for what the store refused, `System` for what a component refused.
pub fn checkpoint_error(name: &str, error: &CheckpointError) -> Error {
    let status = match error {
        CheckpointError::Taken(_) => Status::AlreadyExists,
        CheckpointError::Name(_) | CheckpointError::Setting(_) => Status::InvalidArgument,
        CheckpointError::TooLarge { .. } => Status::Limit,
        CheckpointError::Write(_) | CheckpointError::Backend(_) => Status::Io,
        CheckpointError::Empty => Status::NotFound,
        CheckpointError::NoneWhole(_) => Status::Corrupt,
        _ => Status::System,
    };
    let item = match error {
        CheckpointError::Save { component, .. } | CheckpointError::Taken(component) => component,
        _ => name,
    };
    Error::new(status, "checkpoint", item, format!("checkpoints {name}: {error}"))
}
