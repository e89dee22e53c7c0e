//! The history over a ledger in memory.

mod bisect;
mod blame;
mod cores;
mod dependencies;
mod merge;
mod needs;
mod resolve;
mod world;
