//! The specification of approvals, relaxations and changes of who may approve: small enough to be read at a sitting, written from the rules
//! and not from the code, and executable. `histories` compares it with the implementation, `mutants` shows that the comparison finds
//! planted faults, `model` checks the relaxation's life cycle.
//!
//! A *matter* is asked for by someone, from a moment until another. *Words* about it are recorded; nothing that was recorded is changed or
//! lost. Time is the latest moment that anyone has seen: it never goes backwards.

mod histories;
mod model;
mod mutants;
mod people;
mod plans;
mod values;
mod world;

use crate::approval::{Kind, State, Word};
use crate::guard::Criticality;

const SECOND: u64 = 1_000_000_000;
const HOUR: u64 = 3_600 * SECOND;

/// Someone who may approve, with their one key.
#[derive(Clone, Debug, PartialEq)]
struct Member {
    name: &'static str,
    key: u8,
    groups: Vec<&'static str>,
}

/// Who may approve, and how many of the keepers (everybody, where none are named) change that.
#[derive(Clone, Debug, PartialEq)]
struct Set {
    revision: u64,
    threshold: usize,
    keepers: Option<&'static str>,
    members: Vec<Member>,
}

/// What is voted on.
#[derive(Clone, Debug)]
struct Matter {
    log: &'static str,
    kind: Kind,
    id: &'static str,
    content: u8,
    by: &'static str,
    /// Whether whoever asks may approve.
    own: bool,
    /// Who may approve; everybody, where no group is named.
    groups: Vec<&'static str>,
    from: u64,
    until: u64,
}

/// What is signed.
#[derive(Clone, Debug, PartialEq)]
struct Message {
    log: &'static str,
    kind: Kind,
    id: &'static str,
    content: u8,
    word: Word,
    nonce: u8,
    issued: u64,
    expires: u64,
}

/// A message that was recorded: one for each who signed it.
#[derive(Clone, Debug, PartialEq)]
struct Said {
    message: Message,
    name: &'static str,
    key: u8,
    at: u64,
}

/// Why not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum No {
    Unknown,
    Forged,
    OtherLog,
    OtherMatter,
    OtherContent,
    Ended,
    BeforeRequest,
    FromTheFuture,
    Life,
    Expired,
    Group,
    Own,
    Nonce,
    Superseded,
    Twice,
    Revoked,
    Revision,
}

impl Set {
    fn holder(&self, key: u8) -> Option<&Member> {
        self.members.iter().find(|member| member.key == key)
    }
}

impl Matter {
    fn open_to(&self, member: &Member) -> bool {
        self.groups.is_empty() || member.groups.iter().any(|group| self.groups.contains(group))
    }

    /// What recording a message adds, or the first rule that it breaks. Each signer comes with their key, and with whether the signature is
    /// that key's, over this message. What refuses one signer refuses the message.
    fn hear(
        &self,
        said: &[Said],
        message: &Message,
        signers: &[(u8, bool)],
        sets: &[&Set],
        at: u64,
    ) -> Result<Vec<Said>, No> {
        // Who signed is known, by their own signature.
        let mut members = Vec::new();
        for &(key, genuine) in signers {
            let holder = sets.iter().find_map(|set| set.holder(key)).ok_or(No::Unknown)?;
            members.push(holder);
            must(genuine, No::Forged)?;
        }
        // It is of this matter as it is, which stands.
        must(message.log == self.log, No::OtherLog)?;
        must((message.kind, message.id) == (self.kind, self.id), No::OtherMatter)?;
        must(message.content == self.content, No::OtherContent)?;
        must(at < self.until, No::Ended)?;
        // It was made after the matter was asked for, not later than now (clocks differ by five minutes), for up to thirty days, and is good.
        must(message.issued >= self.from, No::BeforeRequest)?;
        must(message.issued <= at + 300 * SECOND, No::FromTheFuture)?;
        must(message.expires > message.issued && message.expires - message.issued <= 30 * 24 * HOUR, No::Life)?;
        must(at < message.expires, No::Expired)?;
        let mut added = Vec::new();
        for member in members {
            must(self.open_to(member), No::Group)?;
            must(member.name != self.by || self.own, No::Own)?;
            let earlier: Vec<&Said> = said.iter().filter(|said| said.key == member.key).collect();
            if let Some(last) = earlier.last() {
                // What was heard last may be heard any number of times.
                if last.message == *message {
                    continue;
                }
                // A nonce is good for one message.
                must(!earlier.iter().any(|e| e.message.nonce == message.nonce && e.message != *message), No::Nonce)?;
                // A word is newer than all before it.
                must(message.issued > last.message.issued, No::Superseded)?;
                // Nobody approves what they approve already.
                let approves = last.message.word == Word::Approve && at < last.message.expires;
                must(!(approves && message.word == Word::Approve), No::Twice)?;
            }
            added.push(Said { message: message.clone(), name: member.name, key: member.key, at });
        }
        Ok(added)
    }

    /// Whose approvals count by a set: those whose key's last word approves and is good, who may approve, and who did not ask themselves.
    fn approving<'s>(&self, said: &[Said], set: &'s Set, at: u64) -> Vec<&'s Member> {
        let approves = |member: &&Member| {
            let last = said.iter().rfind(|said| said.key == member.key);
            last.is_some_and(|last| last.message.word == Word::Approve && at < last.message.expires)
        };
        let may = |member: &&Member| self.open_to(member) && (self.own || member.name != self.by);
        set.members.iter().filter(approves).filter(may).collect()
    }
}

/// How many approve, and after how long.
fn quorum(criticality: Criticality) -> (usize, u64) {
    match criticality {
        Criticality::Critical => (3, 24 * HOUR),
        Criticality::High => (2, 12 * HOUR),
        Criticality::Medium => (1, HOUR),
        Criticality::Low => (1, 0),
    }
}

/// Where a relaxation is in its life.
fn life(criticality: Criticality, matter: &Matter, said: &[Said], revoked: bool, set: &Set, at: u64) -> State {
    let (quorum, review) = quorum(criticality);
    let approved = matter.approving(said, set, at).len() >= quorum;
    match (revoked, at >= matter.until, approved, at >= matter.from + review) {
        (true, ..) => State::Revoked,
        (false, true, ..) => State::Expired,
        (false, false, true, true) => State::InForce,
        (false, false, true, false) => State::Approved,
        (false, false, false, _) => State::Requested,
    }
}

/// Whether the next set may take over: both the set in force and the next itself have signed by their thresholds.
fn may_take_over(matter: &Matter, said: &[Said], old: &Set, next: &Set, at: u64) -> Result<bool, No> {
    must(at < matter.until, No::Ended)?;
    must(next.revision == old.revision + 1, No::Revision)?;
    let signed = |set: &Set| reaches(matter, said, set, at);
    Ok(signed(old) && signed(next))
}

/// Whether guards may change: the set in force has signed by its threshold, and each guard that goes or becomes another has what
/// a relaxation of it takes.
fn may_change_guards(
    matter: &Matter,
    said: &[Said],
    set: &Set,
    altered: &[(Criticality, Vec<&str>)],
    at: u64,
) -> Result<bool, No> {
    must(at < matter.until, No::Ended)?;
    let relaxed = |(criticality, groups): &(Criticality, Vec<&str>)| {
        let (quorum, review) = quorum(*criticality);
        let of = |member: &&Member| groups.is_empty() || member.groups.iter().any(|group| groups.contains(group));
        matter.approving(said, set, at).into_iter().filter(of).count() >= quorum && at >= matter.from + review
    };
    Ok(reaches(matter, said, set, at) && altered.iter().all(relaxed))
}

fn reaches(matter: &Matter, said: &[Said], set: &Set, at: u64) -> bool {
    let keeps = |member: &&Member| set.keepers.is_none_or(|keepers| member.groups.contains(&keepers));
    matter.approving(said, set, at).into_iter().filter(keeps).count() >= set.threshold
}

fn must(holds: bool, no: No) -> Result<(), No> {
    if holds { Ok(()) } else { Err(no) }
}
