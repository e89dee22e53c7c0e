//! A service level objective as it stands.

use crate::schema::{Aggregate, Bound, Objective};
use crate::window::Figures;

/// An objective, and how it stands in the window that ends now.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct ObjectiveState {
    /// The objective, with its limit as it is now.
    pub objective: Objective,
    /// The aggregate's value; none where there is no data for it, or too little, which never counts as a pass.
    pub value: Option<f64>,
    /// Whether it holds; none where there is no data, or no limit.
    pub met: Option<bool>,
    /// How much of what is allowed is used up: value / limit, or limit / value where the limit is a lower one. Above 1 the objective is
    /// broken. Of a failure share it is the burn rate of the error budget. None where either is negative, too.
    pub burn: Option<f64>,
    /// All figures of the kind in the objective's window.
    pub figures: Figures,
}

impl ObjectiveState {
    pub(crate) fn of(objective: Objective, figures: Figures) -> ObjectiveState {
        let counts = matches!(objective.aggregate, Aggregate::Count | Aggregate::Rate);
        let enough = counts || figures.counts.count >= objective.least_samples;
        let value = figures.aggregate(objective.aggregate).filter(|_| enough);
        let both = value.zip(objective.limit);
        let met = both.map(|(value, limit)| match objective.bound {
            Bound::AtMost => value <= limit,
            Bound::AtLeast => value >= limit,
        });
        let burn = both.filter(|(value, limit)| *value >= 0.0 && *limit >= 0.0);
        let burn = burn.map(|(value, limit)| match objective.bound {
            Bound::AtMost => share(value, limit),
            Bound::AtLeast => share(limit, value),
        });
        ObjectiveState { objective, value, met, burn, figures }
    }
}

/// `used / allowed` of amounts; nothing used is 0, and anything is infinitely more than nothing.
fn share(used: f64, allowed: f64) -> f64 {
    if used == 0.0 { 0.0 } else { used / allowed }
}
