//! Published ontologies of others are promoted, compiled, read and exported: GS1 (trade items), IOF Core (manufacturing), Brick with a real
//! building. They lie beside the repository; where they do not, the tests say so.

use std::fs;
use std::path::Path;

use knhk_engine::{Engine, Format, Options, Origin, ReaderOptions, SectorKind, Severity, Status, ValueType};

fn text(file: &str) -> Option<Vec<u8>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/ontologies").join(file);
    match fs::read(path) {
        Ok(text) => Some(text),
        Err(_) if std::env::var_os("KNHK_REQUIRE_DATA").is_none() => {
            println!("skipped: ../shared/data/ontologies/{file} is not there");
            None
        }
        Err(error) => panic!("{file}: {error}"),
    }
}

/// A foreign class's key.
fn key(iri: &str) -> String {
    format!("$classes/{}", iri.replace('%', "%25").replace('/', "%2F"))
}

/// Promotes an ontology, asks whether each class descends from the other, and imports each export to the same knowledge.
fn journey(file: &str, format: Format, pairs: &[(&str, &str, bool)]) -> Option<Engine> {
    let whole = text(file)?;
    let engine = Engine::open(":memory:", Options::default()).unwrap();
    engine.create_sector("published", SectorKind::Direct).unwrap();
    let promoted = engine.promote_rdf("published", &whole, format, Origin::default()).unwrap();

    let reader = engine.register_reader(ReaderOptions::default()).unwrap();
    for &(class, ancestor, descends) in pairs {
        let class = engine.intern("published", &key(class), ValueType::Class).unwrap();
        let ancestor = engine.intern("published", &key(ancestor), ValueType::Class).unwrap();
        let view = reader.view();
        assert_eq!(view.is_a(class, ancestor), descends, "{pairs:?}");
    }

    for format in [Format::Turtle, Format::NTriples, Format::JsonLd] {
        let exported = engine.export("published", None, format).unwrap();
        let again = engine.promote_rdf("published", exported.as_bytes(), format, Origin::default()).unwrap();
        assert_eq!(again.snapshot_id, promoted.snapshot_id, "{file} as {format}");
    }
    // What the core only warns of, GS1's doubled labels for instance, does not keep anything out.
    assert_ne!(engine.validate("published").unwrap().worst(), Some(Severity::Violation));
    Some(engine)
}

#[test]
fn gs1() {
    let class = |name: &str| format!("https://ref.gs1.org/voc/{name}");
    let (food, product) = (class("FoodBeverageTobaccoProduct"), class("Product"));
    journey("gs1Voc.ttl", Format::Turtle, &[(&food, &product, true), (&product, &food, false)]);
}

#[test]
fn iof_core() {
    journey("iof-core.rdf", Format::RdfXml, &[]);
}

#[test]
fn a_building() {
    journey("brick-soda-hall.ttl", Format::Turtle, &[]);
}

/// Brick's shapes count on inferences (inverse properties and the like) that the building's file leaves to its reader, so Brick finds fault with
/// it: the building is refused beside those shapes, and the report says why.
#[test]
fn brick_and_what_it_says_of_the_building() {
    let class = |name: &str| format!("https://brickschema.org/schema/Brick#{name}");
    let (ahu, equipment) = (class("AHU"), class("Equipment"));
    let pairs: [(&str, &str, bool); 2] = [(&ahu, &equipment, true), (&equipment, &ahu, false)];
    let Some(engine) = journey("brick-1.2.ttl", Format::Turtle, &pairs) else { return };
    let Some(building) = text("brick-soda-hall.ttl") else { return };
    let report = engine.validate_delta("published", b"", &building, Format::Turtle).unwrap();
    assert!(report.results().any(|result| result.component().ends_with("#ClassConstraintComponent")), "{report}");
    let refused = engine.promote_delta("published", b"", &building, Format::Turtle, Origin::default()).unwrap_err();
    assert_eq!((refused.status(), refused.report().map(|why| why.len())), (Status::Nonconforming, Some(report.len())));
}
