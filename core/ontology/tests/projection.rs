//! Documents become artifacts; names keep their slots.

use knhk_hot::artifact::{Artifact, Bounds, Value};
use knhk_ontology::{
    Core, Document, KeyTable, KeyTableError, Limits, Snapshot, ValueType, accept, check_compatible, compile,
    compile_snapshot, diff,
};

fn parse(json: &str) -> Document {
    Document::parse(json, &Limits::default()).unwrap_or_else(|error| panic!("{json}: {error}"))
}

fn snapshot(json: &str) -> Snapshot {
    let empty = Snapshot::empty("orders", &Core::shipped(), &Limits::default());
    after(&empty, json)
}

fn after(before: &Snapshot, json: &str) -> Snapshot {
    let change = before.change_to(&parse(json)).unwrap_or_else(|error| panic!("{json}: {error}"));
    before.apply(&change).unwrap_or_else(|error| panic!("{json}: {error}"))
}

fn compiled(json: &str, table: &mut KeyTable) -> Artifact {
    compile(&parse(json), table, false).unwrap_or_else(|error| panic!("{json}: {error}"))
}

#[test]
fn a_document_is_compiled_value_by_value() {
    let mut table = KeyTable::new();
    let json = r#"{"m": {"i": {"$value": 5, "$max": 9}, "f": 1.5, "s": "x", "y": [{"$bytes": "AQ=="}]},
                   "$classes": {"A": [], "B": ["A"]}}"#;
    let artifact = compiled(json, &mut table);
    for leaf in parse(json).entries() {
        let slot = artifact.find(&leaf.path).unwrap_or_else(|| panic!("{} is found", leaf.path));
        assert_eq!(table.get(&leaf.path), Some(slot));
        assert_eq!(artifact.value(slot), Some(leaf.value));
    }
    let slot = table.get("m/i").expect("it was compiled");
    assert_eq!(artifact.bounds(slot), Some(Bounds::I64(i64::MIN, 9)));
    assert_eq!(artifact.key_table(), table.id());
    let snapshot = snapshot(json);
    let whole = compile_snapshot(&snapshot, &mut KeyTable::new(), None).expect("it compiles").artifact;
    assert_eq!(whole.snapshot_id(), snapshot.id());
    assert_eq!(whole.entries().count(), artifact.entries().count());
}

#[test]
fn a_name_keeps_its_slot_whatever_becomes_of_the_value() {
    let mut table = KeyTable::new();
    compiled(r#"{"a": 1, "b": {"c": 2}}"#, &mut table);
    let (a, c) = (table.get("a").expect("a"), table.get("b/c").expect("b/c"));
    let id = table.id();
    let without = compiled(r#"{"b": {"c": 1.5}}"#, &mut table);
    assert_eq!((without.value(a), without.find("a")), (None, None));
    assert_eq!(without.value(c), Some(Value::F64(1.5)));
    assert_eq!(table.value_type(c), Some(ValueType::F64));
    assert_eq!(table.id(), id, "no name was added");
    let more = compiled(r#"{"z": 1, "a": 3}"#, &mut table);
    assert_eq!(more.value(a), Some(Value::I64(3)));
    assert_eq!(table.get("z"), Some(3));
    assert_ne!(table.id(), id);
}

#[test]
fn before_the_first_promotion_only_defaults_are_there() {
    let mut table = KeyTable::new();
    let document = parse(r#"{"m": {"a": {"$value": 1, "$default": 2, "$min": 0}, "b": 3}}"#);
    let artifact = compile(&document, &mut table, true).expect("it compiles");
    let slot = |path| table.get(path).expect("every name has a slot");
    assert_eq!(artifact.value(slot("m/a")), Some(Value::I64(2)));
    assert_eq!(artifact.bounds(slot("m/a")), Some(Bounds::I64(0, i64::MAX)));
    assert_eq!(artifact.value(slot("m/b")), None);
    assert_eq!(artifact.find("m/a"), Some(slot("m/a")));
}

#[test]
fn a_failed_compilation_leaves_the_table_alone() {
    let mut table = KeyTable::with_capacity(2);
    compiled(r#"{"a": 1}"#, &mut table);
    let (id, lines) = (table.id(), table.line_count());
    assert!(compile(&parse(r#"{"a": "x", "b": {"c": 1}}"#), &mut table, false).is_err());
    assert_eq!((table.id(), table.line_count(), table.len()), (id, lines, 1));
    assert_eq!((table.get("b"), table.value_type(0)), (None, Some(ValueType::I64)));
    assert_eq!(table.intern("b/c", ValueType::I64), Err(KeyTableError::Full { capacity: 2 }));
    assert_eq!(table.len(), 1);
}

#[test]
fn a_table_is_what_its_lines_say() {
    let mut table = KeyTable::new();
    compiled(r#"{"a": {"b \"quoted\"": 1}}"#, &mut table);
    let first: Vec<String> = table.lines_from(0).collect();
    let seen = table.line_count();
    let slot = table.intern("x/y/z", ValueType::Bool).expect("there is room");
    assert_eq!(table.path(slot).as_deref(), Some("x/y/z"));
    table.mark_interned(slot, ValueType::Bool);
    table.mark_interned(slot, ValueType::Bool);
    let mut replayed = KeyTable::new();
    let lines: Vec<String> = first.into_iter().chain(table.lines_from(seen)).collect();
    assert_eq!(lines.len(), 6);
    replayed.replay(lines.iter().map(String::as_str)).expect("the lines continue an empty table");
    assert_eq!((replayed.id(), replayed.len()), (table.id(), table.len()));
    assert_eq!(replayed.held(slot), Some(ValueType::Bool));
    for damaged in ["", "{}", r#"{"slot":9,"parent":null,"name":"q","type":"i64"}"#, r#"{"held":99,"type":"i64"}"#] {
        assert!(replayed.replay([damaged]).is_err(), "{damaged}");
    }
    assert!(replayed.replay([lines[0].as_str()]).is_err(), "a slot is given out once");
}

#[test]
fn held_keys_are_promises() {
    let mut table = KeyTable::new();
    compiled(r#"{"a": 1, "b": 2, "c": 3}"#, &mut table);
    for path in ["a", "b"] {
        table.mark_interned(table.get(path).expect("it is there"), ValueType::I64);
    }
    assert!(check_compatible(&compiled(r#"{"b": 1, "a": 5}"#, &mut table), &table).is_empty());
    let breaking = compiled(r#"{"b": 1.5}"#, &mut table);
    let broken = check_compatible(&breaking, &table);
    let spoken: Vec<_> = broken.iter().map(|one| (one.path.as_str(), one.was, one.is)).collect();
    assert_eq!(spoken, [("a", ValueType::I64, None), ("b", ValueType::I64, Some(ValueType::F64))]);
    assert!(broken[1].to_string().contains("would become f64"));
    accept(&broken, &mut table);
    assert!(check_compatible(&breaking, &table).is_empty());
}

#[test]
fn the_content_address_is_of_what_is_said_not_of_the_order() {
    let id = |json| snapshot(json).id();
    assert_eq!(id(r#"{"a": 1, "b": {"c": 2, "d": 3}}"#), id(r#"{"b": {"d": 3, "c": {"$value": 2}}, "a": 1}"#));
    assert_eq!(
        id(r#"{"$classes": {"A": ["B", "C"], "B": [], "C": []}}"#),
        id(r#"{"$classes": {"C": [], "B": [], "A": ["C", "B"]}}"#)
    );
    let all = [
        r#"{}"#,
        r#"{"a": 1}"#,
        r#"{"a": 1.0}"#,
        r#"{"a": "1"}"#,
        r#"{"a": [1]}"#,
        r#"{"a": {}}"#,
        r#"{"b": 1}"#,
        r#"{"a": 2}"#,
        r#"{"a": {"b": 1}}"#,
        r#"{"a": {}, "b": 1}"#,
        r#"{"a": {"$value": 1, "$min": 0}}"#,
        r#"{"a": {"$value": 1, "$max": 1}}"#,
        r#"{"a": {"$value": 1, "$unit": "x"}}"#,
        r#"{"a": {"$value": 1, "$doc": "x"}}"#,
        r#"{"a": {"$default": 1}}"#,
        r#"{"a": {"$value": 1, "$default": 1}}"#,
        r#"{"a": {"$bytes": "MQ=="}}"#,
        r#"{"a": true}"#,
        r#"{"a": -0.0}"#,
        r#"{"a": 0.0}"#,
        r#"{"a": {"$value": [], "$type": "list<i64>"}}"#,
        r#"{"a": {"$value": [], "$type": "list<f64>"}}"#,
    ];
    for (at, one) in all.iter().enumerate() {
        for other in &all[at + 1..] {
            assert_ne!(id(one), id(other), "{one} {other}");
        }
    }
}

#[test]
fn differences_read_as_people_speak() {
    let old = parse(
        r#"{"max_qty": {"$value": 1200, "$unit": "lots"}, "venues": ["XLON"], "x": 1, "m": {"a": 1}, "t": 1, "$classes": {"A": [], "B": []}}"#,
    );
    let new = parse(
        r#"{"$classes": {"B": ["A"], "A": []}, "venues": ["XLON", "XPAR"], "max_qty": {"$value": 1000, "$unit": "lots"}, "m": {"a": 1}, "y": {"z": "two words"}, "t": 1.0}"#,
    );
    let spoken: Vec<String> = diff(&old, &new).iter().map(ToString::to_string).collect();
    assert_eq!(
        spoken,
        [
            "$classes/B class → class under A",
            "venues + XPAR",
            "max_qty 1200 → 1000",
            "y/z = \"two words\" (new)",
            "t 1 → 1.0",
            "x removed, was 1",
        ]
    );
    assert!(diff(&new, &new).is_empty());
}

#[test]
fn classes_that_are_each_others_ancestors_are_no_document() {
    use knhk_hot::artifact::Builder;
    let mut builder = Builder::new(4);
    builder.set(0, Value::Map).name(None, "$classes", 0);
    for class in 0..3 {
        builder.set(class + 1, Value::Class { number: class, ancestors: vec![0, 1, 2] });
        builder.name(Some(0), &format!("C{class}"), class + 1);
    }
    let artifact = builder.finish().expect("an image may say so");
    let error = Document::from_artifact(&artifact, &Limits::default()).expect_err("a document may not");
    assert!(error.to_string().contains("its own ancestor"), "{error}");
}

#[test]
fn inherited_ancestors_are_found_and_only_parents_exported() {
    let json = r#"{"$classes": {"D": ["C", "B"], "C": ["A"], "B": ["A"], "A": []}}"#;
    let artifact = compiled(json, &mut KeyTable::new());
    let slot = artifact.find("$classes/D").expect("it is a key");
    assert_eq!(artifact.value(slot), Some(Value::Class { number: 0, ancestors: vec![0, 1, 2, 3] }));
    let read = Document::from_artifact(&artifact, &Limits::default()).expect("it has a document");
    assert_eq!(read, parse(json));
}

#[test]
fn an_index_is_taken_over_only_where_the_names_are_the_same() {
    let mut table = KeyTable::new();
    let first = snapshot(r#"{"a": {"x": 1, "y": "one"}, "b": [1, 2], "c": true}"#);
    let before = compile_snapshot(&first, &mut table, None).expect("it compiles").artifact;
    for json in [
        r#"{"a": {"x": 2, "y": "another"}, "b": [3], "c": false}"#,
        r#"{"c": false, "b": "text now", "a": {"y": 5.5, "x": {"$value": 7, "$max": 9}}}"#,
        r#"{"a": {"x": 2}, "b": [3], "c": false}"#,
        r#"{"a": 2, "b": [3], "c": false}"#,
        r#"{"a": {"x": 2, "y": "one", "z": 1}, "b": [3], "c": false}"#,
        "{}",
    ] {
        let next = after(&first, json);
        assert_eq!(next.id(), snapshot(json).id(), "however it came to say so");
        let after = compile_snapshot(&next, &mut table, Some(&before)).expect("it compiles").artifact;
        let anew = compile_snapshot(&next, &mut table, None).expect("it compiles").artifact;
        let sorted = |artifact: &Artifact| {
            let mut entries: Vec<String> = artifact.entries().map(|entry| format!("{entry:?}")).collect();
            entries.sort();
            entries
        };
        assert_eq!(sorted(&after), sorted(&anew), "{json}");
        // The whole verifier, index included, agrees with what was taken over.
        Artifact::from_image(after.image(), &Default::default()).expect("an image like any other");
    }
}
