//! What a change has to pass before it may become current.
//!
//! A [`Candidate`] is a change on its way: what it is, who asks for it, and what it would make of a sector. What judges it says so in a
//! [`StageReport`], with [`Finding`]s for people: which rule, guard or item, what is wrong, and what to do. A stage that cannot decide refuses.
#![forbid(unsafe_code)]

pub mod approval;
mod candidate;
pub mod guard;
mod mutant;
mod report;
mod text;

pub use candidate::Candidate;
pub use report::{Finding, Need, Report, Severity, Stage, StageReport, Verdict};
