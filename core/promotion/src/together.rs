//! Several sectors at once: prepared side by side, durable together, current with one swap, or nothing of it.
//!
//! The sectors' locks are taken in the order of the sectors' numbers, so that no two such promotions can wait for each other; one that
//! does not get them in time changes nothing. What each sector becomes is computed on a thread of its own while this one holds the locks.

use std::time::{Duration, Instant};

use std::sync::Arc;

use knhk_hot::{Change, Hot};

use crate::prepare::{Prepared, Step, nanoseconds};
use crate::publish::publish;
use crate::{Guard, Journal, Locked, Origin, Phases, Promotion, PromotionError, Ready, Sector, Verified, Version};

/// What one of several sectors is to become.
#[derive(Debug)]
pub struct Part<'s> {
    /// The sector.
    pub sector: &'s Sector,
    /// What it is to become.
    pub step: Step,
    /// Who and why.
    pub origin: Origin,
}

/// Changes of several sectors that are ready. Holds the sectors' locks; dropping it changes nothing.
pub struct Together<'s> {
    hot: &'s Hot,
    journal: &'s dyn Journal,
    parts: Vec<Promotion<'s, Ready<'s>>>,
}

impl<'s> Together<'s> {
    /// Readies changes of different sectors, `within` a time. The proofs are in the order of the sectors' numbers.
    ///
    /// # Errors
    /// [`PromotionError::TimedOut`]; [`PromotionError::Together`] with what is wrong with the first sector that something is wrong with. All
    /// sectors are as they were.
    pub fn prepare(
        hot: &'s Hot,
        journal: &'s dyn Journal,
        mut parts: Vec<Part<'s>>,
        within: Duration,
    ) -> Result<(Together<'s>, Vec<Verified>), PromotionError> {
        parts.sort_by_key(|part| part.sector.number());
        if let Some(twice) = parts.windows(2).find(|two| two[0].sector.number() == two[1].sector.number()) {
            return Err(PromotionError::Twice { sector: twice[0].sector.name().into() });
        }
        let begun = Instant::now();
        let sectors: Vec<&Sector> = parts.iter().map(|part| part.sector).collect();
        let timed_out =
            |sector: &Sector, phase| PromotionError::TimedOut { sector: sector.name().into(), phase, within };
        let mut states = Vec::with_capacity(parts.len());
        for sector in &sectors {
            let left = within.saturating_sub(begun.elapsed());
            let state =
                sector.lock_within(left)?.ok_or_else(|| timed_out(sector, "waiting for another change of it"))?;
            states.push(state);
        }
        let waited = nanoseconds(begun);
        let prepared = side_by_side(parts, &mut states, waited);
        let refused = |at: usize, error| {
            // What the others brought is let go of as well, once the locks are free.
            PromotionError::Together { sector: sectors[at].name().into(), of: sectors.len(), source: Box::new(error) }
        };
        let late = (begun.elapsed() > within).then(|| timed_out(sectors[sectors.len() - 1], "preparing it"));
        let prepared = prepared.into_iter().enumerate().map(|(at, one)| one.map_err(|error| refused(at, error)));
        let prepared = prepared.collect::<Result<Vec<_>, _>>().and_then(|prepared| late.map_or(Ok(prepared), Err));
        let prepared = match prepared {
            Ok(prepared) => prepared,
            Err(error) => {
                drop(states);
                // A poisoned lock is reported already, or by the next promotion.
                sectors.iter().for_each(|sector| _ = sector.tidy());
                return Err(error);
            }
        };
        let ready =
            sectors.into_iter().zip(states).zip(prepared).map(|((sector, state), (origin, phases, prepared))| {
                Promotion::of(sector, (hot, journal), (origin, phases), (state, prepared))
            });
        let (parts, verified) = ready.unzip();
        Ok((Together { hot, journal, parts }, verified))
    }

    /// The changes, in the order of the sectors' numbers.
    pub fn parts(&self) -> &[Promotion<'s, Ready<'s>>] {
        &self.parts
    }

    /// What the sectors would show, for those who read it before it is current.
    pub fn candidates(&self) -> Vec<Change> {
        self.parts.iter().map(Promotion::candidate).collect()
    }

    /// Makes all versions durable together, then current with one swap: every read that begins after this sees all of them, or something
    /// newer, and none ever sees some. The guards are in the order of the proofs.
    ///
    /// # Errors
    /// When a guard belongs to another promotion, the journal cannot be written, or the cells refuse; nothing changed.
    pub fn promote(self, guards: Vec<Guard>) -> Result<Vec<Arc<Version>>, PromotionError> {
        Ok(self.publish(guards, false)?.0)
    }

    /// Makes all versions current, then durable: for rollbacks that must work when nothing can be written. Tells whether they could be.
    ///
    /// # Errors
    /// [`PromotionError::NotRollback`] where one is anything else; else as [`Together::promote`].
    pub fn promote_at_once(self, guards: Vec<Guard>) -> Result<(Vec<Arc<Version>>, bool), PromotionError> {
        if let Some(new) = self.parts.iter().find(|part| !part.is_rollback()) {
            return Err(PromotionError::NotRollback { sector: new.sector().name().into() });
        }
        self.publish(guards, true)
    }

    fn publish(self, guards: Vec<Guard>, at_once: bool) -> Result<(Vec<Arc<Version>>, bool), PromotionError> {
        let Together { hot, journal, parts } = self;
        if guards.len() != parts.len() {
            let sector = parts.get(guards.len()).or(parts.last()).map_or("", |part| part.sector().name());
            return Err(PromotionError::ForeignGuard { sector: sector.into() });
        }
        let admitted = parts.into_iter().zip(guards).map(|(part, guard)| part.admitted(guard));
        let admitted = admitted.collect::<Result<Vec<_>, _>>()?;
        if admitted.is_empty() {
            return Ok((Vec::new(), true));
        }
        publish(admitted, hot, journal, at_once)
    }
}

type Readied = (Origin, Phases, Prepared);

/// Prepares each part on a thread of its own, but the last, which this one does. A panic of one is this thread's.
fn side_by_side(parts: Vec<Part<'_>>, states: &mut [Locked<'_>], waited: u64) -> Vec<Result<Readied, PromotionError>> {
    std::thread::scope(|scope| {
        let last = parts.len().saturating_sub(1);
        let mut others = Vec::with_capacity(last);
        let mut own = None;
        for (at, (part, state)) in parts.into_iter().zip(states).enumerate() {
            // The guard stays with this thread; what it guards is lent.
            let state = &mut **state;
            let prepare = move || {
                let Part { sector, step, origin } = part;
                let mut phases = Phases { verify_ns: waited, ..Phases::default() };
                let prepared = Prepared::new(sector, state, step, origin.major, &mut phases)?;
                Ok((origin, phases, prepared))
            };
            if at == last {
                own = Some(prepare());
            } else {
                others.push(scope.spawn(prepare));
            }
        }
        let join = |thread: std::thread::ScopedJoinHandle<'_, _>| {
            thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        };
        others.into_iter().map(join).chain(own).collect()
    })
}
