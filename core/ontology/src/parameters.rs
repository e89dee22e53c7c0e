//! The parameters of a compiled snapshot whose values change most: known by subject, so that a change of values alone needs no look at
//! anything else.

use std::borrow::Cow;
use std::sync::Arc;

use knhk_hot::artifact::{Artifact, Revision, Value};

use crate::graph::{Delta, Graph, Term, TermRef, Triple};
use crate::vocabulary::xsd;
use crate::words::Words;
use crate::{CompileError, Snapshot, ValueType};

/// An artifact, and which of its slots a change of values alone may revise.
#[derive(Clone, Debug)]
pub struct Compiled {
    /// What inline code reads.
    pub artifact: Arc<Artifact>,
    pub(crate) parameters: Parameters,
}

/// Scalar parameters of a snapshot of which nothing but value, range, unit and description is said.
#[derive(Clone, Debug, Default)]
pub(crate) struct Parameters {
    /// By subject. Shared by all versions that have the same.
    pub entries: Arc<[Entry]>,
    /// The value of each.
    pub values: Vec<Term>,
}

/// A parameter.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry {
    pub subject: Term,
    pub slot: u32,
    pub value_type: ValueType,
}

impl Parameters {
    /// The parameters with their values in a graph, sorted.
    pub(crate) fn new(mut entries: Vec<Entry>, graph: &Graph, words: &Words) -> Parameters {
        entries.sort_unstable_by_key(|entry| entry.subject);
        let value = |entry: &Entry| graph.objects(entry.subject, words.value).next();
        entries.retain(|entry| value(entry).is_some_and(|value| scalar(graph, entry.value_type, value).is_some()));
        let values = entries.iter().filter_map(value).collect();
        Parameters { entries: entries.into(), values }
    }

    /// The same after a change of these subjects, sorted, which are parameters as `entries` says then.
    pub(crate) fn with(&self, subjects: &[Term], entries: Vec<Entry>, graph: &Graph, words: &Words) -> Parameters {
        if subjects.is_empty() {
            return self.clone();
        }
        let new = Parameters::new(entries, graph, words);
        let of = |parameters: &Parameters| -> Vec<(Entry, Term)> {
            parameters.entries.iter().copied().zip(parameters.values.iter().copied()).collect()
        };
        let mut all = of(self);
        all.retain(|(entry, _)| subjects.binary_search(&entry.subject).is_err());
        all.extend(of(&new));
        all.sort_by_key(|(entry, _)| entry.subject);
        let (entries, values): (Vec<Entry>, Vec<Term>) = all.into_iter().unzip();
        Parameters { entries: entries.into(), values }
    }

    /// The parameters that a change gives other values, by number; none where the change is of anything else.
    fn changed(&self, words: &Words, delta: &Delta) -> Option<Vec<(u32, Term)>> {
        if delta.added().len() != delta.removed().len() {
            return None;
        }
        let mut changed = Vec::with_capacity(delta.added().len());
        let mut at = 0;
        for (&Triple { subject, predicate, object }, removed) in delta.added().iter().zip(delta.removed()) {
            if subject != removed.subject || predicate != words.value || removed.predicate != words.value {
                return None;
            }
            // Both are sorted; most changes are of neighbours.
            if self.entries.get(at).is_none_or(|entry| entry.subject != subject) {
                at += self.entries[at..].partition_point(|entry| entry.subject < subject);
            }
            if self.entries.get(at)?.subject != subject || self.values[at] != removed.object {
                return None;
            }
            changed.push((at as u32, object));
            at += 1;
        }
        Some(changed)
    }
}

/// A term as the value of a slot, where it is written as the front door writes values of that type.
pub(crate) fn scalar(graph: &Graph, value_type: ValueType, term: Term) -> Option<Value<'_>> {
    match value_type {
        ValueType::I64 => term.as_integer().map(Value::I64),
        ValueType::Bool => term.as_boolean().map(Value::Bool),
        ValueType::F64 => term.as_double().map(Value::F64),
        ValueType::Str => match graph.terms().get(term) {
            TermRef::Literal { lexical: Cow::Borrowed(text), datatype: xsd::STRING, .. } => Some(Value::Str(text)),
            _ => None,
        },
        _ => None,
    }
}

impl Compiled {
    /// The same, of a snapshot that says what `from` says in another interner.
    pub fn moved(&self, from: &Snapshot, to: &Snapshot) -> Option<Compiled> {
        let (from, to) = (from.graph().terms(), to.graph().terms());
        let term = |term: Term| to.find(&from.get(term));
        let entry = |entry: &Entry| Some(Entry { subject: term(entry.subject)?, ..*entry });
        // The order stays: an interner is left in the order of its numbers.
        let entries = self.parameters.entries.iter().map(entry).collect::<Option<_>>()?;
        let values = self.parameters.values.iter().map(|&value| term(value)).collect::<Option<_>>()?;
        Some(Compiled { artifact: self.artifact.clone(), parameters: Parameters { entries, values } })
    }

    /// Whether a change gives parameters other values, and nothing else.
    pub(crate) fn is_revised_by(&self, snapshot: &Snapshot, delta: &Delta) -> bool {
        let value = snapshot.words().value;
        let of_values = |triples: &[Triple]| triples.iter().all(|triple| triple.predicate == value);
        delta.added().len() == delta.removed().len() && of_values(delta.added()) && of_values(delta.removed())
    }

    /// The artifact after a change of values alone, but for its content address; none where the change, or a value, asks for more than
    /// that.
    pub(crate) fn revise(&self, snapshot: &Snapshot, delta: &Delta) -> Option<Revised> {
        let graph = snapshot.graph();
        let changed = self.parameters.changed(snapshot.words(), delta)?;
        let mut parameters = self.parameters.clone();
        let mut whole = true;
        let values = changed.iter().map_while(|&(number, term)| {
            let entry = self.parameters.entries[number as usize];
            let value = scalar(graph, entry.value_type, term);
            whole &= value.is_some();
            Some((entry.slot, value?))
        });
        let revision = self.artifact.revise(values).ok()?;
        for &(number, term) in &changed {
            parameters.values[number as usize] = term;
        }
        whole.then_some(Revised { revision, parameters })
    }
}

/// What [`Compiled::revise`] made.
#[derive(Debug)]
pub(crate) struct Revised {
    revision: Revision,
    parameters: Parameters,
}

impl Revised {
    /// Seals it with the content address of its snapshot.
    ///
    /// # Errors
    /// When the system does not protect the memory.
    pub(crate) fn finish(self, snapshot_id: [u8; 32]) -> Result<Compiled, CompileError> {
        let artifact = Arc::new(self.revision.finish(snapshot_id)?);
        Ok(Compiled { artifact, parameters: self.parameters })
    }
}
