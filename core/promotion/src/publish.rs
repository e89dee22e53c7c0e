//! Publishing: versions of one or several sectors become durable together, and current with one swap.

use std::sync::{Arc, OnceLock};
use std::time::Instant;

use knhk_hot::{Change, Hot};
use knhk_ontology::{Incompatibility, accept};

use crate::prepare::{Prepared, nanoseconds};
use crate::sector::LastText;
use crate::{Journal, Locked, Origin, Phases, PromotionError, Record, Sector, State, Version};

/// A version that is to become current, whole but for what is known only then: its generation, its time, the receipts. Nobody else has it
/// before it is current. It is made ahead, so that a commit takes no memory for it.
pub(crate) struct Next {
    pub version: Arc<Version>,
    /// Promises to programs that a declared major version takes back.
    broken: Vec<Incompatibility>,
    /// The JSON text that it comes from.
    text: Option<Arc<LastText>>,
}

/// What a guard admitted: the sector is locked, and what it is to become is ready.
pub(crate) struct Admitted<'s> {
    pub sector: &'s Sector,
    /// The receipt of its validation.
    pub passed: Option<String>,
    pub state: Locked<'s>,
    pub next: Next,
}

/// What a sector no longer holds once a version is current. To free it is not the promotion's affair.
type Forgotten = (Option<Arc<Version>>, Option<Arc<LastText>>);

/// Makes them durable together, then current with one swap; or the other way round, where that cannot wait. Gives the versions, and
/// whether they are in the journal.
pub(crate) fn publish(
    mut admitted: Vec<Admitted<'_>>,
    hot: &Hot,
    journal: &dyn Journal,
    at_once: bool,
) -> Result<(Vec<Arc<Version>>, bool), PromotionError> {
    let begun = Instant::now();
    let changes: Vec<Change> = admitted.iter().map(|one| one.next.change(one.sector)).collect();
    // A rollback may use the roots kept in reserve: it works while a stalled reader holds all others.
    let urgent = admitted.iter().all(|one| one.next.version.rollback_of.is_some());
    let staged = if urgent { hot.prepare_urgent(&changes)? } else { hot.prepare(&changes)? };
    let staging = nanoseconds(begun);
    let (epoch, time_ns) = (staged.epoch(), journal.now_ns());
    for one in &mut admitted {
        let passed = one.passed.take();
        let version = one.next.draft();
        (version.epoch, version.time_ns) = (epoch, time_ns);
        version.links.extend(passed);
    }
    let begun = Instant::now();
    if !at_once {
        let (sector, version) = (admitted[0].sector, admitted[0].next.version.number);
        let failed = |source| PromotionError::Journal { sector: sector.name().into(), version, source };
        record(&admitted, journal, at_once).map_err(failed)?;
        let journal_ns = nanoseconds(begun);
        admitted.iter_mut().for_each(|one| one.next.draft().phases.journal_ns = journal_ns);
    }
    let begun = Instant::now();
    staged.swap_then(|_| {
        let swap_ns = staging + nanoseconds(begun);
        for Admitted { sector, next, .. } in &mut admitted {
            next.draft().phases.swap_ns = swap_ns;
            journal.promoted(sector.name(), &next.version);
        }
    });
    let recorded =
        !at_once || record(&admitted, journal, at_once).inspect_err(|error| intend(&admitted, journal, error)).is_ok();
    let aside = admitted[0].sector.aside();
    let mut forgotten: Vec<Forgotten> = Vec::with_capacity(admitted.len());
    let current = admitted.into_iter().map(|mut one| {
        forgotten.push(one.settle());
        one.next.version
    });
    let current = current.collect();
    if forgotten.iter().any(|(version, text)| version.is_some() || text.is_some()) {
        aside.discard(Box::new(forgotten));
    }
    Ok((current, recorded))
}

/// Makes the versions durable, and notes their receipts.
fn record(admitted: &[Admitted<'_>], journal: &dyn Journal, emergency: bool) -> Result<(), crate::JournalError> {
    let record = |one| {
        let Admitted { sector, state, next, .. }: &Admitted<'_> = one;
        Record { sector: sector.name(), version: &next.version, keys: &state.keys, emergency }
    };
    let receipts = journal.versions(&admitted.iter().map(record).collect::<Vec<_>>())?;
    admitted.iter().zip(receipts).for_each(|(one, id)| _ = one.next.version.receipt.set(id));
    Ok(())
}

/// Keeps the intents of emergency rollbacks that could not be recorded.
fn intend(admitted: &[Admitted<'_>], journal: &dyn Journal, error: &crate::JournalError) {
    for Admitted { sector, next: Next { version, .. }, .. } in admitted {
        let (number, sector) = (sector.number(), sector.name());
        tracing::error!(sector, version = version.number, %error, "an emergency rollback is not recorded yet");
        if let Err(error) = journal.intend(number, sector, version) {
            tracing::error!(sector, %error, "nor is its intent: a restart would not honour it");
        }
    }
}

impl Next {
    /// What a step made of a sector, as the sector's next version.
    pub(crate) fn new(prepared: Prepared, state: &State, origin: Origin, phases: Phases) -> Next {
        let Prepared { snapshot, compiled, rollback_of, before, broken, text } = prepared;
        let number = state.next;
        let version = Version {
            number,
            snapshot_id: snapshot.id(),
            epoch: 0,
            time_ns: 0,
            origin,
            rollback_of,
            parent: state.current().map(|current| current.number),
            receipt: OnceLock::new(),
            links: Vec::new(),
            before,
            phases,
            snapshot,
            compiled,
        };
        let text = text.map(|text| Arc::new(LastText { version: number, text }));
        Next { version: Arc::new(version), broken, text }
    }

    /// What the hot path is to show.
    pub(crate) fn change(&self, sector: &Sector) -> Change {
        let (artifact, snapshot_id) = (self.version.artifact().clone(), self.version.snapshot_id);
        Change { sector: sector.number(), artifact, snapshot_id, ready: true }
    }

    fn draft(&mut self) -> &mut Version {
        Arc::get_mut(&mut self.version).expect("nobody else has a version before it is current")
    }
}

impl Admitted<'_> {
    /// Takes up in the sector's state that the version is current; gives what the sector no longer holds.
    fn settle(&mut self) -> Forgotten {
        let Next { version, broken, text } = &mut self.next;
        accept(broken, &mut self.state.keys);
        self.state.keys.promote(version.artifact().named());
        let text = text.take().and_then(|text| self.state.text.replace(text));
        (self.state.push(version.clone()), text)
    }
}
