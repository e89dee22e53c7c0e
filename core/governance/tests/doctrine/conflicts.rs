//! Rules that cannot both be kept are not admitted, and both are named.

use knhk_governance::doctrine::{Enforcement, Rule};

use super::support::{NOW, doctrine_of, rule};

const DAY: u64 = 24 * 3_600_000_000_000;

fn window(days: &str, from: &str, to: &str) -> String {
    format!("[rule.time_window]\nzone = \"Europe/Berlin\"\ndays = [{days}]\nfrom = \"{from}\"\nto = \"{to}\"")
}

fn value(paths: &str, bound: &str) -> String {
    format!("paths = [{paths}]\n[rule.resource_limit]\nof = \"value\"\n{bound}")
}

#[test]
fn contradictions_name_both_rules_and_the_way_out() {
    for (there, new, says) in [
        (
            value("\"limits\"", "max = 10"),
            value("\"*/max_qty\"", "min = 10.5"),
            "rule orders/new contradicts rule orders/there: one asks for a value of at least 10.5, the other for at most 10; \
             move one of the limits, or narrow the paths or the time of one rule",
        ),
        (
            window("\"mon\"", "09:00", "12:00"),
            window("\"mon\"", "12:00", "17:00"),
            "rule orders/new contradicts rule orders/there: their windows are never open at once, so that nothing could ever change; \
             move one of the windows, or end one rule before the other begins",
        ),
        (
            window("\"sat\"", "00:00", "00:00"),
            format!("{}\nclosed = true", window("\"sat\", \"sun\"", "00:00", "00:00")),
            "rule orders/new contradicts rule orders/there: their windows are never open at once, so that nothing could ever change; \
             move one of the windows, or end one rule before the other begins",
        ),
        (
            "[rule.segregation_of_duties]".to_owned(),
            "[rule.approval_chain]\nproposer_counts = true\nsteps = [{ quorum = 2 }]".to_owned(),
            "rule orders/new contradicts rule orders/there: one counts who proposes as an approver, the other forbids them to approve; \
             leave proposer_counts out and lower the quorum, or say proposer_may_approve in the other",
        ),
    ] {
        let there = rule("there", "hard_mandatory", &there);
        let new = rule("new", "soft_mandatory", &new);
        let doctrine = doctrine_of(vec![there.clone()]);
        assert_eq!(doctrine.admit(&new).unwrap_err().to_string(), says);
        // The other way round, too.
        assert!(doctrine_of(vec![new.clone()]).admit(&there).is_err());
        let everywhere = Rule { sector: None, ..new.clone() };
        assert_eq!(doctrine.admit(&everywhere).unwrap_err().rule, "new");
        // None of these is one: another sector, a mere advice, times that do not meet, paths that do not meet.
        let elsewhere = Rule { sector: Some("payments".into()), ..new.clone() };
        let advice = Rule { enforcement: Enforcement::Advisory, ..new.clone() };
        let until = Some(NOW + 10 * DAY);
        let doctrine = doctrine_of(vec![Rule { until_ns: until, ..there.clone() }]);
        let later = Rule { from_ns: NOW + 10 * DAY, ..new.clone() };
        let apart = Rule { paths: vec!["other".into()], ..new.clone() };
        for fine in [elsewhere, advice, later.clone()] {
            assert_eq!(doctrine.admit(&fine), Ok(()), "{}", fine.to_toml());
        }
        if !there.paths.is_empty() {
            assert_eq!(doctrine.admit(&apart), Ok(()));
        }
        // A moment earlier it is one again.
        let earlier = Rule { from_ns: NOW + DAY, ..later };
        assert!(doctrine.admit(&earlier).is_err(), "{}", earlier.to_toml());
    }
}

#[test]
fn windows_that_meet_are_admitted() {
    let doctrine = doctrine_of(vec![rule("there", "hard_mandatory", &window("\"mon\", \"tue\"", "09:00", "12:00"))]);
    for fine in [window("\"tue\"", "11:59", "13:00"), window("\"sun\"", "22:00", "09:01")] {
        assert_eq!(doctrine.admit(&rule("new", "hard_mandatory", &fine)), Ok(()), "{fine}");
    }
    // 09:00 in Berlin is 08:00 in London, all year.
    let london = "[rule.time_window]\nzone = \"Europe/London\"\ndays = [\"mon\"]\nfrom = \"07:00\"\nto = \"08:00\"";
    assert!(doctrine.admit(&rule("new", "hard_mandatory", london)).is_err());
}

#[test]
fn a_name_is_used_once_and_revised() {
    let first = rule("r", "hard_mandatory", &value("\"a\"", "max = 10"));
    let doctrine = doctrine_of(vec![first.clone()]);
    let second = rule("r", "hard_mandatory", &value("\"a\"", "min = 20"));
    assert_eq!(
        doctrine.admit(&second).unwrap_err().to_string(),
        "rule orders/r contradicts rule orders/r: there is one of this name already, valid at the same time; \
         revise that one, or give this one another id"
    );
    assert_eq!(doctrine.admit_revision(&second), Ok(()));
    // Beside another it is still looked at.
    let other = rule("other", "hard_mandatory", &value("\"a\"", "max = 15"));
    let doctrine = doctrine_of(vec![first, other]);
    assert_eq!(doctrine.admit_revision(&second).unwrap_err().other, "orders/other");
}
