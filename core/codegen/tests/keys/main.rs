//! Generated keys: compiled by each language's own compiler, where a misspelt key and a retyped one do not compile.

mod compiled;
mod golden;
mod hostile;
mod world;
