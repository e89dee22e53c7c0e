//! The shipped sectors as the tests look at them: a graph, and what it says about a name.

pub mod page;

use std::fs;
use std::path::{Path, PathBuf};

use knhk_ontology::graph::{Graph, Term, TermRef, Triple};
use knhk_ontology::rdf::{Format, parse_graph};
use knhk_ontology::vocabulary::{knhk, rdf, rdfs};
use knhk_ontology::{Core, Limits};

/// What is written before the names of SHACL.
pub const SHACL: &str = "http://www.w3.org/ns/shacl#";
pub const LABEL: &str = "http://www.w3.org/2000/01/rdf-schema#label";

/// The folder of a sector's files.
pub fn folder(sector: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("sectors").join(sector)
}

/// The Turtle files of a folder, by name.
pub fn turtle_files(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| entry.expect("the folder can be read").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "ttl"))
        .collect();
    files.sort();
    files
}

/// A sector's graph over the core.
pub struct Knowledge {
    pub sector: &'static str,
    pub graph: Graph,
}

impl Knowledge {
    /// The core alone.
    pub fn core() -> Knowledge {
        Knowledge { sector: "core", graph: Core::shipped().graph().clone() }
    }

    /// What the texts say together, over the core.
    pub fn of(sector: &'static str, texts: &[&str]) -> Knowledge {
        let (text, base) = (texts.join("\n"), format!("{}{sector}:", knhk::SECTORS));
        let core = Knowledge::core().graph;
        let graph = parse_graph(text.as_bytes(), Format::Turtle, &base, core.terms(), &Limits::default(), &core)
            .unwrap_or_else(|error| panic!("{sector}: {error}"));
        Knowledge { sector, graph }
    }

    fn term(&self, iri: &str) -> Option<Term> {
        self.graph.terms().find_iri(iri)
    }

    /// The text of a literal, an IRI, or a blank node's label.
    pub fn text(&self, term: Term) -> String {
        match self.graph.terms().get(term) {
            TermRef::Iri(text) | TermRef::Blank(text) => text.to_owned(),
            TermRef::Literal { lexical, .. } => lexical.into_owned(),
        }
    }

    pub fn datatype(&self, term: Term) -> Option<&str> {
        match self.graph.terms().get(term) {
            TermRef::Literal { datatype, .. } => Some(datatype),
            _ => None,
        }
    }

    /// The one object of a predicate.
    pub fn one(&self, subject: Term, predicate: &str) -> Option<Term> {
        let found = self.all(subject, predicate);
        assert!(found.len() < 2, "{} has {} values of {predicate}", self.text(subject), found.len());
        found.first().copied()
    }

    pub fn all(&self, subject: Term, predicate: &str) -> Vec<Term> {
        self.term(predicate).map_or_else(Vec::new, |predicate| self.graph.objects(subject, predicate).collect())
    }

    /// The subjects of the sector's own that have a type, by name.
    pub fn own_of_type(&self, class: &str) -> Vec<Term> {
        let class = self.term(class);
        let typed = self.term(rdf::TYPE).zip(class);
        self.named(
            typed.into_iter().flat_map(|(predicate, class)| self.graph.subjects(predicate, class).collect::<Vec<_>>()),
        )
    }

    /// The sector's own parameters, by name.
    pub fn parameters(&self) -> Vec<Term> {
        let having = [knhk::VALUE, knhk::DEFAULT].into_iter().filter_map(|predicate| self.term(predicate));
        self.named(having.flat_map(|predicate| self.graph.with_predicate(predicate).map(|(_, subject)| subject)))
    }

    /// The own property shapes that have a name, by name.
    pub fn property_shapes(&self) -> Vec<Term> {
        let path = self.term(&format!("{SHACL}path")).expect("there are shapes");
        self.named(self.graph.with_predicate(path).map(|(_, subject)| subject))
    }

    fn named(&self, subjects: impl Iterator<Item = Term>) -> Vec<Term> {
        let own = self.namespace();
        let mut named: Vec<Term> =
            subjects.filter(|&subject| subject.is_iri() && self.text(subject).starts_with(&own)).collect();
        named.sort_by_key(|&subject| self.text(subject));
        named.dedup();
        named
    }

    /// Where the sector's names begin.
    pub fn namespace(&self) -> String {
        format!("{}{}:", knhk::SECTORS, self.sector)
    }

    /// A name as people say it: own ones without the namespace, the core's with `knhk:`, others whole.
    pub fn short(&self, term: Term) -> String {
        let text = self.text(term);
        if let Some(own) = text.strip_prefix(&self.namespace()) {
            return own.to_owned();
        }
        let prefixes = [
            (knhk::CORE, "knhk:"),
            ("http://www.w3.org/2001/XMLSchema#", "xsd:"),
            (rdfs::CLASS.trim_end_matches("Class"), "rdfs:"),
            ("https://ref.gs1.org/voc/", "gs1:"),
            ("https://spec.industrialontologies.org/ontology/construct/", "iof:"),
        ];
        let known = prefixes.iter().find_map(|(iri, prefix)| Some(format!("{prefix}{}", text.strip_prefix(iri)?)));
        known.unwrap_or(text)
    }

    /// The statements that the sector itself makes.
    pub fn own(&self) -> impl Iterator<Item = Triple> + '_ {
        self.graph.own()
    }
}
