//! Carries proposals: a run through the stages, and what comes of it.
//!
//! What is promoted is exactly what was validated, on exactly what it was validated against. A run takes no lock. Its outcome counts only where,
//! under the governance lock, nothing that it rests on has changed since: the sectors' versions, doctrine, guards, approvers, relaxations, and
//! the proposal itself; otherwise it is run again. The promotion then takes a token made from the run's signed receipt, which names the content
//! before and after, and which the sector checks under its own lock.

use knhk_governance::approval::{Approved, Tally};
use knhk_governance::{Finding, PastChange, Report, Severity, Stage, StageReport, Verdict};
use knhk_ledger::{Entry, Evidence, Outcome};
use knhk_promotion::{Origin, Passed};

use super::book::{PROPOSAL, entry};
use super::candidate::{Prepared, request_digest};
use super::life::{Filed, proposed};
use super::{Closed, EnactedVersion, Proposal, Proposed, State, Watch};
use crate::control::{VersionEntry, hex};
use crate::{Engine, Error, Status};

/// Runs before a proposal whose ground keeps moving is left for later.
const ATTEMPTS: usize = 8;

/// What a run gave.
struct Run {
    prepared: Vec<Prepared>,
    digest: [u8; 32],
    reports: Vec<Report>,
}

impl Engine {
    /// Runs a proposal, and enacts it where it can be and it, or `enact_by`, asks for that.
    pub(super) fn carry(
        &self,
        id: &str,
        mut given: Option<Vec<Prepared>>,
        enact_by: Option<&str>,
        watch: Watch<'_>,
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
                    Run { reports: self.judged_by_stages(&prepared, &approvals, watch)?, digest, prepared }
                }
                // The sectors are no longer what it can be carried out against.
                Err(error) if is_of_the_change(error.status()) => {
                    let reports = asked.changes.iter().map(|change| unfit(id, &change.sector, &error)).collect();
                    Run { prepared: Vec::new(), digest: [0; 32], reports }
                }
                Err(error) => return Err(error),
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
}

/// Whether an error says that the change does not fit, and not that something is in the way now.
fn is_of_the_change(status: Status) -> bool {
    use Status::{Conflict, Document, InvalidArgument, Limit, NotFound};
    matches!(status, Conflict | Document | InvalidArgument | Limit | NotFound)
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
                .map(|stage| format!("{}: {}", stage.stage.as_str(), stage.verdict.as_str()))
                .collect(),
            duration_ns: report.duration_ns,
        };
        let outcome = match report.verdict {
            Verdict::Passed => Outcome::Approved,
            Verdict::Waiting => Outcome::Pending,
            Verdict::NotJudged | Verdict::Refused => Outcome::Rejected,
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
