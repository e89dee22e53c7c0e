//! Writes Turtle as people lay it out.

use std::fmt::Write;

use super::label;
use super::layout::{Layout, Shape};
use super::prefixes::Prefixes;
use crate::graph::{Term, TermRef, Triple};
use crate::vocabulary::{rdf, xsd};

const DECIMAL: &str = "http://www.w3.org/2001/XMLSchema#decimal";

pub(super) fn write(layout: &Layout<'_>) -> String {
    let mut writer = Writer { layout, prefixes: Prefixes::new(layout.terms(), layout.triples()), text: String::new() };
    layout.each_subject(|subject, said| {
        writer.text.push('\n');
        writer.term(&layout.terms().get(subject));
        writer.said(said, 1, 0);
        writer.text.push_str(" .\n");
    });
    let used = writer.prefixes.used();
    let head = used.iter().map(|(name, namespace)| format!("@prefix {name}: <{namespace}> .\n"));
    let head: String = head.collect();
    if head.is_empty() { writer.text.trim_start().to_owned() } else { head + &writer.text }
}

struct Writer<'a> {
    layout: &'a Layout<'a>,
    prefixes: Prefixes,
    text: String,
}

impl Writer<'_> {
    /// Predicates and objects, one predicate to a line; the first stands on the subject's.
    fn said(&mut self, said: &[Triple], indent: usize, level: usize) {
        for (at, group) in said.chunk_by(|a, b| a.predicate == b.predicate).enumerate() {
            if at > 0 {
                self.text.push_str(" ;");
            }
            if at > 0 || level > 0 {
                self.line(indent);
            } else {
                self.text.push(' ');
            }
            match self.layout.terms().get(group[0].predicate) {
                TermRef::Iri(rdf::TYPE) => self.text.push('a'),
                predicate => self.term(&predicate),
            }
            self.objects(group, indent, level);
        }
    }

    /// The objects of a predicate; several stand on lines of their own.
    fn objects(&mut self, group: &[Triple], indent: usize, level: usize) {
        if let [triple] = group {
            self.text.push(' ');
            return self.object(triple.object, indent, level);
        }
        for (at, triple) in group.iter().enumerate() {
            if at > 0 {
                self.text.push_str(" ,");
            }
            self.line(indent + 1);
            self.object(triple.object, indent + 1, level);
        }
    }

    fn object(&mut self, object: Term, indent: usize, level: usize) {
        match self.layout.shape(object, level) {
            Shape::Term(term) => self.term(&term),
            Shape::Nested(range) if range.is_empty() => self.text.push_str("[]"),
            Shape::Nested(range) => {
                self.text.push('[');
                self.said(self.layout.said(range), indent + 1, level + 1);
                self.line(indent);
                self.text.push(']');
            }
            Shape::List(elements) if elements.is_empty() => self.text.push_str("()"),
            Shape::List(elements) => {
                self.text.push('(');
                for element in elements {
                    self.text.push(' ');
                    self.object(element, indent, level + 1);
                }
                self.text.push_str(" )");
            }
        }
    }

    fn line(&mut self, indent: usize) {
        self.text.push('\n');
        self.text.extend(std::iter::repeat_n("    ", indent));
    }

    fn term(&mut self, term: &TermRef<'_>) {
        match term {
            TermRef::Iri(iri) => self.iri(iri),
            TermRef::Blank(name) => {
                self.text.push_str("_:");
                self.text.push_str(&label(name));
            }
            TermRef::Literal { lexical, datatype, .. } if is_bare(lexical, datatype) => self.text.push_str(lexical),
            TermRef::Literal { lexical, datatype, language } => {
                self.string(lexical);
                match language {
                    Some(language) => {
                        self.text.push('@');
                        self.text.push_str(language);
                    }
                    None if *datatype == xsd::STRING => {}
                    None => {
                        self.text.push_str("^^");
                        self.iri(datatype);
                    }
                }
            }
        }
    }

    fn iri(&mut self, iri: &str) {
        if let Some((prefix, local)) = self.prefixes.shorten(iri) {
            self.text.push_str(prefix);
            self.text.push(':');
            self.text.push_str(&local.replace('/', "\\/"));
        } else {
            self.text.push('<');
            self.text.push_str(iri);
            self.text.push('>');
        }
    }

    /// A string between quotes; one of several lines keeps them.
    fn string(&mut self, text: &str) {
        let lines = text.contains('\n');
        let quotes = if lines { "\"\"\"" } else { "\"" };
        self.text.push_str(quotes);
        for c in text.chars() {
            match c {
                '"' => self.text.push_str("\\\""),
                '\\' => self.text.push_str("\\\\"),
                '\n' if lines => self.text.push('\n'),
                '\r' => self.text.push_str("\\r"),
                '\t' => self.text.push_str("\\t"),
                c if c.is_control() => {
                    write!(self.text, "\\u{:04X}", u32::from(c)).expect("writing into memory does not fail")
                }
                c => self.text.push(c),
            }
        }
        self.text.push_str(quotes);
    }
}

/// Whether Turtle's grammar gives the text this datatype without quotes.
fn is_bare(text: &str, datatype: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let fraction = |text: &str| match text.split_once('.') {
        Some((whole, part)) => (whole.is_empty() || digits(whole)) && digits(part),
        None => false,
    };
    match datatype {
        xsd::INTEGER => digits(unsigned),
        xsd::BOOLEAN => matches!(text, "true" | "false"),
        DECIMAL => fraction(unsigned),
        xsd::DOUBLE => unsigned.split_once(['e', 'E']).is_some_and(|(number, power)| {
            (digits(number) || fraction(number)) && digits(power.strip_prefix(['+', '-']).unwrap_or(power))
        }),
        _ => false,
    }
}
