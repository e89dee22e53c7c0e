//! Until when a call is worth its work.

use std::time::Duration;

use crate::clock::{Clock, nanoseconds};

/// A moment of a clock, or none. It travels between processes as what is left of it, since their clocks have nothing in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Deadline {
    /// By the scope's clock; the greatest number for none.
    at_ns: u64,
}

impl Default for Deadline {
    fn default() -> Deadline {
        Deadline::NONE
    }
}

impl Deadline {
    /// No deadline.
    pub const NONE: Deadline = Deadline { at_ns: u64::MAX };

    /// `left` from now.
    pub fn after(left: Duration, clock: &dyn Clock) -> Deadline {
        Deadline { at_ns: clock.now_ns().saturating_add(nanoseconds(left)) }
    }

    /// The moment, by the clock; the greatest number for none.
    pub fn into_raw(self) -> u64 {
        self.at_ns
    }

    /// The moment `at_ns` of the clock; the greatest number is none.
    pub fn at_ns(at_ns: u64) -> Deadline {
        Deadline { at_ns }
    }

    /// The earlier of this one and `timeout` from now: what a call may hand to the calls that it makes.
    pub fn within(self, timeout: Duration, clock: &dyn Clock) -> Deadline {
        self.min(Deadline::after(timeout, clock))
    }

    /// What is left; None without a deadline, zero when it passed.
    pub fn left(self, clock: &dyn Clock) -> Option<Duration> {
        (self != Deadline::NONE).then(|| Duration::from_nanos(self.at_ns.saturating_sub(clock.now_ns())))
    }

    /// Whether it passed.
    pub fn has_passed(self, clock: &dyn Clock) -> bool {
        self != Deadline::NONE && clock.now_ns() >= self.at_ns
    }

    /// The value of a `grpc-timeout` header (gRPC over HTTP/2, "Requests"): at most 8 digits and a unit. Rounded down, so that the callee's
    /// deadline is never later than ours. None without a deadline.
    pub fn to_grpc_timeout(self, clock: &dyn Clock) -> Option<String> {
        let left = self.left(clock)?.as_nanos();
        let units = [(1, 'n'), (1_000, 'u'), (1_000_000, 'm'), (1_000_000_000, 'S'), (60_000_000_000, 'M')];
        let (unit, name) =
            units.into_iter().find(|(unit, _)| left / unit <= 99_999_999).unwrap_or((3_600_000_000_000, 'H'));
        Some(format!("{}{name}", left / unit))
    }

    /// The deadline that a `grpc-timeout` header asks for; None when the value is not one.
    pub fn from_grpc_timeout(value: &str, clock: &dyn Clock) -> Option<Deadline> {
        let (digits, unit) = value.split_at_checked(value.len().checked_sub(1)?)?;
        if !(1..=8).contains(&digits.len()) || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let unit = match unit {
            "n" => 1,
            "u" => 1_000,
            "m" => 1_000_000,
            "S" => 1_000_000_000,
            "M" => 60_000_000_000,
            "H" => 3_600_000_000_000,
            _ => return None,
        };
        let left = Duration::from_nanos(digits.parse::<u64>().ok()?.saturating_mul(unit));
        Some(Deadline::after(left, clock))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ManualClock;

    #[test]
    fn travels_as_what_is_left() {
        let (ours, theirs) = (ManualClock::new(1_000), ManualClock::new(77));
        let sent = |left| Deadline::after(left, &ours).to_grpc_timeout(&ours).unwrap();
        for (left, text) in
            [(0, "0n"), (99_999_999, "99999999n"), (100_000_000, "100000u"), (250_000_000_000, "250000m")]
        {
            assert_eq!(sent(Duration::from_nanos(left)), text);
            let received = Deadline::from_grpc_timeout(text, &theirs).unwrap();
            assert_eq!(received.left(&theirs), Some(Duration::from_nanos(left)));
        }
        assert_eq!(sent(Duration::from_secs(10_000_000_000)), "2777777H");
        assert_eq!(Deadline::NONE.to_grpc_timeout(&ours), None);
        for bad in ["", "5", "S", "123456789n", "-1S", "+1S", "1x", "1é", "１S"] {
            assert_eq!(Deadline::from_grpc_timeout(bad, &theirs), None, "{bad}");
        }
    }

    #[test]
    fn a_call_gives_at_most_what_it_has() {
        let clock = ManualClock::new(0);
        let own = Deadline::after(Duration::from_secs(2), &clock);
        assert_eq!(own.within(Duration::from_secs(5), &clock), own);
        assert_eq!(own.within(Duration::from_secs(1), &clock).left(&clock), Some(Duration::from_secs(1)));
        assert!(!Deadline::NONE.has_passed(&clock) && !own.has_passed(&clock));
        clock.advance(Duration::from_secs(2));
        assert!(own.has_passed(&clock));
    }
}
