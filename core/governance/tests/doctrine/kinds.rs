//! Each kind of rule refuses a change that breaks it, with a message that names rule, item and way out, and lets the mended one pass.

use knhk_governance::approval::Approved;
use knhk_governance::{Candidate, Verdict};

use super::support::*;

struct Row {
    /// The rule, without its head.
    rule: &'static str,
    breaks: Box<dyn Fn(&World) -> Candidate>,
    /// The approvals that the breaking one has.
    approvals: Vec<Approved>,
    verdict: Verdict,
    says: &'static str,
    keeps: Box<dyn Fn(&World) -> Candidate>,
    /// The approvals that the mended one has.
    mended: Vec<Approved>,
}

fn qty(value: i64) -> Box<dyn Fn(&World) -> Candidate> {
    Box::new(move |world| world.max_qty(value))
}

fn json(from: &'static str, to: &'static str) -> Box<dyn Fn(&World) -> Candidate> {
    Box::new(move |world| {
        assert!(BASE.contains(from));
        world.change(&BASE.replace(from, to))
    })
}

fn row(
    rule: &'static str,
    breaks: Box<dyn Fn(&World) -> Candidate>,
    says: &'static str,
    keeps: Box<dyn Fn(&World) -> Candidate>,
) -> Row {
    Row { rule, breaks, approvals: vec![], verdict: Verdict::Refused, says, keeps, mended: vec![] }
}

fn waiting(rule: &'static str, approvals: Vec<Approved>, says: &'static str, mended: Vec<Approved>) -> Row {
    let (breaks, keeps) = (qty(1400), qty(1400));
    Row { rule, breaks, approvals, verdict: Verdict::Waiting, says, keeps, mended }
}

fn rows() -> Vec<Row> {
    vec![
        waiting(
            "paths = [\"limits\"]\n[rule.approval_chain]\nabove_percent = 25\nsteps = [{ groups = [\"desk-risk\"], quorum = 1 }]",
            vec![],
            "rule orders/r: limits/max_qty 1000 → 1400, 40 % is above 25 %: 1 more approval by desk-risk needed, none so far; \
             have somebody in desk-risk approve it, other than bob",
            vec![approved("ada", &["desk-risk"])],
        ),
        // Who proposes does not count, and nobody counts twice.
        waiting(
            "[rule.approval_chain]\nsteps = [{ quorum = 2 }]",
            vec![approved("bob", &["desk"]), approved("ada", &[]), approved("ada", &[])],
            "rule orders/r: 1 more approval needed, 1 of 2 so far; have an approver approve it, other than bob",
            vec![approved("ada", &[]), approved("eve", &[])],
        ),
        waiting(
            "[rule.approval_chain]\nproposer_counts = true\nsteps = [{ quorum = 2 }]",
            vec![],
            "rule orders/r: 1 more approval needed, 1 of 2 so far; have an approver approve it, other than bob",
            vec![approved("ada", &[])],
        ),
        waiting(
            "[rule.approval_chain]\nsteps = [{ groups = [\"desk-risk\"], quorum = 1 }, { groups = [\"head-of-desk\"], quorum = 1 }]",
            vec![approved("eve", &["head-of-desk", "desk-risk"])],
            "rule orders/r: step 2, 1 more approval by head-of-desk needed, none so far; \
             have somebody in head-of-desk approve it, other than bob",
            vec![approved("eve", &["head-of-desk", "desk-risk"]), approved("ada", &["desk-risk"])],
        ),
        Row {
            approvals: vec![approved("bob", &["desk"])],
            mended: vec![approved("ada", &["desk-risk"])],
            ..row(
                "[rule.segregation_of_duties]",
                qty(1400),
                "rule orders/r: bob proposes it and approves it; withdraw the approval of bob, and have somebody else approve it",
                qty(1400),
            )
        },
        Row {
            approvals: vec![approved("eve", &["head-of-desk", "desk-risk"])],
            mended: vec![approved("ada", &["desk-risk"])],
            ..row(
                "[rule.segregation_of_duties]\nexclusive = [[\"head-of-desk\", \"desk-risk\"]]",
                qty(1400),
                "rule orders/r: eve approves it and is in head-of-desk and desk-risk, which exclude each other; \
                 withdraw the approval of eve, and have somebody approve it who is in one of them",
                qty(1400),
            )
        },
        row(
            "[rule.segregation_of_duties]\nproposers = [\"desk-risk\"]",
            qty(1400),
            "rule orders/r: bob proposes it and is not in desk-risk; have somebody in desk-risk propose it",
            Box::new(|world| Candidate { by: "ada".into(), ..world.max_qty(1400) }),
        ),
        row(
            "paths = [\"limits/max_qty\"]\n[rule.resource_limit]\nof = \"value\"\nmax = 5000",
            qty(5001),
            "rule orders/r: limits/max_qty = 5001 is above the limit of 5000; choose limits/max_qty up to 5000",
            qty(5000),
        ),
        row(
            "paths = [\"limits\"]\n[rule.resource_limit]\nof = \"value\"\nmin = 1\nmax = 5000.5",
            json("[1, 2]", "[1, 0]"),
            "rule orders/r: limits/band = 0 is below the least of 1; choose limits/band from 1 to 5000.5",
            json("[1, 2]", "[1, 5000]"),
        ),
        row(
            "paths = [\"mode\"]\n[rule.resource_limit]\nof = \"value\"\nmax = 5000",
            json("normal", "fast"),
            "rule orders/r: mode is no number, and the rule limits one; give it a number, or revise the rule",
            json("\"normal\"", "7"),
        ),
        row(
            "paths = [\"limits\"]\n[rule.resource_limit]\nof = \"change\"\nmax = 100",
            qty(1101),
            "rule orders/r: limits/max_qty 1000 → 1101 moves by 101, above the limit of 100; move it in smaller steps",
            qty(1100),
        ),
        row(
            "paths = [\"*/ratio\"]\n[rule.resource_limit]\nof = \"change_percent\"\nmax = 10",
            json("0.5", "0.6"),
            "rule orders/r: limits/ratio 0.5 → 0.6 moves by 20 %, above the limit of 10; move it in smaller steps",
            json("0.5", "0.55"),
        ),
        row(
            "[rule.resource_limit]\nof = \"paths\"\nmax = 1",
            json("0.5, \"band\": [1, 2]", "0.6, \"band\": [2, 2]"),
            "rule orders/r: the change touches 2 paths, above the limit of 1; propose it in parts",
            qty(1001),
        ),
        row(
            "[rule.resource_limit]\nof = \"statements\"\nmax = 3",
            json("0.5, \"band\": [1, 2]", "0.6, \"band\": [2, 2]"),
            "rule orders/r: the change removes and adds 4 statements, above the limit of 3; propose it in parts",
            qty(1001),
        ),
        row(
            "[rule.resource_limit]\nof = \"keys\"\nmax = 6",
            json("\"mode\"", "\"more\": 1, \"mode\""),
            "rule orders/r: programs would read 7 names, above the limit of 6; remove what is not needed any more",
            qty(1001),
        ),
        row(
            "[rule.shape]\nturtle = '''\n@prefix sh: <http://www.w3.org/ns/shacl#> .\n@prefix knhk: <urn:knhk:core:> .\n\
             <MaxQty> sh:targetNode <limits/max_qty> ; sh:property [ sh:path knhk:value ; sh:maxInclusive 5000 ] .\n'''",
            qty(9000),
            "rule orders/r: limits/max_qty: 9000 is above the maximum 5000 (shape MaxQty); \
             change the value, or the statement, that it names",
            qty(4000),
        ),
        row(
            "fix = \"ask risk for less\"\ndoc = \"ratio and quantity move together.\"\n[rule.expression]\n\
             cel = \"after['limits/max_qty'] <= 2000 || after['limits/ratio'] < 0.4\"",
            qty(2001),
            "rule orders/r: its condition is not met (ratio and quantity move together); ask risk for less",
            qty(2000),
        ),
        row(
            "[rule.expression]\ncel = \"changes.all(c, c.kind == 'changed' && c.old != null) && by in ['bob', 'ada'] && 'desk' in groups\"",
            json("\"mode\"", "\"more\": 1, \"mode\""),
            "rule orders/r: its condition is not met; change what it asks about, or ask its owner",
            qty(1001),
        ),
        row(
            "[rule.expression]\ncel = \"after['limits/min_qty'] > 0\"",
            qty(1001),
            "rule orders/r: its condition cannot be decided: No such key: limits/min_qty; revise the rule",
            json("\"ratio\"", "\"min_qty\": 1, \"ratio\""),
        ),
        row(
            "[rule.callback]\nname = \"even\"",
            qty(1401),
            "rule orders/r: limits/max_qty = 1401 is odd; change what it names",
            qty(1400),
        ),
    ]
}

#[test]
fn each_kind_refuses_what_breaks_it_and_lets_the_mended_change_pass() {
    let world = World::new();
    for Row { rule: text, breaks, approvals, verdict, says, keeps, mended } in rows() {
        let doctrine = doctrine_of(vec![rule("r", "hard_mandatory", text)]);
        let report = judge(&doctrine, &breaks(&world), &approvals);
        assert_eq!(lines(&report), [says], "{text}");
        assert_eq!(report.verdict, verdict, "{text}");
        assert_eq!(report.needs.len(), usize::from(verdict == Verdict::Waiting), "{text}");
        let report = judge(&doctrine, &keeps(&world), &mended);
        assert_eq!((report.verdict, lines(&report)), (Verdict::Passed, vec![]), "{text}");
        assert!(report.needs.is_empty());
    }
}

#[test]
fn a_window_that_is_closed_says_when_it_opens() {
    let world = World::new();
    let hours = "[rule.time_window]\nzone = \"Europe/Berlin\"\ndays = [\"mon\", \"tue\", \"wed\", \"thu\", \"fri\"]\nfrom = \"09:00\"\nto = \"17:30\"";
    let doctrine = doctrine_of(vec![rule("hours", "hard_mandatory", hours)]);
    let saturday = NOW + 3 * 24 * 3_600_000_000_000;
    let report = judge_with(&doctrine, &world.max_qty(1001), &[], 0, saturday);
    assert_eq!(report.verdict, Verdict::Waiting);
    assert_eq!(
        lines(&report),
        [
            "rule orders/hours: its window is closed at sat 2026-03-07 11:00 CET; it opens at mon 2026-03-09 09:00 CET (2026-03-09T08:00:00Z)"
        ]
    );
    let opens = report.needs[0].not_before_ns.expect("it opens");
    assert_eq!(judge_with(&doctrine, &world.max_qty(1001), &[], 0, opens).verdict, Verdict::Passed);
    // What is scheduled for a closed moment has to be scheduled otherwise; what is scheduled for an open one passes at any time.
    let at = |time| Candidate { effective_ns: Some(time), ..world.max_qty(1001) };
    let report = judge_with(&doctrine, &at(saturday), &[], 0, NOW);
    assert_eq!(report.verdict, Verdict::Refused);
    assert_eq!(report.findings[0].fix, "schedule it for mon 2026-03-09 09:00 CET (2026-03-09T08:00:00Z)");
    assert_eq!(judge_with(&doctrine, &at(opens), &[], 0, saturday).verdict, Verdict::Passed);
}

#[test]
fn changes_within_an_hour_are_counted_with_this_one() {
    let world = World::new();
    let doctrine = doctrine_of(vec![rule(
        "slowly",
        "hard_mandatory",
        "[rule.resource_limit]\nof = \"changes_per_hour\"\nmax = 3",
    )]);
    let report = judge_with(&doctrine, &world.max_qty(1001), &[], 3, NOW);
    assert_eq!(
        lines(&report),
        [
            "rule orders/slowly: this would be 4 changes within an hour, above the limit of 3; propose it later, or together with another change"
        ]
    );
    assert_eq!(judge_with(&doctrine, &world.max_qty(1001), &[], 2, NOW).verdict, Verdict::Passed);
}

#[test]
fn a_callback_that_is_not_there_or_fails_refuses() {
    let world = World::new();
    for (name, says) in
        [("nowhere", "there is no function \"nowhere\" to judge it"), ("faulty", "the function \"faulty\" failed")]
    {
        let doctrine = doctrine_of(vec![rule("r", "hard_mandatory", &format!("[rule.callback]\nname = \"{name}\""))]);
        let report = judge(&doctrine, &world.max_qty(1400), &[]);
        assert_eq!((report.verdict, report.findings[0].what.as_str()), (Verdict::Refused, says));
    }
}

#[test]
fn a_share_is_no_way_around_approvals() {
    let world = World::new();
    let chain = "paths = [\"limits\", \"venues\"]\n[rule.approval_chain]\nabove_percent = 25\nsteps = [{ quorum = 1 }]";
    let doctrine = doctrine_of(vec![rule("r", "hard_mandatory", chain)]);
    // A small step needs none; a wider range, another type, a new or a removed value and a list do, however small they are.
    assert_eq!(judge(&doctrine, &world.max_qty(1250), &[]).verdict, Verdict::Passed);
    for (from, to) in [
        ("\"$max\": 100000", "\"$max\": 100001"),
        ("0.5", "\"half\""),
        ("\"ratio\": 0.5, ", ""),
        ("\"ratio\"", "\"new\": 1, \"ratio\""),
        ("[\"XETR\"]", "[\"XETR\", \"XPAR\"]"),
    ] {
        let report = judge(&doctrine, &world.change(&BASE.replace(from, to)), &[]);
        assert_eq!(report.verdict, Verdict::Waiting, "{from} → {to}: {:?}", lines(&report));
    }
    // Of a rule about everything, so does knowledge that is no parameter.
    let doctrine = doctrine_of(vec![rule(
        "r",
        "hard_mandatory",
        "[rule.approval_chain]\nabove_percent = 25\nsteps = [{ quorum = 1 }]",
    )]);
    let report = judge(&doctrine, &world.statements("<http://example.org/a> <http://example.org/b> 1 ."), &[]);
    assert_eq!(report.verdict, Verdict::Waiting);
}
