//! A pattern: what an analyzer found in the observations.

use serde::{Deserialize, Serialize};

/// Something that is not as it was.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Pattern {
    /// What was watched, by its name in the sector's ontology.
    pub watch: String,
    /// The sector.
    pub sector: String,
    /// The detector.
    pub detector: String,
    /// The parameter that it concerns, where the watch names one.
    pub concerns: Option<String>,
    /// 1 − the probability of what was seen while nothing changed, 0 to 1.
    pub confidence: f64,
    /// What was seen.
    pub observed: f64,
    /// What was expected.
    pub expected: f64,
    /// The window that shows it, in nanoseconds since 1970 (UTC).
    pub from_ns: u64,
    /// Its end.
    pub to_ns: u64,
    /// Receipts of the observations that show it.
    pub evidence: Vec<String>,
}
