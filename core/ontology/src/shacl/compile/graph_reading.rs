//! Small readings of the shapes graph: lists, numbers, truth values, and how to name a node to a person.

use std::fmt::Write;

use super::super::names::NAMESPACE;
use super::{Compiler, LIST_LEN};
use crate::graph::{Term, TermRef};
use crate::vocabulary::xsd;

impl Compiler<'_> {
    /// The members of a well-formed list; else what is wrong with it.
    pub(super) fn list(&mut self, head: Term) -> Result<Vec<Term>, String> {
        let mut members = Vec::new();
        let mut node = head;
        while node != self.names.nil {
            if members.len() == LIST_LEN {
                return Err(format!(
                    "the list {} is circular, or longer than {LIST_LEN} elements",
                    self.describe(head)
                ));
            }
            let mut first = self.graph.objects(node, self.names.first);
            let mut rest = self.graph.objects(node, self.names.rest);
            let (Some(member), None, Some(next), None) = (first.next(), first.next(), rest.next(), rest.next()) else {
                return Err(format!("{} is not a well-formed list", self.describe(head)));
            };
            drop((first, rest));
            self.consulted.insert(node);
            members.push(member);
            node = next;
        }
        Ok(members)
    }

    /// An `xsd:integer` that is not negative.
    pub(super) fn count(&self, term: Term) -> Result<u64, String> {
        let value = match (term.as_integer(), self.graph.terms().get(term)) {
            (Some(value), _) => u64::try_from(value).ok(),
            (None, TermRef::Literal { lexical, datatype: xsd::INTEGER, .. }) => lexical.parse().ok(),
            _ => None,
        };
        value.ok_or_else(|| format!("{} is not a whole number of at least 0", self.describe(term)))
    }

    /// Whether a truth value is exactly `true`, which is what switches a constraint on.
    pub(super) fn truth(&self, term: Term) -> Result<bool, String> {
        match (term.as_boolean(), self.graph.terms().get(term)) {
            (Some(value), _) => Ok(value),
            // "1"^^xsd:boolean is a truth value, but not the term `true` that the specification asks for.
            (None, TermRef::Literal { lexical, datatype: xsd::BOOLEAN, .. }) if matches!(&*lexical, "0" | "1") => {
                Ok(false)
            }
            _ => Err(format!("{} is neither true nor false", self.describe(term))),
        }
    }

    /// The text of an `xsd:string`.
    pub(super) fn text(&self, term: Term) -> Result<String, String> {
        match self.graph.terms().get(term) {
            TermRef::Literal { lexical, datatype: xsd::STRING, .. } => Ok(lexical.into_owned()),
            _ => Err(format!("{} is not a string", self.describe(term))),
        }
    }

    pub(super) fn iri(&self, term: Term) -> Result<Term, String> {
        if term.is_iri() { Ok(term) } else { Err(format!("{} is not an IRI", self.describe(term))) }
    }

    /// A property of SHACL as `sh:name`, another IRI in angle brackets.
    pub(super) fn short(&self, iri: Term) -> String {
        match self.graph.terms().get(iri) {
            TermRef::Iri(iri) if iri.starts_with(NAMESPACE) => format!("sh:{}", &iri[NAMESPACE.len()..]),
            _ => self.describe(iri),
        }
    }

    /// A term for a message. A blank node is described by the nearest shape with a name that leads to it.
    pub(super) fn describe(&self, term: Term) -> String {
        const LONGEST: usize = 120;
        let mut text = match self.graph.terms().get(term) {
            TermRef::Iri(iri) => format!("<{iri}>"),
            TermRef::Blank(label) => format!("_:{label}{}", self.whereabouts(term)),
            TermRef::Literal { lexical, language, .. } => {
                let language = language.map(|language| format!("@{language}")).unwrap_or_default();
                format!("{lexical:?}{language}")
            }
        };
        if let Some((at, _)) = text.char_indices().nth(LONGEST) {
            text.truncate(at);
            text.push('…');
        }
        text
    }

    /// " of <shape>": up from a blank node to the first node with a name.
    fn whereabouts(&self, blank: Term) -> String {
        const STEPS: usize = 16;
        let mut text = String::new();
        let mut node = blank;
        for _ in 0..STEPS {
            let Some((above, _)) = self.graph.with_object(node).next() else { break };
            node = above;
            if let TermRef::Iri(iri) = self.graph.terms().get(above) {
                write!(text, " in <{iri}>").expect("writing to a string does not fail");
                break;
            }
        }
        text
    }
}
