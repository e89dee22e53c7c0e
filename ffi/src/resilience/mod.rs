//! Resilience for C: each module is a section of the header.

pub mod calls;
pub mod checkpoints;
pub mod governed;
pub mod health;
pub mod hedge;
pub mod parts;
pub mod policy;
pub mod restored;
pub mod retry;
pub mod scope;
pub mod switch;
