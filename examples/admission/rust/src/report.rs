//! What people see while it runs, and the summary, for people or as JSON.

use std::time::Duration;

use crate::limits::{Era, Operator, VERDICTS};
use crate::{CONNECTIONS, Program, Tally};

/// One line for each change.
pub fn event(p: &Program, json: bool, text: &str) {
    if !json {
        println!("  {:4.1} s  {text}", p.begun.elapsed().as_secs_f64());
    }
}

impl Tally {
    /// Adds another thread's figures.
    pub fn add(&mut self, other: Tally) {
        self.orders += other.orders;
        self.answered += other.answered;
        for (mine, theirs) in self.verdicts.iter_mut().zip(other.verdicts) {
            *mine += theirs;
        }
        self.stale += other.stale;
        self.backwards += other.backwards;
        self.lost += other.lost;
        self.longest = self.longest.max(other.longest);
    }
}

/// What came out.
#[derive(Default)]
pub struct Summary {
    pub sent: Tally,
    pub served: Tally,
    pub drained: u64,
    pub contradicted: u64,
    pub seconds: Duration,
    pub operator: Operator,
}

fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if c < ' ' => out.push_str(&format!("\\u{:04x}", c as u32)),
            c => out.push(c),
        }
    }
    out + "\""
}

impl Summary {
    /// Prints it; whether everything is consistent.
    pub fn print(&self, p: &Program, json: bool) -> bool {
        let Summary { sent, served, drained, contradicted, operator, .. } = self;
        let stats = p.engine.stats().hot;
        let eras = p.eras();
        let whole = sent.orders == served.orders
            && sent.answered == served.orders
            && sent.verdicts == served.verdicts
            && *drained == stats.observed
            && stats.observed + stats.dropped == served.orders
            && p.announced(eras.len() as u64) == eras.len() as u64
            && operator.refusals.len() == 1;
        let violations = served.stale + served.lost + sent.backwards + sent.lost + contradicted + operator.unexpected;
        let violations = violations + u64::from(!whole);
        if json {
            self.json(p, &eras, violations)
        } else {
            self.text(p, &eras)
        }
        violations == 0 && served.orders > 0
    }
}

impl Summary {
    fn text(&self, p: &Program, eras: &[Era]) {
        let Summary { sent, served, drained, contradicted, seconds, operator } = self;
        let rate = served.orders as f64 / seconds.as_secs_f64();
        println!("\n  decisions   {:>12}   {} a second\n", grouped(served.orders), grouped(rate as u64));
        for (name, count) in VERDICTS.iter().zip(served.verdicts) {
            let share = count as f64 / served.orders.max(1) as f64;
            println!(
                "    {name:<10}{:>12}  {:5.1} %  {}",
                grouped(count),
                share * 100.0,
                "█".repeat((share * 40.0) as usize)
            );
        }
        println!("\n  limits        version   promoted in   first decision     decisions");
        for era in eras {
            let mark = if era.info.rollback_of.is_some() { "↶" } else { "●" };
            let took = (era.returned_ns - era.called_ns) / 1000;
            let after = era.first_ns.saturating_sub(era.returned_ns) / 1000;
            let (by, version, change) = (&era.info.origin.by, era.info.version, era.change());
            println!(
                "    {mark} {by:<11}{version:>4} {took:>10} µs {after:>8} µs after {:>13}   {change}",
                grouped(era.decisions)
            );
        }
        for refusal in &operator.refusals {
            println!("    ✗ refused: {refusal}");
        }
        println!("\n  a decision      {:.1} ns: one view, up to six typed reads", operator.decision_ns);
        println!("  longest pause   {} µs in one decision, the scheduler's share included", served.longest.as_micros());
        println!("  observations    {} drained, {} dropped", grouped(*drained), grouped(p.engine.stats().hot.dropped));
        println!("\n  checked");
        let late = served.stale + sent.backwards;
        println!(
            "    {} of {} decisions were made on limits older than the last acknowledged change",
            late,
            grouped(served.orders)
        );
        println!("    {contradicted} of {} audited verdicts contradict their generation's limits", grouped(*drained));
        println!(
            "    {} orders sent, {} answered, {} decided\n",
            grouped(sent.orders),
            grouped(sent.answered),
            grouped(served.orders)
        );
    }

    fn json(&self, p: &Program, eras: &[Era], violations: u64) {
        let Summary { sent, served, drained, contradicted, seconds, operator } = self;
        let stats = p.engine.stats().hot;
        let verdicts: Vec<_> =
            VERDICTS.iter().zip(served.verdicts).map(|(name, n)| format!("\"{name}\": {n}")).collect();
        let version = |era: &Era| {
            let took = (era.returned_ns - era.called_ns) as f64 / 1e3;
            let origin = &era.info.origin;
            format!(
                "{{\"version\": {}, \"generation\": {}, \"rollback_of\": {}, \"by\": {}, \"why\": {}, \"change\": {}, \
                 \"promote_us\": {took:.1}, \"decisions\": {}}}",
                era.info.version,
                era.generation,
                era.info.rollback_of.unwrap_or(0),
                quoted(&origin.by),
                quoted(&origin.why),
                quoted(&era.change()),
                era.decisions,
            )
        };
        println!(
            "{{\"language\": \"rust\", \"seconds\": {:.3}, \"workers\": {CONNECTIONS}, \"connections\": {CONNECTIONS}, \
             \"sent\": {}, \"answered\": {}, \"decided\": {}, \"verdicts\": {{{}}}, \"versions\": [{}], \"refused\": {}, \
             \"refusal\": {}, \"announced\": {}, \"decision_ns\": {:.1}, \"longest_us\": {:.1}, \
             \"observations\": {{\"accepted\": {}, \"dropped\": {}, \"drained\": {drained}}}, \
             \"violations\": {{\"stale\": {}, \"contradicted\": {contradicted}, \"backwards\": {}, \"lost\": {}, \
             \"unexpected\": {}, \"total\": {violations}}}}}",
            seconds.as_secs_f64(),
            sent.orders,
            sent.answered,
            served.orders,
            verdicts.join(", "),
            eras.iter().map(version).collect::<Vec<_>>().join(", "),
            operator.refusals.len(),
            quoted(operator.refusals.first().map_or("", String::as_str)),
            p.announced(eras.len() as u64),
            operator.decision_ns,
            served.longest.as_nanos() as f64 / 1e3,
            stats.observed,
            stats.dropped,
            served.stale,
            sent.backwards,
            served.lost + sent.lost,
            operator.unexpected,
        );
    }
}
