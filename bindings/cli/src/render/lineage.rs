//! Merges, searches and origins, as people read them.

use std::fmt::Write;

use knhk_engine::control::VersionEntry;
use serde_json::Value;

use super::{Render, plain};

impl Render {
    /// What came of a merge.
    pub fn merged(&self, merged: &Value) -> String {
        let mut out = String::new();
        let lines = |name: &str| merged[name].as_array().cloned().unwrap_or_default();
        for conflict in lines("conflicts") {
            let said = conflict.get("summary").and_then(Value::as_str).map_or_else(|| conflict.to_string(), plain);
            _ = writeln!(out, "{} {said}", self.palette.bad("conflict:"));
        }
        for (name, sign) in [("removed", "-"), ("added", "+")] {
            for line in lines(name) {
                let line = format!("{sign} {}", plain(line.as_str().unwrap_or_default().trim_end()));
                _ = writeln!(out, "{}", if sign == "-" { self.palette.bad(&line) } else { self.palette.good(&line) });
            }
        }
        if out.is_empty() { "  no difference\n".into() } else { out }
    }

    /// Where something went wrong first.
    pub fn bisected(&self, sector: &str, answer: &Value) -> String {
        let first: Option<VersionEntry> =
            answer.get("first_bad").and_then(|first| serde_json::from_value(first.clone()).ok());
        match first {
            Some(first) => {
                format!(
                    "first bad {}: {}\n",
                    self.palette.strong(&format!("{sector} {}", first.version)),
                    self.provenance(&first)
                )
            }
            None => format!("no version of {sector} between the two is bad\n"),
        }
    }

    /// Which version said what.
    pub fn blamed(&self, answer: &Value) -> String {
        let mut out = String::new();
        for entry in answer["entries"].as_array().into_iter().flatten() {
            let what = entry["path"].as_str().or(entry["statement"].as_str()).unwrap_or_default();
            let value = entry.get("value").filter(|value| !value.is_null());
            let value = value.map_or(String::new(), |value| {
                format!("   {}", plain(&value.as_str().map_or_else(|| value.to_string(), str::to_owned)))
            });
            let by: Option<VersionEntry> =
                entry.get("version").and_then(|version| serde_json::from_value(version.clone()).ok());
            let by = by.map_or_else(|| "before the first version".into(), |by| self.provenance(&by));
            _ = writeln!(out, "{}{value}   {}", self.palette.strong(&plain(what)), self.palette.quiet(&by));
        }
        if out.is_empty() { "nothing of that is there\n".into() } else { out }
    }

    /// What the assertions of a shadow said.
    pub fn tested(&self, answer: &Value) -> String {
        let mut out = String::new();
        for result in answer["results"].as_array().into_iter().flatten() {
            let verdict = match result["passed"].as_bool() {
                Some(true) => self.palette.good("passed"),
                _ => self.palette.bad("failed"),
            };
            let name = result["name"].as_str().unwrap_or_default();
            let said = result["what"].as_str().or(result["message"].as_str()).unwrap_or_default();
            _ = writeln!(out, "{verdict}   {}   {}", plain(name), plain(said));
        }
        let count = |name: &str| answer[name].as_u64().unwrap_or(0);
        _ = writeln!(out, "{} blockers, {} warnings", count("blockers"), count("warnings"));
        out
    }
}
