//! The hot path: the wait-free cell and its readers, observation rings, and the flat artifact that inline reads walk.
//!
//! This is the only crate whose layout is ABI ([`layout`]). It holds all unsafe code of the read side, and its module comments are
//! the proofs of why each access is sound.

pub mod artifact;
pub mod layout;
mod primitive;
