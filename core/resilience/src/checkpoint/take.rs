//! Taking a checkpoint.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use super::format::{self, Head, Parent};
use super::image::{Range, Sink};
use super::{Chain, CheckpointError, Checkpoints, Components, Frozen, State, Stored, Taken, caught};
use crate::counters::Counters;
use crate::event::Change;

impl Checkpoints {
    /// Takes a checkpoint: what changed since the last one, or everything where a full one is due.
    ///
    /// # Errors
    /// [`CheckpointError`]: nothing was kept, and the next one will be full.
    pub fn take(&self) -> Result<Taken, CheckpointError> {
        self.take_as(false)
    }

    /// Takes a full checkpoint, which begins a chain.
    ///
    /// # Errors
    /// As [`Checkpoints::take`].
    pub fn take_full(&self) -> Result<Taken, CheckpointError> {
        self.take_as(true)
    }

    fn take_as(&self, full: bool) -> Result<Taken, CheckpointError> {
        let mut state = self.state();
        let components = self.components().clone();
        let counters = self.scope.counters();
        match self.take_from(&mut state, &components, full) {
            Ok(taken) => {
                Counters::count(&counters.checkpoints);
                Counters::add(&counters.checkpoint_bytes, taken.bytes);
                self.prune(&mut state);
                let Taken { number, full, bytes, digest, .. } = taken;
                self.tell(Change::CheckpointTaken { number, full, bytes, digest });
                Ok(taken)
            }
            Err(error) => {
                // The images may be ahead of what is kept.
                state.chain = None;
                Counters::count(&counters.checkpoints_failed);
                tracing::error!(name: "knhk.resilience.checkpoint_failed", checkpoints = &*self.name, "{error}");
                self.tell(Change::CheckpointFailed { why: error.to_string().into() });
                Err(error)
            }
        }
    }

    pub(super) fn tell(&self, change: Change) {
        self.scope.announce(&self.name, self.scope.clock().now_ns(), change);
    }

    fn take_from(&self, state: &mut State, components: &Components, full: bool) -> Result<Taken, CheckpointError> {
        let clock = self.scope.clock();
        let began = clock.now_ns();
        let since = |from: u64| Duration::from_nanos(clock.now_ns().saturating_sub(from));
        state.images.retain(|name, _| components.contains_key(name));
        let (mut changed, frozen) = {
            let _frozen = Frozen::freeze(components).map_err(CheckpointError::Write)?;
            let held = clock.now_ns();
            let changed = self.save(state, components)?;
            (changed, since(held))
        };
        let parent = state.chain.as_ref().filter(|chain| !full && chain.length < self.settings.chain);
        let parent = parent.map(|chain| chain.parent);
        if parent.is_none() {
            changed = state.images.iter().map(|(name, image)| (name.clone(), format::whole(image))).collect();
        }
        let number = state.stored.last().map_or(0, |last| last.number).checked_add(1);
        let number = number.ok_or_else(|| CheckpointError::Write("there are no more numbers".into()))?;
        let time = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let head = Head { number, time_ns: crate::clock::nanoseconds(time), parent };
        let (level, key) = (self.settings.level, self.settings.keys.first());
        let encoded = format::encode(&head, &state.images, &changed, level, key);
        let (content, digest) = encoded.map_err(CheckpointError::Write)?;
        let stored = Stored { number, full: parent.is_none() };
        self.backend.put(stored, &content)?;
        let length = state.chain.as_ref().filter(|_| !stored.full).map_or(1, |chain| chain.length + 1);
        state.chain = Some(Chain { parent: Parent { number, digest }, length });
        state.stored.push(stored);
        let state_bytes = state.images.values().map(|image| image.len() as u64).sum();
        let (full, bytes, took) = (stored.full, content.len() as u64, since(began));
        Ok(Taken { number, full, bytes, digest, state_bytes, frozen, took })
    }

    /// Has each component write itself into its image; what changed.
    fn save(
        &self,
        state: &mut State,
        components: &Components,
    ) -> Result<BTreeMap<String, Vec<Range>>, CheckpointError> {
        let mut changed = BTreeMap::new();
        let mut left = self.settings.limit;
        for (name, component) in components {
            let image = state.images.entry(name.clone()).or_default();
            let mut sink = Sink::new(image, left);
            let saved = caught(|| component.save(&mut sink));
            if sink.exceeded {
                return Err(CheckpointError::TooLarge { limit: self.settings.limit });
            }
            let ranges = sink.finish();
            saved.map_err(|why| CheckpointError::Save { component: name.clone(), why })?;
            left -= image.len() as u64;
            changed.insert(name.clone(), ranges);
        }
        Ok(changed)
    }

    /// Removes the chains beyond those that are kept. What cannot be removed is tried again the next time.
    fn prune(&self, state: &mut State) {
        let begins: Vec<usize> = (0..state.stored.len()).filter(|at| state.stored[*at].full).collect();
        let Some(from) = begins.len().checked_sub(self.settings.chains).map(|at| begins[at]) else { return };
        if from == 0 {
            return;
        }
        match self.backend.remove_before(state.stored[from].number) {
            Ok(()) => {
                Counters::add(&self.scope.counters().checkpoints_pruned, from as u64);
                state.stored.drain(..from);
            }
            Err(error) => tracing::warn!(name: "knhk.resilience.checkpoint_not_removed", "{error}"),
        }
    }
}
