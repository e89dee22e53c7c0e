//! The types that a key can have.

use std::fmt;
use std::str::FromStr;

use knhk_hot::layout::Tag;

/// The type of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ValueType {
    /// True or false.
    Bool,
    /// A signed 64-bit integer.
    I64,
    /// An IEEE 754 double.
    F64,
    /// Text.
    Str,
    /// Bytes.
    Bytes,
    /// A list of truth values.
    ListBool,
    /// A list of integers.
    ListI64,
    /// A list of doubles.
    ListF64,
    /// A list of texts.
    ListStr,
    /// A list of bytes.
    ListBytes,
    /// An object of values.
    Map,
    /// A class.
    Class,
}

const NAMES: [(ValueType, &str, Tag); 12] = [
    (ValueType::Bool, "bool", Tag::Bool),
    (ValueType::I64, "i64", Tag::I64),
    (ValueType::F64, "f64", Tag::F64),
    (ValueType::Str, "string", Tag::Str),
    (ValueType::Bytes, "bytes", Tag::Bytes),
    (ValueType::ListBool, "list<bool>", Tag::ListBool),
    (ValueType::ListI64, "list<i64>", Tag::ListI64),
    (ValueType::ListF64, "list<f64>", Tag::ListF64),
    (ValueType::ListStr, "list<string>", Tag::ListStr),
    (ValueType::ListBytes, "list<bytes>", Tag::ListBytes),
    (ValueType::Map, "map", Tag::Map),
    (ValueType::Class, "class", Tag::Class),
];

impl ValueType {
    /// The type's name in documents, on the command line and in errors.
    pub const fn as_str(self) -> &'static str {
        NAMES[self as usize].1
    }

    /// What a slot of this type is tagged with.
    pub const fn tag(self) -> Tag {
        NAMES[self as usize].2
    }

    /// The type of slots with this tag; none for an absent one.
    pub fn from_tag(tag: Tag) -> Option<ValueType> {
        NAMES.iter().find(|entry| entry.2 == tag).map(|entry| entry.0)
    }

    /// The type of a list's elements.
    pub const fn element(self) -> Option<ValueType> {
        match self {
            ValueType::ListBool => Some(ValueType::Bool),
            ValueType::ListI64 => Some(ValueType::I64),
            ValueType::ListF64 => Some(ValueType::F64),
            ValueType::ListStr => Some(ValueType::Str),
            ValueType::ListBytes => Some(ValueType::Bytes),
            _ => None,
        }
    }
}

impl fmt::Display for ValueType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The text names no type.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no type {0:?}: there are bool, i64, f64, string, bytes, list<…> of these, map and class")]
pub struct UnknownType(pub String);

impl FromStr for ValueType {
    type Err = UnknownType;

    fn from_str(text: &str) -> Result<ValueType, UnknownType> {
        let found = NAMES.iter().find(|entry| entry.1 == text);
        found.map(|entry| entry.0).ok_or_else(|| UnknownType(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_type_is_where_its_number_says() {
        for (number, (value_type, name, tag)) in NAMES.into_iter().enumerate() {
            assert_eq!(value_type as usize, number);
            assert_eq!(name.parse(), Ok(value_type));
            assert_eq!(ValueType::from_tag(tag), Some(value_type));
        }
        assert!("int".parse::<ValueType>().is_err());
    }
}
