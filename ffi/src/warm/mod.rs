//! The warm executor for C: each module is a section of the header.

pub mod executor;
pub mod task;
