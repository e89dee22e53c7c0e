//! One phase: each member's call on a thread of its own, when those before it are over or given up, until all have returned or the time is over.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread::Builder;
use std::time::Duration;

use crossbeam_channel::unbounded;

use super::report::{Outcome, Phase, Report};
use super::{Component, order};
use crate::clock::{Clock, nanoseconds};

/// How often the clock is looked at while nobody returns: it may be another than the one that this waits by.
const LOOK: Duration = Duration::from_millis(5);

/// A member of a phase; one without a component has no part in it.
pub(super) struct Member {
    pub(super) name: Arc<str>,
    pub(super) component: Option<Arc<dyn Component>>,
    /// Those that come before it.
    pub(super) after: Vec<usize>,
}

#[derive(Clone, Copy, PartialEq)]
enum Turn {
    Waiting,
    Called {
        at: u64,
        until: u64,
    },
    /// It was called, and those behind it wait for it no more.
    GivenUp {
        at: u64,
    },
    Over,
}

pub(super) fn run(phase: Phase, members: &[Member], patience: Duration, clock: &dyn Clock) -> Report {
    let count = members.len();
    let behind: Vec<Vec<usize>> =
        (0..count).map(|at| (0..count).filter(|other| members[*other].after.contains(&at)).collect()).collect();
    let heights = order::heights(count, |at| &behind[at]);
    let began = clock.now_ns();
    let deadline = began.saturating_add(nanoseconds(patience));
    let (said, heard) = unbounded::<(usize, Result<(), String>)>();
    let mut turns = vec![Turn::Waiting; count];
    let mut outcomes: Vec<Option<Outcome>> = vec![None; count];
    let mut answers: Vec<(usize, Result<(), String>)> = Vec::new();
    loop {
        // Who answered by now was in time.
        let now = clock.now_ns();
        for (at, result) in answers.drain(..).chain(heard.try_iter()) {
            let called = match turns[at] {
                Turn::Called { at, .. } | Turn::GivenUp { at } => at,
                Turn::Waiting | Turn::Over => now,
            };
            turns[at] = Turn::Over;
            outcomes[at] = Some(match result {
                Ok(()) => Outcome::Done { took: Duration::from_nanos(now.saturating_sub(called)) },
                Err(why) => Outcome::Failed { why },
            });
        }
        for (at, turn) in turns.iter_mut().enumerate() {
            match *turn {
                Turn::Called { at: called, until } if now >= until => *turn = Turn::GivenUp { at: called },
                Turn::Waiting if members[at].component.is_none() => *turn = Turn::Over,
                _ => {}
            }
        }
        // Calling one may end the turn of another at once, where it has no part.
        let mut again = true;
        while std::mem::take(&mut again) {
            for at in 0..count {
                let member = &members[at];
                let ready = |before: &usize| matches!(turns[*before], Turn::GivenUp { .. } | Turn::Over);
                if turns[at] != Turn::Waiting || !member.after.iter().all(ready) {
                    continue;
                }
                let not_well = |before: &&usize| {
                    members[**before].component.is_some() && !matches!(outcomes[**before], Some(Outcome::Done { .. }))
                };
                if let Some(before) = member.after.iter().find(not_well).filter(|_| phase == Phase::Start) {
                    outcomes[at] = Some(Outcome::Skipped { needs: members[*before].name.clone() });
                    (turns[at], again) = (Turn::Over, true);
                    continue;
                }
                let component = member.component.clone().expect("a member without a component is over");
                let answer = said.clone();
                let call = move || {
                    let call = || match phase {
                        Phase::Start => component.start(),
                        Phase::Drain => component.drain(),
                        Phase::Stop => component.stop(),
                    };
                    let result = catch_unwind(AssertUnwindSafe(call)).unwrap_or_else(|_| Err("it panicked".into()));
                    // Nobody listens any more where it was late.
                    let _ = answer.send((at, result));
                };
                let until = now + deadline.saturating_sub(now) / u64::from(heights[at]);
                turns[at] = Turn::Called { at: now, until };
                if let Err(error) = Builder::new().name(format!("knhk-{phase}")).spawn(call) {
                    outcomes[at] = Some(Outcome::Failed { why: format!("there is no thread to call it on: {error}") });
                    (turns[at], again) = (Turn::Over, true);
                }
            }
        }
        if now >= deadline || turns.iter().all(|turn| *turn == Turn::Over) {
            break;
        }
        answers.extend(heard.recv_timeout(LOOK));
    }
    let outcome = |(at, outcome): (usize, Option<Outcome>)| {
        let name = members[at].name.clone();
        (name, outcome.unwrap_or(Outcome::Stuck { phase }))
    };
    let took = Duration::from_nanos(clock.now_ns().saturating_sub(began));
    Report { took, all: outcomes.into_iter().enumerate().map(outcome).collect() }
}
