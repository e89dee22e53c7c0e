//! The key table: which slot each name has, for as long as the sector exists.

use std::collections::BTreeSet;

use hashbrown::HashTable;
use sha2::{Digest, Sha256};

use crate::ValueType;
use crate::document::{Piece, TOP};
use crate::hash::{below, name_hash};

mod plan;

pub(crate) use plan::Plan;

/// Names on a path, at most: what an artifact can hold.
const DEPTH: usize = 64;
/// Bytes of a name, at most: what an artifact can hold.
const NAME_BYTES: usize = 256;

/// Gives every path of a sector its slot number.
///
/// It only grows: a slot is never given to another path, whatever becomes of the value, so that keys that programs hold stay right. Slots are
/// numbered from 0 without a gap; a path's parent has a smaller number than the path.
#[derive(Clone, Debug)]
pub struct KeyTable {
    names: String,
    keys: Vec<Key>,
    index: HashTable<u32>,
    capacity: u32,
    records: Vec<Record>,
    /// The slots that programs hold keys of.
    held: BTreeSet<u32>,
    /// Keys that no version had when it became current.
    unpromoted: usize,
    hasher: Sha256,
    id: [u8; 32],
}

#[derive(Clone, Copy, Debug)]
struct Key {
    name: Piece,
    parent: u32,
    hash: u64,
    value_type: ValueType,
    held: Option<ValueType>,
    /// Whether a version with it, or a declaration, ever became current.
    promoted: bool,
}

/// What is persisted, in order.
#[derive(Clone, Copy, Debug)]
enum Record {
    Added { slot: u32, value_type: ValueType },
    Held { slot: u32, value_type: Option<ValueType> },
}

/// Why a key table refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyTableError {
    /// The table is full.
    #[error(
        "the sector has given out {capacity} keys, which is its limit: names are never re-used, so begin a new sector"
    )]
    Full {
        /// How many keys there may be.
        capacity: u32,
    },
    /// No path.
    #[error("{path:?} is no path: names of 1 to 256 bytes without NUL are joined by `/`, 64 at most")]
    Path {
        /// What was given instead.
        path: String,
    },
    /// A persisted line that does not continue the table.
    #[error("line {line} of the key table does not continue it: {why}")]
    Line {
        /// Counted from 1.
        line: usize,
        /// What is wrong with it.
        why: String,
    },
}

impl Default for KeyTable {
    fn default() -> KeyTable {
        KeyTable::new()
    }
}

impl KeyTable {
    /// An empty table of up to 1,000,000 keys.
    pub fn new() -> KeyTable {
        KeyTable::with_capacity(1_000_000)
    }

    /// An empty table of up to `capacity` keys.
    pub fn with_capacity(capacity: u32) -> KeyTable {
        let hasher = Sha256::new_with_prefix(b"knhk key table 1\0");
        KeyTable {
            names: String::new(),
            keys: Vec::new(),
            index: HashTable::new(),
            capacity,
            records: Vec::new(),
            held: BTreeSet::new(),
            unpromoted: 0,
            id: hasher.clone().finalize().into(),
            hasher,
        }
    }

    /// Slots given out so far.
    pub fn len(&self) -> u32 {
        self.keys.len() as u32
    }

    /// Whether no slot was given out yet.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// Identity of the table as it is now: SHA-256 over every slot's parent and name, in order. Types are no part of it.
    pub fn id(&self) -> [u8; 32] {
        self.id
    }

    /// The slot of a path.
    pub fn get(&self, path: &str) -> Option<u32> {
        path.split('/').try_fold(TOP, |parent, name| self.find(parent, name, name_hash(name)))
    }

    /// The slot of a path; gives it one, and each map that leads to it, if it has none yet.
    ///
    /// A path that is there keeps the type that it has.
    pub fn intern(&mut self, path: &str, value_type: ValueType) -> Result<u32, KeyTableError> {
        if let Some(slot) = self.get(path) {
            return Ok(slot);
        }
        let names: Vec<&str> = path.split('/').collect();
        let is_name = |name: &&str| !name.is_empty() && name.len() <= NAME_BYTES && !name.contains('\0');
        if names.len() > DEPTH || !names.iter().all(is_name) {
            return Err(KeyTableError::Path { path: path.to_owned() });
        }
        let mut plan = Plan::new(self);
        let mut slot = TOP;
        for (at, name) in names.iter().enumerate() {
            let value_type = if at + 1 == names.len() { value_type } else { ValueType::Map };
            let found = self.find(slot, name, name_hash(name));
            slot = found.unwrap_or_else(|| plan.add(slot, name, name_hash(name), value_type));
        }
        self.check_room(&plan)?;
        let plan = plan.seal(self);
        self.commit(plan);
        Ok(slot)
    }

    /// The path of a slot.
    pub fn path(&self, slot: u32) -> Option<String> {
        let mut key = self.keys.get(slot as usize)?;
        let mut names = vec![self.name(key)];
        while let Some(parent) = self.keys.get(key.parent as usize) {
            names.push(self.name(parent));
            key = parent;
        }
        names.reverse();
        Some(names.join("/"))
    }

    /// The type that a slot's path had in the document compiled last, or was interned with.
    pub fn value_type(&self, slot: u32) -> Option<ValueType> {
        Some(self.keys.get(slot as usize)?.value_type)
    }

    /// The type with which a program holds this key, if one does.
    pub fn held(&self, slot: u32) -> Option<ValueType> {
        self.keys.get(slot as usize)?.held
    }

    /// The slots that programs hold keys of, each with its type.
    pub fn all_held(&self) -> impl Iterator<Item = (u32, ValueType)> {
        self.held.iter().filter_map(|&slot| Some((slot, self.held(slot)?)))
    }

    /// Notes that a program holds a key of this type: from now on, to drop or to retype it needs a declared major version.
    ///
    /// # Panics
    /// If the table never gave this slot out.
    pub fn mark_interned(&mut self, slot: u32, value_type: ValueType) {
        self.hold(slot, Some(value_type));
    }

    /// Notes that nothing is promised about this key any more: after a major version that dropped it.
    ///
    /// # Panics
    /// If the table never gave this slot out.
    pub fn release(&mut self, slot: u32) {
        self.hold(slot, None);
    }

    fn hold(&mut self, slot: u32, value_type: Option<ValueType>) {
        let key = &mut self.keys[slot as usize];
        if key.held != value_type {
            key.held = value_type;
            match value_type {
                Some(_) => self.held.insert(slot),
                None => self.held.remove(&slot),
            };
            self.records.push(Record::Held { slot, value_type });
        }
    }

    /// Notes that a version, or a declaration, with these keys became current.
    pub fn promote(&mut self, slots: impl IntoIterator<Item = u32>) {
        if self.unpromoted == 0 {
            return;
        }
        for slot in slots {
            if let Some(key) = self.keys.get_mut(slot as usize)
                && !std::mem::replace(&mut key.promoted, true)
            {
                self.unpromoted -= 1;
            }
        }
    }

    /// Whether a key was ever part of what was current: one that only a refused promotion had was not.
    pub fn is_promoted(&self, slot: u32) -> bool {
        self.keys.get(slot as usize).is_some_and(|key| key.promoted)
    }

    /// Lines written so far: see [`lines_from`](KeyTable::lines_from).
    pub fn line_count(&self) -> usize {
        self.records.len()
    }

    /// The table's persisted form, from line number `first` (counted from 0) on: one JSON object a line, only ever appended to.
    pub fn lines_from(&self, first: usize) -> impl Iterator<Item = String> {
        self.records.iter().skip(first).map(|record| match *record {
            Record::Added { slot, value_type } => {
                let key = &self.keys[slot as usize];
                let name = crate::export::json_text(self.name(key));
                let parent = if key.parent == TOP { "null".to_owned() } else { key.parent.to_string() };
                format!("{{\"slot\":{slot},\"parent\":{parent},\"name\":{name},\"type\":\"{value_type}\"}}")
            }
            Record::Held { slot, value_type: Some(value_type) } => {
                format!("{{\"held\":{slot},\"type\":\"{value_type}\"}}")
            }
            Record::Held { slot, value_type: None } => format!("{{\"held\":{slot},\"type\":null}}"),
        })
    }

    /// Applies persisted lines to this table. On an error the table holds the lines before the one at fault.
    pub fn replay<'l>(&mut self, lines: impl IntoIterator<Item = &'l str>) -> Result<(), KeyTableError> {
        for (at, line) in lines.into_iter().enumerate() {
            self.replay_line(line).map_err(|why| KeyTableError::Line { line: at + 1, why })?;
        }
        Ok(())
    }

    fn replay_line(&mut self, line: &str) -> Result<(), String> {
        let line: serde_json::Value = serde_json::from_str(line).map_err(|error| error.to_string())?;
        let number = |field: &str| line[field].as_u64().and_then(|number| u32::try_from(number).ok());
        let value_type = match line["type"].as_str() {
            Some(text) => Some(text.parse::<ValueType>().map_err(|error| error.to_string())?),
            None => None,
        };
        if let Some(slot) = number("held") {
            if slot >= self.len() {
                return Err(format!("slot {slot} is held but was never given out"));
            }
            self.hold(slot, value_type);
            return Ok(());
        }
        let (Some(slot), Some(name), Some(value_type)) = (number("slot"), line["name"].as_str(), value_type) else {
            return Err("it lacks slot, name or type".to_owned());
        };
        let parent = if line["parent"].is_null() { TOP } else { number("parent").ok_or("its parent is no number")? };
        if slot != self.len() {
            return Err(format!("slot {slot} is given out where {} is due", self.len()));
        }
        if parent != TOP && parent >= slot {
            return Err(format!("its parent {parent} was not given out before it"));
        }
        if name.is_empty() || name.len() > NAME_BYTES || name.contains(['/', '\0']) {
            return Err(format!("{name:?} is no name"));
        }
        if self.find(parent, name, name_hash(name)).is_some() {
            return Err(format!("{name:?} has a slot already"));
        }
        let mut plan = Plan::new(self);
        plan.add(parent, name, name_hash(name), value_type);
        self.check_room(&plan).map_err(|error| error.to_string())?;
        let plan = plan.seal(self);
        self.commit(plan);
        self.promote([slot]);
        Ok(())
    }

    /// Whether a slot is that of this name below the map in slot `parent`.
    pub(crate) fn is(&self, slot: u32, parent: Option<u32>, name: &str) -> bool {
        self.keys.get(slot as usize).is_some_and(|key| key.parent == parent.unwrap_or(TOP) && self.name(key) == name)
    }

    fn name(&self, key: &Key) -> &str {
        &self.names[key.name.start as usize..][..key.name.len as usize]
    }

    /// The slot of `name` below the map in slot `parent`.
    pub(crate) fn find(&self, parent: u32, name: &str, hash: u64) -> Option<u32> {
        let same = |&slot: &u32| {
            let key = &self.keys[slot as usize];
            key.parent == parent && self.name(key) == name
        };
        self.index.find(below(hash, parent), same).copied()
    }
}
