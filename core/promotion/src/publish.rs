//! Publishing: versions of one or several sectors become durable together, and current with one swap.

use std::sync::{Arc, OnceLock};
use std::time::Instant;

use knhk_hot::{Change, Hot};
use knhk_ontology::accept;

use crate::prepare::{Prepared, nanoseconds};
use crate::sector::LastText;
use crate::{Journal, Locked, Origin, Phases, PromotionError, Record, Sector, Version};

/// What a guard admitted: the sector is locked, and what it is to become is ready.
pub(crate) struct Admitted<'s> {
    pub sector: &'s Sector,
    pub origin: Origin,
    pub phases: Phases,
    /// The receipt of its validation.
    pub passed: Option<String>,
    pub state: Locked<'s>,
    pub prepared: Prepared,
}

/// Makes them durable together, then current with one swap; or the other way round, where that cannot wait. Gives the versions, and
/// whether they are in the journal.
pub(crate) fn publish(
    mut admitted: Vec<Admitted<'_>>,
    hot: &Hot,
    journal: &dyn Journal,
    at_once: bool,
) -> Result<(Vec<Arc<Version>>, bool), PromotionError> {
    let begun = Instant::now();
    let changes: Vec<Change> = admitted.iter().map(|one| one.prepared.change(one.sector)).collect();
    // A rollback may use the roots kept in reserve: it works while a stalled reader holds all others.
    let urgent = admitted.iter().all(|one| one.prepared.rollback_of.is_some());
    let staged = if urgent { hot.prepare_urgent(&changes)? } else { hot.prepare(&changes)? };
    let staging = nanoseconds(begun);
    let (epoch, time_ns) = (staged.epoch(), journal.now_ns());
    let mut versions: Vec<Version> = admitted.iter_mut().map(|one| one.version(epoch, time_ns)).collect();
    let record = |versions: &[&Version]| {
        let records = admitted.iter().zip(versions).map(|(one, version)| Record {
            sector: one.sector.name(),
            version,
            keys: &one.state.keys,
            emergency: at_once,
        });
        let receipts = journal.versions(&records.collect::<Vec<_>>())?;
        versions.iter().zip(receipts).for_each(|(version, id)| _ = version.receipt.set(id));
        Ok(())
    };
    let begun = Instant::now();
    if !at_once {
        let (sector, version) = (&admitted[0].sector, versions[0].number);
        let failed = |source| PromotionError::Journal { sector: sector.name().into(), version, source };
        record(&versions.iter().collect::<Vec<_>>()).map_err(failed)?;
        let journal_ns = nanoseconds(begun);
        versions.iter_mut().for_each(|version| version.phases.journal_ns = journal_ns);
    }
    let begun = Instant::now();
    let mut current = Vec::with_capacity(versions.len());
    staged.swap_then(|_| {
        let swap_ns = staging + nanoseconds(begun);
        for (mut version, one) in versions.into_iter().zip(&admitted) {
            version.phases.swap_ns = swap_ns;
            let version = Arc::new(version);
            journal.promoted(one.sector.name(), &version);
            current.push(version);
        }
    });
    let recorded = match at_once {
        true => {
            let recorded = record(&current.iter().map(|version| &**version).collect::<Vec<_>>());
            recorded.inspect_err(|error| intend(&admitted, &current, journal, error)).is_ok()
        }
        false => true,
    };
    let mut forgotten = Vec::new();
    let aside = admitted[0].sector;
    for (one, version) in admitted.iter_mut().zip(&current) {
        forgotten.extend(one.settle(version));
    }
    drop(admitted);
    if !forgotten.is_empty() {
        aside.aside().discard(Box::new(forgotten));
    }
    Ok((current, recorded))
}

/// Keeps the intents of emergency rollbacks that could not be recorded.
fn intend(admitted: &[Admitted<'_>], versions: &[Arc<Version>], journal: &dyn Journal, error: &crate::JournalError) {
    for (one, version) in admitted.iter().zip(versions) {
        let sector = one.sector.name();
        tracing::error!(sector, version = version.number, %error, "an emergency rollback is not recorded yet");
        if let Err(error) = journal.intend(one.sector.number(), sector, version) {
            tracing::error!(sector, %error, "nor is its intent: a restart would not honour it");
        }
    }
}

impl Admitted<'_> {
    fn version(&mut self, epoch: u64, time_ns: u64) -> Version {
        let Prepared { snapshot, compiled, rollback_of, before, .. } = &mut self.prepared;
        Version {
            number: self.state.next,
            snapshot_id: snapshot.id(),
            epoch,
            time_ns,
            origin: self.origin.clone(),
            rollback_of: *rollback_of,
            parent: self.state.current().map(|current| current.number),
            receipt: OnceLock::new(),
            links: self.passed.take().into_iter().collect(),
            before: before.take(),
            phases: self.phases,
            snapshot: snapshot.clone(),
            compiled: compiled.clone(),
        }
    }

    /// Takes up in the sector's state that the version is current; gives the one that fell out of the history.
    fn settle(&mut self, version: &Arc<Version>) -> Option<Arc<Version>> {
        accept(&self.prepared.broken, &mut self.state.keys);
        self.state.keys.promote(version.artifact().named());
        if let Some(text) = self.prepared.text.take() {
            self.state.text = Some(Arc::new(LastText { version: version.number, text }));
        }
        self.state.push(version.clone())
    }
}
