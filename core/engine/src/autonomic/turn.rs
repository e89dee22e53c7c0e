//! Going round: turns, by a job of the engine or on demand, and what of them is kept.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use knhk_autonomic::plan::model::{Endpoint, Model};
use knhk_autonomic::watch::Declared;
use knhk_observation::{Kinds, ObservationError, Schema};

use super::act::Filed;
use super::asking::Live;
use super::asks::Desk;
use super::counters::{RECORDS, TURNS as TURNS_COUNTED, counters};
use super::journal::{Decision, Event, TURNS, Turn};
use super::known::Declaration;
use super::mind::{Asking, Mind};
use super::{Cycle, CycleState, LoopStatus, Phase, Settings, When};
use crate::own::PATIENT;
use crate::{Engine, Error, Level, SegmentQuery, Status};

/// Observations that are older than this when the loop takes up its work again are not looked at, in nanoseconds.
const BACKLOG: u64 = 600 * 1_000_000_000;

/// What goes round.
pub(super) struct Round {
    pub settings: Settings,
    pub mind: Mind,
    /// The number and the hash of the newest page; 0: there is none.
    pub page: u64,
    pub hash: String,
    /// The oldest page that is kept; 0: there is none.
    pub oldest: u64,
    /// Turns since that page.
    pub turns: Vec<Turn>,
    /// What happened since the last turn.
    pub events: Vec<Event>,
    pub number: u64,
    pub next_segment: u64,
    /// Whether nobody looked for a while.
    pub resumes: bool,
    /// Cycles of which something can still come, oldest first.
    pub open: Vec<Filed>,
    /// Whether what is here is not what was kept: it is read again before the next turn.
    pub lost: bool,
}

impl Round {
    pub(super) fn lose(&mut self) {
        self.lost = true;
    }

    /// Takes up what happened beside the turns.
    pub(super) fn happened(&mut self, event: Event) {
        self.mind.happened(&event);
        self.events.push(event);
    }
}

impl Engine {
    /// Starts the loop: from where it was when it was stopped, or its engine closed. The engine's executor takes a turn every
    /// [`Settings::every_ms`]; where that is 0, [`Engine::loop_step`] does. Where it runs already it goes on with the new settings.
    ///
    /// # Errors
    /// `NotReady` where nothing is observed, `NotFound` without a ledger or for a sector that is not there, `InvalidArgument` for a setting that
    /// cannot be, `Io` where the store cannot be read or written, `Corrupt` where what it kept is damaged, `Busy` from a callback of the loop.
    pub fn start_loop(&self, settings: Settings) -> Result<(), Error> {
        self.not_within("loop_start")?;
        settings.check()?;
        self.recording()?;
        self.observe_stats()?;
        settings.sectors.iter().try_for_each(|sector| self.sector(sector).map(drop))?;
        let autonomic = &self.inner.autonomic;
        autonomic.end_job();
        let wrong = |error: &dyn std::fmt::Display| {
            Error::new(Status::InvalidArgument, "loop", "model", format!("the model of the environment: {error}"))
        };
        let endpoint = Endpoint::from_environment().map_err(|error| wrong(&error))?;
        let mut model = autonomic.model.lock().unwrap_or_else(PoisonError::into_inner);
        if model.as_ref().map(|(endpoint, _)| endpoint) != endpoint.as_ref() {
            let made = |endpoint: Endpoint| -> Result<_, Error> {
                let model = Model::new(endpoint.clone(), 0, &self.scope()).map_err(|error| wrong(&error))?;
                let longest = model.longest();
                Ok((endpoint, Arc::new(Desk::new(Arc::new(model), Some(longest)))))
            };
            *model = endpoint.map(made).transpose()?;
        }
        drop(model);
        let period = (settings.every_ms > 0).then(|| settings.period());
        {
            let mut round = autonomic.round();
            match &mut *round {
                Some(round) if !round.lost => {
                    // A page is of one set of settings.
                    if round.settings != settings && !round.turns.is_empty() {
                        let page = round.next_page();
                        self.keep_page(round, page, Vec::new(), |_| Vec::new())?;
                    }
                    round.settings = settings;
                }
                other => *other = Some(self.resume(settings)?),
            }
        }
        autonomic.stopping.store(false, Ordering::Release);
        let mut status = autonomic.status();
        (status.running, status.turns) = (period.is_some(), 0);
        drop(status);
        period.map_or(Ok(()), |period| self.start_job(period))
    }

    fn start_job(&self, period: Duration) -> Result<(), Error> {
        let job = self.begin("loop", PATIENT, move |engine| {
            let begun = Instant::now();
            engine.turn_by_job();
            let rest = period.saturating_sub(begun.elapsed());
            Some(engine.inner.autonomic.asks.rest().map_or(rest, |late| rest.min(late)))
        })?;
        let before = self.inner.autonomic.job().replace(job);
        drop(before);
        Ok(())
    }

    /// A turn; where it fails that is said, and it is tried again.
    fn turn_by_job(&self) {
        match self.turn() {
            Ok(_) => {}
            Err(error) if matches!(error.status(), Status::Closed | Status::NotReady) => {}
            Err(error) => {
                let line = format!("a turn of the loop did not come to its end, and is tried again: {error}");
                self.inner.announcer.log(Level::Error, "loop", line);
            }
        }
    }

    /// Stops the loop. Cycles on their way stay as they are, until it is started again; those for which somebody is asked are ended then, as
    /// interrupted. A turn under way is waited for, but no proposer, model or detector. Stopping what does not run does nothing.
    ///
    /// # Errors
    /// `Io` where its state cannot be kept: then it is what it was when it was kept last. `Busy` from a callback of the loop.
    pub fn stop_loop(&self) -> Result<(), Error> {
        self.not_within("loop_stop")?;
        self.end_loop()
    }

    /// The same when the engine is closed.
    pub(crate) fn end_loop(&self) -> Result<(), Error> {
        let autonomic = &self.inner.autonomic;
        autonomic.end_job();
        autonomic.status().running = false;
        let round = autonomic.round().take();
        autonomic.asks.close();
        let Some(mut round) = round else { return Ok(()) };
        if round.lost || (round.turns.is_empty() && round.events.is_empty()) {
            return Ok(());
        }
        let page = round.next_page();
        self.keep_page(&mut round, page, Vec::new(), |_| Vec::new())
    }

    /// Takes a turn now, by the clock that the engine was opened with. Where somebody is asked for a plan then, it waits for the answer, which is
    /// taken up in another turn; the loop's own turns wait for nobody. Gives the cycles that began, ended or went on.
    ///
    /// # Errors
    /// `NotReady` where the loop was not started; `Io` where observations or decisions cannot be made durable, or read. What was not kept did not
    /// happen: the next turn takes it up again. `Busy` from a callback of the loop; `Timeout` where it is stopped meanwhile.
    pub fn loop_step(&self) -> Result<Vec<Cycle>, Error> {
        self.not_within("loop_step")?;
        let mut touched = self.turn()?;
        let asks = &self.inner.autonomic.asks;
        // What is asked later is not waited for, so that this ends while patterns go on coming.
        let asked = asks.cycles();
        while asks.wait(&asked) {
            for cycle in self.turn()? {
                match touched.iter_mut().find(|one| one.id == cycle.id) {
                    Some(before) => *before = cycle,
                    None => touched.push(cycle),
                }
            }
        }
        Ok(touched)
    }

    /// A turn, which waits for nobody.
    fn turn(&self) -> Result<Vec<Cycle>, Error> {
        self.recording()?;
        let autonomic = self.inner.autonomic.clone();
        let begun = Instant::now();
        let mut guard = autonomic.round();
        let round = guard.as_mut().ok_or_else(|| {
            Error::new(Status::NotReady, "loop", "", "the loop was not started: start it first (loop_start)")
        })?;
        if round.lost {
            *round = self.resume(round.settings.clone())?;
        }
        // Whatever goes wrong on the way: what was not kept is read again.
        round.lost = true;
        let stepped = self.step(round);
        if stepped.is_ok() {
            round.lost = false;
        }
        self.note(round, stepped.as_ref().err(), begun);
        stepped
    }

    fn note(&self, round: &Round, failed: Option<&Error>, begun: Instant) {
        TURNS_COUNTED.add(1);
        let mut status = self.inner.autonomic.status();
        status.turns += 1;
        status.took_ns = u64::try_from(begun.elapsed().as_nanos()).unwrap_or(u64::MAX);
        status.failed = failed.map(ToString::to_string);
        if failed.is_none() {
            status.last_turn_ns = round.turns.last().map_or(status.last_turn_ns, |turn| turn.moment_ns);
            let watched = round.mind.declared().filter(|(_, declared)| !declared.watches.is_empty());
            status.sectors = watched.map(|(name, _)| name.to_owned()).collect();
            (status.watches, status.forecasts) = round.mind.status();
        }
    }

    /// How the loop does, as of its last turn.
    pub fn loop_status(&self) -> LoopStatus {
        let mut status = self.inner.autonomic.status().clone();
        status.hooks_skipped = self.inner.autonomic.hooks.skipped();
        status.callbacks_failed = self.inner.autonomic.callbacks.failed();
        status.counters = counters();
        status
    }

    fn step(&self, round: &mut Round) -> Result<Vec<Cycle>, Error> {
        round.number += 1;
        let mut turn = Turn { number: round.number, moment_ns: self.now_ns(), ..Turn::default() };
        let mut touched = self.follow(round, &turn)?;
        self.tell(Phase::Monitor, When::Before, &turn, None, None);
        self.flush_observations()?;
        turn.resumes = round.resumes;
        turn.next_segment = self.segment_count()?;
        turn.first_segment = match turn.resumes {
            true => self.first_worth(round.next_segment, turn.moment_ns)?,
            false => round.next_segment,
        };
        turn.versions = self.versions_changed(round)?;
        let autonomic = &self.inner.autonomic;
        let answers = autonomic.answers();
        for (cycle, answer) in &answers {
            round.happened(Event::Answered { cycle: cycle.clone(), answer: answer.clone() });
        }
        turn.events = std::mem::take(&mut round.events);
        self.tell(Phase::Monitor, When::After, &turn, None, None);
        self.tell(Phase::Analyze, When::Before, &turn, None, None);
        let (settings, header) = (round.settings.clone(), turn.clone());
        let mut asking = Live { engine: self, settings: &settings, turn: &mut turn, requests: Vec::new() };
        let decisions = self.decide(&mut round.mind, &settings, &header, &mut asking, &mut Vec::new())?;
        let requests = asking.requests;
        self.tell(Phase::Analyze, When::After, &turn, None, None);
        turn.decisions.clone_from(&decisions);
        (round.next_segment, round.resumes) = (turn.next_segment, false);
        round.turns.push(turn.clone());
        let begun = if decisions.is_empty() {
            // The first one, too: whatever comes now, the next turns are taken up from there.
            if round.turns.len() >= TURNS || round.page == 0 {
                let page = round.next_page();
                self.keep_page(round, page, Vec::new(), |_| Vec::new())?;
            }
            Vec::new()
        } else {
            self.keep_decisions(round, &turn)?
        };
        // What is kept is not taken up again, and whoever it names is asked.
        answers.iter().for_each(|(cycle, _)| autonomic.asks.forget(cycle));
        requests.into_iter().for_each(|request| autonomic.ask(request, settings.deadline()));
        for filed in begun {
            let id = filed.cycle.id.clone();
            if filed.cycle.is_open() {
                let plans = filed.cycle.state == CycleState::Planned;
                match round.open.iter_mut().find(|open| open.cycle.id == id) {
                    Some(open) => *open = filed,
                    None => round.open.push(filed),
                }
                if plans {
                    self.file_plan(round, &id, &turn)?;
                }
            } else {
                round.open.retain(|open| open.cycle.id != id);
                touched.push(filed.cycle.clone());
                self.tell(Phase::Learn, When::After, &turn, Some(&filed.cycle.sector), Some(&filed.cycle));
            }
            touched.extend(self.cycle(&id).ok().filter(|cycle| touched.iter().all(|one| one.id != cycle.id)));
        }
        Ok(touched)
    }

    /// The decisions of a turn: what it states and what is asked for is all that they depend on. Segments that retention dropped are named in
    /// `missing`.
    pub(crate) fn decide(
        &self,
        mind: &mut Mind,
        settings: &Settings,
        turn: &Turn,
        asking: &mut dyn Asking,
        missing: &mut Vec<u64>,
    ) -> Result<Vec<Decision>, Error> {
        for (sector, version) in &turn.versions {
            let declaration = self.declaration(sector, *version)?;
            mind.learn(sector, declaration, turn.moment_ns);
        }
        let store = self.durable()?.store().clone();
        let mut from = turn.first_segment;
        while from < turn.next_segment {
            let segments = store.segments(&SegmentQuery { from, ..SegmentQuery::default() })?;
            from = segments.last().map_or(turn.next_segment, |last| last.number + 1);
            for segment in &segments {
                if segment.number >= turn.next_segment || !mind.watches(&segment.sector) {
                    continue;
                }
                match knhk_observation::records(&*store, segment.number) {
                    Ok(records) => {
                        RECORDS.add(records.len() as u64);
                        mind.take(&segment.sector, segment.number, &records, turn.moment_ns);
                    }
                    // Retention was quicker.
                    Err(ObservationError::NotFound { .. } | ObservationError::Dropped { .. }) => {
                        missing.push(segment.number);
                    }
                    Err(error) => return Err(error.into()),
                }
            }
        }
        mind.decide(settings, turn.moment_ns, turn.resumes, asking)
    }

    /// What a version of a sector declares.
    pub(crate) fn declaration(&self, name: &str, version: u64) -> Result<Declaration, Error> {
        let sector = self.sector(name)?;
        let snapshot = self.snapshot_of(&sector, Some(version), "loop")?;
        let state = sector.lock()?;
        let kinds = Kinds::new(Schema::of(&snapshot), |key| state.keys.get(key));
        Ok(Declaration { version, declared: Declared::of(&snapshot), kinds })
    }

    /// The current versions of the sectors that are looked after, where the mind knows others.
    fn versions_changed(&self, round: &Round) -> Result<BTreeMap<String, u64>, Error> {
        let wanted = &round.settings.sectors;
        let all = self.sectors()?.into_iter();
        let meant = all.filter(|info| info.ready && (wanted.is_empty() || wanted.contains(&info.name)));
        Ok(meant
            .filter(|info| round.mind.version(&info.name) != info.version)
            .map(|info| (info.name, info.version))
            .collect())
    }

    /// The first segment from `from` on that is not too old to be looked at.
    fn first_worth(&self, from: u64, now_ns: u64) -> Result<u64, Error> {
        let since_ns = Some(now_ns.saturating_sub(BACKLOG));
        let query = SegmentQuery { from, since_ns, limit: Some(1), ..SegmentQuery::default() };
        Ok(match self.segments(&query)?.first() {
            Some(segment) => segment.number,
            None => self.segment_count()?.max(from),
        })
    }
}
