//! Knowledge beyond plain JSON, through the engine.

use knhk_engine::{Engine, Error, Format, Options, Origin, Proof, ReaderOptions, SectorKind, Status};

const ONTOLOGY: &str = r#"
    @prefix : <urn:knhk:orders:> . @prefix k: <urn:knhk:core:> . @prefix sh: <http://www.w3.org/ns/shacl#> .
    @prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> . @prefix ex: <http://example.com/> .
    :max_qty k:value 1000 ; k:min 1 ; k:max 5000 ; k:unit "lots" .
    <limits/ratio> k:value 1.5 ; rdfs:comment "a share"@en .
    :venues k:value ( "XPAR" "XLON" ) .
    ex:Order a rdfs:Class . ex:Limit a rdfs:Class ; rdfs:subClassOf ex:Order .
    ex:qty a <http://www.w3.org/1999/02/22-rdf-syntax-ns#Property> ; rdfs:domain ex:Limit .
    ex:OrderShape a sh:NodeShape ; sh:targetClass ex:Order ; sh:property [ sh:path ex:qty ; sh:minCount 1 ; sh:maxInclusive 5000 ] .
    ex:o1 a ex:Limit ; ex:qty 7 .
"#;

fn engine() -> Engine {
    let engine = Engine::open(":memory:", Options::default()).expect("an engine in memory");
    engine.create_sector("orders", SectorKind::Direct).expect("the name is new");
    engine
}

fn promoted() -> Engine {
    let engine = engine();
    rdf(&engine, ONTOLOGY).expect("the ontology is sound");
    engine
}

fn rdf(engine: &Engine, text: &str) -> Result<knhk_engine::VersionInfo, Error> {
    engine.promote_rdf("orders", text.as_bytes(), Format::Turtle, Origin::default())
}

fn delta(engine: &Engine, removed: &str, added: &str) -> Result<knhk_engine::VersionInfo, Error> {
    engine.promote_delta("orders", removed.as_bytes(), added.as_bytes(), Format::Turtle, Origin::default())
}

fn max_qty(engine: &Engine) -> i64 {
    let key = engine.key::<i64>("orders", "max_qty").expect("it was promoted");
    let reader = engine.register_reader(ReaderOptions::default()).expect("a reader");
    key.get(&reader.view(), -1)
}

#[test]
fn an_ontology_is_read_like_any_other_values() {
    let engine = promoted();
    assert_eq!(max_qty(&engine), 1000);
    let keys: Vec<String> = engine.keys("orders").expect("it is there").into_iter().map(|key| key.name).collect();
    for name in
        ["limits/ratio", "venues", "$classes/http:%2F%2Fexample.com%2FLimit", "$domains/http:%2F%2Fexample.com%2Fqty"]
    {
        assert!(keys.iter().any(|key| key == name), "{name} in {keys:?}");
    }
    let (was, is) = ("<max_qty> <urn:knhk:core:value> 1000 .", "<max_qty> <urn:knhk:core:value> 2000 .");
    let made = delta(&engine, was, is).expect("a change of one value");
    assert_eq!((made.version, max_qty(&engine)), (2, 2000));
    assert_eq!(made.differences()[0].to_string(), "max_qty 1000 → 2000");
    let lines = engine.statement_diff("orders", 1, 2).expect("both are retained");
    assert_eq!((lines.removed.len(), lines.added.len()), (1, 1));
    assert!(lines.to_string().starts_with("- <urn:knhk:orders:max_qty> <urn:knhk:core:value> \"1000\""), "{lines}");
}

#[test]
fn what_is_exported_imports_to_the_same() {
    let engine = promoted();
    let before = engine.history("orders").expect("it is there")[0].snapshot_id;
    for format in [Format::Turtle, Format::NTriples, Format::NQuads, Format::JsonLd, Format::RdfXml] {
        let text = engine.export("orders", None, format).expect("the format can say it");
        let made = engine.promote_rdf("orders", text.as_bytes(), format, Origin::default());
        assert_eq!(made.expect("an export imports").snapshot_id, before, "{format}\n{text}");
    }
    assert!(engine.is_beyond_json("orders", None).expect("it is there"));
    let json = engine.export("orders", None, Format::Json).expect("parameters are JSON");
    assert!(json.contains("\"venues\": [\"XPAR\", \"XLON\"]") && !json.contains("example.com"), "{json}");
    let made = engine.promote_json("orders", &json, Origin::default()).expect("an export imports");
    assert_eq!(made.snapshot_id, before, "what JSON does not say stays, and what it says is there");
}

#[test]
fn a_document_keeps_what_it_cannot_say() {
    let engine = promoted();
    engine.promote_json("orders", r#"{"max_qty": 3}"#, Origin::default()).expect("a document");
    assert_eq!(max_qty(&engine), 3);
    let text = engine.export("orders", None, Format::NTriples).expect("it is there");
    assert!(text.contains("http://example.com/OrderShape") && text.contains("http://example.com/o1"));
    assert!(!text.contains("venues") && !text.contains("XPAR"), "nor its list's cells: {text}");
}

#[test]
fn what_breaks_a_shape_is_refused_with_the_report() {
    let engine = promoted();
    assert!(engine.validate("orders").expect("it is there").conforms());
    let bad = "<http://example.com/o2> a <http://example.com/Order> ; <http://example.com/qty> 9000 .";
    let report = engine.validate_delta("orders", b"", bad.as_bytes(), Format::Turtle).expect("it can be told");
    assert!(!report.conforms() && report.len() == 1);
    let before = engine.version();
    let refused = delta(&engine, "", bad).expect_err("it breaks a shape");
    assert_eq!((refused.status(), refused.report().map(|report| report.len())), (Status::Nonconforming, Some(1)));
    assert!(refused.message().contains("9000"), "{refused}");
    assert_eq!(engine.version(), before);
    let whole = engine.validate_rdf("orders", format!("{ONTOLOGY}{bad}").as_bytes(), Format::Turtle);
    assert!(!whole.expect("it can be told").conforms());
    let sparql =
        "<http://example.com/s> a <http://www.w3.org/ns/shacl#NodeShape> ; <http://www.w3.org/ns/shacl#sparql> [] .";
    assert_eq!(delta(&engine, "", sparql).expect_err("it fails closed").status(), Status::Document);
}

#[test]
fn a_value_that_a_shape_forbids_is_refused_from_json_too() {
    let engine = engine();
    let shape = r#"
        @prefix sh: <http://www.w3.org/ns/shacl#> . @prefix k: <urn:knhk:core:> .
        <max_qty> k:value 10 . <min_qty> k:value 1 .
        <Limit> a sh:NodeShape ; sh:targetNode <max_qty> ; sh:property [ sh:path k:value ; sh:maxExclusive 100 ] ."#;
    rdf(&engine, shape).expect("it conforms");
    for (value, fits) in [(20, true), (30, true), (200, false), (99, true), (100, false)] {
        let made =
            engine.promote_json("orders", &format!(r#"{{"max_qty": {value}, "min_qty": 1}}"#), Origin::default());
        assert_eq!(made.is_ok(), fits, "{value}");
    }
    assert_eq!(max_qty(&engine), 99);
}

#[test]
fn borders_are_kept() {
    let engine = promoted();
    let refused = |text| delta(&engine, "", text).expect_err("it is not the sector's").status();
    assert_eq!(refused("<urn:knhk:core:value> <http://example.com/p> 1 ."), Status::Conflict);
    assert_eq!(refused("<urn:knhk:other:x> <urn:knhk:core:value> 1 ."), Status::Conflict);
    let core = "<urn:knhk:core:value> <http://www.w3.org/1999/02/22-rdf-syntax-ns#type> <http://www.w3.org/1999/02/22-rdf-syntax-ns#Property> .";
    let refused = delta(&engine, core, "").expect_err("the core says so");
    assert!(refused.status() == Status::Conflict && refused.message().contains("core:value"), "{refused}");
    let proof = engine.prove("orders", core).expect("the core's statements are the sector's too").to_bytes();
    let id = engine.history("orders").expect("it is there")[0].snapshot_id;
    Proof::check(&id, &proof, core).expect("the proof shows it");
    assert_eq!(rdf(&engine, "<http://example.com/a> <b").expect_err("no Turtle").status(), Status::Document);
    assert_eq!(rdf(&engine, "<x> <urn:knhk:core:value> 5 ; <urn:knhk:core:max> 4 .").expect_err("5 > 4").item(), "x");
    let message =
        rdf(&engine, "<a> <urn:knhk:core:value> 5 . <a/b> <urn:knhk:core:value> 6 .").expect_err("a map").to_string();
    assert!(message.contains("rename"), "{message}");
    assert_eq!(max_qty(&engine), 1000);
}

#[test]
fn a_statement_is_proven_to_whoever_knows_the_address() {
    let engine = promoted();
    let id = engine.history("orders").expect("it is there")[0].snapshot_id;
    let said = "<urn:knhk:orders:max_qty> <urn:knhk:core:value> \"1000\"^^<http://www.w3.org/2001/XMLSchema#integer> .";
    let other = said.replace("1000", "1001");
    let proof = engine.prove("orders", said).expect("it is said").to_bytes();
    Proof::check(&id, &proof, said).expect("the proof shows it");
    let unproven = |id: &[u8; 32], proof: &[u8], statement: &str| {
        assert_eq!(Proof::check(id, proof, statement).expect_err("it does not").status(), Status::Unproven);
    };
    unproven(&id, &proof, &other);
    unproven(&[7; 32], &proof, said);
    for at in 0..proof.len() {
        let mut damaged = proof.clone();
        damaged[at] ^= 1;
        unproven(&id, &damaged, said);
    }
    unproven(&id, &proof[..proof.len() - 1], said);
    assert_eq!(engine.prove("orders", &other).expect_err("it is not said").status(), Status::NotFound);
    assert_eq!(engine.prove("orders", "no statement").expect_err("it is none").status(), Status::Document);
    assert_eq!(engine.prove("orders", "").expect_err("it is none").status(), Status::Document);
}

#[test]
fn identifiers_that_sectors_define_differently_are_found() {
    let engine = promoted();
    engine.create_sector("other", SectorKind::Direct).expect("the name is new");
    assert_eq!(engine.conflicts().expect("they can be told"), []);
    let same = "@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> . <http://example.com/Order> a rdfs:Class .";
    let promote = |text: &str| engine.promote_rdf("other", text.as_bytes(), Format::Turtle, Origin::default());
    promote(same).expect("the same is no conflict");
    assert_eq!(engine.conflicts().expect("they can be told"), []);
    promote(&format!("{same} <http://example.com/Limit> a rdfs:Class ; rdfs:subClassOf <http://example.com/Thing> ."))
        .expect("sound");
    let found = engine.conflicts().expect("they can be told");
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].identifier, "http://example.com/Limit");
    assert!(found[0].to_string().contains("only other states"), "{}", found[0]);
}

#[test]
fn what_is_shipped_can_be_begun_with() {
    let engine = Engine::open(":memory:", Options::default()).expect("an engine in memory");
    for name in ["finance", "healthcare", "logistics", "manufacturing"] {
        engine.create_sector_from(name, SectorKind::Direct).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(engine.keys(name).expect("it is there").len() >= 30);
        let json = engine.export_json(name, None).expect("it is there");
        let before = engine.history(name).expect("it is there")[0].snapshot_id;
        let made = engine.promote_json(name, &json, Origin::default()).expect("an export imports");
        assert_eq!(made.snapshot_id, before, "{name}");
    }
    assert_eq!(engine.create_sector_from("alchemy", SectorKind::Direct).expect_err("no").status(), Status::NotFound);
    assert_eq!(
        engine.create_sector_from("finance", SectorKind::Direct).expect_err("no").status(),
        Status::AlreadyExists
    );
    assert_eq!(engine.create_sector("core", SectorKind::Direct).expect_err("no").status(), Status::InvalidArgument);
}
