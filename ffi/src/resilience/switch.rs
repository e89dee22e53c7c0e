//! Switches: what of a policy somebody, or a load, changes while it is in use.

use std::ffi::c_char;
use std::ptr;

use knhk_engine::{Error, Status};
use knhk_resilience::degrade::Feature;
use knhk_resilience::{Breaker, Policy};

use super::policy::{PolicyHandle, of_kind, wrong_kind};
use crate::call::call;
use crate::error::ErrorHandle;
use crate::handle::{given, required};
use crate::text::{output, text};

unsafe fn by_hand(policy: *mut PolicyHandle, err: *mut *mut ErrorHandle, switch: fn(&Breaker)) -> Status {
    let body = || {
        // SAFETY: as documented.
        switch(unsafe { of_kind!(policy, Breaker) });
        Ok(())
    };
    // SAFETY: as documented.
    unsafe { call(err, body) }
}

/// Opens a breaker until knhk_breaker_close.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_breaker_force_open(policy: *mut PolicyHandle, err: *mut *mut ErrorHandle) -> Status {
    // SAFETY: as documented.
    unsafe { by_hand(policy, err, Breaker::force_open) }
}

/// Closes a breaker, with nothing remembered.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_breaker_close(policy: *mut PolicyHandle, err: *mut *mut ErrorHandle) -> Status {
    // SAFETY: as documented.
    unsafe { by_hand(policy, err, Breaker::close) }
}

/// Has a breaker admit everything and remember nothing until knhk_breaker_close.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_breaker_disable(policy: *mut PolicyHandle, err: *mut *mut ErrorHandle) -> Status {
    // SAFETY: as documented.
    unsafe { by_hand(policy, err, Breaker::disable) }
}

/// Switches chaos on (1) or off (0); it begins off.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_chaos_switch(policy: *mut PolicyHandle, on: u32, err: *mut *mut ErrorHandle) -> Status {
    let body = || {
        // SAFETY: as documented.
        unsafe { of_kind!(policy, Chaos) }.switch(on != 0);
        Ok(())
    };
    // SAFETY: as documented.
    unsafe { call(err, body) }
}

/// Tells a shedder or a degradation the load: the share of a queue's room, of the processors; 1 is the capacity.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_policy_load(policy: *mut PolicyHandle, load: f64, err: *mut *mut ErrorHandle) -> Status {
    let body = || {
        // SAFETY: as documented.
        match unsafe { &required(policy)?.policy } {
            Policy::Shedder(shedder) => shedder.load(load as f32),
            Policy::Degradation(degradation) => degradation.load(load),
            other => return Err(wrong_kind(other, "shedder or a degradation")),
        }
        Ok(())
    };
    // SAFETY: as documented.
    unsafe { call(err, body) }
}

/// Holds a level of a degradation whatever the load is.
///
/// `level`: 0 is full service, beyond the last is the last; UINT32_MAX lets go, and the load decides again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_degradation_pin(
    policy: *mut PolicyHandle,
    level: u32,
    err: *mut *mut ErrorHandle,
) -> Status {
    let body = || {
        // SAFETY: as documented.
        unsafe { of_kind!(policy, Degradation) }.pin((level != u32::MAX).then_some(level as usize));
        Ok(())
    };
    // SAFETY: as documented.
    unsafe { call(err, body) }
}

/// The number of a feature, for knhk_feature_is_on.
///
/// `feature`: receives it. Returns KNHK_OK, or KNHK_NOT_FOUND where no level of the degradation switches it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_feature(
    policy: *const PolicyHandle,
    name: *const c_char,
    feature: *mut u32,
    err: *mut *mut ErrorHandle,
) -> Status {
    let body = || {
        let feature = output(feature, "feature")?;
        // SAFETY: as documented.
        let (degradation, name) = unsafe { (of_kind!(policy, Degradation), text(name, "name")?) };
        let found = degradation.feature(name).ok_or_else(|| {
            Error::new(Status::NotFound, "call", name, format!("no level switches a feature {name:?} off"))
        })?;
        // SAFETY: as documented.
        unsafe { ptr::write(feature, found.into_raw()) };
        Ok(())
    };
    // SAFETY: as documented.
    unsafe { call(err, body) }
}

/// Whether a feature is on: one load. True for what is no degradation or no feature.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_feature_is_on(policy: *const PolicyHandle, feature: u32) -> bool {
    // SAFETY: NULL or a live policy, as documented.
    match unsafe { given(policy) }.map(|handle| &handle.policy) {
        Some(Policy::Degradation(degradation)) => degradation.is_on(Feature::from_raw(feature)),
        _ => true,
    }
}
