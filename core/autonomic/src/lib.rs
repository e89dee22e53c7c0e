//! The closed loop's parts: what is watched ([`watch`]), what is unusual in a series ([`detect`]), how it is likely to go on ([`forecast`]), what to do about it ([`plan`]), and
//! what became of what was done ([`knowledge`]).
//!
//! Detectors and models are streams: they take one value at a time, allocate when they are made and never again, and need the same memory after
//! a year as after a minute. Nothing here changes anything: a plan is filed as a proposal, and goes through the pipeline like anybody's.
#![forbid(unsafe_code)]

pub mod detect;
pub mod forecast;
pub mod knowledge;
mod moments;
mod pattern;
pub mod plan;
mod state;
pub mod watch;

pub use moments::{Forgetting, Moments};
pub use pattern::{Foretold, Pattern};
pub use state::StateError;
