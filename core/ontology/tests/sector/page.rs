//! The tables of the manual's pages about sectors, made from the shipped ontologies.

use std::fmt::Write;

use knhk_ontology::graph::Term;
use knhk_ontology::vocabulary::{knhk, rdf, rdfs};

use super::{Knowledge, SHACL};

/// A table and the name that it stands below: between `<!-- name -->` and `<!-- end -->`.
type Table = (&'static str, fn(&Knowledge) -> String);
const TABLES: [Table; 6] = [
    ("terms", terms),
    ("classes", classes),
    ("parameters", parameters),
    ("observations", observations),
    ("levels", levels),
    ("shapes", shapes),
];

/// The page with its tables made anew.
pub fn refreshed(page: &str, knowledge: &Knowledge) -> String {
    let mut text = page.to_owned();
    for (name, table) in TABLES {
        let opening = format!("<!-- {name} -->\n");
        let Some((before, rest)) = text.split_once(&opening) else { continue };
        let (_, after) = rest.split_once("<!-- end -->").unwrap_or_else(|| panic!("the table of {name} has no end"));
        text = format!("{before}{opening}{}<!-- end -->{after}", table(knowledge));
    }
    text
}

/// The vocabulary: classes and properties with their meaning.
fn terms(k: &Knowledge) -> String {
    let mut table = String::from("| term | of | takes | meaning |\n|---|---|---|---|\n");
    for term in [k.own_of_type(rdfs::CLASS), k.own_of_type(rdf::PROPERTY)].concat() {
        let of = names(k, &k.all(term, rdfs::DOMAIN));
        let takes = names(k, &k.all(term, rdfs::RANGE));
        row(&mut table, &[format!("`{}`", k.short(term)), of, takes, said(k, term, rdfs::COMMENT)]);
    }
    table
}

fn classes(k: &Knowledge) -> String {
    let mut table = String::from("| class | is a | meaning |\n|---|---|---|\n");
    for class in k.own_of_type(rdfs::CLASS) {
        let parents = names(k, &k.all(class, rdfs::SUB_CLASS_OF));
        row(&mut table, &[format!("`{}`", k.short(class)), parents, said(k, class, rdfs::COMMENT)]);
    }
    table
}

fn parameters(k: &Knowledge) -> String {
    let mut table = String::from("| parameter | value | range | at first | what it is for |\n|---|---|---|---|---|\n");
    for parameter in k.parameters() {
        let text = |predicate: &str| k.one(parameter, predicate).map(|value| shown(k, value));
        let unit = k.one(parameter, knhk::UNIT).map_or_else(String::new, |unit| format!(" {}", k.text(unit)));
        let range = match (text(knhk::MIN), text(knhk::MAX), text(knhk::ENUM)) {
            (Some(min), Some(max), _) => format!("{min} … {max}"),
            (_, _, Some(allowed)) => allowed,
            _ => String::new(),
        };
        let mandatory = !k.all(parameter, rdf::TYPE).is_empty();
        let name = format!("`{}`", k.short(parameter));
        let mut doc = said(k, parameter, knhk::DOC);
        for (predicate, words) in [("lessThan", "Less than"), ("lessThanOrEquals", "At most")] {
            for other in k.all(parameter, &core(predicate)) {
                write!(doc, " {words} `{}`.", k.short(other)).expect("a string takes what is written");
            }
        }
        row(
            &mut table,
            &[
                if mandatory { format!("**{name}**") } else { name },
                text(knhk::VALUE).map_or_else(String::new, |value| value + &unit),
                range,
                text(knhk::DEFAULT).unwrap_or_default(),
                doc,
            ],
        );
    }
    table
}

fn observations(k: &Knowledge) -> String {
    let mut table = String::from("| observation | value | about | meaning |\n|---|---|---|---|\n");
    for kind in k.own_of_type(&core("ObservationKind")) {
        let unit = k.one(kind, knhk::UNIT).map_or_else(String::new, |unit| format!(", {}", k.text(unit)));
        let value = said(k, kind, &core("valueType")) + &unit;
        let about = names(k, &k.all(kind, &core("concerns")));
        row(&mut table, &[format!("`{}`", k.short(kind)), value, about, said(k, kind, rdfs::COMMENT)]);
    }
    table
}

fn levels(k: &Knowledge) -> String {
    let mut table = String::from("| level | what is held | missing data | meaning |\n|---|---|---|---|\n");
    for level in k.own_of_type(&core("Slo")) {
        let bounds: Vec<String> = [("atMost", "at most"), ("atLeast", "at least")]
            .iter()
            .flat_map(|(predicate, words)| k.all(level, &core(predicate)).into_iter().map(move |bound| (words, bound)))
            .map(|(words, bound)| format!("{words} `{}`", k.short(bound)))
            .collect();
        let held = format!(
            "{} of {} over {} s: {}",
            said(k, level, &core("aggregate")),
            names(k, &k.all(level, &core("indicator"))),
            said(k, level, &core("window")),
            bounds.join(", "),
        );
        let missing = said(k, level, &core("onMissingData"));
        row(&mut table, &[format!("`{}`", k.short(level)), held, missing, said(k, level, rdfs::COMMENT)]);
    }
    table
}

/// A name of the core.
fn core(name: &str) -> String {
    format!("{}{name}", knhk::CORE)
}

fn shapes(k: &Knowledge) -> String {
    let mut table = String::from("| shape | holds for | what it asks for |\n|---|---|---|\n");
    let properties = k.property_shapes();
    for shape in k.own_of_type(&format!("{SHACL}NodeShape")) {
        let comment = said(k, shape, rdfs::COMMENT);
        if comment.is_empty() {
            continue; // A part of another, as of an alternative.
        }
        let name = k.short(shape);
        row(&mut table, &[format!("`{name}`"), targets(k, shape), comment]);
        for &property in properties.iter().filter(|&&property| k.short(property).starts_with(&format!("{name}-"))) {
            let message = said(k, property, &format!("{SHACL}message"));
            row(&mut table, &[format!("`{}`", k.short(property)), String::new(), message]);
        }
    }
    table
}

fn targets(k: &Knowledge, shape: Term) -> String {
    let kinds = [
        ("targetClass", "each "),
        ("targetNode", ""),
        ("targetSubjectsOf", "what has "),
        ("targetObjectsOf", "what is named by "),
    ];
    let targets: Vec<String> = kinds
        .iter()
        .flat_map(|(predicate, words)| {
            let mut nodes = k.all(shape, &format!("{SHACL}{predicate}"));
            nodes.sort_by_key(|&node| k.text(node));
            nodes.into_iter().map(move |node| format!("{words}`{}`", k.short(node)))
        })
        .collect();
    if targets.is_empty() { "other shapes".to_owned() } else { targets.join(", ") }
}

/// A value as people read it: a list with commas, an empty one as none.
fn shown(k: &Knowledge, value: Term) -> String {
    let text = k.text(value);
    if k.datatype(value) != Some(rdf::JSON) {
        return text;
    }
    let elements = text.trim_start_matches('[').trim_end_matches(']').replace('"', "").replace(',', ", ");
    if elements.is_empty() { "none".to_owned() } else { elements }
}

fn said(k: &Knowledge, subject: Term, predicate: &str) -> String {
    k.one(subject, predicate).map_or_else(String::new, |text| k.text(text))
}

fn names(k: &Knowledge, terms: &[Term]) -> String {
    let mut names: Vec<String> = terms.iter().map(|&term| format!("`{}`", k.short(term))).collect();
    names.sort();
    names.join(", ")
}

fn row(table: &mut String, cells: &[String]) {
    let cells: Vec<String> = cells.iter().map(|cell| cell.replace('|', "\\|")).collect();
    writeln!(table, "| {} |", cells.join(" | ")).expect("a string takes what is written");
}
