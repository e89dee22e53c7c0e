//! What a compilation would add to a key table: made beside it, so that one that fails leaves it as it was.

use sha2::{Digest, Sha256};

use super::{Key, KeyTable, KeyTableError, Record};
use crate::ValueType;
use crate::document::{Piece, TOP};
use crate::hash::below;

/// Slots that a compilation would add to a table, so that it can fail and leave the table as it was.
#[derive(Debug)]
pub(crate) struct Plan<'n> {
    first: u32,
    new: Vec<NewKey<'n>>,
    retyped: Vec<(u32, ValueType)>,
}

#[derive(Debug)]
struct NewKey<'n> {
    parent: u32,
    name: &'n str,
    hash: u64,
    value_type: ValueType,
}

/// A plan with the identity that the table will have.
#[derive(Debug)]
pub(crate) struct Sealed<'n> {
    new: Vec<NewKey<'n>>,
    retyped: Vec<(u32, ValueType)>,
    hasher: Sha256,
    pub(crate) id: [u8; 32],
}

impl<'n> Plan<'n> {
    pub(crate) fn new(table: &KeyTable) -> Plan<'n> {
        Plan { first: table.len(), new: Vec::new(), retyped: Vec::new() }
    }

    /// The slot of `name` below `parent`: the table's, or the next free one. Asked once for each name.
    pub(crate) fn slot(
        &mut self,
        table: &KeyTable,
        parent: u32,
        name: &'n str,
        hash: u64,
        value_type: ValueType,
    ) -> u32 {
        // Below a map that is new, everything is.
        let known = if parent == TOP || parent < self.first { table.find(parent, name, hash) } else { None };
        match known {
            Some(slot) => {
                self.retype(table, slot, value_type);
                slot
            }
            None => self.add(parent, name, hash, value_type),
        }
    }

    /// Notes the type of a name that has its slot.
    pub(crate) fn retype(&mut self, table: &KeyTable, slot: u32, value_type: ValueType) {
        if table.keys[slot as usize].value_type != value_type {
            self.retyped.push((slot, value_type));
        }
    }

    pub(super) fn add(&mut self, parent: u32, name: &'n str, hash: u64, value_type: ValueType) -> u32 {
        self.new.push(NewKey { parent, name, hash, value_type });
        self.first + self.new.len() as u32 - 1
    }

    /// Slots in the table once the plan is carried out.
    pub(crate) fn slots(&self) -> u32 {
        self.first + self.new.len() as u32
    }

    /// Computes the identity that the table will have.
    pub(crate) fn seal(self, table: &KeyTable) -> Sealed<'n> {
        let mut hasher = table.hasher.clone();
        let mut id = table.id;
        for new in &self.new {
            hasher.update(new.parent.to_le_bytes());
            hasher.update((new.name.len() as u32).to_le_bytes());
            hasher.update(new.name);
        }
        if !self.new.is_empty() {
            id = hasher.clone().finalize().into();
        }
        Sealed { new: self.new, retyped: self.retyped, hasher, id }
    }
}

impl KeyTable {
    /// Refuses a plan that does not fit.
    pub(crate) fn check_room(&self, plan: &Plan<'_>) -> Result<(), KeyTableError> {
        let fits = self.keys.len() + plan.new.len() <= self.capacity as usize;
        if fits { Ok(()) } else { Err(KeyTableError::Full { capacity: self.capacity }) }
    }

    /// Makes a sealed plan's slots part of the table.
    pub(crate) fn commit(&mut self, plan: Sealed<'_>) {
        for (slot, value_type) in plan.retyped {
            self.keys[slot as usize].value_type = value_type;
        }
        if plan.new.is_empty() {
            return;
        }
        for new in plan.new {
            let slot = self.keys.len() as u32;
            let name = Piece { start: self.names.len() as u32, len: new.name.len() as u32 };
            self.names.push_str(new.name);
            let (parent, hash, value_type) = (new.parent, new.hash, new.value_type);
            self.keys.push(Key { name, parent, hash, value_type, held: None, promoted: false });
            self.unpromoted += 1;
            let keys = &self.keys;
            self.index.insert_unique(below(hash, parent), slot, |&slot| {
                let key = &keys[slot as usize];
                below(key.hash, key.parent)
            });
            self.records.push(Record::Added { slot, value_type });
        }
        (self.hasher, self.id) = (plan.hasher, plan.id);
    }
}
