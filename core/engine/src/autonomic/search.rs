//! Searching for a value: what a limit would have done with what was recorded.
//!
//! Where a kind is recorded under a parameter that is a limit of its values (each order's quantity under the largest that is allowed), the records tell
//! what another limit would have admitted: those with a value within it. A limit is one where what was recorded says so: nearly all successes are
//! within it, and nearly all others are not. Of what was recorded in the sample that shows the pattern, the limit that would have brought the share of
//! what is beyond it closest to what the detector expected is the best one; among equals, the one that is closest to what it is. Of any other
//! parameter nothing can be said in this way, and nothing is.

use knhk_autonomic::plan::{Plan, Proposer, Question, Search};
use knhk_observation::{ObservationError, Record};

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

impl Engine {
    /// What the search says to a question, by the segments before `next_segment`.
    pub(crate) fn search(&self, question: &Question, next_segment: u64) -> Result<Said, Error> {
        let pattern = &question.pattern;
        if pattern.detector != "error-ratio" {
            return Ok(Said::Nothing);
        }
        let now = question.parameters.iter().find(|one| Some(&one.path) == pattern.concerns.as_ref());
        let Some(now) = now.and_then(|parameter| parameter.value.as_f64()) else { return Ok(Said::Nothing) };
        let tried = self.recorded_under(&pattern.sector, pattern.concerns.as_deref(), next_segment)?;
        let Some(upper) = side(&tried, now) else { return Ok(Said::Nothing) };
        let within = |one: &&Tried| (pattern.from_ns..pattern.to_ns).contains(&one.time_ns);
        let values: Vec<f64> = tried.iter().filter(within).map(|one| one.value).collect();
        if values.len() < SAMPLE {
            return Ok(Said::Nothing);
        }
        let expected = pattern.expected;
        let trial = move |_: &Question, plan: Option<&Plan>| {
            let limit = plan.map_or(Some(now), |plan| plan.changes[0].value.as_f64())?;
            let beyond = values.iter().filter(|&&value| if upper { value > limit } else { value < limit }).count();
            let off = (beyond as f64 / values.len() as f64 - expected).abs();
            // The distance decides among equals alone.
            Some(-off - 1e-9 * (limit - now).abs() / now.abs().max(1.0))
        };
        Ok(match Search::new(POINTS, trial).propose(question) {
            Ok(Some(plan)) => Said::Plan(plan),
            Ok(None) => Said::Nothing,
            Err(error) => Said::Failed(error.why),
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
}
