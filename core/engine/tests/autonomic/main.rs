//! The closed loop over a real folder, on a clock that the tests set.

mod beside;
mod callbacks;
mod crash;
mod cycles;
mod faults;
#[allow(dead_code, reason = "the tests of replay use the rest")]
mod traffic;
#[path = "../governance/world.rs"]
#[allow(dead_code, reason = "the tests of governance use the rest")]
mod world;
