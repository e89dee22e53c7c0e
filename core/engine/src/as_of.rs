//! As-of views: the sectors as they were, read through the same calls as the current ones.

use std::sync::{Arc, PoisonError};

use knhk_hot::{Change, Hold};
use knhk_ontology::compile_snapshot;
use knhk_promotion::{PromotionError, Sector};
use knhk_store::VersionRecord;
use knhk_version::{AsOf, Reference};

use crate::{Engine, Error};

impl Engine {
    /// All sectors as they were, in one view: by a moment, or right after a version of a sector became current. Keys that were interned read
    /// it as they read any other; sectors in which nothing was promoted then read as never promoted. It costs memory of its own until it is
    /// dropped, and no reader anything.
    ///
    /// # Errors
    /// `NotFound` where retention removed what was current then, and without a ledger; `Corrupt` where it is damaged; `Closed`, `Forked`.
    pub fn as_of(&self, as_of: &AsOf) -> Result<Hold, Error> {
        self.checked()?;
        let records = self.durable()?.history.as_of(as_of)?;
        let sectors = self.inner.sectors.read().unwrap_or_else(PoisonError::into_inner).clone();
        let epoch = records.iter().flatten().map(|record| record.epoch).max().unwrap_or(0);
        let mut then = Vec::with_capacity(sectors.len());
        for (sector, record) in sectors.iter().zip(records) {
            let Some(record) = record else { continue };
            then.push((self.compiled_then(sector, &record)?, record.epoch));
        }
        Ok(self.inner.hot.detached(epoch, &then)?)
    }

    /// All sectors as of what a reference means: at a moment (`2026-11-01`, `@2h`), or right after the version of a sector that any other form
    /// of [`Engine::resolve`] names.
    ///
    /// # Errors
    /// As [`Engine::resolve`] and [`Engine::as_of`].
    pub fn as_of_reference(&self, sector: &str, reference: &str) -> Result<Hold, Error> {
        let as_of = match Reference::parse(reference)? {
            Reference::Moment(moment) => AsOf::Moment(moment),
            Reference::Ago(ago) => {
                AsOf::Moment(self.now_ns().saturating_sub(u64::try_from(ago.as_nanos()).unwrap_or(u64::MAX)))
            }
            _ => AsOf::Version { sector: sector.into(), number: self.resolve(sector, reference)? },
        };
        // A moment is of all sectors, and the one that was named is there.
        self.sector(sector)?;
        self.as_of(&as_of)
    }

    fn compiled_then(&self, sector: &Sector, record: &VersionRecord) -> Result<Change, Error> {
        let change = |artifact| Change { sector: sector.number(), artifact, snapshot_id: record.snapshot, ready: true };
        if let Some(version) = sector.lock()?.version(record.number) {
            return Ok(change(version.artifact().clone()));
        }
        let snapshot = self.durable()?.history.load(record, &*self.base(sector)?)?.0;
        let mut state = sector.lock()?;
        let current = state.current().cloned();
        let artifact = current.as_ref().map(|current| &**current.artifact());
        let compiled = compile_snapshot(&snapshot, &mut state.keys, artifact).map_err(PromotionError::from)?;
        Ok(change(Arc::clone(&compiled.artifact)))
    }
}
