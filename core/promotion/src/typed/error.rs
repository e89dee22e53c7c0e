//! What is wrong with a value that was to be promoted.

use std::fmt;

use knhk_ontology::{DocumentError, ValueType};

/// A field that may not be promoted: which, its value, and the bound that it breaks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldError {
    /// The path in the sector: `max_qty`, `desk/limit`, `venues[2]`; empty for the whole struct.
    pub path: String,
    /// The value as people write it, with its unit; empty where there is none.
    pub value: String,
    /// What it breaks.
    pub bound: Bound,
}

/// What a field can break.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Bound {
    /// `min`, inclusive.
    AtLeast(String),
    /// `max`, inclusive.
    AtMost(String),
    /// `one_of`.
    OneOf(Vec<String>),
    /// A float is neither infinite nor NaN.
    Finite,
    /// An integer lies in the range of this type.
    Fits(&'static str),
    /// Text holds no NUL character, which would end it in C.
    NoNul,
    /// A map's name is not empty, does not begin with `$` and has neither `/` nor NUL.
    Name,
    /// The document has it.
    Present,
    /// The document has it with this type.
    Type(ValueType),
    /// The type's own invariant of this text.
    Invariant(String),
}

impl FieldError {
    /// An invariant that does not hold over the struct at `at`, with the values that it speaks of.
    pub fn invariant(at: &str, name: &str, values: &[(&str, String)]) -> FieldError {
        let value = values.iter().map(|(name, value)| format!("{name} is {value}")).collect::<Vec<_>>().join(", ");
        FieldError { path: at.into(), value, bound: Bound::Invariant(name.into()) }
    }
}

impl fmt::Display for FieldError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let FieldError { path, value, bound } = self;
        match bound {
            Bound::AtLeast(min) => write!(f, "{path} is {value}, below its minimum {min}"),
            Bound::AtMost(max) => write!(f, "{path} is {value}, above its maximum {max}"),
            Bound::OneOf(values) => write!(f, "{path} is {value}, which is none of {}", values.join(", ")),
            Bound::Finite => write!(f, "{path} is {value}, which is not a finite number"),
            Bound::Fits(integer) => write!(f, "{path} is {value}, which is beyond {integer}"),
            Bound::NoNul => write!(f, "{path} is {value}, which holds a NUL character: make it bytes"),
            Bound::Name => {
                let rule = "one is not empty, does not begin with $ and has neither / nor NUL";
                write!(f, "{path}: {value} cannot be a name: {rule}")
            }
            Bound::Present => write!(f, "{path} is absent"),
            Bound::Type(other) => write!(f, "{path} is {value}, which is not of type {other}"),
            Bound::Invariant(name) => {
                if !path.is_empty() {
                    write!(f, "{path}: ")?;
                }
                write!(f, "`{name}` does not hold")?;
                if value.is_empty() { Ok(()) } else { write!(f, ": {value}") }
            }
        }
    }
}

impl std::error::Error for FieldError {}

/// Why a value is not, or does not become, a document.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Unfit {
    /// Fields or invariants; at least one.
    #[error("{}", sentence(.0))]
    Fields(Vec<FieldError>),
    /// The document is beyond a limit.
    #[error(transparent)]
    Document(#[from] DocumentError),
}

fn sentence(errors: &[FieldError]) -> String {
    errors.iter().map(FieldError::to_string).collect::<Vec<_>>().join("; ")
}
