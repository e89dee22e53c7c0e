//! The ledger from outside: appending, proving, verifying, and being tampered with.

mod append;
mod keys;
mod proofs;
mod secrets;
mod tampering;
mod world;
