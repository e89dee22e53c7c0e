//! The flat artifact: a snapshot compiled to typed slots that inline code reads.

use crate::layout::{Range, Slot};

/// Typed slots at a stable address, with room for their guard ranges before them.
#[derive(Debug)]
pub struct Artifact {
    memory: Box<[Slot]>,
    slots: usize,
}

impl Artifact {
    /// One without a value.
    pub fn empty() -> Artifact {
        Artifact::from_slots(&[])
    }

    /// One of these slots, each with the widest range of its bits.
    pub fn from_slots(slots: &[Slot]) -> Artifact {
        let wide = Range { low: i64::MIN as u64, high: i64::MAX as u64 };
        let ranges = slots.iter().map(|_| Slot { tag: wide.low, value: wide.high });
        Artifact { memory: ranges.chain(slots.iter().copied()).collect(), slots: slots.len() }
    }

    /// Where the slots begin.
    pub fn address(&self) -> *const Slot {
        self.memory[self.memory.len() - self.slots..].as_ptr()
    }

    /// Bytes of slots.
    pub fn limit(&self) -> u64 {
        (self.slots * size_of::<Slot>()) as u64
    }

    /// Bytes of memory.
    pub fn bytes(&self) -> usize {
        size_of_val(&*self.memory)
    }
}
