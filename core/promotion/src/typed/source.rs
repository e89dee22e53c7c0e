//! A document, while fields are read out of it.

use knhk_hot::artifact::Value;
use knhk_ontology::{Document, Leaf, ValueType};

use super::{Bound, FieldError, Literal};

/// What fields are read from.
#[derive(Clone, Copy, Debug)]
pub struct Source<'d> {
    document: &'d Document,
}

impl<'d> Source<'d> {
    /// Reads from `document`.
    pub fn of(document: &'d Document) -> Source<'d> {
        Source { document }
    }

    /// Whether there is a value or a map at `path`.
    pub(super) fn has(&self, path: &str) -> bool {
        self.document.get(path).is_some()
    }

    /// The scalar at `path`, through `read`.
    pub(super) fn scalar<T>(
        &self,
        path: &str,
        expected: ValueType,
        read: impl FnOnce(Literal<'_>) -> Result<T, FieldError>,
    ) -> Result<T, FieldError> {
        match self.leaf(path, expected)?.value {
            Value::Bool(value) => read(Literal::Bool(value)),
            Value::I64(value) => read(Literal::I64(value)),
            Value::F64(value) => read(Literal::F64(value)),
            Value::Str(value) => read(Literal::Str(value)),
            Value::Bytes(value) => read(Literal::Bytes(value)),
            _ => Err(self.wrong(path, expected)),
        }
    }

    /// The elements of the list at `path`, each through `read`.
    pub(super) fn list<T>(
        &self,
        path: &str,
        expected: ValueType,
        read: impl Fn(Literal<'_>) -> Result<T, FieldError>,
    ) -> Result<Vec<T>, FieldError> {
        match self.leaf(path, expected)?.value {
            Value::ListBool(values) => values.iter().map(|value| read(Literal::Bool(*value))).collect(),
            Value::ListI64(values) => values.iter().map(|value| read(Literal::I64(*value))).collect(),
            Value::ListF64(values) => values.iter().map(|value| read(Literal::F64(*value))).collect(),
            Value::ListStr(values) => values.iter().map(|value| read(Literal::Str(value))).collect(),
            Value::ListBytes(values) => values.iter().map(|value| read(Literal::Bytes(value))).collect(),
            _ => Err(self.wrong(path, expected)),
        }
    }

    /// Names and paths of what the map at `path` holds.
    pub(super) fn children(&self, path: &str) -> Result<Vec<(String, String)>, FieldError> {
        self.leaf(path, ValueType::Map)?;
        let under = |leaf: Leaf<'_>| {
            let name = leaf.path.strip_prefix(path)?.strip_prefix('/')?;
            (!name.contains('/')).then(|| (name.to_owned(), leaf.path.clone()))
        };
        Ok(self.document.entries().filter_map(under).collect())
    }

    fn leaf(&self, path: &str, expected: ValueType) -> Result<Leaf<'d>, FieldError> {
        self.document.get(path).filter(|leaf| leaf.value_type == expected).ok_or_else(|| self.wrong(path, expected))
    }

    /// Why there is nothing of the expected type.
    fn wrong(&self, path: &str, expected: ValueType) -> FieldError {
        let (value, bound) = match self.document.get(path) {
            None => (String::new(), Bound::Present),
            Some(leaf) => (leaf.value_type.to_string(), Bound::Type(expected)),
        };
        FieldError { path: path.into(), value, bound }
    }
}
