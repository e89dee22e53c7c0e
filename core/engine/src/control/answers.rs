//! What requests answer: what the command prints, and its `--json`.

use knhk_ontology::Difference;
use knhk_ontology::shacl::ValidationResult;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Logged;
use crate::{Report, SectorInfo, Severity, VersionInfo};

/// A sector in a list.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Sector {
    /// Its name.
    pub name: String,
    /// How its changes are admitted.
    pub kind: String,
    /// How many values, maps and classes its current document has.
    pub keys: usize,
    /// The current version; none before the first promotion.
    pub current: Option<VersionEntry>,
}

/// An entry of a sector's history.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct VersionEntry {
    /// Counts the sector's promotions and rollbacks from 1.
    pub version: u64,
    /// The content address, in hexadecimal.
    pub snapshot_id: String,
    /// When, in nanoseconds since the Unix epoch.
    pub time_ns: u64,
    /// Who.
    pub by: String,
    /// Why.
    pub why: String,
    /// Whether it was declared to be a major version.
    pub major: bool,
    /// The version whose content it brought back.
    pub rollback_of: Option<u64>,
    /// The id of its receipt.
    #[serde(default)]
    pub receipt: Option<String>,
}

/// One path whose value, or what is said about it, differs.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Item {
    /// The path.
    pub path: String,
    /// What it was, as people write it.
    pub old: Option<String>,
    /// What it is.
    pub new: Option<String>,
    /// Both, in short: `max_qty 1200 → 1000`.
    pub summary: String,
}

/// A value with what is said about it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Parameter {
    /// Its path in the sector.
    pub path: String,
    /// Its type, as in documents.
    #[serde(rename = "type")]
    pub value_type: String,
    /// The value and what is said about it, as documents write it: plain, or an object with `$value` and so on.
    pub leaf: Value,
    /// The same for people: `1000 lots   (1 … 5000)`.
    pub display: String,
    /// What it means, where the document says so.
    pub doc: Option<String>,
}

/// What a path of a sector leads to.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Shown {
    /// The sector.
    pub sector: Sector,
    /// The path; empty for all of the sector.
    pub path: String,
    /// The value there, or all values of the map there, in the document's order.
    pub parameters: Vec<Parameter>,
    /// The version that last changed the value, where a single one was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub set_by: Option<VersionEntry>,
    /// The versions, newest first, where they were asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub versions: Vec<Logged>,
}

/// A document.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Exported {
    /// The sector.
    pub sector: String,
    /// The version whose content it is.
    pub version: VersionEntry,
    /// The format's name.
    pub format: String,
    /// Whether the version says more than the format can: shapes, say, of which JSON knows nothing.
    pub partial: bool,
    /// The document.
    pub text: String,
}

/// What a check found.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Validated {
    /// The sector that was checked, or that the file was checked for.
    pub sector: String,
    /// Whether every shape is kept.
    pub conforms: bool,
    /// What breaks one.
    pub findings: Vec<Finding>,
    /// Whether there is more than that.
    pub truncated: bool,
}

/// One result of a validation, after SHACL's report.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Finding {
    /// The node that breaks the shape.
    pub focus: String,
    /// The property, or the path to the value.
    pub path: Option<String>,
    /// The value.
    pub value: Option<String>,
    /// The constraint component's IRI.
    pub component: String,
    /// The shape that it breaks.
    pub shape: String,
    /// `violation`, `warning` or `info`.
    pub severity: String,
    /// What is wrong.
    pub message: String,
    /// All of it in a line, for people.
    pub summary: String,
}

/// Two sectors that define the same name differently.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Clash {
    /// The name.
    pub identifier: String,
    /// One of the sectors.
    pub first: String,
    /// The other.
    pub second: String,
    /// All of it in a line, for people.
    pub summary: String,
}

/// What changed between two versions.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Compared {
    /// The sector.
    pub sector: String,
    /// The older version; 0 is the sector before its first promotion.
    pub from: u64,
    /// The newer version.
    pub to: u64,
    /// What changed, path by path.
    pub changes: Vec<Item>,
    /// What changed, statement by statement, where it was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub statements: Option<Statements>,
}

/// Statements as N-Triples.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Statements {
    /// Those that are gone.
    pub removed: Vec<String>,
    /// Those that came.
    pub added: Vec<String>,
}

/// A change that became current.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Changed {
    /// The sector.
    pub sector: String,
    /// Whether the sector was made on the way.
    pub created: bool,
    /// Its new version; none where only the sector was made.
    pub version: Option<VersionEntry>,
    /// What changed against the version before.
    pub changes: Vec<Item>,
}

impl Sector {
    pub(super) fn new(info: &SectorInfo, current: Option<VersionEntry>) -> Sector {
        Sector { name: info.name.clone(), kind: info.kind.as_str().into(), keys: info.keys, current }
    }
}

impl From<&VersionInfo> for VersionEntry {
    fn from(info: &VersionInfo) -> VersionEntry {
        VersionEntry {
            version: info.version,
            snapshot_id: hex(&info.snapshot_id),
            time_ns: info.time_ns,
            by: info.origin.by.clone(),
            why: info.origin.why.clone(),
            major: info.origin.major,
            rollback_of: info.rollback_of,
            receipt: info.receipt.clone(),
        }
    }
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

impl Validated {
    pub(super) fn new(sector: &str, report: &Report) -> Validated {
        Validated {
            sector: sector.into(),
            conforms: report.conforms(),
            findings: findings(report),
            truncated: report.truncated(),
        }
    }
}

/// The results of a report, as they travel.
pub(super) fn findings(report: &Report) -> Vec<Finding> {
    let finding = |result: ValidationResult<'_>| Finding {
        focus: result.focus(),
        path: result.path(),
        value: result.value(),
        component: result.component().into(),
        shape: result.shape(),
        severity: match result.severity() {
            Severity::Info => "info".into(),
            Severity::Warning => "warning".into(),
            _ => "violation".into(),
        },
        message: result.message(),
        summary: result.to_string(),
    };
    report.results().map(finding).collect()
}

impl From<Difference> for Item {
    fn from(difference: Difference) -> Item {
        let summary = difference.to_string();
        Item { path: difference.path, old: difference.old, new: difference.new, summary }
    }
}
