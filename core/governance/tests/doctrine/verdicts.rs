//! What enforcement makes of a broken rule, which rules a change is judged by, and what is kept of it.

use knhk_governance::doctrine::{self, Doctrine};
use knhk_governance::{Severity, Verdict};

use super::support::*;

const LIMIT: &str = "paths = [\"limits/max_qty\"]\n[rule.resource_limit]\nof = \"value\"\nmax = 5000";

#[test]
fn an_advisory_rule_warns() {
    let doctrine = doctrine_of(vec![rule("r", "advisory", LIMIT)]);
    let report = judge(&doctrine, &World::new().max_qty(9000), &[]);
    assert_eq!((report.verdict, report.findings[0].severity), (Verdict::Passed, Severity::Warning));
    let doctrine = doctrine_of(vec![rule("r", "advisory", "[rule.approval_chain]\nsteps = [{ quorum = 1 }]")]);
    let report = judge(&doctrine, &World::new().max_qty(9000), &[]);
    assert_eq!((report.verdict, report.needs.len()), (Verdict::Passed, 0));
}

#[test]
fn a_soft_mandatory_rule_waits_for_an_override_by_name() {
    let world = World::new();
    let soft = rule("r", "soft_mandatory", &format!("override_by = [\"head-of-desk\"]\n{LIMIT}"));
    let doctrine = doctrine_of(vec![soft]);
    let candidate = world.max_qty(9000);
    let overriding = |by: &str, groups: &[&str], rule: &str| {
        let mut approved = approved(by, groups);
        approved.overrides.push(rule.to_owned());
        approved
    };
    // Nobody; without naming it; naming another; of another group; who proposes.
    for approvals in [
        vec![],
        vec![approved("eve", &["head-of-desk"])],
        vec![overriding("eve", &["head-of-desk"], "orders/other")],
        vec![overriding("ada", &["desk-risk"], "orders/r")],
        vec![overriding("bob", &["head-of-desk"], "orders/r")],
    ] {
        let report = judge(&doctrine, &candidate, &approvals);
        assert_eq!(report.verdict, Verdict::Waiting);
        assert_eq!(
            lines(&report),
            ["rule orders/r: limits/max_qty = 9000 is above the limit of 5000; choose limits/max_qty up to 5000; \
              or have somebody in head-of-desk override the rule by name"]
        );
        let need = &report.needs[0];
        assert_eq!((need.item.as_str(), need.quorum), ("rule orders/r (override)", 1));
        assert_eq!(need.groups, ["head-of-desk"]);
    }
    // That it was overridden stays to be seen.
    let report = judge(&doctrine, &candidate, &[overriding("eve", &["head-of-desk"], "orders/r")]);
    assert_eq!((report.verdict, report.findings[0].severity), (Verdict::Passed, Severity::Warning));
    assert_eq!(report.findings[0].what, "limits/max_qty = 9000 is above the limit of 5000; eve overrides the rule");
    assert_eq!(report.evidence["overridden"], serde_json::json!(["orders/r"]));
    let kept = doctrine::violations(&report, &candidate, NOW);
    assert_eq!((kept.len(), kept[0].rule.as_str(), kept[0].overridden), (1, "orders/r", true));
    assert_eq!((kept[0].by.as_str(), kept[0].proposal.as_str(), kept[0].time_ns), ("bob", "p-1", NOW));
}

#[test]
fn a_hard_mandatory_rule_cannot_be_overridden() {
    let doctrine = doctrine_of(vec![rule("r", "hard_mandatory", LIMIT)]);
    let mut all = approved("eve", &["head-of-desk"]);
    all.overrides.push("orders/r".into());
    assert_eq!(judge(&doctrine, &World::new().max_qty(9000), &[all]).verdict, Verdict::Refused);
}

#[test]
fn the_gravest_verdict_stands_and_the_gravest_finding_comes_first() {
    let chain = "[rule.approval_chain]\nsteps = [{ quorum = 1 }]";
    let rules = vec![
        rule("a-advice", "advisory", LIMIT),
        rule("b-chain", "hard_mandatory", chain),
        rule("c-limit", "hard_mandatory", LIMIT),
    ];
    let report = judge(&doctrine_of(rules), &World::new().max_qty(9000), &[]);
    let items: Vec<&str> = report.findings.iter().map(|finding| finding.item.as_str()).collect();
    assert_eq!(items, ["rule orders/b-chain", "rule orders/c-limit", "rule orders/a-advice"]);
    assert_eq!((report.verdict, report.needs.len()), (Verdict::Refused, 1));
}

#[test]
fn a_change_is_judged_by_the_rules_of_its_sector_its_paths_and_its_time() {
    let world = World::new();
    let mut elsewhere = rule("elsewhere", "hard_mandatory", LIMIT);
    elsewhere.sector = Some("payments".into());
    let mut everywhere = rule("everywhere", "hard_mandatory", LIMIT);
    everywhere.sector = None;
    let path = rule("path", "hard_mandatory", &LIMIT.replace("limits/max_qty", "limits/ratio"));
    let mut later = rule("later", "hard_mandatory", LIMIT);
    later.from_ns = NOW + 1;
    let mut over = rule("over", "hard_mandatory", LIMIT);
    over.until_ns = Some(NOW);
    let doctrine = doctrine_of(vec![elsewhere, everywhere, path, later, over]);
    assert_eq!(doctrine.holds_until(), Some(NOW + 1));
    let report = judge(&doctrine, &world.max_qty(9000), &[]);
    let items: Vec<&str> = report.findings.iter().map(|finding| finding.item.as_str()).collect();
    assert_eq!(items, ["rule everywhere"]);
    assert_eq!(report.evidence["judged"], 1);
}

#[test]
fn who_may_not_approve_is_told_before_it_is_recorded() {
    let world = World::new();
    let duties = "[rule.segregation_of_duties]\nexclusive = [[\"desk\", \"desk-risk\"]]";
    let doctrine = doctrine_of(vec![rule("duties", "hard_mandatory", duties)]);
    let candidate = world.max_qty(1400);
    let groups = |by| groups_of(by);
    assert!(doctrine.may_approve(&candidate, "ada", &groups("ada")).is_ok());
    let own = doctrine.may_approve(&candidate, "bob", &groups("bob")).unwrap_err();
    assert_eq!((own.item.as_str(), own.what.as_str()), ("rule orders/duties", "bob proposes it and approves it"));
    let both = ["desk".to_owned(), "desk-risk".to_owned()];
    assert!(doctrine.may_approve(&candidate, "zoe", &both).is_err());
}

#[test]
fn milder_results_of_shapes_do_not_stop_a_change() {
    let world = World::new();
    let shape = |severity: &str| {
        format!(
            "[rule.shape]\nturtle = '''\n@prefix sh: <http://www.w3.org/ns/shacl#> .\n@prefix knhk: <urn:knhk:core:> .\n\
             <S> sh:targetNode <limits/max_qty> ; sh:severity sh:{severity} ;\n sh:property [ sh:path knhk:value ; \
             sh:severity sh:{severity} ; sh:maxInclusive 5000 ] .\n'''"
        )
    };
    for (severity, verdict, as_) in [
        ("Violation", Verdict::Refused, Severity::Blocker),
        ("Warning", Verdict::Passed, Severity::Warning),
        ("Info", Verdict::Passed, Severity::Info),
    ] {
        let doctrine = doctrine_of(vec![rule("s", "hard_mandatory", &shape(severity))]);
        let report = judge(&doctrine, &world.max_qty(9000), &[]);
        assert_eq!((report.verdict, report.findings[0].severity), (verdict, as_), "{severity}");
        // Judged again, from what is known of the knowledge before.
        assert_eq!(judge(&doctrine, &world.max_qty(9000), &[]).findings, report.findings);
        assert!(judge(&doctrine, &world.max_qty(4000), &[]).findings.is_empty());
    }
}

#[test]
fn no_rules_let_every_change_pass() {
    let report = judge(&Doctrine::at(&[], NOW, NOW), &World::new().max_qty(9000), &[]);
    assert_eq!((report.verdict, report.findings.len()), (Verdict::Passed, 0));
}
