//! What detectors and models have seen, as it is kept: how it is looked at before they go on from it.

use thiserror::Error;

/// Why a kept state cannot be gone on from.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("the kept state of {of} {what}; it begins anew")]
pub struct StateError {
    /// Whose.
    pub of: String,
    /// What is wrong with it.
    pub what: String,
}

/// What is read from a store before it is trusted: a store can be damaged, and settings change.
pub(crate) trait Kept {
    /// Whether it can have become of `made`, which has the settings of now and has seen nothing. What fits never panics.
    fn fits(&self, made: &Self) -> bool;
}

/// The largest count: one more is another number still, as an integer and as a double.
pub(crate) const MOST: u64 = 1 << 53;

/// Whether these are all numbers.
pub(crate) fn finite<'v>(values: impl IntoIterator<Item = &'v f64>) -> bool {
    values.into_iter().all(|value| value.is_finite())
}

/// Whether this is a ring of so many places that was filled from its beginning: `next` is the place of the next value.
pub(crate) fn is_ring(window: &[f64], next: usize, length: usize) -> bool {
    let full = window.len() == length;
    finite(window) && window.len() <= length && if full { next < length } else { next == window.len() }
}
