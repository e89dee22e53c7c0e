//! Opening, sharing, attaching and closing engines.

use std::time::Duration;

use knhk_engine::{Error, Options, Status};
use knhk_hot::BarrierChoice;
use napi::Env;
use napi_derive::napi;

use crate::calls::{Raw, Settle, begin, finish};
use crate::environment::Environment;
use crate::error::throw;
use crate::job;
use crate::observations::KeepOptions;
use crate::shared::{Shared, signs_in_javascript};
use crate::value;

/// Settings of an engine; what is left out has the engine's default.
#[napi(object)]
#[derive(Default)]
pub struct OpenOptions {
    /// Versions retained per sector.
    pub history: Option<u32>,
    /// "auto" or "fence".
    pub barrier: Option<String>,
    /// Retired roots that may wait.
    pub retained_roots: Option<u32>,
    /// Bytes held by stalled readers that are reported.
    pub soft_limit_bytes: Option<f64>,
    /// Bytes held by stalled readers at which promotions are refused.
    pub hard_limit_bytes: Option<f64>,
    /// Records of each thread's observation ring.
    pub ring_records: Option<u32>,
    /// How often the cached clock advances.
    pub clock_period_ms: Option<f64>,
    /// Takes commands over a socket in the folder.
    pub control: Option<bool>,
    /// A still picture of a folder.
    pub read_only: Option<bool>,
    /// The number of the signer.
    pub signer: Option<u32>,
    /// What the log must begin at.
    pub trust_root: Option<String>,
    /// A checkpoint that the program held.
    pub checkpoint: Option<String>,
    /// Versions of each sector that are kept.
    pub retain_versions: Option<f64>,
    /// For how long versions are kept.
    pub retain_age_ms: Option<f64>,
    /// The moment at which a clock stands that is moved by hand.
    pub manual_time_ms: Option<f64>,
    /// What an operation of the hot path may take on average.
    pub hot_budget_ms: Option<f64>,
    /// Keeps observations.
    pub observations: Option<KeepOptions>,
}

impl OpenOptions {
    fn options(self) -> Options {
        let mut options = Options::default();
        if let Some(history) = self.history {
            options.history = history as usize;
        }
        if self.barrier.as_deref() == Some("fence") {
            options.hot.barrier = BarrierChoice::Fence;
        }
        if let Some(roots) = self.retained_roots {
            options.hot.retained_roots = roots as usize;
        }
        if let Some(bytes) = self.soft_limit_bytes {
            options.hot.soft_limit_bytes = bytes as u64;
        }
        if let Some(bytes) = self.hard_limit_bytes {
            options.hot.hard_limit_bytes = bytes as u64;
        }
        if let Some(records) = self.ring_records {
            options.hot.ring_records = records as usize;
        }
        if let Some(period) = self.clock_period_ms {
            options.clock_period = Duration::from_secs_f64(period / 1000.0);
        }
        if let Some(budget) = self.hot_budget_ms {
            options.hot_budget = Duration::from_secs_f64(budget / 1000.0);
        }
        options.control = self.control.unwrap_or(false);
        options.observations = self.observations.map(KeepOptions::settings);
        options.manual_time = self.manual_time_ms.map(|ms| ms as u64 * 1_000_000);
        options.trust_root = self.trust_root;
        options.checkpoint = self.checkpoint;
        options.retention.versions = self.retain_versions.map(|versions| versions as u64);
        options.retention.age = self.retain_age_ms.map(|age| Duration::from_secs_f64(age / 1000.0));
        options
    }
}

/// Opens an engine; gives its place in this environment.
#[napi(catch_unwind)]
pub fn open(env: Env, location: String, options: OpenOptions, settle: Settle<'_>) -> napi::Result<Raw> {
    let environment = Environment::required(env.raw())?;
    let read_only = options.read_only.unwrap_or(false);
    let signer = options.signer.map(|number| crate::signer::given(env, &environment, number)).transpose()?;
    let delegated = signer.as_ref().is_some_and(|(_, by_function)| *by_function);
    let mut options = options.options();
    options.signer = signer.map(|(signer, _)| signer);
    let Some(settle) = settle else {
        if delegated {
            return Err(throw(env.raw(), &signs_in_javascript()));
        }
        return finish(env, &environment, job::open(&location, options, read_only, delegated));
    };
    let (number, ticket) = begin(env, &environment, settle)?;
    let mailbox = environment.mailbox.clone();
    // There is no engine yet whose worker could do it.
    let opening = std::thread::Builder::new().name("knhk-open".into()).spawn(move || {
        if ticket.start() {
            mailbox.done(number, job::open(&location, options, read_only, delegated));
        }
    });
    if let Err(error) = opening {
        environment.cancel(number);
        let message = format!("no thread to open the engine on: {error}");
        return Err(throw(env.raw(), &Error::new(Status::System, "open", "", message)));
    }
    Ok(Raw(value::number(env.raw(), f64::from(number))))
}

/// A token by which other threads of this process attach to the engine.
#[napi(catch_unwind)]
pub fn share(env: Env, engine: u32) -> napi::Result<String> {
    Ok(Environment::required(env.raw())?.open(engine)?.shared.token())
}

/// Opens, in this environment, the engine that a token names; gives its place.
#[napi(catch_unwind)]
pub fn attach(env: Env, token: String) -> napi::Result<u32> {
    let environment = Environment::required(env.raw())?;
    let place = Shared::find(&token).and_then(|shared| environment.attach(shared, false));
    place.map_err(|error| throw(env.raw(), &error))
}

/// Closes this environment's handle; where the engine was opened, the engine. Closing twice does nothing.
#[napi(catch_unwind)]
pub fn close(env: Env, engine: u32) -> napi::Result<()> {
    Environment::required(env.raw())?.close(engine).map_err(|error| throw(env.raw(), &error))
}

/// Whether reads and changes through this handle still work.
#[napi(catch_unwind)]
pub fn is_open(engine: u32) -> bool {
    Environment::current().and_then(|environment| environment.local(engine)).is_some_and(|local| local.is_open())
}
