//! Moments as people write them.

use std::time::SystemTime;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, Zoned};
use knhk_engine::Status;
use knhk_engine::control::Failure;

/// A moment: `2026-12-01T09:00:00Z`, with a zone `2026-12-01T09:00:00[Europe/Paris]`, the date alone (its beginning in UTC), or `@2h` for
/// two hours ago. In nanoseconds since 1970 (UTC).
pub fn of(text: &str) -> Result<u64, Failure> {
    let moment = match text.strip_prefix('@') {
        Some(span) => span.parse::<SignedDuration>().ok().and_then(|ago| Timestamp::now().checked_sub(ago).ok()),
        None => read(text),
    };
    nanoseconds(text, moment)
}

/// A moment as [`of`] takes it, or a time from now: `2h`, `1h 30m`.
pub fn ahead(text: &str) -> Result<u64, Failure> {
    let span = text.parse::<SignedDuration>().ok();
    let moment = match span {
        Some(span) => Timestamp::now().checked_add(span).ok(),
        None => read(text),
    };
    nanoseconds(text, moment)
}

fn read(text: &str) -> Option<Timestamp> {
    let zoned = || text.parse::<Zoned>().ok().map(|zoned| zoned.timestamp());
    let date = || text.parse::<Date>().ok()?.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp());
    text.parse::<Timestamp>().ok().or_else(zoned).or_else(date)
}

fn nanoseconds(text: &str, moment: Option<Timestamp>) -> Result<u64, Failure> {
    let moment = moment.and_then(|moment| SystemTime::from(moment).duration_since(SystemTime::UNIX_EPOCH).ok());
    moment.and_then(|since| u64::try_from(since.as_nanos()).ok()).ok_or_else(|| {
        let message = format!("{text:?} is no moment: write 2026-12-01T09:00:00Z, a date, or a time such as 2h");
        Failure::new(Status::InvalidArgument, "usage", text, message)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_read_as_people_write_them() {
        let day = 24 * 3600 * 1_000_000_000;
        assert_eq!(of("1970-01-02").unwrap(), day);
        assert_eq!(of("1970-01-02T00:00:01Z").unwrap(), day + 1_000_000_000);
        assert_eq!(ahead("1970-01-02T01:00:00+01:00[+01:00]").unwrap(), day);
        let (now, hour) =
            (SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_nanos() as u64, day / 24);
        assert!((now + hour..now + 2 * hour).contains(&ahead("1h 1m").unwrap()));
        assert!((now - 3 * hour..now - hour).contains(&of("@2h").unwrap()));
        for wrong in ["", "soon", "1969-01-01", "@soon", "99999-01-01"] {
            assert!(of(wrong).is_err(), "{wrong}");
        }
    }
}
