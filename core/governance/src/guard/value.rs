//! Values as guards state them, and how they compare with those of parameters.

use std::fmt;

use knhk_hot::artifact::Value;
use knhk_ontology::Leaf;
use serde::{Deserialize, Serialize};

use crate::number::Number;

/// What a parameter may be.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Scalar {
    /// True or false.
    Bool(bool),
    /// A number.
    Number(Number),
    /// A text.
    Text(String),
}

impl fmt::Display for Scalar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Scalar::Bool(value) => value.fmt(f),
            Scalar::Number(number) => number.fmt(f),
            Scalar::Text(text) => f.write_str(text),
        }
    }
}

/// The scalars of a parameter: its value, or the elements of its list. None where it has neither: bytes, a map, a class.
pub(super) fn scalars(leaf: &Leaf<'_>) -> Option<Vec<Scalar>> {
    let whole = |number: &i64| Scalar::Number(Number::I64(*number));
    let double = |number: &f64| Scalar::Number(Number::F64(*number));
    Some(match &leaf.value {
        Value::Bool(value) => vec![Scalar::Bool(*value)],
        Value::I64(number) => vec![whole(number)],
        Value::F64(number) => vec![double(number)],
        Value::Str(text) => vec![Scalar::Text((*text).to_owned())],
        Value::ListBool(items) => items.iter().map(|&item| Scalar::Bool(item)).collect(),
        Value::ListI64(items) => items.iter().map(whole).collect(),
        Value::ListF64(items) => items.iter().map(double).collect(),
        Value::ListStr(items) => items.iter().map(|&item| Scalar::Text(item.to_owned())).collect(),
        _ => return None,
    })
}

/// The numbers of a parameter; none where any of what it holds is no number.
pub(super) fn numbers(leaf: &Leaf<'_>) -> Option<Vec<Number>> {
    let number = |scalar: Scalar| match scalar {
        Scalar::Number(number) => Some(number),
        _ => None,
    };
    scalars(leaf)?.into_iter().map(number).collect()
}

/// A number that stands beside a parameter, such as its `$min`.
pub(super) fn number(value: &Value<'_>) -> Option<Number> {
    match value {
        Value::I64(number) => Some(Number::I64(*number)),
        Value::F64(number) => Some(Number::F64(*number)),
        _ => None,
    }
}
