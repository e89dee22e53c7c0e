//! Several models side by side, the best one answering.

use super::{Model, Naive};
use crate::Forgetting;

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

struct Runner {
    model: Box<dyn Model>,
    errors: Forgetting,
    /// The naive forecast's errors at the same values.
    naive: Forgetting,
}

/// Models, each scored by its forecasts of the next value, the newest counting most.
pub struct Best {
    naive: Naive,
    runners: Vec<Runner>,
}

/// Forecasts that a model is judged by before it may answer.
const JUDGED: u64 = 16;

impl Best {
    /// Of these models beside the naive one; `share` of the newest error in their mean, such as 0.02.
    pub fn of(models: Vec<Box<dyn Model>>, share: f64) -> Best {
        let runner = |model| Runner { model, errors: Forgetting::new(share), naive: Forgetting::new(share) };
        Best { naive: Naive::default(), runners: models.into_iter().map(runner).collect() }
    }

    /// How each stands, the best first; the naive one, which stands at 1, is left out.
    pub fn standings(&self) -> Vec<Standing> {
        let mut standings: Vec<_> = self.runners.iter().map(Runner::standing).collect();
        standings.sort_by(|left, right| left.relative_error.total_cmp(&right.relative_error));
        standings
    }

    fn best(&self) -> &dyn Model {
        let judged = self.runners.iter().filter(|runner| runner.errors.count() >= JUDGED);
        let best =
            judged.min_by(|left, right| left.standing().relative_error.total_cmp(&right.standing().relative_error));
        match best {
            Some(runner) if runner.standing().relative_error < 1.0 => &*runner.model,
            _ => &self.naive,
        }
    }
}

impl Runner {
    fn standing(&self) -> Standing {
        let (errors, naive) = (self.errors.mean(), self.naive.mean());
        let relative_error = if errors == naive { 1.0 } else { errors / naive };
        Standing { model: self.model.name(), relative_error, judged: self.errors.count() }
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
            if let (Some(forecast), Some(last)) = (runner.model.forecast(1), last) {
                runner.errors.push((value - forecast).abs());
                runner.naive.push((value - last).abs());
            }
            runner.model.observe(value);
        }
        self.naive.observe(value);
    }

    fn forecast(&self, ahead: usize) -> Option<f64> {
        self.best().forecast(ahead)
    }

    fn reset(&mut self) {
        self.naive.reset();
        for runner in &mut self.runners {
            runner.model.reset();
            (runner.errors, runner.naive) = (runner.errors.fresh(), runner.naive.fresh());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::forecast::{HoltWinters, Linear, MovingAverage};

    fn best() -> Best {
        Best::of(
            vec![
                Box::new(Linear::new(12)),
                Box::new(MovingAverage::new(12)),
                Box::new(HoltWinters::new(0.3, 0.05, 0.2, 24)),
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
