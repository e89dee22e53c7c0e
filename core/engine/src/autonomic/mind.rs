//! What the loop decides, and what it decides by: a function of what it is given, with no clock, no disk and no thread of its own.
//!
//! The engine gives a [`Mind`] the sectors' declarations, the records of each segment and the moment, and takes its decisions; what nobody can
//! compute again (what a callback or a model says, which rules are in force) it asks for, so that the same decisions come of the same answers.

use std::collections::{BTreeMap, BTreeSet};

use knhk_autonomic::Pattern;
use knhk_autonomic::detect::Score;
use knhk_autonomic::knowledge::{self, Knowledge};
use knhk_autonomic::plan::{Plan, Proposer, Question};
use knhk_autonomic::watch::{Declared, Sample};
use knhk_observation::Record;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::journal::{Answer, Decision, Event, Ground, Planned, Said, digest_text};
use super::known::{Declaration, KeptSector, Known};
use super::{CycleOutcome, ForecastStatus, Settings, WatchStatus, When};
use crate::{Error, Status};

const SECOND: u64 = 1_000_000_000;
const HOUR: u64 = 3600 * SECOND;
/// Examples that a question shows.
const EXAMPLES: usize = 6;

/// What is asked of others.
pub(crate) trait Asking {
    /// What a detector by callback says of a sample of a watch.
    fn score(&mut self, sector: &str, watch: &str, detector: &str, sample: &Sample) -> Result<Option<Score>, Error>;
    /// What a plan for a sector can rest on.
    fn ground(&mut self, sector: &str) -> Result<Ground, Error>;
    /// What a proposer other than the rules answers.
    fn answer(&mut self, proposer: &str, question: &Question) -> Result<Answer, Error>;
    /// The receipts of segments.
    fn evidence(&mut self, segments: &[u64]) -> Result<Vec<String>, Error>;
    /// Hears that proposers are going to be asked, or were.
    fn planning(&mut self, _sector: &str, _when: When) {}
}

/// The loop's memory.
#[derive(Default)]
pub(crate) struct Mind {
    sectors: BTreeMap<String, Known>,
    memory: Memory,
}

/// What does not depend on declarations.
#[derive(Clone, Default, Serialize, Deserialize)]
struct Memory {
    knowledge: Knowledge,
    /// The last numbers given out.
    cycles: u64,
    patterns: u64,
    /// Cycles of which something can still come, by name.
    open: BTreeMap<String, Open>,
    /// When the last cycle of a watch ended, by sector and watch.
    ended: BTreeMap<String, u64>,
    /// Watches that are to tell anew of what lasts, once their sector is free: sector and watch.
    told: BTreeSet<(String, String)>,
    /// When plans of a sector were made, within the hour.
    plans: BTreeMap<String, Vec<u64>>,
}

#[derive(Clone, Serialize, Deserialize)]
struct Open {
    pattern: Pattern,
    proposer: String,
    plan: Plan,
    /// Whether it lacks an approval, a person or its time: then others may go on meanwhile.
    waiting: bool,
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
            Event::Imported { knowledge } => memory.knowledge.import((**knowledge).clone()),
            Event::Ended { cycle, at_ns, outcome, said, refused } => {
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
        self.memory.open.keys().cloned().collect()
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
        let mut found = Vec::new();
        for (name, known) in &mut self.sectors {
            known.look(name, moment_ns, resumes, asking, &mut found)?;
        }
        let decide = |pattern| self.decide_on(pattern, settings, moment_ns, asking);
        found.into_iter().map(decide).collect()
    }

    /// Has watches that wait for it tell anew of what lasts.
    fn tell_anew(&mut self, settings: &Settings, moment_ns: u64) {
        let memory = &mut self.memory;
        let open = &memory.open;
        let ended = &memory.ended;
        memory.told.retain(|(sector, watch)| {
            if is_busy(open, sector) || is_cooling(ended, sector, watch, settings, moment_ns) {
                return true;
            }
            self.sectors.get_mut(sector).into_iter().for_each(|known| known.rearm(watch));
            false
        });
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
        let same = |open: &Open| (&open.pattern.sector, &open.pattern.watch) == (&pattern.sector, &pattern.watch);
        if let Some((cycle, _)) = memory.open.iter().find(|(_, open)| same(open)) {
            return Ok(Decision { id, cycle: Some(cycle.clone()), pattern, planned: None });
        }
        let (sector, watch) = (pattern.sector.clone(), pattern.watch.clone());
        if is_busy(&memory.open, &sector) || is_cooling(&memory.ended, &sector, &watch, settings, moment_ns) {
            memory.told.insert((sector, watch));
            return Ok(Decision { id, cycle: None, pattern, planned: None });
        }
        memory.cycles += 1;
        let cycle = format!("l-{}", memory.cycles);
        let planned = self.plan(&pattern, settings, moment_ns, asking)?;
        let memory = &mut self.memory;
        match (&planned.plan, &planned.proposer) {
            (Some(plan), Some(proposer)) => {
                let (plan, proposer) = (plan.clone(), proposer.clone());
                let open = Open { pattern: pattern.clone(), proposer, plan, waiting: false };
                memory.open.insert(cycle.clone(), open);
                memory.plans.entry(sector).or_default().push(moment_ns);
            }
            _ => _ = memory.ended.insert(key(&sector, &watch), moment_ns),
        }
        Ok(Decision { id, pattern, cycle: Some(cycle), planned: Some(planned) })
    }

    /// Asks for a plan, one proposer after the other.
    fn plan(
        &mut self,
        pattern: &Pattern,
        settings: &Settings,
        moment_ns: u64,
        asking: &mut dyn Asking,
    ) -> Result<Planned, Error> {
        let sector = &pattern.sector;
        let plans = self.memory.plans.entry(sector.clone()).or_default();
        plans.retain(|&at| at > moment_ns.saturating_sub(HOUR));
        if plans.len() >= settings.changes_per_hour as usize {
            let said = format!(
                "changes_per_hour: {} plans for sector {sector} within the hour are as many as are allowed",
                plans.len()
            );
            return Ok(without(CycleOutcome::Refused, None, said));
        }
        asking.planning(sector, When::Before);
        let planned = self.ask(pattern, settings, asking);
        asking.planning(sector, When::After);
        planned
    }

    fn ask(&self, pattern: &Pattern, settings: &Settings, asking: &mut dyn Asking) -> Result<Planned, Error> {
        let sector = &pattern.sector;
        let ground = asking.ground(sector)?;
        let mut parameters = ground.parameters;
        for parameter in &mut parameters {
            parameter.step = Some(parameter.step.map_or(settings.step, |step| step.min(settings.step)));
        }
        let question = Question {
            pattern: pattern.clone(),
            parameters,
            doctrine: ground.doctrine,
            guards: ground.guards,
            invariants: ground.invariants,
            examples: self.memory.knowledge.examples(sector, &pattern.watch, EXAMPLES),
            refusals: self.memory.knowledge.refusals(),
        };
        let hash = digest_text(
            &serde_json::to_vec(&question).expect("a question has text for keys, and numbers that JSON knows"),
        );
        let mut tried: Vec<String> = Vec::new();
        for proposer in &settings.proposers {
            let said = match proposer.as_str() {
                "rule" => {
                    let remedies = self.sectors.get(sector).map(|known| known.declared().remedies.propose(&question));
                    match remedies {
                        Some(Ok(Some(plan))) => Said::Plan(plan),
                        Some(Err(error)) => Said::Failed(error.why),
                        _ => Said::Nothing,
                    }
                }
                name => asking.answer(name, &question)?.said,
            };
            let plan = match said {
                Said::Plan(plan) => plan,
                Said::Nothing => {
                    tried.push(format!("{proposer} knows nothing to do"));
                    continue;
                }
                Said::Failed(why) => {
                    tried.push(format!("{proposer}: {why}"));
                    continue;
                }
                Said::Absent => continue,
            };
            if let Err(flaws) = plan.check(&question.parameters) {
                let flaws: Vec<_> = flaws.iter().map(ToString::to_string).collect();
                tried.push(format!("{proposer} says what it may not: {}", flaws.join("; ")));
                continue;
            }
            if self.memory.knowledge.was_refused_last(pattern, &plan, HOUR) {
                tried.push(format!("{proposer} says what was refused the last time"));
                continue;
            }
            let confirms = settings.confirm_above.is_some_and(|above| moves_more(&question, &plan, above));
            let said = if confirms {
                format!("{proposer}: {} (it moves more than confirm_above, and waits for a person)", plan.why)
            } else {
                format!("{proposer}: {}", plan.why)
            };
            return Ok(Planned {
                question: Some(hash),
                proposer: Some(proposer.clone()),
                plan: Some(plan),
                enact: !confirms,
                outcome: None,
                said,
            });
        }
        let said = if tried.is_empty() { "there is nobody to ask for a plan".into() } else { tried.join("; ") };
        Ok(without(CycleOutcome::NoPlan, Some(hash), said))
    }
}

/// What follows where there is no plan.
fn without(outcome: CycleOutcome, question: Option<String>, said: String) -> Planned {
    Planned { question, proposer: None, plan: None, enact: false, outcome: Some(outcome), said }
}

fn key(sector: &str, watch: &str) -> String {
    format!("{sector}/{watch}")
}

/// Whether a change of a sector is on its way: two at once would say nothing of either.
fn is_busy(open: &BTreeMap<String, Open>, sector: &str) -> bool {
    open.values().any(|open| open.pattern.sector == sector && !open.waiting)
}

fn is_cooling(ended: &BTreeMap<String, u64>, sector: &str, watch: &str, settings: &Settings, moment_ns: u64) -> bool {
    let pause = u64::from(settings.cooldown_s) * SECOND;
    ended.get(&key(sector, watch)).is_some_and(|&ended| moment_ns < ended.saturating_add(pause))
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
