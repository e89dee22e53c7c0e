//! Why a document was refused.

use std::fmt;

use crate::ValueType;

/// A document that was refused: where, and why.
#[derive(Clone, Debug, PartialEq)]
pub struct DocumentError {
    /// The path of what is wrong; empty for the document itself.
    pub path: String,
    /// What is wrong with it.
    pub kind: DocumentErrorKind,
}

impl std::error::Error for DocumentError {}

impl fmt::Display for DocumentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.path.is_empty() { write!(f, "{}", self.kind) } else { write!(f, "{}: {}", self.path, self.kind) }
    }
}

/// What is wrong with a document; the text says what to do about it.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum DocumentErrorKind {
    /// Not JSON.
    #[error("not JSON: {message}")]
    Syntax {
        /// What the JSON reader said, with line and column.
        message: String,
    },
    /// Not UTF-8.
    #[error("byte {at} is not UTF-8: a document is UTF-8 text")]
    NotUtf8 {
        /// Offset of the first byte that is not.
        at: usize,
    },
    /// A byte order mark.
    #[error("begins with a byte order mark: save the document as UTF-8 without one")]
    ByteOrderMark,
    /// Something else than an object at the top.
    #[error("a document is an object of values: write {{\"name\": …}}")]
    NotAnObject,
    /// Over a limit.
    #[error("too many {what}: {found}, the limit is {limit}")]
    TooLarge {
        /// What there is too much of.
        what: &'static str,
        /// How much was found when it was refused.
        found: usize,
        /// How much there may be.
        limit: usize,
    },
    /// A null.
    #[error("is null: leave the name out, or give it a value")]
    Null,
    /// A name without letters.
    #[error("holds an empty name: `/` joins names to a path, so each needs at least one character")]
    EmptyName,
    /// A `/` in a name.
    #[error("the name {name:?} holds a `/`, which joins a path: nest objects instead")]
    SlashInName {
        /// The name.
        name: String,
    },
    /// A NUL in a name.
    #[error("a name must not hold a NUL character")]
    NulInName,
    /// A name that is there twice.
    #[error("is there twice: keep one of them")]
    Duplicate,
    /// A field that is there twice.
    #[error("`{field}` is there twice: keep one of them")]
    RepeatedField {
        /// The field.
        field: &'static str,
    },
    /// A `$` key that has no meaning.
    #[error(
        "`{key}` has no meaning: a value has $value, $type, $min, $max, $enum, $unit, $default and $doc, bytes are {{\"$bytes\": \"base64\"}}, \
         classes are under $classes at the top, and names of your own do not begin with `$`"
    )]
    UnknownSpecial {
        /// The key.
        key: String,
    },
    /// A `$` key beside names, or a name beside `$` keys.
    #[error("`{key}` does not belong here: an object is either a value with `$` keys or a map of names, not both")]
    Mingled {
        /// The key.
        key: String,
    },
    /// Something beside `$bytes`.
    #[error("`$bytes` stands alone: write {{\"$value\": {{\"$bytes\": …}}, …}} to say more about it")]
    BytesNotAlone,
    /// Text that is not base64.
    #[error("is not base64 ({reason}): `$bytes` takes the standard alphabet with padding")]
    Base64 {
        /// What the decoder said.
        reason: String,
    },
    /// Elements of different types.
    #[error("element {index} is {found}, those before it are {expected}: a list has one type{}", mixed_advice(*expected, *found))]
    MixedList {
        /// The first element that differs, counted from 0.
        index: usize,
        /// The type of those before it.
        expected: ValueType,
        /// Its own type.
        found: ValueType,
    },
    /// A list or an object where a scalar is due.
    #[error("holds {found} where a scalar is due: lists hold scalars, and objects hold names")]
    NotScalar {
        /// What it is.
        found: &'static str,
    },
    /// A list without elements and without a type.
    #[error(
        "is an empty list, whose type nobody can know: write {{\"$value\": [], \"$type\": \"list<i64>\"}}, or the type that you mean"
    )]
    EmptyList,
    /// Allows nothing.
    #[error("`$enum` is empty, so that no value would be allowed: leave it out, or list the allowed ones")]
    EmptyEnum,
    /// An integer beyond 64 bits.
    #[error("{digits} does not fit a signed 64-bit integer: write {digits}.0 for a double, or a string")]
    IntegerRange {
        /// As it was written.
        digits: String,
    },
    /// An integer that no double is equal to.
    #[error("{digits} has no exact double: write the double that you mean, with a fraction or an exponent")]
    Inexact {
        /// The integer.
        digits: String,
    },
    /// A NUL in a text.
    #[error("holds a NUL character, which would end the text in C: write {{\"$bytes\": …}}")]
    NulInText,
    /// Neither value nor default.
    #[error("has neither $value nor $default: give it one of them")]
    NoValue,
    /// A field of another type than the value.
    #[error("`{field}` is {found}, the value is {expected}: write both alike, or set `$type`")]
    WrongType {
        /// The field.
        field: &'static str,
        /// The type it should have.
        expected: ValueType,
        /// The type it has.
        found: ValueType,
    },
    /// A field that must be text.
    #[error("`{field}` must be a string")]
    NotText {
        /// The field.
        field: &'static str,
    },
    /// `$type` names none, or one that no value has.
    #[error("there is no value of type {name:?}: there are bool, i64, f64, string, bytes and list<…> of these")]
    UnknownType {
        /// What was written.
        name: String,
    },
    /// Bounds on what has no order.
    #[error("`$min` and `$max` are for numbers and lists of them, this is {found}: use `$enum`")]
    Unordered {
        /// The type that has no bounds.
        found: ValueType,
    },
    /// `$min` above `$max`.
    #[error("`$min` {low} is above `$max` {high}")]
    CrossedBounds {
        /// `$min`.
        low: String,
        /// `$max`.
        high: String,
    },
    /// A value outside its bounds.
    #[error("`{field}` {value} is outside {range}: change the value or the range")]
    OutOfRange {
        /// `$value`, `$default` or `$enum`.
        field: &'static str,
        /// What it is.
        value: String,
        /// What it may be.
        range: String,
    },
    /// A value that is not listed.
    #[error("`{field}` {value} is not one of {allowed}: change the value or `$enum`")]
    NotAllowed {
        /// `$value` or `$default`.
        field: &'static str,
        /// What it is.
        value: String,
        /// What it may be.
        allowed: String,
    },
    /// Parents that are not a list of names.
    #[error("a class is given its parents as a list of class names: write [] for none")]
    ClassParents,
    /// A parent that is no class.
    #[error("its parent {parent:?} is not among `$classes`: add it there with its own parents, or []")]
    UnknownParent {
        /// The parent.
        parent: String,
    },
    /// A parent that is named twice.
    #[error("names its parent {parent:?} twice: once is enough")]
    RepeatedParent {
        /// The parent.
        parent: String,
    },
    /// An IRI of the sector that is no path.
    #[error(
        "<{iri}> names a parameter and is no path: names are joined by `/`, none is empty, and only what an IRI may not hold is \
         percent-encoded, as UTF-8 in capital digits"
    )]
    NotAPath {
        /// The IRI.
        iri: String,
    },
    /// A field that several statements make.
    #[error("has several of `{field}`: keep one statement, or make its object a list")]
    Several {
        /// The field, as in JSON.
        field: &'static str,
    },
    /// A literal that is not of its datatype, or that programs have no type for.
    #[error("{lexical:?} is no finite value of <{datatype}>: write it as the datatype asks")]
    IllFormed {
        /// What was written.
        lexical: String,
        /// The datatype's IRI.
        datatype: String,
    },
    /// A blank node that is no list.
    #[error("is the blank node _:{label}, which is no list: a value is a literal, an IRI, or a list of them")]
    BlankValue {
        /// The node's label.
        label: String,
    },
    /// An RDF list that does not end, or forks.
    #[error("its list is not whole: each cell needs one rdf:first and one rdf:rest, the last of which is rdf:nil")]
    BrokenList,
    /// A name that is both a value and a map.
    #[error("is a value, and other names continue its path as if it were a map: rename one of them")]
    ValueAndMap,
    /// A class that is its own ancestor.
    #[error("is its own ancestor: take one of its parents away")]
    ClassCycle,
}

fn mixed_advice(expected: ValueType, found: ValueType) -> &'static str {
    match (expected, found) {
        (ValueType::I64, ValueType::F64) | (ValueType::F64, ValueType::I64) => {
            " (write whole numbers with a fraction, as 1.0, to make all of them doubles)"
        }
        _ => "",
    }
}
