//! From records to samples: what was recorded of a kind, second by second or in longer steps.
//!
//! A record belongs to the sample that its time falls into. Samples are closed up to a moment that is passed in; what comes late goes to the
//! oldest sample that is open, and what is dated far ahead of the moment to the last one that may be: while records are made durable, others come. So
//! the samples are a function of the records, of the order in which they come, and of the moments.

use std::collections::BTreeMap;

use knhk_observation::{Counts, Figures, Kind, Record, Sum};
use serde::{Deserialize, Serialize};

/// Nanoseconds of a second.
const SECOND: u64 = 1_000_000_000;
/// Samples ahead of the moment that are open, at most.
const AHEAD: u64 = 120;
/// Samples without a record that are closed at once, at most: a clock that leaps ahead is no long silence.
const EMPTY: u64 = 600;
/// Records of a sample whose places are kept, of those that were no success or not what is declared, and of all.
const PLACES: usize = 4;
/// Segments of a sample that are kept.
const SEGMENTS: usize = 16;

/// Where an observation is: its segment, and its index there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Place {
    /// The segment.
    pub segment: u64,
    /// The index.
    pub index: u64,
}

/// Sorts records of one kind into samples.
#[derive(Clone, Serialize, Deserialize)]
pub struct Sampler {
    every_ns: u64,
    /// The first sample that it is about, counted from 1970: the first one that was observed as a whole.
    first: u64,
    /// The oldest sample that is not closed.
    next: u64,
    /// Samples in which there is something.
    open: BTreeMap<u64, Open>,
}

#[derive(Clone, Default, Serialize, Deserialize)]
struct Open {
    sum: Sum,
    /// The segments that its records are in, without repetitions.
    segments: Vec<u64>,
    /// The first records that were no success, or not what is declared.
    bad: Vec<Place>,
    /// The first records.
    any: Vec<Place>,
}

/// A sample that is closed.
#[derive(Clone, Debug, PartialEq)]
pub struct Closed {
    /// When it begins, in nanoseconds since 1970 (UTC).
    pub from_ns: u64,
    /// When it ends.
    pub to_ns: u64,
    /// What was recorded.
    pub figures: Figures,
    /// The segments that hold it, at most 16.
    pub segments: Vec<u64>,
    /// A few of its observations: those that were no success or not what is declared, where there are any.
    pub places: Vec<Place>,
}

impl Closed {
    /// How many records, and how they ended.
    pub fn counts(&self) -> Counts {
        self.figures.counts
    }
}

impl Sampler {
    /// Samples of so many seconds, the first one beginning after `now_ns`.
    pub fn new(seconds: u32, now_ns: u64) -> Sampler {
        let every_ns = u64::from(seconds.max(1)) * SECOND;
        let first = now_ns / every_ns + 1;
        Sampler { every_ns, first, next: first, open: BTreeMap::new() }
    }

    /// Seconds of a sample.
    pub fn seconds(&self) -> u32 {
        (self.every_ns / SECOND) as u32
    }

    /// Takes up a record of the kind.
    pub fn add(&mut self, moment_ns: u64, place: Place, record: &Record, kind: &Kind) {
        let sample = record.time_ns / self.every_ns;
        if sample < self.first {
            return;
        }
        let last = (moment_ns / self.every_ns + AHEAD).max(self.next);
        let open = self.open.entry(sample.clamp(self.next, last)).or_default();
        let (value, mismatched) = kind.judge(record);
        open.sum.add(record.outcome, value, mismatched);
        if open.any.len() < PLACES {
            open.any.push(place);
        }
        if open.bad.len() < PLACES && (mismatched || !record.succeeded()) {
            open.bad.push(place);
        }
        if open.segments.last() != Some(&place.segment) && open.segments.len() < SEGMENTS {
            open.segments.push(place.segment);
        }
    }

    /// Closes the samples that end at `moment_ns` or before, oldest first. `resumes`: nobody looked for a while, and a sample without records
    /// says nothing.
    pub fn close(&mut self, moment_ns: u64, resumes: bool) -> Vec<Closed> {
        let end = moment_ns / self.every_ns;
        if end <= self.next {
            return Vec::new();
        }
        let empty_from = if resumes { end } else { end.saturating_sub(EMPTY) }.max(self.next);
        let filled: Vec<u64> = self.open.range(..empty_from).map(|(sample, _)| *sample).collect();
        let closed = filled.into_iter().chain(empty_from..end).map(|sample| {
            let Open { sum, segments, bad, any } = self.open.remove(&sample).unwrap_or_default();
            Closed {
                from_ns: sample * self.every_ns,
                to_ns: (sample + 1) * self.every_ns,
                figures: sum.figures(self.every_ns as f64 / SECOND as f64),
                segments,
                places: if bad.is_empty() { any } else { bad },
            }
        });
        let closed = closed.collect();
        self.next = end;
        closed
    }
}

#[cfg(test)]
mod tests {
    use knhk_observation::Recorded;

    use super::*;

    fn kind() -> Kind {
        let (name, unit, key) = ("Served".into(), None, None);
        Kind { name, value_type: Recorded::I64, unit, min: Some(0.0), max: None, key, code: None }
    }

    fn record(time_ns: u64, value: i64, outcome: u32) -> Record {
        let (epoch, reader, sequence, subject, detail, slot) = (1, 1, 0, 0, 0, 0);
        Record { time_ns, epoch, reader, sequence, subject, detail, value: value as u64, slot, tag: 2, outcome }
    }

    fn at(index: u64) -> Place {
        Place { segment: 7, index }
    }

    #[test]
    fn records_are_in_the_sample_of_their_time() {
        let mut sampler = Sampler::new(1, 10 * SECOND + 5);
        let add = |sampler: &mut Sampler, index, moment, time| {
            sampler.add(moment, at(index), &record(time, 3, 1), &kind());
        };
        add(&mut sampler, 0, 12 * SECOND, 10 * SECOND + 7);
        add(&mut sampler, 1, 12 * SECOND, 11 * SECOND + 1);
        add(&mut sampler, 2, 12 * SECOND, 900 * SECOND);
        let closed = sampler.close(12 * SECOND, false);
        assert_eq!(closed.len(), 1, "the second that was begun already is left out");
        assert_eq!((closed[0].from_ns, closed[0].to_ns, closed[0].counts().count), (11 * SECOND, 12 * SECOND, 1));
        assert_eq!((&closed[0].places[..], &closed[0].segments[..]), (&[at(1)][..], &[7][..]));
        add(&mut sampler, 3, 13 * SECOND, 11 * SECOND);
        let counts: Vec<_> = sampler.close(15 * SECOND, false).iter().map(|one| one.counts().count).collect();
        assert_eq!(counts, [1, 0, 0], "late ones are in the one that is open");
        let last = sampler.close(400 * SECOND, false).into_iter().find(|one| one.counts().count > 0).unwrap();
        assert_eq!(last.from_ns, (12 + AHEAD) * SECOND, "and no record is in a later one than may be");
        assert!(sampler.close(14 * SECOND, false).is_empty(), "time that goes back closes nothing");
    }

    #[test]
    fn a_leap_of_the_clock_is_no_long_silence_and_a_pause_none_at_all() {
        let mut sampler = Sampler::new(1, 0);
        sampler.add(2 * SECOND, at(0), &record(SECOND, 1, 1), &kind());
        let mut paused = sampler.clone();
        assert_eq!(sampler.close(1_000_000_000 * SECOND, false).len() as u64, EMPTY + 1);
        assert_eq!(paused.close(1_000_000_000 * SECOND, true).len(), 1);
    }

    #[test]
    fn what_is_kept_goes_on_as_if_nothing_had_been() {
        let mut sampler = Sampler::new(2, 0);
        let add = |sampler: &mut Sampler, n: u64| {
            sampler.add(9 * SECOND, at(n), &record(2 * SECOND + n, n as i64 - 1, 1 + (n % 3) as u32), &kind());
        };
        (0..50).for_each(|n| add(&mut sampler, n));
        let text = serde_json::to_string(&sampler).unwrap();
        let mut again: Sampler = serde_json::from_str(&text).unwrap();
        (50..99).for_each(|n| (add(&mut sampler, n), add(&mut again, n)).0);
        let closed = sampler.close(9 * SECOND, false);
        assert_eq!(closed, again.close(9 * SECOND, false));
        assert_eq!((closed[0].counts().mismatched, closed[0].places.len()), (1, PLACES));
        let empty = serde_json::to_string(&Open::default()).unwrap();
        assert_eq!(serde_json::from_str::<Open>(&empty).unwrap().sum.figures(1.0).max, None);
    }
}
