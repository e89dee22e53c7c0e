//! The life of a proposal: filed, run through the stages, enacted, withdrawn.

use knhk_governance::Report;
use knhk_governance::approval::Tally;
use knhk_ledger::{Entry, Evidence, Outcome};
use serde::{Deserialize, Serialize};

use super::book::{Kept, PROPOSAL, entry, serialized};
use super::candidate::{Prepared, request_digest};
use super::{Closed, Proposal, ProposalQuery, Propose, Proposed, State, Watch};
use crate::control::{Item, hex};
use crate::{Engine, Error, Status};

/// Proposals of a list, unless a query says otherwise.
const LISTED: usize = 100;

/// What a proposal rests on, as its receipt states it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Basis {
    /// Receipts of what was found before.
    pub links: Vec<String>,
    /// Where a model was asked: SHA-256 of the request's body, and of the answer's.
    pub prompt: Option<[u8; 32]>,
    pub response: Option<[u8; 32]>,
}

/// A proposal as it is kept.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Filed {
    pub proposal: Proposal,
    /// What approvers said of it as it was run last; none before.
    pub tally: Option<Tally>,
    /// Approvals as they were signed (COSE_Sign, base64), in the order of their recording.
    pub signed: Vec<String>,
}

impl Engine {
    /// Files a change and runs it through the seven stages. Where nothing speaks against it and nothing is missing it becomes current, unless
    /// it is asked otherwise. A change that a stage refuses is no error: it comes back as [`State::Refused`], with the reports.
    ///
    /// # Errors
    /// What is no change of the sectors as they are: `Document`, `Limit`, `Conflict`, `NotFound`, `InvalidArgument`; nothing was filed then.
    /// `NotFound` without a ledger, `Io` when it cannot be recorded.
    pub fn propose(&self, asked: &Propose) -> Result<Proposal, Error> {
        self.propose_watched(asked, Watch::nobody())
    }

    /// [`Engine::propose`] that tells how far it is, and may be stopped: a run that is stopped refuses, because stages did not judge.
    ///
    /// # Errors
    /// As [`Engine::propose`].
    pub fn propose_watched(&self, asked: &Propose, watch: Watch<'_>) -> Result<Proposal, Error> {
        self.propose_on(asked, &Basis::default(), watch)
    }

    /// [`Engine::propose_watched`], with what the change rests on for its receipt.
    pub(crate) fn propose_on(&self, asked: &Propose, basis: &Basis, watch: Watch<'_>) -> Result<Proposal, Error> {
        asked.check()?;
        self.recording()?;
        let time_ns = self.now_ns();
        let mut prepared = self.candidates("", asked, time_ns)?;
        let filed = {
            let _turn = self.inner.governance.turn();
            let id = self.next_id(PROPOSAL)?;
            prepared.iter_mut().for_each(|one| one.candidate.proposal = id.clone());
            self.file(id, (asked, basis), &prepared, time_ns)?
        };
        self.carry(&filed.proposal.id, Some(prepared), None, watch)
    }

    /// Runs a change through the seven stages as if it were proposed; nothing is filed and nothing changes. Gives what they say, sector by
    /// sector.
    ///
    /// # Errors
    /// As [`Engine::propose`].
    pub fn check(&self, asked: &Propose) -> Result<Vec<Report>, Error> {
        self.check_watched(asked, Watch::nobody())
    }

    /// [`Engine::check`] in the way of [`Engine::propose_watched`].
    ///
    /// # Errors
    /// As [`Engine::propose`].
    pub fn check_watched(&self, asked: &Propose, watch: Watch<'_>) -> Result<Vec<Report>, Error> {
        asked.check()?;
        self.checked()?;
        let prepared = self.candidates("", asked, self.now_ns())?;
        let reports = self.judged_by_stages(&prepared, &[], watch);
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
    /// As [`Engine::proposal`]; `NotFound` for a sector that is not there.
    pub fn proposals(&self, query: &ProposalQuery) -> Result<Vec<Proposal>, Error> {
        let number = |id: &str| id.strip_prefix(PROPOSAL.prefix).and_then(|number| number.parse::<u64>().ok());
        let before = query.before.as_deref().map(|id| {
            number(id)
                .ok_or_else(|| Error::new(Status::InvalidArgument, "govern", id, format!("{id:?} names no proposal")))
        });
        let before = before.transpose()?;
        query.sector.as_deref().map(|sector| self.sector(sector)).transpose()?;
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
        let proposal = self.carry(id, None, Some(by), Watch::nobody())?;
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

    fn file(
        &self,
        id: String,
        (asked, basis): (&Propose, &Basis),
        prepared: &[Prepared],
        time_ns: u64,
    ) -> Result<Filed, Error> {
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
            prompt: basis.prompt,
            response: basis.response,
        };
        let filing = entry(time_ns, only_sector(&filed.proposal), Outcome::Pending, evidence);
        let entries = vec![Entry { links: basis.links.clone(), ..filing }];
        self.keep_proposal(entries, &mut filed)?;
        Ok(filed)
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

pub(super) fn proposed(one: &Prepared) -> Proposed {
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
