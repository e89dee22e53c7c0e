//! What the loop decides, and what it decides by: a function of what it is given, with no clock, no disk and no thread of its own.
//!
//! The engine gives a [`Mind`] the sectors' declarations, the records of each segment and the moment, and takes its decisions; what nobody can
//! compute again (what a callback or a model says, which rules are in force) it asks for, so that the same decisions come of the same answers.

use std::collections::{BTreeMap, BTreeSet};

use knhk_autonomic::Pattern;
use knhk_autonomic::detect::Score;
use knhk_autonomic::knowledge::{self, Knowledge};
use knhk_autonomic::plan::{Plan, Question};
use knhk_autonomic::watch::{Declared, Sample};
use knhk_observation::Record;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::journal::{Answer, Decision, Event, Ground};
use super::known::{Declaration, KeptSector, Known};
use super::planning::{Inquiry, Next};
use super::{CycleOutcome, ForecastStatus, Settings, WatchStatus, When};
use crate::{Error, Status};

const SECOND: u64 = 1_000_000_000;

/// What is asked of others.
pub(crate) trait Asking {
    /// What a detector by callback says of a sample of a watch.
    fn score(&mut self, sector: &str, watch: &str, detector: &str, sample: &Sample) -> Result<Option<Score>, Error>;
    /// What a plan for a sector can rest on.
    fn ground(&mut self, sector: &str) -> Result<Ground, Error>;
    /// What a proposer other than the rules answers to what is asked for a cycle, or that it does so later.
    fn answer(&mut self, cycle: &str, proposer: &str, question: &Question) -> Result<Answer, Error>;
    /// The receipts of segments.
    fn evidence(&mut self, segments: &[u64]) -> Result<Vec<String>, Error>;
    /// Hears that proposers are going to be asked, or that all that were asked have answered.
    fn planning(&mut self, _sector: &str, _when: When) {}
}

/// The loop's memory.
#[derive(Default)]
pub(crate) struct Mind {
    pub(super) sectors: BTreeMap<String, Known>,
    pub(super) memory: Memory,
}

/// What does not depend on declarations.
#[derive(Clone, Default, Serialize, Deserialize)]
pub(super) struct Memory {
    pub(super) knowledge: Knowledge,
    /// The last numbers given out.
    cycles: u64,
    patterns: u64,
    /// Cycles of which something can still come, by name.
    open: BTreeMap<String, Open>,
    /// Cycles for which somebody is asked, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    asked: BTreeMap<String, Asked>,
    /// When the last cycle of a watch ended, by sector and watch.
    ended: BTreeMap<String, u64>,
    /// Watches that are to tell anew of what lasts, once their sector is free: sector and watch.
    told: BTreeSet<(String, String)>,
    /// When plans of a sector were made, within the hour.
    pub(super) plans: BTreeMap<String, Vec<u64>>,
}

#[derive(Clone, Serialize, Deserialize)]
struct Open {
    pattern: Pattern,
    proposer: String,
    plan: Plan,
    /// Whether it lacks an approval, a person or its time: then others may go on meanwhile.
    waiting: bool,
}

/// A pattern, and who is asked for a plan about it.
#[derive(Clone, Serialize, Deserialize)]
struct Asked {
    /// The pattern's name.
    id: String,
    pattern: Pattern,
    inquiry: Inquiry,
    /// What came back.
    answer: Option<Answer>,
}

/// A mind as it is kept.
#[derive(Serialize, Deserialize)]
struct Kept {
    sectors: BTreeMap<String, KeptSector>,
    memory: Memory,
}

impl Mind {
    /// A mind as it was kept. `declaration` gives what a version of a sector declares; a sector of which it gives none begins anew, and so does
    /// a watch whose state cannot be read.
    pub fn from_state(
        state: &Value,
        mut declaration: impl FnMut(&str, u64) -> Result<Option<Declaration>, Error>,
    ) -> Result<Mind, Error> {
        let kept: Kept = Kept::deserialize(state).map_err(|error| {
            let message =
                format!("the loop's state cannot be read ({error}): a newer library wrote it, or the store is damaged");
            Error::new(Status::Corrupt, "loop", "", message)
        })?;
        let mut sectors = BTreeMap::new();
        for (name, kept) in kept.sectors {
            if let Some(declaration) = declaration(&name, kept.version)? {
                sectors.insert(name.clone(), Known::restore(&name, kept, declaration));
            }
        }
        Ok(Mind { sectors, memory: kept.memory })
    }

    /// What it takes to go on later.
    pub fn state(&self) -> Value {
        let sectors = self.sectors.iter().map(|(name, known)| (name.clone(), known.state()));
        let kept = Kept { sectors: sectors.collect(), memory: self.memory.clone() };
        serde_json::to_value(kept).expect("a mind has text for keys, and numbers that JSON knows")
    }

    /// The version of a sector that it knows; 0 for none.
    pub fn version(&self, sector: &str) -> u64 {
        self.sectors.get(sector).map_or(0, Known::version)
    }

    /// Whether a sector declares watches.
    pub fn watches(&self, sector: &str) -> bool {
        self.sectors.get(sector).is_some_and(Known::watches)
    }

    /// The sectors that it knows, and what each declares.
    pub fn declared(&self) -> impl Iterator<Item = (&str, &Declared)> {
        self.sectors.iter().map(|(name, known)| (name.as_str(), known.declared()))
    }

    /// Takes up what a sector declares now. What is watched as before goes on as before.
    pub fn learn(&mut self, sector: &str, declaration: Declaration, moment_ns: u64) {
        let known = self.sectors.entry(sector.into()).or_insert_with(|| Known::empty(declaration.version));
        known.learn(sector, declaration, moment_ns);
    }

    /// Takes up the records of a segment.
    pub fn take(&mut self, sector: &str, segment: u64, records: &[Record], moment_ns: u64) {
        if let Some(known) = self.sectors.get_mut(sector) {
            known.take(segment, records, moment_ns);
        }
    }

    /// Takes up what happened beside the turns.
    pub fn happened(&mut self, event: &Event) {
        let memory = &mut self.memory;
        match event {
            Event::Waiting { cycle } => memory.open.get_mut(cycle).into_iter().for_each(|open| open.waiting = true),
            Event::Watching { cycle } => memory.open.get_mut(cycle).into_iter().for_each(|open| open.waiting = false),
            Event::Answered { cycle, answer } => {
                let asked = memory.asked.get_mut(cycle).filter(|asked| asked.inquiry.is_of(answer));
                asked.into_iter().for_each(|asked| asked.answer = Some(answer.clone()));
            }
            Event::Imported { knowledge } => memory.knowledge.import((**knowledge).clone()),
            Event::Ended { cycle, at_ns, outcome, said, refused } => {
                if let Some(Asked { pattern, .. }) = memory.asked.remove(cycle) {
                    memory.ended.insert(key(&pattern.sector, &pattern.watch), *at_ns);
                    memory.told.insert((pattern.sector, pattern.watch));
                }
                let Some(Open { pattern, proposer, plan, .. }) = memory.open.remove(cycle) else { return };
                memory.ended.insert(key(&pattern.sector, &pattern.watch), *at_ns);
                let learned = match outcome {
                    CycleOutcome::Kept => Some(knowledge::Outcome::Kept),
                    CycleOutcome::RolledBack => Some(knowledge::Outcome::RolledBack(said.clone())),
                    CycleOutcome::Refused => Some(knowledge::Outcome::Refused(refused.clone())),
                    CycleOutcome::NoPlan | CycleOutcome::Superseded | CycleOutcome::Interrupted => None,
                };
                if let Some(outcome) = learned {
                    memory.knowledge.learn(&pattern, &proposer, &plan, &outcome);
                }
                // What is still there after a change was made is worth another look; what was refused would be again.
                if *outcome != CycleOutcome::Refused {
                    memory.told.insert((pattern.sector, pattern.watch));
                }
            }
        }
    }

    /// The cycles of which something can still come.
    pub fn open(&self) -> Vec<String> {
        self.memory.open.keys().chain(self.memory.asked.keys()).cloned().collect()
    }

    /// What was learned.
    pub fn knowledge(&self) -> &Knowledge {
        &self.memory.knowledge
    }

    /// The watches at work, and what is foretold of each.
    pub fn status(&self) -> (Vec<WatchStatus>, Vec<ForecastStatus>) {
        self.sectors.iter().flat_map(|(sector, known)| known.status(sector)).unzip()
    }

    /// Closes the samples up to a moment, and decides what follows from what is found in them.
    ///
    /// # Errors
    /// What an answer could not be had for; the mind is to be thrown away then.
    pub fn decide(
        &mut self,
        settings: &Settings,
        moment_ns: u64,
        resumes: bool,
        asking: &mut dyn Asking,
    ) -> Result<Vec<Decision>, Error> {
        self.tell_anew(settings, moment_ns);
        let answered = self.memory.asked.iter().filter(|(_, asked)| asked.answer.is_some());
        let answered: Vec<String> = answered.map(|(cycle, _)| cycle.clone()).collect();
        let mut decisions = Vec::new();
        for cycle in answered {
            decisions.extend(self.go_on(cycle, settings, moment_ns, asking)?);
        }
        let mut found = Vec::new();
        for (name, known) in &mut self.sectors {
            known.look(name, moment_ns, resumes, asking, &mut found)?;
        }
        for pattern in found {
            decisions.push(self.decide_on(pattern, settings, moment_ns, asking)?);
        }
        Ok(decisions)
    }

    /// Has watches that wait for it tell anew of what lasts.
    fn tell_anew(&mut self, settings: &Settings, moment_ns: u64) {
        let mut told = std::mem::take(&mut self.memory.told);
        told.retain(|(sector, watch)| {
            if self.memory.is_busy(sector) || self.memory.is_cooling(sector, watch, settings, moment_ns) {
                return true;
            }
            self.sectors.get_mut(sector).into_iter().for_each(|known| known.rearm(watch));
            false
        });
        self.memory.told = told;
    }

    fn decide_on(
        &mut self,
        pattern: Pattern,
        settings: &Settings,
        moment_ns: u64,
        asking: &mut dyn Asking,
    ) -> Result<Decision, Error> {
        let memory = &mut self.memory;
        memory.patterns += 1;
        let id = format!("f-{}", memory.patterns);
        if let Some(cycle) = memory.cycle_of(&pattern) {
            return Ok(Decision { id, late: false, cycle: Some(cycle), pattern, planned: None });
        }
        let (sector, watch) = (&pattern.sector, &pattern.watch);
        if memory.is_busy(sector) || memory.is_cooling(sector, watch, settings, moment_ns) {
            memory.told.insert((sector.clone(), watch.clone()));
            return Ok(Decision { id, late: false, cycle: None, pattern, planned: None });
        }
        memory.cycles += 1;
        let cycle = format!("l-{}", memory.cycles);
        let next = self.plan(&cycle, &pattern, None, settings, moment_ns, asking)?;
        Ok(self.decided(Decision { id, late: false, cycle: Some(cycle), pattern, planned: None }, next, moment_ns))
    }

    /// Decides by what was answered for a cycle.
    fn go_on(
        &mut self,
        cycle: String,
        settings: &Settings,
        moment_ns: u64,
        asking: &mut dyn Asking,
    ) -> Result<Option<Decision>, Error> {
        let Some(Asked { id, pattern, inquiry, answer: Some(answer) }) = self.memory.asked.remove(&cycle) else {
            return Ok(None);
        };
        let next = self.plan(&cycle, &pattern, Some((inquiry, answer)), settings, moment_ns, asking)?;
        let decision = Decision { id, late: true, cycle: Some(cycle), pattern, planned: None };
        Ok(Some(self.decided(decision, next, moment_ns)))
    }

    /// The decision with what follows, which is remembered.
    fn decided(&mut self, decision: Decision, next: Next, moment_ns: u64) -> Decision {
        let (Decision { id, pattern, .. }, memory) = (&decision, &mut self.memory);
        let cycle = decision.cycle.clone().unwrap_or_default();
        let planned = match next {
            Next::Decided(planned) => planned,
            Next::Asked(inquiry) => {
                let planned = inquiry.planned();
                let asked = Asked { id: id.clone(), pattern: pattern.clone(), inquiry, answer: None };
                memory.asked.insert(cycle, asked);
                return Decision { planned: Some(planned), ..decision };
            }
        };
        match (&planned.plan, &planned.proposer) {
            (Some(plan), Some(proposer)) => {
                let (plan, proposer) = (plan.clone(), proposer.clone());
                memory.open.insert(cycle, Open { pattern: pattern.clone(), proposer, plan, waiting: false });
                memory.plans.entry(pattern.sector.clone()).or_default().push(moment_ns);
            }
            _ => _ = memory.ended.insert(key(&pattern.sector, &pattern.watch), moment_ns),
        }
        Decision { planned: Some(planned), ..decision }
    }
}

impl Memory {
    /// The cycle that a pattern belongs to.
    fn cycle_of(&self, pattern: &Pattern) -> Option<String> {
        let same = |own: &Pattern| (&own.sector, &own.watch) == (&pattern.sector, &pattern.watch);
        let open = self.open.iter().filter(|(_, open)| same(&open.pattern)).map(|(cycle, _)| cycle);
        let asked = self.asked.iter().filter(|(_, asked)| same(&asked.pattern)).map(|(cycle, _)| cycle);
        open.chain(asked).next().cloned()
    }

    /// Whether a change of a sector is on its way, or somebody is asked for one: two at once would say nothing of either.
    fn is_busy(&self, sector: &str) -> bool {
        self.open.values().any(|open| open.pattern.sector == sector && !open.waiting)
            || self.asked.values().any(|asked| asked.pattern.sector == sector)
    }

    fn is_cooling(&self, sector: &str, watch: &str, settings: &Settings, moment_ns: u64) -> bool {
        let pause = u64::from(settings.cooldown_s) * SECOND;
        self.ended.get(&key(sector, watch)).is_some_and(|&ended| moment_ns < ended.saturating_add(pause))
    }
}

fn key(sector: &str, watch: &str) -> String {
    format!("{sector}/{watch}")
}
