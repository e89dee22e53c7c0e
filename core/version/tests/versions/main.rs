//! The history over a ledger in memory.

mod bisect;
mod blame;
mod cores;
mod dependencies;
mod merge;
mod resolve;
mod needs;
mod world;
