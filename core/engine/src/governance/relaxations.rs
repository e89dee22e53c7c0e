//! Relaxations of guards: asked for, approved, revoked, ended by themselves.

use knhk_governance::approval::{Approval, Ask, Event, Relaxation, State};
use knhk_ledger::{Entry, Evidence, Outcome};
use serde::{Deserialize, Serialize};

use super::Watch;
use super::book::{Kept, PROPOSAL, RELAXATION, entry, serialized};
use super::life::Filed;
use crate::{Engine, Error, Status};

/// What is asked for.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Relax {
    /// The guard.
    pub guard: String,
    /// The only sector in which the guard is to give way; none: all that it guards.
    #[serde(default)]
    pub sector: Option<String>,
    /// The only proposal for which it is to; none: any.
    #[serde(default)]
    pub proposal: Option<String>,
    /// Who asks.
    pub by: String,
    /// Why.
    pub why: String,
    /// When it ends by itself, in nanoseconds since 1970 (UTC).
    pub until_ns: u64,
}

impl Engine {
    /// Asks that a guard give way for a while. It does once as many have approved as the guard's criticality asks for and its review time is
    /// over, until it ends by itself or is revoked.
    ///
    /// # Errors
    /// `NotFound` for an unknown guard; `InvalidArgument` for what cannot be asked for; `Io` when it cannot be recorded.
    pub fn relax(&self, asked: &Relax) -> Result<Relaxation, Error> {
        self.recording()?;
        let _turn = self.inner.governance.turn();
        let Relax { guard, sector, proposal, by, why, until_ns } = asked.clone();
        let guards = self.guards()?;
        let found = guards.guards.iter().find(|one| one.id == guard).ok_or_else(|| {
            let known: Vec<&str> = guards.guards.iter().map(|one| one.id.as_str()).collect();
            let known =
                if known.is_empty() { "there is none".into() } else { format!("there are {}", known.join(", ")) };
            Error::new(Status::NotFound, "govern", &*guard, format!("there is no guard {guard:?}; {known}"))
        })?;
        let log = self.durable()?.history.ledger().keys()?.root().origin().to_owned();
        let id = self.next_id(RELAXATION)?;
        let now_ns = self.now_ns();
        let ask = Ask { id: id.clone(), sector, proposal, by: by.clone(), why: why.clone(), until_ns };
        let relaxation = Relaxation::request(&log, found, ask, false, now_ns)?;
        let evidence = Evidence::RelaxationRequested { guard, relaxation: id, by, why, until_ns };
        self.keep_relaxation(&relaxation, vec![(Outcome::Pending, evidence)])?;
        drop(_turn);
        self.look_after();
        Ok(relaxation)
    }

    /// Takes a relaxation back: the guard stands again at once. Anyone may.
    ///
    /// # Errors
    /// `NotFound`; `InvalidArgument` for one that has ended; `Io` when it cannot be recorded.
    pub fn revoke(&self, id: &str, by: &str, why: &str) -> Result<Relaxation, Error> {
        self.recording()?;
        let _turn = self.inner.governance.turn();
        let relaxation = self.find::<Relaxation>(RELAXATION, id)?.body;
        let event = Event::Revoke { by: by.into(), why: why.into() };
        let revoked = relaxation.decide(&event, self.now_ns())?;
        let evidence = Evidence::RelaxationRevoked {
            guard: revoked.asked.guard.clone(),
            relaxation: id.into(),
            by: by.into(),
            why: why.into(),
        };
        self.keep_relaxation(&revoked, vec![(Outcome::Approved, evidence)])?;
        Ok(revoked)
    }

    pub(super) fn approve_relaxation(&self, id: &str, approval: &Approval) -> Result<Relaxation, Error> {
        let taken = {
            let _turn = self.inner.governance.turn();
            let relaxation = self.find::<Relaxation>(RELAXATION, id)?.body;
            let (approvers, now_ns) = (self.approvers_or_nobody()?, self.now_ns());
            let ballot = approval.verify(&[&approvers])?;
            let taken = relaxation.decide(&Event::Ballot(ballot), now_ns)?;
            let new = &taken.tally.votes[relaxation.tally.votes.len()..];
            if new.is_empty() {
                return Ok(relaxation);
            }
            let approvals = taken.tally.approved(&approvers, now_ns).len() as u64;
            let evidence = new.iter().map(|vote| {
                let outcome = match vote.word {
                    knhk_governance::approval::Word::Approve => Outcome::Approved,
                    knhk_governance::approval::Word::Withdraw => Outcome::Rejected,
                };
                let evidence = Evidence::RelaxationApproved {
                    guard: taken.asked.guard.clone(),
                    relaxation: id.into(),
                    by: vote.by.clone(),
                    approvals,
                    quorum: taken.asked.criticality.quorum().into(),
                };
                (outcome, evidence)
            });
            self.keep_relaxation(&taken, evidence.collect())?;
            taken
        };
        self.look_after();
        Ok(taken)
    }

    /// Ends the relaxations whose time is over, and runs again what waits since before one came into force. Gives the next moment at which
    /// that is due.
    pub(super) fn expire_relaxations(&self) -> Result<Option<u64>, Error> {
        let (mut next, mut came) = (None, 0);
        for (relaxation, state) in self.relaxations(true)? {
            let asked = &relaxation.asked;
            let (reviewed_ns, now_ns) = (relaxation.reviewed_ns(), self.now_ns());
            if state == State::Expired {
                let _turn = self.inner.governance.turn();
                let relaxation = self.find::<Relaxation>(RELAXATION, &asked.id)?.body.decide(&Event::Tick, now_ns)?;
                let (guard, until_ns) = (asked.guard.clone(), asked.until_ns);
                let evidence = Evidence::RelaxationExpired { guard, relaxation: asked.id.clone(), until_ns };
                self.keep_relaxation(&relaxation, vec![(Outcome::Approved, evidence)])?;
                continue;
            }
            if state == State::InForce {
                let last = relaxation.tally.votes.last().map_or(0, |vote| vote.time_ns);
                came = came.max(reviewed_ns.max(last));
            }
            let due = if reviewed_ns > now_ns { reviewed_ns } else { asked.until_ns };
            next = [next, Some(due)].into_iter().flatten().min();
        }
        if came > 0 {
            for filed in self.all::<Filed>(PROPOSAL, true)? {
                let proposal = &filed.proposal;
                if proposal.state == super::State::Waiting && proposal.run_ns.is_some_and(|run| run < came) {
                    self.carry(&proposal.id, None, None, Watch::nobody())?;
                }
            }
        }
        Ok(next)
    }

    /// Keeps a relaxation's next revision with its receipts. Under the governance lock.
    fn keep_relaxation(&self, relaxation: &Relaxation, evidence: Vec<(Outcome, Evidence)>) -> Result<(), Error> {
        let (asked, now_ns) = (&relaxation.asked, self.now_ns());
        let state = relaxation.state(&self.approvers_or_nobody()?, now_ns);
        let open = !matches!(state, State::Expired | State::Revoked);
        let sector = asked.sector.as_deref();
        let entries: Vec<Entry> =
            evidence.into_iter().map(|(outcome, evidence)| entry(now_ns, sector, outcome, evidence)).collect();
        let kept = Kept { kind: RELAXATION, id: &asked.id, sector, open };
        let body = serialized(relaxation);
        self.keep(entries, |_| vec![(kept, body)])?;
        self.inner.governance.moved();
        Ok(())
    }
}
