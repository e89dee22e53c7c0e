//! Whose turn it is: the lock under which governance decides, what it counts, and the job that looks after what is due.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use knhk_governance::PastChange;
use knhk_ontology::graph::Delta;

use super::Watch;
use super::book::PROPOSAL;
use super::hooks::Hooks;
use super::life::Filed;
use super::shadows::{ENVIRONMENTS, Environment};
use super::standing::Compiled;
use crate::own::{PATIENT, Standing};
use crate::{Engine, Error, Level, Status};

/// How long the job rests while something is due, at most: the clock that decisions are dated by may be set meanwhile.
const LONGEST: Duration = Duration::from_secs(1);
/// And at least: what is still due after it was tried is not tried without end.
const SHORTEST: Duration = Duration::from_millis(10);

#[derive(Default)]
pub(crate) struct Governance {
    /// Held while something is decided. No sector's lock is held when it is taken.
    turn: Mutex<()>,
    /// Grows with whatever a decision may rest on: rules, guards, approvers, relaxations, versions that were enacted.
    generation: AtomicU64,
    /// The last number given out, by kind of item.
    numbers: Mutex<HashMap<&'static str, u64>>,
    /// Looks after what is due.
    due: Standing,
    /// The doctrine that was compiled last.
    pub(super) doctrine: Mutex<Option<Compiled>>,
    /// The environments of shadows, the one made last at the end.
    pub(super) environments: Mutex<Vec<(String, Environment)>>,
    /// What the program registered.
    pub(super) hooks: Mutex<Arc<Hooks>>,
    /// The canary that runs.
    pub(super) canary: Mutex<Option<super::canary::Running>>,
    /// Held while schedules fire.
    pub(super) firing: Mutex<()>,
    /// The promotions that are watched.
    pub(super) watched: super::probation::Watched,
    /// What became current within the last hour, by sector.
    lately: Mutex<HashMap<String, Vec<PastChange>>>,
}

impl Governance {
    /// Waits for one's turn. What was decided half is not kept, so that a panic leaves nothing behind.
    pub(super) fn turn(&self) -> MutexGuard<'_, ()> {
        self.turn.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    /// Notes that what decisions rest on has changed. Under the lock.
    pub(super) fn moved(&self) {
        self.generation.fetch_add(1, Ordering::AcqRel);
    }

    pub(super) fn numbers(&self) -> MutexGuard<'_, HashMap<&'static str, u64>> {
        self.numbers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn hooks(&self) -> Arc<Hooks> {
        self.hooks.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Keeps a shadow's environment in memory.
    pub(super) fn environment(&self, id: &str, environment: Environment) {
        let mut kept = self.environments.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|(other, _)| other != id);
        if kept.len() == ENVIRONMENTS {
            kept.remove(0);
        }
        kept.push((id.into(), environment));
    }

    /// What became current in a sector after `since_ns`, oldest first. What was before the engine was opened is told by the versions that are
    /// retained; going back to one counts as nothing.
    pub(super) fn lately(&self, sector: &str, state: &knhk_promotion::State, since_ns: u64) -> Vec<PastChange> {
        let mut all = self.lately.lock().unwrap_or_else(PoisonError::into_inner);
        let changes = all.entry(sector.into()).or_insert_with(|| {
            let forward = state.versions.iter().filter(|version| version.rollback_of.is_none());
            let recent = forward.filter(|version| version.time_ns > since_ns);
            let change = |version: &Arc<knhk_promotion::Version>| {
                let before = version.before.as_ref()?;
                let delta = Delta::between(before.graph(), version.snapshot.graph());
                let both = delta.removed().iter().chain(delta.added());
                let subjects: HashSet<_> = both.map(|triple| triple.subject).collect();
                Some(PastChange { time_ns: version.time_ns, names: subjects.len() as u64 })
            };
            recent.filter_map(change).collect()
        });
        changes.retain(|change| change.time_ns > since_ns);
        changes.clone()
    }

    /// Notes that a change of a sector became current.
    pub(super) fn became_current(&self, sector: &str, change: PastChange) {
        let mut all = self.lately.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(changes) = all.get_mut(sector) {
            changes.push(change);
        }
    }

    /// Ends the jobs.
    pub(crate) fn close(&self) {
        // What the program registered ends with the engine, and not with the last one who still looks at it.
        let hooks = std::mem::take(&mut *self.hooks.lock().unwrap_or_else(PoisonError::into_inner));
        drop(hooks);
        self.watched.close();
        self.due.close();
    }
}

impl Engine {
    /// Does what the clock asks for now: runs proposals whose review time is over or whose moment has come, and those that were never run to
    /// the end; ends relaxations. A job does so by itself when it is due; this is for whoever sets the clock. Gives the next moment
    /// at which something is due, in nanoseconds since 1970 (UTC).
    ///
    /// # Errors
    /// `Io` when the store cannot be read or written; what could not be done is tried again.
    pub fn settle_due(&self) -> Result<Option<u64>, Error> {
        self.recording()?;
        let schedules = self.settle_schedules()?;
        let mut next = [self.expire_relaxations()?, schedules].into_iter().flatten().min();
        for filed in self.all::<Filed>(PROPOSAL, true)? {
            let mut proposal = filed.proposal;
            if proposal.due_ns().is_some_and(|due| due <= self.now_ns()) {
                proposal = self.carry(&proposal.id, None, None, Watch::nobody())?;
            }
            next = [next, proposal.due_ns()].into_iter().flatten().min();
        }
        Ok(next)
    }

    /// Has the job look at what is due, and begins it where there is none yet.
    pub(super) fn look_after(&self) {
        let begin = || self.begin("governance", PATIENT, Engine::settle_by_job);
        if let Err(error) = self.inner.governance.due.wake(begin) {
            let line = format!("nothing happens by itself: the job for what is due did not begin: {error}");
            self.inner.announcer.log(Level::Error, "govern", line);
        }
    }

    /// [`Engine::settle_due`], and how long it may take until the next time.
    fn settle_by_job(&self) -> Option<Duration> {
        match self.settle_due() {
            Ok(next) => {
                let until = next?.saturating_sub(self.now_ns());
                Some(Duration::from_nanos(until).clamp(SHORTEST, LONGEST))
            }
            Err(error) if error.status() == Status::Closed => None,
            Err(error) => {
                let line = format!("what is due could not be done, and is tried again: {error}");
                self.inner.announcer.log(Level::Error, "govern", line);
                Some(LONGEST)
            }
        }
    }
}
