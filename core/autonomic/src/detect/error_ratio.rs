//! More failures among a window's calls than there used to be.

use serde::{Deserialize, Serialize};
use statrs::function::gamma::ln_gamma;

use super::Score;
use crate::state::{Kept, finite};

/// Whether the failures among a window's calls are as frequent as before, by Fisher's exact test, to the side of more failures: the
/// probability of at least as many of them in the window, given all calls and failures of both. What is known from before fades.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ErrorRatio {
    keep: f64,
    calls: f64,
    failures: f64,
    warm: f64,
}

impl ErrorRatio {
    /// `memory`: windows that count; `warm`: calls before the first score.
    pub fn new(memory: f64, warm: u32) -> ErrorRatio {
        ErrorRatio { keep: 1.0 - 1.0 / memory.max(2.0), calls: 0.0, failures: 0.0, warm: f64::from(warm.max(1)) }
    }

    /// Its name, as receipts state it.
    pub fn name(&self) -> &'static str {
        "error-ratio"
    }

    /// Takes up a window's calls and how many of them failed; none while there were too few before, or where there were none now.
    pub fn observe(&mut self, calls: u64, failures: u64) -> Option<Score> {
        let failures = failures.min(calls);
        let score = (self.calls >= self.warm && calls > 0).then(|| {
            let expected = self.failures / self.calls;
            let ratio = failures as f64 / calls as f64;
            let chance = at_least(failures, calls, self.failures.round(), self.calls.round());
            Score { statistic: ratio - expected, confidence: 1.0 - chance, expected }
        });
        self.calls = self.calls * self.keep + calls as f64;
        self.failures = self.failures * self.keep + failures as f64;
        score
    }

    /// Forgets all windows.
    pub fn reset(&mut self) {
        (self.calls, self.failures) = (0.0, 0.0);
    }
}

impl Kept for ErrorRatio {
    fn fits(&self, made: &Self) -> bool {
        let settings = |one: &ErrorRatio| (one.keep, one.warm);
        settings(self) == settings(made)
            && finite([&self.calls, &self.failures])
            && (0.0..=self.calls).contains(&self.failures)
    }
}

/// The hypergeometric tail: at least `failures` of a window's `calls`, where `before_failures` of `before` failed in all others. Summed from
/// the term at `failures` on until the terms no longer matter.
fn at_least(failures: u64, calls: u64, before_failures: f64, before: f64) -> f64 {
    let (calls, all_failures) = (calls as f64, before_failures + failures as f64);
    let all = before + calls;
    let choose = |n: f64, k: f64| ln_gamma(n + 1.0) - ln_gamma(k + 1.0) - ln_gamma(n - k + 1.0);
    let most = calls.min(all_failures);
    let term = |k: f64| {
        let log = choose(all_failures, k) + choose(all - all_failures, calls - k) - choose(all, calls);
        if calls - k > all - all_failures { 0.0 } else { log.exp() }
    };
    let (mut k, mut sum) = (failures as f64, 0.0);
    let mode = (calls + 1.0) * (all_failures + 1.0) / (all + 2.0);
    while k <= most {
        let next = term(k);
        sum += next;
        if k > mode && next < sum * 1e-16 {
            break;
        }
        k += 1.0;
    }
    sum.min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tail_is_fisher_s() {
        // R: fisher.test(matrix(c(8, 2, 1, 5), 2), alternative = "greater")$p.value = 0.02447552
        assert!((at_least(8, 9, 2.0, 7.0) - 0.024_475_524_475_524).abs() < 1e-9);
        assert!((at_least(0, 9, 2.0, 7.0) - 1.0).abs() < 1e-9);
    }

    #[test]
    fn a_burst_is_found_and_the_usual_is_not() {
        let mut detector = ErrorRatio::new(60.0, 100);
        let usual =
            (0..60).filter_map(|_| detector.observe(1000, 10)).map(|score| score.confidence).fold(0.0, f64::max);
        assert!(usual < 0.9, "{usual}");
        assert!(detector.observe(1000, 40).unwrap().confidence > 0.999_999);
    }
}
