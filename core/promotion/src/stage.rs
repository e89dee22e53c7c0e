//! The type-state pipeline.

use std::sync::Arc;
use std::time::Instant;

use knhk_hot::{Change, Hot};
use knhk_ontology::{Difference, Snapshot};

use crate::prepare::{Prepared, Step, nanoseconds};
use crate::publish::{Admitted, Next, publish};
use crate::{Content, Journal, Locked, Origin, Passed, Phases, PromotionError, Sector, SectorKind, Version};

/// A promotion at stage `S`: [`Preparing`], [`Ready`] or [`Promoted`].
pub struct Promotion<'s, S> {
    sector: &'s Sector,
    hot: &'s Hot,
    journal: &'s dyn Journal,
    origin: Origin,
    phases: Phases,
    stage: S,
}

/// Content that was parsed and checked by itself.
pub struct Preparing {
    content: Content,
}

/// Compiled, linked to the key table, compatible with the keys that programs hold. Holds the sector's lock, so that what was verified
/// is what is promoted; dropping it changes nothing.
pub struct Ready<'s> {
    state: Locked<'s>,
    next: Next,
}

/// Current: any read that begins from now on sees it or something newer.
pub struct Promoted {
    version: Arc<Version>,
    recorded: bool,
}

/// Proof that one particular promotion was verified. Only [`Promotion::verify`] and [`Promotion::back_to`] make one.
#[derive(Debug)]
pub struct Verified(Seal);

/// Tells one promotion from every other: the sector's own address, since other engines number theirs alike, and the count of its
/// verifications.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Seal {
    sector: usize,
    verification: u64,
    snapshot_id: [u8; 32],
}

/// The right to promote what a [`Verified`] token stands for, once.
#[derive(Debug)]
pub struct Guard {
    verified: Verified,
    passed: Option<Passed>,
}

impl Guard {
    /// Turns the proof into the right: of a direct sector's promotion, or of any rollback.
    pub fn new(verified: Verified) -> Guard {
        Guard { verified, passed: None }
    }

    /// Turns the proof into the right of a governed sector's promotion, which takes that it passed.
    pub fn governed(verified: Verified, passed: Passed) -> Guard {
        Guard { verified, passed: Some(passed) }
    }
}

impl<'s> Promotion<'s, Preparing> {
    pub(crate) fn new(sector: &'s Sector, hot: &'s Hot, journal: &'s dyn Journal, content: Content) -> Self {
        let (origin, phases) = (Origin::default(), Phases::default());
        Promotion { sector, hot, journal, origin, phases, stage: Preparing { content } }
    }

    /// States who promotes and why, and how long the parsing took.
    pub fn with_origin(mut self, origin: Origin, parse_ns: u64) -> Self {
        self.origin = origin;
        self.phases.parse_ns = parse_ns;
        self
    }

    /// Waits for other promotions of the sector, checks compatibility, compiles and verifies the artifact.
    ///
    /// # Errors
    /// What the document breaks; the sector is as it was.
    pub fn verify(self) -> Result<(Promotion<'s, Ready<'s>>, Verified), PromotionError> {
        let sector = self.sector;
        self.ready().inspect_err(|_| {
            // A poisoned lock is reported already, or by the next promotion.
            _ = sector.tidy();
        })
    }

    fn ready(self) -> Result<(Promotion<'s, Ready<'s>>, Verified), PromotionError> {
        let Promotion { sector, hot, journal, origin, mut phases, stage } = self;
        let begun = Instant::now();
        let mut state = sector.lock()?;
        phases.verify_ns = nanoseconds(begun);
        let prepared = Prepared::new(sector, &mut state, Step::Content(stage.content), origin.major, &mut phases)?;
        Ok(Promotion::of(sector, (hot, journal), (origin, phases), (state, prepared)))
    }
}

impl<'s> Promotion<'s, Ready<'s>> {
    /// Readies the content of a retained version, which was verified when it was promoted, to become current again.
    ///
    /// # Errors
    /// [`PromotionError::UnknownVersion`] when the history no longer holds it.
    pub fn back_to(
        sector: &'s Sector,
        hot: &'s Hot,
        journal: &'s dyn Journal,
        number: u64,
        origin: Origin,
    ) -> Result<(Self, Verified), PromotionError> {
        let begun = Instant::now();
        let state = sector.lock()?;
        let Some(target) = state.version(number).cloned() else {
            return Err(state.unknown(sector.name(), number));
        };
        let mut phases = Phases { verify_ns: nanoseconds(begun), ..Phases::default() };
        Promotion::back(sector, (hot, journal), Step::Back(target), state, origin, &mut phases)
    }

    /// [`Promotion::back_to`] of a version that the history no longer holds and whoever keeps older ones gave back: its content is compiled
    /// anew.
    ///
    /// # Errors
    /// When it does not compile against the sector's key table, or the sector refuses changes.
    pub fn back_to_stored(
        sector: &'s Sector,
        hot: &'s Hot,
        journal: &'s dyn Journal,
        (number, snapshot): (u64, Arc<Snapshot>),
        origin: Origin,
    ) -> Result<(Self, Verified), PromotionError> {
        let begun = Instant::now();
        let state = sector.lock()?;
        let mut phases = Phases { verify_ns: nanoseconds(begun), ..Phases::default() };
        Promotion::back(sector, (hot, journal), Step::BackToStored(number, snapshot), state, origin, &mut phases)
    }

    fn back(
        sector: &'s Sector,
        (hot, journal): (&'s Hot, &'s dyn Journal),
        step: Step,
        mut state: Locked<'s>,
        origin: Origin,
        phases: &mut Phases,
    ) -> Result<(Self, Verified), PromotionError> {
        let prepared = Prepared::new(sector, &mut state, step, origin.major, phases)?;
        Ok(Promotion::of(sector, (hot, journal), (origin, *phases), (state, prepared)))
    }

    /// Readies what was prepared under the sector's lock.
    pub(crate) fn of(
        sector: &'s Sector,
        (hot, journal): (&'s Hot, &'s dyn Journal),
        (origin, phases): (Origin, Phases),
        (mut state, prepared): (Locked<'s>, Prepared),
    ) -> (Self, Verified) {
        state.verifications += 1;
        let next = Next::new(prepared, &state, origin.clone(), phases);
        let ready = Promotion { sector, hot, journal, origin, phases, stage: Ready { state, next } };
        let verified = Verified(ready.seal());
        (ready, verified)
    }

    fn seal(&self) -> Seal {
        let Ready { state, next } = &self.stage;
        let (sector, snapshot_id) = (std::ptr::from_ref(self.sector).addr(), next.version.snapshot_id);
        Seal { sector, verification: state.verifications, snapshot_id }
    }

    /// What will change, path by path.
    pub fn differences(&self) -> Vec<Difference> {
        self.stage.next.version.differences()
    }

    /// Makes the version durable, then current. When this returns, every read that begins sees it or something newer.
    ///
    /// # Errors
    /// When the guard belongs to another promotion, the journal cannot be written, or the cells refuse; nothing changed.
    pub fn promote(self, guard: Guard) -> Result<Promotion<'s, Promoted>, PromotionError> {
        self.publish(guard, false)
    }

    /// Makes the version current, then durable: for a rollback that must work when nothing can be written.
    /// [`Promotion::recorded`] tells whether it could be.
    ///
    /// # Errors
    /// [`PromotionError::NotRollback`] for anything else than a rollback: what was never durable is not promoted before it is. When the
    /// guard belongs to another promotion, or the cells refuse. Nothing changed then.
    pub fn promote_at_once(self, guard: Guard) -> Result<Promotion<'s, Promoted>, PromotionError> {
        if !self.is_rollback() {
            return Err(PromotionError::NotRollback { sector: self.sector.name().into() });
        }
        self.publish(guard, true)
    }

    pub(crate) fn candidate(&self) -> Change {
        self.stage.next.change(self.sector)
    }

    pub(crate) fn sector(&self) -> &'s Sector {
        self.sector
    }

    pub(crate) fn is_rollback(&self) -> bool {
        self.stage.next.version.rollback_of.is_some()
    }

    /// Whether a guard is this promotion's; gives the receipt of the validation, where there is one.
    fn admit(&self, guard: Guard) -> Result<Option<String>, PromotionError> {
        let (sector, version) = (self.sector, &self.stage.next.version);
        if guard.verified.0 != self.seal() {
            return Err(PromotionError::ForeignGuard { sector: sector.name().into() });
        }
        match (sector.kind(), version.rollback_of, guard.passed) {
            (SectorKind::Governed, None, None) => Err(PromotionError::Ungoverned { sector: sector.name().into() }),
            (_, _, Some(passed)) => {
                let before = version.before.as_ref().map(|before| before.id());
                passed.spent_on(sector.name(), before, version.snapshot_id).map(Some)
            }
            _ => Ok(None),
        }
    }

    pub(crate) fn admitted(self, guard: Guard) -> Result<Admitted<'s>, PromotionError> {
        let passed = self.admit(guard)?;
        let Promotion { sector, stage: Ready { state, next }, .. } = self;
        Ok(Admitted { sector, passed, state, next })
    }

    fn publish(self, guard: Guard, at_once: bool) -> Result<Promotion<'s, Promoted>, PromotionError> {
        let (sector, hot, journal, origin) = (self.sector, self.hot, self.journal, self.origin.clone());
        let (mut versions, recorded) = publish(vec![self.admitted(guard)?], hot, journal, at_once)?;
        let version = versions.pop().expect("one was published");
        let phases = version.phases;
        Ok(Promotion { sector, hot, journal, origin, phases, stage: Promoted { version, recorded } })
    }
}

impl Promotion<'_, Promoted> {
    /// The version that is current now.
    pub fn version(&self) -> &Arc<Version> {
        &self.stage.version
    }

    /// Whether the version is in the journal; always, but after an emergency.
    pub fn recorded(&self) -> bool {
        self.stage.recorded
    }
}
