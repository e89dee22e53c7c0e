//! What is watched: the declarations of a sector's ontology (`knhk:Watch`, `knhk:Remedy`), and a detector at work for each.

mod declared;
mod sentinel;

pub use declared::{Declared, Detecting, Watch};
pub use sentinel::{Sample, Sentinel};
