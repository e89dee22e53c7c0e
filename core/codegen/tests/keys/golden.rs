//! The texts as they are, so that what changes about them is seen, and the Rust one compiled with this test.
//!
//! `KNHK_WRITE_GOLDEN=1 cargo test -p knhk-codegen` writes them anew.

use std::fs;

use knhk_codegen::{CodegenError, Language, generate};
use knhk_engine::{Engine, Options, Origin, ReaderOptions, SectorKind};

use crate::world::{EVERYTHING, repository, snapshot};

#[path = "../golden/orders_keys.rs"]
mod orders_keys;

#[test]
fn the_texts_are_as_they_were() {
    // The core is part of the content address and may change with the library.
    let snapshot = snapshot("orders", EVERYTHING);
    let address: String = snapshot.id().iter().map(|byte| format!("{byte:02x}")).collect();
    for language in Language::ALL {
        let path = repository("core/codegen/tests/golden").join(language.file_name("orders"));
        let text = generate(&snapshot, language, &[]).unwrap();
        assert!(text.contains(&address), "it says which snapshot it is of");
        let text = text.replace(&address, "of-this-library");
        if std::env::var_os("KNHK_WRITE_GOLDEN").is_some() {
            fs::write(&path, &text).unwrap();
        }
        assert_eq!(fs::read_to_string(&path).unwrap_or_default(), text, "{}", path.display());
    }
}

#[test]
fn rust_reads_through_them() {
    let engine = Engine::open(":memory:", Options::default()).unwrap();
    engine.create_sector("orders", SectorKind::Direct).unwrap();
    engine.promote_json("orders", EVERYTHING, Origin::default()).unwrap();
    let keys = orders_keys::OrdersKeys::intern(&engine).unwrap();
    let reader = engine.register_reader(ReaderOptions::default()).unwrap();
    let view = reader.view();
    assert_eq!(
        (keys.max_qty.get(&view, 0), keys.open.get(&view, false), keys.collar.get(&view, 0.0)),
        (1000, true, 0.5)
    );
    assert_eq!((keys.name.get(&view), keys.seal.get(&view)), (Some("desk"), Some(&[0, 255][..])));
    assert_eq!((keys.steps.get(&view), keys.weights.get(&view)), (Some(&[1, 2][..]), Some(&[0.5][..])));
    assert!(keys.venues.get(&view).unwrap().eq(["XLON"]) && keys.flags.get(&view).unwrap().eq([true, false]));
    assert!(keys.tenants.lookup(&view, "acme").is_some() && keys.tenants.lookup(&view, "none").is_none());
    assert!(
        keys.classes_lit.is_a(&view, keys.classes_tradable) && !keys.classes_tradable.is_a(&view, keys.classes_lit)
    );
    assert_eq!(keys.tenants_birch_eu.get(&view, 0), 400);
}

#[test]
fn what_is_named_is_generated_and_nothing_else() {
    let of = |only: &[&str]| generate(&snapshot("orders", EVERYTHING), Language::TypeScript, only);
    let fields = |only: &[&str]| {
        let text = of(only).unwrap();
        text.lines()
            .filter_map(|line| Some(line.trim().strip_prefix("readonly ")?.split_once(':')?.0.to_owned()))
            .collect::<Vec<_>>()
    };
    assert_eq!(fields(&["tenants", "max_qty"]), ["max_qty", "tenants"]);
    assert_eq!(
        fields(&["tenants/*", "$classes/*"]),
        ["classes_lit", "classes_tradable", "tenants_acme", "tenants_birch_eu"]
    );
    let refused = of(&["max_qty", "max_qyt"]).unwrap_err();
    assert_eq!(refused, CodegenError::Unknown { sector: "orders".into(), path: "max_qyt".into() });
}

/// What the admission examples read: their keys are generated, and checked in so that they build by themselves.
#[test]
fn the_examples_have_the_keys_of_their_document() {
    let document = r#"{
        "open": {"$value": true, "$doc": "no order is admitted while this is off"},
        "max_qty": {"$value": 1000, "$min": 1, "$max": 5000, "$unit": "lots"},
        "price": {"$value": 10000, "$unit": "ticks", "$doc": "reference price and its collar"},
        "tenants": {"acme": 600, "birch": 400, "cobalt": 800},
        "$classes": {"tradable": [], "lit": ["tradable"], "dark": ["tradable"],
                     "XPAR": ["lit"], "XLON": ["lit"], "XETR": ["lit"], "XOFF": ["dark"]}
    }"#;
    let snapshot = snapshot("orders", document);
    for (language, path) in [
        (Language::C, "examples/admission/c/orders_keys.h"),
        (Language::Rust, "examples/admission/rust/src/orders_keys.rs"),
        (Language::Python, "examples/admission/python/orders_keys.py"),
    ] {
        let text = generate(&snapshot, language, &["open", "max_qty", "price", "tenants", "$classes/*"]).unwrap();
        if std::env::var_os("KNHK_WRITE_GOLDEN").is_some() {
            fs::write(repository(path), &text).unwrap();
        }
        // Which snapshot it was depends on the core.
        let keys = |text: &str| {
            text.lines().filter(|line| !line.contains("from snapshot")).map(str::to_owned).collect::<Vec<_>>()
        };
        assert_eq!(keys(&fs::read_to_string(repository(path)).unwrap_or_default()), keys(&text), "{path}");
    }
}

#[test]
fn what_changes_is_what_is_said_and_not_the_values() {
    let of = |json: &str| {
        let text = generate(&snapshot("orders", json), Language::C, &[]).unwrap();
        text.lines().filter(|line| !line.contains("generated by KNHK")).map(str::to_owned).collect::<Vec<_>>()
    };
    let before = of(r#"{"a": 1, "c": {"$value": 3, "$max": 9}}"#);
    assert_eq!(of(r#"{"c": {"$max": 9, "$value": 4}, "a": 2}"#), before, "neither order nor values count");
    let after = of(r#"{"a": 1, "b": 2, "c": {"$value": 3, "$max": 9}}"#);
    let new: Vec<_> = after.iter().filter(|line| !before.contains(line)).collect();
    assert_eq!(new.len(), 3, "a comment, a field and its interning: {new:?}");
}
