//! The stages that are not somebody else's part: what the candidate says by itself, and beside what it starts from.

mod compatibility;
mod performance;
mod rollback;
mod schema;

pub(crate) use compatibility::compatibility;
pub(crate) use performance::{LOOKUP, Measured, READ, performance};
pub(crate) use rollback::{Way, rollback};
pub(crate) use schema::schema;
