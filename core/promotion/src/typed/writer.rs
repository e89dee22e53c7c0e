//! The document's text, while fields are written into it.

use knhk_ontology::ValueType;

use super::Rules;
use super::literal::text;

/// Writes plain JSON, a leaf with its type, range, unit and meaning.
#[derive(Debug, Default)]
pub struct Writer {
    text: String,
    defaults: bool,
}

/// The path of `name` under `at`.
pub fn join(at: &str, name: &str) -> String {
    if at.is_empty() { name.into() } else { format!("{at}/{name}") }
}

impl Writer {
    /// Writes values as what holds before the first promotion.
    pub(super) fn of_defaults() -> Writer {
        Writer { defaults: true, ..Writer::default() }
    }

    /// Begins an object; the outermost one has no name.
    pub fn open(&mut self, name: &str) {
        if !self.text.is_empty() {
            self.name(name);
        }
        self.text.push('{');
    }

    /// Ends the object begun last.
    pub fn close(&mut self) {
        self.text.push('}');
    }

    /// Writes a value under its name.
    pub(super) fn leaf(&mut self, name: &str, value_type: ValueType, rules: &Rules, value: impl FnOnce(&mut String)) {
        self.name(name);
        self.text.push_str(if self.defaults { "{\"$default\":" } else { "{\"$value\":" });
        value(&mut self.text);
        self.text.push_str(",\"$type\":");
        text(value_type.as_str(), &mut self.text);
        for (key, bound) in [(",\"$min\":", rules.min), (",\"$max\":", rules.max)] {
            if let Some(bound) = bound.filter(|bound| !bound.is_endless()) {
                self.text.push_str(key);
                bound.json(&mut self.text);
            }
        }
        for (place, choice) in rules.one_of.iter().enumerate() {
            self.text.push_str(if place == 0 { ",\"$enum\":[" } else { "," });
            choice.json(&mut self.text);
        }
        if !rules.one_of.is_empty() {
            self.text.push(']');
        }
        for (key, said) in [(",\"$unit\":", rules.unit), (",\"$doc\":", rules.doc)] {
            if let Some(said) = said {
                self.text.push_str(key);
                text(said, &mut self.text);
            }
        }
        self.text.push('}');
    }

    fn name(&mut self, name: &str) {
        if !self.text.ends_with('{') {
            self.text.push(',');
        }
        text(name, &mut self.text);
        self.text.push(':');
    }

    /// The text.
    pub(super) fn finish(self) -> String {
        self.text
    }
}
