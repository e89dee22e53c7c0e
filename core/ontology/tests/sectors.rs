//! The shipped sectors are whole: they conform, their examples conform, each invalid example breaks the shape that it names and no other,
//! every parameter says what it is, and the manual's tables are theirs.

mod sector;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use knhk_ontology::Limits;
use knhk_ontology::graph::{Delta, Graph, Term, Triple};
use knhk_ontology::merkle::Map;
use knhk_ontology::rdf::{Format, parse_delta, parse_graph, write};
use knhk_ontology::sectors::{Shipped, shipped};
use knhk_ontology::shacl::{Report, Shapes};
use knhk_ontology::vocabulary::{knhk, rdf, rdfs, xsd};

use sector::page::refreshed;
use sector::{Knowledge, LABEL, SHACL, folder, turtle_files};

fn ontology(sector: &Shipped) -> Knowledge {
    Knowledge::of(sector.name, &[sector.ontology])
}

fn validate(knowledge: &Knowledge) -> Report {
    compiled(knowledge).validate(&knowledge.graph)
}

fn compiled(knowledge: &Knowledge) -> Shapes {
    Shapes::compile(&knowledge.graph).unwrap_or_else(|error| panic!("{}: {error}", knowledge.sector))
}

fn assert_conforms(knowledge: &Knowledge) {
    let report = validate(knowledge);
    assert!(report.conforms(), "{}: {report}", knowledge.sector);
}

#[test]
fn the_core_and_each_sector_conform() {
    assert_conforms(&Knowledge::core());
    for sector in shipped() {
        assert_conforms(&ontology(sector));
    }
}

#[test]
fn each_file_has_the_prefixes_that_it_needs() {
    let sectors = shipped().iter().map(|sector| sector.name).chain(["core"]);
    for path in sectors.flat_map(|sector| turtle_files(&folder(sector))) {
        let text = fs::read_to_string(&path).expect("the file can be read");
        assert!(!Knowledge::of("finance", &[&text]).graph.is_empty(), "{}", path.display());
        assert!(text.lines().count() < 400, "{} is too long", path.display());
    }
}

#[test]
fn each_example_conforms() {
    for sector in shipped() {
        let with = Knowledge::of(sector.name, &[sector.ontology, sector.example]);
        assert_conforms(&with);
        assert!(with.graph.own_len() > ontology(sector).graph.own_len(), "{}: the example says something", sector.name);
    }
}

#[test]
fn each_invalid_example_breaks_exactly_the_shape_that_it_names() {
    for sector in shipped() {
        let k = ontology(sector);
        let shapes = compiled(&k);
        let files = turtle_files(&folder(sector.name).join("invalid"));
        assert!(files.len() >= 6, "{}: {} invalid examples", sector.name, files.len());
        for path in files {
            let text = fs::read_to_string(&path).expect("the file can be read");
            let said = text.strip_prefix("# Breaks ").and_then(|rest| rest.split_once(": "));
            let (named, _) = said.unwrap_or_else(|| panic!("{}: says first which shape it breaks", path.display()));
            let limits = Limits::default();
            let change = parse_delta(b"", text.as_bytes(), Format::Turtle, &k.namespace(), &k.graph, &limits)
                .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            let report = shapes.validate(&k.graph.apply(&change));
            let broken: BTreeSet<String> =
                report.results().map(|result| result.shape().replace(knhk::CORE, "knhk:")).collect();
            let named = named.replace(&format!("{}:", sector.name), &k.namespace());
            assert_eq!(broken, BTreeSet::from([named]), "{}: {report}", path.display());
        }
    }
}

/// The property shapes that are looked at directly, not only as a part of another shape's constraint.
fn direct_property_shapes(k: &Knowledge) -> BTreeSet<Term> {
    let targets = ["targetClass", "targetNode", "targetSubjectsOf", "targetObjectsOf"];
    let shapes = k.own_of_type(&format!("{SHACL}NodeShape")).into_iter();
    let targeted =
        shapes.filter(|&shape| targets.iter().any(|target| !k.all(shape, &format!("{SHACL}{target}")).is_empty()));
    targeted.flat_map(|shape| k.all(shape, &format!("{SHACL}property"))).filter(|term| term.is_iri()).collect()
}

/// The changes of one statement that a slip could make: it is forgotten, replaced, or there is a second one.
fn slips(k: &Knowledge, triple: Triple) -> Vec<Delta> {
    let terms = k.graph.terms();
    let number = |text| terms.literal(text, xsd::INTEGER);
    let mut slips = vec![Delta::new(&k.graph, vec![triple], vec![])];
    for object in [terms.literal("¤", xsd::STRING), number("-999999999"), number("999999999999"), terms.iri(knhk::MAP)]
    {
        let other = Triple { object, ..triple };
        slips.push(Delta::new(&k.graph, vec![triple], vec![other]));
        slips.push(Delta::new(&k.graph, vec![], vec![other]));
    }
    let list = terms.blank("list");
    let cell = |predicate, object| Triple { subject: list, predicate: terms.iri(predicate), object };
    let of_nothing_known = [
        Triple { object: list, ..triple },
        cell(rdf::FIRST, terms.literal("¤", xsd::STRING)),
        cell(rdf::REST, terms.iri(rdf::NIL)),
    ];
    slips.push(Delta::new(&k.graph, vec![triple], of_nothing_known.to_vec()));
    slips
}

/// So that no shape is there for show: for each there is a slip of one statement that it finds.
#[test]
fn each_property_shape_finds_a_slip() {
    for sector in shipped() {
        let k = Knowledge::of(sector.name, &[sector.ontology, sector.example]);
        let shapes = compiled(&k);
        let prior = shapes.validate(&k.graph);
        let mut idle = direct_property_shapes(&k);
        assert!(idle.len() > 20, "{}", sector.name);
        let own: Vec<Triple> = k.own().collect();
        for &triple in own.iter().rev() {
            if idle.is_empty() {
                break;
            }
            if shapes.touched_by(&Delta::new(&k.graph, vec![triple], vec![])) {
                continue; // Of a shape: this is about what shapes look at.
            }
            for slip in slips(&k, triple).into_iter().filter(|slip| !shapes.touched_by(slip)) {
                let report = shapes.validate_delta(&k.graph, &k.graph.apply(&slip), &slip, &prior);
                for result in report.results() {
                    idle.remove(&result.shape_term());
                }
            }
        }
        let idle: Vec<String> = idle.into_iter().map(|shape| k.text(shape)).collect();
        assert!(idle.is_empty(), "{}: no slip breaks {idle:?}", sector.name);
    }
}

#[test]
fn every_parameter_says_what_it_is() {
    for sector in shipped() {
        let k = ontology(sector);
        let parameters = k.parameters();
        assert!((30..=60).contains(&parameters.len()), "{}: {} parameters", sector.name, parameters.len());
        for parameter in parameters {
            let name = k.text(parameter);
            let one = |predicate| k.one(parameter, predicate).unwrap_or_else(|| panic!("{name} has no {predicate}"));
            assert!(k.text(one(knhk::DOC)).ends_with('.'), "{name}: documentation is a sentence");
            let (value, default) = (one(knhk::VALUE), one(knhk::DEFAULT));
            let datatype = k.datatype(value).unwrap_or_else(|| panic!("{name} is a literal")).to_owned();
            assert_eq!(k.datatype(default), Some(&*datatype), "{name}: value and default are of one type");
            match &*datatype {
                xsd::BOOLEAN => {}
                xsd::STRING | rdf::JSON => within_enum(&k, parameter, &[value, default]),
                _ => {
                    one(knhk::UNIT);
                    let bounds = [one(knhk::MIN), one(knhk::MAX)];
                    for term in bounds {
                        assert_eq!(k.datatype(term), Some(&*datatype), "{name}: bounds are of the value's type");
                    }
                    let [min, max] = bounds.map(|term| number(&k, term));
                    for term in [value, default] {
                        assert!((min..=max).contains(&number(&k, term)), "{name}: {} is in its range", k.text(term));
                    }
                }
            }
        }
    }
}

fn number(k: &Knowledge, term: Term) -> f64 {
    k.text(term).parse().unwrap_or_else(|_| panic!("{} is a number", k.text(term)))
}

/// A text has an enumeration; a list of texts has one or is free.
fn within_enum(k: &Knowledge, parameter: Term, values: &[Term]) {
    let list = |term| -> Vec<String> { serde_json::from_str(&k.text(term)).expect("a list of texts") };
    let Some(allowed) = k.one(parameter, knhk::ENUM).map(list) else {
        assert!(values.iter().all(|&value| k.datatype(value) == Some(rdf::JSON)), "{}", k.text(parameter));
        return;
    };
    for &value in values {
        let elements = if k.datatype(value) == Some(rdf::JSON) { list(value) } else { vec![k.text(value)] };
        assert!(elements.iter().all(|element| allowed.contains(element)), "{}: {elements:?}", k.text(parameter));
    }
}

/// The safe values keep the order that the usual ones keep, in the same unit.
#[test]
fn defaults_keep_the_declared_order() {
    let mut count = 0;
    for sector in shipped() {
        let k = ontology(sector);
        for parameter in k.parameters() {
            for (relation, strict) in [("lessThan", true), ("lessThanOrEquals", false)] {
                for other in k.all(parameter, &format!("{}{relation}", knhk::CORE)) {
                    let of = |term| number(&k, k.one(term, knhk::DEFAULT).expect("every parameter has a default"));
                    let (less, more) = (of(parameter), of(other));
                    assert!(less < more || !strict && less == more, "{}: {less}, {more}", k.text(parameter));
                    assert_eq!(k.one(parameter, knhk::UNIT), k.one(other, knhk::UNIT), "{}", k.text(parameter));
                    count += 1;
                }
            }
        }
    }
    assert!(count > 0);
}

#[test]
fn every_class_and_property_is_described() {
    for sector in shipped() {
        let k = ontology(sector);
        let (classes, properties) = (k.own_of_type(rdfs::CLASS), k.own_of_type(rdf::PROPERTY));
        assert!((15..=40).contains(&classes.len()), "{}: {} classes", sector.name, classes.len());
        for &term in classes.iter().chain(&properties) {
            assert!(k.one(term, LABEL).is_some() && k.one(term, rdfs::COMMENT).is_some(), "{}", k.text(term));
        }
        for &property in &properties {
            assert!(k.one(property, rdfs::DOMAIN).is_some(), "{} has a domain", k.text(property));
            assert!(k.one(property, rdfs::RANGE).is_some(), "{} has a range", k.text(property));
        }
    }
}

/// So that nothing shipped is a conflict between sectors, and no misspelt name goes unnoticed.
#[test]
fn each_sector_speaks_of_its_own_names_only_and_defines_those_it_uses() {
    let mut definer = BTreeMap::new();
    for sector in shipped() {
        let k = Knowledge::of(sector.name, &[sector.ontology, sector.example]);
        let subjects: BTreeSet<Term> = k.graph.iter().map(|triple| triple.subject).collect();
        for triple in k.own() {
            let subject = k.text(triple.subject);
            if triple.subject.is_iri() {
                assert!(subject.starts_with(&k.namespace()), "{}: {subject}", sector.name);
                assert_eq!(*definer.entry(subject.clone()).or_insert(sector.name), sector.name, "{subject}");
            }
            for used in [triple.predicate, triple.object].into_iter().filter(|term| term.is_iri()) {
                let known = !k.text(used).starts_with(knhk::SECTORS) || subjects.contains(&used);
                assert!(known, "{subject} uses {}, which nothing defines", k.text(used));
            }
        }
    }
}

/// The Turtle blocks of a page of the manual.
fn turtle_of(page: &str) -> Vec<String> {
    let path = manual().join(page);
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let blocks = text.split("\n```turtle\n").skip(1);
    blocks.map(|rest| rest.split_once("\n```").expect("a block has an end").0.to_owned()).collect()
}

fn manual() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/sectors")
}

#[test]
fn the_turtle_of_the_manual_conforms() {
    let finance = shipped().iter().find(|sector| sector.name == "finance").expect("it is shipped");
    for (sector, ontology, page) in [("finance", finance.ontology, "README.md"), ("orders", "", "core.md")] {
        let blocks = turtle_of(page);
        assert!(blocks.len() > 1, "{page}");
        for block in blocks {
            let with = Knowledge::of(sector, &[ontology, &block]);
            assert!(with.own().any(|triple| with.text(triple.subject).contains("/")), "{page}: {block}");
            assert_conforms(&with);
        }
    }
}

#[test]
fn each_sector_survives_every_format() {
    for sector in shipped() {
        let k = Knowledge::of(sector.name, &[sector.ontology, sector.example]);
        let address = |graph: &Graph| Map::from_statements(graph.terms(), graph.own()).root();
        for format in [Format::Turtle, Format::NTriples, Format::NQuads, Format::JsonLd, Format::RdfXml] {
            let mut text = Vec::new();
            write(&k.graph, k.own(), format, &mut text).unwrap_or_else(|error| panic!("{}: {error}", sector.name));
            let core = Knowledge::core().graph;
            let again = parse_graph(&text, format, "", core.terms(), &Limits::default(), &core)
                .unwrap_or_else(|error| panic!("{} in {format}: {error}", sector.name));
            assert_eq!(address(&again), address(&k.graph), "{} in {format}", sector.name);
        }
    }
}

/// `KNHK_WRITE_PAGES=1 cargo test -p knhk-ontology --test sectors` makes the tables anew.
#[test]
fn the_tables_of_the_manual_are_fresh() {
    for knowledge in shipped().iter().map(ontology).chain([Knowledge::core()]) {
        let path = manual().join(format!("{}.md", knowledge.sector));
        let page = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let fresh = refreshed(&page, &knowledge);
        if std::env::var_os("KNHK_WRITE_PAGES").is_some() {
            fs::write(&path, &fresh).expect("the page can be written");
        } else {
            assert!(page == fresh, "{} is stale: run this test with KNHK_WRITE_PAGES=1", path.display());
        }
    }
}
