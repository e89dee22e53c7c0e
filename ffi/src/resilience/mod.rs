//! Resilience for C: each module is a section of the header.

pub mod calls;
pub mod health;
pub mod policy;
pub mod scope;
