//! The warm path for C: each module is a section of the header.

pub mod channel;
pub mod executor;
pub mod graph;
pub mod graph_report;
pub mod notice;
pub mod task;
