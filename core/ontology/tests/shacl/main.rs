//! SHACL: the W3C's suite, what is refused, what reports say, and changes validated as the whole.

mod generate;
mod incremental;
mod refused;
mod reports;
mod shared;
mod support;
mod w3c;
