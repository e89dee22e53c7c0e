//! Bounds on what a change may cost, by the figures that were measured.

use super::judge::{Crossing, Judged};
use super::{Bound, Guard};

impl Guard {
    pub(super) fn check_bounds(&self, judged: &Judged<'_>, crossings: &mut Vec<Crossing>) -> Result<(), Crossing> {
        for Bound { figure, min, max } in &self.bounds {
            let Some(&value) = judged.standing.figures.get(figure) else {
                let what = format!("{figure} was not measured, and what is not known is not within its bound");
                crossings.push(Crossing::new(what, "have it measured"));
                continue;
            };
            // What is no number is within no bound.
            let bound = |side: &str, bound: f64| {
                let what = format!("{figure} was measured at {value}, and may be {bound} {side}");
                Crossing::new(what, format!("make the change cheaper, so that it is {bound} {side}"))
            };
            let low = min.filter(|min| value.is_nan() || value < *min).map(|min| bound("at least", min));
            let high = max.filter(|max| value.is_nan() || value > *max).map(|max| bound("at most", max));
            crossings.extend(low.or(high));
        }
        Ok(())
    }
}
