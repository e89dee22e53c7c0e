//! How an engine is opened.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use knhk_ontology::Limits;

use crate::Level;

/// Settings of an engine; the defaults suit a service.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Options {
    /// The cells and rings: barrier, retained roots, limits on memory that stalled readers hold, ring size.
    pub hot: knhk_hot::Options,
    /// Versions retained per sector, the current one included.
    pub history: usize,
    /// How often the cached clock advances and retired roots are looked through.
    pub clock_period: Duration,
    /// Limits on documents and images.
    pub limits: Limits,
    /// Takes commands over a socket in the engine's folder, from the folder's owner alone: see [`crate::control`]. Off by default.
    pub control: bool,
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
            control: false,
            log: None,
        }
    }
}
