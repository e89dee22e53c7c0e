//! Hedges: a second copy of a call that takes long, whose first answer counts. The program sends the copies and asks when.

use std::ptr;

use knhk_engine::Status;
use knhk_resilience::Outcome;
use knhk_resilience::hedge::{Hedged, Verdict};

use super::calls::{KNHK_OUTCOME_IGNORED, KNHK_OUTCOME_SUCCESS, nanoseconds};
use super::policy::{PolicyHandle, of_kind};
use crate::call::call;
use crate::error::ErrorHandle;
use crate::text::output;

/// The copy's end is the call's answer: a success, or the failure of the last copy.
pub const KNHK_HEDGE_USE: u32 = 0;
/// The copy failed, but others are under way.
pub const KNHK_HEDGE_WAIT: u32 = 1;
/// The copy failed and nothing else is under way, but another may be sent at once.
pub const KNHK_HEDGE_SEND_ANOTHER: u32 = 2;
/// Another copy has answered; this one does not count.
pub const KNHK_HEDGE_LATE: u32 = 3;

/// One hedged call. Plain data, used by one thread at a time.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct HedgedC {
    /// What the policy knows it by.
    pub words: [u64; 10],
}

/// Begins a call: its first copy, number 0, is to be sent now.
///
/// `hedged`: receives its record.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_hedge_begin(
    policy: *const PolicyHandle,
    hedged: *mut HedgedC,
    err: *mut *mut ErrorHandle,
) -> Status {
    let body = || {
        let hedged = output(hedged, "hedged")?;
        // SAFETY: as documented.
        unsafe { ptr::write(hedged, HedgedC { words: of_kind!(policy, Hedge).begin().into_raw() }) };
        Ok(())
    };
    // SAFETY: as documented.
    unsafe { call(err, body) }
}

/// How long to wait for an answer before another copy is sent.
///
/// `wait_ns`: receives it; UINT64_MAX when none will be.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_hedge_wait(
    policy: *const PolicyHandle,
    hedged: *const HedgedC,
    wait_ns: *mut u64,
    err: *mut *mut ErrorHandle,
) -> Status {
    let body = || {
        let (hedged, wait_ns) = (output(hedged.cast_mut(), "hedged")?, output(wait_ns, "wait_ns")?);
        // SAFETY: as documented.
        unsafe {
            let wait = of_kind!(policy, Hedge).wait(&Hedged::from_raw((*hedged).words));
            ptr::write(wait_ns, wait.map_or(u64::MAX, nanoseconds));
        }
        Ok(())
    };
    // SAFETY: as documented.
    unsafe { call(err, body) }
}

/// Asks whether to send another copy now: the wait must be over, unless nothing is under way, and the budget must cover it.
///
/// `copy`: receives its number, or UINT32_MAX for none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_hedge_send(
    policy: *const PolicyHandle,
    hedged: *mut HedgedC,
    copy: *mut u32,
    err: *mut *mut ErrorHandle,
) -> Status {
    let body = || {
        let (hedged, copy) = (output(hedged, "hedged")?, output(copy, "copy")?);
        // SAFETY: as documented.
        unsafe {
            let mut call = Hedged::from_raw((*hedged).words);
            let sent = of_kind!(policy, Hedge).send(&mut call);
            ptr::write(hedged, HedgedC { words: call.into_raw() });
            ptr::write(copy, sent.unwrap_or(u32::MAX));
        }
        Ok(())
    };
    // SAFETY: as documented.
    unsafe { call(err, body) }
}

/// Tells how a copy ended.
///
/// `copy`: its number. `outcome`: a KNHK_OUTCOME_ constant. `verdict`: receives a KNHK_HEDGE_ constant. Where that is
/// KNHK_HEDGE_SEND_ANOTHER and knhk_hedge_send then gives none, the failure is the call's answer.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_hedge_finish(
    policy: *const PolicyHandle,
    hedged: *mut HedgedC,
    copy: u32,
    outcome: u32,
    verdict: *mut u32,
    err: *mut *mut ErrorHandle,
) -> Status {
    let body = || {
        let (hedged, verdict) = (output(hedged, "hedged")?, output(verdict, "verdict")?);
        let outcome = match outcome {
            KNHK_OUTCOME_SUCCESS => Outcome::Success,
            KNHK_OUTCOME_IGNORED => Outcome::Ignored,
            _ => Outcome::Failure,
        };
        // SAFETY: as documented.
        unsafe {
            let mut call = Hedged::from_raw((*hedged).words);
            let found = match of_kind!(policy, Hedge).finish(&mut call, copy, outcome) {
                Verdict::Use => KNHK_HEDGE_USE,
                Verdict::Wait => KNHK_HEDGE_WAIT,
                Verdict::SendAnother => KNHK_HEDGE_SEND_ANOTHER,
                Verdict::Late => KNHK_HEDGE_LATE,
            };
            ptr::write(hedged, HedgedC { words: call.into_raw() });
            ptr::write(verdict, found);
        }
        Ok(())
    };
    // SAFETY: as documented.
    unsafe { call(err, body) }
}
