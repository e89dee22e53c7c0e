//! Health: components tell how well they are, and a monitor what that means for the whole. A policy of kind "health" is a monitor.
//!
//! A component is stale until it reports, and when it is silent for too long. knhk_policy_text explains whom a failing component takes
//! with it; knhk_policy_figure has the "availability".

use std::ffi::{c_char, c_void};
use std::ptr;
use std::sync::PoisonError;
use std::time::Duration;

use knhk_engine::{Error, Status};
use knhk_resilience::health::{Component, HealthError};

use super::policy::{PolicyHandle, of_kind};
use crate::call::call;
use crate::callback::{Callback, Context, Destroy, taken};
use crate::error::ErrorHandle;
use crate::handle::required;
use crate::signals::Blocked;
use crate::text::{items, null, output, text};
use crate::versioned::{Output, Versioned};

/// Its health is at least the running threshold.
pub const KNHK_HEALTH_HEALTHY: u32 = 0;
/// In between.
pub const KNHK_HEALTH_DEGRADED: u32 = 1;
/// Its health is below the critical threshold.
pub const KNHK_HEALTH_UNHEALTHY: u32 = 2;
/// It has said nothing for too long, or never; it counts as health 0.
pub const KNHK_HEALTH_STALE: u32 = 3;

fn failure(error: &HealthError) -> Error {
    let status = match error {
        HealthError::Taken(_) => Status::AlreadyExists,
        HealthError::Unknown(_) => Status::NotFound,
        _ => Status::InvalidArgument,
    };
    Error::new(status, "health", "component", error.to_string())
}

/// Adds a component.
///
/// `weight`: what it counts in the availability; above 0. `needs`: names of components, added before, that it depends on. `component`:
/// receives its number, from 0.
/// Returns KNHK_OK; KNHK_ALREADY_EXISTS; KNHK_NOT_FOUND for an unknown need.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_health_add(
    policy: *mut PolicyHandle,
    name: *const c_char,
    weight: f64,
    needs: *const *const c_char,
    needs_len: usize,
    component: *mut usize,
    err: *mut *mut ErrorHandle,
) -> Status {
    let body = || {
        let component = output(component, "component")?;
        // SAFETY: as documented.
        unsafe {
            let needs = items(needs, needs_len, "needs")?.iter().map(|need| text(*need, "needs"));
            let needs = needs.collect::<Result<Vec<&str>, Error>>()?;
            let added = of_kind!(policy, Health).add(text(name, "name")?, weight, &needs);
            ptr::write(component, added.map_err(|error| failure(&error))?.into_raw());
        }
        Ok(())
    };
    // SAFETY: as documented.
    unsafe { call(err, body) }
}

/// Says that a component depends on another.
///
/// Returns KNHK_OK; KNHK_NOT_FOUND; KNHK_INVALID_ARGUMENT where the dependencies would be a cycle, whose path the message names.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_health_depend(
    policy: *mut PolicyHandle,
    name: *const c_char,
    on: *const c_char,
    err: *mut *mut ErrorHandle,
) -> Status {
    let body = || {
        // SAFETY: as documented.
        let depended = unsafe { of_kind!(policy, Health).depend(text(name, "name")?, text(on, "on")?) };
        depended.map_err(|error| failure(&error))
    };
    // SAFETY: as documented.
    unsafe { call(err, body) }
}

/// A component tells its health, from 0 to 1; what is not a number counts as 0. A component that there is not is not heard.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_health_report(
    policy: *mut PolicyHandle,
    component: usize,
    health: f64,
    err: *mut *mut ErrorHandle,
) -> Status {
    let body = || {
        // SAFETY: as documented.
        unsafe { of_kind!(policy, Health) }.report(Component::from_raw(component), health);
        Ok(())
    };
    // SAFETY: as documented.
    unsafe { call(err, body) }
}

/// Asks for a component's health. Set `struct_size` to sizeof(knhk_check_callback_t).
///
/// `check` is called on the thread that polls: knhk_health_start's. One that blocks delays the checks after it.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct CheckCallbackC {
    /// sizeof(knhk_check_callback_t).
    pub struct_size: u32,
    /// 0.
    pub reserved: u32,
    /// Passed to the functions.
    pub ctx: *mut c_void,
    /// Returns the health, from 0 to 1.
    pub check: Option<unsafe extern "C" fn(ctx: *mut c_void) -> f64>,
    /// NULL, or called exactly once, when `check` will not be called any more: also when the registration fails, unless
    /// `struct_size` is one that the library does not know.
    pub destroy: Option<unsafe extern "C" fn(ctx: *mut c_void)>,
}

// SAFETY: plain data that begins with its size.
unsafe impl Versioned for CheckCallbackC {
    const NAME: &'static str = "knhk_check_callback_t";
}

impl Callback for CheckCallbackC {
    fn context(&self) -> (*mut c_void, Destroy) {
        (self.ctx, self.destroy)
    }
}

/// A check whose context goes with it.
struct Asked {
    context: Context,
    check: unsafe extern "C" fn(*mut c_void) -> f64,
}

// SAFETY: the program said, by registering it, that it may be called on any thread.
unsafe impl Sync for Asked {}

impl Asked {
    fn ask(&self) -> f64 {
        // SAFETY: registered for this.
        unsafe { (self.check)(self.context.at()) }
    }
}

/// Has a component asked for its health at each poll.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_health_check(
    policy: *mut PolicyHandle,
    component: usize,
    callback: *const CheckCallbackC,
    err: *mut *mut ErrorHandle,
) -> Status {
    let body = || {
        // SAFETY: as documented.
        let (callback, context) = unsafe { taken(callback)? };
        // SAFETY: as documented.
        let monitor = unsafe { of_kind!(policy, Health) };
        let asked = Asked { context, check: callback.check.ok_or_else(|| null("check"))? };
        monitor.check(Component::from_raw(component), Box::new(move || asked.ask()));
        Ok(())
    };
    // SAFETY: as documented.
    unsafe { call(err, body) }
}

/// Polls the checks in an interval, usually 100 ms, on a thread of its own until the policy is freed.
///
/// Returns KNHK_OK; KNHK_BUSY where it does so already; KNHK_SYSTEM when there are no more threads.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_health_start(
    policy: *mut PolicyHandle,
    interval_ns: u64,
    err: *mut *mut ErrorHandle,
) -> Status {
    let body = || {
        // SAFETY: as documented.
        let (handle, monitor) = unsafe { (required(policy)?, of_kind!(policy, Health)) };
        let mut poll = handle.poll.lock().unwrap_or_else(PoisonError::into_inner);
        if poll.is_some() {
            return Err(Error::new(Status::Busy, "health", "policy", "the monitor is being polled already"));
        }
        let blocked = Blocked::new();
        let started = monitor.start(Duration::from_nanos(interval_ns.max(1)));
        drop(blocked);
        *poll = Some(started.map_err(|error| {
            Error::new(Status::System, "health", "thread", format!("a thread could not be started: {error}"))
        })?);
        Ok(())
    };
    // SAFETY: as documented.
    unsafe { call(err, body) }
}

/// A component at one moment. Set `struct_size` to sizeof(knhk_component_t) before the call.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct ComponentC {
    /// sizeof(knhk_component_t); on return, how much of this struct the library knows.
    pub struct_size: u32,
    /// A KNHK_HEALTH_ constant.
    pub state: u32,
    /// Its weight.
    pub weight: f64,
    /// Its health, from 0 to 1; 0 while it is stale.
    pub health: f64,
    /// Since its last report, in nanoseconds; UINT64_MAX when there was none.
    pub age_ns: u64,
    /// How many failing components, that have no such explanation themselves, explain it.
    pub explained_by: u64,
}

// SAFETY: plain data that begins with its size.
unsafe impl Versioned for ComponentC {
    const NAME: &'static str = "knhk_component_t";
}

/// A component of a monitor as it stands.
///
/// `found`: receives it. Returns KNHK_OK; KNHK_NOT_FOUND for a number that is none; KNHK_STRUCT_SIZE.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_health_component(
    policy: *const PolicyHandle,
    component: usize,
    found: *mut ComponentC,
    err: *mut *mut ErrorHandle,
) -> Status {
    let body = || {
        // SAFETY: as documented.
        let (monitor, place) = unsafe { (of_kind!(policy, Health), Output::new(found)?) };
        let report = monitor.assess();
        let Some(found) = report.components.get(component) else {
            let message = format!("the monitor has {} components, and none at {component}", report.components.len());
            return Err(Error::new(Status::NotFound, "health", "component", message));
        };
        place.write(ComponentC {
            struct_size: 0,
            state: found.state as u32,
            weight: found.weight,
            health: found.health,
            age_ns: found.age.map_or(u64::MAX, super::calls::nanoseconds),
            explained_by: found.explained_by.len() as u64,
        });
        Ok(())
    };
    // SAFETY: as documented.
    unsafe { call(err, body) }
}
