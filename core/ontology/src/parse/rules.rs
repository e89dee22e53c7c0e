//! What a value says about itself: its fields get one type, and the value must keep its own rules.

use super::literal::Literal;
use crate::ValueType;
use crate::display::{bounds_text, literal_text};
use crate::document::{About, Data, Document, Piece};
use crate::draft::Draft;
use crate::error::DocumentErrorKind as Kind;

/// The fields of a value, as they were written.
#[derive(Default)]
pub(crate) struct Fields {
    value: Option<Literal>,
    default: Option<Literal>,
    min: Option<Literal>,
    max: Option<Literal>,
    allowed: Option<Literal>,
    value_type: Option<ValueType>,
    unit: Option<Piece>,
    doc: Option<Piece>,
}

impl Fields {
    /// Whether it is described already.
    pub(crate) fn has_doc(&self) -> bool {
        self.doc.is_some()
    }

    /// Takes a field; refuses it if it is there already.
    pub(crate) fn put(&mut self, key: &'static str, literal: Literal, draft: &Draft) -> Result<(), Kind> {
        let text = || match literal {
            Literal::Known(Data::Str(text)) => Ok(text),
            _ => Err(Kind::NotText { field: key }),
        };
        let again = match key {
            "$value" => self.value.replace(literal).is_some(),
            "$default" => self.default.replace(literal).is_some(),
            "$min" => self.min.replace(literal).is_some(),
            "$max" => self.max.replace(literal).is_some(),
            "$enum" => self.allowed.replace(literal).is_some(),
            "$unit" => self.unit.replace(text()?).is_some(),
            "$doc" => self.doc.replace(text()?).is_some(),
            _ => {
                let name = draft.document.piece(text()?);
                let unknown = || Kind::UnknownType { name: name.to_owned() };
                let named: ValueType = name.parse().map_err(|_| unknown())?;
                if matches!(named, ValueType::Map | ValueType::Class) {
                    return Err(unknown());
                }
                self.value_type.replace(named).is_some()
            }
        };
        if again { Err(Kind::RepeatedField { field: key }) } else { Ok(()) }
    }

    /// The value and what was said about it, all of one type and true to its own rules.
    pub(crate) fn settle(self, draft: &mut Draft) -> Result<(Data, Option<About>), Kind> {
        let Some(written) = self.value.or(self.default) else { return Err(Kind::NoValue) };
        let to = match self.value_type {
            Some(named) => named,
            None => match (written.shown()?, self.default) {
                (Some(shown), _) => shown,
                (None, Some(default)) => default.shown()?.ok_or(Kind::EmptyList)?,
                (None, None) => return Err(Kind::EmptyList),
            },
        };
        let element = to.element().unwrap_or(to);
        let mut settle =
            |literal: Option<Literal>, to, field| literal.map(|literal| draft.settle(literal, to, field)).transpose();
        let value = settle(self.value, to, "$value")?;
        let default = settle(self.default, to, "$default")?;
        if !matches!(element, ValueType::I64 | ValueType::F64) && (self.min.is_some() || self.max.is_some()) {
            return Err(Kind::Unordered { found: to });
        }
        let min = settle(self.min, element, "$min")?;
        let max = settle(self.max, element, "$max")?;
        let allowed = match self.allowed {
            Some(Literal::Empty) => return Err(Kind::EmptyEnum),
            allowed => settle(allowed, list_of(element), "$enum")?,
        };
        let about = About { has_value: value.is_some(), min, max, allowed, default, unit: self.unit, doc: self.doc };
        about.check(value, &draft.document)?;
        let plain = about.has_value
            && [min, max, allowed, default].iter().all(Option::is_none)
            && (self.unit, self.doc) == (None, None);
        let data = value.or(default).expect("one of them was written");
        Ok((data, (!plain).then_some(about)))
    }
}

fn list_of(element: ValueType) -> ValueType {
    match element {
        ValueType::Bool => ValueType::ListBool,
        ValueType::I64 => ValueType::ListI64,
        ValueType::F64 => ValueType::ListF64,
        ValueType::Str => ValueType::ListStr,
        _ => ValueType::ListBytes,
    }
}

impl About {
    fn check(&self, value: Option<Data>, document: &Document) -> Result<(), Kind> {
        let text = |data| literal_text(&document.value(data));
        let range = || bounds_text(self.min.map(text), self.max.map(text)).unwrap_or_default();
        if let (Some(low), Some(high)) = (self.min, self.max)
            && below(high, low)
        {
            return Err(Kind::CrossedBounds { low: text(low), high: text(high) });
        }
        let fields = [("$value", value), ("$default", self.default), ("$enum", self.allowed)];
        for (field, data) in fields.into_iter().filter_map(|(field, data)| Some((field, data?))) {
            for element in document.elements(data) {
                let outside = self.min.is_some_and(|low| below(element, low))
                    || self.max.is_some_and(|high| below(high, element));
                if outside {
                    return Err(Kind::OutOfRange { field, value: text(element), range: range() });
                }
                if let Some(allowed) = self.allowed
                    && field != "$enum"
                    && !document.elements(allowed).any(|one| document.same(one, element))
                {
                    return Err(Kind::NotAllowed { field, value: text(element), allowed: text(allowed) });
                }
            }
        }
        Ok(())
    }
}

/// Whether a number is below another one of its type.
fn below(left: Data, right: Data) -> bool {
    match (left, right) {
        (Data::I64(left), Data::I64(right)) => left < right,
        (Data::F64(left), Data::F64(right)) => left < right,
        _ => false,
    }
}

impl Document {
    /// The elements of a list, or the scalar itself.
    fn elements(&self, data: Data) -> impl Iterator<Item = Data> + '_ {
        let len = match data {
            Data::ListBool(list)
            | Data::ListI64(list)
            | Data::ListF64(list)
            | Data::ListStr(list)
            | Data::ListBytes(list) => list.len,
            _ => 1,
        };
        (0..len as usize).map(move |at| match data {
            Data::ListBool(list) => Data::Bool(list.of(&self.bools)[at]),
            Data::ListI64(list) => Data::I64(list.of(&self.integers)[at]),
            Data::ListF64(list) => Data::F64(list.of(&self.doubles)[at]),
            Data::ListStr(list) => Data::Str(list.of(&self.pieces)[at]),
            Data::ListBytes(list) => Data::Bytes(list.of(&self.pieces)[at]),
            scalar => scalar,
        })
    }

    fn same(&self, left: Data, right: Data) -> bool {
        match (left, right) {
            (Data::Bool(left), Data::Bool(right)) => left == right,
            (Data::I64(left), Data::I64(right)) => left == right,
            (Data::F64(left), Data::F64(right)) => left == right,
            (Data::Str(left), Data::Str(right)) => self.piece(left) == self.piece(right),
            (Data::Bytes(left), Data::Bytes(right)) => left.of(&self.bytes) == right.of(&self.bytes),
            _ => false,
        }
    }
}
