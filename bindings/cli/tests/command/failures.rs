//! Exit codes, and what is left when a command ends half-way.

use std::fs;
use std::io::Write;
use std::process::Stdio;

use rustix::process::{Pid, Signal, kill_process};

use crate::scratch::{LIMITS, Scratch, text};

#[test]
fn exit_codes_are_as_documented() {
    let scratch = Scratch::new("codes");
    assert!(scratch.fails(&["show"], 3).contains("knhk init"));
    assert_eq!(scratch.run(&["frobnicate"]).status.code(), Some(2));
    let misused = scratch.run(&["get", "--json"]);
    assert_eq!(misused.status.code(), Some(2));
    let answer: serde_json::Value = serde_json::from_slice(&misused.stdout).unwrap();
    assert!(answer["error"]["message"].as_str().unwrap().contains("<PATH>"), "{answer}");
    scratch.says(&["init", "--sector", "orders"]);
    scratch.fails(&["init", "--sector", "Not A Name"], 2);
    assert!(scratch.fails(&["export", "orders"], 3).contains("nothing was promoted"));
    assert!(scratch.fails(&["get", "other/max_qty"], 3).contains("there are orders"));
    assert!(scratch.fails(&["import", "none.json", "--sector", "orders"], 3).contains("none.json"));
    scratch.fails(&["import", ".", "--format", "json", "--sector", "orders"], 6);
    scratch.write("limits.json", LIMITS);
    scratch.says(&["import", "limits.json", "--sector", "orders"]);
    assert!(scratch.fails(&["export", "orders", "--output", "no/such/folder"], 6).contains("no/such/folder"));
    assert!(!scratch.0.join("no").exists());

    damage(&scratch, 1);
    assert!(scratch.fails(&["get", "orders/max_qty"], 5).contains("backup"));
    assert!(scratch.fails(&["promote", "orders", "max_qty=1"], 5).contains("backup"));
}

/// Destroys what a version's snapshot is stored as.
fn damage(scratch: &Scratch, version: u64) {
    let sql = rusqlite::Connection::open(scratch.0.join("store.sqlite")).unwrap();
    let change = "UPDATE snapshots SET added = x'00' WHERE id = (SELECT snapshot FROM versions WHERE number = ?1)";
    assert_eq!(sql.execute(change, [version]).unwrap(), 1);
}

#[test]
fn a_damaged_newest_version_falls_back_to_the_last_whole_one() {
    let scratch = Scratch::with_limits("fallback");
    scratch.says(&["promote", "orders", "max_qty=2"]);
    damage(&scratch, 2);
    assert_eq!(scratch.says(&["get", "--raw", "orders/max_qty"]), "1000\n");
    assert!(scratch.says(&["promote", "orders", "max_qty=3"]).contains("version 3"));
}

#[test]
fn hostile_files_are_refused() {
    let scratch = Scratch::new("hostile");
    let deep = format!("{}1{}", "{\"a\":".repeat(100_000), "}".repeat(100_000));
    scratch.write("deep.json", &deep);
    scratch.fails(&["validate", "deep.json"], 1);
    fs::write(scratch.0.join("latin.json"), b"{\"a\": \"\xe9\"}").unwrap();
    assert!(scratch.fails(&["validate", "latin.json"], 1).contains("byte 7"));
    // A gigabyte of one line, most of which is never read.
    let huge = fs::File::create(scratch.0.join("huge.json")).unwrap();
    huge.set_len(1 << 30).unwrap();
    assert!(scratch.fails(&["validate", "huge.json"], 1).contains("too large"));
    fs::write(scratch.0.join("control.json"), r#"{"a": "x\u001b[31my"}"#).unwrap();
    scratch.says(&["init"]);
    scratch.says(&["import", "control.json", "--sector", "orders"]);
    assert!(!scratch.says(&["show", "orders"]).contains('\x1b'), "a value cannot drive the terminal");
    scratch.write("name.json", r#"{"x\u001b[31my": null}"#);
    assert!(!scratch.says_not(&["validate", "name.json"]).contains('\x1b'), "nor can a name in a refusal");
}

#[test]
fn a_reader_that_has_seen_enough_ends_a_command_quietly() {
    let scratch = Scratch::new("pipe");
    scratch.says(&["init"]);
    let values: Vec<String> = (0..20_000).map(|n| format!("\"value_{n}\": {n}")).collect();
    scratch.write("many.json", &format!("{{{}}}", values.join(",")));
    let mut child = scratch.command(&["import", "many.json", "--sector", "orders"]);
    let mut child = child.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let done = child.wait_with_output().unwrap();
    assert_eq!((done.status.code(), text(&done.stderr)), (Some(0), String::new()));
    assert_eq!(scratch.says(&["get", "--raw", "orders/value_7"]), "7\n");
}

#[test]
fn an_interrupt_leaves_nothing_half_done() {
    let scratch = Scratch::with_limits("interrupt");
    for round in 1..=8 {
        let mut child = scratch.command(&["import", "-", "--sector", "orders"]);
        let mut child = child.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let whole = format!(r#"{{"left": {round}, "right": {round}}}"#);
        // Half of the text, or all of it: then it is anywhere in its work.
        let said = if round % 2 == 0 { &whole[..10] } else { &whole[..] };
        stdin.write_all(said.as_bytes()).unwrap();
        if round % 2 == 1 {
            drop(stdin);
        }
        _ = kill_process(Pid::from_child(&child), Signal::INT);
        child.wait().unwrap();
        let shown = scratch.json(&["show", "orders"]);
        let value = |name: &str| {
            let parameters = shown["parameters"].as_array().unwrap();
            parameters.iter().find(|p| p["path"] == name).map(|p| p["leaf"].clone())
        };
        assert_eq!(value("left"), value("right"));
        assert!(value("left").is_some() || value("max_qty").is_some());
    }
    scratch.says(&["import", "limits.json", "--sector", "orders"]);
}

#[test]
fn commands_at_the_same_time_wait_for_one_another() {
    let scratch = Scratch::with_limits("together");
    let children: Vec<_> = (0..6)
        .map(|n| scratch.command(&["promote", "orders", &format!("n{n}={n}")]).stdout(Stdio::null()).spawn().unwrap())
        .collect();
    for mut child in children {
        assert!(child.wait().unwrap().success());
    }
    let versions = scratch.json(&["show", "orders"])["versions"].as_array().unwrap().len();
    assert_eq!(versions, 7);
    assert_eq!(scratch.json(&["show", "orders"])["parameters"].as_array().unwrap().len(), 9 + 6, "none was lost");
}
