//! The native half of `knhk/resilience`: scopes, policies and permits, which JavaScript holds as externals. Nothing here waits: pauses and
//! injected delays are handed to JavaScript, which awaits them.

macro_rules! of_kind {
    ($env:expr, $policy:expr, $kind:ident) => {
        match &$policy.native {
            Native::$kind(of) => of,
            other => {
                let wanted = stringify!($kind).to_lowercase();
                return Err(bad(
                    $env,
                    "policy",
                    format!("the policy is a {}, and this is for a {wanted}", other.kind()),
                ));
            }
        }
    };
}

mod calls;
mod checkpoints;
mod health;
mod load;
mod policy;
mod scope;

use std::time::Duration;

use knhk_engine::{Error, Status};
use napi::Env;

use crate::error::throw;

fn bad(env: Env, item: &str, message: impl Into<String>) -> napi::Error {
    throw(env.raw(), &Error::new(Status::InvalidArgument, "policy", item, message.into()))
}

fn milliseconds(env: Env, name: &str, ms: f64) -> napi::Result<Duration> {
    Duration::try_from_secs_f64(ms / 1000.0)
        .map_err(|_| bad(env, name, format!("{name} is a number of milliseconds that is not negative, not {ms}")))
}

fn in_ms(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}
