//! The request about what a live engine observes.

use serde::{Deserialize, Serialize};

use super::Request;
use crate::observation::{Counts, Figures, ObjectiveState, Series};
use crate::{Engine, Error};

/// Shows a sector's observations as they are now: figures by key and kind, and how its objectives stand. A live engine's only, since they
/// are in its memory.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Observe {
    /// The sector.
    pub sector: String,
}

/// What is observed of a sector.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Observed {
    /// The sector.
    pub sector: String,
    /// By key and kind.
    pub series: Vec<ObservedSeries>,
    /// Its service level objectives.
    pub objectives: Vec<ObservedObjective>,
    /// Of the whole engine: observations that are durable under a receipt.
    pub persisted: u64,
    /// Of the whole engine: observations that were refused, and counted.
    pub refused: u64,
    /// Why observations cannot be stored now, if so.
    pub failing: Option<String>,
}

/// Figures of one key and kind.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ObservedSeries {
    /// The key's path; none for what came beyond the limit of series.
    pub key: Option<String>,
    /// The kind that the ontology declares, if it does.
    pub kind: Option<String>,
    /// What the values are counted in.
    pub unit: Option<String>,
    /// Seconds that the window is over.
    pub seconds: f64,
    /// Observations in the window.
    pub count: u64,
    /// Of those, the ones that were a success.
    pub successes: u64,
    /// Observations a second.
    pub rate: f64,
    /// The smallest value, the mean, the largest.
    pub min: Option<f64>,
    /// The mean value.
    pub mean: Option<f64>,
    /// The largest value.
    pub max: Option<f64>,
    /// The median.
    pub p50: Option<f64>,
    /// The 99th percentile.
    pub p99: Option<f64>,
    /// Observations since the engine was opened.
    pub total: u64,
    /// Of those, the ones whose value is not what the ontology declares.
    pub mismatched: u64,
}

/// How an objective stands.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ObservedObjective {
    /// Its name.
    pub name: String,
    /// The value now; none without data.
    pub value: Option<f64>,
    /// The limit.
    pub limit: Option<f64>,
    /// Whether it holds; none without data, which never counts as a pass.
    pub met: Option<bool>,
    /// How much of what is allowed is used up.
    pub burn: Option<f64>,
}

impl Request for Observe {
    const METHOD: &'static str = "observe";
    type Answer = Observed;

    fn serve(self, engine: &Engine) -> Result<Observed, Error> {
        let Observe { sector } = self;
        let stats = engine.observe_stats()?;
        let series = engine.aggregates(&sector)?.into_iter().map(ObservedSeries::from).collect();
        let objectives = engine.objectives(&sector)?.into_iter().map(ObservedObjective::from).collect();
        let (persisted, refused, failing) = (stats.persisted, stats.refused, stats.failing);
        Ok(Observed { sector, series, objectives, persisted, refused, failing })
    }
}

impl From<Series> for ObservedSeries {
    fn from(series: Series) -> ObservedSeries {
        let Series { key, kind, unit, window, total, .. } = series;
        let Figures { seconds, counts, rate, min, mean, max, p50, p99, .. } = window;
        let Counts { count: total, mismatched, .. } = total;
        let (count, successes) = (counts.count, counts.successes());
        ObservedSeries { key, kind, unit, seconds, count, successes, rate, min, mean, max, p50, p99, total, mismatched }
    }
}

impl From<ObjectiveState> for ObservedObjective {
    fn from(state: ObjectiveState) -> ObservedObjective {
        let ObjectiveState { objective, value, met, burn, .. } = state;
        ObservedObjective { name: objective.name, value, limit: objective.limit, met, burn }
    }
}
