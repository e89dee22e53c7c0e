//! What is asked of receipts and segments.

/// Which receipts; the default is all of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReceiptQuery {
    /// The first number.
    pub from: u64,
    /// One beyond the last number; none: to the end.
    pub to: Option<u64>,
    /// Only those about this sector.
    pub sector: Option<String>,
    /// Only those of this kind.
    pub kind: Option<String>,
    /// The newest first.
    pub newest_first: bool,
    /// How many at most; none: 1,000.
    pub limit: Option<usize>,
}

impl ReceiptQuery {
    pub(crate) const DEFAULT_LIMIT: usize = 1000;
}

/// Which observation segments; the default is all of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SegmentQuery {
    /// The first number.
    pub from: u64,
    /// Only those of this sector.
    pub sector: Option<String>,
    /// Only those with an observation at or after this time.
    pub since_ns: Option<u64>,
    /// Only those with an observation before this time.
    pub before_ns: Option<u64>,
    /// Only those whose observations are still held.
    pub held: bool,
    /// How many at most; none: 1,000.
    pub limit: Option<usize>,
}

impl SegmentQuery {
    pub(crate) const DEFAULT_LIMIT: usize = 1000;
}
