//! Events that should have come and did not.

use serde::{Deserialize, Serialize};

use super::{Score, normal_confidence};
use crate::Forgetting;
use crate::state::Kept;

/// How late an event is, against the gaps before (Hayashibara et al. 2004, "The φ accrual failure detector", with the lower bound of the
/// deviation that practice adds): the confidence is the probability that an event would have come by now.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Heartbeat {
    gaps: Forgetting,
    last_ns: Option<u64>,
    warm: u64,
}

/// The least deviation of the gaps, as a share of their mean: gaps that were all the same are no promise.
const LEAST: f64 = 0.1;

impl Heartbeat {
    /// `share` of the newest gap in the mean, such as 0.05; scores come after `warm` gaps.
    pub fn new(share: f64, warm: u64) -> Heartbeat {
        Heartbeat { gaps: Forgetting::new(share), last_ns: None, warm: warm.max(2) }
    }

    /// Its name, as receipts state it.
    pub fn name(&self) -> &'static str {
        "heartbeat"
    }

    /// Takes up that an event came. Times that go back count as no gap at all.
    pub fn beat(&mut self, time_ns: u64) {
        if let Some(gap) = self.last_ns.map(|last| time_ns.saturating_sub(last)).filter(|&gap| gap > 0) {
            self.gaps.push(gap as f64);
        }
        self.last_ns = Some(self.last_ns.map_or(time_ns, |last| last.max(time_ns)));
    }

    /// What a silence until now means; none while there were too few events.
    pub fn silence(&self, now_ns: u64) -> Option<Score> {
        let last = self.last_ns.filter(|_| self.gaps.count() >= self.warm)?;
        let (gap, expected) = (now_ns.saturating_sub(last) as f64, self.gaps.mean());
        let z = (gap - expected) / self.gaps.deviation().max(LEAST * expected);
        let confidence = if z > 0.0 { 0.5 + normal_confidence(z) / 2.0 } else { 0.5 - normal_confidence(z) / 2.0 };
        Some(Score { statistic: z, confidence, expected })
    }

    /// Forgets all events.
    pub fn reset(&mut self) {
        *self = Heartbeat { gaps: self.gaps.fresh(), last_ns: None, warm: self.warm };
    }
}

impl Kept for Heartbeat {
    fn fits(&self, made: &Self) -> bool {
        self.warm == made.warm && self.gaps.fits(&made.gaps)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silence_is_noticed_within_one_gap_and_a_beat_ends_it() {
        let mut detector = Heartbeat::new(0.05, 10);
        let second = 1_000_000_000;
        (0..50).for_each(|beat| detector.beat(beat * second));
        assert!(detector.silence(49 * second + second / 2).unwrap().confidence < 0.01);
        assert!(detector.silence(51 * second).unwrap().confidence > 0.999_999);
        detector.beat(51 * second);
        assert!(detector.silence(51 * second + 1).unwrap().confidence < 0.01);
    }
}
