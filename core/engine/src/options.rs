//! How an engine is opened.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use knhk_ledger::Signer;
use knhk_observation::Settings as Observations;
use knhk_ontology::{Core, Limits};
use knhk_version::Retention;
use knhk_warm::Clock;

use crate::Level;

/// Settings of an engine; the defaults suit a service.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Options {
    /// The cells and rings: barrier, retained roots, limits on memory that stalled readers hold, ring size.
    pub hot: knhk_hot::Options,
    /// Versions retained per sector in memory, the current one included: what a rollback needs nothing else for.
    pub history: usize,
    /// How often the cached clock advances and retired roots are looked through.
    pub clock_period: Duration,
    /// Limits on documents and images.
    pub limits: Limits,
    /// The core ontology that sectors stand on; the shipped one where none is given. Versions that were made with another one stay as they are,
    /// and are read over this one: [`crate::Engine::recompose`] makes current what they are with it.
    pub core: Option<Arc<Core>>,
    /// Takes commands over a socket in the engine's folder, from the folder's owner alone: see [`crate::control`]. Off by default.
    pub control: bool,
    /// Who signs receipts, in place of the key in the folder; in memory there are receipts only with one.
    pub signer: Option<Signer>,
    /// The trust root, as text, that the folder's log must begin at; a new log begins at it. Without one it is the folder's own.
    pub trust_root: Option<String>,
    /// A checkpoint of the log that the caller holds: opening finds a log that was cut off or forked since.
    pub checkpoint: Option<String>,
    /// How much of each sector's history is kept in the store; everything by default.
    pub retention: Retention,
    /// Has a monitor drain the readers' rings: observations are aggregated, and kept under receipts. Without it [`crate::Engine::drain`]
    /// hands them out.
    pub observations: Option<Observations>,
    /// What an operation of the hot path may take on average; beyond it the warm path yields. See [`crate::Engine::report_hot`].
    pub hot_budget: Duration,
    /// Starts the loop with these settings: see [`crate::Engine::start_loop`]. It needs observations and a ledger.
    pub autonomic: Option<crate::autonomic::Settings>,
    /// The clock that decisions are dated by, in nanoseconds since 1970 (UTC); the system's where none is given. It dates proposals,
    /// approvals, schedules and probations, and never orders versions.
    pub time: Option<Arc<dyn Clock>>,
    /// Has decisions be dated by a clock that stands at this moment, in nanoseconds since 1970 (UTC), until
    /// [`crate::Engine::advance_time`] moves it: for tests and simulations. It goes before `time`.
    pub manual_time: Option<u64>,
    /// Where log lines go from the first moment on, what recovery has to say included: `log(level, part, message)` on the warm thread.
    /// [`crate::Engine::set_log`] replaces it.
    pub log: Option<Log>,
}

/// A function that takes log lines: level, part, message.
pub type LogFn = dyn Fn(Level, &str, &str) + Send + Sync;

/// Takes log lines.
#[derive(Clone)]
pub struct Log(pub Arc<LogFn>);

impl fmt::Debug for Log {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Log")
    }
}

impl Default for Options {
    fn default() -> Options {
        Options {
            hot: knhk_hot::Options::default(),
            history: 64,
            clock_period: Duration::from_millis(1),
            limits: Limits::default(),
            core: None,
            control: false,
            signer: None,
            trust_root: None,
            checkpoint: None,
            retention: Retention::default(),
            observations: None,
            hot_budget: Duration::from_nanos(100),
            autonomic: None,
            time: None,
            manual_time: None,
            log: None,
        }
    }
}
