//! Log, tags, versions as of then, receipts, proofs, keys, backup and restore: through the command alone.

use std::fs;

use rusqlite::Connection;
use serde_json::json;

use crate::scratch::Scratch;

fn with_three_versions(name: &str) -> Scratch {
    let scratch = Scratch::with_limits(name);
    scratch.says(&["promote", "orders", "max_qty=1400", "--why", "desk asked"]);
    scratch.says(&["promote", "orders", "tenants/acme=700"]);
    scratch
}

/// Changes the store behind the engine's back.
fn tamper(scratch: &Scratch, sql: &str) -> usize {
    let store = Connection::open(scratch.0.join("store.sqlite")).unwrap();
    store.execute(sql, []).unwrap()
}

#[test]
fn log_tells_every_version_with_its_receipt() {
    let scratch = with_three_versions("log");
    let said = scratch.says(&["log", "orders"]);
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(lines.len(), 3, "{said}");
    assert!(lines[0].starts_with("●   3  ") && lines[0].contains("tenants/acme 600 → 700"), "{said}");
    assert!(lines[1].contains("max_qty 1000 → 1400   desk asked") && lines[1].contains("✓ receipt "), "{said}");
    let answer = scratch.json(&["log", "--limit", "2"]);
    let versions = answer["versions"].as_array().unwrap();
    assert_eq!((versions.len(), &versions[0]["version"], &versions[0]["sector"]), (2, &json!(3), &json!("orders")));
    let receipt = versions[1]["receipt"].as_str().unwrap();
    let stated = scratch.json(&["receipts", receipt]);
    assert_eq!((&stated["kind"], &stated["outcome"]), (&json!("snapshot promoted"), &json!("approved")));
    assert_eq!(stated["evidence"]["snapshot"], versions[1]["snapshot_id"], "the receipt states the content");
    let before = scratch.json(&["log", "orders", "--before", "~1"]);
    assert_eq!(before["versions"].as_array().unwrap().len(), 1);
    assert!(scratch.fails(&["log", "nowhere"], 3).contains("no sector"));
}

#[test]
fn tags_name_versions_and_every_verb_takes_them() {
    let scratch = with_three_versions("tag");
    assert_eq!(scratch.says(&["tag", "orders", "stable", "~1"]), "stable names version 2 of orders\n");
    assert!(scratch.says(&["tag", "orders"]).starts_with("stable   version 2   set just now by "));
    assert!(scratch.says(&["log", "orders"]).contains("[stable]"));
    assert_eq!(scratch.says(&["as-of", "stable", "orders/tenants/acme", "--raw"]), "600\n");
    assert_eq!(scratch.says(&["as-of", "1", "orders/max_qty", "--raw"]), "1000\n");
    assert_eq!(scratch.says(&["as-of", "current", "orders/max_qty", "--raw"]), "1400\n");
    assert!(scratch.says(&["as-of", "stable", "orders"]).contains("600"));
    assert_eq!(scratch.says(&["diff", "orders", "stable"]), "orders 2 → 3\n  tenants/acme 600 → 700\n");
    assert!(scratch.says(&["export", "orders", "--version", "stable"]).contains("600"));
    scratch.says(&["rollback", "orders", "stable"]);
    assert_eq!(scratch.says(&["get", "--raw", "orders/tenants/acme"]), "600\n");
    assert!(scratch.says(&["get", "orders/max_qty"]).contains("version 2 ("), "the version that set the value");
    scratch.says(&["tag", "orders", "stable", "--remove"]);
    scratch.fails(&["as-of", "stable", "orders"], 3);
    scratch.fails(&["tag", "orders", "no such", "1"], 2);
    scratch.fails(&["as-of", "@2x", "orders"], 2);
    scratch.fails(&["as-of", "1999-01-01", "orders"], 3);
}

#[test]
fn verify_finds_what_was_tampered_with() {
    let scratch = with_three_versions("verify");
    let said = scratch.says(&["verify"]);
    assert!(said.contains("receipts, 1 key, 3 versions: the log is whole since "), "{said}");
    let note = scratch.says(&["checkpoint"]);
    scratch.write("held.note", &note);
    scratch.says(&["verify", "--checkpoint", "held.note"]);
    let whole = fs::read(scratch.0.join("store.sqlite")).unwrap();

    assert_eq!(tamper(&scratch, "UPDATE versions SET why = 'nobody asked' WHERE number = 2"), 1);
    assert!(scratch.fails(&["verify"], 5).contains('2'));
    fs::write(scratch.0.join("store.sqlite"), &whole).unwrap();
    scratch.says(&["verify"]);

    let flip = "UPDATE receipts SET statement = zeroblob(length(statement)) WHERE number = 3";
    assert_eq!(tamper(&scratch, flip), 1);
    scratch.fails(&["verify"], 5);
    fs::write(scratch.0.join("store.sqlite"), &whole).unwrap();

    let other = Scratch::with_limits("verify-other");
    let root = other.json(&["keys"])["trust_root"].as_str().unwrap().to_owned();
    assert!(scratch.fails(&["verify", "--trust-root", &root], 5).contains("not the log that you trust"));
    other.write("held.note", &note);
    other.says_not(&["verify", "--checkpoint", "held.note"]);
}

#[test]
fn an_older_folder_is_found_by_whoever_holds_a_checkpoint() {
    let scratch = with_three_versions("older");
    let old = fs::read(scratch.0.join("store.sqlite")).unwrap();
    scratch.says(&["promote", "orders", "max_qty=1500"]);
    let note = scratch.says(&["checkpoint"]);
    scratch.write("held.note", &note);
    fs::write(scratch.0.join("store.sqlite"), old).unwrap();
    scratch.says(&["verify"]);
    let refused = scratch.fails(&["verify", "--checkpoint", "held.note"], 5);
    assert!(refused.contains("receipts"), "{refused}");
}

#[test]
fn proofs_are_checked_without_the_folder() {
    let scratch = with_three_versions("proof");
    let root = scratch.json(&["keys"])["trust_root"].as_str().unwrap().to_owned();
    scratch.says(&["keys", "--rotate"]);
    scratch.says(&["promote", "orders", "max_qty=1500"]);
    let listed = scratch.json(&["keys"]);
    assert_eq!((listed["keys"].as_array().unwrap().len(), &listed["trust_root"]), (2, &json!(root)));
    let newest = scratch.json(&["receipts", "--limit", "1"])["receipts"][0]["number"].to_string();
    scratch.says(&["proof", "receipt", &newest, "--output", "receipt.json"]);
    let statement =
        "<urn:knhk:orders:max_qty> <urn:knhk:core:value> \"1500\"^^<http://www.w3.org/2001/XMLSchema#integer> .";
    let exported = scratch.says(&["export", "orders", "--format", "ntriples"]);
    let line = exported.lines().find(|line| line.contains("max_qty") && line.contains("1500")).unwrap_or(statement);
    scratch.says(&["proof", "statement", "orders", line, "--output", "statement.json"]);

    let stranger = Scratch::new("proof-stranger");
    for name in ["receipt.json", "statement.json"] {
        fs::copy(scratch.0.join(name), stranger.0.join(name)).unwrap();
    }
    let said = stranger.says(&["proof", "check", "receipt.json", "--trust-root", &root]);
    assert!(said.starts_with("proven: snapshot promoted (approved)"), "{said}");
    let id = scratch.json(&["show"])["sectors"][0]["current"]["snapshot_id"].as_str().unwrap().to_owned();
    stranger.says(&["proof", "check", "statement.json", "--trust-root", &id]);
    for name in ["receipt.json", "statement.json"] {
        let text = fs::read_to_string(stranger.0.join(name)).unwrap();
        let field = if name == "receipt.json" { "\"inclusion\": \"" } else { "\"proof\": \"" };
        let at = text.find(field).unwrap() + field.len() + 40;
        let mut changed = text.clone().into_bytes();
        changed[at] = if changed[at] == b'0' { b'1' } else { b'0' };
        fs::write(stranger.0.join(name), changed).unwrap();
        stranger.says_not(&["proof", "check", name]);
    }
    stranger.fails(&["proof", "check", "none.json"], 3);
}

#[test]
fn a_backup_restores_to_the_same_history() {
    let scratch = with_three_versions("backup");
    let log = scratch.json(&["log", "orders"]);
    let note = scratch.says(&["checkpoint"]);
    scratch.says(&["backup", "copy.knhk"]);
    assert!(scratch.fails(&["backup", "copy.knhk"], 1).contains("copy.knhk"));
    scratch.says(&["promote", "orders", "max_qty=7"]);

    let other = Scratch::new("backup-restored");
    other.write("held.note", &note);
    fs::copy(scratch.0.join("copy.knhk"), other.0.join("copy.knhk")).unwrap();
    let said = other.says(&["restore", "copy.knhk", "--dir", "back", "--checkpoint", "held.note"]);
    assert!(said.contains("the log is whole since"), "{said}");
    assert_eq!(other.json(&["log", "orders", "--dir", "back"]), log);
    assert!(other.fails(&["promote", "orders", "max_qty=8", "--dir", "back"], 6).contains("signing.key"));
    fs::copy(scratch.0.join("signing.key"), other.0.join("back/signing.key")).unwrap();
    assert!(other.says(&["promote", "orders", "max_qty=8", "--dir", "back"]).contains("version 4"));

    let mut damaged = fs::read(scratch.0.join("copy.knhk")).unwrap();
    (4096..damaged.len()).step_by(256).for_each(|at| damaged[at] ^= 0xa5);
    other.write("held.note", &note);
    fs::write(other.0.join("damaged.knhk"), damaged).unwrap();
    other.fails(&["restore", "damaged.knhk", "--dir", "nothing"], 5);
    assert!(!other.0.join("nothing/store.sqlite").exists(), "what is not whole gets no place");
}

#[test]
fn prune_keeps_tagged_versions_and_every_receipt() {
    let scratch = with_three_versions("prune");
    scratch.says(&["tag", "orders", "first", "1"]);
    scratch.says(&["promote", "orders", "max_qty=7"]);
    assert_eq!(scratch.json(&["prune", "--versions", "1"]), json!({"versions": 2}));
    let answer = scratch.json(&["log", "orders"]);
    let retained: Vec<bool> =
        answer["versions"].as_array().unwrap().iter().map(|version| version["retained"] == true).collect();
    assert_eq!(retained, [true, false, false, true]);
    assert!(scratch.says(&["log", "orders"]).contains("content no longer kept"));
    scratch.says(&["verify"]);
    scratch.fails(&["as-of", "2", "orders"], 3);
}

#[test]
fn observe_says_how_to_turn_it_on() {
    let scratch = Scratch::with_limits("observe");
    assert!(scratch.fails(&["observe", "orders"], 3).contains("with the option control on"));
    assert_eq!(scratch.says(&["observe", "--segments"]), "no observations were kept\n");
}
