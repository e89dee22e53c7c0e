//! What is read: keys that both artifacts have, through the calls that programs use.

use knhk_hot::Snapshot as View;
use knhk_hot::artifact::Artifact;
use knhk_hot::layout::{Key, Tag};

/// Keys of a measurement, at most: few enough to stay in the caches, so that it is the reads that are measured.
const KEYS: usize = 32;

/// Typed reads of some keys.
#[derive(Clone, Debug)]
pub(crate) struct Reads(Vec<(Tag, Key)>);

impl Reads {
    /// Keys that both have with the same type: those of `first`, as far as there is room, and others from all over.
    pub(crate) fn of(sector: u32, artifact: &Artifact, other: &Artifact, first: impl Iterator<Item = u32>) -> Reads {
        let tag = |slot: u32| artifact.value(slot).map(|value| value.tag());
        let both = |slot: u32| {
            let tag = tag(slot).filter(|tag| !matches!(tag, Tag::Map | Tag::Absent))?;
            let same = other.value(slot).is_some_and(|value| value.tag() == tag);
            same.then(|| (tag, Key::new(sector, slot)))
        };
        let mut keys: Vec<(Tag, Key)> = first.filter_map(both).take(KEYS / 2).collect();
        // More than are wanted, because some are maps.
        let step = (artifact.slots() / (4 * KEYS as u32)).max(1);
        let others = (0..artifact.slots()).step_by(step as usize).filter_map(both);
        keys.extend(others.take(KEYS - keys.len()));
        Reads(keys)
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// Reads each once.
    #[inline]
    pub(crate) fn run(&self, view: &View) -> u64 {
        let mut sum = 0_u64;
        for &(tag, key) in &self.0 {
            let read = match tag {
                Tag::Bool => u64::from(view.get_bool(key, false)),
                Tag::I64 => (view.get_i64(key, 0) as u64).wrapping_add(u64::from(view.guard_i64(key, 0))),
                Tag::F64 => view.get_f64(key, 0.0).to_bits().wrapping_add(u64::from(view.guard_f64(key, 0.0))),
                Tag::Str => view.str(key).map_or(0, str::len) as u64,
                Tag::Bytes => view.bytes(key).map_or(0, <[u8]>::len) as u64,
                Tag::ListBool => view.list_bool(key).map_or(0, |list| list.len()) as u64,
                Tag::ListI64 => view.list_i64(key).map_or(0, <[i64]>::len) as u64,
                Tag::ListF64 => view.list_f64(key).map_or(0, <[f64]>::len) as u64,
                Tag::ListStr => view.list_str(key).map_or(0, |list| list.len()) as u64,
                Tag::ListBytes => view.list_bytes(key).map_or(0, |list| list.len()) as u64,
                Tag::Class => u64::from(view.is_a(key, key)),
                Tag::Map | Tag::Absent => 0,
            };
            sum = sum.wrapping_add(read);
        }
        sum
    }
}

/// Look-ups of some paths by their texts.
#[derive(Clone, Debug)]
pub(crate) struct Lookups {
    sector: u32,
    paths: Vec<String>,
}

impl Lookups {
    /// The paths of those keys that have one.
    pub(crate) fn of(sector: u32, reads: &Reads, artifact: &Artifact) -> Lookups {
        Lookups { sector, paths: reads.0.iter().filter_map(|(_, key)| artifact.path(key.slot())).collect() }
    }

    pub(crate) fn len(&self) -> usize {
        self.paths.len()
    }

    /// Looks each up once.
    pub(crate) fn run(&self, view: &View) -> u64 {
        let found = self.paths.iter().filter(|path| view.find(self.sector, path).is_some());
        found.count() as u64
    }
}
