//! The breaker's state in one word, and the names of states and reasons.
//!
//! All that decides an admission is in the word, so each transition and each probe's permit is one exchange, and no other ordering is
//! needed than the coherence of one location: the word publishes nothing. What the windows hold is tied to a closed period by the
//! period's tag instead (see `trend.rs`), and needs no reset.
//!
//! A pass names its period by state, tag and beginning. Two closed periods differ by the tag; two half-open ones by the beginning,
//! since the recovery in between takes at least a millisecond.

use std::fmt;

/// What a breaker does with calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum State {
    /// Admits every call and watches the outcomes.
    Closed = 0,
    /// Refuses every call until the recovery is over.
    Open = 1,
    /// Admits so many probes.
    HalfOpen = 2,
    /// Opened by hand: refuses every call.
    ForcedOpen = 3,
    /// Admits every call and watches none.
    Disabled = 4,
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            State::Closed => "closed",
            State::Open => "open",
            State::HalfOpen => "half-open",
            State::ForcedOpen => "forced open",
            State::Disabled => "disabled",
        })
    }
}

/// Why a breaker changed its state.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Why {
    /// So many failures in a row.
    ConsecutiveFailures(u32),
    /// The moving average of failures, and the threshold that it reached.
    FailureTrend(f32, f32),
    /// The window's share of failures, and the threshold that it reached.
    FailureRate(f32, f32),
    /// The window's share of slow calls, and the threshold that it reached.
    SlowCallRate(f32, f32),
    /// The recovery is over; a probe was admitted.
    Recovered,
    /// So many probes succeeded.
    ProbesSucceeded(u32),
    /// A probe failed or was slow.
    ProbeFailed,
    /// The probes of the last half-open period did not come back in time.
    ProbesOverdue,
    /// Somebody asked for it.
    ByHand,
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Why::ConsecutiveFailures(n) => write!(f, "{n} failures in a row"),
            Why::FailureTrend(is, limit) => write!(f, "the failure rate's moving average {is:.2} reached {limit:.2}"),
            Why::FailureRate(is, limit) => write!(f, "the window's failure rate {is:.2} reached {limit:.2}"),
            Why::SlowCallRate(is, limit) => write!(f, "the window's rate of slow calls {is:.2} reached {limit:.2}"),
            Why::Recovered => f.write_str("the recovery time is over"),
            Why::ProbesSucceeded(n) => write!(f, "{n} probes succeeded"),
            Why::ProbeFailed => f.write_str("a probe failed or was slow"),
            Why::ProbesOverdue => f.write_str("probes did not come back in time"),
            Why::ByHand => f.write_str("by hand"),
        }
    }
}

const SUCCEEDED: u32 = 3;
const TAKEN: u32 = 9;
const TAG: u32 = 15;
const MS: u32 = 26;
const LOW: u64 = (1 << TAG) - 1;

/// The tag is the number of the last closed period, modulo 2,048.
pub(crate) const TAG_BITS: u32 = MS - TAG;
/// The greatest tag.
pub(crate) const TAG_MAX: u64 = (1 << TAG_BITS) - 1;
const MS_MAX: u64 = (1 << (64 - MS)) - 1;

/// From the low end: state (3 bits), probes that succeeded (6), permits taken (6), the tag (11), when it began in milliseconds (38).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Word(pub(crate) u64);

impl Word {
    /// The first period.
    pub(crate) const CLOSED: Word = Word(0);

    /// The period after this one; 8.7 years are the longest that is told apart.
    pub(crate) fn next(self, state: State, taken: u64, ms: u64) -> Word {
        let tag = (self.tag() + u64::from(state == State::Closed)) & TAG_MAX;
        Word(state as u64 | taken << TAKEN | tag << TAG | ms.min(MS_MAX) << MS)
    }

    pub(crate) fn state(self) -> State {
        match self.0 & 7 {
            0 => State::Closed,
            1 => State::Open,
            2 => State::HalfOpen,
            3 => State::ForcedOpen,
            _ => State::Disabled,
        }
    }

    /// The state, the tag and the beginning: what stays the same throughout a period.
    pub(crate) fn period(self) -> u64 {
        self.0 & !LOW | self.0 & 7
    }

    pub(crate) fn tag(self) -> u64 {
        self.0 >> TAG & TAG_MAX
    }

    pub(crate) fn ms(self) -> u64 {
        self.0 >> MS
    }

    pub(crate) fn taken(self) -> u64 {
        self.0 >> TAKEN & 63
    }

    pub(crate) fn succeeded(self) -> u64 {
        self.0 >> SUCCEEDED & 63
    }

    pub(crate) fn with_permit(self) -> Word {
        Word(self.0 + (1 << TAKEN))
    }

    pub(crate) fn without_permit(self) -> Word {
        Word(self.0 - (1 << TAKEN))
    }

    pub(crate) fn with_success(self) -> Word {
        Word(self.0 + (1 << SUCCEEDED))
    }
}

/// Whether the period tagged `a` comes after that tagged `b`; right while they are less than 1,024 periods apart, which is why each closed
/// period is begun in the windows even when it sees no outcome.
pub(crate) fn after(a: u64, b: u64) -> bool {
    let apart = a.wrapping_sub(b) & TAG_MAX;
    apart != 0 && apart <= TAG_MAX / 2
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn a_word_keeps_its_parts_apart() {
        let open = Word(u64::MAX << TAG).next(State::HalfOpen, 1, u64::MAX);
        assert_eq!((open.state(), open.taken(), open.tag(), open.ms()), (State::HalfOpen, 1, TAG_MAX, MS_MAX));
        assert_eq!(open.next(State::Closed, 0, 5).tag(), 0);
        let mut word = open;
        (0..62).for_each(|_| word = word.with_permit().with_success());
        assert_eq!((word.taken(), word.succeeded(), word.period()), (63, 62, open.period()));
        assert_eq!(word.without_permit().taken(), 62);
        assert!(after(1, 0) && after(0, TAG_MAX) && !after(0, 1) && !after(5, 5));
    }
}
