//! Single values of a document, set from text as people write it.

use std::str::FromStr;

use knhk_ontology::ValueType;
use serde_json::{Map, Number, Value, json};

use super::reads::document;
use crate::{Engine, Error, Status};

/// The sector's document with these values set.
pub(super) fn edited(engine: &Engine, sector: &str, values: &[(String, String)]) -> Result<String, Error> {
    let infos = engine.sectors()?;
    let info = infos.iter().find(|info| info.name == sector);
    let ready = info.filter(|info| info.ready);
    let mut edited = ready.map_or_else(|| Ok(Value::Object(Map::new())), |info| document(engine, info))?;
    let keys = info.map_or_else(|| Ok(Vec::new()), |info| engine.keys(&info.name))?;
    for (path, text) in values {
        let known = keys.iter().find(|key| key.name == *path).map(|key| key.value_type);
        let value = parse(text, known).map_err(|expected| {
            let message = format!("{sector}/{path} is {expected}, and {text:?} is none");
            Error::new(Status::Document, "parse", path, message)
        })?;
        set(&mut edited, path, value)
            .map_err(|why| Error::new(Status::Document, "parse", path, format!("{sector}/{path} {why}")))?;
    }
    Ok(edited.to_string())
}

/// The value that `text` says for a key of this type; for a new key, the text's own form tells.
fn parse(text: &str, known: Option<ValueType>) -> Result<Value, String> {
    let Some(known) = known else {
        return Ok(serde_json::from_str(text)
            .ok()
            .filter(|value: &Value| !value.is_null())
            .unwrap_or_else(|| text.into()));
    };
    let spoken = || match known {
        ValueType::Bool => "true or false".to_owned(),
        ValueType::I64 => "a whole number (i64)".to_owned(),
        ValueType::F64 => "a number (f64)".to_owned(),
        ValueType::Map | ValueType::Class => format!("a {known}, which has no value of its own"),
        list => format!("a {list}, written as JSON like [1, 2]"),
    };
    let value = match known {
        ValueType::Str => Some(text.into()),
        ValueType::Bytes => Some(json!({ "$bytes": text })),
        ValueType::Bool => bool::from_str(text).ok().map(Value::from),
        ValueType::I64 => i64::from_str(text).ok().map(Value::from),
        ValueType::F64 => f64::from_str(text).ok().and_then(Number::from_f64).map(Value::Number),
        ValueType::Map | ValueType::Class => None,
        ValueType::ListF64 => serde_json::from_str(text).ok().map(|list: Vec<f64>| Value::from(list)),
        _ => serde_json::from_str(text).ok().filter(Value::is_array),
    };
    value.ok_or_else(spoken)
}

/// Sets the value at `path`, keeping what else is said about it; maps on the way are made.
fn set(document: &mut Value, path: &str, value: Value) -> Result<(), &'static str> {
    let mut at = document;
    for name in path.split('/') {
        if name.is_empty() {
            return Err("holds an empty name: a path is names joined by `/`");
        }
        let Value::Object(map) = at else { return Err("leads through a value that is not a map") };
        if map.keys().any(|key| key.starts_with('$') && key != "$classes") {
            return Err("leads through a value that is not a map");
        }
        at = map.entry(name).or_insert_with(|| Value::Object(Map::new()));
    }
    match at {
        Value::Object(map) if map.is_empty() => *at = value,
        Value::Object(map) if map.contains_key("$bytes") => *at = value,
        Value::Object(map) if map.contains_key("$value") || map.contains_key("$default") => {
            map.insert("$value".into(), value);
        }
        Value::Object(_) => return Err("is a map: name one of its values"),
        plain => *plain = value,
    }
    Ok(())
}
