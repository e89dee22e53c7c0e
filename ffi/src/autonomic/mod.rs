//! The closed loop for C: each public module is a section of the header.

pub mod cycles;
pub mod detector;
pub mod hook;
pub mod proposer;

use knhk_engine::{Error, Status};

/// Why there is nothing to remove.
fn not_there(what: &'static str, name: &str) -> Error {
    Error::new(Status::NotFound, "loop", name, format!("there is no {what} {name:?} in the loop"))
}
