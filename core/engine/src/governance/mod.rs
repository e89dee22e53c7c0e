//! Governance: how a change becomes current in a sector where nothing does unproven.
//!
//! Somebody proposes; the change is carried out aside and runs through the seven stages of `knhk_governance`; where rules or guards ask for
//! approvals it waits for them; then it becomes current. Each step leaves a receipt, everything survives a restart, and a step that was cut off
//! is taken again. [`Engine::govern`](crate::Engine::govern) is the one way in for texts: the control socket, C, Python and Node.
//!
//! ```text
//! filed ──run──> passed ──enact──> enacted
//!   ^              │
//!   │   waiting <──┤ approvals or time are missing
//!   └─────┘        └──> refused            (filed, waiting, passed) ──> withdrawn
//! ```

mod approvals;
pub(crate) mod book;
mod canary;
mod candidate;
mod carry;
mod codegen;
mod govern;
mod hooks;
mod judge;
mod life;
mod live;
mod offline;
mod probation;
mod proposal;
mod question;
mod recompose;
mod recover;
mod relaxations;
mod rules;
mod schedule;
mod shadows;
mod shipped;
mod standing;
mod turn;
mod versions;
mod violations;
mod when;

pub use approvals::{Approvable, AskApproval, ChangeInfo, sign_approval};
pub use canary::{ArmCounts, ArmObjective, Canary, CanaryState, SectorArms, StartCanary};
pub use codegen::Generated;
pub(crate) use govern::{read, unknown, value};
pub use hooks::{Hook, RuleFn, TestFn};
pub use judge::Watch;
pub use knhk_governance::*;
pub(crate) use life::Basis;
pub use offline::offline;
pub use probation::{Probation, ProbationState, Probationer};
pub use proposal::{
    ApprovalGiven, Closed, EnactedVersion, Proposal, ProposalQuery, Propose, Proposed, SectorChange, State,
};
pub use question::{Question, Role};
pub use relaxations::Relax;
pub use schedule::{Schedule, ScheduleChange, ScheduleState};
pub use shadows::{SectorTests, ShadowInfo, ShadowedSector};
pub use when::At;
use when::When;

/// Reports for a person, one after the other.
pub fn rendered(reports: &[Report]) -> String {
    reports.iter().map(render).collect::<Vec<_>>().join("\n")
}

pub use knhk_version::{Bisect, BlameOf, Blamed, Culprit, Side, Trial};
pub(crate) use turn::Governance;
pub use versions::{BisectInfo, Merge, MergeInfo, NextTry, Resolution};
