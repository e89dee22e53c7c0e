//! Guards: each kind refuses what crosses its boundary, with the guard, the values and the way out; lets the mended change pass; gives way
//! under a relaxation in force, and stands again when that expires or is revoked.

mod cases;
#[path = "../common/mod.rs"]
mod common;
mod forms;

use std::collections::BTreeMap;

use cases::{BASE, Case, Change, TURTLE, cases};
use common::{NOW, Sector};
use knhk_governance::approval::{Approval, Approved, Approver, Approvers, Ask, Event, Relaxation, State, Word};
use knhk_governance::guard::{Guard, Guards, Standing};
use knhk_governance::{Candidate, Severity, StageReport, Verdict};
use knhk_ledger::Signer;

const HOUR: u64 = 3_600_000_000_000;

fn guards(rule: &str) -> Guards {
    let toml = format!("id = \"g\"\ncriticality = \"high\"\ngroups = [\"risk\"]\n{rule}");
    let guard: Guard = toml::from_str(&toml).unwrap_or_else(|error| panic!("{error}\n{toml}"));
    let guards = Guards { revision: 1, guards: vec![guard] }.checked().expect("the guard can be");
    // Every form says the same.
    assert_eq!(Guards::from_toml(&guards.to_toml()).expect("it was written so"), guards, "{toml}");
    assert_eq!(Guards::from_json(&guards.to_json()).expect("it was written so"), guards, "{toml}");
    assert_eq!(
        Guard::from_json(&guards.guards[0].to_json()).expect("it was written so").hash(),
        guards.guards[0].hash()
    );
    guards
}

fn candidate(change: Change) -> (Candidate, BTreeMap<String, f64>) {
    let (from, to, figure) = match change {
        Change::Values(from, to) => (from, to, None),
        Change::Measured(figure) => ("0.5", "0.6", Some(figure)),
        Change::Statements(removed, added) => {
            return (Sector::named("orders", BASE, TURTLE).changed(removed, added), BTreeMap::new());
        }
    };
    assert!(BASE.contains(from), "{from}");
    let figures = figure.map(|figure| ("read_ns".to_owned(), figure));
    (Sector::new(BASE).to(&BASE.replacen(from, to, 1)), figures.into_iter().collect())
}

fn judge(
    guards: &Guards,
    of: &(Candidate, BTreeMap<String, f64>),
    relaxations: &[Relaxation],
    now: u64,
) -> StageReport {
    let approvers = approvers();
    let standing = Standing { approvers: Some(&approvers), approvals: &[], relaxations, figures: &of.1 };
    guards.judge(&of.0, &standing, now)
}

fn key(number: u8) -> Signer {
    Signer::from_seed(&[number + 1; 32])
}

fn approvers() -> Approvers {
    let member = |(number, (name, group)): (usize, (&str, &str))| Approver {
        name: name.into(),
        key: key(number as u8).public(),
        groups: vec![group.into()],
    };
    let people = [("ada", "risk"), ("bob", "risk"), ("cyd", "risk"), ("dan", "desk")];
    let members = people.into_iter().enumerate().map(member).collect();
    Approvers { revision: 1, threshold: 2, keepers: String::new(), members }.checked().expect("the set can be")
}

fn approve(relaxation: &Relaxation, number: u8, now: u64) -> Relaxation {
    let request = relaxation.tally.matter.request(Word::Approve, [number; 16], now, now + 24 * HOUR);
    let signed = request.sign(&key(number)).expect("the key is here");
    let ballot = Approval::from_bytes(&signed).and_then(|approval| approval.verify(&[&approvers()]));
    relaxation.decide(&Event::Ballot(ballot.expect("it is genuine")), now).expect("it is admissible")
}

fn asked(guard: &Guard) -> Relaxation {
    let ask = Ask {
        id: "r-3".into(),
        sector: Some("orders".into()),
        proposal: None,
        by: "ops-1".into(),
        why: "the exchange asked".into(),
        until_ns: NOW + 20 * HOUR,
    };
    Relaxation::request("orders.example/1", guard, ask, false, NOW).expect("it can be asked for")
}

#[test]
fn every_kind_of_guard_refuses_lets_pass_gives_way_and_stands_again() {
    let mut kinds = std::collections::HashSet::new();
    for Case { guard, crosses, says, mended } in cases() {
        let guards = guards(guard);
        kinds.insert(guards.guards[0].kind);
        let (crossing, mended) = (candidate(crosses), candidate(mended));

        let refused = |relaxations: &[Relaxation], now: u64| {
            let report = judge(&guards, &crossing, relaxations, now);
            assert_eq!(report.verdict, Verdict::Refused, "{guard} {says}: {report:#?}");
            let finding = report.findings.iter().find(|finding| finding.what.contains(says));
            let finding = finding.unwrap_or_else(|| panic!("{guard} should say {says:?}: {report:#?}"));
            assert_eq!((finding.severity, &*finding.item), (Severity::Blocker, "guard g"));
            assert!(finding.fix.ends_with("ask for a relaxation: knhk relax g"), "{finding:?}");
        };
        refused(&[], NOW);
        let report = judge(&guards, &mended, &[], NOW);
        assert_eq!((report.verdict, report.findings.len()), (Verdict::Passed, 0), "{guard}: {report:#?}");

        // Under way it waits; in force it passes, and tells by whom.
        let relaxation = asked(&guards.guards[0]);
        let report = judge(&guards, &crossing, std::slice::from_ref(&relaxation), NOW);
        assert_eq!(report.verdict, Verdict::Waiting, "{guard}: {report:#?}");
        assert!(
            report.findings[0]
                .fix
                .contains("wait for relaxation r-3, which needs 2 more approvals and its review time")
        );
        assert_eq!((report.needs[0].approvals, report.needs[0].quorum), (0, 2));
        let relaxation = approve(&approve(&relaxation, 0, NOW + 1), 1, NOW + 2);
        let report = judge(&guards, &crossing, std::slice::from_ref(&relaxation), NOW + 12 * HOUR - 1);
        assert_eq!(report.verdict, Verdict::Waiting, "under review");
        let report = judge(&guards, &crossing, std::slice::from_ref(&relaxation), NOW + 12 * HOUR);
        assert_eq!(report.verdict, Verdict::Passed, "{guard}: {report:#?}");
        assert_eq!(report.findings[0].severity, Severity::Info);
        assert!(report.findings[0].what.contains("; relaxation r-3, approved by ada and bob, lets it pass until"));

        refused(std::slice::from_ref(&relaxation), NOW + 20 * HOUR);
        let revoke = Event::Revoke { by: "ada".into(), why: "the exchange called back".into() };
        let revoked = relaxation.decide(&revoke, NOW + 13 * HOUR).expect("it is in force");
        refused(&[revoked], NOW + 13 * HOUR);
    }
    assert_eq!(kinds.len(), 4, "the fifth has a test of its own");
}

#[test]
fn an_approval_chain_is_approved_step_by_step() {
    let guards = guards(
        r#"kind = "approval_chain"
        chain = { paths = ["order/**"], above = 0.25, steps = ["desk", "risk", "risk"] }"#,
    );
    let (crossing, figures) = candidate(Change::Values("1000", "1251"));
    let approvers = approvers();
    let approved = |by: &[&str]| -> Vec<Approved> {
        let one = |(at, by): (usize, &&str)| Approved {
            by: (*by).to_owned(),
            groups: approvers.groups_of(by),
            time_ns: NOW + at as u64,
            expires_ns: u64::MAX,
            overrides: vec![],
        };
        by.iter().enumerate().map(one).collect()
    };
    let judge = |by: &[&str]| {
        let approvals = approved(by);
        let standing =
            Standing { approvers: Some(&approvers), approvals: &approvals, relaxations: &[], figures: &figures };
        guards.judge(&crossing, &standing, NOW)
    };
    let report = judge(&[]);
    assert_eq!(report.verdict, Verdict::Waiting, "{report:#?}");
    assert_eq!(
        report.findings[0].what,
        "order/max_qty would change, which desk, risk and risk approve in this order; 0 of 3 did"
    );
    assert_eq!(
        report.findings[0].fix,
        "have someone in desk approve it: knhk approve <proposal>, or ask for a relaxation: knhk relax g"
    );
    for (by, done) in [
        (&["dan"][..], 1),
        // The steps have an order, and nobody takes two.
        (&["ada", "bob", "dan"], 1),
        (&["dan", "ada"], 2),
        (&["dan", "ada", "ada"], 2),
    ] {
        let report = judge(by);
        assert_eq!((report.verdict, report.needs[0].approvals), (Verdict::Waiting, done), "{by:?}: {report:#?}");
    }
    assert_eq!(judge(&["dan", "ada", "cyd"]).verdict, Verdict::Passed);

    let (small, figures) = candidate(Change::Values("1000", "1250"));
    let standing = Standing { approvers: None, approvals: &[], relaxations: &[], figures: &figures };
    assert_eq!(guards.judge(&small, &standing, NOW).verdict, Verdict::Passed, "a quarter is not above a quarter");

    let relaxation = approve(&approve(&asked(&guards.guards[0]), 0, NOW), 1, NOW);
    let relaxed = [relaxation];
    let standing = Standing { approvers: Some(&approvers), approvals: &[], relaxations: &relaxed, figures: &figures };
    assert_eq!(guards.judge(&crossing, &standing, NOW + 12 * HOUR).verdict, Verdict::Passed);
    assert_eq!(guards.judge(&crossing, &standing, NOW + 20 * HOUR).verdict, Verdict::Waiting, "it expired");
}

#[test]
fn a_relaxation_is_of_one_guard_as_it_was_one_sector_and_one_proposal() {
    let strict = guards("kind = \"safety_interlock\"\nlimit = [{ paths = [\"**\"], max = 2000 }]");
    let guard = &strict.guards[0];
    let of = candidate(Change::Values("1000", "3000"));
    let in_force = approve(&approve(&asked(guard), 0, NOW), 1, NOW);
    let at = NOW + 12 * HOUR;
    assert_eq!(in_force.state(&approvers(), at), State::InForce);
    let verdict =
        |guards: &Guards, relaxation: &Relaxation| judge(guards, &of, std::slice::from_ref(relaxation), at).verdict;
    assert_eq!(verdict(&strict, &in_force), Verdict::Passed);
    let standing_figures = BTreeMap::new();
    let set = approvers();
    let relaxed = [in_force.clone()];
    let standing =
        Standing { approvers: Some(&set), approvals: &[], relaxations: &relaxed, figures: &standing_figures };
    assert!(strict.gives_way("order/max_qty", &of.0, &standing, at));
    assert!(!strict.gives_way("order/max_qty", &of.0, &standing, NOW + 20 * HOUR));

    let mut stricter = guard.clone();
    stricter.limits[0].max = Some(knhk_governance::guard::Number::I64(1500));
    assert_eq!(verdict(&strict.with(stricter), &in_force), Verdict::Refused, "the guard changed");
    let mut other = guard.clone();
    other.id = "h".into();
    assert_eq!(verdict(&Guards { revision: 1, guards: vec![other] }, &in_force), Verdict::Refused);

    let ask = |sector: Option<&str>, proposal: Option<&str>| {
        let ask = Ask {
            id: "r-4".into(),
            sector: sector.map(str::to_owned),
            proposal: proposal.map(str::to_owned),
            by: "ops-1".into(),
            why: "the exchange asked".into(),
            until_ns: NOW + 20 * HOUR,
        };
        let asked = Relaxation::request("orders.example/1", guard, ask, false, NOW).expect("it can be asked for");
        approve(&approve(&asked, 0, NOW), 1, NOW)
    };
    assert_eq!(verdict(&strict, &ask(Some("finance"), None)), Verdict::Refused);
    assert_eq!(verdict(&strict, &ask(None, Some("p-1"))), Verdict::Refused);
    assert_eq!(verdict(&strict, &ask(None, None)), Verdict::Passed);
    let mut elsewhere = guard.clone();
    elsewhere.sector = Some("finance".into());
    let elsewhere = Guards { revision: 1, guards: vec![elsewhere] };
    assert_eq!(judge(&elsewhere, &of, &[], at).verdict, Verdict::Passed, "it guards another sector");
}

#[test]
fn what_changes_is_judged_and_not_what_stands() {
    let guards = guards("kind = \"safety_interlock\"\nlimit = [{ paths = [\"order/max_qty\"], max = 10 }]");
    let elsewhere = candidate(Change::Values("0.5", "0.6"));
    assert_eq!(judge(&guards, &elsewhere, &[], NOW).verdict, Verdict::Passed);
    let still_beyond = candidate(Change::Values("1000", "999"));
    assert_eq!(judge(&guards, &still_beyond, &[], NOW).verdict, Verdict::Refused);
}

/// The quorum and the review time of each criticality.
#[test]
fn criticality_decides_the_quorum_and_the_review_time() {
    for (criticality, quorum, hours) in [("low", 1, 0), ("medium", 1, 1), ("high", 2, 12), ("critical", 3, 24)] {
        let mut guard =
            guards("kind = \"safety_interlock\"\nlimit = [{ paths = [\"**\"], max = 2000 }]").guards.remove(0);
        guard.criticality = serde_json::from_str(&format!("{criticality:?}")).expect("it is one");
        let ask = Ask {
            id: "r-1".into(),
            sector: None,
            proposal: None,
            by: "ops-1".into(),
            why: "the exchange asked".into(),
            until_ns: NOW + 48 * HOUR,
        };
        let mut relaxation = Relaxation::request("log", &guard, ask, false, NOW).expect("it can be asked for");
        let reviewed = NOW + hours * HOUR;
        for number in 0..quorum {
            assert_eq!(relaxation.state(&approvers(), reviewed), State::Requested, "{criticality}");
            relaxation = approve(&relaxation, number, reviewed);
        }
        assert_eq!(relaxation.state(&approvers(), reviewed), State::InForce, "{criticality}");
        // Approved early, it waits.
        if hours > 0 {
            let mut early = relaxation.clone();
            early.tally.seen_ns = NOW;
            assert_eq!(early.state(&approvers(), reviewed - 1), State::Approved, "{criticality}");
        }
        let text = serde_json::to_string(&relaxation).expect("it is written");
        assert_eq!(serde_json::from_str::<Relaxation>(&text).expect("it was written so"), relaxation);
    }
}
