//! The pipeline while it runs.

mod concurrent;
mod journal;
mod pipeline;
mod support;
