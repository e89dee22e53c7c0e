//! Shadows: where a change is tried before anyone asks for it.
//!
//! A shadow is a snapshot that shares with what is current all that it does not change, and an artifact of its own. Making one costs what the
//! change costs, dropping it costs nothing, and any number of them know nothing of each other: nothing in a shadow can be changed by anyone
//! but through it, and nothing of it is published.

mod assertion;
mod compare;

use std::sync::Arc;

use knhk_hot::{Change, Hold, Hot, HotError};
use knhk_ontology::graph::Delta;
use knhk_ontology::{Alone, CompileError, Compiled, KeyTable, Snapshot, SnapshotError, compile_change};

pub use assertion::{Assertion, Callback, Outcome, Test, TestReport};
pub use compare::{Comparator, Differing};

use crate::Candidate;

/// A sector as it would be, to look at, to test, and to read.
#[derive(Clone, Debug)]
pub struct Shadow {
    /// What it starts from.
    base: Arc<Snapshot>,
    /// What programs read of that.
    current: Option<Arc<Compiled>>,
    snapshot: Arc<Snapshot>,
    compiled: Option<Arc<Compiled>>,
    keys: KeyTable,
}

/// Why a shadow did not take a change. It is as it was.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ShadowError {
    /// No change that the sector may make.
    #[error(transparent)]
    Snapshot(#[from] SnapshotError),
    /// Programs could not read it.
    #[error(transparent)]
    Compile(#[from] CompileError),
    /// It cannot be read: it does not compile.
    #[error("this shadow does not compile, so there is nothing to read: its tests say why")]
    NotCompiled,
    /// The cell refuses.
    #[error(transparent)]
    Hot(#[from] HotError),
}

impl Shadow {
    /// A shadow of what is current. `keys` is the sector's key table, of which it takes a copy.
    pub fn over(base: Arc<Snapshot>, current: Option<Arc<Compiled>>, keys: &KeyTable) -> Shadow {
        let (snapshot, compiled) = (base.clone(), current.clone());
        Shadow { base, current, snapshot, compiled, keys: keys.clone() }
    }

    /// The shadow that a candidate was prepared in.
    pub fn of(candidate: &Candidate, keys: &KeyTable) -> Shadow {
        Shadow {
            base: candidate.base.clone(),
            current: candidate.current.clone(),
            snapshot: candidate.snapshot.clone(),
            compiled: candidate.compiled.clone(),
            keys: keys.clone(),
        }
    }

    /// Changes what is in the shadow: a ΔΣ against what is in it now.
    ///
    /// # Errors
    /// A change that the sector may not make, or that does not compile; the shadow is as it was.
    pub fn apply(&mut self, delta: &Arc<Delta>) -> Result<(), ShadowError> {
        if let Some(compiled) = &self.compiled
            && let Some(revised) = self.snapshot.revise(compiled, delta, &Alone)
        {
            let (snapshot, compiled) = revised?;
            (self.snapshot, self.compiled) = (Arc::new(snapshot), Some(Arc::new(compiled)));
            return Ok(());
        }
        let snapshot = self.snapshot.apply(delta)?;
        let compiled = compile_change(&self.snapshot, self.compiled.as_deref(), delta, &snapshot, &mut self.keys)?;
        (self.snapshot, self.compiled) = (Arc::new(snapshot), Some(Arc::new(compiled)));
        Ok(())
    }

    /// What it starts from.
    pub fn base(&self) -> &Arc<Snapshot> {
        &self.base
    }

    /// What is in it.
    pub fn snapshot(&self) -> &Arc<Snapshot> {
        &self.snapshot
    }

    /// What programs would read of it; none where it does not compile.
    pub fn compiled(&self) -> Option<&Arc<Compiled>> {
        self.compiled.as_ref()
    }

    /// A view of it in the cell's own form, for the typed reads that programs use; `number` is the sector's. Nothing is published.
    ///
    /// # Errors
    /// [`ShadowError::NotCompiled`]; what [`Hot::detached`] says.
    pub fn view(&self, hot: &Hot, number: u32) -> Result<Hold, ShadowError> {
        let compiled = self.compiled.as_ref().ok_or(ShadowError::NotCompiled)?;
        detached(hot, number, compiled, &self.snapshot)
    }

    /// Reads it beside what it starts from, on live traffic.
    ///
    /// # Errors
    /// As [`Shadow::view`]; also where nothing was promoted yet.
    pub fn beside(&self, hot: &Hot, number: u32) -> Result<Comparator, ShadowError> {
        let current = self.current.as_ref().ok_or(ShadowError::NotCompiled)?;
        Ok(Comparator::new(detached(hot, number, current, &self.base)?, self.view(hot, number)?, number))
    }
}

fn detached(hot: &Hot, number: u32, compiled: &Compiled, snapshot: &Snapshot) -> Result<Hold, ShadowError> {
    let epoch = hot.epoch().max(1);
    let (artifact, snapshot_id) = (compiled.artifact.clone(), snapshot.id());
    let change = Change { sector: number as usize, artifact, snapshot_id, ready: true };
    Ok(hot.detached(epoch, &[(change, epoch)])?)
}
