//! Restoring a checkpoint, and what is kept.

use std::collections::BTreeMap;

use super::format::{self, States};
use super::{CheckpointError, Checkpoints, Frozen, Info, Restored, Skipped, Stored, caught};
use crate::counters::Counters;
use crate::event::Change;

/// What a checkpoint has beside its states, at most, where they do not compress.
const BESIDE: u64 = 1 << 20;

impl Checkpoints {
    /// Restores the newest checkpoint that is whole. The components hold still while they load.
    ///
    /// # Errors
    /// [`CheckpointError::Empty`] where there is none, and no component was touched; [`CheckpointError::NoneWhole`] with the reason of each.
    pub fn restore(&self) -> Result<Restored, CheckpointError> {
        let mut state = self.state();
        let counters = self.scope.counters();
        state.stored = self.backend.list()?;
        // Whatever comes next stands alone.
        state.chain = None;
        let mut broken = BTreeMap::new();
        let mut skipped = Vec::new();
        for stored in state.stored.iter().rev() {
            let restored = self.assemble(&state.stored, *stored, &mut broken);
            match restored.and_then(|(states, head)| self.load(&states).map(|()| (states, head))) {
                Ok((states, (time_ns, digest))) => {
                    let components = self.components();
                    let absent = components.keys().filter(|name| !states.contains_key(*name)).cloned().collect();
                    let unknown = states.keys().filter(|name| !components.contains_key(*name)).cloned().collect();
                    Counters::count(&counters.checkpoints_restored);
                    let number = stored.number;
                    self.tell(Change::CheckpointRestored { number, skipped: skipped.len() as u64, digest });
                    return Ok(Restored { number, digest, time_ns, skipped, absent, unknown });
                }
                Err(why) => {
                    Counters::count(&counters.checkpoints_skipped);
                    let number = stored.number;
                    tracing::error!(name: "knhk.resilience.checkpoint_skipped", checkpoints = &*self.name, number, "{why}");
                    skipped.push(Skipped { number, why });
                }
            }
        }
        Err(if skipped.is_empty() { CheckpointError::Empty } else { CheckpointError::NoneWhole(skipped) })
    }

    /// The states of a checkpoint, from the full one that it builds on, when it was taken, and its digest. `broken` has what is known to be damaged.
    fn assemble(
        &self,
        all: &[Stored],
        newest: Stored,
        broken: &mut BTreeMap<u64, String>,
    ) -> Result<(States, (u64, [u8; format::DIGEST])), String> {
        let mut pieces = Vec::new();
        let mut next = newest;
        loop {
            let number = next.number;
            let damaged = |why: &str| {
                if number == newest.number { why.to_owned() } else { format!("it builds on {number}, and {why}") }
            };
            if let Some(why) = broken.get(&number) {
                return Err(damaged(why));
            }
            let content = match self.content(next) {
                Ok(content) => content,
                Err(why) => {
                    let said = damaged(&why);
                    broken.insert(number, why);
                    return Err(said);
                }
            };
            let parent = format::decode(&content)?.head.parent;
            pieces.push(content);
            let Some(parent) = parent else { break };
            let found = all.iter().find(|stored| stored.number == parent.number);
            next = *found.ok_or_else(|| format!("it builds on {}, which is not there", parent.number))?;
        }
        let mut states = States::new();
        let mut before = None;
        for content in pieces.iter().rev() {
            let sealed = format::decode(content)?;
            if sealed.head.parent.map(|parent| parent.digest) != before {
                return Err(format!(
                    "{} builds on another {} than is there",
                    sealed.head.number,
                    sealed.head.number - 1
                ));
            }
            sealed.apply(&mut states, &self.settings.keys, self.settings.limit)?;
            before = Some(sealed.digest);
        }
        let newest = pieces.first().expect("the loop pushes the newest piece first, or fails");
        let newest = format::decode(newest)?;
        Ok((states, (newest.head.time_ns, newest.digest)))
    }

    /// A checkpoint whose digest and number are right.
    fn content(&self, stored: Stored) -> Result<Vec<u8>, String> {
        let limit = self.settings.limit.saturating_mul(2).saturating_add(BESIDE);
        let content = self.backend.get(stored, limit).map_err(|error| error.to_string())?.ok_or("it is gone")?;
        let head = format::decode(&content)?.head;
        if head.number != stored.number || head.parent.is_none() != stored.full {
            return Err(format!("it is checkpoint {}, under another name", head.number));
        }
        Ok(content)
    }

    fn load(&self, states: &States) -> Result<(), String> {
        let components = self.components().clone();
        let _frozen = Frozen::freeze(&components)?;
        for (name, component) in &components {
            if let Some(state) = states.get(name) {
                caught(|| component.load(state)).map_err(|why| format!("{name} does not take it: {why}"))?;
            }
        }
        Ok(())
    }

    /// What is kept, oldest first, each read and checked; damage of one is told of those that build on it too.
    ///
    /// # Errors
    /// [`CheckpointError::Backend`]: it cannot be listed.
    pub fn list(&self) -> Result<Vec<Info>, CheckpointError> {
        let _state = self.state();
        let mut infos: Vec<Info> = Vec::new();
        let mut digests: BTreeMap<u64, [u8; format::DIGEST]> = BTreeMap::new();
        for Stored { number, full } in self.backend.list()? {
            let mut info = Info { number, full, bytes: 0, time_ns: 0, encrypted: false, damage: None };
            let checked = self.content(Stored { number, full }).and_then(|content| {
                info.bytes = content.len() as u64;
                let sealed = format::decode(&content)?;
                (info.time_ns, info.encrypted) = (sealed.head.time_ns, sealed.encrypted);
                if let Some(parent) = sealed.head.parent
                    && digests.get(&parent.number) != Some(&parent.digest)
                {
                    return Err(format!("it builds on {}, which is damaged or not there", parent.number));
                }
                digests.insert(number, sealed.digest);
                Ok(())
            });
            info.damage = checked.err();
            infos.push(info);
        }
        Ok(infos)
    }
}
