//! The type-state pipeline.

use std::sync::{Arc, MutexGuard, OnceLock};
use std::time::{Instant, SystemTime};

use knhk_hot::{Change, Hot};
use knhk_ontology::shacl::Severity;
use knhk_ontology::{
    Compiled, Difference, Incompatibility, Snapshot, Text, accept, check_compatible, compile_snapshot,
};

use crate::content::{Changes, TextRead};
use crate::sector::LastText;
use crate::version::differences;
use crate::{Content, Journal, Origin, Passed, Phases, PromotionError, Record, Sector, SectorKind, State, Version};

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
    state: MutexGuard<'s, State>,
    snapshot: Arc<Snapshot>,
    compiled: Arc<Compiled>,
    rollback_of: Option<u64>,
    before: Option<Arc<Snapshot>>,
    /// Promises to programs that a declared major version takes back.
    broken: Vec<Incompatibility>,
    /// The JSON text that it comes from.
    text: Option<Text>,
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
        let current = state.current().cloned();
        let base = state.base().clone();
        let Changes { delta, text } = stage.content.against(&base, current.as_ref())?;
        phases.verify_ns = nanoseconds(begun);
        let begun = Instant::now();
        let (mut broken, mut last) = (Vec::new(), None);
        // Where values change alone, no name and no type does: nothing that a program holds can break.
        let (snapshot, compiled) =
            match current.as_ref().and_then(|current| base.revise(&current.compiled, &delta, sector.aside())) {
                Some(revised) => {
                    let (snapshot, compiled) = revised?;
                    conforming(&snapshot)?;
                    (snapshot, compiled)
                }
                None => {
                    let snapshot = base.apply(&delta)?;
                    conforming(&snapshot)?;
                    broken = check_compatible(snapshot.document().map_err(Clone::clone)?, &state.keys);
                    if !broken.is_empty() && !origin.major {
                        return Err(PromotionError::Incompatible(broken));
                    }
                    let before = current.as_ref().map(|current| &**current.artifact());
                    let compiled = compile_snapshot(&snapshot, &mut state.keys, before)?;
                    (snapshot, compiled)
                }
            };
        match text {
            TextRead::Nothing => {}
            TextRead::Text(text) => last = Some(text),
            TextRead::Parsed { json, document } => last = Text::of(json, &document, &compiled, &state.keys),
        }
        phases.compile_ns = nanoseconds(begun);
        let before = current.map(|current| current.snapshot.clone());
        let (snapshot, compiled) = (Arc::new(snapshot), Arc::new(compiled));
        let ready = Ready { state, snapshot, compiled, rollback_of: None, before, broken, text: last };
        Ok(Promotion { sector, hot, journal, origin, phases, stage: ready }.sealed())
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
            return Err(PromotionError::UnknownVersion {
                sector: sector.name().into(),
                version: number,
                retained: state.retained(),
            });
        };
        let before = state.current().map(|current| current.snapshot.clone());
        let ready = Ready {
            state,
            snapshot: target.snapshot.clone(),
            compiled: target.compiled.clone(),
            rollback_of: Some(number),
            before,
            broken: Vec::new(),
            text: None,
        };
        let phases = Phases { verify_ns: nanoseconds(begun), ..Phases::default() };
        Ok(Promotion { sector, hot, journal, origin, phases, stage: ready }.sealed())
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
        let mut state = sector.lock()?;
        let current = state.current().cloned();
        let artifact = current.as_ref().map(|current| &**current.artifact());
        let compiled = Arc::new(compile_snapshot(&snapshot, &mut state.keys, artifact)?);
        let before = current.as_ref().map(|current| current.snapshot.clone());
        let (rollback_of, broken) = (Some(number), Vec::new());
        let ready = Ready { state, snapshot, compiled, rollback_of, before, broken, text: None };
        let phases = Phases { compile_ns: nanoseconds(begun), ..Phases::default() };
        Ok(Promotion { sector, hot, journal, origin, phases, stage: ready }.sealed())
    }

    fn sealed(mut self) -> (Self, Verified) {
        self.stage.state.verifications += 1;
        let verified = Verified(self.seal());
        (self, verified)
    }

    fn seal(&self) -> Seal {
        let (state, snapshot_id) = (&self.stage.state, self.stage.snapshot.id());
        Seal { sector: std::ptr::from_ref(self.sector).addr(), verification: state.verifications, snapshot_id }
    }

    /// What will change, path by path.
    pub fn differences(&self) -> Vec<Difference> {
        differences(self.stage.before.as_deref(), &self.stage.snapshot)
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
        if self.stage.rollback_of.is_none() {
            return Err(PromotionError::NotRollback { sector: self.sector.name().into() });
        }
        self.publish(guard, true)
    }

    /// Whether a guard is this promotion's; gives the receipt of the validation, where there is one.
    fn admit(&self, guard: Guard) -> Result<Option<String>, PromotionError> {
        let sector = self.sector;
        if guard.verified.0 != self.seal() {
            return Err(PromotionError::ForeignGuard { sector: sector.name().into() });
        }
        match (sector.kind(), self.stage.rollback_of, guard.passed) {
            (SectorKind::Governed, None, None) => Err(PromotionError::Ungoverned { sector: sector.name().into() }),
            (_, _, Some(passed)) => {
                let before = self.stage.before.as_ref().map(|before| before.id());
                passed.is_for(sector.name(), before, self.stage.snapshot.id()).map(Some)
            }
            _ => Ok(None),
        }
    }

    fn publish(self, guard: Guard, at_once: bool) -> Result<Promotion<'s, Promoted>, PromotionError> {
        let passed = self.admit(guard)?;
        let Promotion { sector, hot, journal, origin, mut phases, stage } = self;
        let Ready { mut state, snapshot, compiled, rollback_of, before, broken, text } = stage;
        let snapshot_id = snapshot.id();
        let number = state.next;
        let begun = Instant::now();
        let change = Change { sector: sector.number(), artifact: compiled.artifact.clone(), snapshot_id, ready: true };
        // A rollback may use the roots kept in reserve: it works while a stalled reader holds all others.
        let staged = if rollback_of.is_some() { hot.prepare_urgent(&[change])? } else { hot.prepare(&[change])? };
        let staging = nanoseconds(begun);
        let version = Version {
            number,
            snapshot_id,
            epoch: staged.epoch(),
            time_ns: unix_nanoseconds(),
            origin: origin.clone(),
            rollback_of,
            parent: state.current().map(|current| current.number),
            receipt: OnceLock::new(),
            links: passed.into_iter().collect(),
            before,
            phases,
            snapshot,
            compiled,
        };
        let record = |version: &Version| {
            let record = Record { sector: sector.name(), version, keys: &state.keys, emergency: at_once };
            let receipt = journal.version(&record)?;
            receipt.into_iter().for_each(|id| _ = version.receipt.set(id));
            Ok(())
        };
        let begun = Instant::now();
        if !at_once {
            let failed = |source| PromotionError::Journal { sector: sector.name().into(), version: number, source };
            record(&version).map_err(failed)?;
            phases.journal_ns = nanoseconds(begun);
        }
        let begun = Instant::now();
        let mut version = Arc::new(version);
        staged.swap_then(|_| {
            phases.swap_ns = staging + nanoseconds(begun);
            if let Some(version) = Arc::get_mut(&mut version) {
                version.phases = phases;
            }
            journal.promoted(sector.name(), &version);
        });
        let recorded = match at_once {
            true => record(&version).inspect_err(|error| {
                tracing::error!(sector = sector.name(), version = number, %error, "an emergency rollback is not recorded yet");
                if let Err(error) = journal.intend(sector.number(), sector.name(), &version) {
                    tracing::error!(sector = sector.name(), %error, "nor is its intent: a restart would not honour it");
                }
            }),
            false => Ok(()),
        };
        accept(&broken, &mut state.keys);
        state.keys.promote(version.artifact().named());
        if let Some(text) = text {
            state.text = Some(Arc::new(LastText { version: number, text }));
        }
        if let Some(forgotten) = state.push(version.clone()) {
            sector.aside().discard(Box::new(forgotten));
        }
        drop(state);
        let stage = Promoted { version, recorded: recorded.is_ok() };
        Ok(Promotion { sector, hot, journal, origin, phases, stage })
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

fn conforming(snapshot: &Snapshot) -> Result<(), PromotionError> {
    match snapshot.report().worst() {
        Some(Severity::Violation) => Err(PromotionError::Nonconforming(Box::new(snapshot.report().clone()))),
        _ => Ok(()),
    }
}

fn nanoseconds(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_nanos()).unwrap_or(u64::MAX)
}

fn unix_nanoseconds() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}
