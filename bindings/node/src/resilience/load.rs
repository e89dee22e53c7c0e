//! Switches by hand and by load, and recovery.

use knhk_resilience::Policy as Native;
use knhk_resilience::recover::Incident;
use napi::Env;
use napi::bindgen_prelude::External;
use napi_derive::napi;

use super::policy::Policy;
use super::{bad, in_ms};

/// A breaker by hand: "open", "closed" or "disabled".
#[napi(catch_unwind)]
pub fn breaker_switch(env: Env, policy: &External<Policy>, to: String) -> napi::Result<()> {
    let breaker = of_kind!(env, policy, Breaker);
    match to.as_str() {
        "open" => breaker.force_open(),
        "closed" => breaker.close(),
        _ => breaker.disable(),
    }
    Ok(())
}

/// Chaos on or off.
#[napi(catch_unwind)]
pub fn chaos_switch(env: Env, policy: &External<Policy>, on: bool) -> napi::Result<()> {
    of_kind!(env, policy, Chaos).switch(on);
    Ok(())
}

/// Tells a shedder or a degradation the load.
#[napi(catch_unwind)]
pub fn policy_load(env: Env, policy: &External<Policy>, load: f64) -> napi::Result<()> {
    match &policy.native {
        Native::Shedder(shedder) => shedder.load(load as f32),
        _ => of_kind!(env, policy, Degradation).load(load),
    }
    Ok(())
}

/// The level; 0 is full service.
#[napi(catch_unwind)]
pub fn degradation_level(env: Env, policy: &External<Policy>) -> napi::Result<u32> {
    Ok(of_kind!(env, policy, Degradation).level() as u32)
}

/// Holds a level, or lets go.
#[napi(catch_unwind)]
pub fn degradation_pin(env: Env, policy: &External<Policy>, level: Option<u32>) -> napi::Result<()> {
    of_kind!(env, policy, Degradation).pin(level.map(|level| level as usize));
    Ok(())
}

/// Whether a feature is on; nothing where no level switches it.
#[napi(catch_unwind)]
pub fn degradation_is_on(env: Env, policy: &External<Policy>, feature: String) -> napi::Result<Option<bool>> {
    let degradation = of_kind!(env, policy, Degradation);
    Ok(degradation.feature(&feature).map(|feature| degradation.is_on(feature)))
}

/// The number of the strategy to begin with.
#[napi(catch_unwind)]
pub fn recovery_first(env: Env, policy: &External<Policy>, component: String) -> napi::Result<u32> {
    Ok(of_kind!(env, policy, Recovery).first(&Incident { component, what: String::new() }) as u32)
}

/// Milliseconds between two tries.
#[napi(catch_unwind)]
pub fn recovery_pause(env: Env, policy: &External<Policy>) -> napi::Result<f64> {
    Ok(in_ms(of_kind!(env, policy, Recovery).pause()))
}

/// Tells how a recovery ended; `failed` holds strategies and reasons by turns.
#[napi(catch_unwind)]
pub fn recovery_end(
    env: Env,
    policy: &External<Policy>,
    component: String,
    what: String,
    mended_by: Option<u32>,
    failed: Vec<String>,
) -> napi::Result<()> {
    let failed = failed.chunks_exact(2).map(|pair| (pair[0].as_str().into(), pair[1].clone())).collect();
    let incident = Incident { component, what };
    of_kind!(env, policy, Recovery).end(&incident, mended_by.map(|at| at as usize), failed);
    Ok(())
}
