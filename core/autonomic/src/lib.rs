//! The closed loop's knowledge of series: what is unusual in one ([`detect`]) and how it is likely to go on ([`forecast`]).
//!
//! Everything here is a stream: it takes one value at a time, allocates when it is made and never again, and needs the same memory after a
//! year as after a minute.
#![forbid(unsafe_code)]

pub mod detect;
pub mod forecast;
mod moments;

pub use moments::{Forgetting, Moments};
