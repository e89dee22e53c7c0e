//! Asking for a plan: one proposer after the other, until one knows a plan that may be. The rules and the search answer at once; whoever else is
//! asked answers in a later turn, and it is gone on from there.

use knhk_autonomic::Pattern;
use knhk_autonomic::plan::{Plan, Proposer, Question};
use serde::{Deserialize, Serialize};

use super::journal::{Answer, Planned, Said, digest_text};
use super::mind::{Asking, Mind};
use super::{CycleOutcome, Settings, When};
use crate::Error;

const HOUR: u64 = 3600 * 1_000_000_000;
/// Examples that a question shows.
const EXAMPLES: usize = 6;

/// What comes of asking.
pub(super) enum Next {
    /// There is a plan, or nobody knows one.
    Decided(Planned),
    /// Somebody is asked.
    Asked(Inquiry),
}

/// Who is asked, and who was before.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Inquiry {
    proposer: String,
    /// Its place among the proposers.
    place: usize,
    /// SHA-256 of the question's JSON, in hexadecimal digits.
    question: String,
    /// What the others said who were asked before, a sentence each.
    tried: Vec<String>,
}

impl Inquiry {
    /// Whether an answer is one to this question.
    pub(super) fn is_of(&self, answer: &Answer) -> bool {
        (&self.proposer, &self.question) == (&answer.proposer, &answer.question)
    }

    /// As it is decided.
    pub(super) fn planned(&self) -> Planned {
        Planned {
            question: Some(self.question.clone()),
            proposer: Some(self.proposer.clone()),
            plan: None,
            enact: false,
            outcome: None,
            said: format!("{} is asked", self.proposer),
        }
    }
}

impl Mind {
    /// Asks for a plan for a cycle; `given`: goes on from what somebody answered.
    pub(super) fn plan(
        &mut self,
        cycle: &str,
        pattern: &Pattern,
        given: Option<(Inquiry, Answer)>,
        settings: &Settings,
        moment_ns: u64,
        asking: &mut dyn Asking,
    ) -> Result<Next, Error> {
        let sector = &pattern.sector;
        let plans = self.memory.plans.entry(sector.clone()).or_default();
        plans.retain(|&at| at > moment_ns.saturating_sub(HOUR));
        if given.is_none() {
            // None is asked for where it could not be used. Nothing else of the sector is planned until the answer is there.
            if plans.len() >= settings.changes_per_hour as usize {
                let said = format!(
                    "changes_per_hour: {} plans for sector {sector} within the hour are as many as are allowed",
                    plans.len()
                );
                return Ok(Next::Decided(without(CycleOutcome::Refused, None, said)));
            }
            asking.planning(sector, When::Before);
        }
        let next = self.ask(cycle, pattern, given, settings, asking)?;
        if let Next::Decided(_) = next {
            asking.planning(sector, When::After);
        }
        Ok(next)
    }

    fn ask(
        &self,
        cycle: &str,
        pattern: &Pattern,
        given: Option<(Inquiry, Answer)>,
        settings: &Settings,
        asking: &mut dyn Asking,
    ) -> Result<Next, Error> {
        // What holds now: since somebody was asked, it may have changed.
        let question = self.question(pattern, settings, asking)?;
        let (mut tried, mut from) = (Vec::new(), 0);
        if let Some((inquiry, answer)) = given {
            (tried, from) = (inquiry.tried, inquiry.place + 1);
            let planned = self.judge(&question, &answer.question, &answer.proposer, answer.said, settings, &mut tried);
            if let Some(planned) = planned {
                return Ok(Next::Decided(planned));
            }
        }
        let hash = digest_text(
            &serde_json::to_vec(&question).expect("a question has text for keys, and numbers that JSON knows"),
        );
        for (place, proposer) in settings.proposers.iter().enumerate().skip(from) {
            let said = match proposer.as_str() {
                "rule" => self.rules_say(&question),
                name => asking.answer(cycle, name, &question)?.said,
            };
            if said == Said::Asked {
                return Ok(Next::Asked(Inquiry { proposer: proposer.clone(), place, question: hash, tried }));
            }
            if let Some(planned) = self.judge(&question, &hash, proposer, said, settings, &mut tried) {
                return Ok(Next::Decided(planned));
            }
        }
        let said = if tried.is_empty() { "there is nobody to ask for a plan".into() } else { tried.join("; ") };
        Ok(Next::Decided(without(CycleOutcome::NoPlan, Some(hash), said)))
    }

    fn question(&self, pattern: &Pattern, settings: &Settings, asking: &mut dyn Asking) -> Result<Question, Error> {
        let ground = asking.ground(&pattern.sector)?;
        let mut parameters = ground.parameters;
        for parameter in &mut parameters {
            parameter.step = Some(parameter.step.map_or(settings.step, |step| step.min(settings.step)));
        }
        Ok(Question {
            pattern: pattern.clone(),
            parameters,
            doctrine: ground.doctrine,
            guards: ground.guards,
            invariants: ground.invariants,
            examples: self.memory.knowledge.examples(&pattern.sector, &pattern.watch, EXAMPLES),
            refusals: self.memory.knowledge.refusals(),
        })
    }

    fn rules_say(&self, question: &Question) -> Said {
        let known = self.sectors.get(&question.pattern.sector);
        match known.map(|known| known.declared().remedies.propose(question)) {
            Some(Ok(Some(plan))) => Said::Plan(plan),
            Some(Err(error)) => Said::Failed(error.why),
            _ => Said::Nothing,
        }
    }

    /// What follows from what a proposer said; where nothing does, that is noted.
    fn judge(
        &self,
        question: &Question,
        hash: &str,
        proposer: &str,
        said: Said,
        settings: &Settings,
        tried: &mut Vec<String>,
    ) -> Option<Planned> {
        let plan = match said {
            Said::Plan(plan) => plan,
            Said::Nothing => {
                tried.push(format!("{proposer} knows nothing to do"));
                return None;
            }
            Said::Failed(why) => {
                tried.push(format!("{proposer}: {why}"));
                return None;
            }
            Said::Asked | Said::Absent => return None,
        };
        if let Err(flaws) = plan.check(&question.parameters) {
            let flaws: Vec<_> = flaws.iter().map(ToString::to_string).collect();
            tried.push(format!("{proposer} says what it may not: {}", flaws.join("; ")));
            return None;
        }
        if self.memory.knowledge.was_refused_last(&question.pattern, &plan, HOUR) {
            tried.push(format!("{proposer} says what was refused the last time"));
            return None;
        }
        let confirms = settings.confirm_above.is_some_and(|above| moves_more(question, &plan, above));
        let said = if confirms {
            format!("{proposer}: {} (it moves more than confirm_above, and waits for a person)", plan.why)
        } else {
            format!("{proposer}: {}", plan.why)
        };
        Some(Planned {
            question: Some(hash.into()),
            proposer: Some(proposer.into()),
            plan: Some(plan),
            enact: !confirms,
            outcome: None,
            said,
        })
    }
}

/// What follows where there is no plan.
fn without(outcome: CycleOutcome, question: Option<String>, said: String) -> Planned {
    Planned { question, proposer: None, plan: None, enact: false, outcome: Some(outcome), said }
}

/// Whether a plan moves a value by more than a share of it, or changes what is no number.
fn moves_more(question: &Question, plan: &Plan, above: f64) -> bool {
    plan.changes.iter().any(|change| {
        let parameter = question.parameters.iter().find(|parameter| parameter.path == change.path);
        let before = parameter.and_then(|parameter| parameter.value.as_f64());
        match (before, change.value.as_f64()) {
            (Some(before), Some(after)) => (after - before).abs() > above * before.abs(),
            _ => true,
        }
    })
}
