//! A candidate read beside what is current, on what programs really ask.

use knhk_hot::Hold;
use knhk_hot::layout::{Key, Tag};
use knhk_observation::Record;
use serde::Serialize;

/// Reads two generations side by side and counts where they differ.
#[derive(Debug)]
pub struct Comparator {
    current: Hold,
    candidate: Hold,
    number: u32,
    slots: std::collections::BTreeMap<u32, Differing>,
}

/// What one key's reads came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Differing {
    /// Reads.
    pub reads: u64,
    /// Reads whose values differ.
    pub values: u64,
    /// Recorded numbers that lie in the guard range with the one and outside with the other.
    pub guards: u64,
}

impl Comparator {
    pub(crate) fn new(current: Hold, candidate: Hold, number: u32) -> Comparator {
        Comparator { current, candidate, number, slots: Default::default() }
    }

    /// Reads a key with both, as programs read it.
    pub fn read(&mut self, slot: u32) -> bool {
        let key = Key::new(self.number, slot);
        let differs = value(&self.current, key) != value(&self.candidate, key);
        let count = self.slots.entry(slot).or_default();
        count.reads += 1;
        count.values += u64::from(differs);
        differs
    }

    /// Repeats what a program recorded: reads the key, and holds the recorded number against both guard ranges.
    pub fn replay(&mut self, record: &Record) {
        self.read(record.slot);
        let key = Key::new(self.number, record.slot);
        let within = |view: &Hold| match u64::from(record.tag) {
            tag if tag == Tag::I64 as u64 => view.guard_i64(key, record.value as i64),
            tag if tag == Tag::F64 as u64 => view.guard_f64(key, f64::from_bits(record.value)),
            _ => true,
        };
        let differs = within(&self.current) != within(&self.candidate);
        self.slots.entry(record.slot).or_default().guards += u64::from(differs);
    }

    /// What was counted, by slot.
    pub fn counts(&self) -> impl Iterator<Item = (u32, Differing)> {
        self.slots.iter().map(|(&slot, &count)| (slot, count))
    }

    /// What was counted of all keys together.
    pub fn total(&self) -> Differing {
        self.slots.values().fold(Differing::default(), |sum, count| Differing {
            reads: sum.reads + count.reads,
            values: sum.values + count.values,
            guards: sum.guards + count.guards,
        })
    }
}

/// What a program could read, whatever its type is.
#[derive(PartialEq)]
enum Read<'v> {
    Nothing,
    Bool(bool),
    I64(i64),
    F64(u64),
    Str(&'v str),
    Bytes(&'v [u8]),
    List(Vec<Read<'v>>),
}

fn value(view: &Hold, key: Key) -> Read<'_> {
    use knhk_hot::Reason::Present;
    if let (value, Present) = view.try_i64(key, 0) {
        return Read::I64(value);
    }
    if let (value, Present) = view.try_f64(key, 0.0) {
        return Read::F64(value.to_bits());
    }
    if let (value, Present) = view.try_bool(key, false) {
        return Read::Bool(value);
    }
    if let (Some(value), Present) = view.try_str(key) {
        return Read::Str(value);
    }
    if let Some(value) = view.bytes(key) {
        return Read::Bytes(value);
    }
    if let Some(list) = view.list_i64(key) {
        return Read::List(list.iter().map(|&value| Read::I64(value)).collect());
    }
    if let Some(list) = view.list_f64(key) {
        return Read::List(list.iter().map(|value| Read::F64(value.to_bits())).collect());
    }
    if let Some(list) = view.list_bool(key) {
        return Read::List(list.map(Read::Bool).collect());
    }
    if let Some(list) = view.list_str(key) {
        return Read::List(list.map(Read::Str).collect());
    }
    if let Some(list) = view.list_bytes(key) {
        return Read::List(list.map(Read::Bytes).collect());
    }
    Read::Nothing
}
