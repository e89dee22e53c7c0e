//! The types that a field can have: scalars.

use knhk_ontology::ValueType;

use super::{Bound, FieldError, Literal, Rules, Source, Writer};

/// The kind of a field without `#[knhk(bytes)]`.
#[derive(Debug)]
pub enum Plain {}

/// The kind of a field with `#[knhk(bytes)]`.
#[derive(Debug)]
pub enum Bytes {}

/// A type that a field of a promoted struct can have. `K` tells bytes from lists of integers.
#[diagnostic::on_unimplemented(
    message = "a document cannot hold a `{Self}`",
    label = "not a type of values",
    note = "a struct is one when it has `#[derive(PromotionSafe)]`"
)]
pub trait Field<K = Plain> {
    /// What `one_of`, `min` and `max` are written in.
    type Rule: Into<Literal<'static>>;

    /// Holds the value at the path `at` against its rules, and appends what it breaks.
    fn check(&self, at: &str, rules: &Rules, errors: &mut Vec<FieldError>);

    /// Writes the value, which passed the check, under its name.
    fn write(&self, name: &str, rules: &Rules, out: &mut Writer);

    /// The value as people write it.
    fn show(&self) -> String;
}

/// A field that `min` and `max` can bound: numbers, lists of numbers, maps of numbers.
#[diagnostic::on_unimplemented(
    message = "`min` and `max` bound numbers, not a `{Self}`",
    label = "not a number",
    note = "use `one_of(…)` for strings, or an `invariant` of the struct"
)]
pub trait Ranged<K = Plain>: Field<K> {}

/// A field that can be read back from a document.
#[diagnostic::on_unimplemented(
    message = "a `{Self}` cannot be read back from a document",
    note = "borrowed fields are written only; use String instead of &str where a value is read back"
)]
pub trait FromField<K = Plain>: Field<K> + Sized {
    /// The value at the path `at`.
    ///
    /// # Errors
    /// It is absent, of another type, or beyond its type.
    fn read(at: &str, source: &Source<'_>) -> Result<Self, FieldError>;
}

/// A field that is one value, and can be an element of a list or a map.
#[diagnostic::on_unimplemented(
    message = "a list or map in a document cannot hold a `{Self}`",
    label = "not a scalar",
    note = "there are bool, i64 and other integers up to 64 bits, f64, String, &str, and Vec<u8> with `#[knhk(bytes)]`"
)]
pub trait Scalar<K = Plain>: Field<K> {
    /// Its type in documents.
    const TYPE: ValueType;
    /// The type of a list of it.
    const LIST: ValueType;

    /// The value as a document holds it.
    ///
    /// # Errors
    /// [`Bound::Fits`] for an integer beyond 64 signed bits.
    fn literal(&self) -> Result<Literal<'_>, Bound>;
}

/// A scalar that can be read back from a document.
#[diagnostic::on_unimplemented(message = "a list or map in a document cannot hold a `{Self}`", label = "not a scalar")]
pub trait FromScalar<K = Plain>: Scalar<K> + Sized {
    /// The value, if it is of this type and not beyond it.
    ///
    /// # Errors
    /// [`Bound::Fits`] or [`Bound::Type`].
    fn from_literal(literal: Literal<'_>) -> Result<Self, Bound>;
}

/// Checks one scalar, alone or as an element.
pub(super) fn check<K, T: Scalar<K>>(value: &T, at: &str, rules: &Rules, errors: &mut Vec<FieldError>) {
    match value.literal() {
        Ok(literal) => rules.check(at, literal, errors),
        Err(bound) => errors.push(FieldError { path: at.into(), value: value.show(), bound }),
    }
}

/// Writes one scalar, alone or as an element.
pub(super) fn json<K, T: Scalar<K>>(value: &T, out: &mut String) {
    value.literal().expect("the check, which comes first, refuses what has no literal").json(out);
}

/// Reads one scalar, alone or as an element.
pub(super) fn scalar<K, T: FromScalar<K>>(at: &str, literal: Literal<'_>) -> Result<T, FieldError> {
    T::from_literal(literal).map_err(|bound| FieldError { path: at.into(), value: literal.to_string(), bound })
}

macro_rules! scalar {
    ($kind:ty: $type:ty, $rule:ty, $single:ident, $list:ident, |$value:ident| $literal:expr, |$shown:ident| $show:expr $(, <$life:lifetime>)?) => {
        impl $(<$life>)? Field<$kind> for $type {
            type Rule = $rule;

            fn check(&self, at: &str, rules: &Rules, errors: &mut Vec<FieldError>) {
                check::<$kind, Self>(self, at, rules, errors);
            }

            fn write(&self, name: &str, rules: &Rules, out: &mut Writer) {
                out.leaf(name, <Self as Scalar<$kind>>::TYPE, rules, |out| json::<$kind, Self>(self, out));
            }

            fn show(&self) -> String {
                let $shown = self;
                $show
            }
        }

        impl $(<$life>)? Scalar<$kind> for $type {
            const TYPE: ValueType = ValueType::$single;
            const LIST: ValueType = ValueType::$list;

            fn literal(&self) -> Result<Literal<'_>, Bound> {
                let $value = self;
                $literal
            }
        }
    };
}

macro_rules! read {
    ($kind:ty: $type:ty, $single:ident, $pattern:pat => $value:expr) => {
        impl FromScalar<$kind> for $type {
            fn from_literal(literal: Literal<'_>) -> Result<Self, Bound> {
                match literal {
                    $pattern => $value,
                    _ => Err(Bound::Type(ValueType::$single)),
                }
            }
        }

        impl FromField<$kind> for $type {
            fn read(at: &str, source: &Source<'_>) -> Result<Self, FieldError> {
                source.scalar(at, ValueType::$single, |literal| scalar::<$kind, Self>(at, literal))
            }
        }
    };
}

macro_rules! integers {
    ($($type:ident)*) => {$(
        scalar!(Plain: $type, i64, I64, ListI64,
            |value| i64::try_from(*value).map(Literal::I64).map_err(|_| Bound::Fits("i64")), |value| value.to_string());
        read!(Plain: $type, I64, Literal::I64(value) => $type::try_from(value).map_err(|_| Bound::Fits(stringify!($type))));
        impl Ranged for $type {}
    )*};
}

integers!(i8 i16 i32 i64 isize u8 u16 u32 u64 usize);
scalar!(Plain: bool, bool, Bool, ListBool, |value| Ok(Literal::Bool(*value)), |value| value.to_string());
read!(Plain: bool, Bool, Literal::Bool(value) => Ok(value));
scalar!(Plain: f64, f64, F64, ListF64, |value| Ok(Literal::F64(*value)), |value| format!("{value:?}"));
read!(Plain: f64, F64, Literal::F64(value) => Ok(value));
impl Ranged for f64 {}
scalar!(Plain: String, &'static str, Str, ListStr, |value| Ok(Literal::Str(value)), |value| format!("{value:?}"));
read!(Plain: String, Str, Literal::Str(value) => Ok(value.into()));
scalar!(Plain: &'a str, &'static str, Str, ListStr, |value| Ok(Literal::Str(value)), |value| format!("{value:?}"), <'a>);
scalar!(Bytes: Vec<u8>, &'static [u8], Bytes, ListBytes, |value| Ok(Literal::Bytes(value)), |value| format!("{} bytes", value.len()));
read!(Bytes: Vec<u8>, Bytes, Literal::Bytes(value) => Ok(value.into()));
scalar!(Bytes: &'a [u8], &'static [u8], Bytes, ListBytes, |value| Ok(Literal::Bytes(value)), |value| format!("{} bytes", value.len()), <'a>);
