//! Rules as statements: the ontology's own form. What a rule says under a key of its JSON it says here under the predicate of that name
//! (`approval_chain` is `knhk:approvalChain`); an object is a blank node, a list an RDF list, a time an `xsd:dateTime`.
//!
//! ```turtle
//! @prefix knhk: <urn:knhk:core:> .
//! <urn:knhk:orders:doctrine/four-eyes> a knhk:Rule ;
//!     knhk:enforcement "hard_mandatory" ;
//!     knhk:paths ( "limits" ) ;
//!     knhk:approvalChain [ knhk:steps ( [ knhk:groups ( "desk-risk" ) ; knhk:quorum 1 ] ) ] .
//! ```

use std::fmt::Write;
use std::sync::Arc;

use knhk_ontology::graph::{Graph, GraphBuilder, Term, TermRef, Terms};
use knhk_ontology::rdf::{self, Format};
use knhk_ontology::vocabulary::{knhk, rdf as rdfs_own, rdfs, xsd};
use knhk_ontology::{Limits, Namespace};
use serde_json::{Map, Value};

use super::limits::{FILE_BYTES, RULES, within};
use super::rule::Rule;
use super::{RuleError, form};

/// Where the names of rules of every sector begin.
const EVERYWHERE: &str = "urn:knhk-doctrine:";
/// What stands between a sector's prefix and the names of its rules.
const FOLDER: &str = "doctrine/";
const DATE_TIME: &str = "http://www.w3.org/2001/XMLSchema#dateTime";
/// How deep objects and lists stand in one another.
const DEPTH: usize = 8;
/// Texts, numbers, objects and lists of one rule.
const PARTS: usize = 10_000;

/// A rule as statements.
pub(super) fn write(rule: &Rule) -> String {
    let mut text =
        format!("@prefix knhk: <{}> .\n@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .\n", knhk::CORE);
    text.push_str(&format!("@prefix xsd: <{}> .\n\n<{}> a knhk:Rule", xsd::PREFIX, iri(rule)));
    let fields = serde_json::to_value(rule).expect("rules are objects of texts, numbers and lists");
    for (key, value) in fields.as_object().into_iter().flatten() {
        match (key.as_str(), value) {
            ("id" | "sector", _) => continue,
            ("doc", value) => {
                text.push_str(" ;\n    rdfs:comment ");
                write_value(value, &mut text);
            }
            ("from" | "until", Value::String(time)) => {
                let _ = write!(text, " ;\n    knhk:{key} \"{time}\"^^xsd:dateTime");
            }
            (key, value) => {
                let _ = write!(text, " ;\n    knhk:{} ", camel(key));
                write_value(value, &mut text);
            }
        }
    }
    text.push_str(" .\n");
    text
}

fn iri(rule: &Rule) -> String {
    match &rule.sector {
        Some(sector) => format!("{}{FOLDER}{}", Namespace::of(sector).prefix(), rule.id),
        None => format!("{EVERYWHERE}{}", rule.id),
    }
}

/// The sector and the id that an IRI stands for.
fn named(iri: &str) -> Option<(Option<&str>, &str)> {
    if let Some(id) = iri.strip_prefix(EVERYWHERE) {
        return Some((None, id));
    }
    let (sector, local) = iri.strip_prefix(knhk::SECTORS)?.split_once(':')?;
    Some((Some(sector), local.strip_prefix(FOLDER)?))
}

fn write_value(value: &Value, text: &mut String) {
    match value {
        Value::String(of) => write_text(of, text),
        Value::Number(number) if number.is_f64() => {
            let _ = write!(text, "\"{number}\"^^xsd:double");
        }
        Value::Array(elements) => {
            text.push('(');
            for element in elements {
                text.push(' ');
                write_value(element, text);
            }
            text.push_str(" )");
        }
        Value::Object(fields) => {
            text.push('[');
            for (at, (key, value)) in fields.iter().enumerate() {
                let _ = write!(text, "{} knhk:{} ", if at > 0 { " ;" } else { "" }, camel(key));
                write_value(value, text);
            }
            text.push_str(" ]");
        }
        scalar => {
            let _ = write!(text, "{scalar}");
        }
    }
}

fn write_text(of: &str, text: &mut String) {
    text.push('"');
    for character in of.chars() {
        match character {
            '"' => text.push_str("\\\""),
            '\\' => text.push_str("\\\\"),
            '\n' => text.push_str("\\n"),
            '\r' => text.push_str("\\r"),
            '\t' => text.push_str("\\t"),
            control if control.is_control() => {
                let _ = write!(text, "\\u{:04X}", control as u32);
            }
            other => text.push(other),
        }
    }
    text.push('"');
}

/// `approval_chain` as `approvalChain`.
fn camel(key: &str) -> String {
    let mut name = String::with_capacity(key.len());
    for (at, word) in key.split('_').enumerate() {
        let mut letters = word.chars();
        match letters.next() {
            Some(first) if at > 0 => name.push(first.to_ascii_uppercase()),
            Some(first) => name.push(first),
            None => {}
        }
        name.push_str(letters.as_str());
    }
    name
}

/// The other way round.
fn snake(name: &str) -> String {
    let mut key = String::with_capacity(name.len() + 4);
    for letter in name.chars() {
        if letter.is_ascii_uppercase() {
            key.push('_');
        }
        key.push(letter.to_ascii_lowercase());
    }
    key
}

/// The rules that a Turtle text describes, by name; what else it states is left aside.
///
/// # Errors
/// [`RuleError::TooLarge`] before memory is taken for it; what is no Turtle, or no rule; as [`Rule::check`].
pub fn rules(text: &str) -> Result<Vec<Rule>, RuleError> {
    within("bytes of rules", text.len(), FILE_BYTES)?;
    let refuse = |why: String| RuleError::Text { form: "Turtle", why };
    let terms = Arc::new(Terms::new());
    let mut limits = Limits::default();
    (limits.bytes, limits.text_bytes, limits.statements) = (FILE_BYTES, 8 * FILE_BYTES, 400_000);
    let triples =
        rdf::parse(text.as_bytes(), Format::Turtle, "", &terms, &limits).map_err(|error| refuse(error.to_string()))?;
    let mut graph = GraphBuilder::new(terms.clone());
    for triple in triples {
        graph.push(triple.subject, triple.predicate, triple.object);
    }
    let graph = graph.finish();
    let (Some(is), Some(class)) = (terms.find_iri(rdfs_own::TYPE), terms.find_iri(&format!("{}Rule", knhk::CORE)))
    else {
        return Ok(Vec::new());
    };
    let subjects: Vec<Term> = graph.subjects(is, class).collect();
    within("rules", subjects.len(), RULES)?;
    let mut found = Vec::with_capacity(subjects.len());
    for subject in subjects {
        let TermRef::Iri(iri) = terms.get(subject) else {
            return Err(refuse(
                "a rule without a name: give it an IRI, <urn:knhk:orders:doctrine/four-eyes>".to_owned(),
            ));
        };
        let (sector, id) = named(iri).ok_or_else(|| {
            refuse(format!(
                "<{iri}> is no name of a rule: write <urn:knhk:orders:doctrine/four-eyes>, or <{EVERYWHERE}four-eyes> for all sectors"
            ))
        })?;
        let mut reader = Reader { graph: &graph, parts: 0 };
        let mut fields = reader.object(subject, 0).map_err(|why| refuse(format!("<{iri}>: {why}")))?;
        if let Some(sector) = sector {
            fields.insert("sector".to_owned(), sector.into());
        }
        fields.insert("id".to_owned(), id.into());
        found.push(serde_json::from_value(Value::Object(fields)).map_err(|error| refuse(error.to_string()))?);
    }
    let mut found: Vec<Rule> = form::checked(found)?;
    found.sort_by_key(Rule::name);
    Ok(found)
}

struct Reader<'g> {
    graph: &'g Graph,
    parts: usize,
}

impl Reader<'_> {
    /// What is said of a node, by key.
    fn object(&mut self, node: Term, depth: usize) -> Result<Map<String, Value>, String> {
        let terms = self.graph.terms();
        let mut fields = Map::new();
        for (predicate, object) in self.graph.about(node) {
            let TermRef::Iri(iri) = terms.get(predicate) else { continue };
            let key = match (iri, iri.strip_prefix(knhk::CORE)) {
                (rdfs_own::TYPE, _) => continue,
                (rdfs::COMMENT, _) => "doc".to_owned(),
                // These are what the name says.
                (_, Some("id" | "sector" | "doc")) | (_, None) => {
                    return Err(format!("nothing that a rule says is called <{iri}>"));
                }
                (_, Some(name)) => snake(name),
            };
            let value = self.value(object, depth + 1).map_err(|why| format!("{key}: {why}"))?;
            if fields.insert(key.clone(), value).is_some() {
                return Err(format!("{key} is said twice: leave one out"));
            }
        }
        Ok(fields)
    }

    fn value(&mut self, term: Term, depth: usize) -> Result<Value, String> {
        self.parts += 1;
        if depth > DEPTH || self.parts > PARTS {
            return Err(format!("more than {PARTS} parts, or {DEPTH} in one another: shorten or split it"));
        }
        match self.graph.terms().get(term) {
            TermRef::Iri(rdfs_own::NIL) => Ok(Value::Array(Vec::new())),
            TermRef::Iri(iri) => Err(format!("<{iri}> is no text: write it in quotes")),
            TermRef::Literal { lexical, datatype, .. } => literal(&lexical, datatype),
            TermRef::Blank(_) if self.one(term, rdfs_own::FIRST).is_some() => self.list(term, depth),
            TermRef::Blank(_) => Ok(Value::Object(self.object(term, depth)?)),
        }
    }

    fn list(&mut self, head: Term, depth: usize) -> Result<Value, String> {
        let mut elements = Vec::new();
        let mut cell = head;
        loop {
            let (first, rest) = (self.one(cell, rdfs_own::FIRST), self.one(cell, rdfs_own::REST));
            let (Some(first), Some(rest)) = (first, rest) else { return Err("its list is broken".to_owned()) };
            // Parts are counted, so that a list that comes back to itself ends.
            elements.push(self.value(first, depth + 1)?);
            if matches!(self.graph.terms().get(rest), TermRef::Iri(rdfs_own::NIL)) {
                return Ok(Value::Array(elements));
            }
            cell = rest;
        }
    }

    /// The one object of a node under a predicate.
    fn one(&self, node: Term, predicate: &str) -> Option<Term> {
        let mut objects = self.graph.objects(node, self.graph.terms().find_iri(predicate)?);
        objects.next().filter(|_| objects.next().is_none())
    }
}

fn literal(lexical: &str, datatype: &str) -> Result<Value, String> {
    let wrong = || format!("{lexical:?} is not what its datatype says");
    match datatype {
        xsd::INTEGER => lexical.parse::<i64>().map(Value::from).map_err(|_| wrong()),
        xsd::BOOLEAN => lexical.parse::<bool>().map(Value::from).map_err(|_| wrong()),
        xsd::DOUBLE | "http://www.w3.org/2001/XMLSchema#decimal" => {
            let number = lexical.parse::<f64>().ok().filter(|number| number.is_finite());
            number.and_then(serde_json::Number::from_f64).map(Value::Number).ok_or_else(wrong)
        }
        xsd::STRING | rdfs_own::LANG_STRING | DATE_TIME => Ok(lexical.into()),
        other => {
            Err(format!("a rule says nothing in <{other}>: write a text, a number, true, false or an xsd:dateTime"))
        }
    }
}
