//! A relaxation: a guard that gives way for a while, because a quorum signed that it may.
//!
//! It is asked for, approved, comes into force when its review time is over, and ends by itself or by being revoked. What it is follows
//! from what was recorded of it and the time: an approval that expires, is taken back or whose approver is removed stops counting at once,
//! and with it what it carried.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{Approvers, Ballot, Kind, Matter, Refusal, Tally};
use crate::guard::{Criticality, Guard};
use crate::mutant::{Mutant, mutated};
use crate::text::{as_hex, is_name, moment};
use crate::{Candidate, Need};

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Asked {
    /// Its id: `r-3`.
    pub id: String,
    /// The guard.
    pub guard: String,
    /// The guard as it was then: a guard that changed is not relaxed by it.
    #[serde(with = "as_hex")]
    pub guard_hash: [u8; 32],
    /// How critical the guard is: the quorum and the review time.
    pub criticality: Criticality,
    /// The only sector in which the guard gives way; none: all that it guards.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sector: Option<String>,
    /// The only proposal for which it does; none: any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proposal: Option<String>,
    /// Who asks.
    pub by: String,
    /// Why.
    pub why: String,
    /// When, in nanoseconds since 1970 (UTC).
    pub requested_ns: u64,
    /// When it ends by itself, whether it ever was in force or not.
    pub until_ns: u64,
}

/// That someone took it back.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Revoked {
    /// Who.
    pub by: String,
    /// Why.
    pub why: String,
    /// When.
    pub time_ns: u64,
}

/// A relaxation with all that happened to it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Relaxation {
    /// What was asked for.
    pub asked: Asked,
    /// What was said of it.
    pub tally: Tally,
    /// Whether it was taken back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked: Option<Revoked>,
}

/// Where a relaxation is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Approvals are missing.
    Requested,
    /// Enough approved, and its review time is not over.
    Approved,
    /// The guard gives way.
    InForce,
    /// It ended by itself.
    Expired,
    /// Someone took it back.
    Revoked,
}

/// What happens to a relaxation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// Approvers said something.
    Ballot(Ballot),
    /// Someone takes it back: anyone may, since the guard stands again then.
    Revoke {
        /// Who.
        by: String,
        /// Why.
        why: String,
    },
    /// Time passed.
    Tick,
}

impl Relaxation {
    /// Asks for a relaxation of a guard. `own`: whether the approval of whoever asks counts, which doctrine says.
    ///
    /// # Errors
    /// When it names no sector that the guard guards, or lasts no time, or longer than the guard allows.
    pub fn request(log: &str, guard: &Guard, ask: Ask, own: bool, now_ns: u64) -> Result<Relaxation, Refusal> {
        let Ask { id, sector, proposal, by, why, until_ns } = ask;
        let what = "request of a relaxation";
        if let Some(bad) = [&id, &by].into_iter().find(|name| !is_name(name)) {
            return Err(Refusal::malformed(
                what,
                format!("{bad:?} is no name: 1 to 128 bytes without control characters"),
            ));
        }
        if why.is_empty() || why.len() > 4096 {
            return Err(Refusal::malformed(what, "it says nothing in `why`, or more than 4,096 bytes"));
        }
        if let (Some(asked), Some(guarded)) = (&sector, &guard.sector)
            && asked != guarded
        {
            return Err(Refusal::malformed(what, format!("guard {} guards sector {guarded}, not {asked}", guard.id)));
        }
        let longest = guard.longest_ns();
        if until_ns <= now_ns || until_ns - now_ns > longest {
            let latest = moment(now_ns.saturating_add(longest));
            let why =
                format!("it ends at {}; guard {} may give way until {latest} at most", moment(until_ns), guard.id);
            return Err(Refusal::malformed(what, why));
        }
        let asked = Asked {
            id,
            guard: guard.id.clone(),
            guard_hash: guard.hash(),
            criticality: guard.criticality,
            sector,
            proposal,
            by,
            why,
            requested_ns: now_ns,
            until_ns,
        };
        let matter = Matter {
            log: log.to_owned(),
            kind: Kind::Relaxation,
            id: asked.id.clone(),
            digest: asked.digest(),
            by: asked.by.clone(),
            own,
            groups: guard.groups.clone(),
            requested_ns: now_ns,
            until_ns,
        };
        Ok(Relaxation { asked, tally: Tally::new(matter), revoked: None })
    }

    /// The relaxation after an event; the same, where an approval came again that is recorded already.
    ///
    /// # Errors
    /// Why not; the relaxation is as it was.
    pub fn decide(&self, event: &Event, now_ns: u64) -> Result<Relaxation, Refusal> {
        let revoked = || Refusal::Revoked { what: self.tally.matter.name() };
        match event {
            Event::Ballot(_) if self.revoked.is_some() && !mutated(Mutant::RevokedTakes) => Err(revoked()),
            Event::Ballot(ballot) => Ok(Relaxation { tally: self.tally.take(ballot, now_ns)?, ..self.clone() }),
            Event::Revoke { .. } if self.revoked.is_some() && !mutated(Mutant::RevokedTwice) => Err(revoked()),
            Event::Revoke { by, why } => {
                let tally = self.tally.at(now_ns);
                let until_ns = self.asked.until_ns;
                if tally.seen_ns >= until_ns {
                    return Err(Refusal::Ended { what: self.tally.matter.name(), until_ns });
                }
                let revoked = Some(Revoked { by: by.clone(), why: why.clone(), time_ns: tally.seen_ns });
                Ok(Relaxation { tally, revoked, asked: self.asked.clone() })
            }
            Event::Tick => Ok(Relaxation { tally: self.tally.at(now_ns), ..self.clone() }),
        }
    }

    /// Where it is in its life, by who may approve now.
    pub fn state(&self, approvers: &Approvers, now_ns: u64) -> State {
        let now_ns = self.tally.clock(now_ns);
        let end_ns = self.asked.until_ns.saturating_add(u64::from(mutated(Mutant::ExpiredLate)));
        if self.revoked.is_some() && !mutated(Mutant::RevokedInForce) {
            return State::Revoked;
        }
        if now_ns >= end_ns && !mutated(Mutant::ExpiredInForce) {
            return State::Expired;
        }
        let quorum = self.asked.criticality.quorum() - u32::from(mutated(Mutant::QuorumOneLess));
        if (self.tally.approved(approvers, now_ns).len() as u64) < u64::from(quorum) {
            return State::Requested;
        }
        let reviewed_ns = self.reviewed_ns() + u64::from(mutated(Mutant::ReviewLate));
        if now_ns < reviewed_ns && !mutated(Mutant::ReviewSkipped) { State::Approved } else { State::InForce }
    }

    /// When its review time is over.
    pub fn reviewed_ns(&self) -> u64 {
        self.asked.requested_ns.saturating_add(self.asked.criticality.review_ns())
    }

    /// What it still lacks.
    pub fn need(&self, approvers: &Approvers, now_ns: u64) -> Need {
        Need {
            item: self.tally.matter.name(),
            groups: self.tally.matter.groups.clone(),
            approvals: u32::try_from(self.tally.approved(approvers, now_ns).len()).unwrap_or(u32::MAX),
            quorum: self.asked.criticality.quorum(),
            not_before_ns: Some(self.reviewed_ns()).filter(|&reviewed| self.tally.clock(now_ns) < reviewed),
        }
    }

    /// Whether it is of this guard, as the guard is now, and of this candidate.
    pub fn is_of(&self, guard: &Guard, candidate: &Candidate) -> bool {
        let Asked { guard: of, guard_hash, sector, proposal, .. } = &self.asked;
        *of == guard.id
            && *guard_hash == guard.hash()
            && sector.as_ref().is_none_or(|sector| *sector == candidate.sector)
            && proposal.as_ref().is_none_or(|proposal| *proposal == candidate.proposal)
    }
}

/// Who asks for what; see [`Asked`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ask {
    /// Its id.
    pub id: String,
    /// The only sector.
    pub sector: Option<String>,
    /// The only proposal.
    pub proposal: Option<String>,
    /// Who asks.
    pub by: String,
    /// Why.
    pub why: String,
    /// When it is to end.
    pub until_ns: u64,
}

impl Asked {
    /// What stands for it where it is approved: SHA-256 of `knhk relaxation 1\0` and its JSON.
    pub fn digest(&self) -> [u8; 32] {
        let json = serde_json::to_vec(self).expect("texts and numbers are written");
        Sha256::new_with_prefix(b"knhk relaxation 1\0").chain_update(json).finalize().into()
    }
}
