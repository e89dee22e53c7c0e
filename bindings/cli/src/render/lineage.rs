//! Merges, origins and shadows, as people read them.

use std::fmt::Write;

use serde_json::Value;

use super::{Render, plain};
use crate::ago::ago;

impl Render {
    /// What came of a merge.
    pub fn merged(&self, merged: &Value) -> String {
        let conflicts = merged["conflicts"].as_array().is_some_and(|conflicts| !conflicts.is_empty());
        let text = merged["text"].as_str().unwrap_or_default();
        let mut out = String::new();
        for (at, line) in text.lines().enumerate() {
            let line = plain(line);
            _ = writeln!(out, "{}", if conflicts && at > 0 { self.palette.bad(&line) } else { line });
        }
        for (name, sign) in [("removed", "-"), ("added", "+")] {
            for line in merged[name].as_array().into_iter().flatten().filter_map(Value::as_str) {
                let line = format!("{sign} {}", plain(line.trim_end()));
                _ = writeln!(out, "  {}", if sign == "-" { self.palette.bad(&line) } else { self.palette.good(&line) });
            }
        }
        out
    }

    /// Which version said what: `max_qty   version 7, 2 h ago by ops-2: desk asked   receipt …`, and the statement.
    pub fn blamed(&self, entries: &Value) -> String {
        let mut out = String::new();
        for entry in entries.as_array().into_iter().flatten() {
            let text = |name: &str| plain(entry[name].as_str().unwrap_or_default());
            let change = &entry["change"];
            let said = |name: &str| plain(change[name].as_str().unwrap_or_default());
            let when = change["time_ns"].as_u64().map_or_else(String::new, |time| ago(time, self.now));
            let origin = match (said("by").as_str(), said("why").as_str()) {
                ("", "") => String::new(),
                (by, "") => format!(" by {by}"),
                (by, why) => format!(" by {by}: {why}"),
            };
            let earlier = if entry["or_earlier"] == true { " or earlier" } else { "" };
            let version = self.palette.strong(&format!("version {}{earlier}", change["version"]));
            let about = self.palette.quiet(&format!("{when}{origin}"));
            let statement = text("statement");
            let what = if text("path").is_empty() { statement } else { format!("{}   {statement}", text("path")) };
            _ = writeln!(out, "{version}   {about}\n  {what}");
        }
        if out.is_empty() { "nothing of that is there\n".into() } else { out }
    }

    /// A shadow, and what differs in it.
    pub fn shadow(&self, shadow: &Value) -> String {
        let mut out = self.line(shadow);
        for sector in shadow["differences"].as_array().into_iter().flatten() {
            for item in sector["differences"].as_array().into_iter().flatten() {
                let summary = plain(item["summary"].as_str().unwrap_or_default());
                _ = writeln!(out, "  {}: {summary}", plain(sector["sector"].as_str().unwrap_or_default()));
            }
        }
        out
    }

    /// What the tests of a shadow said, sector by sector.
    pub fn tested(&self, results: &[Value]) -> String {
        let mut out = String::new();
        for result in results {
            let sector = plain(result["sector"].as_str().unwrap_or_default());
            for outcome in result["report"]["outcomes"].as_array().into_iter().flatten() {
                let name = plain(outcome["name"].as_str().unwrap_or_default());
                match outcome["failed"].as_str() {
                    None => _ = writeln!(out, "{}   {sector}: {name}", self.palette.good("passed")),
                    Some(why) => {
                        let severity = outcome["severity"].as_str().unwrap_or_default();
                        let verdict = self.palette.bad(&format!("failed ({severity})"));
                        _ = writeln!(out, "{verdict}   {sector}: {name}: {}", plain(why));
                    }
                }
            }
        }
        out
    }
}
