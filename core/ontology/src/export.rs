//! Writes a document as JSON that reads back as the same document.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use knhk_hot::artifact::Value;

use crate::document::{Data, Document, Node, TOP};

impl Document {
    /// The document as indented JSON, in its own order; [`Document::parse`] reads the same document from it.
    pub fn to_json(&self) -> String {
        let mut writer = Writer { document: self, out: String::new(), next: 0 };
        writer.map(TOP, 0);
        writer.out.push('\n');
        writer.out
    }
}

/// Walks the nodes, which lie in the order of the document.
struct Writer<'d> {
    document: &'d Document,
    out: String,
    next: usize,
}

impl Writer<'_> {
    fn map(&mut self, parent: u32, depth: usize) {
        self.out.push('{');
        let mut first = true;
        while let Some(node) = self.document.nodes.get(self.next).filter(|node| node.parent == parent) {
            let number = self.next as u32;
            if self.beyond_json(number) {
                self.next += 1;
                self.next +=
                    self.document.nodes[self.next..].iter().take_while(|inside| inside.parent == number).count();
                continue;
            }
            if !first {
                self.out.push(',');
            }
            first = false;
            self.new_line(depth + 1);
            self.out.push_str(&json_text(self.document.piece(node.name)));
            self.out.push_str(": ");
            self.next += 1;
            match self.document.value(node.data) {
                Value::Map => self.map(number, depth + 1),
                Value::Class { number, .. } => self.parents(number),
                value => self.leaf(node, &value, depth + 1),
            }
        }
        if !first {
            self.new_line(depth);
        }
        self.out.push('}');
    }

    /// Whether a node is there for programs only: properties, domains, ranges, classes of others.
    fn beyond_json(&self, number: u32) -> bool {
        let document = self.document;
        let node = &document.nodes[number as usize];
        match node.data {
            Data::Class(class) => !document.classes[class as usize].own,
            Data::Map if node.parent == TOP && document.piece(node.name).starts_with('$') => {
                let inside =
                    document.classes.iter().filter(|class| document.nodes[class.node as usize].parent == number);
                let mut inside = inside.peekable();
                inside.peek().is_some() && inside.all(|class| !class.own)
            }
            _ => false,
        }
    }

    fn parents(&mut self, class: u32) {
        let names = self.document.own_parents(class).into_iter().map(json_text);
        self.out.push_str(&format!("[{}]", names.collect::<Vec<_>>().join(", ")));
    }

    fn leaf(&mut self, node: &Node, value: &Value<'_>, depth: usize) {
        let about = self.document.about(node);
        let data = |data| value_json(&self.document.value(data));
        let text = |piece| json_text(self.document.piece(piece));
        let default = about.default.map(|default| self.document.value(default));
        let empty = is_empty_list(value) || default.as_ref().is_some_and(is_empty_list);
        let said = [
            ("$value", about.has_value.then(|| value_json(value))),
            ("$type", empty.then(|| json_text(node.data.value_type().as_str()))),
            ("$min", about.min.map(data)),
            ("$max", about.max.map(data)),
            ("$enum", about.allowed.map(data)),
            ("$unit", about.unit.map(text)),
            ("$default", about.default.map(data)),
            ("$doc", about.doc.map(text)),
        ];
        let said: Vec<_> = said.into_iter().filter_map(|(key, text)| Some((key, text?))).collect();
        if let [("$value", only)] = &said[..] {
            self.out.push_str(only);
            return;
        }
        self.out.push('{');
        for (at, (key, text)) in said.iter().enumerate() {
            if at > 0 {
                self.out.push(',');
            }
            self.new_line(depth + 1);
            self.out.push_str(&format!("\"{key}\": {text}"));
        }
        self.new_line(depth);
        self.out.push('}');
    }

    fn new_line(&mut self, depth: usize) {
        self.out.push('\n');
        self.out.extend(std::iter::repeat_n("  ", depth));
    }
}

fn is_empty_list(value: &Value<'_>) -> bool {
    match value {
        Value::ListBool(list) => list.is_empty(),
        Value::ListI64(list) => list.is_empty(),
        Value::ListF64(list) => list.is_empty(),
        Value::ListStr(list) => list.is_empty(),
        Value::ListBytes(list) => list.is_empty(),
        _ => false,
    }
}

/// A value as JSON, on one line. `{:?}` of a double is its shortest form that reads back as itself, always with a fraction or an exponent.
pub(crate) fn value_json(value: &Value<'_>) -> String {
    fn list<T>(items: impl IntoIterator<Item = T>, text: impl Fn(T) -> String) -> String {
        format!("[{}]", items.into_iter().map(text).collect::<Vec<_>>().join(", "))
    }
    let bytes = |bytes: &[u8]| format!("{{\"$bytes\": \"{}\"}}", STANDARD.encode(bytes));
    match value {
        Value::Bool(value) => value.to_string(),
        Value::I64(value) => value.to_string(),
        Value::F64(value) => format!("{value:?}"),
        Value::Str(text) => json_text(text),
        Value::Bytes(value) => bytes(value),
        Value::ListBool(items) => list(*items, bool::to_string),
        Value::ListI64(items) => list(*items, i64::to_string),
        Value::ListF64(items) => list(*items, |item| format!("{item:?}")),
        Value::ListStr(items) => list(items.iter(), |item| json_text(item)),
        Value::ListBytes(items) => list(items.iter(), |item| bytes(item)),
        _ => unreachable!("maps and classes are written by the writer"),
    }
}

/// A text in quotes.
pub(crate) fn json_text(text: &str) -> String {
    serde_json::to_string(text).expect("every text has a form in JSON")
}
