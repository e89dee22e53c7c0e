//! What follows from a decision: the plan is filed as a proposal, what becomes of it is followed, and a cycle ends.
//!
//! Each step is kept before the next one, so that a crash leaves a cycle at the step that was kept last: [`Engine::follow`] takes it up from there.
//! Whether a plan was filed already is told by the receipts, which link a proposal to its pattern.

use knhk_autonomic::plan::model::Transcript;
use knhk_governance::{Severity, Verdict};
use knhk_ledger::{Entry, Evidence, Outcome};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::counters::{PROMOTED, REFUSED, ROLLED_BACK};
use super::journal::{Decision, Event, Said, Turn};
use super::turn::Round;
use super::{Cycle, CycleOutcome, CycleState, Phase, When};
use crate::control::Content;
use crate::governance::book::{CYCLE, Kept, PROBATION, PROPOSAL, entry, serialized};
use crate::governance::{Basis, Probation, ProbationState, Proposal, Propose, State, Watch};
use crate::{Engine, Error, Status};

/// A cycle as it is kept.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Filed {
    pub cycle: Cycle,
    /// SHA-256 over the decision that began it.
    decision: [u8; 32],
    /// Whether its plan becomes current by itself.
    enact: bool,
    /// Where a model was asked.
    transcript: Option<Transcript>,
    /// The probation that its change is on.
    probation: Option<String>,
}

impl Filed {
    /// The cycle that a decision begins; none where it begins none.
    pub(super) fn of(decision: &Decision, turn: &Turn) -> Option<Filed> {
        decision.planned.as_ref()?;
        let cycle = Cycle {
            id: decision.cycle.clone()?,
            sector: decision.pattern.sector.clone(),
            state: CycleState::Detected,
            pattern: decision.pattern.clone(),
            patterns: vec![decision.id.clone()],
            proposer: None,
            question: None,
            plan: None,
            proposal: None,
            versions: Default::default(),
            outcome: None,
            said: String::new(),
            receipts: Vec::new(),
            started_ns: turn.moment_ns,
            ended_ns: None,
        };
        let begun = Filed { cycle, decision: [0; 32], enact: false, transcript: None, probation: None };
        Some(begun.with(decision, turn))
    }

    /// The same with what a decision about it says.
    pub(super) fn with(mut self, decision: &Decision, turn: &Turn) -> Filed {
        let Some(planned) = &decision.planned else { return self };
        let later = turn.events.iter().filter_map(|event| match event {
            Event::Answered { answer, .. } => Some(answer),
            _ => None,
        });
        let answer = later.chain(&turn.answers).find(|answer| {
            let own = (Some(&answer.question), Some(&answer.proposer));
            own == (planned.question.as_ref(), planned.proposer.as_ref()) && matches!(answer.said, Said::Plan(_))
        });
        let cycle = &mut self.cycle;
        cycle.state = match (&planned.plan, planned.outcome) {
            (_, Some(_)) => CycleState::Closed,
            (Some(_), None) => CycleState::Planned,
            (None, None) => CycleState::Detected,
        };
        (cycle.proposer, cycle.question) = (planned.proposer.clone(), planned.question.clone());
        (cycle.plan, cycle.outcome) = (planned.plan.clone(), planned.outcome);
        cycle.said.clone_from(&planned.said);
        cycle.ended_ns = planned.outcome.map(|_| turn.moment_ns);
        self.transcript = answer.and_then(|answer| answer.transcript.clone());
        (self.decision, self.enact) = (decision.digest(), planned.enact);
        self
    }

    /// The receipt that it ended.
    pub(super) fn completed(&self, now_ns: u64) -> Entry {
        let cycle = &self.cycle;
        let number = cycle.id.strip_prefix(CYCLE.prefix).and_then(|number| number.parse().ok());
        let evidence = Evidence::CycleCompleted {
            cycle: number.unwrap_or_default(),
            patterns: cycle.patterns.len() as u64,
            proposals: u64::from(cycle.proposal.is_some()),
            promoted: u64::from(!cycle.versions.is_empty()),
            duration_ns: now_ns.saturating_sub(cycle.started_ns),
            decision: Some(self.decision),
        };
        let outcome = match cycle.outcome {
            Some(CycleOutcome::Kept) => Outcome::Approved,
            _ => Outcome::Rejected,
        };
        Entry { links: cycle.receipts.clone(), ..entry(now_ns, Some(&cycle.sector), outcome, evidence) }
    }

    fn kept(&self) -> Kept<'_> {
        Kept { kind: CYCLE, id: &self.cycle.id, sector: Some(&self.cycle.sector), open: self.cycle.is_open() }
    }
}

impl Engine {
    /// Looks at what became of the cycles on their way; gives those of which something did.
    pub(super) fn follow(&self, round: &mut Round, turn: &Turn) -> Result<Vec<Cycle>, Error> {
        let mut touched = Vec::new();
        let open: Vec<Filed> = round.open.clone();
        for filed in open {
            let id = &filed.cycle.id;
            match (&filed.cycle.proposal, filed.cycle.state) {
                (Some(proposal), CycleState::Waiting) => {
                    let proposal = self.proposal(proposal)?;
                    if !proposal.state.is_open() {
                        self.took(round, id, &proposal, turn)?;
                    }
                }
                (Some(_), CycleState::Watching) => self.watched(round, id, turn)?,
                (None, CycleState::Detected) if self.inner.autonomic.asks.has(id) => {}
                (None, CycleState::Detected) => {
                    let whom = filed.cycle.proposer.as_deref().unwrap_or("somebody");
                    let said = format!("the loop ended while {whom} was asked; what lasts is found anew");
                    self.end(round, id, CycleOutcome::Interrupted, said, Vec::new(), turn)?;
                }
                // It was planned, and the process ended before what became of it was kept.
                _ => match self.filed_for(&filed)? {
                    Some(proposal) => self.took(round, id, &proposal, turn)?,
                    None => self.file_plan(round, id, turn)?,
                },
            }
            let now = self.cycle(id)?;
            if now != filed.cycle {
                touched.push(now);
            }
        }
        Ok(touched)
    }

    /// Files the plan of a cycle.
    pub(super) fn file_plan(&self, round: &mut Round, id: &str, turn: &Turn) -> Result<(), Error> {
        let Some(filed) = round.open.iter().find(|filed| filed.cycle.id == id).cloned() else { return Ok(()) };
        let (Some(plan), Some(proposer)) = (&filed.cycle.plan, &filed.cycle.proposer) else { return Ok(()) };
        self.tell(Phase::Execute, When::Before, turn, Some(&filed.cycle.sector), Some(&filed.cycle));
        let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let values = plan.changes.iter().map(|change| (change.path.clone(), text(&change.value))).collect();
        let asked = Propose {
            confidence: Some(plan.confidence),
            enact: filed.enact,
            ..Propose::of(&filed.cycle.sector, Content::Values(values), &format!("loop/{proposer}"), &plan.why)
        };
        let transcript = filed.transcript.as_ref();
        let basis = Basis {
            links: filed.cycle.receipts.clone(),
            prompt: transcript.map(|transcript| transcript.prompt),
            response: transcript.and_then(|transcript| transcript.response),
        };
        match self.propose_on(&asked, &basis, Watch::nobody()) {
            Ok(proposal) => self.took(round, id, &proposal, turn)?,
            Err(error) if is_of_the_plan(error.status()) => {
                let item = if error.item().is_empty() { filed.cycle.sector.clone() } else { error.item().into() };
                let (said, refused) = (format!("it cannot be proposed: {error}"), vec![(item, error.to_string())]);
                self.end(round, id, CycleOutcome::Refused, said, refused, turn)?;
            }
            Err(error) => return Err(error),
        }
        let now = self.cycle(id)?;
        self.tell(Phase::Execute, When::After, turn, Some(&now.sector), Some(&now));
        Ok(())
    }

    /// The proposal that the plan of a cycle became, where it was filed.
    fn filed_for(&self, filed: &Filed) -> Result<Option<Proposal>, Error> {
        let store = self.durable()?.store();
        // Newest first: it was among the last things that happened.
        for item in store.items(PROPOSAL.name, None, false)?.iter().rev() {
            if item.time_ns < filed.cycle.started_ns {
                continue;
            }
            let proposal = self.proposal(&item.id)?;
            let Some(first) = proposal.receipts.first() else { continue };
            if self.receipt(first)?.links.iter().any(|link| filed.cycle.receipts.contains(link)) {
                return Ok(Some(proposal));
            }
        }
        Ok(None)
    }

    /// Takes up how far a cycle's proposal is.
    fn took(&self, round: &mut Round, id: &str, proposal: &Proposal, turn: &Turn) -> Result<(), Error> {
        let Some(place) = round.open.iter().position(|filed| filed.cycle.id == id) else { return Ok(()) };
        let cycle = &mut round.open[place].cycle;
        cycle.proposal = Some(proposal.id.clone());
        let new: Vec<_> = proposal.receipts.iter().filter(|id| !cycle.receipts.contains(id)).cloned().collect();
        cycle.receipts.extend(new);
        match proposal.state {
            State::Enacted => {
                let versions = proposal.versions.iter().map(|one| (one.sector.clone(), one.version.version));
                cycle.versions = versions.collect();
                PROMOTED.add(1);
                let Some(probation) = self.probation_of(proposal)? else {
                    let said = format!("{} is current; the sector asks for no probation", proposal.id);
                    return self.end(round, id, CycleOutcome::Kept, said, Vec::new(), turn);
                };
                round.open[place].probation = Some(probation.id);
                self.set_state(round, place, CycleState::Watching, probation.said)?;
                round.happened(Event::Watching { cycle: id.into() });
                self.watched(round, id, turn)
            }
            State::Refused | State::Withdrawn => {
                let refused = refusals(proposal);
                let first = refused.first().map_or(String::new(), |(item, what)| format!(": {item}: {what}"));
                let said = format!("{} {}{first}", proposal.id, proposal.said);
                self.end(round, id, CycleOutcome::Refused, said, refused, turn)
            }
            _ => {
                self.set_state(round, place, CycleState::Waiting, format!("{} {}", proposal.id, proposal.said))?;
                round.happened(Event::Waiting { cycle: id.into() });
                Ok(())
            }
        }
    }

    /// The probation that a proposal's versions are on, or were.
    fn probation_of(&self, proposal: &Proposal) -> Result<Option<Probation>, Error> {
        let of = |probation: &Probation| {
            let mut versions = proposal.versions.iter();
            versions.any(|one| {
                let own = (one.sector.as_str(), one.version.version);
                probation.sectors.iter().any(|sector| (sector.sector.as_str(), sector.version) == own)
            })
        };
        let open = self.all::<Probation>(PROBATION, true)?.into_iter().find(of);
        match open {
            Some(probation) => Ok(Some(probation)),
            None => Ok(self.probations()?.into_iter().find(of)),
        }
    }

    /// Takes up how a cycle's probation stands.
    fn watched(&self, round: &mut Round, id: &str, turn: &Turn) -> Result<(), Error> {
        let Some(filed) = round.open.iter().find(|filed| filed.cycle.id == id) else { return Ok(()) };
        let Some(probation) = &filed.probation else { return Ok(()) };
        let probation = self.find::<Probation>(PROBATION, probation)?.body;
        let outcome = match probation.state {
            ProbationState::Watching | ProbationState::Held => return Ok(()),
            ProbationState::Passed | ProbationState::Kept => CycleOutcome::Kept,
            ProbationState::RolledBack => CycleOutcome::RolledBack,
            ProbationState::Superseded => CycleOutcome::Superseded,
        };
        let said = format!("probation {}: {}", probation.id, probation.said);
        self.end(round, id, outcome, said, Vec::new(), turn)
    }

    /// Keeps how far a cycle is.
    fn set_state(&self, round: &mut Round, place: usize, state: CycleState, said: String) -> Result<(), Error> {
        let filed = &mut round.open[place];
        (filed.cycle.state, filed.cycle.said) = (state, said);
        self.keep(Vec::new(), |_| vec![(filed.kept(), serialized(filed))]).map(drop)
    }

    /// Ends a cycle.
    pub(super) fn end(
        &self,
        round: &mut Round,
        id: &str,
        outcome: CycleOutcome,
        said: String,
        refused: Vec<(String, String)>,
        turn: &Turn,
    ) -> Result<(), Error> {
        let Some(place) = round.open.iter().position(|filed| filed.cycle.id == id) else { return Ok(()) };
        let mut filed = round.open[place].clone();
        self.tell(Phase::Learn, When::Before, turn, Some(&filed.cycle.sector), Some(&filed.cycle));
        let cycle = &mut filed.cycle;
        (cycle.state, cycle.outcome, cycle.ended_ns) = (CycleState::Closed, Some(outcome), Some(turn.moment_ns));
        cycle.said.clone_from(&said);
        let name = (cycle.id.clone(), cycle.sector.clone());
        let completed = filed.completed(turn.moment_ns);
        self.keep(vec![completed], |appended| {
            filed.cycle.receipts.extend(appended.iter().map(|receipt| receipt.id.clone()));
            vec![(Kept { kind: CYCLE, id: &name.0, sector: Some(&name.1), open: false }, serialized(&filed))]
        })?;
        match outcome {
            CycleOutcome::Refused => REFUSED.add(1),
            CycleOutcome::RolledBack => ROLLED_BACK.add(1),
            _ => {}
        }
        round.open.remove(place);
        let (cycle, at_ns) = (id.to_owned(), turn.moment_ns);
        round.happened(Event::Ended { cycle, at_ns, outcome, said, refused });
        self.tell(Phase::Learn, When::After, turn, Some(&filed.cycle.sector), Some(&filed.cycle));
        Ok(())
    }
}

/// What refused a proposal, item by item; whoever withdrew it.
fn refusals(proposal: &Proposal) -> Vec<(String, String)> {
    if let Some(closed) = proposal.closed.as_ref().filter(|_| proposal.state == State::Withdrawn) {
        return vec![(format!("person {}", closed.by), closed.why.clone())];
    }
    let stages = proposal.reports.iter().flat_map(|report| &report.stages);
    let refused = stages.filter(|stage| stage.verdict == Verdict::Refused).flat_map(|stage| &stage.findings);
    let blocking = refused.filter(|finding| finding.severity == Severity::Blocker);
    blocking.map(|finding| (finding.item.clone(), finding.what.clone())).collect()
}

/// Whether an error says that the plan cannot be carried out, and not that something is in the way now.
fn is_of_the_plan(status: Status) -> bool {
    use Status::{Conflict, Document, Incompatible, InvalidArgument, Limit, Nonconforming, NotFound, Ungoverned};
    matches!(
        status,
        Conflict | Document | Incompatible | InvalidArgument | Limit | Nonconforming | NotFound | Ungoverned
    )
}
