//! Violations: what broke which rule, when, and by whom, to be kept and asked for.

use serde::{Deserialize, Serialize};

use crate::{Candidate, Severity, StageReport};

/// A rule that a change broke, as it is kept: refused, waiting, overridden or warned of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Violation {
    /// The rule, `orders/four-eyes`.
    pub rule: String,
    /// The sector.
    pub sector: String,
    /// The proposal; empty for a mere question.
    pub proposal: String,
    /// Who proposed it.
    pub by: String,
    /// When it was judged, in nanoseconds since 1970 (UTC).
    pub time_ns: u64,
    /// How grave.
    pub severity: Severity,
    /// What broke it.
    pub what: String,
    /// Whether an approval overrode the rule.
    pub overridden: bool,
}

/// What a report of the doctrine stage found broken, one for each finding that names a rule.
pub fn violations(report: &StageReport, candidate: &Candidate, now_ns: u64) -> Vec<Violation> {
    let overridden: Vec<&str> =
        report.evidence["overridden"].as_array().into_iter().flatten().filter_map(|rule| rule.as_str()).collect();
    let named = report.findings.iter().filter_map(|finding| Some((finding.item.strip_prefix("rule ")?, finding)));
    let violation = |(rule, finding): (&str, &crate::Finding)| Violation {
        rule: rule.to_owned(),
        sector: candidate.sector.clone(),
        proposal: candidate.proposal.clone(),
        by: candidate.by.clone(),
        time_ns: now_ns,
        severity: finding.severity,
        what: finding.what.clone(),
        overridden: overridden.contains(&rule),
    };
    named.filter(|(_, finding)| finding.severity > Severity::Info).map(violation).collect()
}
