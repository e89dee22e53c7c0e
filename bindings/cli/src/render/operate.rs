//! What a live program says of itself, as people read it.

use std::fmt::Write;

use knhk_engine::control::{Checkpointed, Executing, Monitored, PolicyEntry, RestoredCheckpoint, TakenCheckpoint};

use super::{Render, counted, plain};
use crate::ago::ago;

impl Render {
    /// Monitors, and the components of each: what explains others first, what is well last.
    pub fn health(&self, monitors: &[Monitored]) -> String {
        let mut out = String::new();
        for monitor in monitors {
            let system = self.verdict(&monitor.system);
            let name = self.palette.strong(&plain(&monitor.name));
            _ = writeln!(out, "{name}   {system}   {:.1} % available", 100.0 * monitor.availability);
            let widest = monitor.components.iter().map(|c| plain(&c.name).chars().count()).max().unwrap_or(0);
            for component in &monitor.components {
                let mut about = match component.age {
                    None => "never reported".into(),
                    Some(age) if component.state == "stale" => format!("silent for {age:.1} s"),
                    Some(_) => format!("health {:.2}", component.health),
                };
                if !component.explained_by.is_empty() {
                    _ = write!(about, ", because of {}", plain(&component.explained_by.join(", ")));
                }
                let (name, state) = (plain(&component.name), self.verdict(&component.state));
                _ = writeln!(out, "  {name:widest$}   {state}   {}", self.palette.quiet(&about));
            }
        }
        if out.is_empty() { "the program has no health monitors\n".into() } else { out }
    }

    /// Policies, a line each, and what concerns an operator below.
    pub fn policies(&self, policies: &[PolicyEntry]) -> String {
        let widest = policies.iter().map(|policy| plain(&policy.name).chars().count()).max().unwrap_or(0);
        let kinds = policies.iter().map(|policy| policy.kind.len()).max().unwrap_or(0);
        let mut out = String::new();
        for policy in policies {
            let name = self.palette.strong(&format!("{:widest$}", plain(&policy.name)));
            let kind = self.palette.quiet(&format!("{:kinds$}", policy.kind.replace('_', " ")));
            let summary = plain(&policy.summary);
            let rest = summary.strip_prefix(&policy.state).filter(|_| !policy.state.is_empty());
            let said = rest.map_or_else(|| summary.clone(), |rest| format!("{}{rest}", self.verdict(&policy.state)));
            _ = writeln!(out, "{name}   {kind}   {said}");
            for (at, level) in policy.levels.iter().enumerate() {
                let off = if level.off.is_empty() { String::new() } else { format!(": off {}", level.off.join(", ")) };
                let line = format!("{} {}, from {} to below {}{off}", at + 1, level.name, level.enter, level.leave);
                _ = writeln!(out, "  {}", self.palette.quiet(&plain(&line)));
            }
            if let (Some(sector), Some(refused)) = (&policy.sector, &policy.refused) {
                let (sector, refused) = (plain(sector), plain(refused));
                let refused = format!("{sector} {} could not retune it: {refused}", policy.version);
                _ = writeln!(out, "  {}", self.palette.bad(&refused));
            }
        }
        if out.is_empty() { "the program made none known\n".into() } else { out }
    }

    /// Executors and their tasks.
    pub fn executors(&self, executors: &[Executing]) -> String {
        let mut out = String::new();
        for executor in executors {
            let state = match (executor.overloaded, executor.paused) {
                (true, _) => self.palette.bad("overloaded"),
                (false, true) => "paused".into(),
                (false, false) => self.palette.good("runs"),
            };
            let waiting: usize = executor.waiting.iter().sum();
            let mut figures = format!("{waiting} wait, {} run, {:.0}/s come", executor.running, executor.arrivals);
            if executor.resting > 0 {
                _ = write!(figures, ", {} rest", executor.resting);
            }
            if let Some(services) = executor.services {
                _ = write!(figures, ", {services:.0}/s can be served");
            }
            if let Some(full_in) = executor.full_in {
                _ = write!(figures, ", full in {full_in:.1} s");
            }
            _ = writeln!(out, "{}   {state}   {figures}", self.palette.strong(&plain(&executor.name)));
            let widest = executor.tasks.iter().map(|task| plain(&task.name).chars().count()).max().unwrap_or(0);
            for task in &executor.tasks {
                let level = match task.level == task.priority {
                    true => task.priority.clone(),
                    false => self.palette.bad(&format!("{}, demoted to {}", task.priority, task.level)),
                };
                let overruns = match task.overruns {
                    0 => String::new(),
                    overruns => self.palette.bad(&format!(
                        "   {overruns} of {} slices over {}",
                        task.slices,
                        spent(task.budget)
                    )),
                };
                let late = if task.late > 0 { format!("   {} late", task.late) } else { String::new() };
                // What goes on for ever has slices alone.
                let runs = if task.runs == 0 { counted(task.slices, "slice") } else { counted(task.runs, "run") };
                let figures = format!("{runs}   longest {}", spent(task.worst));
                _ = writeln!(
                    out,
                    "  {:widest$}   {level}   {}{overruns}{late}",
                    plain(&task.name),
                    self.palette.quiet(&figures)
                );
            }
        }
        if out.is_empty() { "the program made no executor known\n".into() } else { out }
    }

    /// What is kept of components.
    pub fn kept(&self, all: &[Checkpointed]) -> String {
        let mut out = String::new();
        for Checkpointed { name, components, kept } in all {
            let components = self.palette.quiet(&format!("of {}", plain(&components.join(", "))));
            _ = writeln!(out, "{}   {components}", self.palette.strong(&plain(name)));
            for kept in kept.iter().rev() {
                let kind = if kept.full { "full" } else { "part" };
                let sealed = if kept.encrypted { "   encrypted" } else { "" };
                let bytes = counted(kept.bytes, "byte");
                let when = self.palette.quiet(&ago(kept.time_ns, self.now));
                _ = match &kept.damage {
                    None => writeln!(out, "{:>5}  {kind}   {bytes}{sealed}   {when}", kept.number),
                    Some(damage) => {
                        let damage = self.palette.bad(&plain(damage));
                        writeln!(out, "{:>5}  {kind}   {bytes}{sealed}   {damage}", kept.number)
                    }
                };
            }
        }
        if out.is_empty() { "the program has no checkpoints open\n".into() } else { out }
    }

    /// What was taken.
    pub fn taken(&self, taken: &TakenCheckpoint) -> String {
        let TakenCheckpoint { name, number, full, bytes, frozen, .. } = taken;
        let kind = if *full { "full checkpoint" } else { "checkpoint" };
        let (bytes, still) = (counted(*bytes, "byte"), spent(*frozen));
        format!("{kind} {number} of {} taken: {bytes}; its components held still for {still}\n", plain(name))
    }

    /// What was restored.
    pub fn restored(&self, restored: &RestoredCheckpoint) -> String {
        let when = ago(restored.time_ns, self.now);
        let mut out = format!("{} is as at checkpoint {}, taken {when}\n", plain(&restored.name), restored.number);
        for (number, why) in &restored.skipped {
            _ = writeln!(
                out,
                "  {}",
                self.palette.bad(&format!("checkpoint {number} was passed over: {}", plain(why)))
            );
        }
        for (names, what) in [
            (&restored.absent, "has no state in it and is as it was"),
            (&restored.unknown, "is in it and not in the program"),
        ] {
            names.iter().for_each(|name| _ = writeln!(out, "  {} {what}", plain(name)));
        }
        out
    }

    fn verdict(&self, state: &str) -> String {
        match state {
            "running" | "healthy" | "closed" | "full service" => self.palette.good(state),
            "critical" | "unhealthy" | "stale" | "open" | "forced open" => self.palette.bad(state),
            other => plain(other),
        }
    }
}

/// A time span with the unit that people would take.
fn spent(seconds: f64) -> String {
    match seconds {
        s if s >= 1.0 => format!("{s:.2} s"),
        s if s >= 1e-3 => format!("{:.2} ms", s * 1e3),
        s => format!("{:.1} µs", s * 1e6),
    }
}
