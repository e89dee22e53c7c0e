//! A change of who may approve, or of the guards.
//!
//! Who may approve changes as TUF's root role does (The Update Framework, 5.3): the next set follows the one in force by one revision, and is
//! signed by the threshold of the old set, so that nobody takes it over, and by the threshold of the new one, so that nobody locks it up
//! with keys that nobody holds. The first set is signed by itself. A change of guards is signed by the threshold of the set in force, and
//! of each guard that it takes away or alters it takes what a relaxation of that guard would take.

use serde::{Deserialize, Serialize};

use super::{Approved, Approvers, Ballot, Kind, Matter, Refusal, Tally};
use crate::Need;
use crate::guard::{Guard, Guards};
use crate::mutant::{Mutant, mutated};

/// What would be in force.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Next {
    /// Other approvers.
    Approvers(Approvers),
    /// Other guards.
    Guards(Guards),
}

/// A change on its way, with all that was said of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Change {
    /// What would be in force.
    pub next: Next,
    /// Why.
    pub why: String,
    /// What was said of it.
    pub tally: Tally,
}

impl Next {
    /// What stands for it where it is approved.
    pub fn digest(&self) -> [u8; 32] {
        match self {
            Next::Approvers(next) => next.digest(),
            Next::Guards(next) => next.digest(),
        }
    }

    fn kind(&self) -> Kind {
        match self {
            Next::Approvers(_) => Kind::Approvers,
            Next::Guards(_) => Kind::Guards,
        }
    }
}

impl Change {
    /// Asks for a change; it takes approvals until `until_ns`. Whoever asks may approve: the threshold is what counts.
    pub fn request(log: &str, id: &str, by: &str, why: &str, next: Next, now_ns: u64, until_ns: u64) -> Change {
        let matter = Matter {
            log: log.to_owned(),
            kind: next.kind(),
            id: id.to_owned(),
            digest: next.digest(),
            by: by.to_owned(),
            own: true,
            groups: Vec::new(),
            requested_ns: now_ns,
            until_ns,
        };
        Change { next, why: why.to_owned(), tally: Tally::new(matter) }
    }

    /// The sets whose keys may sign it: what [`Approval::verify`](super::Approval::verify) takes.
    pub fn signers<'s>(&'s self, in_force: Option<&'s Approvers>) -> Vec<&'s Approvers> {
        let next = match &self.next {
            Next::Approvers(next) => Some(next),
            Next::Guards(_) => None,
        };
        in_force.into_iter().chain(next).collect()
    }

    /// The change with the words of a ballot; see [`Tally::take`].
    ///
    /// # Errors
    /// Why not; the change is as it was.
    pub fn take(&self, ballot: &Ballot, now_ns: u64) -> Result<Change, Refusal> {
        Ok(Change { tally: self.tally.take(ballot, now_ns)?, ..self.clone() })
    }

    /// What it still lacks; where that is nothing, it may be put into force. Where there are no approvers yet, guards change freely.
    ///
    /// # Errors
    /// When it does not follow what is in force, or has ended: it has to be asked for anew.
    pub fn lacks(&self, approvers: Option<&Approvers>, guards: &Guards, now_ns: u64) -> Result<Vec<Need>, Refusal> {
        let matter = &self.tally.matter;
        if self.tally.clock(now_ns) >= matter.until_ns && !mutated(Mutant::EndIgnored) {
            return Err(Refusal::Ended { what: matter.name(), until_ns: matter.until_ns });
        }
        let mut needs = Vec::new();
        match &self.next {
            Next::Approvers(next) => {
                follows("the set of approvers", next.revision, approvers.map_or(0, |old| old.revision))?;
                if !mutated(Mutant::OldSetUnasked) {
                    needs.extend(approvers.map(|old| self.threshold("the approvers in force", old, now_ns)));
                }
                if !mutated(Mutant::NewSetUnasked) {
                    needs.push(self.threshold("the approvers to be", next, now_ns));
                }
            }
            Next::Guards(next) => {
                follows("the set of guards", next.revision, guards.revision)?;
                let Some(approvers) = approvers else { return Ok(Vec::new()) };
                needs.push(self.threshold("the approvers in force", approvers, now_ns));
                let approved = self.tally.approved(approvers, now_ns);
                let altered = |guard: &&Guard| !next.guards.contains(guard) && !mutated(Mutant::AlteredUnasked);
                for guard in guards.guards.iter().filter(altered) {
                    let reviewed_ns = matter.requested_ns.saturating_add(guard.criticality.review_ns());
                    needs.push(Need {
                        item: guard.name(),
                        groups: guard.groups.clone(),
                        approvals: count(&approved, |groups| guard.is_open_to(groups)),
                        quorum: guard.criticality.quorum(),
                        not_before_ns: Some(reviewed_ns).filter(|&ns| self.tally.clock(now_ns) < ns),
                    });
                }
            }
        }
        needs.retain(|need| need.approvals < need.quorum || need.not_before_ns.is_some());
        Ok(needs)
    }

    /// The threshold of a set, and how many of its keepers signed.
    fn threshold(&self, item: &str, set: &Approvers, now_ns: u64) -> Need {
        let keeps = |groups: &[String]| {
            set.keepers.is_empty() || groups.contains(&set.keepers) || mutated(Mutant::KeepersIgnored)
        };
        Need {
            item: item.to_owned(),
            groups: Some(set.keepers.clone()).filter(|group| !group.is_empty()).into_iter().collect(),
            approvals: count(&self.tally.approved(set, now_ns), keeps),
            quorum: set.threshold - u32::from(mutated(Mutant::ThresholdOneLess)),
            not_before_ns: None,
        }
    }
}

fn count(approved: &[Approved], may: impl Fn(&[String]) -> bool) -> u32 {
    let count = approved.iter().filter(|approved| may(&approved.groups)).count();
    u32::try_from(count).unwrap_or(u32::MAX)
}

fn follows(what: &'static str, is: u64, in_force: u64) -> Result<(), Refusal> {
    let due = in_force + 1;
    if is == due || mutated(Mutant::RevisionIgnored) { Ok(()) } else { Err(Refusal::Revision { what, is, due }) }
}
