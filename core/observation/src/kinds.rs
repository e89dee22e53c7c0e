//! Which kind a record is of, by what a sector's ontology declares.

use std::sync::Arc;

use crate::Record;
use crate::schema::{Kind, Recorded, Schema};

/// A sector's kinds with the slots of their keys.
#[derive(Clone, Debug, Default)]
pub struct Kinds {
    pub(crate) schema: Arc<Schema>,
    /// The slot of each kind's key, where it has one.
    pub(crate) slots: Vec<Option<u32>>,
    /// The codes of its kinds.
    codes: Vec<u32>,
}

impl Kinds {
    /// Those of a schema. `slot` gives the slot of a key.
    pub fn new(schema: Schema, slot: impl Fn(&str) -> Option<u32>) -> Kinds {
        let slots = schema.kinds.iter().map(|kind| kind.key.as_deref().and_then(&slot)).collect();
        let codes = schema.kinds.iter().filter_map(|kind| kind.code).collect();
        Kinds { schema: Arc::new(schema), slots, codes }
    }

    /// What they were made of.
    pub fn schema(&self) -> &Schema {
        &self.schema
    }

    /// The place in the schema of the kind that a record is of; none where none is declared for it.
    pub fn place(&self, record: &Record) -> Option<usize> {
        self.find(record.slot, self.code(record))
    }

    /// The code by which a record is of a kind of its own, or 0.
    pub(crate) fn code(&self, record: &Record) -> u32 {
        if self.codes.contains(&record.outcome) && self.find(record.slot, record.outcome).is_some() {
            record.outcome
        } else {
            0
        }
    }

    /// The kind of what is recorded under a slot with a code; 0 stands for any outcome without a kind of its own.
    pub(crate) fn kind(&self, slot: u32, code: u32) -> Option<&Kind> {
        Some(&self.schema.kinds[self.find(slot, code)?])
    }

    fn find(&self, slot: u32, code: u32) -> Option<usize> {
        let coded = (code != 0).then_some(code);
        self.schema.kinds.iter().zip(&self.slots).position(|(kind, key)| {
            // One without a key is recorded under any, by its code.
            kind.code == coded && (*key == Some(slot) || (kind.key.is_none() && coded.is_some()))
        })
    }
}

impl Kind {
    /// A record's value where it is one of this kind's, and whether it is not what is declared: of another type, out of its range, no number.
    pub fn judge(&self, record: &Record) -> (Option<f64>, bool) {
        if self.value_type == Recorded::Nothing {
            return (None, false);
        }
        let low = |number: f64| self.min.is_none_or(|min| min <= number);
        let high = |number: f64| self.max.is_none_or(|max| number <= max);
        let number = record.number().filter(|number| number.is_finite());
        let value = number.filter(|&number| self.value_type.admits(record.tag) && low(number) && high(number));
        (value, value.is_none())
    }
}
