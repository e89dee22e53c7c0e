//! Each invariant refuses a proposal that violates it, with a message that names the item; the same proposal mended passes.

mod common;

use common::{LIMITS, NOW, Sector, passed, refuses, with};
use knhk_governance::{Broken, Candidate, CrossInvariant, Other, PastVersion, Severity, Stage};
use knhk_hot::layout::Tag;
use knhk_observation::Record;
use knhk_ontology::graph::Delta;

const KIND: &str = ":Checked a knhk:ObservationKind ; rdfs:comment \"An order was checked.\" ; knhk:valueType \"i64\" ;
    knhk:concerns :max_qty ; knhk:min 0 ; knhk:max 100000 .";

fn record(value: i64) -> Record {
    Record {
        time_ns: NOW,
        epoch: 3,
        reader: 1,
        sequence: 0,
        subject: 0,
        detail: 0,
        value: value as u64,
        slot: 0,
        tag: Tag::I64 as u8,
        outcome: 1,
    }
}

fn other(sector: &Sector, name: &str) -> Other {
    Other { sector: name.into(), snapshot: sector.snapshot.clone(), compiled: Some(sector.compiled.clone()) }
}

#[test]
fn a_candidate_without_a_place_in_the_history_breaks_q1() {
    type Spoil = fn(&mut Sector, &mut Candidate);
    let spoilt: [(Spoil, &str); 7] = [
        (|_, candidate| candidate.base_version = 7, "starts from version 7, but 1 is current"),
        (|_, candidate| candidate.effective_ns = Some(NOW - 2_000_000_000), "2 s before it is decided"),
        (|sector, _| sector.past.next_number = 1, "would be version 1 after version 1"),
        (|sector, _| sector.past.next_epoch = 3, "generation 3 after 3"),
        (|sector, _| sector.past.versions[0].parents = vec![1], "in a circle: 1 from 1"),
        (
            |sector, candidate| {
                let version = |number, parent| PastVersion { number, parents: vec![parent], epoch: 3, time_ns: 0 };
                sector.past.versions = vec![version(4, 6), version(5, 4), version(6, 5)];
                sector.past.next_number = 7;
                candidate.base_version = 6;
            },
            "in a circle",
        ),
        (
            |sector, candidate| {
                let version = |number, epoch| PastVersion { number, parents: vec![], epoch, time_ns: 0 };
                sector.past.versions = vec![version(1, 9), version(2, 8)];
                (sector.past.next_number, sector.past.next_epoch) = (3, 10);
                candidate.base_version = 2;
            },
            "generation 8, and version 1 before it in 9",
        ),
    ];
    for (spoil, says) in spoilt {
        let mut sector = Sector::new(LIMITS);
        let mut candidate = sector.to(&LIMITS.replace("1000", "1400"));
        passed(&sector.run(&candidate));
        spoil(&mut sector, &mut candidate);
        refuses(&sector.run(&candidate), Stage::Invariants, "invariant Q1", says);
    }
}

#[test]
fn a_value_of_another_type_or_out_of_its_range_breaks_q2() {
    let sector = Sector::new(LIMITS);
    let to = |value: &str| sector.changed(":max_qty knhk:value 1000 .", &format!(":max_qty knhk:value {value} ."));
    refuses(&sector.run(&to("9000")), Stage::Invariants, "invariant Q2", "max_qty");
    refuses(&sector.run(&to("\"many\"")), Stage::Invariants, "invariant Q2", "max_qty");
    passed(&sector.run(&to("4000")));
}

#[test]
fn what_programs_recorded_is_replayed_for_q2() {
    let mut sector = Sector::named("orders", LIMITS, KIND);
    let slot = sector.keys.get("max_qty").expect("it has a slot");
    sector.records = (1..500).map(|value| Record { slot, ..record(10 * value) }).collect();
    let max = |value: &str| sector.changed(":Checked knhk:max 100000 .", &format!(":Checked knhk:max {value} ."));
    let says = "499 recorded observations of kind Checked under max_qty: 4990 is above 4000";
    refuses(&sector.run(&max("4000")), Stage::Invariants, "invariant Q2", says);
    passed(&sector.run(&max("4990")));
    let retyped = sector.changed(":Checked knhk:valueType \"i64\" .", ":Checked knhk:valueType \"f64\" .");
    refuses(&sector.run(&retyped), Stage::Invariants, "invariant Q2", "not of type f64");
    let gone = sector.changed(KIND, "");
    refuses(&sector.run(&gone), Stage::Invariants, "invariant Q2", "of kind Checked, which would be gone");
    // The limit says how many are looked at: the newest.
    let sector = Sector { records: vec![Record { slot, ..record(20) }], ..sector };
    passed(&sector.run(&sector.changed(":Checked knhk:max 100000 .", ":Checked knhk:max 4000 .")));
}

#[test]
fn a_protected_name_is_weakened_under_a_relaxation_alone() {
    let json = with(r#""governance": {"protected": ["max_qty", "LimitShape*"]}"#);
    let shape = ":LimitShape a sh:NodeShape ; sh:targetSubjectsOf knhk:unit ;
        sh:property [ sh:path knhk:unit ; sh:maxLength 12 ; sh:message \"short\" ] .";
    let mut sector = Sector::named("orders", &json, shape);
    let weakened = [
        (":max_qty knhk:max 5000 .", ":max_qty knhk:max 6000 .", "protected max_qty", "its range would widen to 6000"),
        (":max_qty knhk:min 1 .", "", "protected max_qty", "its minimum would be gone"),
        (":LimitShape sh:targetSubjectsOf knhk:unit .", "", "protected LimitShape", "would be gone"),
        ("", ":LimitShape sh:deactivated true .", "protected LimitShape", "would be set"),
    ];
    for (removed, added, relaxation, says) in weakened {
        let candidate = sector.changed(removed, added);
        sector.relaxed.clear();
        refuses(&sector.run(&candidate), Stage::Invariants, "invariant Q3", says);
        sector.relaxed.push(relaxation.into());
        passed(&sector.run(&candidate));
    }
    sector.relaxed.clear();
    passed(&sector.run(&sector.changed(":max_qty knhk:max 5000 .", ":max_qty knhk:max 4000 .")));
    passed(&sector.run(&sector.changed(":max_qty knhk:value 1000 .", ":max_qty knhk:value 4000 .")));
    // Whoever takes a name from the list weakens it, too.
    let fewer = sector.to(&with(r#""governance": {"protected": ["LimitShape*"]}"#));
    refuses(&sector.run(&fewer), Stage::Invariants, "invariant Q3", "max_qty would be protected no longer");
    // The nodes in brackets belong to the shape.
    let graph = sector.snapshot.graph();
    let length = graph.terms().find_iri("http://www.w3.org/ns/shacl#maxLength").expect("the shape says it");
    let cell = graph.own().find(|triple| triple.predicate == length).expect("the shape says it");
    let looser = sector.by(Delta::new(graph, vec![cell], Vec::new()));
    refuses(&sector.run(&looser), Stage::Invariants, "invariant Q3", "LimitShape is protected");
}

#[test]
fn a_read_of_too_many_steps_breaks_q3() {
    let json = with(r#""governance": {"read_steps": 6}"#);
    let sector = Sector::new(&json);
    let deep = |value: &str| with(&format!(r#""governance": {{"read_steps": 6}}, "desk": {{"who": {value}}}"#));
    let report = sector.run(&sector.to(&deep(r#"["ann", "bob"]"#)));
    refuses(&report, Stage::Invariants, "invariant Q3", "reading desk/who takes 8 dependent steps; 6 are allowed");
    passed(&sector.run(&sector.to(&deep("7"))));
}

#[test]
fn a_budget_that_is_not_kept_breaks_q4() {
    for limit in ["read_budget_ns", "lookup_budget_ns", "apply_budget_ms"] {
        let with = |most: &str| Sector::new(&with(&format!(r#""governance": {{"{limit}": {most}}}"#)));
        let run =
            |sector: &Sector| sector.run(&sector.changed(":max_qty knhk:value 1000 .", ":max_qty knhk:value 1400 ."));
        refuses(&run(&with("0.000001")), Stage::Invariants, "invariant Q4", "are allowed");
        passed(&run(&with("1000000.0")));
    }
}

#[test]
fn a_bound_that_is_not_kept_breaks_q5() {
    for (limit, low, high) in [
        ("memory_bytes", "100", "10000000"),
        ("cpu_budget_ms", "0.000001", "100000.0"),
        ("tail_budget_ns", "0.000001", "1000000.0"),
    ] {
        let with = |most: &str| Sector::new(&with(&format!(r#""governance": {{"{limit}": {most}}}"#)));
        let run =
            |sector: &Sector| sector.run(&sector.changed(":max_qty knhk:value 1000 .", ":max_qty knhk:value 1400 ."));
        refuses(&run(&with(low)), Stage::Invariants, "invariant Q5", "are allowed");
        passed(&run(&with(high)));
    }
    // The versions that are retained take memory, too.
    let mut sector = Sector::new(LIMITS);
    sector.past.memory_bytes = 1 << 30;
    let candidate = sector.to(&LIMITS.replace("1000", "1400"));
    refuses(&sector.run(&candidate), Stage::Invariants, "invariant Q5", "the artifact and its history take");
}

#[test]
fn what_has_to_hold_across_sectors_holds() {
    let risk = Sector::named("risk", r#"{"ceiling": 2000}"#, "");
    let mut sector = Sector::new(LIMITS);
    sector.others = vec![other(&risk, "risk")];
    let condition = r#"after["orders/max_qty"] <= after["risk/ceiling"]"#;
    let of = |condition| CrossInvariant::of_condition("below the ceiling of risk", Severity::Blocker, condition);
    assert!(of("after.").is_err());
    sector.invariants = vec![of(condition).expect("it is a condition")];
    refuses(
        &sector.run(&sector.to(&LIMITS.replace("1000", "3000"))),
        Stage::Invariants,
        "invariant below the ceiling of risk",
        "would not hold",
    );
    passed(&sector.run(&sector.to(&LIMITS.replace("1000", "1400"))));
    sector.invariants = vec![CrossInvariant {
        name: "orders stay below the ceiling of risk".into(),
        severity: Severity::Blocker,
        holds: std::sync::Arc::new(|sectors| {
            use knhk_hot::artifact::Value::I64;
            match (sectors.value("orders", "max_qty"), sectors.value("risk", "ceiling")) {
                (Some(I64(qty)), Some(I64(ceiling))) if qty <= ceiling => Ok(()),
                (Some(I64(qty)), Some(I64(ceiling))) => Err(Broken::Not(format!("{qty} > {ceiling}"))),
                _ => Err(Broken::Unknown("one of the two is missing".into())),
            }
        }),
    }];
    let to = |value: &str| sector.run(&sector.to(&LIMITS.replace("1000", value)));
    let item = "invariant orders stay below the ceiling of risk";
    refuses(&to("3000"), Stage::Invariants, item, "would not hold");
    passed(&to("2000"));
    let renamed = sector.run(&sector.to(&LIMITS.replace("max_qty", "most")));
    refuses(&renamed, Stage::Invariants, item, "one of the two is missing");
}

#[test]
fn names_of_other_sectors_are_there() {
    let risk =
        Sector::named("risk", r#"{"ceiling": 2000}"#, "<urn:knhk:risk:Desk> knhk:lessThan <urn:knhk:orders:max_qty> .");
    let mut sector = Sector::new(LIMITS);
    sector.others = vec![other(&risk, "risk")];
    let refers =
        |name: &str| sector.run(&sector.changed("", &format!(":venues rdfs:seeAlso <urn:knhk:risk:{name}> .")));
    refuses(&refers("floor"), Stage::Invariants, "identifier", "of which sector risk says nothing");
    passed(&refers("ceiling"));
    let gone = sector.run(&sector.to(r#"{"venues": ["XPAR", "XLON"]}"#));
    refuses(&gone, Stage::Invariants, "identifier", "to which Desk of sector risk refers");
    let there = Sector::named("risk", "{}", "<http://example.org/Thing> a rdfs:Class .");
    sector.others = vec![other(&there, "risk")];
    let says = |kind: &str| sector.run(&sector.changed("", &format!("<http://example.org/Thing> a {kind} .")));
    refuses(&says("rdf:Property"), Stage::Invariants, "identifier", "a property here, and is a class in sector risk");
    passed(&says("rdfs:Class"));
}
