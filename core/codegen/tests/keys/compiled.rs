//! Compiled as a program would: the right one passes, the misspelt and the retyped do not, for what is wrong with them.

use std::fs;

use knhk_codegen::{Language, generate};

use crate::world::{EVERYTHING, Program, repository, snapshot};

const FLAGS: [&str; 4] = ["-fsyntax-only", "-Wall", "-Wextra", "-Werror"];

/// Compiles the right program with every snapshot's keys, and the wrong ones, which differ from it by one replacement.
fn check(language: Language, file: &str, right: &str, compiler: &[&str], wrong: &[(&str, &str, &str)]) {
    let program = Program::with(&snapshot("orders", EVERYTHING), language);
    assert_eq!(program.refused(file, right, compiler), None, "the right one compiles");
    for (from, to, said) in wrong {
        assert!(right.contains(from), "{from}");
        let refused = program.refused(file, &right.replace(from, to), compiler);
        assert!(refused.as_ref().is_some_and(|refused| refused.contains(said)), "{to}: {refused:?}");
    }
    // The same program does not compile with the keys of a sector in which its keys were retyped.
    let retyped = EVERYTHING.replace("\"$value\": 1000, \"$min\": 1, \"$max\": 5000", "\"$value\": 0.5");
    let program = Program::with(&snapshot("orders", &retyped), language);
    let refused = program.refused(file, right, compiler);
    assert!(
        refused.as_ref().is_some_and(|refused| refused.contains("max_qty") || refused.contains("qty")),
        "{refused:?}"
    );
}

#[test]
fn c() {
    let right = r#"
#include "orders_keys.h"
#include "orders_keys.h"
int64_t qty(knhk_engine_t *engine, knhk_view_t view);
int64_t qty(knhk_engine_t *engine, knhk_view_t view)
{
    orders_keys_t keys;
    if (orders_keys_intern(engine, &keys, NULL) != KNHK_OK || !knhk_typed_get_bool(view, keys.open, false))
        return 0;
    if (!knhk_typed_is_a(view, keys.classes_lit, keys.classes_tradable) || !knhk_typed_guard_i64(view, keys.max_qty, 3))
        return knhk_typed_lookup_i64(view, keys.tenants, "acme", 4, 0);
    return knhk_typed_get_i64(view, keys.max_qty, 0) + (int64_t)knhk_typed_get_list_i64(view, keys.steps).len;
}
"#;
    let include = format!("-I{}", repository("include").display());
    let wrong = [
        ("keys.max_qty, 3", "keys.max_qyt, 3", "max_qyt"),
        ("keys.open, false", "keys.max_qty, false", "knhk_typed_bool_t"),
        ("knhk_typed_get_i64(view, keys.max_qty", "knhk_typed_get_i64(view, keys.collar", "knhk_typed_i64_t"),
    ];
    for standard in ["-std=c11", "-std=gnu17"] {
        let compiler = [&["gcc", standard, include.as_str()], &FLAGS[..]].concat();
        check(Language::C, "program.c", right, &compiler, &wrong);
    }
    // From C++, too.
    let program = Program::with(&snapshot("orders", EVERYTHING), Language::C);
    let compiler = [&["g++", "-std=c++17", include.as_str()], &FLAGS[..]].concat();
    assert_eq!(program.refused("program.cpp", right, &compiler), None);
}

#[test]
fn cpp() {
    let right = r#"
#include "orders_keys.hpp"
std::int64_t qty(knhk::engine &engine, knhk::snapshot view)
{
    const orders_keys::keys keys(engine);
    const knhk::key<std::int64_t> qty = keys.max_qty;
    return view.get(keys.open, false) && view.get(keys.name, std::string_view()).empty() ? view.get(qty, 0) : 0;
}
"#;
    let include = format!("-I{}", repository("include").display());
    let compiler = [&["g++", "-std=c++17", include.as_str()], &FLAGS[..]].concat();
    let wrong = [("keys.max_qty", "keys.max_qyt", "max_qyt"), ("= keys.max_qty", "= keys.collar", "conversion")];
    check(Language::Cpp, "program.cpp", right, &compiler, &wrong);
}

#[test]
fn typescript() {
    let node = repository("bindings/node");
    let tsc = node.join("node_modules/.bin/tsc");
    if !tsc.exists() {
        eprintln!("skipped: bindings/node has no node_modules, and so no tsc");
        return;
    }
    let right = r#"
import { openSync } from 'knhk';
import { ordersKeys } from './orders_keys.js';
const engine = openSync(':memory:');
const keys = ordersKeys(engine);
const qty: number = keys.max_qty.value;
const same: import('knhk').Key<'i64'> = keys.max_qty;
const tenant = keys.tenants.lookup('acme');
const lit: boolean = keys.classes_lit.isA(keys.classes_tradable);
export const all = [qty, same, tenant, lit, keys.name.value.length];
"#;
    let config = format!(
        r#"{{"compilerOptions": {{"target": "ES2022", "lib": ["ES2023", "ESNext.Disposable"], "module": "node20", "moduleResolution": "node16",
            "typeRoots": ["{types}"], "types": ["node"], "strict": true, "noEmit": true, "noUnusedLocals": false, "skipLibCheck": true,
            "paths": {{"knhk": ["{knhk}"]}}}}, "files": ["program.ts"]}}"#,
        types = node.join("node_modules/@types").display(),
        knhk = node.join("lib/index.ts").display(),
    );
    let write = |program: &Program, source: &str| {
        fs::write(program.at("program.ts"), source).unwrap();
        fs::write(program.at("package.json"), r#"{"type": "module"}"#).unwrap();
        program.refused("tsconfig.json", &config, &[tsc.to_str().unwrap(), "-p"])
    };
    let program = Program::with(&snapshot("orders", EVERYTHING), Language::TypeScript);
    assert_eq!(write(&program, right), None);
    for (from, to, said) in [
        ("keys.max_qty.value", "keys.max_qyt.value", "max_qyt"),
        ("= keys.max_qty;", "= keys.name;", "not assignable"),
        ("keys.name.value.length", "keys.max_qty.value.length", "length"),
    ] {
        let refused = write(&program, &right.replace(from, to));
        assert!(refused.as_ref().is_some_and(|refused| refused.contains(said)), "{to}: {refused:?}");
    }
    let retyped = EVERYTHING.replace("\"$value\": 1000, \"$min\": 1, \"$max\": 5000", "\"$value\": \"many\"");
    let refused = write(&Program::with(&snapshot("orders", &retyped), Language::TypeScript), right);
    assert!(refused.as_ref().is_some_and(|refused| refused.contains("not assignable")), "{refused:?}");
}

#[test]
fn python() {
    let python = std::env::var("PYTHON").unwrap_or_else(|_| "python3".into());
    let program = Program::with(&snapshot("orders", EVERYTHING), Language::Python);
    // Run beside a module that stands in the place of the package, which is built apart: the names, the types and the paths are what counts.
    fs::write(program.at("knhk.py"), "class Key:\n    pass\nclass Engine:\n    pass\nclass Map:\n    pass\n").unwrap();
    let source = r#"
from orders_keys import OrdersKeys
class Sector:
    def key(self, name, type):
        return (name, type)
class Engine:
    def sector(self, name):
        assert name == "orders"
        return Sector()
keys = OrdersKeys(Engine())
assert keys.max_qty == ("max_qty", "i64"), keys.max_qty
assert keys.classes_lit == ("$classes/lit", "class")
assert keys.tenants_birch_eu == ("tenants/birch-eu", "i64")
assert OrdersKeys.__annotations__["max_qty"] == "knhk.Key[int]"
"#;
    assert_eq!(program.refused("program.py", source, &[&python]), None);
    let refused = program.refused("program.py", &source.replace("keys.max_qty ==", "keys.max_qyt =="), &[&python]);
    assert!(refused.is_some_and(|refused| refused.contains("AttributeError")), "a misspelt one is an error");
    let refused = program.refused("program.py", &format!("{source}\nkeys.max_qyt = 1\n"), &[&python]);
    assert!(refused.is_some_and(|refused| refused.contains("AttributeError")), "also where it is set");
}

/// The shipped sectors, which users begin with, all in one program.
#[test]
fn every_shipped_sector_compiles() {
    let include = format!("-I{}", repository("include").display());
    for (language, file, compiler) in
        [(Language::C, "program.c", ["gcc", "-std=c11"]), (Language::Cpp, "program.cpp", ["g++", "-std=c++17"])]
    {
        let program = Program::with(&snapshot("orders", EVERYTHING), language);
        let mut source = String::new();
        for shipped in knhk_ontology::sectors::shipped() {
            let name = language.file_name(shipped.name);
            fs::write(program.at(&name), generate(&snapshot_of(shipped), language, &[]).unwrap()).unwrap();
            source += &format!("#include \"{name}\"\n");
        }
        let compiler = [&compiler[..], &[include.as_str()], &FLAGS[..]].concat();
        assert_eq!(program.refused(file, &source, &compiler), None);
    }
}

fn snapshot_of(shipped: &knhk_ontology::sectors::Shipped) -> knhk_ontology::Snapshot {
    use knhk_ontology::graph::Delta;
    use knhk_ontology::rdf::{self, Format};
    use knhk_ontology::{Core, Limits, Snapshot, canon};
    let nothing = Snapshot::empty(shipped.name, &Core::shipped(), &Limits::default());
    let (terms, prefix) = (nothing.graph().terms(), nothing.namespace().prefix());
    let triples = rdf::parse(shipped.ontology.as_bytes(), Format::Turtle, prefix, terms, &Limits::default()).unwrap();
    let triples = canon::label(triples, terms, &Limits::default()).unwrap();
    nothing.apply(&Delta::new(nothing.graph(), vec![], triples)).unwrap()
}
