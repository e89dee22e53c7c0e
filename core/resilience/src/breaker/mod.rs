//! The circuit breaker: stops calling what fails, and tries again later.
//!
//! [`Settings`] documents the state machine. An admitted call gets a [`Pass`] and gives it back with its outcome; a pass of an earlier
//! period changes nothing any more. A closed breaker's admission is one load; an outcome is at most one exchange for the window and,
//! while there are failures to remember, one for the trend.

mod count;
mod judge;
mod pass;
mod settings;
mod state;
mod status;
mod time;
mod trend;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64 as Plain, Ordering::Relaxed};
use std::time::Duration;

use arc_swap::ArcSwap;

use crate::clock::{Clock, nanoseconds};
use crate::counters::Counters;
use crate::error::{CallError, InvalidSetting, Rejected};
use crate::event::Change;
use crate::mutant::Mutant::{OpenStored, ProbeReturnStored, ProbeStored};
use crate::mutant::exchange;
use crate::outcome::Outcome;
use crate::primitive::{Apart, AtomicU64};
use crate::scope::Scope;

#[cfg(loom)]
pub(crate) use count::CountWindow;
#[cfg(not(loom))]
use count::CountWindow;
pub use pass::Pass;
use pass::UNTIMED;
pub use settings::{Settings, Window};
use state::Word;
pub use state::{State, Why};
pub use status::{Status, Tally};
#[cfg(loom)]
pub(crate) use time::TimeWindow;
#[cfg(not(loom))]
use time::TimeWindow;
use trend::Trend;

/// No call is slow.
const NEVER: u64 = u64::MAX;

#[derive(Debug)]
enum Kept {
    None,
    Count(CountWindow),
    Time(TimeWindow),
}

/// A circuit breaker, for any number of threads.
#[derive(Debug)]
pub struct Breaker {
    /// Read by each call, written by transitions and probes.
    word: Apart<AtomicU64>,
    /// Nanoseconds that make a call slow, or [`NEVER`]: the one setting that each call needs.
    slow_ns: Plain,
    zero_ns: u64,
    kept: Kept,
    clock: Arc<dyn Clock>,
    settings: ArcSwap<Settings>,
    /// Written by failures and soon after.
    trend: Apart<Trend>,
    scope: Scope,
    name: Arc<str>,
}

impl Breaker {
    /// A closed breaker.
    ///
    /// # Errors
    /// [`InvalidSetting`] when a setting is out of its range.
    pub fn new(name: &str, settings: Settings, scope: &Scope) -> Result<Breaker, InvalidSetting> {
        settings.check()?;
        Ok(Breaker {
            word: Apart(AtomicU64::new(Word::CLOSED.0)),
            slow_ns: Plain::new(settings.slow_call.map_or(NEVER, nanoseconds)),
            zero_ns: scope.clock().now_ns(),
            kept: match settings.window {
                Window::None => Kept::None,
                Window::Count(calls) => Kept::Count(CountWindow::new(calls)),
                Window::Time { span, buckets } => Kept::Time(TimeWindow::new(span, buckets)),
            },
            clock: scope.clock().clone(),
            settings: ArcSwap::from_pointee(settings),
            trend: Apart(Trend::new()),
            scope: scope.clone(),
            name: name.into(),
        })
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its settings at present.
    pub fn settings(&self) -> Settings {
        **self.settings.load()
    }

    /// Changes its settings; calls under way are judged by the new ones. The state stays what it is.
    ///
    /// # Errors
    /// [`InvalidSetting`] when one is out of its range, or the window is another one. Nothing was changed.
    pub fn retune(&self, settings: Settings) -> Result<(), InvalidSetting> {
        settings.check()?;
        let same = settings.window == self.settings().window;
        InvalidSetting::unless(same, "window", settings.window, "the window that the breaker was made with")?;
        self.settings.store(Arc::new(settings));
        self.slow_ns.store(settings.slow_call.map_or(NEVER, nanoseconds), Relaxed);
        Ok(())
    }

    /// Its state: one load.
    pub fn state(&self) -> State {
        self.load().state()
    }

    /// Its state and what that rests on, for people.
    pub fn status(&self) -> Status {
        let word = self.load();
        let seen = self.trend.0.look(word.tag());
        let window = match &self.kept {
            Kept::None => None,
            Kept::Count(window) => Some(window.tally(word.tag())),
            Kept::Time(window) => Some(window.tally(word.tag(), self.age_ns())),
        };
        let since = Duration::from_millis(self.age_ms().saturating_sub(word.ms()));
        let trend::Seen { rate: trend, consecutive, calls } = seen;
        Status { state: word.state(), since, trend, consecutive, calls, window }
    }

    /// Admits a call or refuses it, without waiting.
    ///
    /// # Errors
    /// [`Rejected::Open`], [`Rejected::ForcedOpen`] or [`Rejected::Probing`].
    #[inline]
    pub fn try_enter(&self) -> Result<Pass, Rejected> {
        let word = self.load();
        if word.state() == State::Closed { Ok(self.pass(word)) } else { self.try_enter_slowly(word) }
    }

    /// Admits a call while it is closed, and never moves it to another state; None where [`Breaker::try_enter`] has to decide.
    #[inline]
    pub fn enter_closed(&self) -> Option<Pass> {
        let word = self.load();
        (word.state() == State::Closed).then(|| self.pass(word))
    }

    /// Takes the outcome of a call.
    #[inline]
    pub fn finish(&self, pass: Pass, outcome: Outcome) {
        let steady = outcome == Outcome::Success
            && pass.period == self.word.0.load(Relaxed)
            && pass.started_ns == UNTIMED
            && self.trend.0.is_steady(Word(pass.period).tag());
        match &self.kept {
            Kept::None if steady => {}
            Kept::Count(window) if steady => {
                window.record(Word(pass.period).tag(), false, false);
            }
            _ => self.finish_slowly(pass, outcome),
        }
    }

    /// Calls `work` if the breaker admits it. An error is a failure, and so is a panic, which goes on.
    ///
    /// # Errors
    /// [`CallError`]: refused, or failed.
    #[inline]
    pub fn call<T, E>(&self, work: impl FnOnce() -> Result<T, E>) -> Result<T, CallError<E>> {
        self.call_judged(work, Outcome::of)
    }

    /// [`Breaker::call`] where `judge` says what a result means.
    ///
    /// # Errors
    /// [`CallError`]: refused, or failed.
    #[inline(always)]
    pub fn call_judged<T, E>(
        &self,
        work: impl FnOnce() -> Result<T, E>,
        judge: impl FnOnce(&Result<T, E>) -> Outcome,
    ) -> Result<T, CallError<E>> {
        /// Tells the failure when the call panics.
        struct Unwinding<'a>(&'a Breaker, Option<Pass>);
        impl Drop for Unwinding<'_> {
            fn drop(&mut self) {
                if let Some(pass) = self.1.take() {
                    self.0.finish(pass, Outcome::Failure);
                }
            }
        }
        let mut unwinding = Unwinding(self, Some(self.try_enter()?));
        let result = work();
        let outcome = judge(&result);
        if let Some(pass) = unwinding.1.take() {
            self.finish(pass, outcome);
        }
        result.map_err(CallError::Failed)
    }

    /// Opens it until it is closed by hand.
    pub fn force_open(&self) {
        self.by_hand(State::ForcedOpen);
    }

    /// Closes it, with nothing remembered.
    pub fn close(&self) {
        self.by_hand(State::Closed);
    }

    /// Has it admit everything and remember nothing, until it is closed by hand.
    pub fn disable(&self) {
        self.by_hand(State::Disabled);
    }

    fn load(&self) -> Word {
        Word(self.word.0.load(Relaxed))
    }

    fn age_ns(&self) -> u64 {
        self.clock.now_ns().saturating_sub(self.zero_ns)
    }

    fn age_ms(&self) -> u64 {
        self.age_ns() / 1_000_000
    }

    #[inline(always)]
    fn pass(&self, word: Word) -> Pass {
        let timed = self.slow_ns.load(Relaxed) != NEVER;
        Pass { period: word.period(), started_ns: if timed { self.age_ns() } else { UNTIMED } }
    }

    #[cold]
    fn try_enter_slowly(&self, mut word: Word) -> Result<Pass, Rejected> {
        let settings = **self.settings.load();
        let (recovery, permits) = (settings.recovery_ms(), settings.half_open_permits);
        let refuse = |why| {
            Counters::count(&self.scope.counters().breaker_rejected);
            Err(why)
        };
        loop {
            let over = self.age_ms().saturating_sub(word.ms()) >= recovery;
            let (next, why, mutant) = match word.state() {
                State::Closed | State::Disabled => return Ok(self.pass(word)),
                State::ForcedOpen => return refuse(Rejected::ForcedOpen),
                State::Open if !over => {
                    let at = (word.ms() + recovery).saturating_mul(1_000_000);
                    let retry_after = Duration::from_nanos(at.saturating_sub(self.age_ns()));
                    return refuse(Rejected::Open { retry_after });
                }
                State::Open => (self.half_open(word), Some(Why::Recovered), ProbeStored),
                State::HalfOpen if word.taken() < u64::from(permits) => (word.with_permit(), None, ProbeStored),
                State::HalfOpen if over => (self.half_open(word), Some(Why::ProbesOverdue), ProbeStored),
                State::HalfOpen => return refuse(Rejected::Probing { permits }),
            };
            match exchange(&self.word.0, word.0, next.0, Relaxed, mutant) {
                Ok(_) => {
                    if let Some(why) = why {
                        self.entered(word, next, why);
                    }
                    return Ok(self.pass(next));
                }
                Err(now) => word = Word(now),
            }
        }
    }

    fn half_open(&self, word: Word) -> Word {
        word.next(State::HalfOpen, 1, self.age_ns().div_ceil(1_000_000))
    }

    #[inline(never)]
    fn finish_slowly(&self, pass: Pass, outcome: Outcome) {
        let period = Word(pass.period);
        if period.state() == State::Disabled {
            return;
        }
        if self.load().period() != pass.period {
            Counters::count(&self.scope.counters().breaker_late);
            return;
        }
        let timed = pass.started_ns != UNTIMED;
        let age_ns = if timed || matches!(self.kept, Kept::Time(_)) { self.age_ns() } else { 0 };
        let slow = timed && age_ns.saturating_sub(pass.started_ns) >= self.slow_ns.load(Relaxed);
        match (period.state(), outcome) {
            (State::HalfOpen, _) => self.finish_probe(period, outcome, slow),
            (_, Outcome::Ignored) => {}
            (_, Outcome::Success | Outcome::Failure) => {
                self.record(period, outcome == Outcome::Failure, slow, age_ns);
            }
        }
    }

    /// Takes the outcome of a closed period's call.
    fn record(&self, period: Word, failed: bool, slow: bool, age_ns: u64) {
        let tag = period.tag();
        if !failed && !slow && self.trend.0.is_steady(tag) {
            // The usual success of a breaker whose window or calls are timed.
            return match &self.kept {
                Kept::None => {}
                Kept::Count(window) => drop(window.record(tag, false, false)),
                Kept::Time(window) => window.record(tag, false, false, age_ns),
            };
        }
        let settings = self.settings.load();
        let Some(seen) = self.trend.0.record(tag, failed, settings.ema_alpha) else {
            Counters::count(&self.scope.counters().breaker_late);
            return;
        };
        match &self.kept {
            Kept::None => {}
            Kept::Count(window) => drop(window.record(tag, failed, slow)),
            Kept::Time(window) => window.record(tag, failed, slow, age_ns),
        }
        if !failed && !slow {
            return;
        }
        let tally = || match &self.kept {
            Kept::None => Tally::default(),
            Kept::Count(window) => window.tally(tag),
            Kept::Time(window) => window.tally(tag, age_ns),
        };
        if let Some(why) = settings.judge(failed, seen, tally) {
            let next = period.next(State::Open, 0, self.age_ns().div_ceil(1_000_000));
            if exchange(&self.word.0, period.0, next.0, Relaxed, OpenStored).is_ok() {
                self.entered(period, next, why);
            }
        }
    }

    #[cold]
    fn finish_probe(&self, period: Word, outcome: Outcome, slow: bool) {
        let needed = u64::from(self.settings.load().half_open_permits);
        let mut word = self.load();
        // A pass that comes back twice finds no permit that is out.
        while word.period() == period.0 && word.taken() > word.succeeded() {
            let now = || self.age_ns().div_ceil(1_000_000);
            let (next, why) = match outcome {
                Outcome::Ignored => (word.without_permit(), None),
                Outcome::Success if !slow && word.succeeded() + 1 >= needed => {
                    (word.next(State::Closed, 0, now()), Some(Why::ProbesSucceeded(needed as u32)))
                }
                Outcome::Success if !slow => (word.with_success(), None),
                _ => (word.next(State::Open, 0, now()), Some(Why::ProbeFailed)),
            };
            match exchange(&self.word.0, word.0, next.0, Relaxed, ProbeReturnStored) {
                Ok(_) => {
                    if let Some(why) = why {
                        self.entered(word, next, why);
                    }
                    return;
                }
                Err(now) => word = Word(now),
            }
        }
        Counters::count(&self.scope.counters().breaker_late);
    }

    fn by_hand(&self, state: State) {
        let mut word = self.load();
        loop {
            let next = word.next(state, 0, self.age_ns().div_ceil(1_000_000));
            match self.word.0.compare_exchange(word.0, next.0, Relaxed, Relaxed) {
                Ok(_) => return self.entered(word, next, Why::ByHand),
                Err(now) => word = Word(now),
            }
        }
    }

    /// What whoever changed the state does next.
    #[cold]
    fn entered(&self, from: Word, to: Word, why: Why) {
        if to.state() == State::Closed {
            self.trend.0.begin(to.tag());
            if let Kept::Count(window) = &self.kept {
                window.begin(to.tag());
            }
        }
        Counters::count(&self.scope.counters().breaker_transitions);
        let at_ns = self.clock.now_ns();
        self.scope.announce(&self.name, at_ns, Change::Breaker { from: from.state(), to: to.state(), why });
    }
}
