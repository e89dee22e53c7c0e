//! Policies: breakers, limits, retries, shedding, degradation, recovery, chaos, health, and pipelines of them.
//!
//! A policy is made of named numbers, which are also what a sector's values under "resilience/<policy>/<parameter>" retune: times are in
//! milliseconds and end in "_ms". The kinds, and what each needs or has as default:
//!
//!    breaker         consecutive_failures 5, ema_alpha 0.1, ema_threshold 0.5, minimum_calls 10, failure_rate 0.5, slow_call_ms 0,
//!                    slow_call_rate 0.5, recovery_ms 30,000, half_open_permits 3; when it is made also window_calls, or window_span_ms
//!                    and window_buckets 10
//!    bulkhead        limit
//!    adaptive        lowest 1, highest 1,000, tolerance 1, queue 0.6, smoothing 0.2; when it is made also initial 20, vegas 0 (with 1:
//!                    alpha 0.5, beta 0.8)
//!    token_bucket    rate (a second), burst (as the rate)
//!    sliding_window  limit, span_ms; when it is made also capacity (as the limit)
//!    shedder         background 0.6, low 0.75, normal 0.9, high 1, critical 1.5
//!    chaos           failures 0, delays 0, shortest_delay_ms 0, longest_delay_ms 0, seed 0
//!    pipeline        timeout_ms 0; its policies in `policies`, at most one of each kind above and one retry
//!    retry           attempts 3, base_ms 100, cap_ms 10,000, longest_retry_after_ms 60,000; when it is made also seed 0; its budget in
//!                    `policies`
//!    budget          share 0.1, reserve 10, span_ms 10,000
//!    hedge           copies 2, quantile 0.95, soonest_ms 1, unknown_ms 100; its budget in `policies`
//!    degradation     its levels in `levels`
//!    recovery        pause_ms 100, relapse_ms 60,000; its strategies in `strategies`
//!    health          running 0.9, critical 0.5, stale_after_ms 30,000

use std::ffi::{CString, c_char};
use std::ptr;
use std::sync::Mutex;

use knhk_engine::{Error, Status};
use knhk_resilience::Policy;
use knhk_warm::Ticker;

use super::parts::{PolicyOptionsC, SettingC, parts, settings};
use super::scope::ScopeHandle;
use crate::buffer::{Buffer, filled};
use crate::call::{call, total};
use crate::error::ErrorHandle;
use crate::handle::{Kind, free, give, given, required};
use crate::text::{c_string, output, text};
use crate::versioned::{Output, Versioned, input};

/// Admits every call and watches the outcomes.
pub const KNHK_BREAKER_CLOSED: u32 = 0;
/// Refuses every call until the recovery is over.
pub const KNHK_BREAKER_OPEN: u32 = 1;
/// Admits so many probes.
pub const KNHK_BREAKER_HALF_OPEN: u32 = 2;
/// Opened by hand: refuses every call.
pub const KNHK_BREAKER_FORCED_OPEN: u32 = 3;
/// Admits every call and watches none.
pub const KNHK_BREAKER_DISABLED: u32 = 4;

/// A policy, as C holds it.
pub struct PolicyHandle {
    pub(crate) policy: Policy,
    pub(crate) name: CString,
    /// Names, units and meanings of the parameters, which do not change.
    parameters: Vec<[CString; 3]>,
    /// Polls a health monitor.
    pub(crate) poll: Mutex<Option<Ticker>>,
}

impl Kind for PolicyHandle {
    const NAME: &'static str = "policy";
    const MAGIC: u64 = 0x6b6e_686b_706f_6c01;
}

/// The policy behind a handle, if it is of the kind wanted.
macro_rules! of_kind {
    ($handle:expr, $kind:ident) => {{
        let policy = &$crate::handle::required($handle)?.policy;
        match policy {
            knhk_resilience::Policy::$kind(of) => of,
            other => return Err($crate::resilience::policy::wrong_kind(other, stringify!($kind))),
        }
    }};
}
pub(crate) use of_kind;

pub(crate) fn wrong_kind(policy: &Policy, wanted: &str) -> Error {
    let message = format!("the policy is a {}, and this is for a {}", policy.kind(), wanted.to_lowercase());
    Error::new(Status::InvalidArgument, "call", "policy", message)
}

/// Makes a policy.
///
/// `scope`: what it shares with others. `kind`: see above. `name`: for events, for people and for the engine. `options`: NULL where the
/// kind needs none. `policy`: receives it; the program frees it with knhk_policy_free.
/// Returns KNHK_OK; KNHK_INVALID_ARGUMENT with what cannot be and what may; KNHK_STRUCT_SIZE.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_policy_new(
    scope: *const ScopeHandle,
    kind: *const c_char,
    name: *const c_char,
    options: *const PolicyOptionsC,
    policy: *mut *mut PolicyHandle,
    err: *mut *mut ErrorHandle,
) -> Status {
    let body = || {
        // SAFETY: as documented.
        unsafe {
            let options = input(options)?;
            let parts = parts(&options)?;
            let settings = settings(options.settings, options.settings_len)?;
            let policy = output(policy, "policy")?;
            let name = text(name, "name")?;
            let made = Policy::build(text(kind, "kind")?, name, &settings, parts, &required(scope)?.scope)?;
            let texts = |p: knhk_resilience::policy::Parameter| [c_string(&p.name), c_string(p.unit), c_string(p.what)];
            let parameters = made.parameters().into_iter().map(texts).collect();
            ptr::write(
                policy,
                give(PolicyHandle { policy: made, name: c_string(name), parameters, poll: Mutex::default() }),
            );
        }
        Ok(())
    };
    // SAFETY: as documented.
    unsafe { call(err, body) }
}

/// Frees a policy. NULL does nothing. Pipelines and engines that know it go on with it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_policy_free(policy: *mut PolicyHandle) {
    // SAFETY: NULL or a live policy, as documented.
    unsafe { free(policy) }
}

/// The name of a policy; "" for NULL. Valid until the policy is freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_policy_name(policy: *const PolicyHandle) -> *const c_char {
    // SAFETY: NULL or a live policy, as documented.
    unsafe { given(policy) }.map_or(c"".as_ptr(), |policy| policy.name.as_ptr())
}

/// The state of a policy as a number: a breaker's KNHK_BREAKER_ constant; a degradation's level, 0 for full service; for health 0 where
/// the system runs, 1 where it is degraded, 2 where it is critical; 1 where chaos is on. 0 for what has none, and for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_policy_state(policy: *const PolicyHandle) -> u32 {
    let state = || {
        // SAFETY: NULL or a live policy, as documented.
        let Some(handle) = (unsafe { given(policy) }) else { return 0 };
        match &handle.policy {
            Policy::Breaker(breaker) => breaker.state() as u32,
            Policy::Degradation(degradation) => degradation.level() as u32,
            Policy::Health(monitor) => monitor.assess().system as u32,
            Policy::Chaos(chaos) => chaos.is_on().into(),
            _ => 0,
        }
    };
    total(0, state)
}

/// A policy as it stands, for people: a line, and for health a line more for each component that is not healthy.
///
/// `text`: receives it; the program frees it with knhk_buffer_free.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_policy_text(
    policy: *const PolicyHandle,
    text: *mut *mut Buffer,
    err: *mut *mut ErrorHandle,
) -> Status {
    let body = || {
        let text = output(text, "text")?;
        // SAFETY: as documented.
        unsafe { ptr::write(text, filled(required(policy)?.policy.to_string())) };
        Ok(())
    };
    // SAFETY: as documented.
    unsafe { call(err, body) }
}

/// What a policy counts or measures at present, by name: "taken", "tokens", "trend", "window_failures", "availability" and so on.
///
/// `value`: receives it. Returns KNHK_OK, or KNHK_NOT_FOUND with the names that there are.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_policy_figure(
    policy: *const PolicyHandle,
    name: *const c_char,
    value: *mut f64,
    err: *mut *mut ErrorHandle,
) -> Status {
    let body = || {
        let value = output(value, "value")?;
        // SAFETY: as documented.
        let (policy, name) = unsafe { (&required(policy)?.policy, text(name, "name")?) };
        let figures = policy.figures();
        let Some((_, found)) = figures.iter().find(|(known, _)| *known == name) else {
            let known: Vec<_> = figures.iter().map(|(name, _)| *name).collect();
            let message = format!("a {} has no figure {name:?}; it has {}", policy.kind(), known.join(", "));
            return Err(Error::new(Status::NotFound, "call", name, message));
        };
        // SAFETY: as documented.
        unsafe { ptr::write(value, *found) };
        Ok(())
    };
    // SAFETY: as documented.
    unsafe { call(err, body) }
}

/// A parameter of a policy. Set `struct_size` to sizeof(knhk_parameter_t) before the call.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct ParameterC {
    /// sizeof(knhk_parameter_t); on return, how much of this struct the library knows.
    pub struct_size: u32,
    /// 1 if it is a whole number.
    pub is_whole: u32,
    /// Its name. The texts are valid until the policy is freed.
    pub name: *const c_char,
    /// The unit, in the notation of UCUM.
    pub unit: *const c_char,
    /// What it means.
    pub what: *const c_char,
    /// Its value at present.
    pub value: f64,
    /// The least value.
    pub low: f64,
    /// The greatest value.
    pub high: f64,
}

// SAFETY: plain data that begins with its size.
unsafe impl Versioned for ParameterC {
    const NAME: &'static str = "knhk_parameter_t";
}

/// A parameter of a policy, by its place from 0.
///
/// `parameter`: receives it. Returns KNHK_OK; KNHK_NOT_FOUND beyond the last; KNHK_STRUCT_SIZE.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_policy_parameter(
    policy: *const PolicyHandle,
    index: usize,
    parameter: *mut ParameterC,
    err: *mut *mut ErrorHandle,
) -> Status {
    let body = || {
        // SAFETY: as documented.
        let (policy, place) = unsafe { (required(policy)?, Output::new(parameter)?) };
        let found = policy.policy.parameters().into_iter().nth(index);
        let (Some(found), Some([name, unit, what])) = (found, policy.parameters.get(index)) else {
            let message = format!("the policy has {} parameters, and none at {index}", policy.parameters.len());
            return Err(Error::new(Status::NotFound, "call", "index", message));
        };
        place.write(ParameterC {
            struct_size: 0,
            is_whole: found.is_whole.into(),
            name: name.as_ptr(),
            unit: unit.as_ptr(),
            what: what.as_ptr(),
            value: found.value,
            low: found.low,
            high: found.high,
        });
        Ok(())
    };
    // SAFETY: as documented.
    unsafe { call(err, body) }
}

/// Changes parameters of a policy, all or none; those that are not named stay. Calls under way go on.
///
/// Returns KNHK_OK, or KNHK_INVALID_ARGUMENT with what cannot be; nothing was changed then.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_policy_retune(
    policy: *mut PolicyHandle,
    settings: *const SettingC,
    settings_len: usize,
    err: *mut *mut ErrorHandle,
) -> Status {
    let body = || {
        // SAFETY: as documented.
        unsafe { required(policy)?.policy.retune(&super::parts::settings(settings, settings_len)?)? };
        Ok(())
    };
    // SAFETY: as documented.
    unsafe { call(err, body) }
}
