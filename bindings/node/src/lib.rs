//! The native half of the npm package `knhk`: a Node-API addon over the engine.
//!
//! JavaScript code in `lib/` is the package's face: it checks arguments, keeps the cache that makes reads cheap, and makes errors and
//! iterators. This half is private to it. It speaks in plain numbers for engines, keys and held generations, each checked, so that no
//! call from JavaScript can reach freed memory.
//!
//! - [`opening`]: opening, sharing and closing; [`calls`]: operations on engines; [`reads`]: values, guards, observations.
//! - [`environment`]: what one JavaScript thread has open; [`local`]: one engine of it; [`shared`]: one engine of the process.
//! - [`ledger`]: what proves the history; [`signer`]: who signs it; [`observations`]: what was observed.
//! - [`autonomic`]: the closed loop's callbacks; [`functions`]: those of governance; [`elsewhere`]: how other threads ask them.
//! - [`mailbox`]: how other threads reach a JavaScript thread; [`job`]: what takes time.

// Under test (which clippy's --all-targets implies) napi-derive registers nothing, so nothing seems to be used.
#![cfg_attr(test, allow(dead_code))]

mod autonomic;
mod calls;
mod elsewhere;
mod environment;
mod error;
mod functions;
mod governance;
mod job;
mod knowledge;
mod ledger;
mod local;
mod mailbox;
mod observations;
mod opening;
mod reads;
mod records;
mod reference;
mod resilience;
mod scratch;
mod shared;
mod signer;
mod value;
mod warm;

use napi::bindgen_prelude::Object;
use napi::{Env, JsValue};
use napi_derive::napi;

/// Prepares an environment: its state, and the functions that are registered without napi-rs's conversions because they are hot.
#[napi(module_exports)]
pub fn start(exports: Object, env: Env) -> napi::Result<()> {
    environment::Environment::install(env.raw())?;
    reads::register(env.raw(), exports.raw())
}
