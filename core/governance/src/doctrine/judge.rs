//! What the rules say of a change.

use std::borrow::Cow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

use serde_json::json;

use super::case::{Breach, Case, Facts};
use super::compiled::{Compiled, Part};
use super::expression::Expression;
use super::limits::CHANGES_SHOWN;
use super::rule::{Enforcement, Kind, Rule};
use super::touched::Touched;
use super::{Doctrine, chain, duties, form, limit, shape, window};
use crate::approval::Approved;
use crate::mutant::{Mutant, mutated};
use crate::{Candidate, Finding, Need, Severity, Stage, StageReport, Verdict, counters};

/// What the rules found, as it comes together.
#[derive(Default)]
struct Found {
    findings: Vec<Finding>,
    needs: Vec<Need>,
    refused: bool,
    overridden: Vec<String>,
}

impl Doctrine {
    /// What the rules say of a change. It is refused where a hard-mandatory rule is broken, and waits where approvals, an override of a
    /// soft-mandatory rule or the opening of a window can still come. What cannot be judged counts as broken.
    pub fn judge(&self, facts: &Facts<'_>) -> StageReport {
        let _span = tracing::debug_span!("knhk.doctrine.judge", sector = facts.candidate.sector).entered();
        let began = Instant::now();
        let case = Case::of(facts);
        let about = self.about(&case);
        let mut found = Found::default();
        if facts.candidate.compiled.is_none() {
            found.refused = true;
            found.findings.push(Finding {
                severity: Severity::Blocker,
                item: "doctrine".to_owned(),
                what: "the change does not compile, so that rules about its values cannot be judged".to_owned(),
                fix: "mend what the schema stage names".to_owned(),
            });
        }
        for (number, paths) in &about {
            let compiled = &self.rules[*number as usize];
            let breaches = Doctrine::breaches(compiled, paths, &case, &mut found);
            self.settle(compiled, breaches, facts, &mut found);
        }
        counters::RULES_JUDGED.add(about.len() as u64);
        // Gravest first; of one gravity by rule, which is the order in which they were judged.
        found.findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
        let verdict = match (found.refused && !mutated(Mutant::HardIsSoft), found.findings.first()) {
            (true, _) => Verdict::Refused,
            (false, Some(Finding { severity: Severity::Blocker, .. })) => Verdict::Waiting,
            (false, _) => Verdict::Passed,
        };
        let evidence = json!({
            "doctrine": form::hex(&self.hash()),
            "rules": self.rules.len(),
            "judged": about.len(),
            "valid_ns": self.valid_ns(),
            "approvals": facts.approvals.iter().map(|approved| &approved.by).collect::<Vec<_>>(),
            "overridden": found.overridden,
            "paths": case.touched.len(),
            "changes_last_hour": facts.changes_last_hour,
        });
        StageReport {
            stage: Stage::Doctrine,
            verdict,
            findings: found.findings,
            needs: found.needs,
            evidence,
            duration_ns: began.elapsed().as_nanos() as u64,
        }
    }

    /// Whether somebody may approve a change at all: the answer to give before an approval is recorded. What a rule of segregation forbids is
    /// a finding that names it.
    ///
    /// # Errors
    /// The first rule that is mandatory and forbids it.
    pub fn may_approve(&self, candidate: &Candidate, by: &str, groups: &[String]) -> Result<(), Finding> {
        let none = |_: &str| Vec::new();
        let callbacks = |_: &str, _: &Rule, _: &Candidate| None;
        let facts = Facts {
            candidate,
            groups_of: &none,
            approvals: &[],
            now_ns: candidate.time_ns,
            changes_last_hour: 0,
            callbacks: &callbacks,
        };
        let case = Case::of(&facts);
        for (number, _) in self.about(&case) {
            let rule = &self.rules[number as usize].rule;
            if let Kind::SegregationOfDuties(of) = &rule.kind
                && rule.enforcement != Enforcement::Advisory
                && let Some(Breach { what, fix, .. }) = duties::of_approver(of, &candidate.by, by, groups)
            {
                return Err(Finding { severity: Severity::Blocker, item: rule.to_string(), what, fix });
            }
        }
        Ok(())
    }

    /// The rules that a change has to keep, by number, each with which of the touched paths it is about.
    fn about(&self, case: &Case<'_>) -> Vec<(u32, Vec<u32>)> {
        let mut pairs: Vec<(u32, u32)> = Vec::new();
        let mut always: Vec<u32> = Vec::new();
        for index in [Some(&self.everywhere), self.sectors.get(&case.facts.candidate.sector)].into_iter().flatten() {
            always.extend(index.always());
            for (at, touched) in case.touched.iter().enumerate() {
                index.of(&touched.path, |rule| pairs.push((rule, at as u32)));
            }
        }
        pairs.sort_unstable();
        pairs.dedup();
        let chosen = pairs.chunk_by(|left, right| left.0 == right.0);
        let mut about: Vec<(u32, Vec<u32>)> =
            chosen.map(|rule| (rule[0].0, rule.iter().map(|&(_, at)| at).collect())).collect();
        about.extend(always.into_iter().map(|rule| (rule, Vec::new())));
        about.sort_unstable_by_key(|(rule, _)| *rule);
        about
    }

    /// What of a change breaks a rule.
    fn breaches(compiled: &Compiled, paths: &[u32], case: &Case<'_>, found: &mut Found) -> Vec<Breach> {
        let rule = &compiled.rule;
        let all = rule.paths.is_empty();
        let own: Vec<&Touched<'_>> = if all {
            case.touched.iter().collect()
        } else {
            paths.iter().map(|&at| &case.touched[at as usize]).collect()
        };
        match (&rule.kind, compiled.part()) {
            (_, Part::Broken(why)) => {
                vec![Breach::of(format!("it cannot be judged any more: {why}"), "revise the rule")]
            }
            (Kind::ApprovalChain(chain), _) => chain::breaches(rule, chain, case, &own, all && case.beyond),
            (Kind::SegregationOfDuties(of), _) => duties::breaches(of, case),
            (Kind::ResourceLimit(limit), _) => limit::breaches(rule, limit, case, &own),
            (_, Part::Window(window)) => window::breach(rule, window, case).into_iter().collect(),
            (Kind::Shape(shape), Part::Shape(cache)) => match cache.report(rule, shape, case.facts.candidate) {
                Ok(report) => shape::breaches(rule, &report, &mut found.findings),
                Err(why) => vec![Breach::of(format!("its shapes cannot be judged: {why}"), "revise the rule")],
            },
            (_, Part::Expression(expression)) => Doctrine::condition(expression, case).into_iter().collect(),
            (Kind::Callback(callback), _) => {
                let call = || (case.facts.callbacks)(&callback.name, rule, case.facts.candidate);
                match catch_unwind(AssertUnwindSafe(call)) {
                    Ok(Some(Ok(()))) => Vec::new(),
                    Ok(Some(Err(why))) => vec![Breach::of(why, "change what it names")],
                    Ok(None) => vec![Breach::of(
                        format!("there is no function {:?} to judge it", callback.name),
                        "register the function, or revise the rule",
                    )],
                    Err(_) => vec![Breach::of(
                        format!("the function {:?} failed", callback.name),
                        "mend the function, or revise the rule",
                    )],
                }
            }
            _ => vec![Breach::of("it cannot be judged", "revise the rule")],
        }
    }

    /// What a condition finds.
    fn condition(expression: &Expression, case: &Case<'_>) -> Option<Breach> {
        if case.touched.len() > CHANGES_SHOWN && expression.variables().any(|name| name == "changes") {
            return Some(Breach::of(
                format!(
                    "the change touches {} paths, and a condition looks at {CHANGES_SHOWN} at most",
                    case.touched.len()
                ),
                "propose it in parts",
            ));
        }
        match expression.holds(&case.scope().with(&case.values(expression))) {
            Ok(true) => None,
            Ok(false) if mutated(Mutant::ConditionMet) => None,
            Ok(false) => Some(Breach::of("its condition is not met", "")),
            Err(error) => Some(Breach::of(format!("its condition cannot be decided: {error}"), "revise the rule")),
        }
    }

    /// Makes findings and needs of what breaks a rule.
    fn settle(&self, compiled: &Compiled, breaches: Vec<Breach>, facts: &Facts<'_>, found: &mut Found) {
        if breaches.is_empty() {
            return;
        }
        let rule = &compiled.rule;
        let item = rule.to_string();
        let fix = |of: &str| match (rule.fix.as_str(), of) {
            ("", "") => "change what it asks about, or ask its owner".to_owned(),
            ("", of) => of.to_owned(),
            (own, _) => own.to_owned(),
        };
        let what = |breach: &Breach| match rule.doc.as_str() {
            "" => breach.what.clone(),
            doc => format!("{} ({})", breach.what, doc.trim_end_matches('.')),
        };
        let by = match rule.enforcement {
            Enforcement::SoftMandatory => overridden(compiled, facts),
            _ => None,
        };
        if let Some(by) = by {
            counters::RULES_OVERRIDDEN.add(1);
            tracing::info!(rule = compiled.name, by, "an approval overrides a rule");
            found.overridden.push(compiled.name.clone());
            found.findings.extend(breaches.iter().map(|breach| Finding {
                severity: Severity::Warning,
                item: item.clone(),
                what: format!("{}; {by} overrides the rule", what(breach)),
                fix: String::new(),
            }));
            return;
        }
        let severity = match rule.enforcement {
            Enforcement::Advisory => Severity::Warning,
            _ => Severity::Blocker,
        };
        match rule.enforcement {
            Enforcement::Advisory => counters::RULES_WARNED.add(1),
            _ => counters::RULES_BROKEN.add(1),
        }
        let soft = rule.enforcement == Enforcement::SoftMandatory;
        for breach in &breaches {
            let mut fix = fix(&breach.fix);
            if soft {
                let groups = spoken_groups(&rule.override_by);
                fix = format!("{fix}; or have {groups} override the rule by name");
            }
            found.findings.push(Finding { severity, item: item.clone(), what: what(breach), fix });
        }
        match rule.enforcement {
            Enforcement::Advisory => {}
            Enforcement::SoftMandatory if breaches.iter().any(|breach| breach.need.is_none()) => {
                found.needs.push(Need {
                    item: format!("{item} (override)"),
                    groups: rule.override_by.clone(),
                    approvals: 0,
                    quorum: 1,
                    not_before_ns: None,
                });
            }
            _ => {
                found.refused |= breaches.iter().any(|breach| breach.need.is_none());
                found.needs.extend(breaches.into_iter().filter_map(|breach| breach.need));
            }
        }
    }
}

/// Who overrides a rule: an approver of the right group, not who proposes, whose approval names it.
fn overridden<'a>(compiled: &Compiled, facts: &Facts<'a>) -> Option<&'a str> {
    let groups = &compiled.rule.override_by;
    let fits = |approved: &&Approved| {
        approved.by != facts.candidate.by
            && approved.overrides.contains(&compiled.name)
            && (groups.is_empty() || approved.groups.iter().any(|group| groups.contains(group)))
    };
    facts.approvals.iter().find(fits).map(|approved| approved.by.as_str())
}

/// `somebody in desk-risk or head-of-desk`
pub(super) fn spoken_groups(groups: &[String]) -> Cow<'static, str> {
    match groups {
        [] => "an approver".into(),
        groups => format!("somebody in {}", groups.join(" or ")).into(),
    }
}
