//! A pattern: what an analyzer found in the observations.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::watch::Place;

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
    /// A few of them, which can be proven one by one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub observations: Vec<Place>,
    /// What was foretold of the sample, and by which model; none while there were too few.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub forecast: Option<Foretold>,
}

/// What a model foretold.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Foretold {
    /// The model.
    pub model: String,
    /// The value.
    pub value: f64,
}

/// A sentence for people: what, where, how much, how sure.
impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Pattern { sector, watch, detector, observed, expected, confidence, .. } = self;
        write!(
            f,
            "{sector}/{watch}: {detector} found {observed:.4} where {expected:.4} was expected, confidence {confidence:.6}"
        )
    }
}
