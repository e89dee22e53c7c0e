//! The rules and guards that the four sectors are shipped with: sound, about what there is, and each refusing what it is there for.

use std::collections::BTreeMap;
use std::sync::Arc;

use knhk_governance::doctrine::{self, Doctrine, Enforcement, Facts, Kind, Rule};
use knhk_governance::guard::{Guards, Standing};
use knhk_governance::{Asked, Candidate, StageReport, Verdict};
use knhk_ontology::graph::Delta;
use knhk_ontology::rdf::{self, Format};
use knhk_ontology::sectors::{Shipped, shipped};
use knhk_ontology::{Compiled, Core, KeyTable, Limits, Snapshot, compile_snapshot};

use super::support::{NOW, lines};

struct Sector {
    shipped: Shipped,
    base: Arc<Snapshot>,
    current: Arc<Compiled>,
    keys: KeyTable,
    doctrine: Doctrine,
    guards: Guards,
}

impl Sector {
    fn of(shipped: &Shipped) -> Sector {
        let empty = Snapshot::empty(shipped.name, &Core::shipped(), &Limits::default());
        let graph = empty.graph();
        let base = empty.namespace().prefix();
        let read =
            rdf::parse(shipped.ontology.as_bytes(), Format::Turtle, base, graph.terms(), empty.limits()).unwrap();
        let base = Arc::new(empty.apply(&Delta::new(graph, vec![], read)).unwrap());
        let mut keys = KeyTable::new();
        let current = Arc::new(compile_snapshot(&base, &mut keys, None).unwrap());
        let mut revisions = Vec::new();
        for rule in
            doctrine::rules_from_toml(shipped.doctrine).unwrap_or_else(|error| panic!("{}: {error}", shipped.name))
        {
            assert_eq!(rule.sector.as_deref(), Some(shipped.name));
            Doctrine::at(&revisions, NOW, NOW).admit(&rule).unwrap_or_else(|conflict| panic!("{conflict}"));
            let revision = doctrine::revise(&revisions, rule, false, NOW - 1, "shipped", "to start from");
            revisions.push(revision);
        }
        let guards = Guards::from_toml(shipped.guards).unwrap_or_else(|error| panic!("{}: {error}", shipped.name));
        let doctrine = Doctrine::at(&revisions, NOW, NOW);
        Sector { shipped: *shipped, base, current, keys, doctrine, guards }
    }

    /// The change that gives parameters other values, as JSON.
    fn change(&self, values: &[(&str, &str)]) -> Candidate {
        let document = self.base.document().unwrap();
        let mut json: serde_json::Value = serde_json::from_str(&document.to_json()).unwrap();
        for (path, value) in values {
            let leaf = path
                .split('/')
                .fold(&mut json, |map, name| map.get_mut(name).unwrap_or_else(|| panic!("{path} is there")));
            leaf["$value"] = serde_json::from_str(value).unwrap();
        }
        let document = knhk_ontology::Document::parse(json.to_string(), &Limits::default()).unwrap();
        let delta = Arc::new(self.base.change_to(&document).unwrap());
        let asked = Asked { proposal: "p-1".into(), by: "zoe".into(), time_ns: NOW, ..Asked::default() };
        Candidate::prepare(asked, 1, self.base.clone(), Some(self.current.clone()), delta, &self.keys).unwrap()
    }

    fn judge(&self, candidate: &Candidate, now_ns: u64) -> StageReport {
        let groups_of = |_: &str| vec!["operations".to_owned()];
        let callbacks = |_: &str, _: &Rule, _: &Candidate| None;
        let facts = Facts {
            candidate,
            groups_of: &groups_of,
            approvals: &[],
            now_ns,
            changes_last_hour: 0,
            callbacks: &callbacks,
        };
        self.doctrine.judge(&facts)
    }

    fn guard(&self, candidate: &Candidate) -> StageReport {
        let figures = BTreeMap::from([("artifact_bytes".to_owned(), 100_000.0)]);
        let standing = Standing { approvers: None, approvals: &[], relaxations: &[], figures: &figures };
        self.guards.judge(candidate, &standing, NOW)
    }
}

fn sector(name: &str) -> Sector {
    Sector::of(shipped().iter().find(|shipped| shipped.name == name).expect("it is shipped"))
}

#[test]
fn rules_are_about_what_there_is() {
    for shipped in shipped() {
        let sector = Sector::of(shipped);
        let artifact = &sector.current.artifact;
        let mut kinds: Vec<&str> = Vec::new();
        for rule in sector.doctrine.rules() {
            for path in &rule.paths {
                assert!(artifact.find(path).is_some(), "{rule}: {path} is there");
            }
            for guard in &rule.guards {
                assert!(sector.guards.get(guard).is_some(), "{rule}: guard {guard} is there");
            }
            assert!(!rule.doc.is_empty(), "{rule} says what it is for");
            assert!(rule.enforcement != Enforcement::SoftMandatory || !rule.override_by.is_empty(), "{rule}");
            if let Kind::Expression(condition) = &rule.kind {
                let names = doctrine::Expression::compile(&condition.cel).unwrap();
                for path in names.literals().filter(|name| name.contains('/') && !name.ends_with('/')) {
                    assert!(artifact.find(path).is_some(), "{rule}: {path} is there");
                }
            }
            kinds.push(rule.kind.as_str());
        }
        for kind in ["approval_chain", "segregation_of_duties", "resource_limit", "time_window", "shape", "expression"]
        {
            assert!(kinds.contains(&kind), "{} has a rule of kind {kind}", shipped.name);
        }
        // What is shipped keeps its own guards, and all its rules but those that wait for somebody.
        let nothing = sector.change(&[]);
        assert_eq!(lines(&sector.guard(&nothing)), Vec::<String>::new(), "{}", shipped.name);
        assert_eq!(lines(&sector.judge(&nothing, NOW)), Vec::<String>::new(), "{}", shipped.name);
    }
}

/// 2026-03-04 10:00 UTC, a Wednesday, plus hours.
fn at(hours: u64) -> u64 {
    NOW + hours * 3_600_000_000_000
}

#[test]
fn each_rule_stops_what_it_is_there_for() {
    type Case = (&'static str, &'static [(&'static str, &'static str)], u64, &'static [&'static str]);
    let cases: [Case; 20] = [
        ("finance", &[("order/max_quantity", "12000")], at(0), &[]),
        ("finance", &[("order/max_quantity", "13000")], at(0), &["four-eyes"]),
        ("finance", &[("order/max_quantity", "30000")], at(0), &["four-eyes", "small-steps"]),
        ("finance", &[("fat_finger/quantity", "20000")], at(0), &["four-eyes", "warn-before-refusing"]),
        ("finance", &[("control/kill_switch", "true")], at(0), &[]),
        ("finance", &[("control/mode", "\"reduce_only\"")], at(0), &["controls", "controls"]),
        ("finance", &[("routing/max_venue_latency", "21")], at(0), &["outside-of-sessions"]),
        ("finance", &[("routing/max_venue_latency", "21")], at(9), &[]),
        ("healthcare", &[("vital/heart_rate_high", "130")], at(0), &["clinical-safety"]),
        ("healthcare", &[("dose/soft_stop", "90.0")], at(9), &["doses", "doses", "while-staffed"]),
        ("healthcare", &[("retention/adult", "7")], at(0), &["privacy", "records-are-kept"]),
        ("healthcare", &[("retention/adult", "9")], at(0), &["privacy"]),
        ("manufacturing", &[("temperature/cure_set_point", "181.0")], at(0), &[]),
        ("manufacturing", &[("temperature/cure_set_point", "184.0")], at(0), &["process-window"]),
        (
            "manufacturing",
            &[("temperature/cure_max", "215.0")],
            at(0),
            &["process-steps", "process-window", "warn-before-trip"],
        ),
        (
            "manufacturing",
            &[("safety/bypass_max", "61")],
            at(9),
            &["day-shift", "safety-functions", "safety-functions"],
        ),
        ("logistics", &[("routing/weight_cost", "51.0")], at(0), &["routing-weights"]),
        ("logistics", &[("routing/weight_cost", "51.0"), ("routing/weight_time", "29.0")], at(0), &[]),
        ("logistics", &[("dangerous/max_points", "900")], at(0), &["dangerous-goods"]),
        ("logistics", &[("vehicle/gross_weight", "24000")], at(0), &["carrier-limits", "payload-below-gross"]),
    ];
    let sectors: BTreeMap<&str, Sector> = shipped().iter().map(|shipped| (shipped.name, Sector::of(shipped))).collect();
    for (name, values, now_ns, rules) in cases {
        let sector = &sectors[name];
        let report = sector.judge(&sector.change(values), now_ns);
        let prefix = format!("rule {name}/");
        let mut broken: Vec<&str> =
            report.findings.iter().filter_map(|finding| finding.item.strip_prefix(&prefix)).collect();
        broken.sort_unstable();
        assert_eq!(broken, rules, "{values:?}: {:?}", lines(&report));
        assert_eq!(report.verdict == Verdict::Passed, rules.is_empty(), "{values:?}");
    }
}

#[test]
fn the_kill_switch_is_pulled_at_once_and_let_go_by_risk() {
    let finance = sector("finance");
    let pulled = finance.change(&[("control/kill_switch", "true")]);
    assert_eq!(finance.judge(&pulled, NOW).verdict, Verdict::Passed);
    let (current, base) = (pulled.compiled.clone().unwrap(), pulled.snapshot.clone());
    let back = Delta::between(base.graph(), finance.base.graph());
    let asked = Asked { by: "zoe".into(), time_ns: NOW, ..Asked::default() };
    let released = Candidate::prepare(asked, 2, base, Some(current), Arc::new(back), &finance.keys).unwrap();
    let report = finance.judge(&released, NOW);
    assert_eq!((report.verdict, report.needs[0].groups.as_slice()), (Verdict::Waiting, ["risk".to_owned()].as_slice()));
    assert_eq!(report.findings[0].item, "rule finance/kill-switch-release");
}

#[test]
fn each_guard_holds_its_boundary() {
    let cases = [
        ("finance", "credit/max_firm", "100000001", "99999999", "firm-limits"),
        ("finance", "order/max_quantity", "30001", "30000", "order-limits"),
        ("finance", "position/locate_required", "false", "true", "locate"),
        ("finance", "control/mode", "\"cancel_only\"", "\"reduce_only\"", "stopped-is-stopped"),
        ("healthcare", "residency/regions", "[\"eu-west\", \"us-east\"]", "[\"eu-west\"]", "residency"),
        ("healthcare", "residency/processing_countries", "[\"DE\", \"US\"]", "[\"DE\", \"AT\"]", "residency"),
        ("healthcare", "residency/cross_border_sharing", "true", "false", "borders"),
        ("healthcare", "vital/heart_rate_high", "151", "150", "alarms"),
        ("healthcare", "dose/hard_stop", "101.0", "100.0", "doses"),
        ("healthcare", "consent/default_decision", "\"permit\"", "\"deny\"", "deny-by-default"),
        ("manufacturing", "temperature/trip", "211.0", "209.0", "trips"),
        ("manufacturing", "speed/robot_shared", "1001", "1000", "robots"),
        ("manufacturing", "safety/guard_locking", "false", "true", "locked-while-running"),
        ("manufacturing", "spc/cpk_min", "1.32", "1.34", "capability"),
        ("logistics", "dangerous/accepted", "false", "true", "dangerous-goods"),
        ("logistics", "cold_chain/chilled_max", "8.5", "7.5", "cold-chain"),
        ("logistics", "vehicle/driving_time", "9.5", "8.5", "road-limits"),
        ("logistics", "customs/sanctions_screening", "false", "true", "sanctions"),
    ];
    let sectors: BTreeMap<&str, Sector> = shipped().iter().map(|shipped| (shipped.name, Sector::of(shipped))).collect();
    let mut held: Vec<(&str, &str)> = Vec::new();
    for (name, path, beyond, within, guard) in cases {
        let sector = &sectors[name];
        let report = sector.guard(&sector.change(&[(path, beyond)]));
        assert_ne!(report.verdict, Verdict::Passed, "{name} {path} = {beyond}");
        assert!(report.findings.iter().all(|finding| finding.item == format!("guard {guard}")), "{:?}", lines(&report));
        let report = sector.guard(&sector.change(&[(path, within)]));
        assert_eq!((report.verdict, lines(&report)), (Verdict::Passed, vec![]), "{name} {path} = {within}");
        held.push((name, guard));
    }
    for sector in sectors.values() {
        for guard in sector.guards.guards.iter().filter(|guard| !guard.id.ends_with("map-size")) {
            assert!(
                held.contains(&(sector.shipped.name, &guard.id)),
                "{} {} is looked at",
                sector.shipped.name,
                guard.id
            );
        }
    }
}
