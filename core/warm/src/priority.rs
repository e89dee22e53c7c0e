//! How much work matters.

use std::fmt;

/// How much a call or a task matters; what matters least is refused first and run last.
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
