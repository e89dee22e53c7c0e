//! The wake-ups of channels and of the executor under loom, from the same source as the product: every interleaving and every value that
//! the memory model allows, for small programs. A wake-up that is lost shows as a deadlock, because no wait times out here. Run by
//! `RUSTFLAGS="--cfg loom" cargo test -p knhk-warm --release --test loom --target-dir target/loom`.
//!
//! All accesses are relaxed, but for the two fences of the event count, which have their mutants: there is no other ordering to weaken. What
//! locks protect has none either; what must happen under a lock has a mutant that does it outside.
#![cfg(loom)]

mod channel;
mod endpoint;
mod executor;
mod harness;

use harness::Program;
use knhk_warm::mutant::{Mutant, plant};

const PROGRAMS: &[(&str, Program)] = &[
    ("one_each", channel::one_each),
    ("credit_comes", channel::credit_comes),
    ("credit_of_two_senders", channel::credit_of_two_senders),
    ("credit_of_two_receivers", channel::credit_of_two_receivers),
    ("credit_that_was_held", channel::credit_that_was_held),
    ("credit_of_a_channel_that_closes", channel::credit_of_a_channel_that_closes),
    ("end_receives", endpoint::end_receives),
    ("end_receives_twice", endpoint::end_receives_twice),
    ("end_has_credit", endpoint::end_has_credit),
    ("end_is_released", endpoint::end_is_released),
    ("end_finishes", endpoint::end_finishes),
    ("end_finishes_behind_a_message", endpoint::end_finishes_behind_a_message),
    ("end_closes_on_a_sender", endpoint::end_closes_on_a_sender),
    ("end_closes_on_its_receiver", endpoint::end_closes_on_its_receiver),
    ("end_is_left_by_another", endpoint::end_is_left_by_another),
    ("end_is_done_twice", endpoint::end_is_done_twice),
    ("run_is_waited_for", executor::run_is_waited_for),
    ("run_is_cancelled", executor::run_is_cancelled),
    ("run_comes_at_the_end", executor::run_comes_at_the_end),
    ("run_goes_on_to_the_end", executor::run_goes_on_to_the_end),
    ("run_returns_at_the_end", executor::run_returns_at_the_end),
    ("rest_is_woken", executor::rest_is_woken),
    ("rest_is_cancelled", executor::rest_is_cancelled),
];

/// Each fault, and the programs that must find it.
const FAULTS: &[(Mutant, &str)] = &[
    (Mutant::WaiterUnfenced, "credit_comes"),
    (Mutant::NotifierUnfenced, "credit_comes"),
    (Mutant::NotifiedUnlocked, "credit_comes"),
    (Mutant::LookedFirst, "credit_comes"),
    (Mutant::SentStored, "credit_of_two_senders"),
    (Mutant::GrantedStored, "credit_of_two_receivers"),
    (Mutant::DoneStored, "credit_of_two_receivers"),
    (Mutant::CloseUntold, "credit_of_a_channel_that_closes"),
    (Mutant::RingerUnfenced, "end_receives"),
    (Mutant::NotedUnfenced, "end_receives"),
    (Mutant::UnseenOnceNoted, "end_receives"),
    (Mutant::ClearedLate, "end_receives"),
    (Mutant::ForgottenForAll, "end_is_left_by_another"),
    (Mutant::SentUnrung, "end_receives"),
    (Mutant::DoneUnrung, "end_has_credit"),
    (Mutant::ReleaseUnrung, "end_is_released"),
    (Mutant::FinishUnrung, "end_finishes"),
    (Mutant::CloseUnrung, "end_closes_on_a_sender"),
    (Mutant::CloseRungFirst, "end_closes_on_"),
    (Mutant::UnderWayStored, "end_is_done_twice"),
    (Mutant::SubmitUntold, "run_is_waited_for"),
    (Mutant::EndUntold, "run_is_waited_for"),
    (Mutant::CountedLate, "run_is_waited_for"),
    (Mutant::CancelUntold, "run_is_cancelled"),
    (Mutant::StoppingUnseen, "run_comes_at_the_end"),
    (Mutant::RunningLate, "run_returns_at_the_end"),
    (Mutant::RunningEarly, "run_returns_at_the_end"),
    (Mutant::WakeLost, "rest_is_woken"),
    (Mutant::RestUntold, "rest_is_woken"),
    (Mutant::RestStays, "rest_is_cancelled"),
];

#[test]
fn the_wake_ups_hold_and_each_fault_is_found() {
    harness::judge(PROGRAMS, FAULTS, Mutant::ALL, plant, 2);
}
