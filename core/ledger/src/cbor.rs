//! CBOR in its deterministic form (RFC 8949, 4.2.1): one way to write each thing.

use std::io;

use ciborium::Value;

use crate::LedgerError;

/// Bytes of anything that is decoded, at most.
pub(crate) const MAX_BYTES: usize = 1 << 20;
/// How deep anything that is decoded is nested, at most.
const MAX_DEPTH: usize = 16;

/// Writes a value; maps in it must be in order, see [`map`].
pub(crate) fn encode(value: &Value) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(256);
    ciborium::into_writer(value, &mut bytes).expect("a vector takes any value");
    bytes
}

/// Reads a value that is written in the deterministic form and ends where the bytes do.
pub(crate) fn decode(what: &'static str, bytes: &[u8]) -> Result<Value, LedgerError> {
    if bytes.len() > MAX_BYTES {
        return Err(LedgerError::malformed(what, format!("it has {} bytes, and at most {MAX_BYTES}", bytes.len())));
    }
    let value = ciborium::de::from_reader_with_recursion_limit(bytes, MAX_DEPTH);
    let value = value.map_err(|error| LedgerError::malformed(what, error.to_string()))?;
    let mut again = Again { rest: bytes };
    if ciborium::into_writer(&value, &mut again).is_err() || !again.rest.is_empty() || !is_ordered(&value) {
        return Err(LedgerError::malformed(what, "it is not CBOR in deterministic form"));
    }
    Ok(value)
}

/// A writer that takes only what is there already.
struct Again<'b> {
    rest: &'b [u8],
}

impl io::Write for Again<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.rest = self.rest.strip_prefix(bytes).ok_or(io::ErrorKind::InvalidData)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Whether every map's keys ascend by their bytes.
fn is_ordered(value: &Value) -> bool {
    match value {
        Value::Map(entries) => {
            entries.iter().all(|(_, value)| is_ordered(value))
                && entries.is_sorted_by(|(left, _), (right, _)| match (left, right) {
                    // A text's head is its length, so the shorter one comes first.
                    (Value::Text(left), Value::Text(right)) => (left.len(), left) < (right.len(), right),
                    _ => encode(left) < encode(right),
                })
        }
        Value::Array(items) => items.iter().all(is_ordered),
        Value::Tag(_, value) => is_ordered(value),
        _ => true,
    }
}

/// A map with text keys, in order: shorter keys first, then bytewise.
pub(crate) fn map(mut entries: Vec<(&'static str, Value)>) -> Value {
    entries.sort_unstable_by_key(|(key, _)| (key.len(), *key));
    Value::Map(entries.into_iter().map(|(key, value)| (Value::Text(key.into()), value)).collect())
}

/// The entries of a map with text keys, taken one by one: whatever is left over at the end is an error.
pub(crate) struct Fields {
    what: &'static str,
    entries: Vec<(Value, Value)>,
}

impl Fields {
    pub(crate) fn new(what: &'static str, value: Value) -> Result<Fields, LedgerError> {
        match value {
            Value::Map(entries) => Ok(Fields { what, entries }),
            _ => Err(LedgerError::malformed(what, "it is no map")),
        }
    }

    pub(crate) fn take<T: Field>(&mut self, name: &'static str) -> Result<T, LedgerError> {
        let found = self.entries.iter().position(|(key, _)| key.as_text() == Some(name));
        let value = found.map(|at| std::mem::replace(&mut self.entries[at].1, Value::Null));
        if let Some(at) = found {
            self.entries.remove(at);
        }
        T::from_value(value)
            .ok_or_else(|| LedgerError::malformed(self.what, format!("{name} is missing or no {}", T::NAME)))
    }

    pub(crate) fn end(self) -> Result<(), LedgerError> {
        match self.entries.first() {
            None => Ok(()),
            Some((key, _)) => Err(LedgerError::malformed(self.what, format!("it has an unknown field {key:?}"))),
        }
    }
}

/// What stands in a map.
pub(crate) trait Field: Sized {
    /// What it is called in errors.
    const NAME: &'static str;

    /// None: it is left out.
    fn to_value(&self) -> Option<Value>;

    /// From what stands there, if anything does.
    fn from_value(value: Option<Value>) -> Option<Self>;
}

impl Field for u64 {
    const NAME: &'static str = "number";

    fn to_value(&self) -> Option<Value> {
        Some(Value::from(*self))
    }

    fn from_value(value: Option<Value>) -> Option<u64> {
        value?.as_integer()?.try_into().ok()
    }
}

impl Field for f64 {
    const NAME: &'static str = "number with a fraction";

    fn to_value(&self) -> Option<Value> {
        Some(Value::Float(*self))
    }

    fn from_value(value: Option<Value>) -> Option<f64> {
        value?.as_float()
    }
}

impl Field for bool {
    const NAME: &'static str = "truth value";

    fn to_value(&self) -> Option<Value> {
        Some(Value::Bool(*self))
    }

    fn from_value(value: Option<Value>) -> Option<bool> {
        value?.as_bool()
    }
}

impl Field for String {
    const NAME: &'static str = "text";

    fn to_value(&self) -> Option<Value> {
        Some(Value::Text(self.clone()))
    }

    fn from_value(value: Option<Value>) -> Option<String> {
        value?.into_text().ok()
    }
}

impl Field for Vec<u8> {
    const NAME: &'static str = "byte string";

    fn to_value(&self) -> Option<Value> {
        Some(Value::Bytes(self.clone()))
    }

    fn from_value(value: Option<Value>) -> Option<Vec<u8>> {
        value?.into_bytes().ok()
    }
}

impl Field for [u8; 32] {
    const NAME: &'static str = "byte string of 32";

    fn to_value(&self) -> Option<Value> {
        Some(Value::Bytes(self.to_vec()))
    }

    fn from_value(value: Option<Value>) -> Option<[u8; 32]> {
        value?.as_bytes()?.as_slice().try_into().ok()
    }
}

impl Field for Value {
    const NAME: &'static str = "value";

    fn to_value(&self) -> Option<Value> {
        Some(self.clone())
    }

    fn from_value(value: Option<Value>) -> Option<Value> {
        value
    }
}

impl<T: Field> Field for Option<T> {
    const NAME: &'static str = T::NAME;

    fn to_value(&self) -> Option<Value> {
        self.as_ref().and_then(T::to_value)
    }

    fn from_value(value: Option<Value>) -> Option<Option<T>> {
        match value {
            None => Some(None),
            some => T::from_value(some).map(Some),
        }
    }
}

/// An empty list is left out.
macro_rules! list {
    ($item:ty, $name:literal) => {
        impl Field for Vec<$item> {
            const NAME: &'static str = $name;

            fn to_value(&self) -> Option<Value> {
                (!self.is_empty()).then(|| Value::Array(self.iter().filter_map(Field::to_value).collect()))
            }

            fn from_value(value: Option<Value>) -> Option<Vec<$item>> {
                let Some(value) = value else { return Some(Vec::new()) };
                let items = value.into_array().ok()?;
                (!items.is_empty()).then_some(())?;
                items.into_iter().map(|item| Field::from_value(Some(item))).collect()
            }
        }
    };
}

list!(String, "list of texts");
list!(u64, "list of whole numbers");
