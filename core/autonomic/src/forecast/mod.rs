//! Forecasts: how a series is likely to go on.
//!
//! A [`Model`] foretells values ahead; [`Best`] runs several side by side, scores each by its forecasts of the next value against what the
//! last value would have foretold, and answers with the one that is best now.

mod best;
mod holt_winters;
mod linear;
mod moving_average;
mod naive;

pub use best::{Best, Running, Standing};
pub use holt_winters::HoltWinters;
pub use linear::Linear;
pub use moving_average::MovingAverage;
pub use naive::Naive;

/// Foretells a series from the values so far.
pub trait Model: Send {
    /// Its name, as receipts state it.
    fn name(&self) -> &'static str;

    /// Takes up the next value; what is no number is passed over.
    fn observe(&mut self, value: f64);

    /// The value `ahead` steps after the last one, at least 1; none while there were too few.
    fn forecast(&self, ahead: usize) -> Option<f64>;

    /// Forgets all values.
    fn reset(&mut self);
}
