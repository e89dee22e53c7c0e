//! The types that a field can have: optional values, lists, maps.

use std::collections::BTreeMap;

use super::field::{check, json, scalar};
use super::{Bound, Field, FieldError, FromField, FromScalar, Literal, Ranged, Rules, Scalar, Source, Writer, join};

impl<K, T: Field<K>> Field<K> for Option<T> {
    type Rule = T::Rule;

    fn check(&self, at: &str, rules: &Rules, errors: &mut Vec<FieldError>) {
        if let Some(value) = self {
            value.check(at, rules, errors);
        }
    }

    fn write(&self, name: &str, rules: &Rules, out: &mut Writer) {
        if let Some(value) = self {
            value.write(name, rules, out);
        }
    }

    fn show(&self) -> String {
        self.as_ref().map_or_else(|| "absent".into(), T::show)
    }
}

impl<K, T: Ranged<K>> Ranged<K> for Option<T> {}

impl<K, T: FromField<K>> FromField<K> for Option<T> {
    fn read(at: &str, source: &Source<'_>) -> Result<Self, FieldError> {
        if source.has(at) { T::read(at, source).map(Some) } else { Ok(None) }
    }
}

impl<K, T: Scalar<K>> Field<K> for Vec<T> {
    type Rule = T::Rule;

    fn check(&self, at: &str, rules: &Rules, errors: &mut Vec<FieldError>) {
        for (place, value) in self.iter().enumerate() {
            check(value, &format!("{at}[{place}]"), rules, errors);
        }
    }

    fn write(&self, name: &str, rules: &Rules, out: &mut Writer) {
        out.leaf(name, T::LIST, rules, |out| {
            out.push('[');
            for (place, value) in self.iter().enumerate() {
                if place > 0 {
                    out.push(',');
                }
                json(value, out);
            }
            out.push(']');
        });
    }

    fn show(&self) -> String {
        format!("[{}]", self.iter().map(T::show).collect::<Vec<_>>().join(", "))
    }
}

impl<K, T: Scalar<K> + Ranged<K>> Ranged<K> for Vec<T> {}

impl<K, T: FromScalar<K>> FromField<K> for Vec<T> {
    fn read(at: &str, source: &Source<'_>) -> Result<Self, FieldError> {
        source.list(at, T::LIST, |literal| scalar(at, literal))
    }
}

impl<K, T: Scalar<K>> Field<K> for BTreeMap<String, T> {
    type Rule = T::Rule;

    fn check(&self, at: &str, rules: &Rules, errors: &mut Vec<FieldError>) {
        for (name, value) in self {
            if name.is_empty() || name.starts_with('$') || name.contains(['/', '\0']) {
                let value = Literal::Str(name).to_string();
                errors.push(FieldError { path: at.into(), value, bound: Bound::Name });
            } else {
                check(value, &join(at, name), rules, errors);
            }
        }
    }

    fn write(&self, name: &str, rules: &Rules, out: &mut Writer) {
        out.open(name);
        for (name, value) in self {
            out.leaf(name, T::TYPE, rules, |out| json(value, out));
        }
        out.close();
    }

    fn show(&self) -> String {
        let pairs: Vec<_> = self.iter().map(|(name, value)| format!("{name}: {}", value.show())).collect();
        format!("{{{}}}", pairs.join(", "))
    }
}

impl<K, T: Scalar<K> + Ranged<K>> Ranged<K> for BTreeMap<String, T> {}

impl<K, T: FromScalar<K>> FromField<K> for BTreeMap<String, T> {
    fn read(at: &str, source: &Source<'_>) -> Result<Self, FieldError> {
        let value = |path: &str| source.scalar(path, T::TYPE, |literal| scalar(path, literal));
        source.children(at)?.into_iter().map(|(name, path)| Ok((name, value(&path)?))).collect()
    }
}
