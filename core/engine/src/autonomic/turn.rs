//! Going round: turns, by a thread or on demand, and what of them is kept.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use knhk_autonomic::plan::model::{Endpoint, Model};
use knhk_autonomic::watch::Declared;
use knhk_ledger::{Appended, Entry, Evidence, Outcome};
use knhk_observation::{Kinds, ObservationError, Schema};
use knhk_store::{State, Write};
use knhk_warm::{Next, Ticker};

use super::act::Filed;
use super::asking::Live;
use super::counters::{CYCLES, PATTERNS, RECORDS, TURNS as TURNS_COUNTED, counters};
use super::journal::{Decision, Event, PAGES, Page, TURNS, Turn, digest};
use super::mind::{Asking, Declaration, Mind};
use super::{Cycle, LoopStatus, PatternInfo, Phase, Settings, When};
use crate::control::hex;
use crate::governance::book::{CYCLE, Kept, PATTERN, entry, serialized};
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
    /// Starts the loop: from where it was when it was stopped, or its engine closed. A thread takes a turn every [`Settings::every_ms`]; where that is
    /// 0, [`Engine::loop_step`] does. Where it runs already it goes on with the new settings.
    ///
    /// # Errors
    /// `NotReady` where nothing is observed, `NotFound` without a ledger or for a sector that is not there, `InvalidArgument` for a setting that
    /// cannot be, `Io` where the store cannot be read or written, `Corrupt` where what it kept is damaged.
    pub fn start_loop(&self, settings: Settings) -> Result<(), Error> {
        settings.check()?;
        self.recording()?;
        self.observe_stats()?;
        settings.sectors.iter().try_for_each(|sector| self.sector(sector).map(drop))?;
        let autonomic = &self.inner.autonomic;
        autonomic.end_thread();
        let wrong = |error: &dyn std::fmt::Display| {
            Error::new(Status::InvalidArgument, "loop", "model", format!("the model of the environment: {error}"))
        };
        let endpoint = Endpoint::from_environment().map_err(|error| wrong(&error))?;
        let model = endpoint.map(|endpoint| Model::new(endpoint, 0, &self.scope())).transpose();
        let model = model.map_err(|error| wrong(&error))?;
        *autonomic.model.lock().unwrap_or_else(PoisonError::into_inner) = model.map(|model| Arc::new(model) as _);
        let period = (settings.every_ms > 0).then(|| settings.period());
        {
            let mut round = autonomic.round();
            match &mut *round {
                Some(round) => round.settings = settings,
                none => *none = Some(self.resume(settings)?),
            }
        }
        let mut status = autonomic.status();
        (status.running, status.turns) = (period.is_some(), 0);
        drop(status);
        period.map_or(Ok(()), |period| self.start_thread(period))
    }

    fn start_thread(&self, period: Duration) -> Result<(), Error> {
        let autonomic = &self.inner.autonomic;
        *autonomic.news.lock().unwrap_or_else(PoisonError::into_inner) = false;
        let (own, inner) = (autonomic.clone(), Arc::downgrade(&self.inner));
        let mut wait = Duration::ZERO;
        let ticker = Ticker::spawn("knhk-loop", move || {
            let ending = own.news.lock().unwrap_or_else(PoisonError::into_inner);
            let waited = own.woken.wait_timeout_while(ending, wait, |ending| !*ending);
            if *waited.unwrap_or_else(PoisonError::into_inner).0 {
                return Next::Stop;
            }
            let Some(inner) = inner.upgrade() else { return Next::Stop };
            let begun = Instant::now();
            Engine { inner }.turn_by_thread();
            wait = period.saturating_sub(begun.elapsed());
            Next::Continue
        });
        *autonomic.ticker() = Some(ticker.map_err(|error| {
            Error::new(Status::System, "loop", "knhk-loop", format!("the loop's thread could not be started: {error}"))
        })?);
        Ok(())
    }

    /// A turn; where it fails that is said, and it is tried again.
    fn turn_by_thread(&self) {
        match self.loop_step() {
            Ok(_) => {}
            Err(error) if matches!(error.status(), Status::Closed | Status::NotReady) => {}
            Err(error) => {
                let line = format!("a turn of the loop did not come to its end, and is tried again: {error}");
                self.inner.announcer.log(Level::Error, "loop", line);
            }
        }
    }

    /// Stops the loop. Cycles on their way stay as they are, until it is started again. Stopping what does not run does nothing.
    ///
    /// # Errors
    /// `Io` where its state cannot be kept: then it is what it was when it was kept last.
    pub fn stop_loop(&self) -> Result<(), Error> {
        self.checked()?;
        self.end_loop()
    }

    /// The same when the engine is closed.
    pub(crate) fn end_loop(&self) -> Result<(), Error> {
        let autonomic = &self.inner.autonomic;
        autonomic.end_thread();
        autonomic.status().running = false;
        let Some(mut round) = autonomic.round().take() else { return Ok(()) };
        if round.lost || (round.turns.is_empty() && round.events.is_empty()) {
            return Ok(());
        }
        let page = round.next_page();
        self.keep_page(&mut round, page, Vec::new(), |_| Vec::new())
    }

    /// Takes a turn now, by the clock that the engine was opened with. Gives the cycles that began, ended or went on in it.
    ///
    /// # Errors
    /// `NotReady` where the loop was not started; `Io` where observations or decisions cannot be made durable, or read. What was not kept did not
    /// happen: the next turn takes it up again.
    pub fn loop_step(&self) -> Result<Vec<Cycle>, Error> {
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
            status.watches = round.mind.status();
        }
    }

    /// How the loop does, as of its last turn.
    pub fn loop_status(&self) -> LoopStatus {
        let mut status = self.inner.autonomic.status().clone();
        status.hooks_skipped = self.inner.autonomic.hooks.skipped();
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
        turn.events = std::mem::take(&mut round.events);
        self.tell(Phase::Monitor, When::After, &turn, None, None);
        self.tell(Phase::Analyze, When::Before, &turn, None, None);
        let (settings, header) = (round.settings.clone(), turn.clone());
        let mut asking = Live { engine: self, settings: &settings, turn: &mut turn };
        let decisions = self.decide(&mut round.mind, &settings, &header, &mut asking, &mut Vec::new())?;
        self.tell(Phase::Analyze, When::After, &turn, None, None);
        turn.decisions.clone_from(&decisions);
        (round.next_segment, round.resumes) = (turn.next_segment, false);
        round.turns.push(turn.clone());
        let begun = if decisions.is_empty() {
            if round.turns.len() >= TURNS {
                let page = round.next_page();
                self.keep_page(round, page, Vec::new(), |_| Vec::new())?;
            }
            Vec::new()
        } else {
            self.keep_decisions(round, &turn)?
        };
        for filed in begun {
            let id = filed.cycle.id.clone();
            if filed.cycle.is_open() {
                round.open.push(filed);
                self.file_plan(round, &id, &turn)?;
            } else {
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

    /// Keeps what a turn decided, with the receipts of its patterns; gives the cycles that began.
    fn keep_decisions(&self, round: &mut Round, turn: &Turn) -> Result<Vec<Filed>, Error> {
        let info = |decision: &Decision| PatternInfo {
            id: decision.id.clone(),
            cycle: decision.cycle.clone(),
            receipt: None,
            pattern: decision.pattern.clone(),
        };
        let mut patterns: Vec<PatternInfo> = turn.decisions.iter().map(info).collect();
        let mut begun: Vec<Filed> = turn.decisions.iter().filter_map(|decision| Filed::of(decision, turn)).collect();
        PATTERNS.add(patterns.len() as u64);
        CYCLES.add(begun.len() as u64);
        // Patterns of cycles that are there already.
        let mut joined: Vec<Filed> = Vec::new();
        for decision in turn.decisions.iter().filter(|decision| decision.planned.is_none()) {
            let Some(id) = &decision.cycle else { continue };
            let is = |filed: &&mut Filed| filed.cycle.id == *id;
            let known = begun.iter_mut().find(is).or_else(|| joined.iter_mut().find(is));
            match (known, round.open.iter().find(|filed| filed.cycle.id == *id)) {
                (Some(filed), _) => filed.cycle.patterns.push(decision.id.clone()),
                (None, Some(filed)) => {
                    let mut filed = filed.clone();
                    filed.cycle.patterns.push(decision.id.clone());
                    joined.push(filed);
                }
                (None, None) => {}
            }
        }
        let (bytes, hash) = round.next_page();
        let mut entries: Vec<Entry> = turn.decisions.iter().map(|one| found(one, hash, turn.moment_ns)).collect();
        entries.extend(begun.iter().filter(|filed| !filed.cycle.is_open()).map(|one| one.completed(turn.moment_ns)));
        let of_pattern = |one: &PatternInfo| (PATTERN, one.id.clone(), one.pattern.sector.clone(), false);
        let of_cycle = |one: &Filed| (CYCLE, one.cycle.id.clone(), one.cycle.sector.clone(), one.cycle.is_open());
        let cycles = begun.iter().chain(&joined).map(of_cycle);
        let names: Vec<_> = patterns.iter().map(of_pattern).chain(cycles).collect();
        let items = |appended: &[Appended]| {
            let (found, ended) = appended.split_at(patterns.len());
            patterns.iter_mut().zip(found).for_each(|(one, receipt)| one.receipt = Some(receipt.id.clone()));
            for filed in begun.iter_mut().chain(&mut joined) {
                let own = patterns.iter().filter(|one| one.cycle.as_ref() == Some(&filed.cycle.id));
                filed.cycle.receipts.extend(own.filter_map(|one| one.receipt.clone()));
            }
            let closed = begun.iter_mut().filter(|filed| !filed.cycle.is_open());
            closed.zip(ended).for_each(|(filed, receipt)| filed.cycle.receipts.push(receipt.id.clone()));
            let cycles = begun.iter().chain(&joined).map(serialized);
            let bodies = patterns.iter().map(serialized).chain(cycles);
            let kept = names.iter().map(|(kind, id, sector, open)| Kept {
                kind: *kind,
                id,
                sector: Some(sector),
                open: *open,
            });
            kept.zip(bodies).collect()
        };
        self.keep_page(round, (bytes, hash), entries, items)?;
        for filed in joined {
            round.open.iter_mut().filter(|open| open.cycle.id == filed.cycle.id).for_each(|open| *open = filed.clone());
        }
        Ok(begun)
    }

    /// Keeps the turns since the newest page as another one, together with receipts and items.
    pub(super) fn keep_page<'k>(
        &self,
        round: &mut Round,
        (content, hash): (Vec<u8>, [u8; 32]),
        entries: Vec<Entry>,
        items: impl FnOnce(&[Appended]) -> Vec<(Kept<'k>, Vec<u8>)>,
    ) -> Result<(), Error> {
        let number = round.page + 1;
        let mut writes = vec![Write::State(State { name: PAGES.into(), number, whole: true, content })];
        if let Some(before) = self.first_useful(round)? {
            writes.push(Write::DropStates { name: PAGES.into(), before });
            round.oldest = before;
        }
        self.keep_with(entries, items, writes)?;
        (round.page, round.hash) = (number, hex(&hash));
        round.turns.clear();
        round.events.clear();
        Ok(())
    }

    /// The oldest page that is of use, where that is another than the oldest one: turns over observations that retention dropped cannot be recomputed.
    fn first_useful(&self, round: &Round) -> Result<Option<u64>, Error> {
        if round.oldest == 0 || round.oldest + 1 >= round.page {
            return Ok(None);
        }
        let held = SegmentQuery { held: true, limit: Some(1), ..SegmentQuery::default() };
        let first_held = self.segments(&held)?.first().map_or(round.next_segment, |segment| segment.number);
        // The oldest one is there for its state, the next one for its turns.
        let next = self.page(round.oldest + 1)?;
        Ok(next.filter(|(next, _)| next.next_segment <= first_held).map(|(next, _)| next.number))
    }
}

impl Round {
    /// The turns since the newest page, as another one, and its hash.
    pub(super) fn next_page(&self) -> (Vec<u8>, [u8; 32]) {
        let page = Page {
            number: self.page + 1,
            before: self.hash.clone(),
            settings: self.settings.clone(),
            turn: self.number,
            next_segment: self.next_segment,
            turns: self.turns.clone(),
            after: self.events.clone(),
            state: self.mind.state(),
        };
        let bytes = page.bytes();
        let hash = digest(&bytes);
        (bytes, hash)
    }
}

/// The receipt of a pattern.
fn found(decision: &Decision, journal: [u8; 32], time_ns: u64) -> Entry {
    let pattern = &decision.pattern;
    let evidence = Evidence::PatternDetected {
        detector: pattern.detector.clone(),
        pattern: pattern.to_string(),
        confidence: pattern.confidence,
        observations: pattern.evidence.clone(),
        decision: Some(decision.digest()),
        journal: Some(journal),
    };
    entry(time_ns, Some(&pattern.sector), Outcome::Approved, evidence)
}
