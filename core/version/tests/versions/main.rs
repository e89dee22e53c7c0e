//! The history over a ledger in memory.

mod cores;
mod world;
