//! What is watched: the declarations of a sector's ontology (`knhk:Watch`, `knhk:Remedy`), and a detector at work for each.

mod declared;
mod sampler;
mod sentinel;

pub use declared::{Declared, Detecting, Watch};
pub use sampler::{Closed, Place, Sampler};
pub use sentinel::{Sample, Sentinel};
