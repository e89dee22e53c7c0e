//! Which segments' observations are still held, and which of them are due to go.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use knhk_ledger::{Entry, Evidence, Outcome, ranges};
use knhk_store::{SegmentQuery, Store, StoreError};

use crate::Retention;

/// Segments whose observations are held, oldest first.
pub(crate) struct Held {
    retention: Retention,
    segments: VecDeque<HeldSegment>,
    bytes: u64,
}

#[derive(Clone)]
pub(crate) struct HeldSegment {
    pub(crate) number: u64,
    pub(crate) sector: Arc<str>,
    /// Of its observations, uncompressed.
    pub(crate) bytes: u64,
    pub(crate) last_ns: u64,
}

impl Held {
    /// What a store holds.
    pub(crate) fn read(store: &dyn Store, retention: Retention) -> Result<Held, StoreError> {
        let mut held = Held { retention, segments: VecDeque::new(), bytes: 0 };
        let mut from = 0;
        loop {
            let page = store.segments(&SegmentQuery { from, held: true, ..Default::default() })?;
            let Some(last) = page.last() else { return Ok(held) };
            from = last.number + 1;
            for segment in &page {
                let bytes = segment.count * u64::from(segment.record_bytes);
                let (number, sector) = (segment.number, segment.sector.as_str().into());
                held.add(HeldSegment { number, sector, bytes, last_ns: segment.last_ns });
            }
        }
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    pub(crate) fn add(&mut self, segment: HeldSegment) {
        self.bytes += segment.bytes;
        self.segments.push_back(segment);
    }

    /// Puts back what was due and could not be dropped.
    pub(crate) fn restore(&mut self, due: Vec<HeldSegment>) {
        due.into_iter().for_each(|segment| self.add(segment));
        self.segments.make_contiguous().sort_unstable_by_key(|segment| segment.number);
    }

    /// Takes out what is due; `coming` bytes are on their way.
    pub(crate) fn due(&mut self, now_ns: u64, coming: u64) -> Vec<HeldSegment> {
        let mut due = Vec::new();
        while let Some(oldest) = self.segments.front() {
            let large = self.retention.bytes.is_some_and(|bytes| self.bytes + coming > bytes);
            let age = now_ns.saturating_sub(oldest.last_ns);
            let old = self.retention.age.is_some_and(|most| u128::from(age) > most.as_nanos());
            if !large && !old {
                break;
            }
            self.bytes -= oldest.bytes;
            due.extend(self.segments.pop_front());
        }
        due
    }
}

/// The receipts of what is dropped: one for each sector, which names the segments.
pub(crate) fn receipts(due: &[HeldSegment], time_ns: u64) -> Vec<Entry> {
    let mut sectors: BTreeMap<&str, Vec<u64>> = BTreeMap::new();
    for segment in due {
        sectors.entry(&segment.sector).or_default().push(segment.number);
    }
    let entry = |(sector, numbers): (&str, Vec<u64>)| {
        let change = format!("segments dropped: {}", ranges(&numbers));
        let evidence = Evidence::SectorUpdated { change, by: String::new(), why: "retention".into() };
        Entry { time_ns, sector: Some(sector.into()), outcome: Outcome::Approved, evidence, links: Vec::new() }
    };
    sectors.into_iter().map(entry).collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn held(retention: Retention) -> Held {
        let mut held = Held { retention, segments: VecDeque::new(), bytes: 0 };
        for number in 0..5 {
            held.add(HeldSegment { number, sector: "orders".into(), bytes: 100, last_ns: 1000 * number });
        }
        held
    }

    fn numbers(due: &[HeldSegment]) -> Vec<u64> {
        due.iter().map(|segment| segment.number).collect()
    }

    #[test]
    fn the_oldest_go_first_until_the_rest_fits() {
        let mut held = held(Retention { bytes: Some(250), age: None });
        let due = held.due(1 << 40, 0);
        assert_eq!(numbers(&due), [0, 1, 2]);
        assert_eq!(held.bytes(), 200);
        held.restore(due);
        assert_eq!(held.bytes(), 500);
        assert_eq!(numbers(&held.due(0, 0)), [0, 1, 2]);
        assert_eq!(numbers(&held.due(0, 100)), [3], "what comes needs room, too");
    }

    #[test]
    fn what_is_too_old_goes() {
        let mut held = held(Retention { bytes: None, age: Some(Duration::from_nanos(2000)) });
        assert_eq!(numbers(&held.due(3000, 0)), [0]);
        assert_eq!(numbers(&held.due(3001, 0)), [1]);
        assert_eq!(numbers(&held.due(2, 0)), [0; 0], "a clock that went back drops nothing");
    }

    #[test]
    fn without_retention_all_of_it_stays() {
        assert!(held(Retention::default()).due(u64::MAX, 1 << 40).is_empty());
    }
}
