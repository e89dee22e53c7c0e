//! The relaxation's life cycle, model-checked: every order in which approvers, whoever revokes, resent approvals and a clock that runs both
//! ways can act, within the bounds below, on the implementation itself.

use std::collections::BTreeSet;

use knhk_ledger::Signer;
use stateright::{Checker, Model, Property};

use crate::approval::{Approver, Approvers, Ask, Ballot, Event, Relaxation, State, Voter, Word};
use crate::guard::{Criticality, Guard};

const HOUR: u64 = 3_600_000_000_000;
/// Time goes on in steps of 6 hours; the review takes 12, an approval is good for 18, and all ends after 24.
const STEP: u64 = 6 * HOUR;
const GOOD: u64 = 18 * HOUR;
const END: u64 = 24 * HOUR;
/// Words that are recorded, at most.
const WORDS: usize = 3;
const NAMES: [&str; 3] = ["ada", "bob", "cyd"];

/// Three approvers, of whom cyd asks for the relaxation of a guard that takes two.
struct Life {
    approvers: Approvers,
    guard: Guard,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Moment {
    relaxation: Relaxation,
    now: u64,
    /// Whether it was seen to have ended.
    ended: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Act {
    Say(usize, Word),
    /// A word that was recorded comes again.
    Again(usize),
    Revoke,
    Tick,
    Later,
    Earlier,
}

impl Life {
    fn new() -> Life {
        let member = |(number, name): (usize, &&str)| {
            let key = Signer::from_seed(&[number as u8 + 1; 32]).public();
            Approver { name: (*name).into(), key, groups: vec![] }
        };
        let members = NAMES.iter().enumerate().map(member).collect();
        let guard =
            r#"{"id":"g","kind":"performance_bound","criticality":"high","bound":[{"figure":"read_ns","max":8.0}]}"#;
        Life {
            approvers: Approvers { revision: 1, threshold: 2, keepers: String::new(), members },
            guard: Guard::from_json(guard).expect("the guard can be"),
        }
    }

    fn ballot(&self, of: &Relaxation, by: usize, word: Word, nonce: [u8; 16], issued: u64) -> Event {
        let Approver { name, key, groups } = &self.approvers.members[by];
        let voter = Voter { name: name.clone(), key: key.to_bytes(), groups: groups.clone() };
        let request = of.tally.matter.request(word, nonce, issued, issued + GOOD);
        Event::Ballot(Ballot { request, voters: vec![voter] })
    }

    fn state(&self, moment: &Moment) -> State {
        moment.relaxation.state(&self.approvers, moment.now)
    }

    /// Who approves, told from the records alone.
    fn approving(moment: &Moment) -> BTreeSet<&str> {
        let votes = &moment.relaxation.tally.votes;
        let seen = moment.relaxation.tally.seen_ns.max(moment.now);
        let approves = |name: &&str| {
            let last = votes.iter().rfind(|vote| vote.by == **name);
            last.is_some_and(|vote| vote.word == Word::Approve && seen < vote.expires_ns)
        };
        NAMES.into_iter().filter(approves).collect()
    }
}

impl Model for Life {
    type State = Moment;
    type Action = Act;

    fn init_states(&self) -> Vec<Moment> {
        let ask = Ask {
            id: "r-1".into(),
            sector: None,
            proposal: None,
            by: "cyd".into(),
            why: "a sale".into(),
            until_ns: END,
        };
        let relaxation = Relaxation::request("log", &self.guard, ask, false, 0).expect("it can be asked for");
        vec![Moment { relaxation, now: 0, ended: false }]
    }

    fn actions(&self, state: &Moment, actions: &mut Vec<Act>) {
        let votes = state.relaxation.tally.votes.len();
        if votes < WORDS {
            let words = [Word::Approve, Word::Withdraw];
            actions.extend((0..NAMES.len()).flat_map(|by| words.map(|word| Act::Say(by, word))));
        }
        actions.extend((0..votes).map(Act::Again));
        actions.extend([Act::Revoke, Act::Tick]);
        if state.now <= END {
            actions.push(Act::Later);
        }
        if state.now > 0 {
            actions.push(Act::Earlier);
        }
    }

    fn next_state(&self, last: &Moment, act: Act) -> Option<Moment> {
        let (of, now) = (&last.relaxation, last.now);
        let event = match act {
            Act::Say(by, word) => self.ballot(of, by, word, [of.tally.votes.len() as u8; 16], now),
            Act::Again(number) => {
                let vote = &of.tally.votes[number];
                let by = NAMES.iter().position(|name| *name == vote.by).expect("an approver said it");
                self.ballot(of, by, vote.word, vote.nonce, vote.issued_ns)
            }
            Act::Revoke => Event::Revoke { by: "bob".into(), why: "mended".into() },
            Act::Tick => Event::Tick,
            Act::Later => return Some(Moment { now: now + STEP, ..last.clone() }),
            Act::Earlier => return Some(Moment { now: now - STEP, ..last.clone() }),
        };
        let relaxation = of.decide(&event, now).ok()?;
        let mut next = Moment { relaxation, ..last.clone() };
        // What was recorded as seen is what cannot be unseen.
        let seen = next.relaxation.tally.seen_ns >= END || next.relaxation.revoked.is_some();
        next.ended |= seen;
        Some(next)
    }

    fn properties(&self) -> Vec<Property<Life>> {
        vec![
            Property::always(
                "in force only by a quorum, after the review, before the end",
                |life: &Life, moment: &Moment| {
                    let Moment { relaxation, now, .. } = moment;
                    let seen = relaxation.tally.seen_ns.max(*now);
                    life.state(moment) != State::InForce
                        || Life::approving(moment).len() >= 2
                            && (12 * HOUR..END).contains(&seen)
                            && relaxation.revoked.is_none()
                },
            ),
            Property::always("what ended stays ended", |life: &Life, moment: &Moment| {
                !moment.ended || matches!(life.state(moment), State::Expired | State::Revoked)
            }),
            Property::always("nobody approves their own request", |_: &Life, moment: &Moment| {
                moment.relaxation.tally.votes.iter().all(|vote| vote.by != "cyd")
            }),
            Property::always("nobody counts twice", |life: &Life, moment: &Moment| {
                let approved = moment.relaxation.tally.approved(&life.approvers, moment.now);
                approved.iter().map(|approved| &approved.by).collect::<BTreeSet<_>>().len() == approved.len()
            }),
            Property::always("who approves counts", |life: &Life, moment: &Moment| {
                let approved = moment.relaxation.tally.approved(&life.approvers, moment.now);
                approved.iter().map(|approved| &*approved.by).collect::<BTreeSet<_>>() == Life::approving(moment)
            }),
            Property::sometimes("approved, under review", |life: &Life, at: &Moment| life.state(at) == State::Approved),
            Property::sometimes("in force", |life: &Life, at: &Moment| life.state(at) == State::InForce),
            Property::sometimes("expired after it was in force", |life: &Life, at: &Moment| {
                life.state(at) == State::Expired && at.relaxation.tally.votes.len() == 2
            }),
            Property::sometimes("revoked", |life: &Life, at: &Moment| life.state(at) == State::Revoked),
        ]
    }
}

#[test]
fn the_life_of_a_relaxation_keeps_its_properties() {
    let life = Life::new();
    assert_eq!(life.guard.criticality, Criticality::High);
    let checker = life.checker().spawn_bfs().join();
    checker.assert_properties();
    println!("{} states", checker.unique_state_count());
    assert!(checker.unique_state_count() > 1_000, "{} states", checker.unique_state_count());
}
