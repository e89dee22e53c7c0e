//! libknhk: the engine for C, C++ and whatever can call C.
//!
//! Each public module is a section of `include/knhk.h` with its exports' comments; `tests/ffi/header.rs` generates the header and
//! `ffi/symbols.txt` lists the exports. The inline halves are in `include/knhk_inline.h`.
//!
//! What every export promises: a panic stops at the boundary ([`call`]), an output is written on success only, and a pointer is believed
//! no further than C allows: NULL, a handle of another kind and a struct of another size each have an error of their own.

// What each export asks of its caller is in its comment, in C's terms.
#![allow(clippy::missing_safety_doc)]

mod call;
mod callback;
mod handle;
mod list;
mod signals;
mod text;
mod versioned;

pub mod abi;
pub mod autonomic;
pub mod backup;
pub mod buffer;
pub mod change;
pub mod engine;
pub mod error;
pub mod governance;
pub mod history;
pub mod hold;
pub mod json;
pub mod key;
pub mod keys;
pub mod knowledge;
pub mod ledger;
pub mod log;
pub mod lookup;
pub mod observations;
pub mod observe;
pub mod options;
pub mod progress;
pub mod promote;
pub mod read;
pub mod reader;
pub mod report;
pub mod resilience;
pub mod sector;
pub mod segments;
pub mod signer;
pub mod stats;
pub mod value;
pub mod verify;
pub mod versions;
pub mod warm;
