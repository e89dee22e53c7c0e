//! Ontologies, shapes and statements: what goes beyond plain JSON.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::scratch::Scratch;

const PREFIXES: &str = "@prefix knhk: <urn:knhk:core:> .\n@prefix own: <urn:knhk:orders:> .\n\
    @prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .\n@prefix sh: <http://www.w3.org/ns/shacl#> .\n\
    @prefix xsd: <http://www.w3.org/2001/XMLSchema#> .\n";

const VENUES: &str = r#"
own:Venue a rdfs:Class .
own:max_qty knhk:value 1000 ; knhk:min 1 ; knhk:max 5000 .
own:xpar a own:Venue ; own:mic "XPAR" .
own:VenueShape a sh:NodeShape ; sh:targetClass own:Venue ;
    sh:property [ sh:path own:mic ; sh:minCount 1 ; sh:pattern "^[A-Z]{4}$" ; sh:message "a venue has a MIC of four letters" ] .
"#;

fn venues(name: &str) -> Scratch {
    let scratch = Scratch::new(name);
    scratch.says(&["init"]);
    scratch.write("venues.ttl", &format!("{PREFIXES}{VENUES}"));
    scratch.says(&["import", "venues.ttl", "--sector", "orders"]);
    scratch
}

fn id(scratch: &Scratch, sector: &str) -> Value {
    scratch.json(&["get", &format!("{sector}/max_qty")])["sector"]["current"]["snapshot_id"].clone()
}

fn shipped(sector: &str, folder: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../core/ontology/sectors").join(sector).join(folder)
}

#[test]
fn every_format_exports_what_imports_to_the_same() {
    let scratch = venues("formats");
    for (format, extension) in
        [("turtle", "ttl"), ("ntriples", "nt"), ("nquads", "nq"), ("jsonld", "jsonld"), ("rdfxml", "rdf")]
    {
        let file = format!("out.{extension}");
        let exported = scratch.says(&["export", "orders", "--format", format]);
        scratch.says(&["export", "orders", "--output", &file]);
        assert_eq!(fs::read_to_string(scratch.0.join(&file)).unwrap(), exported, "{format}: the name tells the format");
        let other = format!("--dir={extension}");
        scratch.says(&["init", &other]);
        scratch.says(&["import", &file, "--sector", "orders", &other]);
        let copy = scratch.json(&["show", &other])["sectors"][0]["current"]["snapshot_id"].clone();
        assert_eq!(copy, id(&scratch, "orders"), "{format}");
    }
    let done = scratch.run(&["export", "orders"]);
    let note = String::from_utf8(done.stderr).unwrap();
    assert!(done.status.success() && note.contains("--format turtle"), "{note}");
    let document: Value = serde_json::from_slice(&done.stdout).unwrap();
    assert_eq!(document["max_qty"]["$max"], 5000);
    scratch.write("limits.txt", "");
    assert!(scratch.fails(&["import", "limits.txt", "--sector", "x"], 2).contains("--format"));
}

#[test]
fn shapes_are_kept_by_files_values_and_statements() {
    let scratch = venues("shapes");
    scratch.write("more.ttl", &format!("{PREFIXES}own:xlon a own:Venue ; own:mic \"lower\" ."));
    let before = id(&scratch, "orders");
    let said = scratch.says_not(&["promote", "orders", "--add", "more.ttl"]);
    assert!(said.contains("a venue has a MIC of four letters") && said.contains("xlon"), "{said}");
    let answer = scratch.command(&["promote", "orders", "--add", "more.ttl", "--json"]).output().unwrap();
    let answer: Value = serde_json::from_slice(&answer.stdout).unwrap();
    let finding = &answer["error"]["data"]["findings"][0];
    assert_eq!((&finding["severity"], &finding["path"]), (&json!("violation"), &json!("urn:knhk:orders:mic")));
    assert_eq!(finding["component"], "http://www.w3.org/ns/shacl#PatternConstraintComponent");

    let report = scratch.command(&["validate", "--sector", "orders", "--add", "more.ttl", "--json"]).output().unwrap();
    assert_eq!(report.status.code(), Some(1));
    let report: Value = serde_json::from_slice(&report.stdout).unwrap();
    assert_eq!((&report["conforms"], &report["findings"][0]["focus"]), (&json!(false), &finding["focus"]));
    assert_eq!(id(&scratch, "orders"), before);

    scratch.write("wrong.ttl", &format!("{PREFIXES}{VENUES}own:xlon a own:Venue ."));
    let report = scratch.run(&["validate", "wrong.ttl", "--sector", "orders"]);
    assert_eq!(report.status.code(), Some(1));
    let said = String::from_utf8(report.stdout).unwrap();
    assert!(said.starts_with("wrong.ttl does not conform\n") && said.contains("xlon"), "{said}");
    scratch.write("orders.ttl", &format!("{PREFIXES}{VENUES}"));
    assert_eq!(scratch.says(&["validate", "orders.ttl", "--dir", "nowhere"]), "orders.ttl conforms\n");
}

#[test]
fn statements_come_and_go() {
    let scratch = venues("statements");
    scratch.write("add.ttl", &format!("{PREFIXES}own:xlon a own:Venue ; own:mic \"XLON\" ."));
    scratch.write("remove.ttl", &format!("{PREFIXES}own:xpar own:mic \"XPAR\" ; a own:Venue ."));
    let changed = scratch.json(&["promote", "orders", "--add", "add.ttl", "--remove", "remove.ttl"]);
    assert_eq!(changed["version"]["version"], 2);
    let answer = scratch.json(&["diff", "orders", "--statements"]);
    let added = answer["statements"]["added"].as_array().unwrap();
    assert_eq!((added.len(), answer["statements"]["removed"].as_array().unwrap().len()), (2, 2));
    assert!(added.contains(&json!("<urn:knhk:orders:xlon> <urn:knhk:orders:mic> \"XLON\" .")), "{answer}");
    let said = scratch.says(&["diff", "orders", "--statements"]);
    assert!(said.contains("\n- <urn:knhk:orders:xpar>") && said.contains("\n+ <urn:knhk:orders:xlon>"), "{said}");
    scratch.write("add.nt", "");
    assert!(
        scratch.fails(&["promote", "orders", "--add", "add.nt", "--remove", "remove.ttl"], 2).contains("two formats")
    );

    scratch.fails(&["promote", "orders", "max_qty=1", "--add", "add.ttl"], 2);

    // A value is one statement, whatever wrote it.
    scratch.says(&["promote", "orders", "max_qty=1400"]);
    let answer = scratch.json(&["diff", "orders", "--statements"])["statements"].clone();
    let value = |n: u32| {
        json!([format!(
            "<urn:knhk:orders:max_qty> <urn:knhk:core:value> \"{n}\"^^<http://www.w3.org/2001/XMLSchema#integer> ."
        )])
    };
    assert_eq!((&answer["removed"], &answer["added"]), (&value(1000), &value(1400)));
    assert!(scratch.says(&["export", "orders", "--format", "turtle"]).contains("VenueShape"), "the rest stays");
}

#[test]
fn a_value_keeps_its_form() {
    let scratch = Scratch::new("form");
    scratch.says(&["init"]);
    let values = "own:fee knhk:value 0.25 . own:ratio knhk:value \"0.5\"^^xsd:float . own:count knhk:value \"5\"^^xsd:int .\n\
        own:venues knhk:value ( \"XPAR\" \"XLON\" ) . own:later knhk:default 7 .";
    scratch.write("orders.ttl", &format!("{PREFIXES}{values}"));
    scratch.says(&["import", "orders.ttl", "--sector", "orders"]);
    let set = ["promote", "orders", "fee=0.3", "ratio=0.75", "count=6", "venues=[\"XOFF\"]", "later=8"];
    scratch.says(&set);
    let lines = scratch.says(&["export", "orders", "--format", "ntriples"]);
    for line in [
        "fee> <urn:knhk:core:value> \"0.3\"^^<http://www.w3.org/2001/XMLSchema#decimal>",
        "ratio> <urn:knhk:core:value> \"0.75\"^^<http://www.w3.org/2001/XMLSchema#float>",
        "count> <urn:knhk:core:value> \"6\"^^<http://www.w3.org/2001/XMLSchema#int>",
        "venues> <urn:knhk:core:value> \"[\\\"XOFF\\\"]\"^^<http://www.w3.org/1999/02/22-rdf-syntax-ns#JSON>",
        "later> <urn:knhk:core:value> \"8\"^^<http://www.w3.org/2001/XMLSchema#integer>",
    ] {
        assert!(lines.contains(line), "{line} in {lines}");
    }
    assert_eq!(lines.lines().count(), 6, "nothing of the old list is left: {lines}");
    assert_eq!(scratch.says(&["get", "--raw", "orders/venues"]), "[\"XOFF\"]\n");
}

#[test]
fn a_shipped_sector_is_complete_from_the_first_minute() {
    let scratch = Scratch::new("shipped");
    for sector in ["finance", "healthcare", "logistics", "manufacturing"] {
        let said = scratch.says(&["init", "--sector", sector]);
        assert!(said.contains(&format!("sector {sector} made")), "{said}");
        let shown = scratch.json(&["show", sector]);
        assert!(shown["parameters"].as_array().unwrap().len() > 20, "{sector}");
        // Two of each: the engine's own tests take all.
        let broken = fs::read_dir(shipped(sector, "invalid")).unwrap().map(|entry| entry.unwrap().path());
        for path in broken.take(2) {
            let refused = scratch.run(&["promote", sector, "--add", path.to_str().unwrap()]);
            let said = String::from_utf8(refused.stderr).unwrap();
            assert_eq!(refused.status.code(), Some(1), "{}: {said}", path.display());
            let text = fs::read_to_string(&path).unwrap();
            let shape = text.strip_prefix("# Breaks ").unwrap().split(": ").next().unwrap();
            let name = shape.rsplit([':', '/']).next().unwrap();
            assert!(said.contains(name), "{} breaks {name}: {said}", path.display());
        }
    }
    assert!(scratch.says(&["get", "finance/control/cancel_timeout"]).starts_with("500 ms   (50 … 10000)"));
    let said = scratch.says(&["validate"]);
    assert_eq!(said.lines().count(), 4, "{said}");
    assert!(said.lines().all(|line| line.ends_with(" conforms")), "{said}");
    assert_eq!(scratch.json(&["validate"])["conforms"], true);
    assert_eq!(scratch.json(&["validate", "--sector", "finance"])["sectors"][0]["sector"], "finance");
}

#[test]
fn the_core_and_other_sectors_are_not_touched() {
    let scratch = venues("core");
    scratch.write("core.ttl", "<urn:knhk:core:Map> a <urn:knhk:core:Own> .");
    assert!(scratch.fails(&["promote", "orders", "--add", "core.ttl"], 1).contains("urn:knhk:core:Map"));
    scratch.write("other.ttl", "<urn:knhk:routes:max_qty> <urn:knhk:core:value> 1 .");
    assert!(scratch.fails(&["promote", "orders", "--add", "other.ttl"], 1).contains("urn:knhk:routes:max_qty"));
    scratch.fails(&["init", "--sector", "core"], 2);
}

#[test]
fn names_that_two_sectors_define_differently_are_found() {
    let scratch = Scratch::new("conflicts");
    scratch.says(&["init"]);
    let venue = "<https://example.org/Venue> a <http://www.w3.org/2000/01/rdf-schema#Class> ; \
        <http://www.w3.org/2000/01/rdf-schema#subClassOf> <https://example.org/";
    scratch.write(
        "orders.ttl",
        &format!("{venue}Place> . <https://example.org/Place> a <http://www.w3.org/2000/01/rdf-schema#Class> ."),
    );
    scratch.write(
        "routes.ttl",
        &format!("{venue}Hub> . <https://example.org/Hub> a <http://www.w3.org/2000/01/rdf-schema#Class> ."),
    );
    scratch.says(&["import", "orders.ttl", "--sector", "orders"]);
    assert_eq!(scratch.says(&["validate"]), "orders conforms\n");
    scratch.says(&["import", "routes.ttl", "--sector", "routes"]);
    let found = scratch.run(&["validate"]);
    assert_eq!(found.status.code(), Some(1));
    let said = String::from_utf8(found.stdout).unwrap();
    assert!(said.contains("conflict: ") && said.contains("https://example.org/Venue"), "{said}");
    let answer: Value = serde_json::from_slice(&scratch.run(&["validate", "--json"]).stdout).unwrap();
    assert_eq!(answer["conflicts"][0]["identifier"], "https://example.org/Venue");
}

#[test]
fn a_live_engine_takes_all_of_it() {
    let scratch = Scratch::new("live-rdf");
    let mut live = scratch.live("open");
    scratch.write("venues.ttl", &format!("{PREFIXES}{VENUES}"));
    scratch.says(&["promote", "orders", "venues.ttl"]);
    assert!(live.hear("changed ").starts_with("orders 1: "));
    scratch.write("more.ttl", &format!("{PREFIXES}own:xlon a own:Venue ; own:mic \"lower\" ."));
    let said = scratch.says_not(&["promote", "orders", "--add", "more.ttl"]);
    assert!(said.contains("a venue has a MIC of four letters"), "{said}");
    scratch.says(&["init", "--sector", "finance"]);
    assert!(live.hear("changed ").starts_with("finance 1: "));
    scratch.says(&["validate"]);
    live.end();
}
