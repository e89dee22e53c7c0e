//! The invariants that every change keeps: Q1 to Q5 within a sector, and those across sectors.

mod bounds;
mod cross;
mod guards;
mod order;
mod replay;
mod types;

pub(crate) use bounds::{budgets, resources};
pub use cross::{Broken, CrossInvariant, Other, Sectors};
pub(crate) use cross::{across, values};
pub(crate) use guards::guards;
pub(crate) use order::order;
pub(crate) use types::types;

/// What a finding of an invariant is about.
const Q1: &str = "invariant Q1";
const Q2: &str = "invariant Q2";
const Q3: &str = "invariant Q3";
const Q4: &str = "invariant Q4";
const Q5: &str = "invariant Q5";
