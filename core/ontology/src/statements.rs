//! A document as statements: what has to change in a graph so that it says what the document says.

use std::collections::HashMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use knhk_hot::artifact::Value;

use crate::draft::CLASSES;
use crate::export::value_json;
use crate::graph::{Graph, Term, TermRef, Terms, Triple};
use crate::names::Namespace;
use crate::reading::list_cells;
use crate::view::View;
use crate::vocabulary::{knhk, rdf, xsd};
use crate::words::Words;
use crate::{Document, Leaf, ValueType};

/// Statements to remove and to add.
#[derive(Debug, Default)]
pub(crate) struct Changes {
    pub removed: Vec<Triple>,
    pub added: Vec<Triple>,
}

/// What makes `graph`, of which `view` is the document, say what `document` says of parameters, maps and classes. Whatever says the same
/// already stays as it is written, and what a document cannot say stays too.
pub(crate) fn changes(graph: &Graph, words: &Words, space: &Namespace, view: &View, document: &Document) -> Changes {
    let mut writer = Writer { graph, words, space, changes: Changes::default() };
    let old = &view.document;
    let mut empty_maps = Vec::new();
    for number in 0..document.nodes.len() as u32 {
        let node = &document.nodes[number as usize];
        let path = document.path(number);
        match node.data.value_type() {
            ValueType::Class => {}
            ValueType::Map => {
                let next = document.nodes.get(number as usize + 1);
                let empty = next.is_none_or(|next| next.parent != number);
                if empty && path != CLASSES {
                    let subject = graph.terms().iri(&space.iri(&path));
                    writer.say(subject, words.is, words.map);
                    empty_maps.push(subject);
                }
            }
            _ => writer.parameter(old.get(&path), &document.leaf(number)),
        }
    }
    writer.gone(view, document, &empty_maps);
    writer.classes(view, document);
    writer.changes
}

/// The literal that a value is written as.
pub(crate) fn value_term(terms: &Terms, value: &Value<'_>) -> Term {
    match value {
        Value::Bool(value) => Term::boolean(*value),
        Value::I64(value) => Term::integer(*value).unwrap_or_else(|| terms.literal(&value.to_string(), xsd::INTEGER)),
        Value::F64(value) => Term::double(*value).unwrap_or_else(|| terms.literal(&format!("{value:?}"), xsd::DOUBLE)),
        Value::Str(text) => terms.literal(text, xsd::STRING),
        Value::Bytes(bytes) => terms.literal(&STANDARD.encode(bytes), xsd::BASE64_BINARY),
        list => terms.literal(&value_json(list), rdf::JSON),
    }
}

fn is_empty(value: &Value<'_>) -> bool {
    match value {
        Value::ListBool(list) => list.is_empty(),
        Value::ListI64(list) => list.is_empty(),
        Value::ListF64(list) => list.is_empty(),
        Value::ListStr(list) => list.is_empty(),
        Value::ListBytes(list) => list.is_empty(),
        _ => false,
    }
}

struct Writer<'g> {
    graph: &'g Graph,
    words: &'g Words,
    space: &'g Namespace,
    changes: Changes,
}

impl Writer<'_> {
    fn say(&mut self, subject: Term, predicate: Term, object: Term) {
        self.changes.added.push(Triple { subject, predicate, object });
    }

    /// Takes back a property of a subject, with the lists that are its objects.
    fn unsay(&mut self, subject: Term, predicate: Term) {
        let graph = self.graph;
        for object in graph.objects(subject, predicate) {
            self.changes.removed.push(Triple { subject, predicate, object });
            let anonymous = match graph.terms().get(object) {
                TermRef::Blank(_) => true,
                TermRef::Iri(iri) => iri.starts_with(knhk::SKOLEM),
                TermRef::Literal { .. } => false,
            };
            if anonymous && graph.with_object(object).count() == 1 {
                self.cells(object);
            }
        }
    }

    fn cells(&mut self, head: Term) {
        let (graph, words) = (self.graph, self.words);
        let mut cell = head;
        for _ in list_cells(graph, words, head) {
            self.changes.removed.extend(graph.about(cell).map(|(predicate, object)| Triple {
                subject: cell,
                predicate,
                object,
            }));
            let Some(next) = graph.objects(cell, words.rest).next() else { return };
            cell = next;
        }
    }

    fn parameter(&mut self, old: Option<Leaf<'_>>, new: &Leaf<'_>) {
        let (terms, words) = (self.graph.terms().clone(), *self.words);
        let subject = terms.iri(&self.space.iri(&new.path));
        let old = old.filter(|old| !matches!(old.value_type, ValueType::Map | ValueType::Class));
        let shown =
            |leaf: &Leaf<'_>| !is_empty(&leaf.value) || leaf.default.as_ref().is_some_and(|value| !is_empty(value));
        let fields = |leaf: &Leaf<'_>| -> [(Term, Option<Term>); 6] {
            let term = |value: Option<&Value<'_>>| value.map(|value| value_term(&terms, value));
            let type_name = (!shown(leaf)).then(|| Value::Str(leaf.value_type.as_str()));
            [
                (words.value, term(leaf.has_value.then_some(&leaf.value))),
                (words.min, term(leaf.min.as_ref())),
                (words.max, term(leaf.max.as_ref())),
                (words.allowed, term(leaf.allowed.as_ref())),
                (words.default, term(leaf.default.as_ref())),
                (words.value_type, term(type_name.as_ref())),
            ]
        };
        let new_fields = fields(new);
        let old_fields = old.as_ref().map(fields);
        for (at, (predicate, object)) in new_fields.into_iter().enumerate() {
            // Equal as values: however the graph writes it, it stays.
            if old_fields.as_ref().is_some_and(|old| old[at].1 == object) {
                continue;
            }
            self.unsay(subject, predicate);
            if let Some(object) = object {
                self.say(subject, predicate, object);
            }
        }
        let texts = [
            (words.unit, old.as_ref().and_then(|old| old.unit), new.unit),
            (words.doc, old.as_ref().and_then(|old| old.doc), new.doc),
        ];
        for (predicate, old, new) in texts.into_iter().filter(|(_, old, new)| old != new) {
            if predicate == words.doc && self.graph.objects(subject, words.doc).next().is_none() && old.is_some() {
                self.unsay(subject, words.comment);
            }
            self.unsay(subject, predicate);
            if let Some(text) = new {
                self.say(subject, predicate, terms.literal(text, xsd::STRING));
            }
        }
    }

    /// Takes back parameters that the document lacks, and maps that need nobody to say that they are.
    fn gone(&mut self, view: &View, document: &Document, empty_maps: &[Term]) {
        let words = *self.words;
        for (number, subject) in view.subjects.iter().enumerate() {
            let (Some(subject), old) = (*subject, view.document.nodes[number].data.value_type()) else { continue };
            if old == ValueType::Class {
                continue;
            }
            let map = Triple { subject, predicate: words.is, object: words.map };
            if self.graph.contains(map) && !empty_maps.contains(&subject) {
                self.changes.removed.push(map);
            }
            let new = document.get(&view.document.path(number as u32)).map(|leaf| leaf.value_type);
            if old != ValueType::Map && new.is_none_or(|new| new == ValueType::Map) {
                let fields = [words.value, words.min, words.max, words.allowed, words.unit];
                for predicate in fields.into_iter().chain([words.default, words.value_type, words.doc]) {
                    self.unsay(subject, predicate);
                }
            }
        }
    }

    /// Makes the sector's own classes those of the document.
    fn classes(&mut self, view: &View, document: &Document) {
        let (terms, words) = (self.graph.terms().clone(), *self.words);
        let iri = |name: &str| terms.iri(&self.space.iri(name));
        let of = |document: &Document| -> Vec<(Term, Vec<Term>)> {
            let named = |(name, parents): (&str, Vec<&str>)| (iri(name), parents.into_iter().map(iri).collect());
            document.own_classes().map(named).collect()
        };
        let (old, new) = (of(&view.document), of(document));
        let kept: HashMap<Term, &[Term]> = new.iter().map(|(class, parents)| (*class, &parents[..])).collect();
        for (subject, old_parents) in &old {
            let (subject, parents) = (*subject, kept.get(subject));
            let gone = |parent: &&Term| parents.is_none_or(|parents| !parents.contains(parent));
            for &object in old_parents.iter().filter(gone) {
                self.changes.removed.push(Triple { subject, predicate: words.sub_class, object });
            }
            if parents.is_none() {
                for object in [words.class, words.owl_class] {
                    self.changes.removed.push(Triple { subject, predicate: words.is, object });
                }
            }
        }
        for (subject, parents) in &new {
            let is = |object| Triple { subject: *subject, predicate: words.is, object };
            if !self.graph.contains(is(words.owl_class)) {
                self.changes.added.push(is(words.class));
            }
            for &parent in parents {
                self.say(*subject, words.sub_class, parent);
            }
        }
    }
}
