//! How an engine is opened.

use std::time::Duration;

use knhk_ontology::Limits;

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
}

impl Default for Options {
    fn default() -> Options {
        Options {
            hot: knhk_hot::Options::default(),
            history: 64,
            clock_period: Duration::from_millis(1),
            limits: Limits::default(),
        }
    }
}
