//! Identifiers that two sectors define differently.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::PoisonError;

use knhk_ontology::Snapshot;
use knhk_ontology::graph::{Term, TermRef, write_statement};
use knhk_ontology::vocabulary::{knhk, owl, rdf, rdfs};

use crate::{Engine, Error};

/// A class or property, of neither sector's own names, of which two sectors say different things.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Conflict {
    /// The identifier, an IRI.
    pub identifier: String,
    /// A sector that defines it.
    pub first: String,
    /// Another one.
    pub second: String,
    /// What the first says and the second does not: a line of N-Triples.
    pub only_first: Option<String>,
    /// What the second says and the first does not.
    pub only_second: Option<String>,
}

impl fmt::Display for Conflict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Conflict { identifier, first, second, only_first, only_second } = self;
        write!(f, "<{identifier}> is defined differently in sectors {first} and {second}")?;
        for (sector, only) in [(first, only_first), (second, only_second)] {
            if let Some(only) = only {
                write!(f, "; only {sector} states {only}")?;
            }
        }
        Ok(())
    }
}

/// Of each identifier that a sector defines though it is not its own, the statements that define it.
type Definitions = BTreeMap<String, BTreeSet<String>>;

impl Engine {
    /// Finds the identifiers that two sectors define differently: classes and properties from outside (of a published ontology, say) whose
    /// kind, super-classes, super-properties, domains or ranges are not the same in both.
    ///
    /// # Errors
    /// `Panic` when a sector refuses since a promotion panicked.
    pub fn conflicts(&self) -> Result<Vec<Conflict>, Error> {
        self.not_forked()?;
        let sectors = self.inner.sectors.read().unwrap_or_else(PoisonError::into_inner).clone();
        let mut seen: Vec<(String, Definitions)> = Vec::new();
        let mut conflicts = Vec::new();
        for sector in &sectors {
            let Some(current) = sector.lock()?.current().cloned() else { continue };
            let defined = definitions(&current.snapshot);
            for (first, before) in &seen {
                for (identifier, said) in before {
                    let Some(says) = defined.get(identifier).filter(|says| *says != said) else { continue };
                    conflicts.push(Conflict {
                        identifier: identifier.clone(),
                        first: first.clone(),
                        second: sector.name().to_owned(),
                        only_first: said.difference(says).next().cloned(),
                        only_second: says.difference(said).next().cloned(),
                    });
                }
            }
            seen.push((sector.name().to_owned(), defined));
        }
        conflicts.sort_by(|a, b| (&a.identifier, &a.first, &a.second).cmp(&(&b.identifier, &b.first, &b.second)));
        Ok(conflicts)
    }
}

fn definitions(snapshot: &Snapshot) -> Definitions {
    let (graph, terms) = (snapshot.graph(), snapshot.graph().terms());
    let find = |iri| terms.find_iri(iri);
    let kinds = [
        rdfs::CLASS,
        owl::CLASS,
        rdf::PROPERTY,
        owl::OBJECT_PROPERTY,
        owl::DATATYPE_PROPERTY,
        owl::ANNOTATION_PROPERTY,
    ];
    let kinds = kinds.map(find);
    let relations = [rdfs::SUB_CLASS_OF, rdfs::SUB_PROPERTY_OF, rdfs::DOMAIN, rdfs::RANGE].map(find);
    let is = find(rdf::TYPE);
    let anonymous = |term: Term| match terms.get(term) {
        TermRef::Iri(iri) => iri.starts_with(knhk::SKOLEM),
        TermRef::Blank(_) => true,
        TermRef::Literal { .. } => false,
    };
    let mut definitions = Definitions::new();
    for triple in graph.own() {
        let (predicate, object) = (Some(triple.predicate), Some(triple.object));
        let defines = if predicate == is { kinds.contains(&object) } else { relations.contains(&predicate) };
        if !defines || anonymous(triple.subject) || anonymous(triple.object) {
            continue;
        }
        let TermRef::Iri(iri) = terms.get(triple.subject) else { continue };
        if snapshot.namespace().local(iri).is_some() {
            continue;
        }
        let mut line = Vec::new();
        write_statement(terms, triple, &mut line);
        let line = String::from_utf8_lossy(line.trim_ascii_end()).into_owned();
        definitions.entry(iri.to_owned()).or_default().insert(line);
    }
    definitions
}
