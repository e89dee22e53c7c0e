//! Observations from outside: added up, kept, proven, refused when there is no room, and never lost in silence.

mod aggregates;
mod gate;
mod keeping;
mod refusing;
mod trials;
mod world;
