//! Retries: for programs that make the attempts themselves; knhk_policy_call makes them through a pipeline.
//!
//!    knhk_attempts_t attempts;
//!    knhk_retry_begin(retry, &attempts, NULL);
//!    while (!try_it()) {
//!        uint64_t pause;
//!        if (knhk_retry_decide(retry, &attempts, KNHK_RETRY_TRANSIENT, 0, 0, &pause, NULL, NULL)) break; // given up
//!        sleep_ns(pause);
//!    }

use std::ffi::c_char;
use std::ptr;
use std::time::{Duration, SystemTime};

use knhk_engine::{Error, Status};
use knhk_resilience::Deadline;
use knhk_resilience::recover::Incident;
use knhk_resilience::retry::{Attempts, Decision, Failure, GiveUp, retry_after};

use super::calls::nanoseconds;
use super::policy::{PolicyHandle, of_kind};
use crate::buffer::{Buffer, filled};
use crate::call::call;
use crate::error::ErrorHandle;
use crate::options::out_of;
use crate::text::{output, text};

/// Another attempt may succeed.
pub const KNHK_RETRY_TRANSIENT: u32 = 0;
/// No other attempt will succeed.
pub const KNHK_RETRY_PERMANENT: u32 = 1;

/// It was the last attempt.
pub const KNHK_GIVE_UP_ATTEMPTS: u32 = 1;
/// The budget is spent: too much is being tried again.
pub const KNHK_GIVE_UP_BUDGET: u32 = 2;
/// The pause would outlast the deadline.
pub const KNHK_GIVE_UP_DEADLINE: u32 = 3;
/// The callee asks for a longer pause than the policy allows.
pub const KNHK_GIVE_UP_RETRY_AFTER: u32 = 4;
/// The failure is not one that another attempt mends.
pub const KNHK_GIVE_UP_PERMANENT: u32 = 5;

/// One call's attempts so far. Plain data.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct AttemptsC {
    /// Attempts that were begun.
    pub made: u64,
    /// The last pause, in nanoseconds.
    pub pause_ns: u64,
}

/// Begins a call's first attempt.
///
/// `attempts`: receives its record.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_retry_begin(
    policy: *const PolicyHandle,
    attempts: *mut AttemptsC,
    err: *mut *mut ErrorHandle,
) -> Status {
    let body = || {
        let attempts = output(attempts, "attempts")?;
        // SAFETY: as documented.
        let [made, pause_ns] = unsafe { of_kind!(policy, Retry) }.begin().into_raw();
        // SAFETY: as documented.
        unsafe { ptr::write(attempts, AttemptsC { made, pause_ns }) };
        Ok(())
    };
    // SAFETY: as documented.
    unsafe { call(err, body) }
}

/// Decides after a failed attempt. One that is to be made again is counted, and taken from the budget.
///
/// `failure`: KNHK_RETRY_TRANSIENT or KNHK_RETRY_PERMANENT. `retry_after_ns`: the shortest pause that the callee asks for; 0 for none.
/// `deadline_ns`: the call's, by the scope's clock; 0 for none. `pause_ns`: receives how long to wait before the next attempt.
/// `why`: NULL, or receives a KNHK_GIVE_UP_ constant, on KNHK_CALL_FAILED only.
/// Returns KNHK_OK to try again after the pause; KNHK_CALL_FAILED to give up.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_retry_decide(
    policy: *const PolicyHandle,
    attempts: *mut AttemptsC,
    failure: u32,
    retry_after_ns: u64,
    deadline_ns: u64,
    pause_ns: *mut u64,
    why: *mut u32,
    err: *mut *mut ErrorHandle,
) -> Status {
    let body = || {
        // SAFETY: as documented.
        let retry = unsafe { of_kind!(policy, Retry) };
        let (attempts, pause_ns) = (output(attempts, "attempts")?, output(pause_ns, "pause_ns")?);
        let failure = match (failure, retry_after_ns) {
            (KNHK_RETRY_TRANSIENT, 0) => Failure::Transient,
            (KNHK_RETRY_TRANSIENT, ns) => Failure::TransientAfter(Duration::from_nanos(ns)),
            (KNHK_RETRY_PERMANENT, _) => Failure::Permanent,
            (other, _) => return Err(out_of("failure", other.into(), "KNHK_RETRY_TRANSIENT or KNHK_RETRY_PERMANENT")),
        };
        let deadline = if deadline_ns == 0 { Deadline::NONE } else { Deadline::at_ns(deadline_ns) };
        // SAFETY: as documented.
        let mut so_far = unsafe { Attempts::from_raw([(*attempts).made, (*attempts).pause_ns]) };
        match retry.decide(&mut so_far, failure, deadline) {
            Decision::After(pause) => {
                let [made, last] = so_far.into_raw();
                // SAFETY: as documented.
                unsafe {
                    ptr::write(attempts, AttemptsC { made, pause_ns: last });
                    ptr::write(pause_ns, nanoseconds(pause));
                }
                Ok(())
            }
            Decision::GiveUp(reason) => {
                let number = match reason {
                    GiveUp::Attempts => KNHK_GIVE_UP_ATTEMPTS,
                    GiveUp::Budget => KNHK_GIVE_UP_BUDGET,
                    GiveUp::Deadline => KNHK_GIVE_UP_DEADLINE,
                    GiveUp::RetryAfter => KNHK_GIVE_UP_RETRY_AFTER,
                    _ => KNHK_GIVE_UP_PERMANENT,
                };
                if !why.is_null() {
                    // SAFETY: as documented.
                    unsafe { ptr::write(why, number) };
                }
                let message = format!("no other attempt after {}: {reason}", so_far.made());
                Err(Error::new(Status::CallFailed, "retry", "attempts", message))
            }
        }
    };
    // SAFETY: as documented.
    unsafe { call(err, body) }
}

/// What the value of a Retry-After header (RFC 9110) asks for: seconds, or a date, which is compared with the system's clock.
///
/// `pause_ns`: receives it. Returns KNHK_OK, or KNHK_INVALID_ARGUMENT for a value that is neither.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_retry_after(
    value: *const c_char,
    pause_ns: *mut u64,
    err: *mut *mut ErrorHandle,
) -> Status {
    let body = || {
        let pause_ns = output(pause_ns, "pause_ns")?;
        // SAFETY: as documented.
        let value = unsafe { text(value, "value")? };
        let pause = retry_after(value, SystemTime::now()).ok_or_else(|| {
            Error::new(Status::InvalidArgument, "call", "value", format!("{value:?} is neither seconds nor a date"))
        })?;
        // SAFETY: as documented.
        unsafe { ptr::write(pause_ns, nanoseconds(pause)) };
        Ok(())
    };
    // SAFETY: as documented.
    unsafe { call(err, body) }
}

/// Tries the strategies of a recovery until one mends what is broken, on the calling thread. A component that breaks again soon begins
/// with the strategy after the one that mended it.
///
/// `component`, `what`: what is broken, and what was seen. `report`: NULL, or receives how it went, for people, also on KNHK_CALL_FAILED; the
/// program frees it with knhk_buffer_free.
/// Returns KNHK_OK when it was mended; KNHK_CALL_FAILED when nothing mended it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_recover(
    policy: *const PolicyHandle,
    component: *const c_char,
    what: *const c_char,
    report: *mut *mut Buffer,
    err: *mut *mut ErrorHandle,
) -> Status {
    let body = || {
        // SAFETY: as documented.
        let (recovery, component, what) =
            unsafe { (of_kind!(policy, Recovery), text(component, "component")?, text(what, "what")?) };
        let found = recovery.recover(&Incident { component: component.into(), what: what.into() });
        if !report.is_null() {
            // SAFETY: as documented.
            unsafe { ptr::write(report, filled(found.to_string())) };
        }
        let message = format!("{component}: {found}");
        found.mended_by.map(drop).ok_or_else(|| Error::new(Status::CallFailed, "recover", component, message))
    };
    // SAFETY: as documented.
    unsafe { call(err, body) }
}
