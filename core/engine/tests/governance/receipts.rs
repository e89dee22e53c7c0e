//! Row V4: every operation of governance leaves its receipt. One table: what is done, and what it leaves.

use knhk_engine::ReceiptInfo;
use knhk_engine::governance::{Propose, State};
use serde_json::{Value, json};

use crate::world::{HOUR, World, document, values};

const GUARD: &str = r#"{"id": "max-qty", "kind": "safety_interlock", "criticality": "low", "sector": "orders",
    "limit": [{"paths": ["max_qty"], "max": 2000}]}"#;

type Step = (&'static str, &'static str, fn(&World) -> Value);

/// Kind of the receipt, its outcome, and what leaves it; gives what its evidence has to say, field by field.
const STEPS: &[Step] = &[
    ("proposal generated", "pending", |world| {
        let proposal = world.propose("orders", values(&[("max_qty", "1100")]));
        json!({ "proposal": proposal.id, "proposer": "ops-1", "why": "the test asks", "confidence": 1.0 })
    }),
    ("validation executed", "approved", |world| {
        let proposal = world.propose("orders", values(&[("max_qty", "1101")]));
        json!({ "proposal": proposal.id, "snapshot": proposal.changes[0].snapshot_id })
    }),
    ("validation executed", "rejected", |world| {
        let proposal = world.propose("orders", values(&[("max_qty", "9000")]));
        json!({ "proposal": proposal.id })
    }),
    ("snapshot promoted", "approved", |world| {
        let proposal = world.propose("orders", values(&[("max_qty", "1102")]));
        json!({ "version": proposal.versions[0].version.version, "by": "ops-1" })
    }),
    ("invariant violation", "rejected", |world| {
        let proposal = world.propose("orders", values(&[("max_qty", "9000")]));
        json!({ "item": proposal.id })
    }),
    ("proposal withdrawn", "rejected", |world| {
        let ask = Propose { enact: false, ..Propose::of("orders", values(&[("max_qty", "1103")]), "ops-1", "") };
        let proposal = world.engine().propose(&ask).unwrap();
        world.govern("withdraw", json!({ "id": proposal.id, "by": "ops-2", "why": "not needed" }));
        json!({ "proposal": proposal.id, "by": "ops-2", "why": "not needed" })
    }),
    ("approvers changed", "approved", |world| {
        world.approvers(&[("ada", &["risk"]), ("bob", &["risk"]), ("cyd", &[])], 1);
        json!({ "revision": 1, "by": "ops-1", "why": "the first" })
    }),
    ("proposal approved", "approved", |world| {
        world.approvers(&[("ada", &["risk"])], 1);
        let ask = Propose { enact: false, ..Propose::of("orders", values(&[("max_qty", "1104")]), "ops-1", "") };
        let proposal = world.engine().propose(&ask).unwrap();
        world.approve("proposal", &proposal.id, 1).unwrap();
        json!({ "proposal": proposal.id, "by": "ada", "request": proposal.digest })
    }),
    ("guard added", "approved", |world| {
        world.govern("add_guard", json!({ "guard": guard(), "by": "ops-1", "why": "a boundary" }));
        json!({ "guard": "max-qty", "revision": 1, "by": "ops-1" })
    }),
    ("guard removed", "approved", |world| {
        world.govern("add_guard", json!({ "guard": guard(), "by": "ops-1", "why": "a boundary" }));
        world.govern("remove_guard", json!({ "id": "max-qty", "by": "ops-2", "why": "none" }));
        json!({ "guard": "max-qty", "revision": 2, "by": "ops-2" })
    }),
    ("guard relaxation requested", "pending", |world| {
        let id = relaxed(world, 0);
        json!({ "guard": "max-qty", "relaxation": id, "by": "ops-1" })
    }),
    ("guard relaxation approved", "approved", |world| {
        let id = relaxed(world, 1);
        json!({ "guard": "max-qty", "relaxation": id, "by": "ada", "approvals": 1, "quorum": 1 })
    }),
    ("guard relaxation revoked", "approved", |world| {
        let id = relaxed(world, 1);
        world.govern("revoke", json!({ "id": id, "by": "ops-2", "why": "enough" }));
        json!({ "guard": "max-qty", "relaxation": id, "by": "ops-2", "why": "enough" })
    }),
    ("guard relaxation expired", "approved", |world| {
        let id = relaxed(world, 1);
        world.pass(2 * HOUR);
        json!({ "guard": "max-qty", "relaxation": id })
    }),
    ("doctrine rule added", "approved", |world| {
        world.govern("add_rule", json!({ "toml": RULE, "by": "ops-1", "why": "calm" }));
        json!({ "rule": "orders/small-steps", "revision": 1, "by": "ops-1", "why": "calm" })
    }),
    ("doctrine rule removed", "approved", |world| {
        world.govern("add_rule", json!({ "toml": RULE, "by": "ops-1", "why": "calm" }));
        world.govern("remove_rule", json!({ "id": "orders/small-steps", "by": "ops-2", "why": "storm" }));
        json!({ "rule": "orders/small-steps", "revision": 2, "by": "ops-2", "why": "storm" })
    }),
    ("shadow test executed", "approved", |world| {
        let id = shadow_tested(world, "warning");
        json!({ "shadow": id, "passed": 1, "warnings": 1, "blockers": 0 })
    }),
    ("shadow test executed", "rejected", |world| {
        let id = shadow_tested(world, "blocker");
        json!({ "shadow": id, "passed": 1, "warnings": 0, "blockers": 1 })
    }),
    ("code generation completed", "approved", |world| {
        let generated = world.govern("codegen", json!({ "sector": "orders", "language": "rust" }));
        assert!(generated["text"].as_str().unwrap().contains("max_qty"), "{generated:#}");
        json!({ "language": "rust" })
    }),
    ("rollback executed", "approved", |world| {
        let proposal = world.propose("orders", values(&[("max_qty", "1105")]));
        assert_eq!(proposal.state, State::Enacted);
        world.engine().rollback("orders", 1, Default::default()).unwrap();
        json!({ "version": 3, "rollback_of": 1 })
    }),
];

const RULE: &str = r#"
    [[rule]]
    id = "small-steps"
    sector = "orders"
    enforcement = "hard_mandatory"
    paths = ["max_qty"]
    [rule.resource_limit]
    of = "change_percent"
    max = 25
"#;

#[test]
fn every_operation_leaves_its_receipt() {
    for (kind, outcome, operation) in STEPS {
        let world = World::new();
        let says = operation(&world);
        let left: Vec<ReceiptInfo> = world.receipts(kind);
        let fits = |receipt: &&ReceiptInfo| {
            receipt.outcome == *outcome
                && says.as_object().unwrap().iter().all(|(field, value)| receipt.evidence[field] == *value)
        };
        assert!(left.iter().any(|receipt| fits(&receipt)), "{kind} ({outcome}): {says}, there are {left:#?}");
    }
}

fn guard() -> Value {
    serde_json::from_str(GUARD).unwrap()
}

/// Asks for a relaxation of the guard `max-qty` and has so many approve it.
fn relaxed(world: &World, approvals: u8) -> String {
    world.govern("add_guard", json!({ "guard": guard(), "by": "ops-1", "why": "a boundary" }));
    world.approvers(&[("ada", &["risk"]), ("bob", &["risk"])], 1);
    let until_ns = crate::world::BEGIN_NS + HOUR;
    let request = json!({ "guard": "max-qty", "by": "ops-1", "why": "a big order", "until_ns": until_ns });
    let id = world.govern("relax", request)["id"].as_str().unwrap().to_owned();
    for seed in 1..=approvals {
        world.approve("relaxation", &id, seed).unwrap();
    }
    id
}

/// Tests a shadow by an assertion that holds and one that does not, of this severity.
fn shadow_tested(world: &World, severity: &str) -> String {
    let change = json!({ "sector": "orders", "content": serde_json::to_value(document(r#"{"max_qty": 7}"#)).unwrap() });
    let shadow = world.govern("shadow", json!({ "changes": [change], "by": "ops-1" }));
    let tests = json!([
        { "name": "sound", "severity": "blocker", "assertion": "no_conflicts" },
        { "name": "guarded", "severity": severity, "assertion": { "guard": { "parameter": "max_qty", "min": 1.0, "max": 5000.0 } } },
    ]);
    let id = shadow["id"].as_str().unwrap().to_owned();
    world.govern("shadow_test", json!({ "id": id, "tests": tests }));
    id
}
