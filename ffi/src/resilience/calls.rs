//! Calls through a policy: admitted or refused at once, and told how they ended.
//!
//!    knhk_permit_t permit;
//!    if (knhk_policy_enter(breaker, NULL, &permit, NULL, NULL) == KNHK_OK) {
//!        bool ok = call_the_callee();
//!        knhk_policy_finish(breaker, &permit, ok ? KNHK_OUTCOME_SUCCESS : KNHK_OUTCOME_FAILURE);
//!    }
//!
//! The policies that admit calls are the first eight kinds. A closed breaker costs a few nanoseconds, and nothing is allocated.

use std::ffi::c_void;
use std::ptr;
use std::time::Duration;

use knhk_engine::{Error, Status};
use knhk_resilience::breaker::Pass;
use knhk_resilience::pipeline::{Call, Permit, PipelineError};
use knhk_resilience::{Deadline, Outcome, Policy, Priority, Rejected};

use super::policy::PolicyHandle;
use crate::call::{call, total};
use crate::error::ErrorHandle;
use crate::handle::{given, required};
use crate::options::out_of;
use crate::text::{null, output};
use crate::versioned::{Output, Versioned, input};

/// The call did what it was asked to.
pub const KNHK_OUTCOME_SUCCESS: u32 = 0;
/// It failed in a way that speaks of the callee: an error, a time-out.
pub const KNHK_OUTCOME_FAILURE: u32 = 1;
/// It says nothing of the callee: the caller gave up, or asked for nonsense.
pub const KNHK_OUTCOME_IGNORED: u32 = 2;

/// Work that nobody waits for.
pub const KNHK_PRIORITY_BACKGROUND: u32 = 1;
/// Work that can wait.
pub const KNHK_PRIORITY_LOW: u32 = 2;
/// The usual, and what 0 means.
pub const KNHK_PRIORITY_NORMAL: u32 = 3;
/// Work that people notice when it fails.
pub const KNHK_PRIORITY_HIGH: u32 = 4;
/// What must go on while anything does.
pub const KNHK_PRIORITY_CRITICAL: u32 = 5;

/// A breaker is open; the refusal says how long.
pub const KNHK_REFUSED_OPEN: u32 = 1;
/// A breaker was opened by hand.
pub const KNHK_REFUSED_FORCED_OPEN: u32 = 2;
/// A breaker is half-open and its probes are under way.
pub const KNHK_REFUSED_PROBING: u32 = 3;
/// A rate limit is used up; the refusal says for how long.
pub const KNHK_REFUSED_RATE_LIMITED: u32 = 4;
/// All places of a bulkhead are taken.
pub const KNHK_REFUSED_FULL: u32 = 5;
/// An adaptive limit is reached.
pub const KNHK_REFUSED_OVERLOADED: u32 = 6;
/// Calls of this priority are shed.
pub const KNHK_REFUSED_SHED: u32 = 7;
/// The deadline passed before the call began.
pub const KNHK_REFUSED_DEADLINE_PASSED: u32 = 8;

/// What is known of a call. Set `struct_size` to sizeof(knhk_attempt_t) and what you do not care about to 0.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct AttemptC {
    /// sizeof(knhk_attempt_t).
    pub struct_size: u32,
    /// A KNHK_PRIORITY_ constant.
    pub priority: u32,
    /// Until when it is worth its work, by the scope's clock (knhk_scope_now_ns); 0 for ever.
    pub deadline_ns: u64,
    /// Tokens that it takes from a bucket; 0 means 1.
    pub tokens: u32,
    /// 0.
    pub reserved: u32,
}

// SAFETY: plain data that begins with its size; zeros are the defaults.
unsafe impl Versioned for AttemptC {
    const NAME: &'static str = "knhk_attempt_t";
}

/// An admitted call. Plain data: it may be copied and kept anywhere, and goes back to the policy once, with knhk_policy_finish.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct PermitC {
    /// What the policy knows it by.
    pub words: [u64; 6],
}

/// Why a call was refused. Set `struct_size` to sizeof(knhk_refusal_t) before the call.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct RefusalC {
    /// sizeof(knhk_refusal_t); on return, how much of this struct the library knows.
    pub struct_size: u32,
    /// A KNHK_REFUSED_ constant.
    pub reason: u32,
    /// After how long another try has a chance, in nanoseconds; UINT64_MAX where that is not known, or never.
    pub retry_after_ns: u64,
    /// The places of a bulkhead, an adaptive limit, or the probes of a half-open breaker; else 0.
    pub limit: u32,
    /// 0.
    pub reserved: u32,
    /// The load at which a call was shed; else 0.
    pub load: f64,
}

// SAFETY: plain data that begins with its size.
unsafe impl Versioned for RefusalC {
    const NAME: &'static str = "knhk_refusal_t";
}

pub(crate) fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

fn refusal(rejected: &Rejected) -> RefusalC {
    let (reason, limit) = match *rejected {
        Rejected::Open { .. } => (KNHK_REFUSED_OPEN, 0),
        Rejected::ForcedOpen => (KNHK_REFUSED_FORCED_OPEN, 0),
        Rejected::Probing { permits } => (KNHK_REFUSED_PROBING, permits),
        Rejected::RateLimited { .. } => (KNHK_REFUSED_RATE_LIMITED, 0),
        Rejected::Full { limit } => (KNHK_REFUSED_FULL, limit),
        Rejected::Overloaded { limit } => (KNHK_REFUSED_OVERLOADED, limit),
        Rejected::Shed { .. } => (KNHK_REFUSED_SHED, 0),
        Rejected::DeadlinePassed => (KNHK_REFUSED_DEADLINE_PASSED, 0),
        _ => (0, 0),
    };
    let load = if let Rejected::Shed { load, .. } = *rejected { load.into() } else { 0.0 };
    let retry_after_ns = rejected.retry_after().map_or(u64::MAX, nanoseconds);
    RefusalC { struct_size: 0, reason, retry_after_ns, limit, reserved: 0, load }
}

/// A call out of C.
///
/// # Safety
/// As [`input`].
unsafe fn attempt(at: *const AttemptC) -> Result<Call, Error> {
    if at.is_null() {
        return Ok(Call::default());
    }
    // SAFETY: the caller's promise.
    let given = unsafe { input(at)? };
    let priority = match given.priority {
        0 => Priority::Normal,
        number => *Priority::ALL
            .get(number as usize - 1)
            .ok_or_else(|| out_of("priority", number.into(), "a KNHK_PRIORITY_ constant"))?,
    };
    let deadline = if given.deadline_ns == 0 { Deadline::NONE } else { Deadline::at_ns(given.deadline_ns) };
    Ok(Call { priority, deadline, tokens: given.tokens.max(1) })
}

fn outcome(number: u32) -> Outcome {
    match number {
        KNHK_OUTCOME_SUCCESS => Outcome::Success,
        KNHK_OUTCOME_IGNORED => Outcome::Ignored,
        _ => Outcome::Failure,
    }
}

/// What admits no call cannot be entered.
fn checked(policy: &Policy) -> Result<&Policy, Error> {
    if policy.admits_calls() {
        return Ok(policy);
    }
    let message = format!("a {} admits no calls: it decides for those that ask it", policy.kind());
    Err(Error::new(Status::InvalidArgument, "call", "policy", message))
}

/// The refusal as an error, which costs more than the refusal: only for who wants one.
#[cold]
fn refused(rejected: &Rejected, place: Output<RefusalC>, handle: &PolicyHandle, err: *mut *mut ErrorHandle) -> Status {
    place.write(refusal(rejected));
    if !err.is_null() {
        let name = handle.name.to_string_lossy();
        let error = Error::new(Status::Refused, "enter", name.as_ref(), format!("{name}: {rejected}"));
        // SAFETY: writable, as documented.
        unsafe { crate::error::hand_out(&error, err) };
    }
    Status::Refused
}

/// The words of a permit that hold a breaker's pass and nothing else: what is held, the pass, and the deadline.
const PASS_ALONE: u64 = 1;

/// Enters a breaker that is closed, which is what most calls do; `false` leaves everything to the usual way.
///
/// # Safety
/// As [`knhk_policy_enter`].
#[inline(always)]
unsafe fn enter_breaker(policy: *const PolicyHandle, permit: *mut PermitC) -> bool {
    // SAFETY: as documented.
    let Some(PolicyHandle { policy: Policy::Breaker(breaker), .. }) = (unsafe { given(policy) }) else { return false };
    if permit.is_null() {
        return false;
    }
    let Some(pass) = breaker.enter_closed() else { return false };
    let [period, started] = pass.into_raw();
    // SAFETY: writable, as documented; the words between hold a place and a ticket where the first says so.
    unsafe {
        (*permit).words[0] = PASS_ALONE;
        (*permit).words[1] = period;
        (*permit).words[2] = started;
        (*permit).words[5] = u64::MAX;
    }
    true
}

/// Admits a call or refuses it, without waiting, save for a delay that chaos injects.
///
/// `attempt`: NULL for a call of normal priority without a deadline. `permit`: receives what goes back with knhk_policy_finish; written
/// on success only. `refusal`: NULL, or receives why, on KNHK_REFUSED only.
/// Returns KNHK_OK; KNHK_REFUSED, and then nothing is held; KNHK_INVALID_ARGUMENT for a kind of policy that admits no calls.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_policy_enter(
    policy: *const PolicyHandle,
    attempt: *const AttemptC,
    permit: *mut PermitC,
    refusal: *mut RefusalC,
    err: *mut *mut ErrorHandle,
) -> Status {
    // SAFETY: as documented.
    if attempt.is_null() && unsafe { enter_breaker(policy, permit) } {
        return Status::Ok;
    }
    let mut status = Status::Ok;
    let body = || {
        // SAFETY: as documented.
        let (handle, call, place) = unsafe { (required(policy)?, self::attempt(attempt)?, Output::new(refusal)?) };
        let permit = output(permit, "permit")?;
        match checked(&handle.policy)?.try_enter(call) {
            // SAFETY: as documented.
            Ok(admitted) => unsafe { ptr::write(permit, PermitC { words: admitted.into_raw() }) },
            Err(rejected) => status = refused(&rejected, place, handle, err),
        }
        Ok(())
    };
    // SAFETY: as documented.
    match unsafe { call(err, body) } {
        Status::Ok => status,
        failed => failed,
    }
}

/// Tells a policy how an admitted call ended. The permit holds nothing afterwards: finishing it again does nothing.
///
/// `outcome`: a KNHK_OUTCOME_ constant. Returns what it was taken for: a pipeline takes a success beyond its deadline, and whatever
/// chaos made fail, for a failure. NULL arguments do nothing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_policy_finish(policy: *const PolicyHandle, permit: *mut PermitC, outcome: u32) -> u32 {
    total(outcome, || {
        // SAFETY: NULL or a live policy, as documented.
        let Some(handle) = (unsafe { given(policy) }) else { return outcome };
        if permit.is_null() {
            return outcome;
        }
        if let Policy::Breaker(breaker) = &handle.policy {
            // SAFETY: as documented.
            let permit = unsafe { &mut *permit };
            if std::mem::take(&mut permit.words[0]) & PASS_ALONE != 0 {
                let ended = self::outcome(outcome);
                breaker.finish(Pass::from_raw([permit.words[1], permit.words[2]]), ended);
                return ended as u32;
            }
            return outcome;
        }
        // SAFETY: as documented.
        let words = unsafe { (*permit).words };
        // SAFETY: as documented. The first word says what is held.
        unsafe { (*permit).words[0] = 0 };
        handle.policy.finish(Permit::from_raw(words), self::outcome(outcome)) as u32
    })
}

/// Until when an admitted call is to be over, by the scope's clock: what to hand on to the callee; UINT64_MAX for ever.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_permit_deadline_ns(permit: *const PermitC) -> u64 {
    // SAFETY: NULL or a permit, as documented.
    unsafe { permit.as_ref() }.map_or(u64::MAX, |permit| Permit::from_raw(permit.words).deadline().into_raw())
}

/// Whether chaos wants an admitted call to fail: the callee is not to be called, and the outcome is a failure.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_permit_is_to_fail(permit: *const PermitC) -> bool {
    // SAFETY: NULL or a permit, as documented.
    unsafe { permit.as_ref() }.is_some_and(|permit| Permit::from_raw(permit.words).is_to_fail())
}

/// Does some work through a policy, on the calling thread; through a pipeline with a retry, again and again, with pauses in between.
///
/// `work`: called with `ctx`, and until when the call is worth its work, by the scope's clock, UINT64_MAX for ever; returns a
/// KNHK_OUTCOME_ constant. `refusal`: NULL, or receives why, on KNHK_REFUSED only.
/// Returns KNHK_OK when the work succeeded, or was ignored; KNHK_REFUSED; KNHK_CALL_FAILED when it failed, at last, or chaos made it fail;
/// KNHK_TIMEOUT when it ended beyond its deadline.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_policy_call(
    policy: *const PolicyHandle,
    attempt: *const AttemptC,
    work: Option<unsafe extern "C" fn(ctx: *mut c_void, deadline_ns: u64) -> u32>,
    ctx: *mut c_void,
    refusal: *mut RefusalC,
    err: *mut *mut ErrorHandle,
) -> Status {
    let mut status = Status::Ok;
    let body = || {
        // SAFETY: as documented.
        let (handle, call, place) = unsafe { (required(policy)?, self::attempt(attempt)?, Output::new(refusal)?) };
        let work = work.ok_or_else(|| null("work"))?;
        // SAFETY: given for this.
        let mut work = |deadline: Deadline| match outcome(unsafe { work(ctx, deadline.into_raw()) }) {
            Outcome::Failure => Err(()),
            other => Ok(other),
        };
        let result = match checked(&handle.policy)? {
            Policy::Pipeline(pipeline) => pipeline.call(call, &mut work).map(drop),
            policy => match policy.try_enter(call) {
                Err(rejected) => Err(PipelineError::Rejected(rejected)),
                Ok(permit) if permit.is_to_fail() => {
                    policy.finish(permit, Outcome::Failure);
                    Err(PipelineError::Injected)
                }
                Ok(permit) => {
                    let result = work(call.deadline);
                    policy.finish(permit, *result.as_ref().unwrap_or(&Outcome::Failure));
                    result.map(drop).map_err(PipelineError::Failed)
                }
            },
        };
        let failed = |status, what: &str| {
            let name = handle.name.to_string_lossy();
            Err(Error::new(status, "call", name.as_ref(), format!("{name}: {what}")))
        };
        match result {
            Ok(()) => Ok(()),
            Err(PipelineError::Rejected(rejected)) => {
                status = refused(&rejected, place, handle, err);
                Ok(())
            }
            Err(PipelineError::TimedOut) => failed(Status::Timeout, "the call ended after its deadline"),
            Err(PipelineError::Injected) => failed(Status::CallFailed, "the call failed on purpose"),
            Err(PipelineError::Failed(())) => failed(Status::CallFailed, "the call failed"),
        }
    };
    // SAFETY: as documented.
    match unsafe { call(err, body) } {
        Status::Ok => status,
        failed => failed,
    }
}
