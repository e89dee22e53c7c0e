//! Values as people write them.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use knhk_hot::artifact::Value;

use crate::Leaf;

/// `1000 lots   (1 … 5000)`.
impl fmt::Display for Leaf<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&literal_text(&self.value))?;
        if let Some(unit) = self.unit {
            write!(f, " {unit}")?;
        }
        let text = |value: &Option<Value<'_>>| value.as_ref().map(literal_text);
        let mut notes = Vec::new();
        notes.extend(bounds_text(text(&self.min), text(&self.max)));
        notes.extend(text(&self.allowed).map(|allowed| format!("one of {allowed}")));
        if !self.has_value {
            notes.push("default".to_owned());
        }
        if notes.is_empty() { Ok(()) } else { write!(f, "   ({})", notes.join("; ")) }
    }
}

/// A value without what was said about it: as in JSON, but for texts that need no quotes and bytes in base64.
pub fn literal_text(value: &Value<'_>) -> String {
    fn list<T>(items: impl IntoIterator<Item = T>, text: impl Fn(T) -> String) -> String {
        format!("[{}]", items.into_iter().map(text).collect::<Vec<_>>().join(", "))
    }
    match value {
        Value::Bool(value) => value.to_string(),
        Value::I64(value) => value.to_string(),
        Value::F64(value) => format!("{value:?}"),
        Value::Str(text) => quoted_where_needed(text),
        Value::Bytes(bytes) => format!("base64:{}", STANDARD.encode(bytes)),
        Value::ListBool(items) => list(*items, bool::to_string),
        Value::ListI64(items) => list(*items, i64::to_string),
        Value::ListF64(items) => list(*items, |item| format!("{item:?}")),
        Value::ListStr(items) => list(items.iter(), |item| quoted_where_needed(item)),
        Value::ListBytes(items) => list(items.iter(), |item| format!("base64:{}", STANDARD.encode(item))),
        Value::Class { .. } => "class".to_owned(),
        _ => "map".to_owned(),
    }
}

/// `1 … 5000`, `≥ 1`, `≤ 5000`.
pub(crate) fn bounds_text(low: Option<String>, high: Option<String>) -> Option<String> {
    match (low, high) {
        (Some(low), Some(high)) => Some(format!("{low} … {high}")),
        (Some(low), None) => Some(format!("≥ {low}")),
        (None, Some(high)) => Some(format!("≤ {high}")),
        (None, None) => None,
    }
}

/// A text that reads as nothing else stands bare.
fn quoted_where_needed(text: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '/' | ':' | '@');
    let bare = text.starts_with(char::is_alphabetic) && text.chars().all(plain) && !matches!(text, "true" | "false");
    if bare { text.to_owned() } else { crate::export::json_text(text) }
}
