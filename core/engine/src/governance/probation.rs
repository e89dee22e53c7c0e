//! Probation: after a promotion the service level objectives of its sectors are watched, and a breach takes it back by itself.
//!
//! A sector asks for it by `governance/probation_seconds`. What was recorded in views of the new version counts, and nothing from before. At the
//! end of the time an objective without data is not met: the sector says by `knhk:onMissingData` what follows. A probation survives a restart
//! and then counts anew. Another version of one of the sectors ends it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use knhk_governance::Limits;
use knhk_ledger::{Evidence, Outcome};
use knhk_observation::{Aggregate, Bound, ObjectiveState, OnMissingData, Schema, Trial};
use knhk_promotion::{Sector, Version};
use serde::{Deserialize, Serialize};

use super::ArmObjective;
use super::book::{Kept, PROBATION, entry, serialized};
use crate::own::{Standing, URGENT};
use crate::{Engine, Error, Level, Origin, Status};

/// How often the objectives are looked at: a breach is answered within 100 ms after it can be observed.
const PERIOD: Duration = Duration::from_millis(20);

/// How far a probation is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProbationState {
    /// The objectives are watched.
    Watching,
    /// Its time is over and data are missing: it goes on until there are some.
    Held,
    /// All objectives were met.
    Passed,
    /// Its time is over; data were missing, and the sector says that the version stays. That is no pass.
    Kept,
    /// An objective was not met, or without data: the version was taken back.
    RolledBack,
    /// Another version became current meanwhile.
    Superseded,
}

/// A promotion that is watched.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Probation {
    /// Its name, such as `b-4`.
    pub id: String,
    /// How far it is.
    pub state: ProbationState,
    /// What was promoted, and what it goes back to.
    pub sectors: Vec<Probationer>,
    /// Since when, in nanoseconds since 1970 (UTC).
    pub since_ns: u64,
    /// When its time is over.
    pub until_ns: u64,
    /// What came of it, in a sentence.
    pub said: String,
}

/// A sector on probation.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Probationer {
    /// The sector.
    pub sector: String,
    /// The version that is watched.
    pub version: u64,
    /// The generation in which it became current.
    pub epoch: u64,
    /// The version that it goes back to.
    pub back_to: u64,
    /// How its objectives stood at the end.
    pub objectives: Vec<ArmObjective>,
}

/// The probations that run, and the job that watches them.
#[derive(Default)]
pub(super) struct Watched {
    running: Mutex<Vec<Watch>>,
    job: Standing,
    /// Held while they are judged: one look at a time.
    judging: Mutex<()>,
}

#[derive(Clone)]
struct Watch {
    probation: Probation,
    /// Each sector's trial; none where the engine does not observe.
    trials: Vec<Option<u64>>,
}

/// What is to become of a probation.
enum Judged {
    On,
    Close(ProbationState, String),
    Back(String),
}

impl Watched {
    fn running(&self) -> MutexGuard<'_, Vec<Watch>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn close(&self) {
        self.job.close();
    }
}

impl Engine {
    /// The probations, oldest first.
    ///
    /// # Errors
    /// `NotFound` without a ledger; `Io` when the store cannot be read.
    pub fn probations(&self) -> Result<Vec<Probation>, Error> {
        self.all(PROBATION, false)
    }

    /// Puts what was promoted together on probation, where its sectors ask for it.
    pub(crate) fn watch(&self, promoted: &[(Arc<Sector>, Arc<Version>)]) {
        // Whatever comes of it, what is current is current; and who opened the engine without a ledger observes nothing.
        if self.inner.journal.durable.is_none() {
            return;
        }
        if let Err(error) = self.begin_probation(promoted) {
            let line = format!("what was promoted is not watched: {error}");
            self.inner.announcer.log(Level::Error, "probation", line);
        }
    }

    fn begin_probation(&self, promoted: &[(Arc<Sector>, Arc<Version>)]) -> Result<(), Error> {
        let (mut seconds, mut sectors) = (0, Vec::new());
        for (sector, version) in promoted {
            let (None, Some(parent)) = (version.rollback_of, version.parent) else { continue };
            // The limits that were in force; a change does not set its own lower.
            let before = sector.lock()?.version(parent).map(|parent| Limits::of(parent.artifact()).probation_seconds);
            let asked = Limits::of(version.artifact()).probation_seconds.max(before.unwrap_or(0));
            if asked > 0 && !Schema::of(&version.snapshot).objectives.is_empty() {
                seconds = asked.max(seconds);
                sectors.push(Probationer {
                    sector: sector.name().into(),
                    version: version.number,
                    epoch: version.epoch,
                    back_to: parent,
                    objectives: Vec::new(),
                });
            }
        }
        if sectors.is_empty() {
            return Ok(());
        }
        // Of several sectors that were promoted together all go back together.
        for (sector, version) in promoted {
            let (name, Some(back_to)) = (sector.name(), version.parent) else { continue };
            if version.rollback_of.is_none() && sectors.iter().all(|one| one.sector != name) {
                let (version, epoch) = (version.number, version.epoch);
                sectors.push(Probationer { sector: name.into(), version, epoch, back_to, objectives: Vec::new() });
            }
        }
        let since_ns = self.now_ns();
        let id = self.next_id(PROBATION)?;
        let until_ns = since_ns.saturating_add(seconds.saturating_mul(1_000_000_000));
        let (state, said) = (ProbationState::Watching, format!("is watched for {seconds} s"));
        let probation = Probation { id, state, sectors, since_ns, until_ns, said };
        // Watched also where it cannot be kept.
        let kept = self.keep_probation(&probation, Outcome::Pending);
        self.take_up(probation)?;
        kept
    }

    /// Watches a probation from now on.
    fn take_up(&self, probation: Probation) -> Result<(), Error> {
        let mut trials = Vec::with_capacity(probation.sectors.len());
        for one in &probation.sectors {
            let sector = self.sector_number(&one.sector)?;
            trials.push(self.begin_trial(Trial { sector, from_epoch: one.epoch, choice: None })?);
        }
        let watched = &self.inner.governance.watched;
        watched.running().push(Watch { probation, trials });
        watched.job.wake(|| self.begin("probations", URGENT, Engine::watch_by_job))
    }

    /// [`Engine::settle_probations`], and when to look again.
    fn watch_by_job(&self) -> Option<Duration> {
        if let Err(error) = self.settle_probations()
            && error.status() != Status::Closed
        {
            let line = format!("a probation could not be judged, and is again: {error}");
            self.inner.announcer.log(Level::Error, "probation", line);
        }
        let idle = self.inner.governance.watched.running().is_empty();
        (!idle).then_some(PERIOD)
    }

    /// Looks at every promotion on probation, and does what follows. A job does so by itself every 20 ms; this is for whoever sets the clock.
    ///
    /// # Errors
    /// What a rollback or the store said; it is tried again.
    pub fn settle_probations(&self) -> Result<(), Error> {
        self.checked()?;
        let watched = &self.inner.governance.watched;
        let _judging = watched.judging.lock().unwrap_or_else(PoisonError::into_inner);
        let all = watched.running().clone();
        for mut watch in all {
            let judged = self.judge_probation(&mut watch)?;
            let (state, said) = match judged {
                Judged::On => continue,
                Judged::Close(state, said) => (state, said),
                Judged::Back(said) => {
                    self.take_back(&watch.probation, &said)?;
                    (ProbationState::RolledBack, said)
                }
            };
            let before = watch.probation.state;
            (watch.probation.state, watch.probation.said) = (state, said);
            let mut running = watched.running();
            let Some(at) = running.iter().position(|one| one.probation.id == watch.probation.id) else { continue };
            if state == ProbationState::Held {
                running[at] = watch.clone();
                drop(running);
                if before != ProbationState::Held {
                    self.keep_probation(&watch.probation, Outcome::Pending)?;
                }
                continue;
            }
            running.swap_remove(at);
            drop(running);
            for trial in watch.trials.iter().flatten() {
                self.end_trial(*trial)?;
            }
            let outcome = match state {
                ProbationState::Passed => Outcome::Approved,
                ProbationState::RolledBack => Outcome::Rejected,
                // Neither: nothing was shown.
                _ => Outcome::Pending,
            };
            self.keep_probation(&watch.probation, outcome)?;
        }
        Ok(())
    }

    fn judge_probation(&self, watch: &mut Watch) -> Result<Judged, Error> {
        let over = self.now_ns() >= watch.probation.until_ns;
        let mut missing: Vec<(String, OnMissingData)> = Vec::new();
        let Watch { probation, trials } = watch;
        for (one, trial) in probation.sectors.iter_mut().zip(trials.iter()) {
            let snapshot = {
                let sector = self.sector(&one.sector)?;
                let state = sector.lock()?;
                match state.current() {
                    Some(current) if current.number == one.version => current.snapshot.clone(),
                    _ => {
                        let said = format!("sector {} has another version than {} by now", one.sector, one.version);
                        return Ok(Judged::Close(ProbationState::Superseded, said));
                    }
                }
            };
            let arms = trial.map(|trial| self.trial(trial)).transpose()?.flatten();
            let stand = arms.map_or(Vec::new(), |arms| arms.current.objectives);
            one.objectives = stand.iter().map(ArmObjective::of).collect();
            if let Some(broken) = stand.iter().find(|state| is_broken(state, over)) {
                return Ok(Judged::Back(broken_in_words(&one.sector, broken)));
            }
            if over {
                // Also those that the monitor does not know, because nothing is observed.
                for objective in Schema::of(&snapshot).objectives {
                    let met = stand.iter().find(|state| state.objective.name == objective.name);
                    if met.and_then(|state| state.met) != Some(true) {
                        missing.push((format!("{}/{}", one.sector, objective.name), objective.on_missing_data));
                    }
                }
            }
        }
        if !over {
            return Ok(Judged::On);
        }
        let without = |what: OnMissingData| missing.iter().find(|(_, on)| *on == what).map(|(name, _)| name);
        Ok(match (without(OnMissingData::RollBack), without(OnMissingData::Hold), without(OnMissingData::Keep)) {
            (Some(name), _, _) => Judged::Back(format!("there was no data for the objective {name}")),
            (None, Some(name), _) => {
                Judged::Close(ProbationState::Held, format!("waits for data: there is none for the objective {name}"))
            }
            (None, None, Some(name)) => {
                let said = format!("stays unproven: there was no data for the objective {name}");
                Judged::Close(ProbationState::Kept, said)
            }
            (None, None, None) => Judged::Close(ProbationState::Passed, "met all objectives".into()),
        })
    }

    /// Takes back what was promoted; at once where it cannot be recorded first.
    fn take_back(&self, probation: &Probation, why: &str) -> Result<(), Error> {
        let origin =
            Origin { by: "knhk".into(), why: format!("probation {}: {why}", probation.id), ..Origin::default() };
        let targets: Vec<_> = probation.sectors.iter().map(|one| (one.sector.clone(), one.back_to)).collect();
        match self.rollback_together(&targets, origin.clone()) {
            Ok(_) => {}
            Err(error) if error.status() == Status::Io => _ = self.emergency_rollback_together(&targets, origin)?,
            Err(error) => return Err(error),
        }
        let line = format!("probation {} took {} sectors back: {why}", probation.id, targets.len());
        self.inner.announcer.log(Level::Warning, "probation", line);
        Ok(())
    }

    /// Goes on with the probations of the engine before.
    pub(super) fn recover_probations(&self) -> Result<(), Error> {
        for probation in self.all::<Probation>(PROBATION, true)? {
            self.take_up(probation)?;
        }
        Ok(())
    }

    fn keep_probation(&self, probation: &Probation, outcome: Outcome) -> Result<(), Error> {
        let Probation { id, state, sectors, said, .. } = probation;
        let sector = match sectors.as_slice() {
            [one] => Some(one.sector.as_str()),
            _ => None,
        };
        let evidence = match state {
            ProbationState::RolledBack => {
                let (invariant, item) = ("service level objectives".into(), format!("probation {id}"));
                Evidence::InvariantViolated { invariant, item, detail: said.clone() }
            }
            _ => {
                let change = format!("probation {id}: {said}");
                Evidence::SectorUpdated { change, by: "knhk".into(), why: "governance/probation_seconds".into() }
            }
        };
        let open = matches!(state, ProbationState::Watching | ProbationState::Held);
        let kept = Kept { kind: PROBATION, id, sector, open };
        self.keep(vec![entry(self.now_ns(), sector, outcome, evidence)], |_| vec![(kept, serialized(probation))])?;
        Ok(())
    }
}

/// Whether an objective is broken already. A count that must reach something can still do so until its window is full.
fn is_broken(state: &ObjectiveState, over: bool) -> bool {
    let grows = (state.objective.aggregate, state.objective.bound) == (Aggregate::Count, Bound::AtLeast);
    let full = over || state.figures.seconds >= f64::from(state.objective.window_s);
    state.met == Some(false) && (full || !grows)
}

fn broken_in_words(sector: &str, state: &ObjectiveState) -> String {
    let objective = &state.objective;
    let side = match objective.bound {
        Bound::AtMost => "at most",
        Bound::AtLeast => "at least",
    };
    format!(
        "the objective {sector}/{} is broken: {} of {} is {}, and {side} {} is allowed",
        objective.name,
        objective.aggregate.as_str(),
        objective.kind,
        state.value.unwrap_or_default(),
        objective.limit.unwrap_or_default(),
    )
}
