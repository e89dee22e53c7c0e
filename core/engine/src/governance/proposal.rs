//! Proposals: what is asked, and how far it has come.

use knhk_governance::approval::Approved;
use knhk_governance::{Need, Report, Verdict};
use serde::{Deserialize, Serialize};

use crate::control::{Content, Item, VersionEntry};

/// A change of one sector, as it is asked for.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SectorChange {
    /// The sector.
    pub sector: String,
    /// What becomes of it.
    pub content: Content,
}

/// A change that somebody asks for, of one sector or of several at once.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Propose {
    /// What becomes of which sector; each sector once.
    pub changes: Vec<SectorChange>,
    /// Who asks.
    #[serde(default)]
    pub by: String,
    /// Why.
    #[serde(default)]
    pub why: String,
    /// Whether keys that programs hold may be dropped or retyped.
    #[serde(default)]
    pub major: bool,
    /// How sure the proposer is, 0 to 1; none for a person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confidence: Option<f64>,
    /// The version that it merges, where it is a merge: the other parent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub merges: Option<u64>,
    /// The versions of other sectors that it needs; none: what the version before needs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub depends: Option<Vec<(String, u64)>>,
    /// Not before this moment, in nanoseconds since 1970 (UTC).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_ns: Option<u64>,
    /// Whether it becomes current by itself once nothing speaks against it and nothing is missing.
    #[serde(default = "yes")]
    pub enact: bool,
}

fn yes() -> bool {
    true
}

impl Propose {
    /// A change of one sector that becomes current once it has passed.
    pub fn of(sector: &str, content: Content, by: &str, why: &str) -> Propose {
        Propose {
            changes: vec![SectorChange { sector: sector.into(), content }],
            by: by.into(),
            why: why.into(),
            ..Propose::nothing()
        }
    }

    /// A change of nothing, to begin with.
    pub(crate) fn nothing() -> Propose {
        Propose {
            changes: Vec::new(),
            by: String::new(),
            why: String::new(),
            major: false,
            confidence: None,
            merges: None,
            depends: None,
            at_ns: None,
            enact: true,
        }
    }
}

/// How far a proposal is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum State {
    /// It is to be run: it was not yet, or what it rests on has changed since.
    Filed,
    /// It lacks approvals, or its time has not come.
    Waiting,
    /// Nothing speaks against it and nothing is missing; it becomes current when it is enacted.
    Passed,
    /// It is current, or was.
    Enacted,
    /// A stage refused it.
    Refused,
    /// Whoever asked, or somebody else, took it back.
    Withdrawn,
}

impl State {
    /// Whether something can still come of it.
    pub fn is_open(self) -> bool {
        matches!(self, State::Filed | State::Waiting | State::Passed)
    }

    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            State::Filed => "filed",
            State::Waiting => "waiting",
            State::Passed => "passed",
            State::Enacted => "enacted",
            State::Refused => "refused",
            State::Withdrawn => "withdrawn",
        }
    }
}

/// A change of one sector within a proposal, as it was run last.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Proposed {
    /// The sector.
    pub sector: String,
    /// What becomes of it.
    pub content: Content,
    /// The version that it was run against; 0: nothing was promoted yet.
    pub base_version: u64,
    /// The content address that it leads to, in hexadecimal digits; empty where it leads to none.
    pub snapshot_id: String,
    /// SHA-256 over the statements that it removes and adds, in hexadecimal digits.
    pub digest: String,
    /// What would change, path by path.
    pub differences: Vec<Item>,
}

/// An approval that was given.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApprovalGiven {
    /// Who gave it.
    pub by: String,
    /// The groups that they are in.
    pub groups: Vec<String>,
    /// When it was recorded, in nanoseconds since 1970 (UTC).
    pub time_ns: u64,
}

impl From<&Approved> for ApprovalGiven {
    fn from(approved: &Approved) -> ApprovalGiven {
        ApprovalGiven { by: approved.by.clone(), groups: approved.groups.clone(), time_ns: approved.time_ns }
    }
}

/// A version that a proposal led to.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct EnactedVersion {
    /// The sector.
    pub sector: String,
    /// The version.
    pub version: VersionEntry,
}

/// Who ended a proposal, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Closed {
    /// Who.
    pub by: String,
    /// Why.
    pub why: String,
    /// When, in nanoseconds since 1970 (UTC).
    pub time_ns: u64,
}

/// A proposal: a change on its way, and all that was said of it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Proposal {
    /// Its name, such as `p-19`.
    pub id: String,
    /// How far it is.
    pub state: State,
    /// That in a sentence, for people: what it waits for, who refused it.
    pub said: String,
    /// What becomes of which sector.
    pub changes: Vec<Proposed>,
    /// Who asks.
    pub by: String,
    /// Why.
    pub why: String,
    /// Whether keys that programs hold may be dropped or retyped.
    pub major: bool,
    /// How sure the proposer is, 0 to 1; none for a person.
    pub confidence: Option<f64>,
    /// The version that it merges, where it is a merge.
    #[serde(default)]
    pub merges: Option<u64>,
    /// The versions of other sectors that it needs, where it says so.
    #[serde(default)]
    pub depends: Option<Vec<(String, u64)>>,
    /// When it was filed, in nanoseconds since 1970 (UTC).
    pub time_ns: u64,
    /// When it was run last.
    pub run_ns: Option<u64>,
    /// Not before this moment.
    pub at_ns: Option<u64>,
    /// Whether it becomes current by itself once it can.
    pub enact: bool,
    /// What approvals are about: SHA-256 over all that is asked, in hexadecimal digits. It changes where the statements do.
    pub digest: String,
    /// What the stages said last, sector by sector.
    pub reports: Vec<Report>,
    /// Approvals that count.
    pub approvals: Vec<ApprovalGiven>,
    /// What it led to.
    pub versions: Vec<EnactedVersion>,
    /// The receipts that it left, oldest first.
    pub receipts: Vec<String>,
    /// Who ended it, where somebody did.
    pub closed: Option<Closed>,
}

/// Which proposals.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProposalQuery {
    /// Only those that change this sector.
    #[serde(default)]
    pub sector: Option<String>,
    /// Only those of which something can still come.
    #[serde(default)]
    pub open: bool,
    /// Only those filed before this one.
    #[serde(default)]
    pub before: Option<String>,
    /// How many at most; none: 100.
    #[serde(default)]
    pub limit: Option<usize>,
}

impl Proposal {
    /// The gravest of the reports' verdicts; a proposal that was not run has none.
    pub fn verdict(&self) -> Option<Verdict> {
        self.reports.iter().map(|report| report.verdict).max()
    }

    /// What it still lacks, as the stages asked for it.
    pub fn needs(&self) -> impl Iterator<Item = &Need> {
        self.reports.iter().flat_map(|report| &report.stages).flat_map(|stage| &stage.needs)
    }

    /// The earliest moment at which another run can end otherwise without an approval; none where time alone changes nothing.
    pub(crate) fn due_ns(&self) -> Option<u64> {
        let review = self.needs().filter(|need| need.approvals >= need.quorum).filter_map(|need| need.not_before_ns);
        match self.state {
            State::Filed => Some(self.time_ns),
            State::Waiting => review.filter(|&moment| Some(moment) > self.run_ns).min(),
            State::Passed if self.enact => Some(self.at_ns.unwrap_or(self.time_ns)),
            _ => None,
        }
    }

    /// How far it is, in a sentence.
    pub(crate) fn describe(&self) -> String {
        match self.state {
            State::Filed => "is to be run".into(),
            State::Passed if self.at_ns.is_some() => "passed, and waits for its time".into(),
            State::Passed => format!("passed; make it current with `knhk propose --enact {}`", self.id),
            State::Enacted => {
                let versions = self.versions.iter().map(|one| format!("{} {}", one.sector, one.version.version));
                format!("is current as {}", versions.collect::<Vec<_>>().join(", "))
            }
            State::Withdrawn => {
                let closed = self.closed.as_ref().map_or(String::new(), |closed| format!(" by {}", closed.by));
                format!("was withdrawn{closed}")
            }
            State::Refused => {
                let refused = self.reports.iter().flat_map(|report| &report.stages);
                let refused = refused.filter(|stage| stage.verdict == Verdict::Refused);
                let stages: Vec<_> = refused.map(|stage| stage.stage.as_str()).collect();
                format!("was refused by {}", stages.join(", "))
            }
            State::Waiting => {
                let lacking = self.needs().filter(|need| need.approvals < need.quorum);
                let lacking = lacking.max_by_key(|need| need.quorum - need.approvals);
                match lacking {
                    Some(need) => {
                        let count = need.quorum - need.approvals;
                        let whose = match need.groups.as_slice() {
                            [] => String::new(),
                            groups => format!(" by {}", groups.join(" or ")),
                        };
                        let plural = if count == 1 { "an approval".into() } else { format!("{count} approvals") };
                        format!("waits for {plural}{whose} ({})", need.item)
                    }
                    None => "waits for its time".into(),
                }
            }
        }
    }
}
