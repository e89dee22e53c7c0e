//! A sector's knowledge as a plain JSON document, the key table that gives names their slots, and the projection into the artifact.
#![forbid(unsafe_code)]
