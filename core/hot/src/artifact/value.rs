//! Typed values as they go into an image and come out of it.

use crate::layout::Tag;

/// A typed value.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Value<'a> {
    /// True or false.
    Bool(bool),
    /// A signed 64-bit integer.
    I64(i64),
    /// A finite IEEE 754 double.
    F64(f64),
    /// Text without NUL.
    Str(&'a str),
    /// Bytes.
    Bytes(&'a [u8]),
    /// A list of truth values.
    ListBool(&'a [bool]),
    /// A list of integers.
    ListI64(&'a [i64]),
    /// A list of finite doubles.
    ListF64(&'a [f64]),
    /// A list of texts.
    ListStr(Vec<&'a str>),
    /// A list of bytes.
    ListBytes(Vec<&'a [u8]>),
    /// An object whose values are looked up by name.
    Map,
    /// A class.
    Class {
        /// Its number: classes of one image are numbered from 0 without a gap.
        number: u32,
        /// The numbers of all its ancestors, its own included.
        ancestors: Vec<u32>,
    },
}

impl Value<'_> {
    /// What a slot with this value is tagged with.
    pub fn tag(&self) -> Tag {
        match self {
            Value::Bool(_) => Tag::Bool,
            Value::I64(_) => Tag::I64,
            Value::F64(_) => Tag::F64,
            Value::Str(_) => Tag::Str,
            Value::Bytes(_) => Tag::Bytes,
            Value::ListBool(_) => Tag::ListBool,
            Value::ListI64(_) => Tag::ListI64,
            Value::ListF64(_) => Tag::ListF64,
            Value::ListStr(_) => Tag::ListStr,
            Value::ListBytes(_) => Tag::ListBytes,
            Value::Map => Tag::Map,
            Value::Class { .. } => Tag::Class,
        }
    }
}

/// The inclusive range that guards a number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Bounds {
    /// Of an integer.
    I64(i64, i64),
    /// Of a double; infinite where one side is open.
    F64(f64, f64),
}

/// A named slot of an image.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry<'a> {
    /// The path that leads to it; empty where the slot has no name.
    pub path: String,
    /// The slot's number.
    pub slot: u32,
    /// What it holds.
    pub value: Value<'a>,
    /// The range that guards it, where one was set.
    pub bounds: Option<Bounds>,
}

/// The tag with this number.
pub(super) fn tag(number: u64) -> Option<Tag> {
    const TAGS: [Tag; 13] = [
        Tag::Absent,
        Tag::Bool,
        Tag::I64,
        Tag::F64,
        Tag::Str,
        Tag::Bytes,
        Tag::ListBool,
        Tag::ListI64,
        Tag::ListF64,
        Tag::ListStr,
        Tag::ListBytes,
        Tag::Map,
        Tag::Class,
    ];
    TAGS.get(usize::try_from(number).ok()?).copied()
}
