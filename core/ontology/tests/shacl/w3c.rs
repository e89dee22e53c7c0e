//! The W3C's SHACL Core suite: each test's report equals the expected one up to the names of blank nodes.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use knhk_ontology::graph::{Graph, Term, TermRef, Terms};
use knhk_ontology::shacl::Shapes;
use oxrdf::graph::CanonicalizationAlgorithm;

use crate::support::parse;

const MANIFEST: &str = "http://www.w3.org/2001/sw/DataAccess/tests/test-manifest#";
const TEST: &str = "http://www.w3.org/ns/shacl-test#";
const SHACL: &str = "http://www.w3.org/ns/shacl#";
const RDF: &str = "http://www.w3.org/1999/02/22-rdf-syntax-ns#";

/// How many tests the suite has.
const TESTS: usize = 98;

#[test]
fn every_report_of_the_suite_is_equal() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/shacl-core/core/manifest.ttl");
    if !root.exists() {
        let required = std::env::var_os("KNHK_REQUIRE_DATA").is_some();
        assert!(!required, "KNHK_REQUIRE_DATA is set, and ../shared/data/shacl-core is not there");
        println!("skipped: ../shared/data/shacl-core is not there");
        return;
    }
    let mut suite = Suite { terms: Arc::new(Terms::new()), files: HashMap::new() };
    let mut failures = Vec::new();
    let mut tests = 0;
    let mut manifests = vec![root.canonicalize().expect("the manifest is there")];
    while let Some(manifest) = manifests.pop() {
        let graph = suite.load(&manifest);
        let iri = |name: &str| suite.terms.iri(&format!("{MANIFEST}{name}"));
        let (include, entries, action) = (iri("include"), iri("entries"), iri("action"));
        manifests.extend(graph.with_predicate(include).map(|(file, _)| suite.file(file)));
        // The entries of a manifest of files are in files of their own, as are their actions.
        if graph.with_predicate(entries).next().is_none() {
            continue;
        }
        for (action, test) in graph.with_predicate(action).collect::<Vec<_>>() {
            tests += 1;
            if let Err(why) = suite.run(&graph, test, action) {
                failures.push(format!("{}: {why}", suite.text(test)));
            }
        }
    }
    assert!(failures.is_empty(), "{} of {tests} differ:\n{}", failures.len(), failures.join("\n"));
    assert_eq!(tests, TESTS);
}

struct Suite {
    terms: Arc<Terms>,
    files: HashMap<PathBuf, Graph>,
}

impl Suite {
    fn load(&mut self, file: &Path) -> Graph {
        let Suite { terms, files } = self;
        let read = || {
            let turtle = std::fs::read_to_string(file).expect("the suite's files are there");
            parse(terms, &turtle, &format!("file://{}", file.display()))
        };
        files.entry(file.to_owned()).or_insert_with(read).clone()
    }

    fn file(&self, iri: Term) -> PathBuf {
        PathBuf::from(self.text(iri).strip_prefix("file://").expect("the suite's IRIs are files"))
    }

    fn text(&self, term: Term) -> String {
        match self.terms.get(term) {
            TermRef::Iri(text) | TermRef::Blank(text) => text.to_owned(),
            TermRef::Literal { lexical, .. } => lexical.into_owned(),
        }
    }

    fn run(&mut self, manifest: &Graph, test: Term, action: Term) -> Result<(), String> {
        let terms = self.terms.clone();
        let one = |subject, namespace: &str, name: &str| {
            let predicate = terms.iri(&format!("{namespace}{name}"));
            manifest.objects(subject, predicate).next().unwrap_or_else(|| panic!("the test has a {name}"))
        };
        let data = self.load(&self.file(one(action, TEST, "dataGraph")));
        let shapes = self.load(&self.file(one(action, TEST, "shapesGraph")));
        let shapes = Shapes::compile(&shapes).map_err(|error| error.to_string())?;
        let report = shapes.validate(&data);
        let ours = report.to_graph(&terms);
        let expected = canonical(manifest, one(test, MANIFEST, "result"), &shared(&data));
        let (ours_root, _) = ours
            .iter()
            .find(|it| self.text(it.predicate) == format!("{SHACL}conforms"))
            .map(|it| (it.subject, ()))
            .expect("a report says whether it conforms");
        let ours = canonical(&ours, ours_root, &shared(&data));
        if ours == expected { Ok(()) } else { Err(format!("expected\n{expected}\nbut is\n{ours}")) }
    }
}

/// The blank nodes of a graph.
fn shared(data: &Graph) -> HashSet<Term> {
    data.iter().flat_map(|it| [it.subject, it.object]).filter(|term| term.is_blank()).collect()
}

/// What a report says, with its own blank nodes named canonically. Those of the data stand for themselves: the suite's tests with
/// blank nodes in results have data, shapes and report in one file.
fn canonical(graph: &Graph, report: Term, data: &HashSet<Term>) -> String {
    let terms = graph.terms();
    let followed =
        ["result", "resultPath", "inversePath", "alternativePath", "zeroOrMorePath", "oneOrMorePath", "zeroOrOnePath"];
    let mut followed: HashSet<Term> = followed.iter().map(|name| terms.iri(&format!("{SHACL}{name}"))).collect();
    followed.extend(["first", "rest"].map(|name| terms.iri(&format!("{RDF}{name}"))));
    let mut open = vec![report];
    let mut own = HashSet::from([report]);
    let mut triples = Vec::new();
    while let Some(node) = open.pop() {
        for (predicate, object) in graph.about(node) {
            triples.push((node, predicate, object));
            if followed.contains(&predicate) && object.is_blank() && own.insert(object) {
                open.push(object);
            }
        }
    }
    let named = |term: Term| match terms.get(term) {
        TermRef::Iri(iri) => oxrdf::Term::NamedNode(oxrdf::NamedNode::new_unchecked(iri)),
        TermRef::Blank(label) if data.contains(&term) && !own.contains(&term) => {
            oxrdf::Term::NamedNode(oxrdf::NamedNode::new_unchecked(format!("urn:blank:{label}")))
        }
        TermRef::Blank(label) => oxrdf::Term::BlankNode(oxrdf::BlankNode::new_unchecked(label)),
        TermRef::Literal { lexical, language: Some(language), .. } => {
            oxrdf::Literal::new_language_tagged_literal_unchecked(lexical, language).into()
        }
        TermRef::Literal { lexical, datatype, .. } => {
            oxrdf::Literal::new_typed_literal(lexical, oxrdf::NamedNode::new_unchecked(datatype)).into()
        }
    };
    let mut report = oxrdf::Graph::new();
    for (subject, predicate, object) in triples {
        let oxrdf::Term::NamedNode(predicate) = named(predicate) else { panic!("a predicate is an IRI") };
        let subject = match named(subject) {
            oxrdf::Term::NamedNode(iri) => oxrdf::NamedOrBlankNode::from(iri),
            oxrdf::Term::BlankNode(node) => node.into(),
            oxrdf::Term::Literal(_) => panic!("a subject is no literal"),
        };
        report.insert(oxrdf::Triple::new(subject, predicate, named(object)).as_ref());
    }
    report.canonicalize(CanonicalizationAlgorithm::Unstable);
    let mut lines: Vec<String> = report.iter().map(|triple| triple.to_string()).collect();
    lines.sort();
    lines.join("\n")
}
