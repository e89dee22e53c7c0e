//! The table of refusals that C, Python and Node share, through the C API.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use serde_json::{Value, json};

use crate::support::{self, LANGUAGES, Link, compile, succeeded};

/// Text as C writes it.
pub fn literal(text: &str) -> String {
    let escaped: String = text
        .chars()
        .map(|c| match c {
            '"' => "\\\"".into(),
            '\\' => "\\\\".into(),
            '\n' => "\\n".into(),
            '?' => "\\?".into(),
            c => c.to_string(),
        })
        .collect();
    format!("\"{escaped}\"")
}

pub fn optional(value: &Value) -> String {
    value.as_str().map_or("NULL".into(), literal)
}

/// A proposal of a row, as a request.
fn proposal(row: &Value) -> String {
    let mut request = row.clone();
    let fields = request.as_object_mut().expect("a change is an object");
    let content = fields.remove("content").expect("it has a content");
    fields.insert("changes".into(), json!([{ "sector": "orders", "content": content }]));
    fields.entry("by").or_insert_with(|| "bob".into());
    fields.insert("why".into(), "the test".into());
    request.to_string()
}

/// The first version of the sector, with a row's limits over the table's.
fn first(table: &Value, limits: &Value) -> String {
    let mut document = table["base"].clone();
    document["governance"] = table["governance"].clone();
    for (name, limit) in limits.as_object().into_iter().flatten() {
        document["governance"][name] = limit.clone();
    }
    proposal(&json!({ "content": { "document": { "text": document.to_string() } }, "by": "ops-1" }))
}

/// The table as a header; gives the folder that it is in.
pub fn header() -> PathBuf {
    let table = fs::read_to_string(support::root().join("tests/governance/table.json")).unwrap();
    let table: Value = serde_json::from_str(&table).unwrap();
    let rows = table["rows"].as_array().unwrap();
    assert!(rows.len() > 20);
    let mut header = String::from("static const row_t ROWS[] = {\n");
    for row in rows {
        let text = |name: &str| row[name].as_str().unwrap_or_default();
        let setup = row["setup"].get(0);
        let (verb, request) = setup.map_or(("NULL".into(), "NULL".into()), |step| {
            (literal(step[0].as_str().unwrap()), literal(&step[1].to_string()))
        });
        let other = match row["mended_governance"].is_null() {
            true => "NULL".into(),
            false => literal(&first(&table, &row["mended_governance"])),
        };
        let fields = [
            literal(text("name")),
            literal(&first(&table, &row["governance"])),
            other,
            format!("{}", row["retain_versions"].as_u64().unwrap_or(0)),
            format!("{}", row["approvers"] == true),
            verb,
            request,
            optional(&row["holds"][0]),
            literal(&proposal(&row["breaks"])),
            literal(row["state"].as_str().unwrap_or("refused")),
            literal(text("stage")),
            literal(text("item")),
            literal(text("says")),
            literal(&proposal(&row["mended"])),
            literal(row["mended_state"].as_str().unwrap_or("enacted")),
        ];
        header += &format!("    {{{}}},\n", fields.join(", "));
    }
    header += "};\n";
    let folder = support::scratch("governance");
    fs::write(folder.join("governance_table.h"), header).unwrap();
    folder
}

#[test]
fn each_row_of_the_table() {
    let include = format!("-I{}", header().display());
    for language in LANGUAGES {
        succeeded(&mut Command::new(compile(&["governance.c"], language, Link::Inline, &[&include])));
    }
}

#[test]
fn governance_raii() {
    succeeded(&mut Command::new(compile(&["governance.cpp"], "c++17", Link::Inline, &[])));
}
