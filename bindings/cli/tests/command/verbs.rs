//! Every verb on a folder that nobody else has open: what it says to people, and to programs.

use std::io::Write;
use std::process::Stdio;

use serde_json::{Value, json};

use crate::scratch::{LIMITS, Scratch, text};

#[test]
fn init_makes_a_folder_and_leaves_what_is_there() {
    let scratch = Scratch::new("init");
    assert_eq!(scratch.says(&["init", "--dir", "a/b"]), "a/b is an engine's folder\n");
    assert!(scratch.says(&["show", "--dir", "a/b"]).contains("no sectors yet"));
    let made = scratch.json(&["init", "--dir", "a/b", "--sector", "orders", "--sector", "routes"]);
    assert_eq!(made["folder"], "a/b");
    assert_eq!(made["made"][1], json!({"sector": "routes", "created": true, "version": null, "changes": []}));
    let again = scratch.says(&["init", "--dir", "a/b", "--sector", "orders"]);
    assert!(again.contains("sector orders is there already"), "{again}");
    let shown = scratch.json(&["show", "--dir", "a/b"]);
    assert_eq!(shown["sectors"][0], json!({"name": "orders", "kind": "direct", "keys": 0, "current": null}));
    let done = scratch.command(&["show"]).env("KNHK_DIR", "a/b").output().unwrap();
    assert!(text(&done.stdout).starts_with("orders"), "the folder comes from the environment too");
}

#[test]
fn import_promotes_all_of_a_file_and_makes_the_sector() {
    let scratch = Scratch::new("import");
    scratch.says(&["init"]);
    scratch.write("limits.json", LIMITS);
    let changed = scratch.json(&["import", "limits.json", "--sector", "orders", "--why", "first", "--by", "desk"]);
    assert_eq!((&changed["created"], &changed["version"]["version"]), (&json!(true), &json!(1)));
    assert_eq!((&changed["version"]["by"], &changed["version"]["why"]), (&json!("desk"), &json!("first")));
    assert_eq!(changed["changes"].as_array().unwrap().len(), 9);

    let mut child = scratch.command(&["import", "-", "--sector", "orders"]);
    let mut child = child.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"{\"max_qty\": 7}").unwrap();
    let said = text(&child.wait_with_output().unwrap().stdout);
    assert!(said.starts_with("orders is at version 2 (") && said.contains("  venues removed"), "{said}");
    assert_eq!(scratch.says(&["get", "--raw", "orders/max_qty"]), "7\n");

    scratch.write("wrong.json", r#"{"max_qty": null}"#);
    let refused = scratch.fails(&["import", "wrong.json", "--sector", "new"], 1);
    assert!(refused.starts_with("wrong.json: max_qty: is null"), "{refused}");
    let sectors = scratch.json(&["show"]);
    assert_eq!(sectors["sectors"].as_array().unwrap().len(), 1, "what is refused makes no sector");
}

#[test]
fn export_writes_what_imports_to_the_same() {
    let scratch = Scratch::with_limits("export");
    let exported = scratch.says(&["export", "orders"]);
    scratch.write("again.json", &exported);
    scratch.says(&["import", "again.json", "--sector", "copy"]);
    let ids = scratch.json(&["show"]);
    assert_eq!(scratch.says(&["export", "copy"]), exported);
    assert_eq!(ids["sectors"].as_array().unwrap().len(), 2);

    scratch.says(&["promote", "orders", "max_qty=2"]);
    assert_eq!(scratch.says(&["export", "orders", "--version", "1"]), exported);
    let said = scratch.says(&["export", "orders", "--version", "1", "--output", "out.json"]);
    assert_eq!(said, "version 1 of orders written to out.json\n");
    assert_eq!(std::fs::read_to_string(scratch.0.join("out.json")).unwrap(), exported);
    let answer = scratch.json(&["export", "orders"]);
    assert_eq!((&answer["sector"], &answer["version"]["version"]), (&json!("orders"), &json!(2)));
    let document: Value = serde_json::from_str(answer["text"].as_str().unwrap()).unwrap();
    assert_eq!(document["max_qty"]["$value"], 2);
}

#[test]
fn validate_checks_and_changes_nothing() {
    let scratch = Scratch::new("validate");
    scratch.write("limits.json", LIMITS);
    assert_eq!(scratch.says(&["validate", "limits.json"]), "limits.json conforms\n");
    assert_eq!(scratch.json(&["validate", "limits.json"])["conforms"], true);
    scratch.write("wrong.json", r#"{"max_qty": {"$value": 9000, "$max": 5000}}"#);
    let refused = scratch.fails(&["validate", "wrong.json"], 1);
    assert!(refused.starts_with("wrong.json: max_qty: ") && refused.contains("9000"), "{refused}");
    assert!(!scratch.0.join("sectors").exists());
    scratch.says(&["init", "--sector", "orders"]);
    scratch.says(&["validate", "limits.json", "--sector", "orders"]);
    assert_eq!(scratch.json(&["show"])["sectors"][0]["current"], Value::Null);
    scratch.fails(&["validate", "limits.json", "--sector", "other"], 3);
}

#[test]
fn promote_sets_single_values_and_keeps_the_rest() {
    let scratch = Scratch::with_limits("promote");
    let said = scratch.says(&["promote", "orders", "max_qty=1400", "tenants/cedar=5", "--why", "desk asked"]);
    assert!(said.starts_with("orders is at version 2 (") && said.contains("max_qty 1000 → 1400"), "{said}");
    assert!(said.contains("tenants/cedar = 5 (new)"), "{said}");
    let leaf = scratch.json(&["get", "orders/max_qty"])["parameters"][0]["leaf"].clone();
    let kept = json!({"$value": 1400, "$min": 1, "$max": 5000, "$unit": "lots", "$doc": "largest order"});
    assert_eq!(leaf, kept);

    let values = ["open=false", "fee=3", "venues=[\"XOFF\"]", "key=AAE=", "label=12 monkeys", "rate=1.0", "note=a=b"];
    scratch.says(&[&["promote", "orders"], &values[..]].concat());
    let raw = |name: &str| scratch.says(&["get", "--raw", &format!("orders/{name}")]);
    assert_eq!(
        ["open", "fee", "venues", "key", "label", "rate", "note"].map(raw),
        ["false\n", "3.0\n", "[\"XOFF\"]\n", "AAE=\n", "12 monkeys\n", "1.0\n", "a=b\n"]
    );

    scratch.write("limits.json", r#"{"max_qty": 1}"#);
    let changed = scratch.json(&["promote", "orders", "limits.json"]);
    assert_eq!((&changed["created"], &changed["version"]["version"]), (&json!(false), &json!(4)));

    let before = scratch.says(&["export", "orders"]);
    assert!(scratch.fails(&["promote", "orders", "max_qty=many"], 1).contains("whole number"));
    assert!(scratch.fails(&["promote", "orders", "max_qty/deep=1"], 1).contains("not a map"));
    scratch.fails(&["promote", "orders", "a=1", "limits.json"], 2);
    scratch.fails(&["promote", "nowhere", "a=1"], 3);
    assert_eq!(scratch.says(&["export", "orders"]), before);
}

#[test]
fn rollback_goes_back_and_never_in_circles() {
    let scratch = Scratch::with_limits("rollback");
    scratch.says(&["promote", "orders", "max_qty=2"]);
    scratch.says(&["promote", "orders", "max_qty=3"]);
    let said = scratch.says(&["rollback", "orders", "--why", "rejects doubled"]);
    assert!(said.starts_with("orders went back to 2 as version 4 ("), "{said}");
    let changed = scratch.json(&["rollback", "orders"]);
    assert_eq!((&changed["version"]["rollback_of"], &changed["version"]["version"]), (&json!(1), &json!(5)));
    assert!(scratch.fails(&["rollback", "orders"], 3).contains("no version before"));
    let third = scratch.json(&["show", "orders"])["versions"][2]["snapshot_id"].as_str().unwrap().to_owned();
    scratch.says(&["rollback", "orders", &third[..8], "--emergency"]);
    assert_eq!(scratch.says(&["get", "--raw", "orders/max_qty"]), "3\n");
    let refused = scratch.fails(&["rollback", "orders", "17"], 3);
    assert!(refused.contains("version 17 is not retained; its newest is 6"), "{refused}");
}

#[test]
fn get_shows_a_value_or_a_map() {
    let scratch = Scratch::with_limits("get");
    let said = scratch.says(&["get", "orders/max_qty"]);
    assert!(said.starts_with("1000 lots   (1 … 5000)   version 1 ("), "{said}");
    assert!(said.ends_with("), promoted just now by ops-2: first limits\n"), "{said}");
    let answer = scratch.json(&["get", "orders/max_qty"]);
    assert_eq!((&answer["path"], &answer["sector"]["name"]), (&json!("max_qty"), &json!("orders")));
    let only = &answer["parameters"][0];
    assert_eq!((&only["type"], &only["doc"]), (&json!("i64"), &json!("largest order")));
    assert_eq!(only["display"], "1000 lots   (1 … 5000)");
    assert!(answer.get("versions").is_none());

    let said = scratch.says(&["get", "orders/tenants"]);
    assert!(said.contains("\n  acme    600   i64\n  birch   400   i64\n"), "{said}");
    assert_eq!(scratch.json(&["get", "orders/tenants"])["parameters"].as_array().unwrap().len(), 2);
    assert_eq!(scratch.says(&["get", "--raw", "orders/venues"]), "[\"XPAR\",\"XLON\"]\n");
    assert_eq!(scratch.json(&["get", "--raw", "orders/fee"]), json!(0.25));
    assert!(scratch.fails(&["get", "orders/max_qy"], 3).contains("did you mean orders/max_qty?"));
    scratch.fails(&["get", "--raw", "orders/tenants"], 1);
    scratch.fails(&["get", "orders"], 2);
}

#[test]
fn show_lists_sectors_values_and_versions() {
    let scratch = Scratch::with_limits("show");
    scratch.says(&["promote", "orders", "max_qty=1400", "--why", "desk asked"]);
    let said = scratch.says(&["show"]);
    assert!(said.starts_with("orders") && said.contains("version 2 ("), "{said}");
    let said = scratch.says(&["show", "orders"]);
    for part in [
        "\n  tenants/\n    acme ",
        "1400 lots   (1 … 5000)   i64",
        "largest order",
        "●   2  ",
        "max_qty 1000 → 1400   desk asked",
    ] {
        assert!(said.contains(part), "{part:?} in {said}");
    }
    let answer = scratch.json(&["show", "orders"]);
    assert_eq!(answer["versions"].as_array().unwrap().len(), 2);
    assert_eq!(answer["versions"][0]["changes"][0]["summary"], "max_qty 1000 → 1400");
    assert_eq!(answer["sector"]["current"]["version"], 2);
    assert_eq!(answer["parameters"].as_array().unwrap().len(), 9);
    let newest = scratch.json(&["show", "orders", "--versions", "1"]);
    assert_eq!(
        newest["versions"],
        json!([answer["versions"][0]]),
        "its changes are still those against the one before"
    );
    assert_eq!(scratch.json(&["show", "orders/tenants"])["parameters"].as_array().unwrap().len(), 2);
}

#[test]
fn diff_compares_versions() {
    let scratch = Scratch::with_limits("diff");
    scratch.says(&["promote", "orders", "max_qty=2"]);
    scratch.says(&["promote", "orders", "max_qty=3", "venues=[\"XPAR\"]"]);
    assert_eq!(scratch.says(&["diff", "orders"]), "orders 2 → 3\n  max_qty 2 → 3\n  venues − XLON\n");
    assert_eq!(scratch.says(&["diff", "orders", "1", "2"]), "orders 1 → 2\n  max_qty 1000 → 2\n");
    assert_eq!(scratch.says(&["diff", "orders", "3", "3"]), "orders 3 → 3\n  no difference\n");
    let answer = scratch.json(&["diff", "orders", "0", "1"]);
    assert_eq!((&answer["from"], &answer["to"]), (&json!(0), &json!(1)));
    assert_eq!(answer["changes"].as_array().unwrap().len(), 9);
    let answer = scratch.json(&["diff", "orders", "1"]);
    assert_eq!(
        answer["changes"][0],
        json!({"path": "max_qty", "old": "1000", "new": "3", "summary": "max_qty 1000 → 3"})
    );
    scratch.fails(&["diff", "orders", "9"], 3);
}

#[test]
fn completion_scripts_are_made_for_every_shell() {
    let scratch = Scratch::new("completion");
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = scratch.says(&["completion", shell]);
        assert!(script.contains("rollback") && script.contains("emergency"), "{shell}");
    }
    scratch.write("knhk.bash", &scratch.says(&["completion", "bash"]));
    let asked = "source knhk.bash; COMP_WORDS=(knhk rol); COMP_CWORD=1; _knhk knhk rol knhk; echo ${COMPREPLY[@]}";
    let done = std::process::Command::new("bash").args(["-c", asked]).current_dir(&scratch.0).output().unwrap();
    assert_eq!(text(&done.stdout).trim(), "rollback", "{}", text(&done.stderr));
}

#[test]
fn every_verb_explains_itself_with_examples() {
    let scratch = Scratch::new("help");
    for verb in ["init", "import", "export", "validate", "promote", "rollback", "get", "show", "diff", "completion"] {
        let help = scratch.says(&[verb, "--help"]);
        assert!(help.contains("Examples:\n  knhk ") || help.contains("Examples:\n  generate"), "{verb}: {help}");
    }
    assert!(scratch.says(&["--help"]).contains("Exit codes:"));
}
