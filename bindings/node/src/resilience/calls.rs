//! Calls through policies, retries and hedges.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use knhk_resilience::hedge::{Hedged, Verdict};
use knhk_resilience::pipeline::{Call, Permit as Admitted};
use knhk_resilience::retry::{Attempts, Decision, Failure};
use knhk_resilience::{Deadline, Outcome, Policy as Native, Priority, Rejected, Scope as Shared};
use napi::Env;
use napi::bindgen_prelude::{Either, External};
use napi_derive::napi;

use super::policy::Policy;
use super::scope::SLEPT;
use super::{bad, in_ms, milliseconds};

/// An admitted call; one that is forgotten says nothing of the callee.
pub struct Permit {
    native: Native,
    shared: Shared,
    held: Option<Admitted>,
    deadline: Deadline,
}

impl Drop for Permit {
    fn drop(&mut self) {
        if let Some(admitted) = self.held.take() {
            self.native.finish(admitted, Outcome::Ignored);
        }
    }
}

/// Why a call was refused.
#[napi(object)]
pub struct Refusal {
    /// For people.
    pub message: String,
    /// In a word.
    pub reason: String,
    /// Milliseconds after which another try has a chance.
    pub retry_after: Option<f64>,
}

/// An admitted call, as JavaScript needs it.
#[napi(object, object_from_js = false)]
pub struct Entered {
    /// What goes back.
    pub permit: External<Permit>,
    /// Milliseconds that chaos wants to be awaited first.
    pub delay: f64,
    /// Whether chaos wants the call to fail.
    pub fails: bool,
    /// Milliseconds until the call is to be over.
    pub left: Option<f64>,
}

/// Admits a call or refuses it.
#[napi(catch_unwind)]
pub fn policy_enter(
    env: Env,
    policy: &External<Policy>,
    priority: u32,
    timeout: Option<f64>,
    tokens: u32,
) -> napi::Result<Either<Entered, Refusal>> {
    let priority = Priority::ALL.get(priority as usize).copied().unwrap_or_default();
    let deadline = match timeout {
        Some(timeout) => Deadline::after(milliseconds(env, "timeout", timeout)?, &**policy.shared.clock()),
        None => Deadline::NONE,
    };
    SLEPT.set(Some(Duration::ZERO));
    let entered = policy.native.try_enter(Call { priority, deadline, tokens });
    let slept = SLEPT.take().unwrap_or_default();
    Ok(match entered {
        Ok(admitted) => {
            let (deadline, fails) = (admitted.deadline(), admitted.is_to_fail());
            let (native, shared) = (policy.native.clone(), policy.shared.clone());
            let left = deadline.left(&**shared.clock()).map(in_ms);
            let permit = External::new(Permit { native, shared, held: Some(admitted), deadline });
            Either::A(Entered { permit, delay: in_ms(slept), fails, left })
        }
        Err(rejected) => Either::B(refusal(&policy.name, &rejected)),
    })
}

fn refusal(policy: &str, rejected: &Rejected) -> Refusal {
    let retry_after = rejected.retry_after().filter(|after| *after != Duration::MAX).map(in_ms);
    Refusal { message: format!("{policy}: {rejected}"), reason: rejected.reason().into(), retry_after }
}

fn outcome(number: u32) -> Outcome {
    match number {
        0 => Outcome::Success,
        2 => Outcome::Ignored,
        _ => Outcome::Failure,
    }
}

/// Takes how a call ended: 0 success, 1 failure, 2 ignored. `false` where that was taken for something else.
#[napi(catch_unwind)]
pub fn permit_finish(permit: &mut External<Permit>, ended: u32) -> bool {
    let told = outcome(ended);
    match permit.held.take() {
        Some(admitted) => permit.native.finish(admitted, told) == told,
        None => true,
    }
}

/// Milliseconds until the call is to be over.
#[napi(catch_unwind)]
pub fn permit_left(permit: &External<Permit>) -> Option<f64> {
    permit.deadline.left(&**permit.shared.clock()).map(in_ms)
}

/// A call's attempts so far.
pub struct Tries(Attempts);

/// Begins the first attempt.
#[napi(catch_unwind)]
pub fn retry_begin(env: Env, policy: &External<Policy>) -> napi::Result<External<Tries>> {
    Ok(External::new(Tries(of_kind!(env, policy, Retry).begin())))
}

/// What to do after a failure.
#[napi(object)]
pub struct Decided {
    /// Attempts that were begun.
    pub made: u32,
    /// Milliseconds before the next one.
    pub pause: Option<f64>,
    /// Why there is none.
    pub why: Option<String>,
}

/// Decides after a failed attempt.
#[napi(catch_unwind)]
pub fn retry_decide(
    env: Env,
    policy: &External<Policy>,
    tries: &mut External<Tries>,
    permanent: bool,
    retry_after: Option<f64>,
) -> napi::Result<Decided> {
    let retry = of_kind!(env, policy, Retry);
    let failure = match (permanent, retry_after) {
        (true, _) => Failure::Permanent,
        (_, Some(after)) => Failure::TransientAfter(milliseconds(env, "retryAfter", after)?),
        _ => Failure::Transient,
    };
    let (pause, why) = match retry.decide(&mut tries.0, failure, Deadline::NONE) {
        Decision::After(pause) => (Some(in_ms(pause)), None),
        Decision::GiveUp(why) => (None, Some(why.to_string())),
    };
    Ok(Decided { made: tries.0.made(), pause, why })
}

/// What a `Retry-After` header asks for, in milliseconds.
#[napi(catch_unwind)]
pub fn retry_after(value: String) -> Option<f64> {
    knhk_resilience::retry::retry_after(&value, std::time::SystemTime::now()).map(in_ms)
}

/// A hedged call.
pub struct Copies(Mutex<Hedged>);

impl Copies {
    fn lock(&self) -> MutexGuard<'_, Hedged> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Begins the first copy.
#[napi(catch_unwind)]
pub fn hedge_begin(env: Env, policy: &External<Policy>) -> napi::Result<External<Copies>> {
    Ok(External::new(Copies(Mutex::new(of_kind!(env, policy, Hedge).begin()))))
}

/// Milliseconds until another copy is sent.
#[napi(catch_unwind)]
pub fn hedge_wait(env: Env, policy: &External<Policy>, copies: &External<Copies>) -> napi::Result<Option<f64>> {
    Ok(of_kind!(env, policy, Hedge).wait(&copies.lock()).map(in_ms))
}

/// The number of another copy to send now.
#[napi(catch_unwind)]
pub fn hedge_send(env: Env, policy: &External<Policy>, copies: &External<Copies>) -> napi::Result<Option<u32>> {
    Ok(of_kind!(env, policy, Hedge).send(&mut copies.lock()))
}

/// What a copy's end means: "use", "wait", "sendAnother" or "late".
#[napi(catch_unwind)]
pub fn hedge_finish(
    env: Env,
    policy: &External<Policy>,
    copies: &External<Copies>,
    copy: u32,
    ended: u32,
) -> napi::Result<String> {
    Ok(match of_kind!(env, policy, Hedge).finish(&mut copies.lock(), copy, outcome(ended)) {
        Verdict::Use => "use",
        Verdict::Wait => "wait",
        Verdict::SendAnother => "sendAnother",
        Verdict::Late => "late",
    }
    .into())
}
