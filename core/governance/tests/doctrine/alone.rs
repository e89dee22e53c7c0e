//! What a rule says of a change does not depend on which other rules there are: all together say what each says alone.

use knhk_governance::Verdict;
use knhk_governance::doctrine::Rule;
use proptest::prelude::*;

use super::support::{BASE, World, approved, doctrine_of, judge, rule};

/// Rules of many kinds, about one path, several or all; conditions that go over whatever `before` and `after` hold.
fn rules() -> Vec<Rule> {
    let cel = |id: &str, paths: &str, cel: &str| {
        rule(id, "hard_mandatory", &format!("{paths}\n[rule.expression]\ncel = \"{cel}\""))
    };
    let (max_qty, limits, any) = ("paths = [\"limits/max_qty\"]", "paths = [\"limits\"]", "");
    let of_change = "changes.all(a, changes.all(b, a.path == b.path || a.kind == 'changed' && b.kind == 'changed'))";
    vec![
        cel("c1", max_qty, "after['limits/max_qty'] < 1500"),
        cel("c2", any, "size(after) == 1 && after['mode'] == 'normal'"),
        cel("c3", limits, "before.all(p, p != 'limits/ratio')"),
        cel("c4", any, "!has(after.mode)"),
        cel("c5", "paths = [\"*/ratio\"]", "'limits/ratio' in after && !('limits/max_qty' in before)"),
        cel("c6", any, of_change),
        cel("c7", any, "['mode', 'venues', 'limits/band', 'limits/none'].exists(p, p in after && !(p in before))"),
        rule("l1", "soft_mandatory", &format!("{max_qty}\n[rule.resource_limit]\nof = \"value\"\nmax = 1500")),
        rule("l2", "advisory", "[rule.resource_limit]\nof = \"paths\"\nmax = 1"),
        rule(
            "a1",
            "hard_mandatory",
            &format!(
                "{limits}\n[rule.approval_chain]\nabove_percent = 30\nsteps = [{{ groups = [\"desk-risk\"], quorum = 1 }}]"
            ),
        ),
        rule(
            "a2",
            "hard_mandatory",
            "paths = [\"mode\"]\n[rule.approval_chain]\nsteps = [{ groups = [\"head-of-desk\"], quorum = 1 }]",
        ),
        rule("s1", "hard_mandatory", "[rule.segregation_of_duties]\nexclusive = [[\"desk\", \"desk-risk\"]]"),
        rule("w1", "soft_mandatory", "paths = [\"venues\"]\n[rule.time_window]\nzone = \"UTC\"\ndays = [\"sat\"]"),
        rule("k1", "advisory", &format!("{max_qty}\n[rule.callback]\nname = \"even\"")),
    ]
}

fn gravity(verdict: Verdict) -> u8 {
    match verdict {
        Verdict::Refused => 2,
        Verdict::Waiting => 1,
        _ => 0,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn rules_say_together_what_each_says_alone(
        chosen in prop::collection::vec(any::<bool>(), 14),
        max_qty in prop::sample::select(vec![1000, 1200, 1499, 1600]),
        ratio in prop::sample::select(vec!["0.5", "0.75"]),
        mode in prop::sample::select(vec!["normal", "halt"]),
        venues in prop::sample::select(vec!["\"XETR\"", "\"XETR\", \"XPAR\""]),
        approvers in prop::sample::subsequence(vec!["ada", "eve"], 0..=2),
    ) {
        let json = BASE.replace("1000,", &format!("{max_qty},")).replace("0.5", ratio);
        let json = json.replace("\"normal\"", &format!("\"{mode}\"")).replace("\"XETR\"", venues);
        let candidate = World::new().change(&json);
        let groups = |by: &str| if by == "ada" { vec!["desk-risk"] } else { vec!["head-of-desk", "desk-risk"] };
        let approvals: Vec<_> = approvers.iter().map(|by| approved(by, &groups(by))).collect();
        let rules: Vec<Rule> = rules().into_iter().zip(chosen).filter(|(_, chosen)| *chosen).map(|(rule, _)| rule).collect();
        let together = judge(&doctrine_of(rules.clone()), &candidate, &approvals);
        let alone: Vec<_> =
            rules.into_iter().map(|rule| judge(&doctrine_of(vec![rule]), &candidate, &approvals)).collect();
        let said = |reports: &[knhk_governance::StageReport]| {
            let findings = reports.iter().flat_map(|report| &report.findings).map(|finding| format!("{finding:?}"));
            let needs = reports.iter().flat_map(|report| &report.needs).map(|need| format!("{need:?}"));
            let mut said: Vec<String> = findings.chain(needs).collect();
            said.sort();
            said
        };
        prop_assert_eq!(said(std::slice::from_ref(&together)), said(&alone));
        let gravest = alone.iter().map(|report| gravity(report.verdict)).max().unwrap_or(0);
        prop_assert_eq!(gravity(together.verdict), gravest);
    }
}
