//! Answers as people read them.

mod autonomic;
mod govern;
mod lineage;
mod operate;

use std::fmt::Write;
use std::time::SystemTime;

use jiff::Timestamp;
use knhk_engine::SegmentInfo;
use knhk_engine::control::{
    Changed, Clash, Compared, Finding, Item, KeyList, Logged, Observed, Parameter, Receipted, Sector, Shown, Tagged,
    Validated, VersionEntry,
};

use crate::ago::ago;
use crate::output::Palette;

/// Columns of names that are aligned at most.
const WIDEST: usize = 40;

/// How many changes stand beside a version in the history.
const FEW: usize = 3;

/// How many changes stand below what a verb did.
const MANY: usize = 12;

/// Writes answers with colours or without, as of a moment.
pub struct Render {
    pub palette: Palette,
    pub now: SystemTime,
}

impl Render {
    /// `version 3 (7c41e0), promoted 2 h ago by ops-2: desk asked`
    fn provenance(&self, entry: &VersionEntry) -> String {
        let did = match entry.rollback_of {
            Some(version) => format!("rolled back to {version}"),
            None => "promoted".into(),
        };
        let origin = match (entry.by.as_str(), entry.why.as_str()) {
            ("", "") => String::new(),
            (by, "") => format!(" by {}", plain(by)),
            ("", why) => format!(": {}", plain(why)),
            (by, why) => format!(" by {}: {}", plain(by), plain(why)),
        };
        format!("version {} ({}), {did} {}{origin}", entry.version, short(entry), ago(entry.time_ns, self.now))
    }

    fn state(&self, sector: &Sector) -> String {
        sector.current.as_ref().map_or_else(|| "nothing promoted yet".into(), |current| self.provenance(current))
    }

    /// The sectors, a line each.
    pub fn sectors(&self, sectors: &[Sector], folder: &str) -> String {
        if sectors.is_empty() {
            return format!("{folder} has no sectors yet: `knhk init --sector NAME` makes one\n");
        }
        let widest = sectors.iter().map(|sector| sector.name.len()).max().unwrap_or(0);
        let mut out = String::new();
        for sector in sectors {
            let name = self.palette.strong(&format!("{:widest$}", sector.name));
            let keys = format!("{} {}", sector.keys, if sector.keys == 1 { "name" } else { "names" });
            _ = writeln!(out, "{name}   {keys:>10}   {}", self.palette.quiet(&self.state(sector)));
        }
        out
    }

    /// One value with where it comes from, or a map's values as a tree.
    pub fn value(&self, shown: &Shown) -> String {
        if let [only] = &shown.parameters[..]
            && only.path == shown.path
        {
            let from = shown.set_by.as_ref().map_or_else(|| self.state(&shown.sector), |by| self.provenance(by));
            return format!("{}   {}\n", self.palette.strong(&plain(&only.display)), self.palette.quiet(&from));
        }
        let from = self.palette.quiet(&self.state(&shown.sector));
        format!("{}   {from}\n{}", self.palette.strong(&place(shown)), self.tree(&shown.parameters, &shown.path))
    }

    /// A sector's values and versions.
    pub fn sector(&self, shown: &Shown) -> String {
        let mut out = self.value(shown);
        if !shown.versions.is_empty() {
            out.push('\n');
            out.push_str(&self.log(&shown.versions, false));
        }
        out
    }

    fn tree(&self, parameters: &[Parameter], root: &str) -> String {
        let below = |path: &str| path.strip_prefix(root).unwrap_or(path).trim_start_matches('/').to_owned();
        let mut rows: Vec<(String, &Parameter)> = parameters.iter().map(|p| (below(&p.path), p)).collect();
        rows.sort_by_key(|(_, parameter)| parameter.path.starts_with('$'));
        let width = |path: &str| {
            let (depth, name) = (path.matches('/').count(), path.rsplit('/').next().unwrap_or(path));
            2 * depth + name.chars().count()
        };
        let widest = rows.iter().map(|(path, _)| width(path)).max().unwrap_or(0).min(WIDEST);
        let displayed = rows.iter().map(|(_, p)| p.display.chars().count()).max().unwrap_or(0).min(WIDEST);
        let mut out = String::new();
        let mut before: Vec<String> = Vec::new();
        for (path, parameter) in &rows {
            let names: Vec<String> = path.split('/').map(plain).collect();
            let (name, maps) = names.split_last().expect("a split text has one part at least");
            let shared = maps.iter().zip(&before).take_while(|(a, b)| a == b).count();
            for (depth, map) in maps.iter().enumerate().skip(shared) {
                _ = writeln!(out, "  {:depth$}{map}/", "", depth = 2 * depth);
            }
            before = maps.to_vec();
            let indent = 2 * maps.len();
            let value = format!("{:displayed$}", plain(&parameter.display));
            let about = match &parameter.doc {
                Some(doc) => format!("{}   {}", parameter.value_type, plain(doc)),
                None => parameter.value_type.clone(),
            };
            let room = widest.saturating_sub(indent);
            _ = writeln!(out, "  {:indent$}{name:room$}   {value}   {}", "", self.palette.quiet(&about));
        }
        out
    }

    /// Versions, a line each.
    pub fn log(&self, versions: &[Logged], several: bool) -> String {
        if versions.is_empty() {
            return "nothing was promoted yet\n".into();
        }
        let widest = versions.iter().map(|version| version.sector.len()).max().unwrap_or(0);
        let mut out = String::new();
        for version in versions {
            let entry = &version.entry;
            let bullet = if out.is_empty() { self.palette.good("●") } else { "●".into() };
            let mut parts = vec![ago(entry.time_ns, self.now)];
            parts.extend(entry.rollback_of.map(|of| format!("rollback to {of}")));
            parts.extend(Some(plain(&entry.by)).filter(|by| !by.is_empty()));
            let mut changes: Vec<String> = version.changes.iter().take(FEW).map(|item| plain(&item.summary)).collect();
            if version.changes.len() > FEW {
                changes.push(format!("{} more", version.changes.len() - FEW));
            }
            parts.extend(Some(changes.join(", ")).filter(|changes| !changes.is_empty()));
            parts.extend(Some(plain(&entry.why)).filter(|why| !why.is_empty()));
            parts.extend(version.tags.iter().map(|tag| self.palette.good(&format!("[{}]", plain(tag)))));
            if !version.retained {
                parts.push(self.palette.quiet("content no longer kept"));
            }
            parts.push(match &entry.receipt {
                Some(receipt) => self.palette.quiet(&format!("✓ receipt {}", receipt.rsplit('-').next().unwrap_or(""))),
                None => self.palette.bad("no receipt"),
            });
            let sector = if several { format!("{:widest$}  ", version.sector) } else { String::new() };
            let id = self.palette.strong(&short(entry));
            _ = writeln!(out, "{bullet} {sector}{:>3}  {id}   {}", entry.version, parts.join("   "));
        }
        out
    }

    /// Tags, a line each.
    pub fn tags(&self, tags: &[Tagged]) -> String {
        if tags.is_empty() {
            return "no tags yet: `knhk tag SECTOR NAME` sets one\n".into();
        }
        let mut out = String::new();
        for tag in tags {
            let by = if tag.by.is_empty() { String::new() } else { format!(" by {}", plain(&tag.by)) };
            let set = self.palette.quiet(&format!("set {}{by}", ago(tag.time_ns, self.now)));
            _ = writeln!(out, "{}   version {}   {set}", self.palette.strong(&plain(&tag.name)), tag.version);
        }
        out
    }

    /// Receipts, a line each.
    pub fn receipts(&self, receipts: &[Receipted]) -> String {
        let mut out = String::new();
        for receipt in receipts {
            let outcome = match receipt.outcome.as_str() {
                "approved" => self.palette.good("approved"),
                "rejected" => self.palette.bad("rejected"),
                other => other.to_owned(),
            };
            let sector = receipt.sector.as_deref().unwrap_or("engine");
            let when = self.palette.quiet(&ago(receipt.time_ns, self.now));
            _ = writeln!(out, "{:>5}  {sector}   {}   {outcome}   {when}", receipt.number, receipt.kind);
        }
        if out.is_empty() { "no receipts\n".into() } else { out }
    }

    /// One receipt with all that it states.
    pub fn receipt(&self, receipt: &Receipted) -> String {
        let mut out = self.receipts(std::slice::from_ref(receipt));
        _ = writeln!(out, "  id         {}", receipt.id);
        if let Some(evidence) = receipt.evidence.as_object() {
            for (name, value) in evidence {
                let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                _ = writeln!(out, "  {name:<10} {}", plain(&value));
            }
        }
        receipt.links.iter().for_each(|link| _ = writeln!(out, "  with       {link}"));
        out
    }

    /// The trust root and the keys.
    pub fn keys(&self, keys: &KeyList) -> String {
        let mut out = format!("trust root  {}\n", keys.trust_root.as_deref().unwrap_or("none"));
        for key in &keys.keys {
            let state = if key.current { self.palette.good("signs now") } else { "signed".into() };
            let since =
                self.palette.quiet(&format!("from receipt {}, {}", key.from_receipt, ago(key.time_ns, self.now)));
            _ = writeln!(out, "key {}  {}   {state}   {since}", key.number, key.id);
        }
        out
    }

    /// What a live engine observes of a sector.
    pub fn observed(&self, observed: &Observed) -> String {
        let mut out = String::new();
        let number = |value: Option<f64>| {
            value.map_or_else(
                || "-".into(),
                |value| format!("{value:.4}").trim_end_matches('0').trim_end_matches('.').to_owned(),
            )
        };
        for series in &observed.series {
            let name = series.key.as_deref().unwrap_or("(others)");
            let kind = series.kind.as_ref().map_or(String::new(), |kind| format!(" {}", plain(kind)));
            let unit = series.unit.as_ref().map_or(String::new(), |unit| format!(" {}", plain(unit)));
            let failed = series.count - series.successes;
            let share = if series.count > 0 { 100.0 * failed as f64 / series.count as f64 } else { 0.0 };
            _ = writeln!(
                out,
                "{}{kind}   {:.0}/s   {share:.1} % not a success   p50 {} p99 {} max {}{unit}   {} in all",
                self.palette.strong(&plain(name)),
                series.rate,
                number(series.p50),
                number(series.p99),
                number(series.max),
                series.total
            );
        }
        if observed.series.is_empty() {
            _ = writeln!(out, "nothing observed in {} yet", plain(&observed.sector));
        }
        for objective in &observed.objectives {
            let verdict = match objective.met {
                Some(true) => self.palette.good("met"),
                Some(false) => self.palette.bad("broken"),
                None => "no data".into(),
            };
            let (value, limit) = (number(objective.value), number(objective.limit));
            _ = writeln!(out, "{}   {verdict}   {value} of {limit}", plain(&objective.name));
        }
        let persisted =
            self.palette.quiet(&format!("{} kept under receipts, {} refused", observed.persisted, observed.refused));
        _ = writeln!(out, "{persisted}");
        if let Some(failing) = &observed.failing {
            _ = writeln!(out, "{} {}", self.palette.bad("cannot be stored:"), plain(failing));
        }
        out
    }

    /// Segments of observations, a line each.
    pub fn segments(&self, segments: &[SegmentInfo]) -> String {
        let mut out = String::new();
        for segment in segments {
            let receipt = segment.receipt.map_or_else(|| "no receipt".into(), |number| format!("✓ receipt {number}"));
            let when = self.palette.quiet(&ago(segment.last_ns, self.now));
            let count = counted(segment.count, "observation");
            _ = writeln!(out, "{:>5}  {}   {count}   {receipt}   {when}", segment.number, segment.sector);
        }
        if out.is_empty() { "no observations were kept\n".into() } else { out }
    }

    /// What a change did.
    pub fn changed(&self, changed: &Changed) -> String {
        let mut out = String::new();
        let name = &changed.sector;
        if changed.created {
            _ = writeln!(out, "sector {} made", self.palette.strong(name));
        }
        if let Some(version) = &changed.version {
            let did = match version.rollback_of {
                Some(of) => format!("went back to {of} as"),
                None => "is at".into(),
            };
            _ = writeln!(out, "{} {did} version {} ({})", self.palette.strong(name), version.version, short(version));
            let mut changes: Vec<&Item> = changed.changes.iter().collect();
            changes.sort_by_key(|item| item.path.starts_with('$'));
            let more = changes.len().saturating_sub(MANY);
            changes.truncate(MANY);
            out.push_str(&self.items(changes));
            if more > 0 {
                _ = writeln!(out, "  and {more} more: `knhk diff {name}` shows all of them");
            }
        }
        out
    }

    /// What changed between two versions.
    pub fn compared(&self, compared: &Compared) -> String {
        let name = self.palette.strong(&compared.sector);
        let head = format!("{name} {} → {}\n", compared.from, compared.to);
        let Some(statements) = &compared.statements else { return head + &self.items(&compared.changes) };
        let removed = statements.removed.iter().map(|line| self.palette.bad(&format!("- {}", plain(line))));
        let added = statements.added.iter().map(|line| self.palette.good(&format!("+ {}", plain(line))));
        let lines: String = removed.chain(added).map(|line| format!("{line}\n")).collect();
        if lines.is_empty() { head + "  no difference\n" } else { head + &lines }
    }

    /// Whether `name` keeps every shape, and what breaks one.
    pub fn validated(&self, name: &str, validated: &Validated) -> String {
        let verdict = match (validated.conforms, validated.findings.len()) {
            (true, 0) => self.palette.good("conforms"),
            (true, count) => format!("{}, {count} remarks", self.palette.good("conforms")),
            (false, _) => self.palette.bad("does not conform"),
        };
        let more = if validated.truncated { "  and more\n" } else { "" };
        format!("{} {verdict}\n{}{more}", self.palette.strong(name), findings(&validated.findings))
    }

    /// Names that sectors define differently.
    pub fn conflicts(&self, conflicts: &[Clash]) -> String {
        conflicts.iter().map(|clash| format!("{} {}\n", self.palette.bad("conflict:"), plain(&clash.summary))).collect()
    }

    fn items<'a>(&self, items: impl IntoIterator<Item = &'a Item>) -> String {
        let mut out = String::new();
        for item in items {
            let line = plain(&item.summary);
            let line = match (&item.old, &item.new) {
                (None, Some(_)) => self.palette.good(&line),
                (Some(_), None) => self.palette.bad(&line),
                _ => line,
            };
            _ = writeln!(out, "  {line}");
        }
        if out.is_empty() { "  no difference\n".into() } else { out }
    }
}

/// `1,204 receipts`, `1 key`
pub fn counted(count: u64, what: &str) -> String {
    let digits = count.to_string();
    let mut grouped = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    format!("{grouped} {what}{}", if count == 1 { "" } else { "s" })
}

/// The day, in UTC.
pub fn date(time_ns: u64) -> String {
    let moment = i64::try_from(time_ns / 1_000_000_000).ok().and_then(|second| Timestamp::from_second(second).ok());
    moment.map_or_else(String::new, |moment| moment.strftime("%Y-%m-%d").to_string())
}

/// A line each.
pub fn findings(findings: &[Finding]) -> String {
    findings.iter().map(|finding| format!("  {}\n", plain(&finding.summary))).collect()
}

/// `orders`, `orders/tenants`
fn place(shown: &Shown) -> String {
    if shown.path.is_empty() {
        shown.sector.name.clone()
    } else {
        format!("{}/{}", shown.sector.name, plain(&shown.path))
    }
}

/// The first digits of the content address, by which people know a version.
fn short(entry: &VersionEntry) -> String {
    entry.snapshot_id.chars().take(6).collect()
}

/// Text from documents with its control characters made visible, so that it cannot drive the terminal.
pub fn plain(text: &str) -> String {
    if !text.contains(char::is_control) {
        return text.to_owned();
    }
    text.chars().map(|c| if c.is_control() { c.escape_default().to_string() } else { c.to_string() }).collect()
}
