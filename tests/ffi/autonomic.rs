//! The table of the closed loop that C, Python and Node share, through the C API; and the C++ classes.

use std::fs;
use std::process::Command;

use serde_json::{Value, json};

use crate::governance::{literal, optional};
use crate::support::{self, LANGUAGES, Link, compile, succeeded};

/// The first version of a row's sector, as a proposal.
fn first(table: &Value, row: &Value) -> String {
    let declares: Vec<&str> = row["declares"].as_array().unwrap().iter().map(|one| one.as_str().unwrap()).collect();
    let text = format!("{}{}", table["ontology"].as_str().unwrap(), declares.join("\n"));
    let content = json!({ "document": { "text": text, "format": "turtle" } });
    json!({ "changes": [{ "sector": "gateway", "content": content }], "by": "ops-1", "why": "the first" }).to_string()
}

/// The settings of a row: no thread takes a turn beside those of the test.
fn settings(row: &Value) -> String {
    let mut settings = json!({ "every_ms": 0 });
    for (name, value) in row["settings"].as_object().into_iter().flatten() {
        settings[name] = value.clone();
    }
    settings.to_string()
}

#[test]
fn each_row_of_the_table() {
    let table = fs::read_to_string(support::root().join("tests/loop/table.json")).unwrap();
    let table: Value = serde_json::from_str(&table).unwrap();
    let rows = table["rows"].as_array().unwrap();
    assert!(rows.len() > 10);
    let mut header =
        format!("static const uint64_t BEGIN_NS = {}u;\nstatic const row_t ROWS[] = {{\n", table["begin_ns"]);
    for row in rows {
        let traffic: Vec<String> = (row["traffic"].as_array().unwrap().iter())
            .map(|phase| format!("{{{}, {}, {}, {}}}", phase[0], phase[1], phase[2], phase[3]))
            .collect();
        let cycle = &row["cycle"];
        let state = if cycle["state"].is_null() { json!("closed") } else { cycle["state"].clone() };
        let number = |value: &Value| value.as_f64().unwrap_or(0.0).to_string();
        let fields = [
            literal(row["name"].as_str().unwrap()),
            literal(&first(&table, row)),
            literal(&settings(row)),
            format!("{{{}}}", traffic.join(", ")),
            (!row["plan"].is_null()).to_string(),
            number(&row["plan"]["value"]),
            optional(&row["plan"]["throws"]),
            (!row["detector"].is_null()).to_string(),
            number(&row["detector"]["above"]),
            optional(&row["detector"]["throws"]),
            (!cycle.is_null()).to_string(),
            optional(&state),
            optional(&cycle["outcome"]),
            optional(&cycle["proposer"]),
            optional(&cycle["watch"]),
            optional(&cycle["says"]),
            number(&row["value"]),
            number(&row["failed"]),
        ];
        header += &format!("    {{{}}},\n", fields.join(", "));
    }
    header += "};\n";
    let folder = support::scratch("loop");
    fs::write(folder.join("loop_table.h"), header).unwrap();
    let include = format!("-I{}", folder.display());
    for language in LANGUAGES {
        succeeded(&mut Command::new(compile(&["loop.c"], language, Link::Inline, &[&include])));
    }
}

#[test]
fn loop_raii() {
    succeeded(&mut Command::new(compile(&["loop.cpp"], "c++17", Link::Inline, &[])));
}
