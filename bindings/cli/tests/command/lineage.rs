//! Where something comes from and how it comes in: bisect, blame, merge, shadows, schedules.

use serde_json::json;

use crate::scratch::{LIMITS, Scratch};

/// Versions of `orders`: `max_qty` is 1000, 1400, 1500.
fn three(name: &str) -> Scratch {
    let scratch = Scratch::with_limits(name);
    scratch.says(&["promote", "orders", "max_qty=1400", "--why", "desk asked"]);
    scratch.says(&["promote", "orders", "max_qty=1500", "--why", "desk asked again"]);
    scratch
}

#[test]
fn the_first_bad_version_is_found_by_a_condition_or_a_command() {
    let scratch = three("bisect");
    let said = scratch.says(&["bisect", "orders", "--good", "1", "--where", "values.max_qty > 1450"]);
    assert!(said.starts_with("first bad: version 3 by ops-2 (desk asked again)"), "{said}");
    let command = ["bisect", "orders", "--good", "1", "--json", "--", "sh", "-c", "grep -q 1000 \"$KNHK_DOCUMENT\""];
    let done = scratch.run(&command);
    let found: serde_json::Value = serde_json::from_slice(&done.stdout).unwrap();
    assert_eq!((&found["culprit"]["change"]["version"], &found["culprit"]["good"]), (&json!(2), &json!(1)), "{found}");
    let tried = String::from_utf8(done.stderr).unwrap();
    assert!(tried.contains("version 2: bad"), "{tried}");
    let failed = scratch.run(&["bisect", "orders", "--good", "1", "--", "sh", "-c", "exit 126"]);
    assert_eq!(failed.status.code(), Some(6));
    scratch.fails(&["bisect", "orders", "--good", "3", "--bad", "1", "--where", "true"], 2);
    scratch.fails(&["bisect", "orders", "--good", "9", "--where", "true"], 3);
}

#[test]
fn who_said_what_is_told_with_the_receipt() {
    let scratch = three("blame");
    let blamed = scratch.json(&["blame", "orders/max_qty"]);
    let entries = blamed["entries"].as_array().unwrap();
    let version = |what: &str| {
        let of = entries.iter().find(|entry| entry["statement"].as_str().unwrap().contains(what)).unwrap();
        of["change"]["version"].as_u64().unwrap()
    };
    assert_eq!((version("1500"), version("lots")), (3, 1));
    let said = scratch.says(&["blame", "orders/max_qty"]);
    assert!(said.contains("version 3   just now by ops-2: desk asked again"), "{said}");
    scratch.fails(&["blame", "nowhere/max_qty"], 3);
}

#[test]
fn another_line_of_versions_is_merged() {
    let scratch = three("merge");
    scratch.says(&["promote", "orders", "fee=0.5"]);
    let merged = scratch.json(&["merge", "orders", "2"]);
    assert_eq!((&merged["ours"], &merged["theirs"], &merged["conflicts"]), (&json!(4), &json!(2), &json!([])));
    let said = scratch.says(&["merge", "orders", "2"]);
    assert!(said.starts_with("version 2 has nothing that version 4 does not have"), "{said}");
    scratch.fails(&["merge", "orders", "9"], 3);
}

#[test]
fn a_shadow_is_tested_beside_what_is_current() {
    let scratch = Scratch::with_limits("shadow");
    let shadow = scratch.json(&["shadow", "open", "orders", "max_qty=1400"]);
    assert_eq!(shadow["id"], "s-1");
    let guard = |max: u64| json!([{ "name": "range", "severity": "blocker", "assertion": { "guard": { "parameter": "max_qty", "min": 1, "max": max } } }]);
    scratch.write("holds.json", &guard(5000).to_string());
    scratch.write("breaks.json", &guard(100).to_string());
    assert_eq!(scratch.says(&["shadow", "test", "s-1", "holds.json"]), "passed   orders: range\n");
    let broken = scratch.run(&["shadow", "test", "s-1", "breaks.json"]);
    let said = String::from_utf8(broken.stdout).unwrap();
    assert_eq!(broken.status.code(), Some(1), "{said}");
    assert!(said.starts_with("failed (blocker)   orders: range: "), "{said}");
    assert_eq!(scratch.says(&["get", "--raw", "orders/max_qty"]), "1000\n");
    assert!(scratch.says(&["shadow"]).starts_with("s-1"));
    scratch.says(&["shadow", "drop", "s-1"]);
    assert_eq!(scratch.says(&["shadow", "list"]), "no shadows are open\n");
    scratch.fails(&["shadow", "drop", "s-9"], 3);
}

#[test]
fn a_proposal_is_scheduled_and_taken_off_again() {
    let scratch = Scratch::new("schedule");
    scratch.says(&["init", "--sector", "orders", "--governed"]);
    scratch.write("limits.json", LIMITS);
    scratch.says(&["propose", "orders", "limits.json"]);
    scratch.says(&["propose", "orders", "max_qty=1400", "--hold"]);
    let scheduled = scratch.json(&["schedule", "p-2", "--window", "Sat 02:00-04:00", "--zone", "Europe/Paris"]);
    assert_eq!(scheduled["proposal"], "p-2");
    let id = scheduled["id"].as_str().unwrap();
    assert!(scratch.says(&["schedule"]).starts_with(id));
    scratch.says(&["schedule", "--cancel", id, "--why", "not now"]);
    scratch.fails(&["schedule", "p-2", "--at", "2001-01-01T00:00:00Z"], 2);
    scratch.fails(&["schedule", "p-2", "--window", "whenever"], 2);
}

#[test]
fn keys_are_generated_and_leave_a_receipt() {
    let scratch = Scratch::with_limits("codegen");
    for language in ["c", "cpp", "rust", "python", "typescript"] {
        let text = scratch.says(&["codegen", "orders", "--language", language]);
        assert!(text.contains("max_qty"), "{language}: {text}");
    }
    let said = scratch.says(&["codegen", "orders", "-l", "c", "--output", "orders.h"]);
    assert_eq!(said, "keys of orders written to orders.h\n");
    assert!(std::fs::read_to_string(scratch.0.join("orders.h")).unwrap().contains("max_qty"));
    let receipts = scratch.json(&["receipts", "--kind", "code generation completed"]);
    assert_eq!(receipts["receipts"].as_array().unwrap().len(), 6);
    scratch.fails(&["codegen", "nowhere", "-l", "c"], 3);
}
