//! Writes JSON-LD: a context of prefixes, and a node object for each subject.

use serde_json::{Map, Value, json};

use super::label;
use super::layout::{Layout, Shape};
use super::prefixes::Prefixes;
use crate::graph::{Term, TermRef, Triple};
use crate::vocabulary::{rdf, xsd};

pub(super) fn write(layout: &Layout<'_>) -> String {
    let writer = Writer { layout, prefixes: Prefixes::new(layout.terms(), layout.triples()) };
    let mut nodes = Vec::new();
    layout.each_subject(|subject, said| {
        let mut node = Map::new();
        node.insert("@id".to_owned(), writer.name(&layout.terms().get(subject)).into());
        writer.said(&mut node, said, 0);
        nodes.push(Value::Object(node));
    });
    let document = json!({ "@context": writer.prefixes.used(), "@graph": nodes });
    serde_json::to_string_pretty(&document).expect("names and values are JSON") + "\n"
}

struct Writer<'a> {
    layout: &'a Layout<'a>,
    prefixes: Prefixes,
}

impl Writer<'_> {
    fn said(&self, node: &mut Map<String, Value>, said: &[Triple], level: usize) {
        for group in said.chunk_by(|a, b| a.predicate == b.predicate) {
            let predicate = self.layout.terms().get(group[0].predicate);
            // `@type` names nodes; a literal that says what something is takes the whole predicate.
            let types =
                matches!(predicate, TermRef::Iri(rdf::TYPE)) && group.iter().all(|triple| !triple.object.is_literal());
            let values = group.iter().map(|triple| match types {
                true => self.name(&self.layout.terms().get(triple.object)).into(),
                false => self.object(triple.object, level),
            });
            let mut values: Vec<Value> = values.collect();
            // A list stands alone: of several, each keeps its own array.
            let value = if values.len() == 1 { values.remove(0) } else { Value::Array(values) };
            node.insert(if types { "@type".to_owned() } else { self.name(&predicate) }, value);
        }
    }

    fn object(&self, object: Term, level: usize) -> Value {
        match self.layout.shape(object, level) {
            Shape::Term(term @ TermRef::Literal { .. }) => self.literal(&term),
            Shape::Term(term) => json!({ "@id": self.name(&term) }),
            Shape::Nested(range) => {
                let mut node = Map::new();
                self.said(&mut node, self.layout.said(range), level + 1);
                Value::Object(node)
            }
            Shape::List(elements) => {
                let elements: Vec<Value> =
                    elements.into_iter().map(|element| self.object(element, level + 1)).collect();
                json!({ "@list": elements })
            }
        }
    }

    fn literal(&self, literal: &TermRef<'_>) -> Value {
        let TermRef::Literal { lexical, datatype, language } = literal else {
            unreachable!("only literals come here");
        };
        match (*datatype, language) {
            (_, Some(language)) => json!({ "@value": lexical, "@language": language }),
            (xsd::STRING, None) => json!(lexical),
            (xsd::BOOLEAN, None) if matches!(&**lexical, "true" | "false") => json!(lexical == "true"),
            (xsd::INTEGER, None) if lexical.parse::<i64>().is_ok_and(|value| value.to_string() == *lexical) => {
                json!(lexical.parse::<i64>().expect("it was one a moment ago"))
            }
            (datatype, None) => json!({ "@value": lexical, "@type": self.name(&TermRef::Iri(datatype)) }),
        }
    }

    fn name(&self, term: &TermRef<'_>) -> String {
        match term {
            TermRef::Iri(iri) => match self.prefixes.shorten(iri) {
                Some((prefix, local)) => format!("{prefix}:{local}"),
                None => (*iri).to_owned(),
            },
            TermRef::Blank(name) => format!("_:{}", label(name)),
            TermRef::Literal { lexical, .. } => lexical.to_string(),
        }
    }
}
