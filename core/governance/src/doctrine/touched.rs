//! The names of a sector that a change is about, and what programs read there before and after.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::sync::Arc;

use knhk_hot::artifact::Value;
use knhk_ontology::Compiled;
use knhk_ontology::graph::TermRef;
use knhk_ontology::vocabulary::knhk;
use serde_json::{Value as Json, json};

use crate::Candidate;
use crate::number::Number;

/// A name that a change is about.
#[derive(Debug)]
pub(super) struct Touched<'a> {
    pub path: Cow<'a, str>,
    /// Whether nothing but its value changes: not its range, its type or anything else that is said of it.
    pub only_value: bool,
    /// The slots that it has before and after the change, looked up once for all rules.
    slots: OnceCell<[Option<u32>; 2]>,
}

/// The names that a change is about, sorted; and whether it is about anything else, too.
pub(super) fn touched(candidate: &Candidate) -> (Vec<Touched<'_>>, bool) {
    let terms = candidate.snapshot.graph().terms();
    let space = candidate.snapshot.namespace();
    let value = terms.find_iri(knhk::VALUE);
    let mut paths: BTreeMap<Cow<'_, str>, bool> = BTreeMap::new();
    let mut beyond = false;
    for statements in [candidate.delta.removed(), candidate.delta.added()] {
        for of_one in statements.chunk_by(|left, right| left.subject == right.subject) {
            let path = match terms.get(of_one[0].subject) {
                TermRef::Iri(iri) => space.path(iri),
                _ => None,
            };
            let Some(path) = path else {
                beyond = true;
                continue;
            };
            let only_value = of_one.iter().all(|statement| Some(statement.predicate) == value);
            *paths.entry(path.into()).or_insert(true) &= only_value;
        }
    }
    // What a value consists of may stand elsewhere: the cells of a list.
    for difference in &candidate.differences {
        paths.entry(Cow::Borrowed(difference.path.as_str())).or_insert(false);
    }
    let touched = paths.into_iter().map(|(path, only_value)| Touched { path, only_value, slots: OnceCell::new() });
    (touched.collect(), beyond)
}

impl Touched<'_> {
    /// What programs read there before the change.
    pub(super) fn before<'c>(&self, candidate: &'c Candidate) -> Option<Value<'c>> {
        read(candidate.current.as_deref(), self.slots(candidate)[0])
    }

    /// What they would read there after it.
    pub(super) fn after<'c>(&self, candidate: &'c Candidate) -> Option<Value<'c>> {
        read(candidate.compiled.as_deref(), self.slots(candidate)[1])
    }

    fn slots(&self, candidate: &Candidate) -> [Option<u32>; 2] {
        let slot = |compiled: &Option<Arc<Compiled>>| compiled.as_ref()?.artifact.find(&self.path);
        *self.slots.get_or_init(|| [slot(&candidate.current), slot(&candidate.compiled)])
    }
}

fn read(compiled: Option<&Compiled>, slot: Option<u32>) -> Option<Value<'_>> {
    compiled?.artifact.value(slot?)
}

/// A number, where a value is one.
pub(super) fn number(value: &Value<'_>) -> Option<Number> {
    match value {
        Value::I64(value) => Some(Number::I64(*value)),
        Value::F64(value) => Some(Number::F64(*value)),
        _ => None,
    }
}

/// The numbers that a value is, or consists of; none where it is something else.
pub(super) fn numbers(value: &Value<'_>) -> Option<Vec<Number>> {
    match value {
        Value::ListI64(values) => Some(values.iter().map(|&value| Number::I64(value)).collect()),
        Value::ListF64(values) => Some(values.iter().map(|&value| Number::F64(value)).collect()),
        scalar => number(scalar).map(|number| vec![number]),
    }
}

/// A value as conditions see it.
pub(crate) fn json_of(value: &Value<'_>) -> Json {
    let hex = |bytes: &[u8]| super::form::hex(bytes);
    match value {
        Value::Bool(value) => json!(value),
        Value::I64(value) => json!(value),
        Value::F64(value) => json!(value),
        Value::Str(text) => json!(text),
        Value::Bytes(bytes) => json!(hex(bytes)),
        Value::ListBool(values) => json!(values),
        Value::ListI64(values) => json!(values),
        Value::ListF64(values) => json!(values),
        Value::ListStr(texts) => json!(texts),
        Value::ListBytes(values) => values.iter().map(|bytes| json!(hex(bytes))).collect(),
        _ => Json::Null,
    }
}
