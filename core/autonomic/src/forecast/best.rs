//! Several models side by side, the best one answering.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{HoltWinters, Linear, Model, MovingAverage, Naive};
use crate::Forgetting;
use crate::state::{Kept, StateError};

/// How a model stands.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Standing {
    /// Its name.
    pub model: &'static str,
    /// Its mean absolute error over that of the last value as forecast (MASE, Hyndman and Koehler 2006): below 1 it is worth having.
    pub relative_error: f64,
    /// Forecasts of it that came to be judged.
    pub judged: u64,
}

/// A model that can run beside others.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Running {
    /// A straight line.
    Linear(Linear),
    /// The mean of the newest.
    MovingAverage(MovingAverage),
    /// Level, trend and season.
    HoltWinters(HoltWinters),
}

impl Running {
    fn model(&self) -> &dyn Model {
        match self {
            Running::Linear(model) => model,
            Running::MovingAverage(model) => model,
            Running::HoltWinters(model) => model,
        }
    }

    fn model_mut(&mut self) -> &mut dyn Model {
        match self {
            Running::Linear(model) => model,
            Running::MovingAverage(model) => model,
            Running::HoltWinters(model) => model,
        }
    }
}

impl Kept for Running {
    fn fits(&self, made: &Self) -> bool {
        match (self, made) {
            (Running::Linear(own), Running::Linear(made)) => own.fits(made),
            (Running::MovingAverage(own), Running::MovingAverage(made)) => own.fits(made),
            (Running::HoltWinters(own), Running::HoltWinters(made)) => own.fits(made),
            _ => false,
        }
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Runner {
    model: Running,
    errors: Forgetting,
    /// The naive forecast's errors at the same values.
    naive: Forgetting,
}

/// Models, each scored by its forecasts of the next value, the newest counting most.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Best {
    naive: Naive,
    runners: Vec<Runner>,
}

/// Forecasts that a model is judged by before it may answer.
const JUDGED: u64 = 16;

impl Best {
    /// Of these models beside the naive one; `share` of the newest error in their mean, such as 0.02.
    pub fn of(models: Vec<Running>, share: f64) -> Best {
        let runner = |model| Runner { model, errors: Forgetting::new(share), naive: Forgetting::new(share) };
        Best { naive: Naive::default(), runners: models.into_iter().map(runner).collect() }
    }

    /// How each stands, the best first; the naive one, which stands at 1, is left out.
    pub fn standings(&self) -> Vec<Standing> {
        let mut standings: Vec<_> = self.runners.iter().map(Runner::standing).collect();
        standings.sort_by(|left, right| left.relative_error.total_cmp(&right.relative_error));
        standings
    }

    /// What was kept of one with these settings, to go on from.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn restore(&self, state: &Value) -> Result<Best, StateError> {
        let wrong = |what: String| StateError { of: "the forecasts".into(), what };
        let kept: Best = Best::deserialize(state).map_err(|error| wrong(format!("cannot be read ({error})")))?;
        let fits = kept.runners.len() == self.runners.len() && kept.naive.fits(&self.naive);
        let fits = fits && kept.runners.iter().zip(&self.runners).all(|(own, made)| own.fits(made));
        if fits { Ok(kept) } else { Err(wrong("is of other settings, or damaged".into())) }
    }

    fn best(&self) -> &dyn Model {
        let judged = self.runners.iter().filter(|runner| runner.errors.count() >= JUDGED);
        let best =
            judged.min_by(|left, right| left.standing().relative_error.total_cmp(&right.standing().relative_error));
        match best {
            Some(runner) if runner.standing().relative_error < 1.0 => runner.model.model(),
            _ => &self.naive,
        }
    }
}

impl Runner {
    fn standing(&self) -> Standing {
        let (errors, naive) = (self.errors.mean(), self.naive.mean());
        let relative_error = if errors == naive { 1.0 } else { errors / naive };
        Standing { model: self.model.model().name(), relative_error, judged: self.errors.count() }
    }
}

impl Kept for Runner {
    fn fits(&self, made: &Self) -> bool {
        self.model.fits(&made.model) && self.errors.fits(&made.errors) && self.naive.fits(&made.naive)
    }
}

impl Model for Best {
    /// The name of the one that answers now.
    fn name(&self) -> &'static str {
        self.best().name()
    }

    fn observe(&mut self, value: f64) {
        if !value.is_finite() {
            return;
        }
        let last = self.naive.forecast(1);
        for runner in &mut self.runners {
            if let (Some(forecast), Some(last)) = (runner.model.model().forecast(1), last) {
                runner.errors.push((value - forecast).abs());
                runner.naive.push((value - last).abs());
            }
            runner.model.model_mut().observe(value);
        }
        self.naive.observe(value);
    }

    fn forecast(&self, ahead: usize) -> Option<f64> {
        self.best().forecast(ahead)
    }

    fn reset(&mut self) {
        self.naive.reset();
        for runner in &mut self.runners {
            runner.model.model_mut().reset();
            (runner.errors, runner.naive) = (runner.errors.fresh(), runner.naive.fresh());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn best() -> Best {
        Best::of(
            vec![
                Running::Linear(Linear::new(12)),
                Running::MovingAverage(MovingAverage::new(12)),
                Running::HoltWinters(HoltWinters::new(0.3, 0.05, 0.2, 24)),
            ],
            0.02,
        )
    }

    #[test]
    fn the_best_model_of_each_kind_of_series_answers() {
        let noise = |i: usize| ((i * 7919) % 101) as f64 / 101.0 - 0.5;
        let of = |series: &dyn Fn(usize) -> f64| {
            let mut best = best();
            (0..2000).for_each(|i| best.observe(series(i)));
            (best.name(), best.forecast(1).unwrap() - series(2000))
        };
        assert_eq!(of(&|i| 3.0 * i as f64 + 4.0 * noise(i)).0, "linear");
        assert_eq!(of(&|i| 100.0 + noise(i)).0, "moving-average");
        let (name, error) = of(&|i| 50.0 + 10.0 * (i as f64 / 24.0 * std::f64::consts::TAU).sin());
        assert_eq!(name, "holt-winters");
        assert!(error.abs() < 0.5, "{error}");
        assert_eq!(of(&|_| 5.0), ("naive", 0.0), "a constant");
    }
}
