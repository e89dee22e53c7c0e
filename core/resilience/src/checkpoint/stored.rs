//! Checkpoints in a [`Store`], beside what else it keeps.

use std::sync::Arc;

use knhk_store::{Batch, State, Store, Write};

use super::backend::{Backend, Stored};
use super::error::BackendError;

/// Checkpoints as the states of a name in a store. Each name has one writer.
pub struct InStore {
    store: Arc<dyn Store>,
    name: String,
}

impl std::fmt::Debug for InStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("InStore").field("name", &self.name).finish_non_exhaustive()
    }
}

impl InStore {
    /// The checkpoints of a name.
    pub fn new(store: Arc<dyn Store>, name: &str) -> InStore {
        InStore { store, name: name.into() }
    }

    fn failure(&self, action: &'static str, why: &dyn std::fmt::Display) -> BackendError {
        BackendError { place: format!("\"{}\" in the store", self.name), action, why: why.to_string() }
    }
}

impl Backend for InStore {
    fn put(&self, Stored { number, full }: Stored, content: &[u8]) -> Result<(), BackendError> {
        let state = State { name: self.name.clone(), number, whole: full, content: content.to_vec() };
        self.store.commit(Batch::new().with(Write::State(state))).map_err(|error| self.failure("written", &error))
    }

    fn get(&self, stored: Stored, limit: u64) -> Result<Option<Vec<u8>>, BackendError> {
        let content = self.store.state(&self.name, stored.number).map_err(|error| self.failure("read", &error))?;
        // The store bounds what it reads by [`State::MAX_BYTES`].
        if content.as_ref().is_some_and(|content| content.len() as u64 > limit) {
            return Err(self.failure("read", &format!("it has more than {limit} bytes")));
        }
        Ok(content)
    }

    fn list(&self) -> Result<Vec<Stored>, BackendError> {
        let states = self.store.states(&self.name).map_err(|error| self.failure("listed", &error))?;
        Ok(states.into_iter().map(|(number, full)| Stored { number, full }).collect())
    }

    fn remove_before(&self, number: u64) -> Result<(), BackendError> {
        let drop = Write::DropStates { name: self.name.clone(), before: number };
        self.store.commit(Batch::new().with(drop)).map_err(|error| self.failure("removed", &error))
    }
}
