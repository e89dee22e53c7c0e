//! What a field's attributes say.

use super::field::{Field, Ranged};
use super::{Bound, FieldError, Literal};
use std::cmp::Ordering;

/// Bounds and description of one field.
#[derive(Clone, Debug, Default)]
pub struct Rules {
    pub(crate) min: Option<Literal<'static>>,
    pub(crate) max: Option<Literal<'static>>,
    pub(crate) one_of: Vec<Literal<'static>>,
    pub(crate) unit: Option<&'static str>,
    pub(crate) doc: Option<&'static str>,
}

/// A `min` or `max` as the field's type writes it.
pub fn bound<K, T: Ranged<K>>(value: T::Rule) -> Literal<'static> {
    value.into()
}

/// A value of `one_of` as the field's type writes it.
pub fn choice<K, T: Field<K>>(value: T::Rule) -> Literal<'static> {
    value.into()
}

impl Rules {
    /// Smallest allowed number.
    pub fn min(mut self, min: Literal<'static>) -> Rules {
        self.min = Some(min);
        self
    }

    /// Largest allowed number.
    pub fn max(mut self, max: Literal<'static>) -> Rules {
        self.max = Some(max);
        self
    }

    /// The allowed values.
    pub fn one_of<const N: usize>(mut self, values: [Literal<'static>; N]) -> Rules {
        self.one_of = values.into();
        self
    }

    /// The unit.
    pub fn unit(mut self, unit: &'static str) -> Rules {
        self.unit = Some(unit);
        self
    }

    /// What the field means.
    pub fn doc(mut self, doc: &'static str) -> Rules {
        self.doc = Some(doc);
        self
    }

    /// Holds one scalar against the bounds.
    pub(crate) fn check(&self, at: &str, value: Literal<'_>, errors: &mut Vec<FieldError>) {
        let broken = |bound| FieldError { path: at.into(), value: self.shown(value), bound };
        if value.is_endless() {
            errors.push(broken(Bound::Finite));
            return;
        }
        if matches!(value, Literal::Str(text) if text.contains('\0')) {
            errors.push(broken(Bound::NoNul));
        }
        if let Some(min) = self.min.filter(|min| value.order(min) == Some(Ordering::Less)) {
            errors.push(broken(Bound::AtLeast(self.shown(min))));
        }
        if let Some(max) = self.max.filter(|max| value.order(max) == Some(Ordering::Greater)) {
            errors.push(broken(Bound::AtMost(self.shown(max))));
        }
        if !self.one_of.is_empty() && !self.one_of.contains(&value) {
            errors.push(broken(Bound::OneOf(self.one_of.iter().map(Literal::to_string).collect())));
        }
    }

    fn shown(&self, value: Literal<'_>) -> String {
        self.unit.map_or_else(|| value.to_string(), |unit| format!("{value} {unit}"))
    }
}
