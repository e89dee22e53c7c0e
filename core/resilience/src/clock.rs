//! The one clock of a scope; it lives on the floor below, where the executor uses it too.

pub(crate) use knhk_warm::nanoseconds;
pub use knhk_warm::{Clock, ManualClock, SystemClock};
