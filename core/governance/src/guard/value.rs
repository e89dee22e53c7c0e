//! Values as guards state them, and how they compare with those of parameters.

use std::cmp::Ordering;
use std::fmt;

use knhk_hot::artifact::Value;
use knhk_ontology::Leaf;
use serde::{Deserialize, Serialize};

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

/// A whole number, or a double. They compare by what they are, without rounding.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Number {
    /// A whole number.
    I64(i64),
    /// A finite double.
    F64(f64),
}

impl Number {
    /// As a double, rounded where it has to be.
    pub fn as_f64(self) -> f64 {
        match self {
            Number::I64(number) => number as f64,
            Number::F64(number) => number,
        }
    }

    /// Whether it is finite.
    pub fn is_finite(self) -> bool {
        self.as_f64().is_finite()
    }
}

impl PartialEq for Number {
    fn eq(&self, other: &Number) -> bool {
        self.partial_cmp(other) == Some(Ordering::Equal)
    }
}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Number) -> Option<Ordering> {
        match (*self, *other) {
            (Number::I64(left), Number::I64(right)) => Some(left.cmp(&right)),
            (Number::F64(left), Number::F64(right)) => left.partial_cmp(&right),
            (Number::I64(left), Number::F64(right)) => whole_with_double(left, right),
            (Number::F64(left), Number::I64(right)) => whole_with_double(right, left).map(Ordering::reverse),
        }
    }
}

/// 2^63.
const BEYOND: f64 = 9_223_372_036_854_775_808.0;

fn whole_with_double(whole: i64, double: f64) -> Option<Ordering> {
    if double.is_nan() {
        return None;
    }
    if double >= BEYOND {
        return Some(Ordering::Less);
    }
    if double < -BEYOND {
        return Some(Ordering::Greater);
    }
    // Within 64 bits the part before the point is exact; what is behind it decides where they are equal.
    let before = double.trunc();
    Some(whole.cmp(&(before as i64)).then(before.partial_cmp(&double)?))
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Number::I64(number) => number.fmt(f),
            Number::F64(number) => write!(f, "{number:?}"),
        }
    }
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

#[cfg(test)]
mod tests {
    use super::Number::{F64, I64};

    #[test]
    fn numbers_compare_without_rounding() {
        assert!(I64(3) < F64(3.5) && I64(4) > F64(3.5) && I64(-3) > F64(-3.5) && I64(-4) < F64(-3.5));
        assert!(F64(9_007_199_254_740_992.0) < I64(9_007_199_254_740_993));
        assert!(I64(i64::MAX) < F64(9.3e18) && I64(i64::MAX) < F64(9_223_372_036_854_775_808.0));
        assert!(I64(i64::MIN) > F64(-1e19) && F64(f64::INFINITY) > I64(i64::MAX));
        assert!(
            I64(i64::MIN) >= F64(-9_223_372_036_854_775_808.0) && I64(i64::MIN) <= F64(-9_223_372_036_854_775_808.0)
        );
        assert!(I64(2) == F64(2.0) && I64(2) != F64(2.5) && I64(2).partial_cmp(&F64(f64::NAN)).is_none());
    }
}
