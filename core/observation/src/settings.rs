//! How observations are kept.

use std::time::Duration;

use crate::{ObservationError, RECORD_BYTES};

/// How observations are drained, aggregated and kept; the defaults suit a service that makes up to some millions a second.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Settings {
    /// Observations of a segment, at most: 1 to 1,048,576. Each segment has one receipt; a proof reads one segment.
    pub segment_records: usize,
    /// How long an observation waits for its segment to fill, at most; after a crash, that much can be missing of what was not flushed.
    pub seal_after: Duration,
    /// Bytes of memory for observations that are not durable yet, at least four segments'. Beyond it nothing is drained: rings fill and
    /// refuse, which is counted.
    pub memory: u64,
    /// How often the rings are looked into while they are empty. A ring should hold what comes in several of these.
    pub period: Duration,
    /// What is kept of the observations themselves.
    pub retention: Retention,
    /// The window that aggregates are over, 1 s to 1 h; objectives have their own.
    pub window: Duration,
    /// Pairs of key and kind that are aggregated apart, at most; what comes beyond is aggregated together.
    pub series: usize,
    /// The effort of zstd: 1 is fast, up to 19 is smaller, below 0 is faster still.
    pub compression: i32,
}

/// What is kept of the observations themselves; counts, Merkle roots and receipts are kept for ever. The default keeps everything.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Retention {
    /// Bytes of observations, 64 each; on the disk they are compressed. The oldest segments go first.
    pub bytes: Option<u64>,
    /// How old the newest observation of a segment may be.
    pub age: Option<Duration>,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            segment_records: 16_384,
            seal_after: Duration::from_secs(1),
            memory: 64 << 20,
            period: Duration::from_millis(1),
            retention: Retention::default(),
            window: Duration::from_secs(10),
            series: 512,
            compression: 1,
        }
    }
}

impl Settings {
    pub(crate) const MAX_SEGMENT_RECORDS: usize = 1 << 20;

    pub(crate) fn check(&self) -> Result<(), ObservationError> {
        let refuse = |what: &str| Err(ObservationError::Setting { what: what.into() });
        if !(1..=Settings::MAX_SEGMENT_RECORDS).contains(&self.segment_records) {
            return refuse("a segment holds 1 to 1,048,576 observations: set segment_records to such a number");
        }
        if !(1..=3600).contains(&self.window.as_secs()) {
            return refuse("the window of aggregates is 1 second to 1 hour: set it to that, objectives have their own");
        }
        if self.series == 0 || self.series > 1 << 16 {
            return refuse("1 to 65,536 series are aggregated apart: set series to such a number");
        }
        if !zstd::compression_level_range().contains(&self.compression) {
            return refuse("zstd has no such effort: set compression to 1, or to another of its levels up to 22");
        }
        Ok(())
    }

    pub(crate) fn segment_bytes(&self) -> usize {
        self.segment_records * RECORD_BYTES
    }

    /// Buffers of a segment each that may be in use.
    pub(crate) fn buffers(&self) -> usize {
        (self.memory as usize / self.segment_bytes()).max(4)
    }
}
