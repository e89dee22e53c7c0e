//! What a policy is made of: named numbers, other policies, levels, strategies.

use std::ffi::{c_char, c_void};
use std::time::Duration;

use knhk_engine::Error;
use knhk_resilience::degrade::{Level, Thresholds};
use knhk_resilience::policy::Parts;
use knhk_resilience::recover::{Incident, Strategy};

use super::policy::PolicyHandle;
use crate::callback::{Context, Destroy};
use crate::handle::required;
use crate::text::{c_string, items, null, text};
use crate::versioned::Versioned;

/// A named number.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct SettingC {
    /// Its name, such as "failure_rate".
    pub name: *const c_char,
    /// Its value.
    pub value: f64,
}

/// A level of degradation.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct LevelC {
    /// What people call it.
    pub name: *const c_char,
    /// The load at which it is entered.
    pub enter: f64,
    /// The load below which it is left; at most `enter`.
    pub leave: f64,
    /// How long the load must have been high, in nanoseconds.
    pub enter_after_ns: u64,
    /// How long the load must have been low, in nanoseconds.
    pub leave_after_ns: u64,
    /// Names of the features that are off in this level and all further ones.
    pub off: *const *const c_char,
    /// How many there are.
    pub off_len: usize,
}

/// A strategy of a recovery.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct StrategyC {
    /// What people call it.
    pub name: *const c_char,
    /// How often it is tried before the next one; at least once.
    pub tries: u32,
    /// 0.
    pub reserved: u32,
    /// Passed to the functions.
    pub ctx: *mut c_void,
    /// Mends what is broken and returns 0, or something else. On the thread that asks for the recovery.
    pub recover: Option<unsafe extern "C" fn(ctx: *mut c_void, component: *const c_char, what: *const c_char) -> i32>,
    /// NULL, or called exactly once, when `recover` will not be called any more: also when the policy cannot be made, unless the
    /// `struct_size` of the options is unknown.
    pub destroy: Option<unsafe extern "C" fn(ctx: *mut c_void)>,
}

/// What a policy is made of. Set `struct_size` to sizeof(knhk_policy_options_t) and what is not needed to 0.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct PolicyOptionsC {
    /// sizeof(knhk_policy_options_t).
    pub struct_size: u32,
    /// 0.
    pub reserved: u32,
    /// Named numbers; those that are not named have their defaults.
    pub settings: *const SettingC,
    /// How many there are.
    pub settings_len: usize,
    /// A pipeline's policies; a retry's or a hedge's budget. They may be freed before the new one.
    pub policies: *const *const PolicyHandle,
    /// How many there are.
    pub policies_len: usize,
    /// A degradation's levels, in the order in which they are entered.
    pub levels: *const LevelC,
    /// How many there are.
    pub levels_len: usize,
    /// A recovery's strategies, in the order in which they are tried.
    pub strategies: *const StrategyC,
    /// How many there are.
    pub strategies_len: usize,
}

// SAFETY: plain data that begins with its size; zeros are the defaults.
unsafe impl Versioned for PolicyOptionsC {
    const NAME: &'static str = "knhk_policy_options_t";
}

/// Named numbers out of C.
///
/// # Safety
/// As [`items`].
pub(super) unsafe fn settings<'a>(at: *const SettingC, len: usize) -> Result<Vec<(&'a str, f64)>, Error> {
    // SAFETY: the caller's promise.
    unsafe { items(at, len, "settings")?.iter().map(|given| Ok((text(given.name, "name")?, given.value))).collect() }
}

/// A strategy whose context goes with it.
struct Mender {
    context: Context,
    recover: unsafe extern "C" fn(*mut c_void, *const c_char, *const c_char) -> i32,
}

// SAFETY: the program said, by registering them, that its functions may be called on any thread.
unsafe impl Sync for Mender {}

impl Mender {
    fn mend(&self, incident: &Incident) -> Result<(), String> {
        let (component, what) = (c_string(&incident.component), c_string(&incident.what));
        // SAFETY: registered for this.
        match unsafe { (self.recover)(self.context.at(), component.as_ptr(), what.as_ptr()) } {
            0 => Ok(()),
            code => Err(format!("it returned {code}")),
        }
    }
}

/// The parts in the options.
///
/// # Safety
/// As the options' comments say.
pub(super) unsafe fn parts(given: &PolicyOptionsC) -> Result<Parts, Error> {
    let mut parts = Parts::default();
    // SAFETY: as documented, throughout.
    unsafe {
        // First, so that each context is destroyed whatever is wrong with the rest.
        let strategies = items(given.strategies, given.strategies_len, "strategies")?;
        let contexts: Vec<Context> =
            strategies.iter().map(|strategy| Context::new(strategy.ctx, strategy.destroy as Destroy)).collect();
        for (strategy, context) in strategies.iter().zip(contexts) {
            let recover = strategy.recover.ok_or_else(|| null("recover"))?;
            let mender = Mender { context, recover };
            let mend: Strategy = Box::new(move |incident| mender.mend(incident));
            parts.strategies.push((text(strategy.name, "name")?.into(), strategy.tries, mend));
        }
        for policy in items(given.policies, given.policies_len, "policies")? {
            parts.policies.push(required(*policy)?.policy.clone());
        }
        for level in items(given.levels, given.levels_len, "levels")? {
            let off = items(level.off, level.off_len, "off")?.iter().map(|off| Ok(text(*off, "off")?.to_owned()));
            let thresholds = Thresholds {
                enter: level.enter,
                leave: level.leave,
                enter_after: Duration::from_nanos(level.enter_after_ns),
                leave_after: Duration::from_nanos(level.leave_after_ns),
            };
            let off = off.collect::<Result<_, Error>>()?;
            parts.levels.push(Level { name: text(level.name, "name")?.into(), thresholds, off });
        }
    }
    Ok(parts)
}
