//! A report for a person: one layout for the command, C, Python and Node.
//!
//! ```text
//!  1 schema         ok         0.2 ms
//!  2 invariants     ok         1.1 ms
//!  3 doctrine       waits      0.1 ms   rule orders/four-eyes: changes above 25 % need one more signature
//!                                       → have someone in desk-risk approve it
//!  …
//! orders: waits for 1 of 1 approvals from desk-risk (rule orders/four-eyes); 1.6 ms
//! ```

use std::fmt::Write;

use crate::{Finding, Need, Report, Severity, StageReport, Verdict};

/// Where findings begin.
const INDENT: usize = 39;

/// One line of a report, and what it tells: whoever has colours gives them by that.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// What it tells.
    pub kind: LineKind,
    /// The line, without a line feed.
    pub text: String,
}

/// What a line tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LineKind {
    /// How a stage ended; its first finding may stand behind.
    Stage(Verdict),
    /// A further finding.
    Finding(Severity),
    /// What to do about the finding before it.
    Fix,
    /// What it waits for.
    Need,
    /// How all of it ended: the last line.
    Summary(Verdict),
}

/// The report as text, each line with a line feed.
pub fn render(report: &Report) -> String {
    lines(report).into_iter().fold(String::new(), |text, line| text + &line.text + "\n")
}

/// The report line by line.
pub fn lines(report: &Report) -> Vec<Line> {
    let mut lines = Vec::new();
    for (number, stage) in report.stages.iter().enumerate() {
        of_stage(number + 1, stage, &mut lines);
    }
    let text = format!("{}: {}; {}", report.sector, outcome(report), duration(report.duration_ns));
    lines.push(Line { kind: LineKind::Summary(report.verdict), text });
    lines
}

fn of_stage(number: usize, stage: &StageReport, lines: &mut Vec<Line>) {
    let (name, time) = (stage.stage.as_str(), duration(stage.duration_ns));
    let mut text = format!("{number:>2} {name:<14} {:<8} {time:>9}", word(stage.verdict));
    let mut findings = stage.findings.iter();
    if let Some(first) = findings.next() {
        _ = write!(text, "   {}", said(first));
        lines.push(Line { kind: LineKind::Stage(stage.verdict), text });
        fix(first, lines);
    } else {
        lines.push(Line { kind: LineKind::Stage(stage.verdict), text });
    }
    for finding in findings {
        let text = format!("{:INDENT$}{}", "", said(finding));
        lines.push(Line { kind: LineKind::Finding(finding.severity), text });
        fix(finding, lines);
    }
    for need in &stage.needs {
        lines.push(Line { kind: LineKind::Need, text: format!("{:INDENT$}needs {}", "", needed(need)) });
    }
}

fn said(finding: &Finding) -> String {
    let mark = match finding.severity {
        Severity::Info => "(note) ",
        Severity::Warning => "(warning) ",
        Severity::Blocker => "",
    };
    format!("{mark}{}: {}", finding.item, finding.what)
}

fn fix(finding: &Finding, lines: &mut Vec<Line>) {
    if !finding.fix.is_empty() {
        lines.push(Line { kind: LineKind::Fix, text: format!("{:INDENT$}→ {}", "", finding.fix) });
    }
}

fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Passed => "ok",
        Verdict::Waiting => "waits",
        Verdict::NotJudged => "–",
        Verdict::Refused => "refused",
    }
}

fn outcome(report: &Report) -> String {
    let needs: Vec<String> = report.stages.iter().flat_map(|stage| &stage.needs).map(needed).collect();
    let refused = report.stages.iter().filter(|stage| stage.verdict == Verdict::Refused);
    let refused: Vec<&str> = refused.map(|stage| stage.stage.as_str()).collect();
    match report.verdict {
        Verdict::Passed => "passed".into(),
        Verdict::Waiting if needs.is_empty() => "waits".into(),
        Verdict::Waiting => format!("waits for {}", needs.join(", and ")),
        Verdict::NotJudged | Verdict::Refused => format!("refused by {}", refused.join(", ")),
    }
}

fn needed(need: &Need) -> String {
    let left = need.quorum.saturating_sub(need.approvals);
    let mut text = match (left, need.groups.is_empty()) {
        (0, _) => "time".to_owned(),
        (_, true) => format!("{left} of {} approvals", need.quorum),
        (_, false) => format!("{left} of {} approvals from {}", need.quorum, need.groups.join(" or ")),
    };
    if let Some(at) = need.not_before_ns {
        let at = jiff::Timestamp::from_nanosecond(at.into()).unwrap_or(jiff::Timestamp::MAX);
        _ = write!(text, ", not before {}", at.strftime("%Y-%m-%d %H:%M:%S UTC"));
    }
    text + " (" + &need.item + ")"
}

/// `0.2 ms`, `1.5 s`.
fn duration(ns: u64) -> String {
    let ms = ns as f64 / 1e6;
    if ms < 1000.0 { format!("{ms:.1} ms") } else { format!("{:.1} s", ms / 1000.0) }
}
