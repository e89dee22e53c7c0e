//! Governance for C: each module is a section of the header.

pub mod approvals;
pub mod doctrine;
pub mod functions;
pub mod govern;
pub mod lineage;
pub mod proposals;
pub mod rollout;
pub mod shadows;
pub mod stages;
