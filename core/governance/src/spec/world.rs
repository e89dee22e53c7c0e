//! One history, told to both sides: what happens in it, and whether they agree.

use super::people::{CRITICALITIES, Dice, LOG, PEOPLE, PUBLIC, START, STRANGER, guard, real, set, signed};
use super::{HOUR, Matter, Message, No, SECOND, Said, Set, life, may_change_guards, may_take_over};
use crate::approval::{
    Approval, Approvers, Ask, Ballot, Change, Event, Kind, Next, Refusal, Relaxation, Request, State, Tally, Voter,
    Word,
};
use crate::guard::{Criticality, Guards};

/// The three matters of a history.
const RELAXATION: usize = 0;
const APPROVERS: usize = 1;
const GUARDS: usize = 2;

/// Whose matter it is about, the message, and the signers with whether each signature is good.
type Sent = (usize, Message, Vec<(u8, bool)>);

/// One history, on both sides.
pub(super) struct World {
    pub(super) dice: Dice,
    /// Whether messages go by their bytes.
    bytes: bool,
    pub(super) now: u64,
    // What the specification knows.
    matters: [Matter; 3],
    said: [Vec<Said>; 3],
    latest: [u64; 3],
    revoked: bool,
    set: Set,
    next: Set,
    altered: Vec<(Criticality, Vec<&'static str>)>,
    criticality: Criticality,
    /// Messages that were sent, to be sent again.
    sent: Vec<Sent>,
    // What the implementation knows.
    pub(super) relaxation: Relaxation,
    pub(super) changes: [Change; 2],
    pub(super) approvers: Approvers,
    next_approvers: Approvers,
    pub(super) guards: Guards,
}

impl World {
    pub(super) fn new(seed: u64) -> World {
        let mut dice = Dice(seed);
        let bytes = seed.is_multiple_of(50);
        let set_in_force = set(&mut dice, 1, false);
        let revision = if dice.one_in(10) { dice.of(&[1, 3]) } else { 2 };
        let next = set(&mut dice, revision, true);
        let criticality = dice.of(&CRITICALITIES);
        let groups = dice.of(&[vec![], vec![], vec!["risk"], vec!["desk", "risk"]]);
        let until = START + dice.of(&[2, 13, 26, 48]) * HOUR;
        let by = dice.of(&PEOPLE);
        let own = dice.one_in(4);

        let guarding = guard("g", criticality, &groups, 8.0);
        let other = (dice.of(&CRITICALITIES), dice.of(&[vec![], vec!["desk"]]));
        let guards = Guards { revision: 1, guards: vec![guarding.clone(), guard("h", other.0, &other.1, 8.0)] };
        let ask = Ask {
            id: "r-1".into(),
            sector: None,
            proposal: None,
            by: by.into(),
            why: "it is late".into(),
            until_ns: until,
        };
        let relaxation = Relaxation::request(LOG, &guarding, ask, own, START).expect("it can be asked for");

        let (approvers, next_approvers) = (real(&set_in_force), real(&next));
        let (next_guards, altered) = match dice.throw(4) {
            0 => (guards.with(guard("new", Criticality::Critical, &[], 8.0)), vec![]),
            1 => (guards.without("g"), vec![(criticality, groups.clone())]),
            2 => (guards.with(guard("h", Criticality::Low, &[], 9.0)), vec![other.clone()]),
            _ => (Guards { revision: 2, guards: vec![] }, vec![(criticality, groups.clone()), other.clone()]),
        };
        let ends = START + 48 * HOUR;
        let change = |id, next| Change::request(LOG, id, by, "it is time", next, START, ends);
        let changes =
            [change("a-1", Next::Approvers(next_approvers.clone())), change("g-1", Next::Guards(next_guards))];
        let matter = |kind, id, content, own, groups: &[&'static str], until| Matter {
            log: LOG,
            kind,
            id,
            content,
            by,
            own,
            groups: groups.to_vec(),
            from: START,
            until,
        };
        let matters = [
            matter(Kind::Relaxation, "r-1", 1, own, &groups, until),
            matter(Kind::Approvers, "a-1", 2, true, &[], ends),
            matter(Kind::Guards, "g-1", 3, true, &[], ends),
        ];
        World {
            dice,
            bytes,
            now: START,
            matters,
            said: Default::default(),
            latest: [START; 3],
            revoked: false,
            set: set_in_force,
            next,
            altered,
            criticality,
            sent: Vec::new(),
            relaxation,
            changes,
            approvers,
            next_approvers,
            guards,
        }
    }

    /// Acts once, on both sides; says where they differ.
    pub(super) fn act(&mut self) -> Result<(), String> {
        self.pass_time();
        match self.dice.throw(20) {
            0 => self.revoke(),
            1 => self.tick(),
            2 => self.take_over(),
            3..=5 if !self.sent.is_empty() => {
                let again = self.dice.throw(self.sent.len());
                let (matter, message, signers) = self.sent[again].clone();
                self.say(matter, message, signers)
            }
            _ => {
                let matter = if self.dice.one_in(2) { RELAXATION } else { 1 + self.dice.throw(2) };
                let (message, signers) = self.compose(matter);
                self.sent.push((matter, message.clone(), signers.clone()));
                self.say(matter, message, signers)
            }
        }?;
        self.compare()
    }

    /// Time goes on by a little, or to just before, at or after a moment that matters; now and then backwards.
    fn pass_time(&mut self) {
        let (_, review) = super::quorum(self.criticality);
        let mut moments = vec![START + review, self.matters[RELAXATION].until, START + 48 * HOUR];
        moments.extend(self.sent.iter().map(|(_, message, _)| message.expires));
        self.now = match self.dice.throw(10) {
            0..=4 => self.now + self.dice.of(&[0, 1, 60 * SECOND, HOUR]),
            5 => self.now.saturating_sub(self.dice.of(&[1, HOUR, 24 * HOUR])).max(START),
            _ => {
                let moment = self.dice.of(&moments) + self.dice.of(&[0, 1, 2]) - 1;
                if moment >= START + 49 * HOUR || (moment > self.now + 2 * HOUR && !self.dice.one_in(3)) {
                    self.now
                } else {
                    moment
                }
            }
        };
    }

    /// A message about a matter, mostly as it should be.
    fn compose(&mut self, matter: usize) -> (Message, Vec<(u8, bool)>) {
        let Matter { log, kind, id, content, .. } = self.matters[matter];
        let dice = &mut self.dice;
        let word = if dice.one_in(6) { Word::Withdraw } else { Word::Approve };
        let issued = self.now.max(START);
        let life = dice.of(&[1, 60 * SECOND, HOUR, 20 * HOUR, 20 * HOUR, 47 * HOUR]);
        let mut message =
            Message { log, kind, id, content, word, nonce: dice.throw(40) as u8, issued, expires: issued + life };
        if dice.one_in(6) {
            match dice.throw(9) {
                0 => message.log = "other.example/1",
                1 => message.kind = dice.of(&Kind::ALL),
                2 => message.id = dice.of(&["r-1", "a-1", "g-1", "r-2"]),
                3 => message.content = dice.throw(5) as u8,
                4 => message.issued = START - 1 - dice.throw(2) as u64,
                5 => message.issued = self.now + dice.of(&[0, 1, 300 * SECOND, 300 * SECOND + 1]),
                6 => message.expires = message.issued + 30 * 24 * HOUR + dice.throw(2) as u64,
                7 => message.expires = message.issued,
                _ => message.issued = (self.now - dice.of(&[0, 1, 60 * SECOND])).max(START),
            }
        }
        let count = if dice.one_in(3) { 1 + dice.throw(4) } else { 1 };
        let mut keys: Vec<u8> = (0..count).map(|_| dice.throw(7) as u8).collect();
        let known =
            |key: &u8| self.set.holder(*key).or(self.next.holder(*key).filter(|_| matter == APPROVERS)).is_some();
        if !self.bytes || !dice.one_in(8) {
            keys.retain(known);
        }
        if keys.is_empty() {
            keys.push(self.set.members[dice.throw(self.set.members.len())].key);
        }
        if self.bytes && dice.one_in(20) {
            keys.push(STRANGER);
        }
        keys.sort_unstable();
        keys.dedup();
        let signers = keys.into_iter().map(|key| (key, !(self.bytes && dice.one_in(20)))).collect();
        (message, signers)
    }

    fn at(&self, matter: usize) -> u64 {
        self.now.max(self.latest[matter])
    }

    fn say(&mut self, matter: usize, message: Message, signers: Vec<(u8, bool)>) -> Result<(), String> {
        let at = self.at(matter);
        let sets: Vec<&Set> = if matter == APPROVERS { vec![&self.set, &self.next] } else { vec![&self.set] };
        let known = |&(key, _): &(u8, bool)| sets.iter().any(|set| set.holder(key).is_some());
        if !self.bytes && !signers.iter().all(known) {
            // Someone who is no approver any more: verification, which is left out here, refuses them.
            return Ok(());
        }
        let mut expected = self.matters[matter].hear(&self.said[matter], &message, &signers, &sets, at);
        // A revoked relaxation hears nobody; who signed is looked at before.
        let verified = !matches!(expected, Err(No::Unknown | No::Forged));
        if matter == RELAXATION && self.revoked && verified {
            expected = Err(No::Revoked);
        }
        let before = self.words(matter);
        let found = self.really_say(matter, &message, &signers).map(|()| self.words(matter) - before);
        let expected = expected.map(|added| {
            let count = added.len();
            self.said[matter].extend(added);
            self.latest[matter] = at;
            count
        });
        if found != expected {
            return Err(format!("{message:?} by {signers:?} at {at}: {found:?}, and {expected:?} was due"));
        }
        Ok(())
    }

    fn words(&self, matter: usize) -> usize {
        self.tally(matter).votes.len()
    }

    fn tally(&self, matter: usize) -> &Tally {
        if matter == RELAXATION { &self.relaxation.tally } else { &self.changes[matter - 1].tally }
    }

    fn really_say(&mut self, matter: usize, message: &Message, signers: &[(u8, bool)]) -> Result<(), No> {
        let content = self.matters.iter().position(|matter| matter.content == message.content);
        let digest = content.map_or([0; 32], |matter| self.tally(matter).matter.digest);
        let request = Request {
            log: message.log.into(),
            kind: message.kind,
            id: message.id.into(),
            digest,
            word: message.word,
            nonce: [message.nonce; 16],
            issued_ns: message.issued,
            expires_ns: message.expires,
            overrides: vec![],
        };
        let sets: Vec<&Approvers> = if matter == RELAXATION {
            vec![&self.approvers]
        } else {
            self.changes[matter - 1].signers(Some(&self.approvers))
        };
        let ballot = self.ballot(request, signers, &sets).map_err(|refusal| no(&refusal))?;
        if matter == RELAXATION {
            let event = Event::Ballot(ballot);
            self.relaxation = self.relaxation.decide(&event, self.now).map_err(|refusal| no(&refusal))?;
        } else {
            let change = &mut self.changes[matter - 1];
            *change = change.take(&ballot, self.now).map_err(|refusal| no(&refusal))?;
        }
        Ok(())
    }

    fn ballot(&self, request: Request, signers: &[(u8, bool)], sets: &[&Approvers]) -> Result<Ballot, Refusal> {
        if !self.bytes {
            let voter = |(key, _): &(u8, bool)| {
                let key = PUBLIC[usize::from(*key)].to_bytes();
                let holder = sets.iter().find_map(|set| set.by_key(&key)).expect("whoever signs is an approver");
                Voter { name: holder.name.clone(), key, groups: holder.groups.clone() }
            };
            return Ok(Ballot { request, voters: signers.iter().map(voter).collect() });
        }
        let mut bytes = signed(&request, signers);
        // A signature is the end of the 82 bytes that each signer adds.
        for (number, _) in signers.iter().enumerate().filter(|(_, (_, genuine))| !genuine) {
            let end = bytes.len() - 82 * (signers.len() - 1 - number);
            bytes[end - 30] ^= 1;
        }
        Approval::from_bytes(&bytes)?.verify(sets)
    }

    fn revoke(&mut self) -> Result<(), String> {
        if !self.dice.one_in(4) {
            return Ok(());
        }
        let at = self.at(RELAXATION);
        let expected = if self.revoked {
            Err(No::Revoked)
        } else if at >= self.matters[RELAXATION].until {
            Err(No::Ended)
        } else {
            (self.revoked, self.latest[RELAXATION]) = (true, at);
            Ok(())
        };
        let event = Event::Revoke { by: "bob".into(), why: "it is mended".into() };
        let found = self.relaxation.decide(&event, self.now).map_err(|refusal| no(&refusal));
        let found = found.map(|relaxation| self.relaxation = relaxation);
        if found == expected { Ok(()) } else { Err(format!("revoked at {at}: {found:?}, and {expected:?} was due")) }
    }

    fn tick(&mut self) -> Result<(), String> {
        self.latest[RELAXATION] = self.at(RELAXATION);
        self.relaxation = self.relaxation.decide(&Event::Tick, self.now).map_err(|refusal| refusal.to_string())?;
        Ok(())
    }

    /// The next set of approvers takes over, where it may.
    fn take_over(&mut self) -> Result<(), String> {
        if self.may_take_over() == Ok(true) {
            (self.set, self.approvers) = (self.next.clone(), self.next_approvers.clone());
        }
        Ok(())
    }

    pub(super) fn may_take_over(&self) -> Result<bool, No> {
        may_take_over(&self.matters[APPROVERS], &self.said[APPROVERS], &self.set, &self.next, self.at(APPROVERS))
    }

    /// What follows from all that was said is the same on both sides.
    fn compare(&self) -> Result<(), String> {
        let at = self.at(RELAXATION);
        let (matter, said) = (&self.matters[RELAXATION], &self.said[RELAXATION]);
        let state: State = life(self.criticality, matter, said, self.revoked, &self.set, at);
        let found = self.relaxation.state(&self.approvers, self.now);
        if found != state {
            return Err(format!("at {at} it is {found:?}, and was to be {state:?}"));
        }
        let mut expected: Vec<&str> = matter.approving(said, &self.set, at).iter().map(|member| member.name).collect();
        let approved = self.relaxation.tally.approved(&self.approvers, self.now);
        let mut found: Vec<&str> = approved.iter().map(|approved| &*approved.by).collect();
        expected.sort_unstable();
        found.sort_unstable();
        if found != expected {
            return Err(format!("at {at} {found:?} approve, and {expected:?} were to"));
        }
        let may = |change: &Change| {
            let lacks = change.lacks(Some(&self.approvers), &self.guards, self.now);
            lacks.map(|lacks| lacks.is_empty()).map_err(|refusal| no(&refusal))
        };
        let (expected, found) = (self.may_take_over(), may(&self.changes[0]));
        if found != expected {
            return Err(format!("at {at} the next approvers: {found:?}, and {expected:?} was due"));
        }
        let (matter, said) = (&self.matters[GUARDS], &self.said[GUARDS]);
        let expected = may_change_guards(matter, said, &self.set, &self.altered, self.at(GUARDS));
        let found = may(&self.changes[1]);
        if found != expected {
            return Err(format!("at {at} the next guards: {found:?}, and {expected:?} was due"));
        }
        Ok(())
    }
}

fn no(refusal: &Refusal) -> No {
    match refusal {
        Refusal::Unknown { .. } => No::Unknown,
        Refusal::Forged { .. } => No::Forged,
        Refusal::OtherLog { .. } => No::OtherLog,
        Refusal::OtherMatter { .. } => No::OtherMatter,
        Refusal::OtherContent { .. } => No::OtherContent,
        Refusal::Ended { .. } => No::Ended,
        Refusal::BeforeRequest { .. } => No::BeforeRequest,
        Refusal::FromTheFuture { .. } => No::FromTheFuture,
        Refusal::Life => No::Life,
        Refusal::Expired { .. } => No::Expired,
        Refusal::Group { .. } => No::Group,
        Refusal::OwnRequest { .. } => No::Own,
        Refusal::Nonce { .. } => No::Nonce,
        Refusal::Superseded { .. } => No::Superseded,
        Refusal::Twice { .. } => No::Twice,
        Refusal::Revoked { .. } => No::Revoked,
        Refusal::Revision { .. } => No::Revision,
        other => panic!("no history leads here: {other}"),
    }
}
