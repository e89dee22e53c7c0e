//! What a promotion leaves behind: a version with its receipt where there is a ledger, and the announcement of the change.

use std::sync::Arc;

use knhk_hot::Hot;
use knhk_ontology::{Document, KeyTable};
use knhk_promotion::{Journal, JournalError, Record, Version};
use knhk_warm::Clock;

use crate::durable::Durable;
use crate::emergency::Intent;
use crate::subscribe::Announcer;

pub(crate) struct Records {
    /// None in memory without a signer.
    pub(crate) durable: Option<Arc<Durable>>,
    pub(crate) announcer: Arc<Announcer>,
    pub(crate) hot: Hot,
    pub(crate) time: Arc<dyn Clock>,
}

impl Journal for Records {
    fn versions(&self, records: &[Record<'_>]) -> Result<Vec<String>, JournalError> {
        self.durable.as_ref().map_or(Ok(Vec::new()), |durable| durable.commit(records))
    }

    fn intend(&self, sector: usize, name: &str, version: &Arc<Version>) -> Result<(), JournalError> {
        let Some(durable) = &self.durable else { return Ok(()) };
        let kept = match (&durable.folder, version.rollback_of) {
            (Some(folder), Some(target)) => {
                let rollback_of = durable.recorded(name, target);
                folder.emergency.intend(sector, &Intent { version: version.number, rollback_of })
            }
            _ => Ok(()),
        };
        if durable.writable().is_ok() {
            durable.owe(name, version)?;
        }
        Ok(kept?)
    }

    fn declared(&self, sector: &str, declared: &Document, keys: &KeyTable) -> Result<(), JournalError> {
        let Some(durable) = &self.durable else { return Ok(()) };
        // The generation that shows them, if nothing else comes first.
        durable.declare(sector, declared, keys, self.hot.epoch() + 1)
    }

    fn now_ns(&self) -> u64 {
        self.time.now_ns()
    }

    fn promoted(&self, sector: &str, version: &Arc<Version>) {
        self.announcer.announce(sector, version);
    }
}
