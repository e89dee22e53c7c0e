//! Shortens IRIs by prefixes.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use hashbrown::{HashMap, HashSet};

use crate::graph::{TermRef, Terms, Triple};
use crate::vocabulary::knhk;

/// Namespaces that everybody calls the same.
const USUAL: [(&str, &str); 16] = [
    ("brick", "https://brickschema.org/schema/Brick#"),
    ("dc", "http://purl.org/dc/elements/1.1/"),
    ("dcterms", "http://purl.org/dc/terms/"),
    ("foaf", "http://xmlns.com/foaf/0.1/"),
    ("knhk", knhk::CORE),
    ("owl", "http://www.w3.org/2002/07/owl#"),
    ("prov", "http://www.w3.org/ns/prov#"),
    ("qudt", "http://qudt.org/schema/qudt/"),
    ("rdf", "http://www.w3.org/1999/02/22-rdf-syntax-ns#"),
    ("rdfs", "http://www.w3.org/2000/01/rdf-schema#"),
    ("schema", "https://schema.org/"),
    ("sh", "http://www.w3.org/ns/shacl#"),
    ("skos", "http://www.w3.org/2004/02/skos/core#"),
    ("unit", "http://qudt.org/vocab/unit/"),
    ("vann", "http://purl.org/vocab/vann/"),
    ("xsd", "http://www.w3.org/2001/XMLSchema#"),
];

/// The prefixes that statements can use, and which of them were used.
pub(super) struct Prefixes {
    names: HashMap<String, String>,
    used: RefCell<BTreeSet<String>>,
}

impl Prefixes {
    /// The usual ones, one for each sector, and one for each other namespace of several names.
    pub fn new(terms: &Terms, triples: &[Triple]) -> Prefixes {
        let mut namespaces: BTreeMap<&str, usize> = BTreeMap::new();
        let mut schemes = HashSet::new();
        let mut seen = HashSet::new();
        let mut note = |iri: &'_ str| -> Option<usize> {
            schemes.insert(iri.split(':').next().unwrap_or_default().to_owned());
            split(iri).map(|(namespace, _)| namespace.len())
        };
        for &term in triples.iter().flat_map(|triple| [&triple.subject, &triple.predicate, &triple.object]) {
            if seen.insert(term) {
                let iri = match terms.get(term) {
                    TermRef::Iri(iri) => iri,
                    TermRef::Literal { datatype, .. } => datatype,
                    TermRef::Blank(_) => continue,
                };
                if let Some(len) = note(iri) {
                    *namespaces.entry(&iri[..len]).or_default() += 1;
                }
            }
        }
        let mut names = HashMap::new();
        let mut taken: HashSet<String> = schemes;
        for (name, namespace) in USUAL {
            if taken.insert(name.to_owned()) {
                names.insert(namespace.to_owned(), name.to_owned());
            }
        }
        for (namespace, count) in namespaces {
            if !names.contains_key(namespace) && (count > 1 || namespace.starts_with(knhk::SECTORS)) {
                let name = name(namespace);
                let free = (1..).map(|number| if number == 1 { name.clone() } else { format!("{name}{number}") });
                let name = free.into_iter().find(|name| taken.insert(name.clone())).expect("numbers do not end");
                names.insert(namespace.to_owned(), name);
            }
        }
        Prefixes { names, used: RefCell::default() }
    }

    /// The prefix and the rest of an IRI, where it can be shortened. The rest holds letters, digits, `_`, `-`, and inside `.` and `/`.
    pub fn shorten<'i>(&self, iri: &'i str) -> Option<(&str, &'i str)> {
        let (namespace, local) = split(iri)?;
        Some((self.name(namespace)?, local))
    }

    /// The prefix of a namespace.
    pub fn name(&self, namespace: &str) -> Option<&str> {
        let (namespace, name) = self.names.get_key_value(namespace)?;
        if !self.used.borrow().contains(namespace) {
            self.used.borrow_mut().insert(namespace.clone());
        }
        Some(name)
    }

    /// The prefixes that shortened something, by name, each with its namespace.
    pub fn used(&self) -> BTreeMap<String, String> {
        self.used.borrow().iter().map(|namespace| (self.names[namespace].clone(), namespace.clone())).collect()
    }
}

/// The namespace of an IRI and the name in it, where both are such as people write.
fn split(iri: &str) -> Option<(&str, &str)> {
    let inside = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    let sector = iri.strip_prefix(knhk::SECTORS).and_then(|rest| rest.find(':')).map(|at| knhk::SECTORS.len() + at + 1);
    let at = sector.or_else(|| iri.rfind(['#', '/', ':']).map(|at| at + 1))?;
    let (namespace, local) = iri.split_at(at);
    let begins = local.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_');
    let plain = local.chars().all(|c| inside(c) || sector.is_some() && c == '/');
    let whole = begins && plain && !local.ends_with(['.', '/']) && namespace.len() > namespace.find(':')? + 1;
    whole.then_some((namespace, local))
}

/// A name for a namespace: the last word of it that XML, too, lets people use.
fn name(namespace: &str) -> String {
    let words = namespace.trim_end_matches(['#', '/', ':']).rsplit(['#', '/', ':']);
    let plain = words.map(|word| word.split('.').next().unwrap_or_default()).find(|word| {
        word.starts_with(|c: char| c.is_ascii_alphabetic())
            && word.len() <= 24
            && word.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
            && !word.ends_with('-')
            && !word.get(..3).is_some_and(|begin| begin.eq_ignore_ascii_case("xml"))
    });
    plain.map_or_else(|| "ns".to_owned(), str::to_ascii_lowercase)
}
