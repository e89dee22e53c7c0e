//! What a change has to pass before it may become current.
//!
//! A [`Candidate`] is a change on its way: what it is, who asks for it, and what it would make of a sector. What judges it says so in a
//! [`StageReport`], with [`Finding`]s for people: which rule, guard or item, what is wrong, and what to do. A stage that cannot decide refuses.
//! [`run`] has all seven judge it; [`render()`] shows what they said to a person. A [`Shadow`] is where a change is tried before anyone asks.
#![forbid(unsafe_code)]

pub mod approval;
mod blast;
mod candidate;
mod counters;
pub mod doctrine;
mod figures;
pub mod guard;
mod invariant;
mod limits;
mod measure;
mod mutant;
mod names;
mod notes;
mod number;
mod past;
mod pipeline;
mod render;
mod report;
mod shadow;
#[cfg(test)]
mod spec;
mod stage;
mod text;

pub use candidate::{Asked, Candidate};
pub use counters::{Counter, counters};
pub use figures::FIGURES;
pub use invariant::{Broken, CrossInvariant, Other, Sectors};
pub use limits::{Limits, NoLimit};
pub use measure::{Comparison, Decision, Workload};
pub use past::{Lost, Past, PastChange, PastVersion};
pub use pipeline::{Context, DoctrineJudge, GuardJudge, Progress, Stop, run};
pub use render::{Line, LineKind, lines, render};
pub use report::{Finding, Need, Report, Severity, Stage, StageReport, Verdict};
pub use shadow::{Assertion, Callback, Comparator, Differing, Outcome, Shadow, ShadowError, Test, TestReport};
