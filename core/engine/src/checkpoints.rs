//! Checkpoints of the program's own components, in the engine's store.

use knhk_resilience::checkpoint::{Checkpoints, InStore, Settings};

use crate::{Engine, Error, Status};

impl Engine {
    /// Checkpoints under a name, kept beside the engine's receipts: each one that is taken or restored leaves a receipt with its digest,
    /// and a backup of the engine has them. A name has one such object at a time. It can be used until the engine is closed.
    ///
    /// # Errors
    /// [`Status::NotFound`]: the engine keeps nothing, because it was opened in memory without a signer; [`Status::InvalidArgument`]: a
    /// setting is out of its range; [`Status::System`]: the store cannot be read.
    pub fn checkpoints(&self, name: &str, settings: Settings) -> Result<Checkpoints, Error> {
        let fail = |status, why: &dyn std::fmt::Display| Error::new(status, "checkpoint", name, why.to_string());
        settings.check().map_err(|error| fail(Status::InvalidArgument, &error))?;
        let backend = InStore::new(self.durable()?.store().clone(), name);
        Checkpoints::open(name, backend, settings, &self.scope()).map_err(|error| fail(Status::System, &error))
    }
}
