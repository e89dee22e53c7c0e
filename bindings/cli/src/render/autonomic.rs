//! What the closed loop does, as people read it.

use std::fmt::Write;

use knhk_engine::autonomic::{Cycle, CycleOutcome, CycleState, LoopStatus, Pattern, PatternInfo};
use serde_json::Value;

use super::{Render, counted, plain};
use crate::ago::ago;

impl Render {
    /// `the loop runs: 212 turns, the last one just now in 3.1 ms`, and a line for each watch.
    pub fn loop_status(&self, status: &LoopStatus) -> String {
        let state = if status.running { self.palette.good("runs") } else { self.palette.strong("does not run") };
        let mut out = format!("the loop {state}");
        if status.turns > 0 {
            let (turns, when) = (counted(status.turns, "turn"), ago(status.last_turn_ns, self.now));
            _ = write!(out, ": {turns}, the last one {when} in {:.1} ms", status.took_ns as f64 / 1e6);
        }
        out.push('\n');
        if let Some(failed) = &status.failed {
            _ = writeln!(out, "  {}", self.palette.bad(&plain(failed)));
        }
        let name = |sector: &str, watch: &str| format!("{}/{}", plain(sector), plain(watch));
        let widest = status.watches.iter().map(|w| name(&w.sector, &w.watch).chars().count()).max().unwrap_or(0);
        for watch in &status.watches {
            let usual = match watch.confidence_last {
                None => "too few to judge by".into(),
                Some(confidence) => format!("last {}", share(confidence)),
            };
            let samples = counted(watch.samples, "sample");
            let foretold = status.forecasts.iter().find(|of| of.sector == watch.sector && of.watch == watch.watch);
            let next = foretold.and_then(|of| Some(format!("   {} foretells {:.4}", plain(&of.model), of.next?)));
            let about = format!("{}   {samples}   {usual}{}", plain(&watch.detector), next.unwrap_or_default());
            let name = format!("{:widest$}", name(&watch.sector, &watch.watch));
            _ = writeln!(out, "  {name}   {}", self.palette.quiet(&about));
        }
        for (count, what) in [(status.hooks_skipped, "hook"), (status.callbacks_failed, "callback")] {
            if count > 0 {
                let verb = if what == "hook" { "skipped: one before them took too long" } else { "failed" };
                _ = writeln!(out, "  {}", self.palette.bad(&format!("{} {verb}", counted(count, what))));
            }
        }
        out
    }

    /// Patterns, a line each.
    pub fn patterns(&self, patterns: &[PatternInfo]) -> String {
        let mut out = String::new();
        for info in patterns {
            let Pattern { watch, sector, detector, confidence, to_ns, .. } = &info.pattern;
            let id = self.palette.strong(&info.id);
            let name = format!("{}/{}", plain(sector), plain(watch));
            let cycle = info.cycle.as_ref().map_or("no cycle".into(), |cycle| format!("in {cycle}"));
            let about = format!("{} {}   {cycle}   {}", plain(detector), share(*confidence), ago(*to_ns, self.now));
            _ = writeln!(out, "{id}   {name}   {}   {}", seen(&info.pattern), self.palette.quiet(&about));
        }
        if out.is_empty() { "nothing was found\n".into() } else { out }
    }

    /// Cycles, a line each; `nothing` where there are none.
    pub fn cycles(&self, cycles: &[Cycle], nothing: &str) -> String {
        let all: String = cycles.iter().map(|cycle| self.cycle_line(cycle)).collect();
        if all.is_empty() { format!("{nothing}\n") } else { all }
    }

    /// `cycle l-7   kept   gateway/Errors 0.21 where 0.01 was expected   concurrency = 32 (rule)   5 min ago`
    fn cycle_line(&self, cycle: &Cycle) -> String {
        let id = self.palette.strong(&cycle.id);
        let name = format!("{}/{}", plain(&cycle.sector), plain(&cycle.pattern.watch));
        let plan = planned(cycle).map_or(String::new(), |plan| format!("   {plan}"));
        let when = self.palette.quiet(&ago(cycle.started_ns, self.now));
        format!("cycle {id}   {}   {name} {}{plan}   {when}\n", self.cycle_state(cycle), seen(&cycle.pattern))
    }

    fn cycle_state(&self, cycle: &Cycle) -> String {
        match (cycle.outcome, cycle.state) {
            (Some(CycleOutcome::Kept), _) => self.palette.good("kept"),
            (Some(CycleOutcome::RolledBack), _) => self.palette.bad("rolled back"),
            (Some(CycleOutcome::Refused), _) => self.palette.bad("refused"),
            (Some(CycleOutcome::NoPlan), _) => self.palette.quiet("no plan"),
            (Some(CycleOutcome::Superseded), _) => self.palette.quiet("superseded"),
            (Some(CycleOutcome::Interrupted), _) => self.palette.bad("interrupted"),
            (None, CycleState::Detected) => "detected".into(),
            (None, CycleState::Planned) => "planned".into(),
            (None, CycleState::Waiting) => self.palette.strong("waiting"),
            (None, CycleState::Watching) => "watching".into(),
            (None, CycleState::Closed) => "closed".into(),
        }
    }

    /// One cycle with everything about it.
    pub fn cycle(&self, cycle: &Cycle) -> String {
        let mut out = self.cycle_line(cycle);
        let mut row = |what: &str, said: &str| {
            _ = writeln!(out, "  {what:9} {said}");
        };
        row("said", &plain(&cycle.said));
        let Pattern { detector, confidence, from_ns, to_ns, evidence, .. } = &cycle.pattern;
        let over = to_ns.saturating_sub(*from_ns) as f64 / 1e9;
        row("found by", &format!("{}, {} sure, over {over} s", plain(detector), share(*confidence)));
        if !evidence.is_empty() {
            row("evidence", &plain(&evidence.join(", ")));
        }
        if let Some(plan) = &cycle.plan {
            row("plan", &plain(&plan.why));
        }
        if let Some(question) = &cycle.question {
            row("question", &self.palette.quiet(question));
        }
        if let Some(proposal) = &cycle.proposal {
            row("proposal", &format!("{proposal}   {}", self.palette.quiet(&format!("knhk proposals {proposal}"))));
        }
        if !cycle.versions.is_empty() {
            let versions: Vec<String> = cycle.versions.iter().map(|(of, version)| format!("{of} {version}")).collect();
            row("versions", &plain(&versions.join(", ")));
        }
        if !cycle.receipts.is_empty() {
            row("receipts", &plain(&cycle.receipts.join(", ")));
        }
        if let Some(ended) = cycle.ended_ns {
            let took = ended.saturating_sub(cycle.started_ns) as f64 / 1e9;
            row("ended", &format!("{}, after {took:.1} s", ago(ended, self.now)));
        }
        out
    }

    /// What came of deciding anew.
    pub fn replayed(&self, replayed: &Value) -> String {
        let count = |name: &str| replayed[name].as_u64().unwrap_or(0);
        let (turns, patterns) = (counted(count("turns"), "turn"), counted(count("patterns"), "pattern"));
        let decisions = counted(count("decisions"), "decision");
        let verdict = match replayed["equal"] == true {
            true => self.palette.good("each as its receipt says"),
            false => self.palette.bad("not as the receipts say"),
        };
        let mut out = format!("{turns}, {patterns}, {decisions}: {verdict}\n");
        for difference in replayed["differences"].as_array().into_iter().flatten() {
            let text = |name: &str| match &difference[name] {
                Value::String(text) => plain(text),
                other => other.to_string(),
            };
            let line = format!("turn {}: {}", text("turn"), text("what"));
            _ = writeln!(out, "  {}", self.palette.bad(&line));
            _ = writeln!(out, "    receipt    {}\n    recomputed {}", text("receipt"), text("recomputed"));
        }
        let missing = replayed["missing"].as_array().map_or(0, Vec::len) as u64;
        if missing > 0 {
            let line =
                format!("{} dropped meanwhile: what they showed cannot be decided anew", counted(missing, "segment"));
            _ = writeln!(out, "  {}", self.palette.quiet(&line));
        }
        out
    }

    /// What was learned.
    pub fn learned(&self, learned: &Value) -> String {
        let mut out = String::new();
        for (name, title) in [("watches", "watch"), ("proposers", "proposer"), ("rules", "rule")] {
            for (of, tally) in learned[name].as_object().into_iter().flatten() {
                let count = |name: &str| tally[name].as_u64().unwrap_or(0);
                let (kept, back, refused) = (count("kept"), count("rolled_back"), count("refused"));
                let rate = match (tally["rate"].as_f64(), tally["at_least"].as_f64()) {
                    (Some(rate), Some(least)) => format!("{:.0} %, at least {:.0} %", 100.0 * rate, 100.0 * least),
                    _ => String::new(),
                };
                let of = self.palette.strong(&plain(of));
                let about = format!("{kept} kept, {back} rolled back, {refused} refused");
                _ = writeln!(out, "{title:8}   {of}   {about}   {}", self.palette.quiet(&rate));
            }
        }
        for refusal in learned["refusals"].as_array().into_iter().flatten() {
            let said = refusal.as_str().map_or_else(|| refusal.to_string(), plain);
            _ = writeln!(out, "refused by {}", self.palette.quiet(&said));
        }
        if out.is_empty() { "nothing was learned yet\n".into() } else { out }
    }
}

/// `0.21 where 0.01 was expected`
fn seen(pattern: &Pattern) -> String {
    format!("{} where {} was expected", short(pattern.observed), short(pattern.expected))
}

/// `concurrency = 32 (rule)`
fn planned(cycle: &Cycle) -> Option<String> {
    let plan = cycle.plan.as_ref()?;
    let changes: Vec<String> =
        plan.changes.iter().map(|change| format!("{} = {}", change.path, change.value)).collect();
    let by = cycle.proposer.as_deref().unwrap_or_default();
    Some(plain(&format!("{} ({by})", changes.join(", "))))
}

/// A figure with as many digits as tell something.
fn short(value: f64) -> String {
    match value.abs() {
        size if size >= 100.0 => format!("{value:.0}"),
        size if size >= 1.0 => format!("{value:.2}"),
        _ => format!("{value:.4}"),
    }
}

/// A confidence in percent; what rounds to certainty is said to be beyond.
fn share(confidence: f64) -> String {
    let percent = 100.0 * confidence;
    if percent > 99.9999 { "> 99.9999 %".into() } else { format!("{percent:.4} %") }
}
