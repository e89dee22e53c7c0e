//! What the reader does.

use knhk_hot::raw;

use crate::world::{Model, World};

/// A reader's program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Program {
    /// Two views, one after the other.
    Views,
    /// A view within a view.
    Nested,
    /// A view of the candidate.
    Candidate,
    /// Two quiescent views with an announcement between them.
    Quiescent,
    /// A hold that outlives its view.
    Hold,
    /// Appends and drains.
    Ring,
}

impl Program {
    /// How often loom takes the processor from a thread that could go on, at most. `KNHK_LOOM_PREEMPTIONS` overrides it.
    pub fn preemptions(self, model: Model) -> usize {
        let asked = std::env::var("KNHK_LOOM_PREEMPTIONS").ok().and_then(|bound| bound.parse().ok());
        asked.unwrap_or(if model == Model::Closed && self == Program::Views { 2 } else { 3 })
    }
}

/// Runs it.
pub fn read(program: Program, world: &World) {
    let reader = world.reader.line();
    let at_least =
        |known: u64, seen: u64| assert!(seen >= known, "epoch {seen} was read after {known} was acknowledged");
    // SAFETY: the reader is this thread's, and each view ends before its reader does.
    unsafe {
        match program {
            Program::Views => {
                for _ in 0..2 {
                    let known = world.acknowledged();
                    let view = raw::begin(reader);
                    let epoch = world.read(view);
                    at_least(known, epoch);
                    assert_eq!(world.read(view), epoch, "a view changed under its reader");
                    raw::end(reader, view);
                }
            }
            Program::Nested => {
                let outer = raw::begin(reader);
                let epoch = world.read(outer);
                let inner = raw::begin(reader);
                assert!(world.read(inner) >= epoch);
                raw::end(reader, inner);
                assert_eq!(world.read(outer), epoch, "a view changed under its reader");
                raw::end(reader, outer);
            }
            Program::Candidate => {
                let known = world.acknowledged();
                let view = raw::begin_for(reader, 1);
                let epoch = world.read(view);
                at_least(known, epoch);
                assert_eq!(world.read(view), epoch, "a view changed under its reader");
                raw::end(reader, view);
            }
            Program::Quiescent => {
                raw::online(reader);
                let view = raw::begin_quiescent(reader);
                let epoch = world.read(view);
                assert_eq!(world.read(view), epoch, "a view changed under its reader");
                raw::quiescent(reader);
                let known = world.acknowledged();
                let view = raw::begin_quiescent(reader);
                let next = world.read(view);
                at_least(known.max(epoch), next);
                assert_eq!(world.read(view), next, "a view changed under its reader");
                raw::offline(reader);
            }
            Program::Hold => {
                let view = raw::begin(reader);
                let held = world.hold(view);
                let epoch = world.read(view);
                raw::end(reader, view);
                assert_eq!(world.read(view), epoch, "a held root changed under its reader");
                knhk_hot::model::release_hold(&world.holds[held]);
            }
            Program::Ring => unreachable!("checked by itself"),
        }
    }
}
