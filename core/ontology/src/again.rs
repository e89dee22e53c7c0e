//! A text that says again what the one before it said, with other values.
//!
//! Most promotions of a sector come from one producer, whose texts differ in values alone. Such a text is compared with the one before
//! byte by byte, and only its values are read; any other difference sends it through the parser. What is accepted here is what the
//! parser accepts, read the same way.

use std::sync::Arc;

use crate::document::{Data, Document, Node, TOP};
use crate::draft::CLASSES;
use crate::graph::{Delta, Graph, Term, Triple};
use crate::parameters::{Compiled, Entry};
use crate::vocabulary::xsd;
use crate::{KeyTable, Limits, Snapshot, ValueType};

/// A text that was promoted, and where in it the values are that may differ in the next.
#[derive(Clone, Debug)]
pub struct Text {
    json: String,
    /// In the order of the text, quotes included.
    spans: Vec<Span>,
    entries: Arc<[Entry]>,
}

#[derive(Clone, Copy, Debug)]
struct Span {
    start: u32,
    len: u32,
    /// The number of its parameter.
    entry: u32,
}

impl Span {
    fn of(self, json: &str) -> &[u8] {
        &json.as_bytes()[self.start as usize..][..self.len as usize]
    }
}

impl Text {
    /// Finds the values of a text, `document` being what the parser read from it and `compiled` what became of that. None where it has
    /// none that may differ.
    pub fn of(json: String, document: &Document, compiled: &Compiled, table: &KeyTable) -> Option<Text> {
        let entries = compiled.parameters.entries.clone();
        let mut by_slot: Vec<(u32, u32)> =
            entries.iter().enumerate().map(|(at, entry)| (entry.slot, at as u32)).collect();
        by_slot.sort_unstable();
        let mut slots = vec![TOP; document.nodes.len()];
        let mut spans = Vec::new();
        let mut walk = Walk { json: json.as_bytes(), at: 0, nodes: &document.nodes, next: 0, document };
        walk.map(true, &mut |node, span: std::ops::Range<usize>| {
            let mut of = node;
            let mut names = Vec::new();
            while of != TOP && slots[of as usize] == TOP {
                names.push(of);
                of = document.nodes[of as usize].parent;
            }
            for node in names.into_iter().rev() {
                let Node { parent, hash, .. } = document.nodes[node as usize];
                let parent = if parent == TOP { TOP } else { slots[parent as usize] };
                slots[node as usize] = table.find(parent, document.name(node), hash)?;
            }
            let slot = slots[node as usize];
            if let Ok(found) = by_slot.binary_search_by_key(&slot, |&(slot, _)| slot) {
                let entry = by_slot[found].1;
                spans.push(Span { start: span.start as u32, len: span.len() as u32, entry });
            }
            Some(())
        })?;
        (!spans.is_empty()).then_some(Text { json, spans, entries })
    }

    /// Reads a text that differs from this one in values alone: the change that it makes to the snapshot that this one's version holds,
    /// and what to compare the next one with. None where it differs in anything else, or where a value needs the parser.
    pub fn again(
        &self,
        json: &str,
        snapshot: &Snapshot,
        compiled: &Compiled,
        limits: &Limits,
    ) -> Option<(Delta, Text)> {
        let parameters = &compiled.parameters;
        if json.len() > limits.bytes.min(u32::MAX as usize) || !Arc::ptr_eq(&parameters.entries, &self.entries) {
            return None;
        }
        let (old, new) = (self.json.as_bytes(), json.as_bytes());
        let mut spans = Vec::with_capacity(self.spans.len());
        let mut changed: Vec<(u32, Term)> = Vec::with_capacity(self.spans.len());
        let (mut old_at, mut at) = (0, 0);
        for span in &self.spans {
            let between = &old[old_at..span.start as usize];
            if !new[at..].starts_with(between) {
                return None;
            }
            at += between.len();
            let entry = &self.entries[span.entry as usize];
            let len = length(entry.value_type, &new[at..])?;
            let value = &json[at..at + len];
            if value.as_bytes() != span.of(&self.json) {
                let term = term(snapshot.graph(), entry.value_type, value, limits)?;
                if term != parameters.values[span.entry as usize] {
                    changed.push((span.entry, term));
                }
            }
            spans.push(Span { start: at as u32, len: len as u32, entry: span.entry });
            at += len;
            old_at = (span.start + span.len) as usize;
        }
        if new[at..] != old[old_at..] {
            return None;
        }
        changed.sort_unstable_by_key(|&(entry, _)| entry);
        let predicate = snapshot.words().value;
        let triple = |entry: u32, object| Triple { subject: self.entries[entry as usize].subject, predicate, object };
        let removed = changed.iter().map(|&(entry, _)| triple(entry, parameters.values[entry as usize])).collect();
        let added = changed.iter().map(|&(entry, term)| triple(entry, term)).collect();
        let text = Text { json: json.to_owned(), spans, entries: self.entries.clone() };
        Some((Delta::of_sorted(removed, added), text))
    }

    /// The text.
    pub fn json(&self) -> &str {
        &self.json
    }
}

/// How long the value of this type is that the text begins with, if it does.
fn length(value_type: ValueType, text: &[u8]) -> Option<usize> {
    match value_type {
        ValueType::Bool => {
            let starts = |word: &[u8]| text.starts_with(word).then_some(word.len());
            starts(b"true").or_else(|| starts(b"false"))
        }
        ValueType::Str => {
            let rest = text.strip_prefix(b"\"")?;
            // An escape, or a control character, which is none: the parser's work.
            let end = rest.iter().position(|&byte| byte == b'"' || byte == b'\\' || byte < 0x20)?;
            (rest[end] == b'"').then_some(end + 2)
        }
        _ => {
            let number = |byte: &&u8| matches!(byte, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E');
            Some(text.iter().take_while(number).count())
        }
    }
}

/// The literal of a value as JSON writes it.
fn term(graph: &Graph, value_type: ValueType, text: &str, limits: &Limits) -> Option<Term> {
    match value_type {
        ValueType::Bool => Some(Term::boolean(text == "true")),
        ValueType::I64 => {
            let digits = text.strip_prefix('-').unwrap_or(text).as_bytes();
            let whole =
                digits.iter().all(u8::is_ascii_digit) && !digits.is_empty() && (digits[0] != b'0' || digits.len() == 1);
            Term::integer(text.parse().ok().filter(|_| whole)?)
        }
        ValueType::F64 => {
            let value: f64 = text.parse().ok().filter(|value: &f64| value.is_finite() && is_double(text.as_bytes()))?;
            Term::double(value)
        }
        ValueType::Str => {
            let inside = &text[1..text.len() - 1];
            (inside.len() <= limits.string_bytes).then(|| graph.terms().literal(inside, xsd::STRING))
        }
        _ => None,
    }
}

/// JSON's number with a fraction or an exponent.
fn is_double(text: &[u8]) -> bool {
    let digits = |text: &[u8]| text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let mut rest = text.strip_prefix(b"-").unwrap_or(text);
    let whole = digits(rest);
    if whole == 0 || (rest[0] == b'0' && whole > 1) {
        return false;
    }
    rest = &rest[whole..];
    let mut double = false;
    if let Some(fraction) = rest.strip_prefix(b".") {
        let len = digits(fraction);
        if len == 0 {
            return false;
        }
        (rest, double) = (&fraction[len..], true);
    }
    if let [b'e' | b'E', exponent @ ..] = rest {
        let exponent = exponent.strip_prefix(b"+").or(exponent.strip_prefix(b"-")).unwrap_or(exponent);
        let len = digits(exponent);
        if len == 0 {
            return false;
        }
        (rest, double) = (&exponent[len..], true);
    }
    double && rest.is_empty()
}

/// Walks a text that the parser accepted, beside the nodes that it made of it.
struct Walk<'d> {
    json: &'d [u8],
    at: usize,
    nodes: &'d [Node],
    next: u32,
    document: &'d Document,
}

impl<'d> Walk<'d> {
    /// An object of names, whose beginning is next. Gives `each` the scalars that are a parameter's value. As deep as documents are.
    fn map(&mut self, top: bool, each: &mut impl FnMut(u32, std::ops::Range<usize>) -> Option<()>) -> Option<()> {
        self.take(b'{')?;
        while let Some(key) = self.key()? {
            if top && key == CLASSES.as_bytes() {
                let map = self.next;
                self.next += 1;
                self.next +=
                    self.nodes[self.next as usize..].iter().take_while(|node| node.parent == map).count() as u32;
                self.skip()?;
                continue;
            }
            let node = self.next;
            self.next += 1;
            debug_assert_eq!(self.document.name(node).as_bytes(), key);
            match self.nodes.get(node as usize)?.data {
                Data::Map => self.map(false, each)?,
                _ if self.peek()? == b'{' => self.leaf(node, each)?,
                _ => self.scalar(node, each)?,
            }
        }
        Some(())
    }

    /// An object of fields.
    fn leaf(&mut self, node: u32, each: &mut impl FnMut(u32, std::ops::Range<usize>) -> Option<()>) -> Option<()> {
        self.take(b'{')?;
        while let Some(key) = self.key()? {
            if key == b"$value" { self.scalar(node, each)? } else { self.skip()? }
        }
        Some(())
    }

    fn scalar(&mut self, node: u32, each: &mut impl FnMut(u32, std::ops::Range<usize>) -> Option<()>) -> Option<()> {
        let first = self.peek()?;
        let start = self.at;
        self.skip()?;
        if matches!(first, b'{' | b'[') { Some(()) } else { each(node, start..self.at) }
    }

    /// The next key of an object, and its colon; none at the object's end.
    fn key(&mut self) -> Option<Option<&'d [u8]>> {
        if self.peek()? == b',' {
            self.at += 1;
        }
        if self.peek()? == b'}' {
            self.at += 1;
            return Some(None);
        }
        let start = self.at + 1;
        self.skip()?;
        let key = start..self.at - 1;
        self.take(b':')?;
        self.peek()?;
        // An escaped key could be any other.
        let json: &'d [u8] = self.json;
        let key = &json[key];
        if key.contains(&b'\\') { None } else { Some(Some(key)) }
    }

    /// Passes a value.
    fn skip(&mut self) -> Option<()> {
        let mut depth = 0usize;
        loop {
            match self.peek()? {
                b'"' => {
                    self.at += 1;
                    loop {
                        match self.json.get(self.at)? {
                            b'"' => break,
                            b'\\' => self.at += 2,
                            _ => self.at += 1,
                        }
                    }
                    self.at += 1;
                }
                b'{' | b'[' => {
                    (depth, self.at) = (depth + 1, self.at + 1);
                    continue;
                }
                b'}' | b']' => (depth, self.at) = (depth.checked_sub(1)?, self.at + 1),
                b',' | b':' => {
                    self.at += 1;
                    continue;
                }
                _ => {
                    let inside = |byte: &&u8| !matches!(byte, b',' | b'}' | b']' | b' ' | b'\t' | b'\n' | b'\r');
                    self.at += self.json[self.at..].iter().take_while(inside).count();
                }
            }
            if depth == 0 {
                return Some(());
            }
        }
    }

    fn take(&mut self, byte: u8) -> Option<()> {
        let found = self.peek()? == byte;
        self.at += usize::from(found);
        found.then_some(())
    }

    /// What is next behind white space.
    fn peek(&mut self) -> Option<u8> {
        while matches!(self.json.get(self.at)?, b' ' | b'\t' | b'\n' | b'\r') {
            self.at += 1;
        }
        self.json.get(self.at).copied()
    }
}
