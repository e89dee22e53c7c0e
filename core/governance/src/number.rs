//! A number as rules and guards state it: whole or a double. Numbers compare by what they are, without rounding.

use std::cmp::Ordering;
use std::fmt;

use serde::{Deserialize, Serialize};

/// A whole number or a finite double.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Number {
    /// A whole number.
    I64(i64),
    /// A double.
    F64(f64),
}

impl Number {
    /// The nearest double.
    pub fn to_f64(self) -> f64 {
        match self {
            Number::I64(value) => value as f64,
            Number::F64(value) => value,
        }
    }

    /// Whether it is finite.
    pub fn is_finite(self) -> bool {
        self.to_f64().is_finite()
    }

    /// Whether it is above another; true where one is no number, so that a limit fails closed.
    pub fn is_above(self, other: Number) -> bool {
        self.partial_cmp(&other).is_none_or(Ordering::is_gt)
    }

    /// Whether it is below another; true where one is no number.
    pub fn is_below(self, other: Number) -> bool {
        self.partial_cmp(&other).is_none_or(Ordering::is_lt)
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
            (Number::I64(left), Number::F64(right)) => mixed(left, right),
            (Number::F64(left), Number::I64(right)) => mixed(right, left).map(Ordering::reverse),
        }
    }
}

/// A double to twelve significant digits, so that a step from 0.5 to 0.55 is the tenth that people take it for, which in doubles it is not.
pub(crate) fn decimal(value: f64) -> f64 {
    let digits = 11_i32.saturating_sub(value.abs().log10().floor() as i32);
    // Powers of ten up to here are doubles, so that what is rounded comes out as the nearest one.
    if !(0..=22).contains(&digits) {
        return value;
    }
    let scale = 10_f64.powi(digits);
    (value * scale).round() / scale
}

/// A whole number beside a double.
fn mixed(whole: i64, double: f64) -> Option<Ordering> {
    const BEYOND: f64 = 9_223_372_036_854_775_808.0; // 2^63
    if double.is_nan() {
        return None;
    }
    if double >= BEYOND {
        return Some(Ordering::Less);
    }
    if double < -BEYOND {
        return Some(Ordering::Greater);
    }
    // Its whole part is an i64 now, exactly.
    let part = double.trunc();
    Some(whole.cmp(&(part as i64)).then_with(|| 0.0_f64.partial_cmp(&(double - part)).unwrap_or(Ordering::Equal)))
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Number::I64(value) => write!(f, "{value}"),
            Number::F64(value) => write!(f, "{value:?}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_and_doubles_compare_exactly() {
        let big = 9_007_199_254_740_993; // 2^53 + 1, which no double is
        assert!(Number::I64(big).is_above(Number::F64(9_007_199_254_740_992.0)));
        assert!(Number::I64(i64::MAX).is_below(Number::F64(9_223_372_036_854_775_808.0)));
        assert!(Number::I64(i64::MIN) == Number::F64(-9_223_372_036_854_775_808.0));
        assert!(Number::I64(2) == Number::F64(2.0) && Number::I64(2) != Number::F64(2.5));
        assert!(Number::I64(-3) > Number::F64(-3.5) && Number::I64(-4) < Number::F64(-3.5));
        assert!(Number::I64(2).partial_cmp(&Number::F64(f64::NAN)).is_none());
        assert!(Number::I64(-2).is_above(Number::F64(-2.5)));
        assert!(Number::F64(2.5).is_above(Number::I64(2)));
        assert_eq!(
            [decimal((0.55 - 0.5) / 0.5 * 100.0), decimal(0.3 - 0.1), decimal(-0.0), decimal(1e300)],
            [10.0, 0.2, 0.0, 1e300]
        );
        assert!(decimal(f64::NAN).is_nan() && decimal(f64::INFINITY).is_infinite());
        assert!(Number::I64(1).is_above(Number::F64(f64::NEG_INFINITY)));
        assert!(Number::I64(1).is_above(Number::F64(f64::NAN)) && Number::I64(1).is_below(Number::F64(f64::NAN)));
    }
}
