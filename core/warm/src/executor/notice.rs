//! What the executor tells of itself.

use std::fmt;
use std::time::Duration;

use super::load::Load;
use crate::Priority;

/// Something that an operator should know.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Notice<'a> {
    /// A slice took longer than its task's budget.
    Overrun {
        /// The task.
        task: &'a str,
        /// What the slice took.
        took: Duration,
        /// What it may take.
        budget: Duration,
    },
    /// A task that overran again and again lost a level.
    Demoted {
        /// The task.
        task: &'a str,
        /// Its level before.
        from: Priority,
        /// Its level now.
        to: Priority,
    },
    /// A demoted task kept to its budget for long enough, and has a level back.
    Restored {
        /// The task.
        task: &'a str,
        /// Its level before.
        from: Priority,
        /// Its level now.
        to: Priority,
    },
    /// A run was dropped, or ended, after its deadline.
    Late {
        /// The task.
        task: &'a str,
        /// By how much.
        by: Duration,
        /// Whether it ran at all.
        ran: bool,
    },
    /// A run panicked.
    Panicked {
        /// The task.
        task: &'a str,
    },
    /// At this pace the queue will soon be full; see [`Load`].
    Overload(Load),
    /// The queue empties again.
    OverloadOver(Load),
}

impl fmt::Display for Notice<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Notice::Overrun { task, took, budget } => write!(f, "{task} took {took:?}, and may take {budget:?}"),
            Notice::Demoted { task, from, to } => write!(f, "{task} overruns again and again: {from} -> {to}"),
            Notice::Restored { task, from, to } => write!(f, "{task} keeps to its budget again: {from} -> {to}"),
            Notice::Late { task, by, ran: true } => write!(f, "{task} ended {by:?} after its deadline"),
            Notice::Late { task, by, ran: false } => write!(f, "{task} was dropped {by:?} after its deadline"),
            Notice::Panicked { task } => write!(f, "{task} panicked"),
            Notice::Overload(load) => {
                write!(f, "overload: {load}")
            }
            Notice::OverloadOver(load) => write!(f, "overload is over: {load}"),
        }
    }
}

impl fmt::Display for Load {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:.0} runs a second come and {:.0} can be served, {} wait",
            self.arrivals, self.services, self.queued
        )?;
        match self.full_in {
            Some(full_in) => write!(f, ", the queue is full in {:.3} s", full_in.as_secs_f64()),
            None => Ok(()),
        }
    }
}
