//! Policies composed around one callee.
//!
//! A call passes them in this order, from what costs the others nothing to what cannot be given back:
//!
//! 1. *Deadline*: a call that comes too late is refused.
//! 2. *Shedding*: a call that matters too little is refused.
//! 3. *Breaker*: nothing below is touched while the callee is known to fail.
//! 4. *Bulkhead*: a place of this program's.
//! 5. *Adaptive limit*: a place of the callee's.
//! 6. *Rate limits*: a token, then a place in the sliding window, spent only when all else admitted the call. (A token is spent
//!    although the window then refuses.)
//! 7. *Chaos*, where it is switched on.
//!
//! A call that is refused gives back what it was given above, as ignored: a half-open breaker's permit is not lost to a full bulkhead.
//! The outcome goes to the breaker and the adaptive limit. With a *timeout*, the call's deadline is at most so far away, and a call
//! that ends after it has failed, whatever it returned. *Retry* is around all of this: each attempt passes the policies anew; of
//! refusals only a rate limit's is tried again, since the others say that more calls make it worse. *Fallback* is around the retries.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use crate::breaker::{Breaker, Pass};
use crate::chaos::Chaos;
use crate::clock::{Clock, nanoseconds};
use crate::counters::Counters;
use crate::deadline::Deadline;
use crate::error::{CallError, Rejected};
use crate::limit::{Adaptive, Bulkhead, Place, SlidingWindow, Ticket, TokenBucket};
use crate::outcome::Outcome;
use crate::retry::{Failure, Retry};
use crate::scope::Scope;
use crate::shed::Shedder;
use knhk_warm::Priority;

/// The policies of a callee; each is optional, and may be shared with other pipelines.
#[derive(Clone, Debug, Default)]
pub struct Policies {
    /// Sheds by priority.
    pub shedder: Option<Arc<Shedder>>,
    /// Stops calling what fails.
    pub breaker: Option<Arc<Breaker>>,
    /// Bounds the calls at once.
    pub bulkhead: Option<Arc<Bulkhead>>,
    /// Bounds the calls at once to what the callee takes.
    pub adaptive: Option<Arc<Adaptive>>,
    /// Bounds the rate of calls.
    pub bucket: Option<Arc<TokenBucket>>,
    /// Bounds the calls of a span.
    pub window: Option<Arc<SlidingWindow>>,
    /// Injects faults.
    pub chaos: Option<Arc<Chaos>>,
    /// Tries again.
    pub retry: Option<Arc<Retry>>,
    /// Bounds each attempt; [`Pipeline::retune`] changes it.
    pub timeout: Option<Duration>,
}

/// No timeout.
const NEVER: u64 = u64::MAX;

/// A pipeline, for any number of threads.
#[derive(Clone, Debug)]
pub struct Pipeline {
    policies: Policies,
    /// Nanoseconds, or [`NEVER`].
    timeout_ns: Arc<AtomicU64>,
    clock: Arc<dyn Clock>,
    scope: Scope,
}

/// An admitted call, which must come back with its outcome.
#[derive(Debug)]
#[must_use = "the outcome must be told to `Pipeline::finish`"]
pub struct Permit {
    pub(crate) pass: Option<Pass>,
    pub(crate) place: Option<Place>,
    pub(crate) ticket: Option<Ticket>,
    pub(crate) deadline: Deadline,
    pub(crate) fails: bool,
}

impl Permit {
    /// One that holds nothing.
    pub(crate) fn empty() -> Permit {
        Permit { pass: None, place: None, ticket: None, deadline: Deadline::NONE, fails: false }
    }

    /// Six words, for a language that cannot hold a Rust value.
    #[inline]
    pub fn into_raw(self) -> [u64; 6] {
        let held = u64::from(self.pass.is_some())
            | u64::from(self.place.is_some()) << 1
            | u64::from(self.ticket.is_some()) << 2
            | u64::from(self.fails) << 3;
        let [period, started] = self.pass.map_or([0; 2], Pass::into_raw);
        let (place, ticket) = (self.place.map_or(0, Place::into_raw), self.ticket.map_or(0, Ticket::into_raw));
        [held, period, started, place, ticket, self.deadline.into_raw()]
    }

    /// The permit of [`Permit::into_raw`]; zeros hold nothing.
    #[inline]
    pub fn from_raw([held, period, started, place, ticket, deadline]: [u64; 6]) -> Permit {
        Permit {
            pass: (held & 1 != 0).then(|| Pass::from_raw([period, started])),
            place: (held & 2 != 0).then(|| Place::from_raw(place)),
            ticket: (held & 4 != 0).then(|| Ticket::from_raw(ticket)),
            fails: held & 8 != 0,
            deadline: if held == 0 && deadline == 0 { Deadline::NONE } else { Deadline::at_ns(deadline) },
        }
    }

    /// Until when the call is to be over: what to hand on to the callee.
    pub fn deadline(&self) -> Deadline {
        self.deadline
    }

    /// Whether chaos wants the call to fail: the callee is not to be called, and the outcome is a failure.
    pub fn is_to_fail(&self) -> bool {
        self.fails
    }
}

/// What is known of a call.
#[derive(Clone, Copy, Debug)]
pub struct Call {
    /// How much it matters.
    pub priority: Priority,
    /// Until when it is worth its work.
    pub deadline: Deadline,
    /// Tokens that it takes from a bucket. 1.
    pub tokens: u32,
}

impl Default for Call {
    fn default() -> Call {
        Call { priority: Priority::default(), deadline: Deadline::NONE, tokens: 1 }
    }
}

/// Why a call through a pipeline has no result of its own.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
pub enum PipelineError<E> {
    /// It was refused, and never began.
    #[error(transparent)]
    Rejected(#[from] Rejected),
    /// It failed.
    #[error("{0}")]
    Failed(E),
    /// Chaos made it fail.
    #[error("the call failed on purpose")]
    Injected,
    /// It ended after its deadline.
    #[error("the call ended after its deadline")]
    TimedOut,
}

impl<E> From<CallError<E>> for PipelineError<E> {
    fn from(error: CallError<E>) -> PipelineError<E> {
        match error {
            CallError::Rejected(rejected) => PipelineError::Rejected(rejected),
            CallError::Failed(error) => PipelineError::Failed(error),
        }
    }
}

impl Pipeline {
    /// A pipeline of those policies.
    pub fn new(policies: Policies, scope: &Scope) -> Pipeline {
        let timeout_ns = Arc::new(AtomicU64::new(policies.timeout.map_or(NEVER, nanoseconds)));
        Pipeline { policies, timeout_ns, clock: scope.clock().clone(), scope: scope.clone() }
    }

    /// What bounds each attempt at present.
    pub fn timeout(&self) -> Option<Duration> {
        let ns = self.timeout_ns.load(Relaxed);
        (ns != NEVER).then(|| Duration::from_nanos(ns))
    }

    /// Changes what bounds each attempt; calls under way keep their deadline. The other policies are retuned themselves.
    pub fn retune(&self, timeout: Option<Duration>) {
        self.timeout_ns.store(timeout.map_or(NEVER, nanoseconds), Relaxed);
    }

    /// Its policies, and the timeout that it was made with.
    pub fn policies(&self) -> &Policies {
        &self.policies
    }

    /// Admits one attempt or refuses it. Does not wait, save for a delay that chaos injects.
    ///
    /// # Errors
    /// [`Rejected`] by the first policy that refuses; nothing is held then.
    pub fn try_enter(&self, call: Call) -> Result<Permit, Rejected> {
        let Policies { shedder, breaker, bulkhead, adaptive, bucket, window, chaos, .. } = &self.policies;
        if call.deadline.has_passed(&*self.clock) {
            Counters::count(&self.scope.counters().deadline_passed);
            return Err(Rejected::DeadlinePassed);
        }
        shedder.as_ref().map_or(Ok(()), |shedder| shedder.try_enter(call.priority))?;
        let deadline = self.timeout().map_or(call.deadline, |timeout| call.deadline.within(timeout, &*self.clock));
        let mut permit = Permit { pass: None, place: None, ticket: None, deadline, fails: false };
        let mut admit = || {
            permit.pass = breaker.as_ref().map(|breaker| breaker.try_enter()).transpose()?;
            permit.place = bulkhead.as_ref().map(|bulkhead| bulkhead.try_enter()).transpose()?;
            permit.ticket = adaptive.as_ref().map(|adaptive| adaptive.try_enter()).transpose()?;
            bucket.as_ref().map_or(Ok(()), |bucket| bucket.try_take(call.tokens))?;
            window.as_ref().map_or(Ok(()), |window| window.try_take())
        };
        if let Err(rejected) = admit() {
            self.give_back(permit, Outcome::Ignored);
            return Err(rejected);
        }
        permit.fails = chaos.as_ref().is_some_and(|chaos| chaos.strike());
        Ok(permit)
    }

    /// Takes the outcome of an attempt. A success that comes after the deadline counts as a failure, which is what this returns then.
    pub fn finish(&self, permit: Permit, outcome: Outcome) -> Outcome {
        let late = outcome == Outcome::Success && permit.deadline.has_passed(&*self.clock);
        let outcome = if permit.fails || late { Outcome::Failure } else { outcome };
        self.give_back(permit, outcome);
        outcome
    }

    fn give_back(&self, permit: Permit, outcome: Outcome) {
        let Policies { breaker, bulkhead, adaptive, .. } = &self.policies;
        if let (Some(adaptive), Some(ticket)) = (adaptive, permit.ticket) {
            adaptive.leave(ticket, outcome);
        }
        if let (Some(bulkhead), Some(place)) = (bulkhead, permit.place) {
            bulkhead.leave(place);
        }
        if let (Some(breaker), Some(pass)) = (breaker, permit.pass) {
            breaker.finish(pass, outcome);
        }
    }

    /// Calls `work`, which is told its deadline, through the policies, again and again where the retry policy says so. A panic is a
    /// failure and goes on.
    ///
    /// # Errors
    /// [`PipelineError`] of the last attempt.
    pub fn call<T, E>(
        &self,
        call: Call,
        mut work: impl FnMut(Deadline) -> Result<T, E>,
    ) -> Result<T, PipelineError<E>> {
        let Some(retry) = &self.policies.retry else { return self.attempt(call, &mut work) };
        let judge = |error: &PipelineError<E>| match error {
            PipelineError::Rejected(Rejected::RateLimited { retry_after }) => Failure::TransientAfter(*retry_after),
            PipelineError::Rejected(_) => Failure::Permanent,
            _ => Failure::Transient,
        };
        retry.call(call.deadline, |_| self.attempt(call, &mut work), judge).map_err(|exhausted| exhausted.error)
    }

    /// [`Pipeline::call`], and what `fallback` makes of the error.
    pub fn call_or_else<T, E>(
        &self,
        call: Call,
        work: impl FnMut(Deadline) -> Result<T, E>,
        fallback: impl FnOnce(PipelineError<E>) -> T,
    ) -> T {
        self.call(call, work).unwrap_or_else(|error| {
            Counters::count(&self.scope.counters().fallbacks);
            fallback(error)
        })
    }

    fn attempt<T, E>(
        &self,
        call: Call,
        work: &mut impl FnMut(Deadline) -> Result<T, E>,
    ) -> Result<T, PipelineError<E>> {
        /// Tells the failure when the call panics.
        struct Unwinding<'a>(&'a Pipeline, Option<Permit>);
        impl Drop for Unwinding<'_> {
            fn drop(&mut self) {
                if let Some(permit) = self.1.take() {
                    self.0.finish(permit, Outcome::Failure);
                }
            }
        }
        let permit = self.try_enter(call)?;
        let (deadline, fails) = (permit.deadline, permit.fails);
        let mut unwinding = Unwinding(self, Some(permit));
        let result = if fails { Err(PipelineError::Injected) } else { work(deadline).map_err(PipelineError::Failed) };
        let before = Outcome::of(&result);
        let after = unwinding.1.take().map_or(before, |permit| self.finish(permit, before));
        if before == Outcome::Success && after == Outcome::Failure {
            return Err(PipelineError::TimedOut);
        }
        result
    }
}
