//! The pipeline while it runs.

mod again;
mod concurrent;
mod governed;
mod journal;
mod pipeline;
mod refused;
mod support;
mod together;
