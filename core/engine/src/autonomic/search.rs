//! Searching for a value: what a limit would have done with what was recorded.
//!
//! Where a kind is recorded under a parameter that is a limit of its values (each order's quantity under the largest that is allowed), the records tell
//! what another limit would have admitted: those with a value within it. A limit is one where what was recorded says so: nearly all successes are
//! within it, and nearly all others are not. Of what was recorded in the sample that shows the pattern, the limit that would have brought what the
//! watch looks at closest to what the detector expected is the best one; among equals, the one that is closest to what it is:
//!
//! - a share of failures: the share of what is beyond the limit;
//! - a number of records that rose: how many are within it;
//! - a mean or a quantile that rose, where the limit is a time-out (what is beyond it ended just beyond it): of the values, each at most the limit.
//!
//! Of anything else nothing can be said in this way, and nothing is.

use knhk_autonomic::Pattern;
use knhk_autonomic::plan::{Plan, Proposer, Question, Search};
use knhk_autonomic::watch::{Declared, Watch};
use knhk_observation::{Aggregate, ObservationError, Record};

use super::journal::Said;
use crate::{Engine, Error, SegmentQuery};

/// Records by which a parameter is known as a limit, the newest ones at most, and at least.
const RECORDS: usize = 10_000;
const FEWEST: usize = 50;
/// Records of the sample that a candidate is judged by, at least.
const SAMPLE: usize = 20;
/// Segments that are looked through, at most.
const SEGMENTS: u64 = 256;
/// Values of a grid.
const POINTS: usize = 41;
/// The share of records that must agree with the value's being a limit.
const AGREEMENT: f64 = 0.95;
/// The share of a time-out by which what it ended may have taken longer.
const OVERRUN: f64 = 0.1;

impl Engine {
    /// What the search says to a question, by the segments before `next_segment`.
    pub(crate) fn search(&self, question: &Question, next_segment: u64) -> Result<Said, Error> {
        let pattern = &question.pattern;
        let Some((by, expected)) = self.judged_by(pattern)? else { return Ok(Said::Nothing) };
        let now = question.parameters.iter().find(|one| Some(&one.path) == pattern.concerns.as_ref());
        let Some(now) = now.and_then(|parameter| parameter.value.as_f64()) else { return Ok(Said::Nothing) };
        let tried = self.recorded_under(&pattern.sector, pattern.concerns.as_deref(), next_segment)?;
        let Some(upper) = side(&tried, now).filter(|upper| by.fits(&tried, now, *upper)) else {
            return Ok(Said::Nothing);
        };
        let within = |one: &&Tried| (pattern.from_ns..pattern.to_ns).contains(&one.time_ns);
        let values: Vec<f64> = tried.iter().filter(within).map(|one| one.value).collect();
        if values.len() < SAMPLE {
            return Ok(Said::Nothing);
        }
        let trial = move |_: &Question, plan: Option<&Plan>| {
            let limit = plan.map_or(Some(now), |plan| plan.changes[0].value.as_f64())?;
            let off = by.off(&values, limit, upper, expected);
            // The distance decides among equals alone.
            Some(-off - 1e-9 * (limit - now).abs() / now.abs().max(1.0))
        };
        Ok(match Search::new(POINTS, trial).propose(question) {
            Ok(Some(plan)) => Said::Plan(plan),
            Ok(None) => Said::Nothing,
            Err(error) => Said::Failed(error.why),
        })
    }

    /// What candidates are judged by where this was found, and what was expected of it; none: nothing is known to judge them by.
    fn judged_by(&self, pattern: &Pattern) -> Result<Option<(By, f64)>, Error> {
        let (expected, rose) = (pattern.expected, pattern.observed > pattern.expected);
        Ok(match pattern.detector.as_str() {
            "error-ratio" => Some((By::Share, expected)),
            "rate" => Some((By::Count, expected)).filter(|_| rose),
            "heartbeat" | "mismatch" => None,
            _ => {
                let sector = self.sector(&pattern.sector)?;
                let snapshot = self.snapshot_of(&sector, None, "loop")?;
                let declared = Declared::of(&snapshot);
                let watch = declared.watches.iter().find(|watch| watch.name == pattern.watch);
                let measure = watch.and_then(Watch::measure).filter(|_| rose);
                let quantile = |share| Some((By::Measure(Some(share)), expected));
                match measure {
                    Some(Aggregate::FailureShare) => Some((By::Share, expected / 100.0)),
                    Some(Aggregate::Count) => Some((By::Count, expected)),
                    Some(Aggregate::Mean) => Some((By::Measure(None), expected)),
                    Some(Aggregate::P50) => quantile(0.5),
                    Some(Aggregate::P90) => quantile(0.9),
                    Some(Aggregate::P99) => quantile(0.99),
                    Some(Aggregate::P999) => quantile(0.999),
                    _ => None,
                }
            }
        })
    }

    /// What was tried newest under a parameter.
    fn recorded_under(&self, sector: &str, path: Option<&str>, next: u64) -> Result<Vec<Tried>, Error> {
        let slot = path.and_then(|path| self.sector(sector).ok()?.lock().ok()?.keys.get(path));
        let Some(slot) = slot else { return Ok(Vec::new()) };
        let store = self.durable()?.store();
        let from = next.saturating_sub(SEGMENTS);
        let query = SegmentQuery { from, sector: Some(sector.into()), held: true, ..SegmentQuery::default() };
        let mut found = Vec::new();
        for segment in store.segments(&query)?.iter().rev().filter(|segment| segment.number < next) {
            let records = match knhk_observation::records(&**store, segment.number) {
                Ok(records) => records,
                // Retention was quicker.
                Err(ObservationError::NotFound { .. } | ObservationError::Dropped { .. }) => continue,
                Err(error) => return Err(error.into()),
            };
            let of = |record: &Record| {
                Some(Tried { time_ns: record.time_ns, value: record.number()?, success: record.succeeded() })
            };
            found.extend(records.iter().rev().filter(|record| record.slot == slot).filter_map(of));
            if found.len() >= RECORDS {
                found.truncate(RECORDS);
                break;
            }
        }
        Ok(found)
    }
}

/// What a candidate is judged by.
#[derive(Clone, Copy, Debug, PartialEq)]
enum By {
    /// The share of what is beyond it.
    Share,
    /// The number of what is within it.
    Count,
    /// The mean, or a quantile, of what takes no longer than it lasts.
    Measure(Option<f64>),
}

impl By {
    /// Whether what was recorded under a limit can be judged by this.
    fn fits(self, tried: &[Tried], now: f64, upper: bool) -> bool {
        if !matches!(self, By::Measure(_)) {
            return true;
        }
        let (mut beyond, mut just) = (0.0, 0.0);
        for one in tried.iter().filter(|one| one.value > now) {
            beyond += 1.0;
            just += f64::from(one.value <= now * (1.0 + OVERRUN));
        }
        upper && now > 0.0 && just >= AGREEMENT * beyond
    }

    /// How far off what was expected a sample would have been under a limit: for measures as a share of that.
    fn off(self, values: &[f64], limit: f64, upper: bool, expected: f64) -> f64 {
        let beyond = |value: f64| if upper { value > limit } else { value < limit };
        let share = values.iter().filter(|&&value| beyond(value)).count() as f64 / values.len() as f64;
        let scale = expected.abs().max(f64::MIN_POSITIVE);
        match self {
            By::Share => (share - expected).abs(),
            By::Count => ((1.0 - share) * values.len() as f64 - expected).abs() / scale,
            By::Measure(quantile) => {
                let mut cut: Vec<f64> = values.iter().map(|value| value.min(limit)).collect();
                cut.sort_unstable_by(f64::total_cmp);
                let measure = match quantile {
                    Some(share) => cut[((share * cut.len() as f64).ceil() as usize).clamp(1, cut.len()) - 1],
                    None => cut.iter().sum::<f64>() / cut.len() as f64,
                };
                (measure - expected).abs() / scale
            }
        }
    }
}

/// A value that was recorded.
struct Tried {
    time_ns: u64,
    value: f64,
    success: bool,
}

/// Whether the value is an upper limit of what was recorded (true) or a lower one (false); none where it is neither.
fn side(tried: &[Tried], now: f64) -> Option<bool> {
    if tried.len() < FEWEST {
        return None;
    }
    let agreeing = |upper: bool| {
        let within = |value: f64| if upper { value <= now } else { value >= now };
        let agree = tried.iter().filter(|one| within(one.value) == one.success).count();
        agree as f64 >= AGREEMENT * tried.len() as f64
    };
    // All of one kind fit anything.
    let mixed = tried.iter().any(|one| one.success) && tried.iter().any(|one| !one.success);
    [true, false].into_iter().find(|upper| mixed && agreeing(*upper))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_what_the_records_say_is_one() {
        let tried = |success: &dyn Fn(u32) -> bool| -> Vec<Tried> {
            (0..100).map(|n| Tried { time_ns: 0, value: f64::from(n), success: success(n) }).collect()
        };
        let (upper, lower, all) = (tried(&|n| n <= 80), tried(&|n| n >= 80), tried(&|_| true));
        assert_eq!((side(&upper, 80.0), side(&upper, 40.0)), (Some(true), None));
        assert_eq!(side(&lower, 80.0), Some(false));
        assert_eq!(side(&upper[..40], 80.0), None, "too few");
        assert_eq!(side(&all, 99.0), None, "nothing was refused");
    }

    #[test]
    fn each_pattern_has_candidates_judged_by_what_it_is_about() {
        let values: Vec<f64> = (1..=100).map(f64::from).collect();
        let best = |by: By, expected: f64| {
            let off = |limit: &u32| by.off(&values, f64::from(*limit), true, expected);
            (1..=100).min_by(|one, other| off(one).total_cmp(&off(other))).unwrap()
        };
        assert_eq!(best(By::Share, 0.2), 80);
        assert_eq!(best(By::Count, 30.0), 30);
        assert_eq!(best(By::Measure(Some(0.9)), 60.0), 60);
        // The mean of 1 to 40, and of 60 values of 40: (820 + 2400) / 100.
        assert_eq!(best(By::Measure(None), 32.2), 40);
        let tried = |most: u32| -> Vec<Tried> {
            (1..=most).map(|n| Tried { time_ns: 0, value: f64::from(n), success: n <= 100 }).collect()
        };
        assert!(By::Measure(None).fits(&tried(110), 100.0, true), "it is a time-out");
        assert!(!By::Measure(None).fits(&tried(120), 100.0, true), "what was beyond it went on");
        assert!(By::Share.fits(&tried(120), 100.0, true));
    }
}
