//! How a call ended, and how much it matters.

use std::fmt;

/// How a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Outcome {
    /// It did what it was asked to.
    Success = 0,
    /// It failed in a way that speaks of the callee: an error, a panic, a time-out.
    Failure = 1,
    /// It says nothing of the callee: the caller gave up, or asked for nonsense.
    Ignored = 2,
}

impl Outcome {
    /// Success or failure, as a result says.
    pub fn of<T, E>(result: &Result<T, E>) -> Outcome {
        if result.is_ok() { Outcome::Success } else { Outcome::Failure }
    }
}

/// How much a call matters; what matters least is refused first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Priority {
    /// Work that nobody waits for.
    Background = 0,
    /// Work that can wait.
    Low = 1,
    /// The usual.
    #[default]
    Normal = 2,
    /// Work that people notice when it fails.
    High = 3,
    /// What must go on while anything does: health checks, the end of a payment.
    Critical = 4,
}

impl Priority {
    /// From what matters least to what matters most.
    pub const ALL: [Priority; 5] =
        [Priority::Background, Priority::Low, Priority::Normal, Priority::High, Priority::Critical];
}

impl fmt::Display for Priority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Priority::Background => "background",
            Priority::Low => "low",
            Priority::Normal => "normal",
            Priority::High => "high",
            Priority::Critical => "critical",
        })
    }
}
