//! The life of a proposal: filed, run through the stages, enacted, withdrawn.
//!
//! What is promoted is exactly what was validated, on exactly what it was validated against. A run takes no lock. Its outcome counts only where,
//! under the governance lock, nothing that it rests on has changed since: the sectors' versions, doctrine, guards, approvers, relaxations, and
//! the proposal itself; otherwise it is run again. The promotion then takes a token made from the run's signed receipt, which names the content
//! before and after, and which the sector checks under its own lock.

use knhk_governance::approval::{Approved, Tally};
use knhk_governance::{Finding, PastChange, Report, Severity, Stage, StageReport, Verdict};
use knhk_ledger::{Entry, Evidence, Outcome};
use knhk_promotion::{Origin, Passed};
use serde::{Deserialize, Serialize};

use super::book::{Kept, PROPOSAL, entry, serialized};
use super::candidate::{Prepared, request_digest};
use super::{Closed, EnactedVersion, Proposal, ProposalQuery, Propose, Proposed, State};
use crate::control::{Item, VersionEntry, hex};
use crate::{Engine, Error, Status};

/// Runs before a proposal whose ground keeps moving is left for later.
const ATTEMPTS: usize = 8;

/// Proposals of a list, unless a query says otherwise.
const LISTED: usize = 100;

/// A proposal as it is kept.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Filed {
    pub proposal: Proposal,
    /// What approvers said of it as it was run last; none before.
    pub tally: Option<Tally>,
    /// Approvals as they were signed (COSE_Sign, base64), in the order of their recording.
    pub signed: Vec<String>,
}

/// What a run gave.
struct Run {
    prepared: Vec<Prepared>,
    digest: [u8; 32],
    reports: Vec<Report>,
}

impl Engine {
    /// Files a change and runs it through the seven stages. Where nothing speaks against it and nothing is missing it becomes current, unless
    /// it is asked otherwise. A change that a stage refuses is no error: it comes back as [`State::Refused`], with the reports.
    ///
    /// # Errors
    /// What is no change of the sectors as they are: `Document`, `Limit`, `Conflict`, `NotFound`, `InvalidArgument`; nothing was filed then.
    /// `NotFound` without a ledger, `Io` when it cannot be recorded.
    pub fn propose(&self, asked: &Propose) -> Result<Proposal, Error> {
        asked.check()?;
        self.recording()?;
        let time_ns = self.now_ns();
        let mut prepared = self.candidates("", asked, time_ns)?;
        let filed = {
            let _turn = self.inner.governance.turn();
            let id = self.next_id(PROPOSAL)?;
            prepared.iter_mut().for_each(|one| one.candidate.proposal = id.clone());
            self.file(id, asked, &prepared, time_ns)?
        };
        self.carry(&filed.proposal.id, Some(prepared), None)
    }

    /// Runs a change through the seven stages as if it were proposed; nothing is filed and nothing changes. Gives what they say, sector by
    /// sector.
    ///
    /// # Errors
    /// As [`Engine::propose`].
    pub fn check(&self, asked: &Propose) -> Result<Vec<Report>, Error> {
        asked.check()?;
        self.checked()?;
        let prepared = self.candidates("", asked, self.now_ns())?;
        let reports = self.judged_by_stages(&prepared, &[]);
        prepared.iter().for_each(|one| _ = one.sector.tidy());
        reports
    }

    /// A proposal.
    ///
    /// # Errors
    /// `NotFound`; `Io` when the store cannot be read.
    pub fn proposal(&self, id: &str) -> Result<Proposal, Error> {
        Ok(self.find::<Filed>(PROPOSAL, id)?.body.proposal)
    }

    /// Proposals, newest first.
    ///
    /// # Errors
    /// As [`Engine::proposal`].
    pub fn proposals(&self, query: &ProposalQuery) -> Result<Vec<Proposal>, Error> {
        let number = |id: &str| id.strip_prefix(PROPOSAL.prefix).and_then(|number| number.parse::<u64>().ok());
        let before = query.before.as_deref().map(|id| {
            number(id)
                .ok_or_else(|| Error::new(Status::InvalidArgument, "govern", id, format!("{id:?} names no proposal")))
        });
        let before = before.transpose()?;
        let all = self.all::<Filed>(PROPOSAL, query.open)?.into_iter().map(|filed| filed.proposal);
        let meant = |one: &Proposal| {
            let of_sector = |sector: &String| one.changes.iter().any(|change| change.sector == *sector);
            query.sector.as_ref().is_none_or(of_sector) && before.is_none_or(|before| number(&one.id) < Some(before))
        };
        let mut found: Vec<Proposal> = all.filter(meant).collect();
        found.sort_unstable_by_key(|one| std::cmp::Reverse(number(&one.id)));
        found.truncate(query.limit.unwrap_or(LISTED));
        Ok(found)
    }

    /// Runs an open proposal again and makes it current.
    ///
    /// # Errors
    /// `NotAdmitted` where a stage refuses it and `Waiting` where something is missing, both with [`Error::reports`]; `NotFound`;
    /// `InvalidArgument` where nothing can come of it any more.
    pub fn enact(&self, id: &str, by: &str) -> Result<Proposal, Error> {
        self.recording()?;
        self.open_proposal(id)?;
        let proposal = self.carry(id, None, Some(by))?;
        let refuse = |status, said: &str| {
            let message = format!("proposal {id} {said}\n{}", super::rendered(&proposal.reports));
            Err(Error::new(status, "govern", id, message.trim_end()).with_reports(proposal.reports.clone()))
        };
        match proposal.state {
            State::Enacted => Ok(proposal),
            State::Refused => refuse(Status::NotAdmitted, &proposal.said),
            _ => refuse(Status::Waiting, &proposal.said),
        }
    }

    /// Takes a proposal back.
    ///
    /// # Errors
    /// `NotFound`; `InvalidArgument` where nothing can come of it any more; `Io` when it cannot be recorded.
    pub fn withdraw(&self, id: &str, by: &str, why: &str) -> Result<Proposal, Error> {
        self.recording()?;
        let _turn = self.inner.governance.turn();
        let mut filed = self.open_proposal(id)?;
        let (time_ns, proposal) = (self.now_ns(), &mut filed.proposal);
        proposal.state = State::Withdrawn;
        proposal.closed = Some(Closed { by: by.into(), why: why.into(), time_ns });
        let evidence = Evidence::ProposalWithdrawn { proposal: id.into(), by: by.into(), why: why.into() };
        let entries = vec![entry(time_ns, only_sector(proposal), Outcome::Rejected, evidence)];
        self.keep_proposal(entries, &mut filed)?;
        Ok(filed.proposal)
    }

    /// A proposal of which something can still come.
    pub(super) fn open_proposal(&self, id: &str) -> Result<Filed, Error> {
        let filed = self.find::<Filed>(PROPOSAL, id)?.body;
        match filed.proposal.state.is_open() {
            true => Ok(filed),
            false => {
                let message = format!("proposal {id} {}: propose the change anew", filed.proposal.said);
                Err(Error::new(Status::InvalidArgument, "govern", id, message))
            }
        }
    }

    fn file(&self, id: String, asked: &Propose, prepared: &[Prepared], time_ns: u64) -> Result<Filed, Error> {
        let digest = request_digest(&id, asked, prepared);
        let proposal = Proposal {
            state: State::Filed,
            said: String::new(),
            changes: Vec::new(),
            by: asked.by.clone(),
            why: asked.why.clone(),
            major: asked.major,
            confidence: asked.confidence,
            merges: asked.merges,
            depends: asked.depends.clone(),
            time_ns,
            run_ns: None,
            at_ns: asked.at_ns,
            enact: asked.enact,
            digest: hex(&digest),
            reports: Vec::new(),
            approvals: Vec::new(),
            versions: Vec::new(),
            receipts: Vec::new(),
            closed: None,
            id: id.clone(),
        };
        let mut filed = Filed { proposal, tally: None, signed: Vec::new() };
        filed.proposal.changes = asked
            .changes
            .iter()
            .zip(prepared)
            .map(|(change, one)| Proposed { content: change.content.clone(), ..proposed(one) })
            .collect();
        let delta = match prepared {
            [one] => one.candidate.digest,
            _ => digest,
        };
        let evidence = Evidence::ProposalGenerated {
            proposal: id,
            proposer: asked.by.clone(),
            delta,
            // A person proposes what they mean.
            confidence: asked.confidence.unwrap_or(1.0),
            why: asked.why.clone(),
        };
        let entries = vec![entry(time_ns, only_sector(&filed.proposal), Outcome::Pending, evidence)];
        self.keep_proposal(entries, &mut filed)?;
        Ok(filed)
    }

    /// Runs a proposal, and enacts it where it can be and it, or `enact_by`, asks for that.
    pub(super) fn carry(
        &self,
        id: &str,
        mut given: Option<Vec<Prepared>>,
        enact_by: Option<&str>,
    ) -> Result<Proposal, Error> {
        let governance = &self.inner.governance;
        for _ in 0..ATTEMPTS {
            let seen = (governance.generation(), self.versions_beside()?);
            let found = self.find::<Filed>(PROPOSAL, id)?;
            let (revision, mut filed) = (found.revision, found.body);
            if !filed.proposal.state.is_open() {
                return Ok(filed.proposal);
            }
            let asked = filed.proposal.asked();
            let run = match given.take().map_or_else(|| self.candidates(id, &asked, self.now_ns()), Ok) {
                Ok(prepared) => {
                    let digest = request_digest(id, &asked, &prepared);
                    let approvals = self.counting(&mut filed, &digest)?;
                    Run { reports: self.judged_by_stages(&prepared, &approvals)?, digest, prepared }
                }
                // The sectors are no longer what it can be carried out against.
                Err(error) => {
                    let reports = asked.changes.iter().map(|change| unfit(id, &change.sector, &error)).collect();
                    Run { prepared: Vec::new(), digest: [0; 32], reports }
                }
            };
            let _turn = governance.turn();
            let mut moved = (governance.generation(), self.versions_beside()?) != seen;
            moved |= self.find::<Filed>(PROPOSAL, id)?.revision != revision;
            for one in &run.prepared {
                moved |= !one.is_current()?;
            }
            if moved {
                continue;
            }
            match self.conclude(filed, run, enact_by) {
                // Something that only the promotion sees, such as a key that a program holds since.
                Err(error) if matches!(error.status(), Status::Ungoverned | Status::Incompatible) => continue,
                concluded => {
                    if concluded.as_ref().is_ok_and(|proposal| proposal.due_ns().is_some()) {
                        self.look_after();
                    }
                    return concluded;
                }
            }
        }
        self.proposal(id)
    }

    /// The current version of every sector, where what holds across sectors is looked at: then a change of another sector counts as well.
    fn versions_beside(&self) -> Result<Vec<u64>, Error> {
        if self.inner.governance.hooks().invariants.is_empty() {
            return Ok(Vec::new());
        }
        Ok(self.sectors()?.into_iter().map(|sector| sector.version).collect())
    }

    /// Records what a run gave, and enacts the proposal where it can be. Under the governance lock.
    fn conclude(&self, mut filed: Filed, run: Run, enact_by: Option<&str>) -> Result<Proposal, Error> {
        let (time_ns, proposal) = (self.now_ns(), &mut filed.proposal);
        let before = proposal.state;
        proposal.reports = run.reports;
        proposal.run_ns = Some(time_ns);
        if !run.prepared.is_empty() {
            proposal.digest = hex(&run.digest);
            for (change, one) in proposal.changes.iter_mut().zip(&run.prepared) {
                *change = Proposed { content: change.content.clone(), ..proposed(one) };
            }
        }
        proposal.state = match proposal.verdict() {
            Some(Verdict::Passed) if !run.prepared.is_empty() => State::Passed,
            Some(Verdict::Waiting) => State::Waiting,
            _ => State::Refused,
        };
        let due = proposal.at_ns.is_none_or(|at| at <= time_ns);
        let wanted = proposal.state == State::Passed && due && (proposal.enact || enact_by.is_some());
        let generated = proposal.receipts.first().cloned();
        let entries: Vec<Entry> = validations(proposal, &run.prepared, generated, time_ns);
        let receipts = self.keep_proposal(entries, &mut filed)?;
        self.track_violations(&filed.proposal, &run.prepared)?;
        tracing::info!(name: "knhk.govern.validated", proposal = filed.proposal.id, before = before.as_str(),
            state = filed.proposal.state.as_str(), "proposal");
        if !wanted {
            return Ok(filed.proposal);
        }
        let keys = self.durable()?.history.ledger().keys()?;
        let mut changes = Vec::with_capacity(run.prepared.len());
        for (one, receipt) in run.prepared.iter().zip(&receipts) {
            let passed = Passed::from_receipt(&receipt.statement, &keys)?;
            changes.push((one.sector.clone(), one.content(), passed));
        }
        let proposal = &filed.proposal;
        let origin = Origin {
            by: proposal.by.clone(),
            why: proposal.why.clone(),
            major: proposal.major,
            merges: proposal.merges,
            depends: proposal.depends.clone(),
        };
        let versions = self.promote_passed(changes, origin)?;
        self.inner.governance.moved();
        for (version, one) in versions.iter().zip(&run.prepared) {
            let change = PastChange { time_ns: version.time_ns, names: one.candidate.touched() as u64 };
            self.inner.governance.became_current(&one.candidate.sector, change);
        }
        let enacted = versions.iter().zip(&run.prepared).map(|(version, one)| EnactedVersion {
            sector: one.candidate.sector.clone(),
            version: VersionEntry::from(version),
        });
        self.enacted(filed, enacted.collect(), enact_by)
    }

    /// The approvals that count of a proposal as it is now. What was said of other content does not.
    fn counting(&self, filed: &mut Filed, digest: &[u8; 32]) -> Result<Vec<Approved>, Error> {
        let now_ns = self.now_ns();
        if filed.tally.as_ref().is_none_or(|tally| tally.matter.digest != *digest) {
            filed.tally = Some(Tally::new(self.matter_of(&filed.proposal, *digest)?));
        }
        let approved = match &filed.tally {
            Some(tally) => tally.approved(&self.approvers_or_nobody()?, now_ns),
            None => Vec::new(),
        };
        filed.proposal.approvals = approved.iter().map(Into::into).collect();
        Ok(approved)
    }

    /// Notes that a proposal is current. Where that cannot be kept, the next open finds it out by the versions' receipts.
    pub(super) fn enacted(
        &self,
        mut filed: Filed,
        versions: Vec<EnactedVersion>,
        by: Option<&str>,
    ) -> Result<Proposal, Error> {
        let proposal = &mut filed.proposal;
        proposal.state = State::Enacted;
        proposal.receipts.extend(versions.iter().filter_map(|one| one.version.receipt.clone()));
        proposal.versions = versions;
        if let Some(by) = by {
            proposal.closed = Some(Closed { by: by.into(), why: "enacted".into(), time_ns: self.now_ns() });
        }
        if let Err(error) = self.keep_proposal(Vec::new(), &mut filed) {
            tracing::warn!(proposal = filed.proposal.id, %error, "a proposal is current, and that could not be noted");
        }
        Ok(filed.proposal)
    }

    /// Keeps a proposal together with receipts, which it names.
    pub(super) fn keep_proposal(
        &self,
        entries: Vec<Entry>,
        filed: &mut Filed,
    ) -> Result<Vec<knhk_ledger::Appended>, Error> {
        filed.proposal.said = filed.proposal.describe();
        let (id, sector) = (filed.proposal.id.clone(), only_sector(&filed.proposal).map(str::to_owned));
        let open = filed.proposal.state.is_open();
        let kept = Kept { kind: PROPOSAL, id: &id, sector: sector.as_deref(), open };
        self.keep(entries, |appended| {
            filed.proposal.receipts.extend(appended.iter().map(|one| one.id.clone()));
            vec![(kept, serialized(filed))]
        })
    }
}

/// The sector, where a proposal changes one alone.
pub(super) fn only_sector(proposal: &Proposal) -> Option<&str> {
    match proposal.changes.as_slice() {
        [one] => Some(&one.sector),
        _ => None,
    }
}

fn proposed(one: &Prepared) -> Proposed {
    let candidate = &one.candidate;
    Proposed {
        sector: candidate.sector.clone(),
        content: crate::control::Content::Values(Vec::new()),
        base_version: candidate.base_version,
        snapshot_id: hex(&candidate.snapshot.id()),
        digest: hex(&candidate.digest),
        differences: candidate.differences.iter().cloned().map(Item::from).collect(),
    }
}

/// What stands in the place of a run where there is nothing to run: the change does not fit the sector any more.
fn unfit(proposal: &str, sector: &str, error: &Error) -> Report {
    let finding = Finding {
        severity: Severity::Blocker,
        item: if error.item().is_empty() { format!("sector {sector}") } else { error.item().into() },
        what: error.message().into(),
        fix: "propose the change anew, against the sector as it is now".into(),
    };
    let stage = StageReport {
        stage: Stage::Schema,
        verdict: Verdict::Refused,
        findings: vec![finding],
        needs: Vec::new(),
        evidence: serde_json::Value::Null,
        duration_ns: 0,
    };
    Report {
        proposal: proposal.into(),
        sector: sector.into(),
        verdict: Verdict::Refused,
        stages: vec![stage],
        duration_ns: 0,
    }
}

/// A receipt of each sector's validation, in the sectors' order, and then one of each invariant that did not hold.
fn validations(proposal: &Proposal, prepared: &[Prepared], generated: Option<String>, time_ns: u64) -> Vec<Entry> {
    let links: Vec<String> = generated.into_iter().collect();
    let mut entries = Vec::new();
    for (report, one) in proposal.reports.iter().zip(prepared) {
        let before = (one.candidate.base_version > 0).then(|| one.candidate.base.id());
        let evidence = Evidence::ValidationExecuted {
            proposal: Some(proposal.id.clone()),
            snapshot: one.candidate.snapshot.id(),
            before,
            stages: report
                .stages
                .iter()
                .map(|stage| format!("{}: {}", stage.stage.as_str(), verdict(stage.verdict)))
                .collect(),
            duration_ns: report.duration_ns,
        };
        let outcome = match report.verdict {
            Verdict::Passed => Outcome::Approved,
            Verdict::Waiting => Outcome::Pending,
            Verdict::Refused => Outcome::Rejected,
        };
        entries.push(Entry { links: links.clone(), ..entry(time_ns, Some(&report.sector), outcome, evidence) });
    }
    for report in &proposal.reports {
        let broken = report.stages.iter().filter(|stage| stage.stage == Stage::Invariants);
        let broken = broken.flat_map(|stage| &stage.findings).filter(|finding| finding.severity == Severity::Blocker);
        for finding in broken {
            let evidence = Evidence::InvariantViolated {
                invariant: finding.item.clone(),
                item: proposal.id.clone(),
                detail: finding.what.clone(),
            };
            let violated = entry(time_ns, Some(&report.sector), Outcome::Rejected, evidence);
            entries.push(Entry { links: links.clone(), ..violated });
        }
    }
    entries
}

fn verdict(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Passed => "passed",
        Verdict::Waiting => "waiting",
        Verdict::Refused => "refused",
    }
}
