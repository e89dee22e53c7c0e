//! What a stage writes down while it looks, and the report that it makes of that.

use std::cmp::Reverse;
use std::time::Instant;

use serde_json::{Map, Value};

use crate::{Finding, Severity, Stage, StageReport, Verdict};

/// Findings of one stage, at most; what is beyond is counted.
const MOST: usize = 100;

/// Findings and figures of a stage under way.
#[derive(Debug, Default)]
pub(crate) struct Notes {
    findings: Vec<Finding>,
    /// Findings that were not kept, by severity.
    beyond: usize,
    blocked: bool,
    evidence: Map<String, Value>,
}

impl Notes {
    pub(crate) fn blocker(&mut self, item: impl Into<String>, what: impl Into<String>, fix: impl Into<String>) {
        self.add(Severity::Blocker, item.into(), what.into(), fix.into());
    }

    pub(crate) fn warning(&mut self, item: impl Into<String>, what: impl Into<String>, fix: impl Into<String>) {
        self.add(Severity::Warning, item.into(), what.into(), fix.into());
    }

    pub(crate) fn info(&mut self, item: impl Into<String>, what: impl Into<String>) {
        self.add(Severity::Info, item.into(), what.into(), String::new());
    }

    pub(crate) fn add(&mut self, severity: Severity, item: String, what: String, fix: String) {
        self.blocked |= severity == Severity::Blocker;
        if self.findings.len() < MOST {
            self.findings.push(Finding { severity, item, what, fix });
        } else {
            self.beyond += 1;
        }
    }

    /// A figure that the verdict rests on.
    pub(crate) fn evidence(&mut self, name: &str, value: impl Into<Value>) {
        self.evidence.insert(name.into(), value.into());
    }

    pub(crate) fn report(mut self, stage: Stage, began: Instant) -> StageReport {
        // Sorting keeps the order of findings that are as grave.
        self.findings.sort_by_key(|finding| Reverse(finding.severity));
        if self.beyond > 0 {
            self.evidence.insert("findings_left_out".into(), self.beyond.into());
        }
        StageReport {
            stage,
            verdict: if self.blocked { Verdict::Refused } else { Verdict::Passed },
            findings: self.findings,
            needs: Vec::new(),
            evidence: Value::Object(self.evidence),
            duration_ns: nanoseconds(began),
        }
    }
}

/// The report of a stage that has nothing to judge, because of what another one refuses.
pub(crate) fn not_judged(stage: Stage, began: Instant, what: &str) -> StageReport {
    let mut notes = Notes::default();
    notes.info(format!("stage {}", stage.as_str()), what);
    StageReport { verdict: Verdict::NotJudged, ..notes.report(stage, began) }
}

/// A report with one blocker: of a stage that could not decide.
pub(crate) fn undecided(stage: Stage, began: Instant, what: &str, fix: &str) -> StageReport {
    let mut notes = Notes::default();
    notes.blocker(format!("stage {}", stage.as_str()), what, fix);
    notes.report(stage, began)
}

pub(crate) fn nanoseconds(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_nanos()).unwrap_or(u64::MAX)
}
