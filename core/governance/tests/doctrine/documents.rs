//! The documentation
