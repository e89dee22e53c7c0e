//! Scheduled promotions: what becomes current at a moment, or in a window of the week.
//!
//! A schedule is kept, and found again after a restart. When it fires, the change runs through its checks as if it were asked for then. A moment
//! that passed while no engine was open is made up for at once; a window that passed is waited for again.

use std::sync::PoisonError;

use knhk_ledger::{Evidence, Outcome};
use serde::{Deserialize, Serialize};

use super::book::{Kept, SCHEDULE, entry, serialized};
use super::{At, Closed, EnactedVersion, SectorChange, State, When};
use crate::control::VersionEntry;
use crate::{Engine, Error, Level, Origin, Status};

/// How long after a moment what the machine refused is tried again, and how often.
const PATIENCE_NS: u64 = 3600 * 1_000_000_000;
const AGAIN_NS: u64 = 30 * 1_000_000_000;

/// What somebody asks for.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScheduleChange {
    /// The proposal that is to become current, filed with `enact: false`; or else `changes`.
    #[serde(default)]
    pub proposal: Option<String>,
    /// Changes of direct sectors that are to become current together.
    #[serde(default)]
    pub changes: Vec<SectorChange>,
    /// When.
    pub at: At,
    /// Who.
    #[serde(default)]
    pub by: String,
    /// Why.
    #[serde(default)]
    pub why: String,
}

/// How far a schedule is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ScheduleState {
    /// Its time is to come.
    Waiting,
    /// It became current.
    Done,
    /// It was refused when its time had come.
    Failed,
    /// Somebody took it back.
    Cancelled,
}

/// A change whose time is to come, or has come.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Schedule {
    /// Its name, such as `t-3`.
    pub id: String,
    /// How far it is.
    pub state: ScheduleState,
    /// The proposal.
    pub proposal: Option<String>,
    /// The changes, where there is no proposal.
    pub changes: Vec<SectorChange>,
    /// When, as it was asked for.
    pub at: At,
    /// When it fires next, in nanoseconds since 1970 (UTC).
    pub next_ns: u64,
    /// The end of the window that it fires in; of a moment, when it is given up.
    pub until_ns: u64,
    /// Who asked for it.
    pub by: String,
    /// Why.
    pub why: String,
    /// When it was asked for.
    pub time_ns: u64,
    /// What came of it, in a sentence.
    pub said: String,
    /// What it led to.
    pub versions: Vec<EnactedVersion>,
    /// Who took it back.
    pub closed: Option<Closed>,
}

impl Engine {
    /// Has a change become current at a moment or in a window.
    ///
    /// # Errors
    /// `InvalidArgument` where the time is none or was before now, `NotFound` for an unknown proposal, `Ungoverned` for changes of a governed
    /// sector without one; `Io` when it cannot be recorded.
    pub fn schedule(&self, asked: &ScheduleChange) -> Result<Schedule, Error> {
        self.recording()?;
        let now_ns = self.now_ns();
        let when = When::read(&asked.at)?;
        match (&asked.proposal, asked.changes.as_slice()) {
            (Some(id), []) => self.may_become(id)?,
            (None, [_, ..]) => {
                for change in &asked.changes {
                    let sector = self.sector(&change.sector)?;
                    if sector.kind() == knhk_promotion::SectorKind::Governed {
                        let sector = sector.name().into();
                        return Err(knhk_promotion::PromotionError::Ungoverned { sector }.into());
                    }
                    // What cannot be read now cannot be then.
                    self.content_of(&sector, &change.content)?;
                }
            }
            _ => {
                let message = "name the proposal whose time is to come, or give the changes of direct sectors";
                return Err(Error::new(Status::InvalidArgument, "schedule", "proposal", message));
            }
        }
        let (next_ns, until_ns) = when.next(now_ns, PATIENCE_NS)?;
        let id = {
            let _turn = self.inner.governance.turn();
            self.next_id(SCHEDULE)?
        };
        let schedule = Schedule {
            id,
            state: ScheduleState::Waiting,
            proposal: asked.proposal.clone(),
            changes: asked.changes.clone(),
            at: asked.at.clone(),
            next_ns,
            until_ns,
            by: asked.by.clone(),
            why: asked.why.clone(),
            time_ns: now_ns,
            said: format!("is to become current at {}", When::told(next_ns)),
            versions: Vec::new(),
            closed: None,
        };
        self.keep_schedule(&schedule, Outcome::Pending, &asked.by, &asked.why)?;
        self.look_after();
        Ok(schedule)
    }

    /// Takes a schedule back.
    ///
    /// # Errors
    /// `NotFound`; `InvalidArgument` where its time has come already; `Io` when it cannot be recorded.
    pub fn unschedule(&self, id: &str, by: &str, why: &str) -> Result<Schedule, Error> {
        self.recording()?;
        let _firing = self.inner.governance.firing.lock().unwrap_or_else(PoisonError::into_inner);
        let mut schedule: Schedule = self.find(SCHEDULE, id)?.body;
        if schedule.state != ScheduleState::Waiting {
            let message = format!("schedule {id} {}: nothing is left to take back", schedule.said);
            return Err(Error::new(Status::InvalidArgument, "schedule", id, message));
        }
        schedule.state = ScheduleState::Cancelled;
        schedule.said = "was taken back".into();
        schedule.closed = Some(Closed { by: by.into(), why: why.into(), time_ns: self.now_ns() });
        self.keep_schedule(&schedule, Outcome::Approved, by, why)?;
        Ok(schedule)
    }

    /// The schedules, oldest first.
    ///
    /// # Errors
    /// `NotFound` without a ledger; `Io` when the store cannot be read.
    pub fn schedules(&self) -> Result<Vec<Schedule>, Error> {
        self.all(SCHEDULE, false)
    }

    /// Fires what is due; gives when the next one is.
    pub(super) fn settle_schedules(&self) -> Result<Option<u64>, Error> {
        let _firing = self.inner.governance.firing.lock().unwrap_or_else(PoisonError::into_inner);
        let mut next = None;
        for mut schedule in self.all::<Schedule>(SCHEDULE, true)? {
            if schedule.next_ns <= self.now_ns() {
                self.fire(&mut schedule)?;
            }
            if schedule.state == ScheduleState::Waiting {
                next = [next, Some(schedule.next_ns)].into_iter().flatten().min();
            }
        }
        Ok(next)
    }

    fn fire(&self, schedule: &mut Schedule) -> Result<(), Error> {
        let now_ns = self.now_ns();
        let outcome = match self.became(schedule)? {
            // A crash came between the promotion and the note of it.
            Some(versions) => Ok(versions),
            None if now_ns > schedule.until_ns && schedule.at.window.is_some() => {
                (schedule.next_ns, schedule.until_ns) = When::read(&schedule.at)?.next(now_ns, PATIENCE_NS)?;
                schedule.said = format!("missed its window; the next begins at {}", When::told(schedule.next_ns));
                return self.keep_schedule(schedule, Outcome::Pending, "knhk", "no engine was open in the window");
            }
            None => self.carry_out(schedule),
        };
        let outcome = match outcome {
            Ok(versions) => {
                (schedule.state, schedule.versions) = (ScheduleState::Done, versions);
                schedule.said = "became current".into();
                Outcome::Approved
            }
            Err(error) if of_the_machine(&error) && now_ns + AGAIN_NS < schedule.until_ns => {
                schedule.next_ns = now_ns + AGAIN_NS;
                schedule.said = format!("could not become current, and is tried again: {error}");
                Outcome::Pending
            }
            Err(error) => {
                schedule.state = ScheduleState::Failed;
                schedule.said = format!("was refused when its time had come: {error}");
                let line = format!("schedule {} {}", schedule.id, schedule.said);
                self.inner.announcer.log(Level::Error, "schedule", line);
                Outcome::Rejected
            }
        };
        self.keep_schedule(schedule, outcome, "knhk", "its time has come")
    }

    fn carry_out(&self, schedule: &Schedule) -> Result<Vec<EnactedVersion>, Error> {
        match &schedule.proposal {
            Some(id) => Ok(self.enact(id, &schedule.by)?.versions),
            None => {
                let origin = Origin { by: schedule.by.clone(), why: fired(schedule), ..Origin::default() };
                let versions = self.promote_together(&schedule.changes, origin)?;
                let enacted = versions.iter().zip(&schedule.changes).map(|(version, change)| EnactedVersion {
                    sector: change.sector.clone(),
                    version: VersionEntry::from(version),
                });
                Ok(enacted.collect())
            }
        }
    }

    /// What it led to, if it became current already.
    fn became(&self, schedule: &Schedule) -> Result<Option<Vec<EnactedVersion>>, Error> {
        if let Some(id) = &schedule.proposal {
            let proposal = self.proposal(id)?;
            return Ok((proposal.state == State::Enacted).then_some(proposal.versions));
        }
        let why = fired(schedule);
        let mut versions = Vec::with_capacity(schedule.changes.len());
        for SectorChange { sector, .. } in &schedule.changes {
            let history = self.history(sector)?;
            let Some(found) = history.iter().rev().find(|version| version.origin.why == why) else { return Ok(None) };
            versions.push(EnactedVersion { sector: sector.clone(), version: VersionEntry::from(found) });
        }
        Ok(Some(versions))
    }

    /// Refuses a proposal of which nothing can come any more.
    fn may_become(&self, id: &str) -> Result<(), Error> {
        let proposal = self.proposal(id)?;
        if matches!(proposal.state, State::Filed | State::Waiting | State::Passed) {
            return Ok(());
        }
        let message = format!("proposal {id} {}: nothing can come of it any more", proposal.said);
        Err(Error::new(Status::InvalidArgument, "schedule", id, message))
    }

    fn keep_schedule(&self, schedule: &Schedule, outcome: Outcome, by: &str, why: &str) -> Result<(), Error> {
        let sector = match schedule.changes.as_slice() {
            [one] => Some(one.sector.as_str()),
            _ => None,
        };
        let change = format!("schedule {} {}", schedule.id, schedule.said);
        let evidence = Evidence::SectorUpdated { change, by: by.into(), why: why.into() };
        let open = schedule.state == ScheduleState::Waiting;
        let kept = Kept { kind: SCHEDULE, id: &schedule.id, sector, open };
        self.keep(vec![entry(self.now_ns(), sector, outcome, evidence)], |_| vec![(kept, serialized(schedule))])?;
        Ok(())
    }
}

/// Why the versions of a schedule are there, by which they are found.
fn fired(schedule: &Schedule) -> String {
    format!("{} (schedule {})", schedule.why, schedule.id)
}

/// Whether the machine refused, and not a check: it may not the next time.
fn of_the_machine(error: &Error) -> bool {
    matches!(error.status(), Status::Io | Status::Timeout | Status::Stalled | Status::Busy | Status::System)
}
