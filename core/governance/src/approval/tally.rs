//! The votes on one matter: what is recorded of them, and which of them count.
//!
//! Time is passed in and may go backwards: what a record has seen is never unseen, so that nothing that has ended begins again.

use serde::{Deserialize, Serialize};

use super::{Approved, Approver, Approvers, Ballot, Kind, Refusal, Request, Voter, Word};
use crate::counters::APPROVALS_REFUSED;
use crate::mutant::{Mutant, mutated};
use crate::text::{as_hex, listed};

/// What is voted on.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Matter {
    /// The engine's ledger, by its origin.
    pub log: String,
    /// What kind of thing it is.
    pub kind: Kind,
    /// Which: `p-19`, `r-3`.
    pub id: String,
    /// SHA-256 that stands for its content.
    #[serde(with = "as_hex")]
    pub digest: [u8; 32],
    /// Who asks.
    pub by: String,
    /// Whether the approval of whoever asks counts like any other.
    #[serde(default)]
    pub own: bool,
    /// The groups whose members may approve; empty: every approver.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<String>,
    /// When it was asked for, in nanoseconds since 1970 (UTC).
    pub requested_ns: u64,
    /// From when on it takes no approvals; `u64::MAX`: always.
    pub until_ns: u64,
}

/// A word that was recorded.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Vote {
    /// Whose it is, as they were called then.
    pub by: String,
    /// Their key.
    #[serde(with = "as_hex")]
    pub key: [u8; 32],
    /// What they say.
    pub word: Word,
    /// The nonce of the request that they signed.
    #[serde(with = "as_hex")]
    pub nonce: [u8; 16],
    /// When that was made.
    pub issued_ns: u64,
    /// From when on it counts no more.
    pub expires_ns: u64,
    /// When it was recorded.
    pub time_ns: u64,
    /// The soft-mandatory rules that it overrides.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub overrides: Vec<String>,
}

/// A matter with all that was said of it, in the order of its recording.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tally {
    /// What is voted on.
    pub matter: Matter,
    /// What was said.
    #[serde(default)]
    pub votes: Vec<Vote>,
    /// The latest moment that was seen.
    pub seen_ns: u64,
}

impl Matter {
    /// `relaxation r-3`.
    pub fn name(&self) -> String {
        format!("{} {}", self.kind.as_str(), self.id)
    }

    /// A request to approve it, or to take an approval back, for an approver to sign; `nonce` is 16 random bytes.
    pub fn request(&self, word: Word, nonce: [u8; 16], issued_ns: u64, expires_ns: u64) -> Request {
        let (log, id) = (self.log.clone(), self.id.clone());
        let (kind, digest, overrides) = (self.kind, self.digest, Vec::new());
        Request { log, kind, id, digest, word, nonce, issued_ns, expires_ns, overrides }
    }

    /// Whether someone in these groups may approve it.
    fn is_open_to(&self, groups: &[String]) -> bool {
        self.groups.is_empty() || groups.iter().any(|group| self.groups.contains(group))
    }
}

impl Tally {
    /// How far ahead of the clock here a request may be dated: clocks are set back now and then.
    pub const SKEW_NS: u64 = 300 * SECOND;
    /// The longest time for which an approval is good.
    pub const LIFE_NS: u64 = 30 * 24 * 3600 * SECOND;
    /// The most words that are recorded about a matter.
    pub const MOST: usize = 4096;

    /// A matter of which nothing was said yet.
    pub fn new(matter: Matter) -> Tally {
        let seen_ns = matter.requested_ns;
        Tally { matter, votes: Vec::new(), seen_ns }
    }

    /// The tally with the words of a ballot; the same where each is recorded already, so that an approval may be sent any number of times.
    ///
    /// What is looked at first decides what is refused: is it of this matter, does the matter stand, is the word good now; then, for each who
    /// signed: may they approve it, is it theirs to approve, and what did they say before. One who is refused refuses the whole ballot.
    ///
    /// # Errors
    /// Why, and what to do.
    pub fn take(&self, ballot: &Ballot, now_ns: u64) -> Result<Tally, Refusal> {
        self.taken(ballot, now_ns).inspect_err(|refusal| {
            APPROVALS_REFUSED.add(1);
            tracing::debug!(%refusal, "an approval was refused");
        })
    }

    fn taken(&self, ballot: &Ballot, now_ns: u64) -> Result<Tally, Refusal> {
        let now_ns = self.clock(now_ns);
        self.check_matter(&ballot.request)?;
        if now_ns >= self.matter.until_ns && !mutated(Mutant::EndIgnored) {
            return Err(Refusal::Ended { what: self.matter.name(), until_ns: self.matter.until_ns });
        }
        self.check_time(&ballot.request, now_ns)?;
        let mut tally = self.clone();
        for voter in &ballot.voters {
            match self.vote(voter, &ballot.request, now_ns) {
                Ok(vote) => tally.votes.extend(vote),
                Err(_) if mutated(Mutant::PartlyTaken) => {}
                Err(refusal) => return Err(refusal),
            }
        }
        if tally.votes.len() > Tally::MOST {
            let most = Tally::MOST;
            return Err(Refusal::limit(format!("{} has {most} words of approvers, the most", self.matter.name())));
        }
        tally.seen_ns = now_ns;
        Ok(tally)
    }

    /// The approvals that count: by approvers of this set and of a group that may approve, unexpired, and not taken back. In the order of their
    /// recording.
    pub fn approved(&self, approvers: &Approvers, now_ns: u64) -> Vec<Approved> {
        let now_ns = self.clock(now_ns);
        let counts = |(at, vote): (usize, &Vote)| {
            let newest = self.votes[at + 1..].iter().all(|later| later.key != vote.key);
            let counted = newest || mutated(Mutant::TwiceCounts);
            let stands = vote.word == Word::Approve || mutated(Mutant::WithdrawalIgnored);
            let good = now_ns < vote.expires_ns || mutated(Mutant::CountsExpired);
            let (by, groups) = match approvers.by_key(&vote.key) {
                Some(approver) if self.may_count(approver) => (&approver.name, &approver.groups),
                None if mutated(Mutant::RemovedCounts) => (&vote.by, &self.matter.groups),
                _ => return None,
            };
            (counted && stands && good).then(|| Approved {
                by: by.clone(),
                groups: groups.clone(),
                time_ns: vote.time_ns,
                expires_ns: vote.expires_ns,
                overrides: vote.overrides.clone(),
            })
        };
        self.votes.iter().enumerate().filter_map(counts).collect()
    }

    /// Now, or the latest moment that was seen where that is later.
    pub fn clock(&self, now_ns: u64) -> u64 {
        if mutated(Mutant::ClockTurnedBack) { now_ns } else { now_ns.max(self.seen_ns) }
    }

    /// The same, having seen a moment.
    pub fn at(&self, now_ns: u64) -> Tally {
        Tally { seen_ns: self.clock(now_ns), ..self.clone() }
    }

    fn check_matter(&self, request: &Request) -> Result<(), Refusal> {
        let Matter { log, kind, id, digest, .. } = &self.matter;
        if request.log != *log && !mutated(Mutant::LogIgnored) {
            return Err(Refusal::OtherLog { says: request.log.clone(), is: log.clone() });
        }
        let other_kind = request.kind != *kind && !mutated(Mutant::KindIgnored);
        if other_kind || request.id != *id && !mutated(Mutant::IdIgnored) {
            let says = format!("{} {}", request.kind.as_str(), request.id);
            return Err(Refusal::OtherMatter { says, is: self.matter.name() });
        }
        if request.digest != *digest && !mutated(Mutant::DigestIgnored) {
            return Err(Refusal::OtherContent { what: self.matter.name() });
        }
        Ok(())
    }

    fn check_time(&self, request: &Request, now_ns: u64) -> Result<(), Refusal> {
        let Request { issued_ns, expires_ns, .. } = *request;
        if issued_ns < self.matter.requested_ns && !mutated(Mutant::BeforeRequest) {
            return Err(Refusal::BeforeRequest { what: self.matter.name() });
        }
        if issued_ns > now_ns.saturating_add(Tally::SKEW_NS) && !mutated(Mutant::FromTheFuture) {
            return Err(Refusal::FromTheFuture { issued_ns });
        }
        let life = expires_ns.checked_sub(issued_ns).filter(|&life| life > 0);
        if life.is_none_or(|life| life > Tally::LIFE_NS && !mutated(Mutant::LifeUnlimited)) {
            return Err(Refusal::Life);
        }
        let expired = now_ns >= expires_ns + u64::from(mutated(Mutant::ExpiryLate));
        if expired && !mutated(Mutant::ExpiryIgnored) {
            return Err(Refusal::Expired { expires_ns });
        }
        Ok(())
    }

    /// What one who signed adds: nothing, where it is recorded already.
    fn vote(&self, voter: &Voter, request: &Request, now_ns: u64) -> Result<Option<Vote>, Refusal> {
        let (by, what) = (voter.name.clone(), self.matter.name());
        let Request { word, nonce, issued_ns, expires_ns, .. } = *request;
        if !self.matter.is_open_to(&voter.groups) && !mutated(Mutant::GroupIgnored) {
            return Err(Refusal::Group { by, groups: listed(&self.matter.groups), what });
        }
        if by == self.matter.by && !self.matter.own && !mutated(Mutant::OwnRequest) {
            return Err(Refusal::OwnRequest { by, what });
        }
        let vote = Vote {
            by: by.clone(),
            key: voter.key,
            word,
            nonce,
            issued_ns,
            expires_ns,
            time_ns: now_ns,
            overrides: request.overrides.clone(),
        };
        let mut before = self.votes.iter().rev().filter(|before| before.key == voter.key);
        let Some(newest) = before.next() else { return Ok(Some(vote)) };
        let same = |before: &Vote| {
            Vote { by: by.clone(), time_ns: before.time_ns, ..vote.clone() }
                == Vote { by: by.clone(), ..before.clone() }
        };
        if same(newest) && !mutated(Mutant::TwiceCounts) {
            return if mutated(Mutant::RepeatRefused) { Err(Refusal::Twice { by, what }) } else { Ok(None) };
        }
        let used = newest.nonce == nonce || before.any(|before| before.nonce == nonce && !same(before));
        if used && !mutated(Mutant::NonceReused) {
            return Err(Refusal::Nonce { by, what });
        }
        if issued_ns <= newest.issued_ns && !mutated(Mutant::OrderIgnored) {
            return Err(Refusal::Superseded { by, what });
        }
        let stands = newest.word == Word::Approve && now_ns < newest.expires_ns;
        if stands && word == Word::Approve && !mutated(Mutant::TwiceCounts) {
            return Err(Refusal::Twice { by, what });
        }
        Ok(Some(vote))
    }

    fn may_count(&self, approver: &Approver) -> bool {
        let own = approver.name == self.matter.by && !self.matter.own && !mutated(Mutant::OwnRequest);
        !own && (self.matter.is_open_to(&approver.groups) || mutated(Mutant::GroupUncounted))
    }
}

const SECOND: u64 = 1_000_000_000;
