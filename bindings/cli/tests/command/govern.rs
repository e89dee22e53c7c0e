//! Governance from the command: what a person sees of a change that is refused, waits, and becomes current.

use serde_json::json;

use crate::scratch::{LIMITS, Scratch};

const FOUR_EYES: &str = r#"
[[rule]]
id = "four-eyes"
sector = "orders"
enforcement = "hard_mandatory"
doc = "Large changes need one more signature."
paths = ["max_qty"]
[rule.approval_chain]
above_percent = 25
steps = [{ groups = ["desk-risk"], quorum = 1 }]
"#;

const MAX: &str = r#"
revision = 1
[[guard]]
id = "max"
kind = "safety_interlock"
criticality = "low"
limit = [{ paths = ["max_qty"], max = 2000 }]
"#;

/// A folder with the governed sector `orders`, which holds [`LIMITS`]; its own limits keep a slow machine from being what is refused.
fn governed(name: &str) -> Scratch {
    let scratch = Scratch::new(name);
    scratch.says(&["init", "--sector", "orders", "--governed"]);
    let mut limits: serde_json::Value = serde_json::from_str(LIMITS).unwrap();
    limits["governance"] = json!({ "slowdown_percent": 200.0, "measure_ms": 60_000.0, "tail_budget_ns": 1e9,
        "read_budget_ns": 1e9, "lookup_budget_ns": 1e9, "apply_budget_ms": 1e6, "cpu_budget_ms": 1e6 });
    scratch.write("limits.json", &limits.to_string());
    let first = scratch.json(&["propose", "orders", "limits.json", "--why", "first limits"]);
    assert_eq!(first["state"], "enacted", "{first}");
    scratch
}

/// A key in a file, and its public part.
fn key(scratch: &Scratch, file: &str) -> String {
    scratch.json(&["approve", "--new-key", file])["public"].as_str().unwrap().to_owned()
}

/// Puts ada, of desk-risk, with the key in `ada.pem` into force.
fn approvers(scratch: &Scratch) {
    let ada = key(scratch, "ada.pem");
    scratch.write(
        "approvers.toml",
        &format!(
            "revision = 1\nthreshold = 1\n[[approver]]\nname = \"ada\"\nkey = \"{ada}\"\ngroups = [\"desk-risk\"]\n"
        ),
    );
    let change = scratch.json(&["guard", "approvers", "--set", "approvers.toml"]);
    let id = change["id"].as_str().unwrap();
    assert!(scratch.says(&["guard", "changes"]).contains(&format!("knhk approve {id}")));
    let said = scratch.says(&["approve", id, "--key", "ada.pem"]);
    assert!(said.contains("is in force"), "{said}");
    assert!(scratch.says(&["guard", "approvers"]).contains("ada   desk-risk"));
}

#[test]
fn a_refused_proposal_shows_what_to_change_and_the_mended_one_is_current() {
    let scratch = governed("refused");
    let ungoverned = scratch.fails(&["promote", "orders", "max_qty=1400"], 1);
    assert!(ungoverned.contains("orders is governed"), "{ungoverned}");

    let refused = scratch.run(&["propose", "orders", "max_qty=9000", "--why", "ticket 881"]);
    let said = String::from_utf8(refused.stdout).unwrap();
    assert_eq!(refused.status.code(), Some(1), "{said}");
    assert!(said.starts_with(" 1 schema "), "{said}");
    assert!(said.contains(" 2 invariants     refused") && said.contains("max_qty") && said.contains("→ "), "{said}");
    assert!(said.contains("proposal p-2 was refused by "), "{said}");
    assert_eq!(scratch.says(&["get", "--raw", "orders/max_qty"]), "1000\n");

    let said = scratch.says(&["propose", "orders", "max_qty=1400", "--why", "ticket 881"]);
    assert!(said.contains("is current as orders 2") && said.contains("max_qty 1000 → 1400"), "{said}");
    assert_eq!(scratch.says(&["get", "--raw", "orders/max_qty"]), "1400\n");
    let listed = scratch.says(&["propose", "--all"]);
    assert_eq!(listed.lines().count(), 3, "{listed}");
    assert_eq!(scratch.says(&["propose"]), "no proposals: `knhk propose SECTOR NAME=VALUE` files one\n");
    assert!(scratch.says(&["propose", "p-2"]).contains("was refused by"));
}

#[test]
fn a_check_files_nothing() {
    let scratch = governed("check");
    let passed = scratch.says(&["check", "orders", "max_qty=1400"]);
    assert!(passed.contains("orders: passed"), "{passed}");
    assert_eq!(scratch.run(&["check", "orders", "max_qty=9000"]).status.code(), Some(1));
    assert_eq!(scratch.says(&["propose", "--all"]).lines().count(), 1);
    scratch.fails(&["check", "nowhere", "max_qty=1"], 3);
    scratch.fails(&["check", "orders"], 2);
}

#[test]
fn what_waits_is_approved_with_a_key_or_taken_back() {
    let scratch = governed("approve");
    approvers(&scratch);
    scratch.write("rules.toml", FOUR_EYES);
    let rules = scratch.says(&["doctrine", "add", "rules.toml", "--why", "audit"]);
    assert!(rules.contains("orders/four-eyes   approval chain   hard mandatory"), "{rules}");
    let waits = scratch.says(&["propose", "orders", "max_qty=1400", "--by", "bob"]);
    assert!(waits.contains("waits for an approval by desk-risk"), "{waits}");
    assert!(waits.contains("knhk approve p-2"), "{waits}");
    assert!(scratch.says(&["propose"]).starts_with("proposal p-2 waits"));
    let nobody = key(&scratch, "nobody.pem");
    assert_eq!(nobody.len(), 64);
    scratch.fails(&["approve", "p-2", "--key", "nobody.pem"], 1);
    scratch.fails(&["approve", "p-2"], 2);
    scratch.fails(&["approve", "p-2", "--key", "limits.json"], 6);
    scratch.fails(&["approve", "--new-key", "ada.pem"], 6);
    assert_eq!(scratch.says(&["get", "--raw", "orders/max_qty"]), "1000\n");
    let approved = scratch.json(&["approve", "p-2", "--key", "ada.pem"]);
    assert_eq!(
        (&approved["proposal"]["state"], &approved["proposal"]["approvals"][0]["by"]),
        (&json!("enacted"), &json!("ada"))
    );
    assert_eq!(scratch.says(&["get", "--raw", "orders/max_qty"]), "1400\n");

    scratch.says(&["propose", "orders", "max_qty=2000", "--by", "bob"]);
    let waits = scratch.says_not(&["propose", "--enact", "p-3"]);
    assert!(waits.starts_with("knhk: waiting; nothing changed:\n 1 schema "), "{waits}");
    let said = scratch.says(&["propose", "--withdraw", "p-3", "--by", "bob", "--why", "not needed"]);
    assert!(said.contains("was withdrawn by bob"), "{said}");
    scratch.says(&["doctrine", "remove", "orders/four-eyes"]);
    assert!(scratch.says(&["doctrine"]).starts_with("no rules"));
    let log = scratch.says(&["doctrine", "log"]);
    assert_eq!(log.lines().count(), 2, "{log}");
    scratch.says(&["propose", "orders", "max_qty=2000", "--by", "bob"]);
}

#[test]
fn a_guard_gives_way_for_a_while() {
    let scratch = governed("relax");
    scratch.write("guards.toml", MAX);
    assert!(scratch.says(&["guard", "set", "guards.toml"]).contains("is in force"));
    assert!(scratch.says(&["guard"]).starts_with("max   safety interlock   low"));
    approvers(&scratch);
    let crossed = scratch.run(&["propose", "orders", "max_qty=2500", "--by", "bob"]);
    assert_eq!(crossed.status.code(), Some(1));
    let said = scratch.says(&["relax", "max", "--for", "2h", "--by", "bob", "--why", "index rebalancing"]);
    assert!(said.starts_with("relaxation r-1 of max   requested, 0 of 1 approvals"), "{said}");
    assert!(scratch.says(&["approve", "r-1", "--key", "ada.pem"]).contains("in force"));
    let current = scratch.says(&["propose", "orders", "max_qty=2500", "--by", "bob"]);
    assert!(current.contains("is current"), "{current}");
    assert!(scratch.says(&["revoke", "r-1"]).contains("revoked"));
    assert!(scratch.says(&["relax"]).starts_with("no relaxations"));
    assert_eq!(scratch.run(&["propose", "orders", "max_qty=2600", "--by", "bob"]).status.code(), Some(1));
    scratch.fails(&["relax", "nothing", "--why", "so"], 3);
    scratch.fails(&["relax", "max", "--for", "soon"], 2);
}

#[test]
fn a_live_engine_is_asked_through_its_socket() {
    let scratch = governed("live-govern");
    let mut live = scratch.live("open");
    let refused = scratch.run(&["propose", "orders", "max_qty=9000"]);
    assert_eq!(refused.status.code(), Some(1));
    scratch.says(&["propose", "orders", "max_qty=1400", "--hold"]);
    assert!(scratch.says(&["propose"]).contains("p-3 passed"));
    let said = scratch.says(&["propose", "--enact", "p-3"]);
    assert!(said.contains("is current"), "{said}");
    assert!(live.hear("changed ").contains("max_qty 1000 → 1400"));
    live.end();
}
