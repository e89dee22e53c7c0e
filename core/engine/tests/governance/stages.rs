//! Tables: what violates each stage, each invariant, each kind of rule and each kind of guard is refused there, with the item named; mended, it
//! passes.

use knhk_engine::control::Content;
use knhk_engine::governance::{Propose, Stage, State, Workload};
use serde_json::json;

use crate::world::{BEGIN_NS, HOUR, World, document, findings, told, values};

/// A case: its name, what is set up, what is asked wrongly, the stage and the item that refuse it, and what is asked rightly.
struct Case {
    name: &'static str,
    set_up: fn(&World),
    wrong: fn() -> Propose,
    stage: Stage,
    item: &'static str,
    mend: fn(&World) -> Propose,
}

fn orders(content: Content) -> Propose {
    Propose::of("orders", content, "ops-1", "the test asks")
}

fn turtle(added: &str) -> Propose {
    let prefixes =
        "@prefix sh: <http://www.w3.org/ns/shacl#> . @prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .\n";
    let added = format!("{prefixes}{added}");
    orders(Content::Change { removed: String::new(), added, format: "turtle".into() })
}

const SHAPE: &str = "<#Venue> a rdfs:Class . <#VenueShape> a sh:NodeShape ; sh:targetClass <#Venue> ;
    sh:property <#FeeShape> . <#FeeShape> sh:path <#fee> ; sh:maxInclusive 10 . ";

const STAGES: &[Case] = &[
    Case {
        name: "schema",
        set_up: |world| assert_eq!(world.engine().propose(&turtle(SHAPE)).unwrap().state, State::Enacted),
        wrong: || turtle("<#xetr> a <#Venue> ; <#fee> 11 ."),
        stage: Stage::Schema,
        item: "FeeShape",
        mend: |_| turtle("<#xetr> a <#Venue> ; <#fee> 9 ."),
    },
    Case {
        name: "Q1",
        set_up: |_| {},
        wrong: || Propose { at_ns: Some(BEGIN_NS - HOUR), ..orders(values(&[("max_qty", "1100")])) },
        stage: Stage::Invariants,
        item: "invariant Q1",
        mend: |_| orders(values(&[("max_qty", "1100")])),
    },
    Case {
        name: "Q2",
        set_up: |_| {},
        wrong: || orders(values(&[("max_qty", "9000")])),
        stage: Stage::Invariants,
        item: "invariant Q2",
        mend: |_| orders(values(&[("max_qty", "4000")])),
    },
    Case {
        name: "Q3",
        set_up: |world| limits(world, r#"{"protected": ["max_qty"]}"#),
        wrong: || {
            let looser = r#"{"max_qty": {"$value": 1000, "$min": 1, "$max": 9000, "$unit": "lots"},
                "price_band": {"$value": 0.05, "$min": 0.0, "$max": 0.5}, "venues": ["XETR", "XLON"], "active": true,
                "governance": {"protected": ["max_qty"]}}"#;
            orders(document(looser))
        },
        stage: Stage::Invariants,
        item: "invariant Q3",
        mend: |_| orders(values(&[("max_qty", "1100")])),
    },
    Case {
        name: "Q4",
        set_up: |world| limits(world, r#"{"lookup_budget_ns": 0.001}"#),
        wrong: || orders(values(&[("max_qty", "1100")])),
        stage: Stage::Invariants,
        item: "invariant Q4",
        mend: back_to_first,
    },
    Case {
        name: "Q5",
        set_up: |world| limits(world, r#"{"memory_bytes": 1}"#),
        wrong: || orders(values(&[("max_qty", "1100")])),
        stage: Stage::Invariants,
        item: "invariant Q5",
        mend: back_to_first,
    },
    Case {
        name: "blast radius",
        set_up: |world| limits(world, r#"{"max_changes": 1}"#),
        wrong: || orders(values(&[("max_qty", "1100"), ("price_band", "0.1")])),
        stage: Stage::Guards,
        item: "blast radius",
        mend: |_| orders(values(&[("max_qty", "1100")])),
    },
    Case {
        name: "performance",
        set_up: |world| {
            let key = world.engine().key::<i64>("orders", "max_qty").unwrap();
            let run = move |view: &knhk_hot::Hold| {
                (0..key.get(view, 0)).fold(0u64, |sum, n| std::hint::black_box(sum + n as u64))
            };
            world.engine().set_workload("orders", Workload::new("sweep", run));
        },
        wrong: || orders(values(&[("max_qty", "5000")])),
        stage: Stage::Performance,
        item: "sweep",
        mend: |_| orders(values(&[("max_qty", "200")])),
    },
    Case {
        name: "compatibility",
        set_up: |world| _ = world.engine().key::<bool>("orders", "active").unwrap(),
        wrong: || orders(retyped()),
        stage: Stage::Compatibility,
        item: "parameter active",
        mend: |_| Propose { major: true, ..orders(retyped()) },
    },
];

fn retyped() -> Content {
    document(
        r#"{"max_qty": {"$value": 1000, "$min": 1, "$max": 5000, "$unit": "lots"},
        "price_band": {"$value": 0.05, "$min": 0.0, "$max": 0.5}, "venues": ["XETR", "XLON"], "active": "yes"}"#,
    )
}

/// Sets limits of the sector, which hold from the next change on.
fn limits(world: &World, governance: &str) {
    let mut first: serde_json::Value = serde_json::from_str(crate::world::FIRST).unwrap();
    let governance: serde_json::Value = serde_json::from_str(governance).unwrap();
    for (name, limit) in governance.as_object().unwrap() {
        first["governance"][name] = limit.clone();
    }
    let set = world.propose("orders", document(&first.to_string()));
    assert_eq!(set.state, State::Enacted, "{}", told(&set.reports));
}

/// Limits that let nothing pass are left by going back.
fn back_to_first(world: &World) -> Propose {
    world.engine().rollback("orders", 1, Default::default()).unwrap();
    orders(values(&[("max_qty", "1100")]))
}

#[test]
fn what_violates_a_stage_is_refused_there_and_passes_mended() {
    for Case { name, set_up, wrong, stage, item, mend } in STAGES {
        let world = World::new();
        set_up(&world);
        let refused = world.engine().propose(&wrong()).unwrap();
        assert_eq!(refused.state, State::Refused, "{name}: {}", told(&refused.reports));
        let found = findings(&refused.reports, *stage);
        assert!(found.iter().any(|finding| finding.contains(item)), "{name}: {found:?}\n{}", told(&refused.reports));
        let before = world.engine().history("orders").unwrap().len();
        let mended = world.engine().propose(&mend(&world)).unwrap();
        assert_eq!(mended.state, State::Enacted, "{name}: {}", told(&mended.reports));
        assert!(world.engine().history("orders").unwrap().len() > before, "{name}");
    }
}

/// A rule or a guard: its text, what breaks it, what the proposal is then, what is said, and what mends it: another change, or time and
/// approvals.
struct Policy {
    kind: &'static str,
    text: &'static str,
    wrong: fn() -> Propose,
    state: State,
    what: &'static str,
    mend: fn(&World, &str),
}

/// Asks for something else, which passes.
fn instead(world: &World, content: Content) {
    let mended = world.engine().propose(&orders(content)).unwrap();
    assert_eq!(mended.state, State::Enacted, "{}", told(&mended.reports));
}

fn up_to(max_qty: &'static str) -> Content {
    values(&[("max_qty", max_qty)])
}

const RULES: &[Policy] = &[
    Policy {
        kind: "approval_chain",
        text: r#"[rule.approval_chain]
            above_percent = 25.0
            steps = [{ groups = ["desk-risk"], quorum = 1 }]"#,
        wrong: || orders(up_to("1400")),
        state: State::Waiting,
        what: "desk-risk",
        mend: |world, id| _ = world.approve("proposal", id, 1).unwrap(),
    },
    Policy {
        kind: "segregation_of_duties",
        text: r#"[rule.segregation_of_duties]
            proposers = ["desk"]"#,
        wrong: || orders(up_to("1400")),
        state: State::Refused,
        what: "desk",
        mend: |world, _| {
            let other = Propose { by: "dan".into(), ..orders(up_to("1400")) };
            assert_eq!(world.engine().propose(&other).unwrap().state, State::Enacted);
        },
    },
    Policy {
        kind: "resource_limit",
        text: r#"[rule.resource_limit]
            of = "value"
            max = 1200"#,
        wrong: || orders(up_to("1400")),
        state: State::Refused,
        what: "1200",
        mend: |world, _| instead(world, up_to("1200")),
    },
    Policy {
        kind: "time_window",
        // The worlds begin on a Tuesday at 12:26 UTC.
        text: r#"[rule.time_window]
            zone = "UTC"
            days = ["tue"]
            from = "13:00"
            to = "15:00""#,
        wrong: || orders(up_to("1400")),
        state: State::Waiting,
        what: "window",
        mend: |world, _| world.pass(HOUR),
    },
    Policy {
        kind: "shape",
        text: r#"[rule.shape]
            turtle = """
                @prefix sh: <http://www.w3.org/ns/shacl#> . @prefix knhk: <urn:knhk:core:> .
                <#Low> a sh:NodeShape ; sh:targetNode <max_qty> ; sh:property [ sh:path knhk:value ; sh:maxInclusive 1200 ] .
            """"#,
        wrong: || orders(up_to("1400")),
        state: State::Refused,
        what: "max_qty",
        mend: |world, _| instead(world, up_to("1100")),
    },
    Policy {
        kind: "expression",
        text: r#"[rule.expression]
            cel = "after['max_qty'] <= 1200""#,
        wrong: || orders(up_to("1400")),
        state: State::Refused,
        what: "its condition is not met",
        mend: |world, _| instead(world, up_to("1100")),
    },
    Policy {
        kind: "callback",
        text: r#"[rule.callback]
            name = "even""#,
        wrong: || orders(up_to("1401")),
        state: State::Refused,
        what: "odd",
        mend: |world, _| instead(world, up_to("1400")),
    },
];

#[test]
fn what_breaks_a_rule_is_refused_or_waits_and_passes_mended() {
    for Policy { kind, text, wrong, state, what, mend } in RULES {
        let world = World::new();
        world.approvers(&[("ada", &["desk-risk"]), ("dan", &["desk"])], 1);
        world.engine().set_rule_function("even", |_, sectors| {
            let odd = sectors
                .candidate()
                .differences
                .iter()
                .filter_map(|one| one.new.as_deref())
                .any(|new| new.ends_with('1'));
            if odd { Err("it is odd".into()) } else { Ok(()) }
        });
        let head = "[[rule]]\nid = \"the-rule\"\nsector = \"orders\"\nenforcement = \"hard_mandatory\"\npaths = [\"max_qty\"]\n";
        world.govern("add_rule", json!({ "toml": format!("{head}{text}"), "by": "ops-1", "why": "the test" }));
        let broken = world.engine().propose(&wrong()).unwrap();
        assert_eq!(broken.state, *state, "{kind}: {}", told(&broken.reports));
        let found = findings(&broken.reports, Stage::Doctrine);
        let named = |finding: &String| finding.starts_with("rule orders/the-rule: ") && finding.contains(what);
        assert!(found.iter().any(named), "{kind}: {found:?}");
        let violations = world.engine().violations(Some("orders")).unwrap();
        assert!(violations.iter().any(|one| one.rule == "orders/the-rule" && one.by == "ops-1"), "{kind}");
        mend(&world, &broken.id);
        assert_ne!(world.read("max_qty"), 1000, "{kind}: {}", world.engine().proposal(&broken.id).unwrap().said);
    }
}

const GUARDS: &[Policy] = &[
    Policy {
        kind: "approval_chain",
        text: r#""chain": {"paths": ["max_qty"], "above": 0.25, "steps": ["desk-risk"]}"#,
        wrong: || orders(up_to("1400")),
        state: State::Waiting,
        what: "desk-risk",
        mend: |world, id| _ = world.approve("proposal", id, 1).unwrap(),
    },
    Policy {
        kind: "safety_interlock",
        text: r#""limit": [{"paths": ["max_qty"], "max": 1200}]"#,
        wrong: || orders(up_to("1400")),
        state: State::Refused,
        what: "1200",
        mend: |world, _| instead(world, up_to("1200")),
    },
    Policy {
        kind: "data_residency",
        text: r#""residency": [{"paths": ["venues"], "allowed": ["XETR", "XLON"]}]"#,
        wrong: || orders(values(&[("venues", r#"["XETR", "XNYS"]"#), ("max_qty", "1400")])),
        state: State::Refused,
        what: "XNYS",
        mend: |world, _| instead(world, values(&[("venues", r#"["XETR"]"#), ("max_qty", "1400")])),
    },
    Policy {
        kind: "performance_bound",
        text: r#""bound": [{"figure": "names", "max": 1}]"#,
        wrong: || orders(values(&[("min_qty", "1"), ("max_qty", "1400")])),
        state: State::Refused,
        what: "names",
        mend: |world, _| instead(world, up_to("1400")),
    },
    Policy {
        kind: "compliance_rule",
        text: r#""compliance": {"shapes": "@prefix sh: <http://www.w3.org/ns/shacl#> . @prefix knhk: <urn:knhk:core:> . <#Low> a sh:NodeShape ; sh:targetNode <max_qty> ; sh:property [ sh:path knhk:value ; sh:maxInclusive 1200 ] ."}"#,
        wrong: || orders(up_to("1400")),
        state: State::Refused,
        what: "1400 is above the maximum 1200",
        mend: |world, _| instead(world, up_to("1100")),
    },
];

#[test]
fn what_crosses_a_guard_is_refused_or_waits_and_passes_mended_or_relaxed() {
    for Policy { kind, text, wrong, state, what, mend } in GUARDS {
        let world = World::new();
        let guard =
            format!(r#"{{"id": "the-guard", "kind": "{kind}", "criticality": "low", "sector": "orders", {text}}}"#);
        let guard: serde_json::Value = serde_json::from_str(&guard).unwrap();
        world.govern("add_guard", json!({ "guard": guard, "by": "ops-1", "why": "the test" }));
        world.approvers(&[("ada", &["desk-risk"])], 1);
        let crossed = world.engine().propose(&wrong()).unwrap();
        assert_eq!(crossed.state, *state, "{kind}: {}", told(&crossed.reports));
        let found = findings(&crossed.reports, Stage::Guards);
        let named = |finding: &String| finding.starts_with("guard the-guard: ") && finding.contains(what);
        assert!(found.iter().any(named), "{kind}: {found:?}");
        mend(&world, &crossed.id);
        assert_ne!(world.read("max_qty"), 1000, "{kind}: {}", world.engine().proposal(&crossed.id).unwrap().said);

        // The same with a relaxation in force.
        let world = World::new();
        world.govern("add_guard", json!({ "guard": guard, "by": "ops-1", "why": "the test" }));
        world.approvers(&[("ada", &["desk-risk"])], 1);
        let until_ns = BEGIN_NS + HOUR;
        let asked = json!({ "guard": "the-guard", "by": "ops-1", "why": "just once", "until_ns": until_ns });
        let relaxation = world.govern("relax", asked);
        world.approve("relaxation", relaxation["id"].as_str().unwrap(), 1).unwrap();
        let relaxed = world.engine().propose(&wrong()).unwrap();
        assert_eq!(relaxed.state, State::Enacted, "{kind}: {}", told(&relaxed.reports));
        world.pass(2 * HOUR);
        let again = Propose { enact: false, ..wrong() };
        world.engine().rollback("orders", 1, Default::default()).unwrap();
        assert_eq!(world.engine().propose(&again).unwrap().state, *state, "{kind}: it ended");
    }
}
