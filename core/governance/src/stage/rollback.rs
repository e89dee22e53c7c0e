//! The way back is gone in the shadow: what is reached has the content address, and reads as, what the candidate starts from. And what it
//! leads to is kept.

use std::time::Instant;

use knhk_hot::artifact::Artifact;
use knhk_hot::layout::Tag;
use knhk_ontology::graph::Delta;
use knhk_ontology::{Alone, Compiled, KeyTable, Snapshot, compile_change};
use rustix::time::{ClockId, clock_gettime};

use crate::notes::{Notes, nanoseconds};
use crate::{Candidate, Lost, Past};

/// What applying and compiling cost on the way back: as much as on the way there, which is of the same statements.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Way {
    /// Time that passed, in nanoseconds.
    pub elapsed_ns: u64,
    /// Time of the processor, in nanoseconds.
    pub cpu_ns: u64,
}

pub(crate) fn rollback(candidate: &Candidate, keys: &KeyTable, history: &Past) -> (Notes, Option<Way>) {
    let mut notes = Notes::default();
    if let Some(Lost { what, fix }) = &history.lost {
        notes.blocker("way back", what, fix);
    }
    let (began, cpu) = (Instant::now(), cpu_ns());
    let (back, compiled) = match gone_back(candidate, keys) {
        Ok(back) => back,
        Err(error) => {
            let what = format!("the change cannot be taken back: {error}");
            notes.blocker("way back", what, "propose a change whose contrary is one, too");
            return (notes, None);
        }
    };
    let way = Way { elapsed_ns: nanoseconds(began), cpu_ns: cpu_ns().saturating_sub(cpu) };
    let (reached, from) = (back.id(), starts_from(candidate));
    notes.evidence("content_address", hex(&reached));
    notes.evidence("elapsed_ns", way.elapsed_ns);
    if reached != from {
        let what = format!("the way back leads to {} and not to {}, which it starts from", hex(&reached), hex(&from));
        notes.blocker(
            "way back",
            what,
            "make the candidate anew: its ΔΣ is not the one that leads from its base to it",
        );
        return (notes, Some(way));
    }
    if let (Some(current), Some(compiled)) = (&candidate.current, &compiled) {
        match difference(&current.artifact, &compiled.artifact) {
            None => notes.evidence("artifact", "the same"),
            Some(what) => {
                notes.blocker("way back", format!("what programs would read after it differs: {what}"), "report this");
            }
        }
    }
    (notes, Some(way))
}

/// The content address of what the candidate starts from, over the core that it is made with: what was made with another core has the address
/// of then, and the same statements have another one now.
fn starts_from(candidate: &Candidate) -> [u8; 32] {
    let base = &candidate.base;
    if base.core_root() == candidate.snapshot.core_root() {
        return base.id();
    }
    // What cannot be carried over is not reached either.
    base.apply(&Delta::default()).map_or(base.id(), |over| over.id())
}

fn gone_back(
    candidate: &Candidate,
    keys: &KeyTable,
) -> Result<(Snapshot, Option<Compiled>), Box<dyn std::error::Error + Send + Sync>> {
    let inverse = std::sync::Arc::new(candidate.inverse());
    if let Some(compiled) = &candidate.compiled
        && let Some(back) = candidate.snapshot.revise(compiled, &inverse, &Alone)
    {
        let (back, compiled) = back?;
        return Ok((back, Some(compiled)));
    }
    let back = candidate.snapshot.apply(&inverse)?;
    // Before the first promotion nothing was compiled.
    if candidate.current.is_none() {
        return Ok((back, None));
    }
    let compiled = candidate.compiled.as_deref();
    let compiled = compile_change(&candidate.snapshot, compiled, &inverse, &back, &mut keys.clone())?;
    Ok((back, Some(compiled)))
}

/// What two artifacts read differently; the images of one key table are compared as they are.
fn difference(before: &Artifact, after: &Artifact) -> Option<String> {
    if before.image() == after.image() {
        return None;
    }
    // Keys that were interned since have slots of their own, without a value.
    // Slots beyond an image's last one are absent in it: keys that were interned since.
    let same = |slot: u32| {
        // Classes are numbered anew in each artifact; that they are the same follows from the content address.
        let class = before.tag(slot) == Some(Tag::Class) && after.tag(slot) == Some(Tag::Class);
        before.name(slot) == after.name(slot)
            && (class || before.value(slot) == after.value(slot))
            && before.bounds(slot) == after.bounds(slot)
    };
    let slot = (0..before.slots().max(after.slots())).find(|&slot| !same(slot))?;
    Some(before.path(slot).or_else(|| after.path(slot)).unwrap_or_else(|| format!("slot {slot}")))
}

/// Time that this thread had the processor.
fn cpu_ns() -> u64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    u64::try_from(time.tv_sec).unwrap_or(0) * 1_000_000_000 + u64::try_from(time.tv_nsec).unwrap_or(0)
}

/// The first six bytes, as people see content addresses.
fn hex(id: &[u8; 32]) -> String {
    id[..6].iter().map(|byte| format!("{byte:02x}")).collect()
}
