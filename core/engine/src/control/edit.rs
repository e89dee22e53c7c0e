//! Single values of a sector, set from text as people write it: a change of as few statements as there are values.

use std::str::FromStr;
use std::sync::Arc;

use knhk_ontology::graph::{Graph, Term, TermRef, Triple};
use knhk_ontology::vocabulary::{knhk, rdf, xsd};
use knhk_ontology::{Document, Snapshot, ValueType};
use knhk_promotion::{Content, Sector, Statements};
use serde_json::{Map, Number, Value, json};

use crate::{Engine, Error, Status};

/// What setting these values changes: pairs of a path and a text.
pub(crate) fn edited(engine: &Engine, sector: &Sector, values: &[(String, String)]) -> Result<Content, Error> {
    let base = engine.base(sector)?;
    let known = base.document().map_err(Clone::clone)?;
    let mut said = Value::Object(Map::new());
    for (path, text) in values {
        let wrong = |why: String| {
            let path = format!("{}/{path}", sector.name());
            Error::new(Status::Document, "parse", &path, format!("{path} {why}"))
        };
        let value = read(text, place(known, path).map_err(wrong)?).map_err(wrong)?;
        set(&mut said, path, value).map_err(wrong)?;
    }
    // As if there were nothing else: what the front door would say of these values.
    let document = Document::parse(said.to_string(), &engine.inner.limits)?;
    let fresh = sector.empty().change_to(&document)?;
    Ok(replacing(&base, sector.empty(), fresh.added()))
}

/// The type of what is at `path`; none for a new name.
fn place(known: &Document, path: &str) -> Result<Option<ValueType>, String> {
    for (end, _) in path.match_indices('/') {
        let above = known.get(&path[..end]);
        if above.is_some_and(|leaf| leaf.value_type != ValueType::Map) {
            return Err(format!("leads through {}, which is not a map", &path[..end]));
        }
    }
    match known.get(path).map(|leaf| leaf.value_type) {
        Some(ValueType::Map) => Err("is a map: name one of its values".into()),
        Some(ValueType::Class) => Err("is a class, which has no value".into()),
        value_type => Ok(value_type),
    }
}

/// The value that `text` says for a key of this type; for a new key, the text's own form tells.
fn read(text: &str, known: Option<ValueType>) -> Result<Value, String> {
    let Some(known) = known else {
        let value = serde_json::from_str(text).ok().filter(|value: &Value| !value.is_null() && !value.is_object());
        return Ok(value.unwrap_or_else(|| text.into()));
    };
    let value = match known {
        ValueType::Str => Some(text.into()),
        ValueType::Bytes => Some(json!({ "$bytes": text })),
        ValueType::Bool => bool::from_str(text).ok().map(Value::from),
        ValueType::I64 => i64::from_str(text).ok().map(Value::from),
        ValueType::F64 => f64::from_str(text).ok().and_then(Number::from_f64).map(Value::Number),
        ValueType::ListF64 => serde_json::from_str(text).ok().map(|list: Vec<f64>| Value::from(list)),
        list => {
            let value = serde_json::from_str(text).ok();
            let empty = || json!({ "$value": [], "$type": list.as_str() });
            value.filter(Value::is_array).map(|value| if value == json!([]) { empty() } else { value })
        }
    };
    value.ok_or_else(|| {
        let wanted = match known {
            ValueType::Bool => "true or false".to_owned(),
            ValueType::I64 => "a whole number (i64)".to_owned(),
            ValueType::F64 => "a number (f64)".to_owned(),
            list => format!("a {list}, written as JSON like [1, 2]"),
        };
        format!("is {wanted}, and {text:?} is none")
    })
}

fn set(said: &mut Value, path: &str, value: Value) -> Result<(), String> {
    let mut at = said;
    for name in path.split('/') {
        let Value::Object(map) = at else { return Err("is set below another value that is set".into()) };
        at = map.entry(name).or_insert_with(|| Value::Object(Map::new()));
    }
    if at.as_object().is_none_or(|map| !map.is_empty()) {
        return Err("is set twice".into());
    }
    *at = value;
    Ok(())
}

/// The statements in place of what `base` says of the same values, each in the number format that the value had there.
fn replacing(base: &Snapshot, source: &Snapshot, added: &[Triple]) -> Content {
    let (graph, terms) = (base.graph(), base.graph().terms());
    let value = terms.iri(knhk::VALUE);
    let mut removed = Vec::new();
    let mut fresh = Vec::new();
    for triple in added {
        let [subject, predicate, object] = [triple.subject, triple.predicate, triple.object]
            .map(|term| terms.import(&source.graph().terms().get(term)));
        let before: Vec<Term> = graph.objects(subject, predicate).collect();
        let like = before.iter().copied().chain(graph.objects(subject, terms.iri(knhk::DEFAULT))).next();
        let object = like.filter(|_| predicate == value).map_or(object, |like| alike(graph, object, like));
        for old in before {
            removed.push(Triple { subject, predicate, object: old });
            cells(graph, old, &mut removed);
        }
        fresh.push(Triple { subject, predicate, object });
    }
    let of = |triples| Statements { terms: Arc::clone(terms), triples };
    Content::Change { removed: of(removed), added: of(fresh) }
}

/// The cells of a list.
fn cells(graph: &Graph, list: Term, into: &mut Vec<Triple>) {
    let rest = graph.terms().iri(rdf::REST);
    let mut at = Some(list).filter(|term| term.is_blank());
    while let Some(cell) = at {
        let about = graph.about(cell).map(|(predicate, object)| Triple { subject: cell, predicate, object });
        let about: Vec<Triple> = about.collect();
        at = about.iter().find(|triple| triple.predicate == rest).map(|triple| triple.object);
        // A list that leads back to itself ends too.
        at = at.filter(|next| next.is_blank() && !about.iter().any(|triple| into.contains(triple)));
        into.extend(about);
    }
}

/// A number in the datatype that another has: Turtle writes `0.25` as a decimal, which shapes may ask for.
fn alike(graph: &Graph, number: Term, like: Term) -> Term {
    let terms = graph.terms();
    let (TermRef::Literal { lexical, datatype, .. }, TermRef::Literal { datatype: wanted, .. }) =
        (terms.get(number), terms.get(like))
    else {
        return number;
    };
    match (datatype, wanted.strip_prefix(xsd::PREFIX)) {
        (xsd::INTEGER | xsd::DOUBLE, None | Some("integer" | "double" | "string")) => number,
        (xsd::INTEGER, Some(_)) => terms.literal(&lexical, wanted),
        (xsd::DOUBLE, Some("decimal")) => {
            // Without an exponent, which a decimal cannot have.
            let plain = lexical.parse::<f64>().map_or(lexical.into_owned(), |value| value.to_string());
            terms.literal(&if plain.contains('.') { plain } else { plain + ".0" }, wanted)
        }
        (xsd::DOUBLE, Some(_)) => terms.literal(&lexical, wanted),
        _ => number,
    }
}
