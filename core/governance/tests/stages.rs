//! Each stage refuses a proposal that violates it, with a message that names the item; the same proposal mended passes.

mod common;

use std::collections::BTreeMap;

use common::{LIMITS, NOW, Sector, found, judged, parsed, passed, passes, refuses, silent, with};
use knhk_governance::{
    Candidate, FIGURES, Finding, Limits, Lost, PastChange, Progress, Severity, Stage, Stop, Verdict, Workload,
};
use knhk_ontology::graph::Delta;

#[test]
fn a_harmless_change_passes_all_seven() {
    let sector = Sector::new(LIMITS);
    let candidate = sector.to(&LIMITS.replace("1000", "1400"));
    let report = sector.run(&candidate);
    passed(&report);
    assert_eq!(report.stages.iter().map(|stage| stage.stage).collect::<Vec<_>>(), Stage::ALL);
    let text = knhk_governance::render(&report);
    assert_eq!(text.lines().count(), 8, "{text}");
    assert!(text.starts_with(" 1 schema         ok "), "{text}");
    assert!(text.lines().last().is_some_and(|line| line.starts_with("orders: passed; ")), "{text}");
    // What is said by machines is said back.
    let json = serde_json::to_string(&report).expect("a report is plain data");
    assert_eq!(serde_json::from_str::<knhk_governance::Report>(&json).expect("it is JSON"), report);
}

#[test]
fn a_shape_that_is_broken_is_named_by_the_schema() {
    let sector = Sector::new(LIMITS);
    let unit =
        |text: &str| sector.changed(r#":max_qty knhk:unit "lots" ."#, &format!(r#":max_qty knhk:unit "{text}" ."#));
    refuses(&sector.run(&unit("")), Stage::Schema, "shape knhk:UnitShape-unit", "1 to 64 characters");
    passed(&sector.run(&unit("pieces")));
}

#[test]
fn a_limit_that_there_is_not_is_named_by_the_schema() {
    let sector = Sector::new(LIMITS);
    let candidate = |name: &str, value: &str| sector.to(&with(&format!(r#""governance": {{"{name}": {value}}}"#)));
    let report = sector.run(&candidate("max_chnges", "10"));
    refuses(&report, Stage::Schema, "parameter governance/max_chnges", "no limit");
    let report = sector.run(&candidate("max_changes", "true"));
    refuses(&report, Stage::Schema, "parameter governance/max_changes", "is not a whole number");
    passed(&sector.run(&candidate("max_changes", "10")));
}

#[test]
fn a_first_version_is_judged_by_the_wider_budgets() {
    let own = r#""governance": {"read_budget_ns": 1e9, "memory_bytes": 1000000000000, "cpu_budget_ms": 1e-6, "max_changes": 5}"#;
    let limits = Limits::of_first(&Sector::new(&with(own)).compiled.artifact);
    assert_eq!((limits.read_budget_ns, limits.memory_bytes), (1e9, 1_000_000_000_000), "wider than the defaults");
    let default = Limits::default();
    assert_eq!((limits.cpu_budget_ms, limits.max_changes), (default.cpu_budget_ms, default.max_changes), "narrower");
    assert_eq!(Limits::of_first(&Sector::new(LIMITS).compiled.artifact), default);
}

#[test]
fn a_way_back_that_is_not_kept_is_named() {
    let mut sector = Sector::new(LIMITS);
    let candidate = sector.to(&LIMITS.replace("1000", "1400"));
    sector.past.lost = Some(Lost { what: "version 1 is not kept".into(), fix: "keep it".into() });
    let report = sector.run(&candidate);
    refuses(&report, Stage::Rollback, "way back", "version 1 is not kept");
    // What the way there cost is known all the same.
    assert!(report.stages.iter().all(|stage| stage.stage == Stage::Rollback || stage.verdict == Verdict::Passed));
    sector.past.lost = None;
    passed(&sector.run(&candidate));
}

#[test]
fn what_the_judges_say_is_the_stages_verdict() {
    let sector = Sector::new(LIMITS);
    let candidate = sector.to(&LIMITS.replace("1000", "1400"));
    let finding = |item: &str| Finding {
        severity: Severity::Blocker,
        item: item.into(),
        what: "not so".into(),
        fix: "so".into(),
    };
    let says_no = |item: &'static str| move |_: &Candidate| judged(Verdict::Refused, vec![finding(item)]);
    // A boundary may be about what was measured.
    let bounded = |candidate: &Candidate, figures: &BTreeMap<String, f64>| {
        assert!(FIGURES.iter().all(|name| figures.contains_key(*name)), "{figures:?}");
        says_no("guard max-notional")(candidate)
    };
    let stop = Stop::new();
    let report = sector.run_with(&candidate, &says_no("rule orders/four-eyes"), &silent, &stop);
    refuses(&report, Stage::Doctrine, "rule orders/four-eyes", "not so");
    let report =
        sector.run_with(&candidate, &passes, &|candidate: &Candidate, figures: &_| bounded(candidate, figures), &stop);
    refuses(&report, Stage::Guards, "guard max-notional", "not so");
    let waits = |_: &Candidate| judged(Verdict::Waiting, Vec::new());
    assert_eq!(sector.run_with(&candidate, &waits, &silent, &stop).verdict, Verdict::Waiting);
    // Who cannot decide refuses.
    let panics = |_: &Candidate| panic!("a rule of one's own");
    let report = sector.run_with(&candidate, &panics, &silent, &stop);
    refuses(&report, Stage::Doctrine, "stage doctrine", "panicked");
}

#[test]
fn a_change_beyond_the_blast_radius_is_refused_beside_the_guards() {
    let mut sector = Sector::new(&with(r#""governance": {"max_changes": 2, "max_changes_per_hour": 10}"#));
    let changed = |sector: &Sector, more: &str| {
        sector.run(&sector.changed(":max_qty knhk:value 1000 .", &format!(":max_qty knhk:value 1400 . {more}")))
    };
    let report = changed(&sector, ":a knhk:value 1 . :b knhk:value 2 .");
    refuses(&report, Stage::Guards, "blast radius", "touches 3 names at once; orders allows 2");
    passed(&changed(&sector, ":a knhk:value 1 ."));
    let minutes = |count: u64| NOW - count * 60_000_000_000;
    sector.past.changes =
        vec![PastChange { time_ns: minutes(90), names: 50 }, PastChange { time_ns: minutes(30), names: 9 }];
    refuses(
        &changed(&sector, ":a knhk:value 1 ."),
        Stage::Guards,
        "blast radius",
        "11 names would have changed within an hour",
    );
    passed(&changed(&sector, ""));
}

#[test]
fn a_candidate_that_is_slower_is_refused() {
    let mut sector = Sector::new(LIMITS);
    let candidate = sector.to(&LIMITS.replace("1000", "1400"));
    let slower = candidate.snapshot.id();
    let work = |extra: u64| {
        Workload::new("decide", move |view| {
            let rounds = if view.snapshot_id(0) == slower { 100 + extra } else { 100 };
            (0..rounds).fold(0_u64, |sum, round| std::hint::black_box(sum.wrapping_mul(31).wrapping_add(round)))
        })
    };
    sector.workloads = vec![work(100)];
    refuses(&sector.run(&candidate), Stage::Performance, "measurement decide", "slower than what is current");
    sector.workloads = vec![work(0)];
    passed(&sector.run(&candidate));
}

/// Bug that it guards against: a sum of what was read overflowed, and the stage panicked.
#[test]
fn values_of_every_type_are_measured() {
    let json = r#"{"i": -1, "least": {"$value": -9223372036854775808, "$min": -9223372036854775808}, "f": -1.5, "b": true,
        "s": "text", "bytes": {"$bytes": "AP8="}, "bools": [true, false], "ints": [-1, 2], "floats": [0.5, -2.0],
        "texts": ["a", ""], "map": {"inside": -7}, "$classes": {"A": [], "B": ["A"]}}"#;
    let sector = Sector::new(json);
    let report = sector.run(&sector.to(&json.replace("\"i\": -1", "\"i\": -2")));
    passed(&report);
    let evidence = &report.stages[Stage::Performance as usize].evidence;
    assert!(evidence["read"]["candidate_ns"].as_f64().is_some_and(|ns| ns > 0.0), "{evidence}");
    assert_eq!(evidence["lookup"]["decision"], "kept");
}

#[test]
fn what_is_not_decided_in_time_or_stopped_is_refused() {
    let mut sector = Sector::new(&with(r#""governance": {"measure_ms": 0.000001}"#));
    let to = |sector: &Sector| sector.changed(":max_qty knhk:value 1000 .", ":max_qty knhk:value 1400 .");
    let report = sector.run(&to(&sector));
    refuses(&report, Stage::Performance, "measurement read", "not decided within 0.000001 ms");
    sector = Sector::new(LIMITS);
    let stop = std::sync::Arc::new(Stop::new());
    let asking = stop.clone();
    let run = move |_: &knhk_hot::Hold| {
        asking.ask();
        0
    };
    sector.workloads = vec![Workload::new("decide", run)];
    let report = sector.run_with(&to(&sector), &passes, &silent, &stop);
    refuses(&report, Stage::Performance, "measurement decide", "stopped before it was decided");
    refuses(&report, Stage::Invariants, "stage invariants", "stopped before it began");
}

#[test]
fn whoever_watches_sees_each_stage_begin_and_end() {
    let sector = Sector::new(LIMITS);
    let candidate = sector.to(&LIMITS.replace("1000", "1400"));
    let seen = std::sync::Mutex::new(Vec::new());
    let progress = |progress: Progress<'_>| {
        let ended = progress.ended.map(|report| report.verdict);
        seen.lock().expect("nobody panics").push((progress.stage, ended));
    };
    passed(&sector.run_watched(&candidate, &passes, &silent, &progress, &Stop::new()));
    let seen = seen.into_inner().expect("nobody panics");
    assert_eq!(seen.len(), 14);
    for stage in Stage::ALL {
        let began = seen.iter().position(|one| *one == (stage, None)).expect("it began");
        let ended = seen.iter().position(|one| *one == (stage, Some(Verdict::Passed))).expect("it ended");
        assert!(began < ended);
    }
}

#[test]
fn an_artifact_that_is_not_what_its_base_compiles_to_is_found_on_the_way_back() {
    let (sector, other) = (Sector::new(LIMITS), Sector::new(&LIMITS.replace("1000", "700")));
    let good = sector.to(&LIMITS.replace("5000", "6000"));
    passed(&sector.run(&good));
    let forged = Candidate { current: Some(other.compiled), ..good };
    refuses(&sector.run(&forged), Stage::Rollback, "way back", "what programs would read after it differs: max_qty");
}

#[test]
fn a_delta_that_leads_elsewhere_is_refused_by_the_way_back() {
    let sector = Sector::new(LIMITS);
    let good = sector.to(&LIMITS.replace("1000", "1400"));
    passed(&sector.run(&good));
    // Somebody else's ΔΣ beside this candidate's snapshot.
    let other = sector.changed("", ":other knhk:value 1 .");
    let forged = Candidate { delta: other.delta, ..good };
    refuses(&sector.run(&forged), Stage::Rollback, "way back", "which it starts from");
}

#[test]
fn a_key_that_programs_hold_is_not_taken_from_them() {
    let mut sector = Sector::new(LIMITS);
    let slot = sector.keys.get("venues").expect("it has a slot");
    sector.keys.mark_interned(slot, knhk_ontology::ValueType::ListStr);
    let json = r#"{"max_qty": {"$value": 1000, "$min": 1, "$max": 5000, "$unit": "lots"}}"#;
    let candidate = sector.to(json);
    refuses(&sector.run(&candidate), Stage::Compatibility, "parameter venues", "would be gone");
    passed(&sector.run(&Candidate { major: true, ..candidate }));
    let retyped = sector.to(&LIMITS.replace(r#"["XPAR", "XLON"]"#, "7"));
    refuses(&sector.run(&retyped), Stage::Compatibility, "parameter venues", "would become i64");
    // A key that nobody holds is told of.
    let renamed = sector.to(&LIMITS.replace("max_qty", "most"));
    let report = sector.run(&renamed);
    passed(&report);
    assert!(found(&report, "parameter max_qty").is_some_and(|(_, finding)| finding.severity == Severity::Warning));
}

#[test]
fn a_class_that_programs_hold_keeps_its_ancestors() {
    let json = with(r#""$classes": {"Option": ["Instrument"], "Instrument": []}"#);
    let mut sector = Sector::new(&json);
    let slot = sector.keys.get("$classes/Option").expect("it has a slot");
    sector.keys.mark_interned(slot, knhk_ontology::ValueType::Class);
    let candidate = sector.to(&json.replace(r#""Option": ["Instrument"]"#, r#""Option": []"#));
    refuses(&sector.run(&candidate), Stage::Compatibility, "class $classes/Option", "no longer be a Instrument");
    passed(&sector.run(&Candidate { major: true, ..candidate }));
}

#[test]
fn a_run_that_is_stopped_refuses_and_says_where() {
    let sector = Sector::new(LIMITS);
    let candidate = sector.to(&LIMITS.replace("1000", "1400"));
    let stop = Stop::new();
    stop.ask();
    let report = sector.run_with(&candidate, &passes, &silent, &stop);
    for stage in Stage::ALL {
        refuses(&report, stage, &format!("stage {}", stage.as_str()), "stopped before it began");
    }
    // Stopped by one of its own stages: whatever had not begun by then refuses.
    let stop = Stop::new();
    let stopping = |_: &Candidate| {
        stop.ask();
        judged(Verdict::Passed, Vec::new())
    };
    let report = sector.run_with(&candidate, &stopping, &silent, &stop);
    refuses(&report, Stage::Invariants, "stage invariants", "stopped before it began");
    assert_eq!(report.stages[Stage::Doctrine as usize].verdict, Verdict::Passed);
}

#[test]
fn the_first_version_is_judged_without_anything_to_compare_with() {
    use std::sync::Arc;
    let mut sector = Sector::new("{}");
    sector.past = Default::default();
    (sector.past.next_number, sector.past.next_epoch) = (1, 1);
    let empty =
        Arc::new(knhk_ontology::Snapshot::empty("orders", &knhk_ontology::Core::shipped(), &Default::default()));
    let delta = Delta::new(empty.graph(), Vec::new(), parsed(&empty, ":max_qty knhk:value 1000 ; knhk:max 5000 ."));
    let keys = knhk_ontology::KeyTable::new();
    let candidate = Candidate::prepare(Sector::asked(), 0, empty, None, Arc::new(delta), &keys).expect("it is sound");
    passed(&sector.run(&candidate));
    assert_eq!(candidate.differences.len(), 1);
}
