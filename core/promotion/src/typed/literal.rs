//! A scalar on its way between a field, its rules and the document.

use std::cmp::Ordering;
use std::fmt::{self, Write};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// A scalar as a document holds it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Literal<'a> {
    /// true or false.
    Bool(bool),
    /// A signed 64-bit integer.
    I64(i64),
    /// A finite double.
    F64(f64),
    /// Text.
    Str(&'a str),
    /// Bytes.
    Bytes(&'a [u8]),
}

/// The rule type of what takes no rule: `min`, `max` and `one_of` do not compile there.
#[derive(Clone, Copy, Debug)]
pub enum NoRule {}

impl Literal<'_> {
    /// The order of two numbers.
    pub(crate) fn order(&self, other: &Literal<'_>) -> Option<Ordering> {
        match (self, other) {
            (Literal::I64(a), Literal::I64(b)) => Some(a.cmp(b)),
            (Literal::F64(a), Literal::F64(b)) => a.partial_cmp(b),
            _ => None,
        }
    }

    /// Whether it is no number: a bound that bounds nothing, which JSON cannot write.
    pub(crate) fn is_endless(&self) -> bool {
        matches!(self, Literal::F64(number) if !number.is_finite())
    }

    /// Appends the JSON form; a double keeps its point or exponent, so that it stays one.
    pub(crate) fn json(&self, out: &mut String) {
        match self {
            Literal::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
            Literal::I64(value) => _ = write!(out, "{value}"),
            Literal::F64(value) => _ = write!(out, "{value:?}"),
            Literal::Str(value) => text(value, out),
            Literal::Bytes(value) => {
                out.push_str("{\"$bytes\":\"");
                STANDARD.encode_string(value, out);
                out.push_str("\"}");
            }
        }
    }
}

/// Appends a JSON string.
pub(crate) fn text(value: &str, out: &mut String) {
    out.push('"');
    for character in value.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{0}'..='\u{1f}' => _ = write!(out, "\\u{:04x}", u32::from(character)),
            other => out.push(other),
        }
    }
    out.push('"');
}

impl fmt::Display for Literal<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Literal::Bool(value) => write!(f, "{value}"),
            Literal::I64(value) => write!(f, "{value}"),
            Literal::F64(value) => write!(f, "{value:?}"),
            Literal::Str(value) => write!(f, "{value:?}"),
            Literal::Bytes(value) => write!(f, "{} bytes", value.len()),
        }
    }
}

impl From<bool> for Literal<'static> {
    fn from(value: bool) -> Self {
        Literal::Bool(value)
    }
}

impl From<i64> for Literal<'static> {
    fn from(value: i64) -> Self {
        Literal::I64(value)
    }
}

impl From<f64> for Literal<'static> {
    fn from(value: f64) -> Self {
        Literal::F64(value)
    }
}

impl From<&'static str> for Literal<'static> {
    fn from(value: &'static str) -> Self {
        Literal::Str(value)
    }
}

impl From<&'static [u8]> for Literal<'static> {
    fn from(value: &'static [u8]) -> Self {
        Literal::Bytes(value)
    }
}

impl From<NoRule> for Literal<'static> {
    fn from(rule: NoRule) -> Self {
        match rule {}
    }
}
