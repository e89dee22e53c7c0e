//! Canaries: a share of the decisions reads what is to come, before everyone does.
//!
//! Who belongs to it is chosen by a hash of the decision's subject (`knhk_read_begin_for`), so that a subject stays where it is while the canary
//! runs. What is recorded with a subject is counted by arm. A canary ends with the engine: a restart finds that it ran, and says so.

use std::hash::{BuildHasher, RandomState};
use std::sync::PoisonError;

use knhk_ledger::{Evidence, Outcome};
use knhk_observation::{Arms, Counts, ObjectiveState, Trial};
use knhk_promotion::{Part, SectorKind, Step, Together};
use serde::{Deserialize, Serialize};

use super::book::{CANARY, Kept, entry, serialized};
use super::{Closed, EnactedVersion, SectorChange, State};
use crate::control::{VersionEntry, hex};
use crate::joint::PREPARE;
use crate::{Engine, Error, Level, Origin, Status};

/// What somebody asks for.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StartCanary {
    /// The proposal to be tried, which passed and was filed with `enact: false`; or else `changes`.
    #[serde(default)]
    pub proposal: Option<String>,
    /// Changes of direct sectors to be tried.
    #[serde(default)]
    pub changes: Vec<SectorChange>,
    /// The share of subjects that read it: above 0, at most 1.
    pub share: f64,
    /// Who.
    #[serde(default)]
    pub by: String,
    /// Why.
    #[serde(default)]
    pub why: String,
}

/// How far a canary is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CanaryState {
    /// A share of the subjects reads it.
    Running,
    /// It became everyone's.
    Adopted,
    /// It became no one's.
    Stopped,
    /// The engine ended while it ran, and with it the canary.
    CutOff,
}

/// A canary: what is tried, by whom, and what came of it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Canary {
    /// Its name, such as `k-2`.
    pub id: String,
    /// How far it is.
    pub state: CanaryState,
    /// The proposal that is tried.
    pub proposal: Option<String>,
    /// What is tried.
    pub changes: Vec<SectorChange>,
    /// The share of subjects that read it.
    pub share: f64,
    /// Who started it.
    pub by: String,
    /// Why.
    pub why: String,
    /// Since when, in nanoseconds since 1970 (UTC).
    pub time_ns: u64,
    /// What was recorded in each arm; nothing where the engine does not observe.
    pub arms: Vec<SectorArms>,
    /// What it led to, where it was adopted.
    pub versions: Vec<EnactedVersion>,
    /// Who ended it.
    pub closed: Option<Closed>,
}

/// What was recorded of a sector while a canary ran.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SectorArms {
    /// The sector.
    pub sector: String,
    /// By those who read what is current.
    pub current: ArmCounts,
    /// By those who read the candidate.
    pub candidate: ArmCounts,
    /// Records without a subject, which belong to no arm.
    pub without_subject: u64,
}

/// What was recorded in one arm.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ArmCounts {
    /// How many records.
    pub count: u64,
    /// Those with each outcome: unspecified, success, rejected, failed, timed out.
    pub outcomes: [u64; 5],
    /// Those with a code of the program's own.
    pub own: u64,
    /// The share of those that were no success, in %; none without a record.
    pub failure_share: Option<f64>,
    /// How the sector's objectives stand in this arm.
    pub objectives: Vec<ArmObjective>,
}

/// A service level objective as it stands in an arm.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ArmObjective {
    /// The objective.
    pub name: String,
    /// The aggregate's value; none without data.
    pub value: Option<f64>,
    /// Its limit.
    pub limit: Option<f64>,
    /// Whether it holds; none without data, which is no pass.
    pub met: Option<bool>,
}

/// The canary that runs.
pub(super) struct Running {
    canary: Canary,
    /// Each sector's trial, where the engine observes.
    trials: Vec<(String, u64)>,
}

/// Changes, with the content addresses that passed, and whether they are declared incompatible.
type Tried = (Vec<SectorChange>, Vec<Option<String>>, bool);

impl Engine {
    /// Has a share of the subjects read what is to come. One canary runs at a time, of one sector or of several.
    ///
    /// # Errors
    /// `Busy` where one runs, `InvalidArgument` for another share, `Waiting` where the proposal has not passed, `Ungoverned` for changes of a
    /// governed sector without one; else what a promotion of it would say.
    pub fn start_canary(&self, asked: &StartCanary) -> Result<Canary, Error> {
        self.recording()?;
        if !(asked.share > 0.0 && asked.share <= 1.0) {
            let message = format!("a canary's share is above 0 and at most 1, such as 0.05, and not {}", asked.share);
            return Err(Error::new(Status::InvalidArgument, "canary", "share", message));
        }
        let mut running = self.inner.governance.canary.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(running) = &*running {
            let id = &running.canary.id;
            let message = format!("canary {id} runs: adopt or stop it first (knhk canary stop {id})");
            return Err(Error::new(Status::Busy, "canary", id.as_str(), message));
        }
        let (changes, expected, major) = self.tried(asked)?;
        let candidates = self.candidates_of(&changes, &expected, major, &asked.by)?;
        let id = self.next_id(CANARY)?;
        let mut canary = Canary {
            id,
            state: CanaryState::Running,
            proposal: asked.proposal.clone(),
            changes,
            share: asked.share,
            by: asked.by.clone(),
            why: asked.why.clone(),
            time_ns: self.now_ns(),
            arms: Vec::new(),
            versions: Vec::new(),
            closed: None,
        };
        let said = format!("canary {} started: {} % of the subjects read it", canary.id, 100.0 * canary.share);
        self.keep_canary(&canary, said, &canary.by, &canary.why)?;
        // A float as large as 2^64 becomes the largest limit, with which every subject but one of all hashes is chosen.
        let limit = (canary.share * 2.0_f64.powi(64)) as u64;
        let salt = RandomState::new().hash_one(&canary.id) | 1;
        let epoch = match self.inner.hot.start_canary(&candidates, limit, salt) {
            Ok(epoch) => epoch,
            Err(error) => {
                self.close_canary(&mut canary, CanaryState::Stopped, &asked.by, &error.to_string())?;
                return Err(error.into());
            }
        };
        let mut trials = Vec::new();
        for (change, candidate) in canary.changes.iter().zip(&candidates) {
            let trial = Trial { sector: candidate.sector as u32, from_epoch: epoch, choice: Some((limit, salt)) };
            if let Some(number) = self.begin_trial(trial)? {
                trials.push((change.sector.clone(), number));
            }
        }
        *running = Some(Running { canary: canary.clone(), trials });
        Ok(canary)
    }

    /// Ends the canary: what it tries becomes everyone's where it is adopted, through the same stages as any change, and no one's else.
    ///
    /// # Errors
    /// `NotFound` where it does not run. Adopting it: what [`Engine::enact`] or [`Engine::promote_together`] say; it runs on then.
    pub fn stop_canary(&self, id: &str, adopt: bool, by: &str, why: &str) -> Result<Canary, Error> {
        self.recording()?;
        let mut running = self.inner.governance.canary.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(found) = running.as_mut().filter(|running| running.canary.id == id) else {
            let message = format!("no canary {id:?} runs; `knhk canary` lists them");
            return Err(Error::new(Status::NotFound, "canary", id, message));
        };
        if adopt {
            found.canary.versions = self.adopted(&found.canary, by)?;
        }
        let state = if adopt { CanaryState::Adopted } else { CanaryState::Stopped };
        let found = running.take().expect("it was found under the lock");
        self.end_canary(found, state, by, why)
    }

    /// Ends the canary where it tries a sector that went back to an earlier version: whoever takes a sector back wants nobody to read what
    /// was to come after it. What cannot be noted of that is in the log; the rollback stands.
    pub(crate) fn end_canary_of(&self, sector: &str, version: u64) {
        let mut running = self.inner.governance.canary.lock().unwrap_or_else(PoisonError::into_inner);
        let of = |running: &mut Running| running.canary.changes.iter().any(|change| change.sector == sector);
        let Some(found) = running.take_if(of) else { return };
        let id = found.canary.id.clone();
        let why = format!("sector {sector} was rolled back, as version {version}");
        if let Err(error) = self.end_canary(found, CanaryState::Stopped, "knhk", &why) {
            let line = format!("canary {id} ended because {why}, and that could not be noted: {error}");
            self.inner.announcer.log(Level::Error, "canary", line);
        }
    }

    fn end_canary(&self, running: Running, state: CanaryState, by: &str, why: &str) -> Result<Canary, Error> {
        let Running { mut canary, trials } = running;
        let stopped = self.inner.hot.stop_canary(false);
        canary.arms = self.arms_of(&trials)?;
        for (_, trial) in &trials {
            self.end_trial(*trial)?;
        }
        self.close_canary(&mut canary, state, by, why)?;
        stopped?;
        Ok(canary)
    }

    /// The canaries, oldest first: the one that runs as it stands now.
    ///
    /// # Errors
    /// `NotFound` without a ledger; `Io` when the store cannot be read.
    pub fn canaries(&self) -> Result<Vec<Canary>, Error> {
        let running = self.inner.governance.canary.lock().unwrap_or_else(PoisonError::into_inner);
        let mut all: Vec<Canary> = self.all(CANARY, false)?;
        if let Some(Running { canary, trials }) = &*running {
            let arms = self.arms_of(trials)?;
            all.iter_mut().filter(|one| one.id == canary.id).for_each(|one| one.arms = arms.clone());
        }
        Ok(all)
    }

    /// Notes that canaries ended with the engine that ran them.
    pub(super) fn recover_canaries(&self) -> Result<(), Error> {
        for mut canary in self.all::<Canary>(CANARY, true)? {
            let line = format!("canary {} ended with the engine that ran it: start it again", canary.id);
            self.inner.announcer.log(Level::Warning, "canary", line);
            self.close_canary(&mut canary, CanaryState::CutOff, "knhk", "the engine was opened again")?;
        }
        Ok(())
    }

    /// What is tried.
    fn tried(&self, asked: &StartCanary) -> Result<Tried, Error> {
        match (&asked.proposal, asked.changes.as_slice()) {
            (Some(id), []) => {
                let proposal = self.proposal(id)?;
                if proposal.state != State::Passed {
                    let message = format!("proposal {id} {}: a canary tries what passed", proposal.said);
                    return Err(Error::new(Status::Waiting, "canary", id.as_str(), message));
                }
                let changes = proposal
                    .changes
                    .iter()
                    .map(|one| SectorChange { sector: one.sector.clone(), content: one.content.clone() });
                let expected = proposal.changes.iter().map(|one| Some(one.snapshot_id.clone())).collect();
                Ok((changes.collect(), expected, proposal.major))
            }
            (None, changes @ [_, ..]) => {
                for change in changes {
                    let sector = self.sector(&change.sector)?;
                    if sector.kind() == SectorKind::Governed {
                        let sector = sector.name().into();
                        return Err(knhk_promotion::PromotionError::Ungoverned { sector }.into());
                    }
                }
                Ok((changes.to_vec(), vec![None; changes.len()], false))
            }
            _ => {
                let message = "name the proposal that is to be tried, or give the changes of direct sectors";
                Err(Error::new(Status::InvalidArgument, "canary", "proposal", message))
            }
        }
    }

    /// What the sectors would show, compiled; in the order of the changes.
    fn candidates_of(
        &self,
        changes: &[SectorChange],
        expected: &[Option<String>],
        major: bool,
        by: &str,
    ) -> Result<Vec<knhk_hot::Change>, Error> {
        let sectors = changes.iter().map(|change| self.sector(&change.sector)).collect::<Result<Vec<_>, _>>()?;
        let mut parts = Vec::with_capacity(changes.len());
        for (sector, change) in sectors.iter().zip(changes) {
            let step = Step::Content(self.content_of(sector, &change.content)?);
            parts.push(Part {
                sector,
                step,
                origin: Origin { by: by.into(), why: String::new(), major, ..Origin::default() },
            });
        }
        let (ready, _) = Together::prepare(&self.inner.hot, &self.inner.journal, parts, PREPARE)?;
        let compiled = ready.candidates();
        let mut candidates = Vec::with_capacity(changes.len());
        for (sector, expected) in sectors.iter().zip(expected) {
            let candidate = compiled.iter().find(|candidate| candidate.sector == sector.number());
            let candidate = candidate.expect("each part is of one of the sectors").clone();
            if expected.as_ref().is_some_and(|expected| *expected != hex(&candidate.snapshot_id)) {
                let message = format!(
                    "sector {}: another version became current since the proposal passed; run it again",
                    sector.name()
                );
                return Err(Error::new(Status::Waiting, "canary", sector.name(), message));
            }
            candidates.push(candidate);
        }
        Ok(candidates)
    }

    fn adopted(&self, canary: &Canary, by: &str) -> Result<Vec<EnactedVersion>, Error> {
        if let Some(id) = &canary.proposal {
            return Ok(self.enact(id, by)?.versions);
        }
        let why = format!("canary {} was adopted", canary.id);
        let versions = self.promote_together(&canary.changes, Origin { by: by.into(), why, ..Origin::default() })?;
        let enacted = versions.iter().zip(&canary.changes).map(|(version, change)| EnactedVersion {
            sector: change.sector.clone(),
            version: VersionEntry::from(version),
        });
        Ok(enacted.collect())
    }

    fn arms_of(&self, trials: &[(String, u64)]) -> Result<Vec<SectorArms>, Error> {
        let mut all = Vec::with_capacity(trials.len());
        for (sector, trial) in trials {
            if let Some(Arms { current, candidate, without_subject, .. }) = self.trial(*trial)? {
                all.push(SectorArms {
                    sector: sector.clone(),
                    current: ArmCounts::of(current.counts, &current.objectives),
                    candidate: ArmCounts::of(candidate.counts, &candidate.objectives),
                    without_subject,
                });
            }
        }
        Ok(all)
    }

    fn close_canary(&self, canary: &mut Canary, state: CanaryState, by: &str, why: &str) -> Result<(), Error> {
        canary.state = state;
        canary.closed = Some(Closed { by: by.into(), why: why.into(), time_ns: self.now_ns() });
        let word = match state {
            CanaryState::Running => "runs",
            CanaryState::Adopted => "was adopted",
            CanaryState::Stopped => "was stopped",
            CanaryState::CutOff => "ended with the engine that ran it",
        };
        self.keep_canary(canary, format!("canary {} {word}", canary.id), by, why)
    }

    fn keep_canary(&self, canary: &Canary, change: String, by: &str, why: &str) -> Result<(), Error> {
        let sector = match canary.changes.as_slice() {
            [one] => Some(one.sector.as_str()),
            _ => None,
        };
        let evidence = Evidence::SectorUpdated { change, by: by.into(), why: why.into() };
        let entries = vec![entry(self.now_ns(), sector, Outcome::Approved, evidence)];
        let open = canary.state == CanaryState::Running;
        let kept = Kept { kind: CANARY, id: &canary.id, sector, open };
        self.keep(entries, |_| vec![(kept, serialized(canary))])?;
        Ok(())
    }
}

impl ArmCounts {
    fn of(counts: Counts, objectives: &[ObjectiveState]) -> ArmCounts {
        ArmCounts {
            count: counts.count,
            outcomes: counts.outcomes,
            own: counts.own,
            failure_share: counts.failure_share(),
            objectives: objectives.iter().map(ArmObjective::of).collect(),
        }
    }
}

impl ArmObjective {
    pub(super) fn of(state: &ObjectiveState) -> ArmObjective {
        let ObjectiveState { objective, value, met, .. } = state;
        ArmObjective { name: objective.name.clone(), value: *value, limit: objective.limit, met: *met }
    }
}
