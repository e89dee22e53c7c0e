//! When something is to happen: a moment, or a window of the week in a time zone of the IANA database.

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp, Zoned};
use serde::{Deserialize, Serialize};

use crate::{Error, Status};

/// When, as people write it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct At {
    /// A moment: `2026-11-28T02:00:00Z`, or without an offset in `time_zone`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub moment: Option<String>,
    /// A window of the week: `Sat 02:00-04:00`, `Mon-Fri 22:00-02:00` (over midnight), `daily 02:00-04:00`, `Sat,Sun 02:00-04:00`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<String>,
    /// A zone of the IANA database, such as `Europe/London`; UTC where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<String>,
}

/// When, understood.
pub(super) enum When {
    Moment(Timestamp),
    Window { days: [bool; 7], from: Time, to: Time, zone: TimeZone },
}

impl When {
    pub fn read(at: &At) -> Result<When, Error> {
        let name = at.time_zone.as_deref().unwrap_or("UTC");
        let zone = TimeZone::get(name)
            .map_err(|_| wrong(name, format!("there is no time zone {name:?}: name one as Europe/London or UTC")))?;
        match (&at.moment, &at.window) {
            (Some(text), None) => moment(text, zone).map(When::Moment),
            (None, Some(text)) => window(text, zone).ok_or_else(|| {
                let why = format!("{text:?} is no window: write one as `Sat 02:00-04:00` or `Mon-Fri 22:00-02:00`");
                wrong(text, why)
            }),
            _ => Err(wrong("at", "give either a moment or a window".into())),
        }
    }

    /// The next time, in nanoseconds since 1970 (UTC): when it begins (it may have begun) and when it is over, which of a moment is `patience_ns`
    /// after it.
    pub fn next(&self, now_ns: u64, patience_ns: u64) -> Result<(u64, u64), Error> {
        let out_of_range = || wrong("at", "the time is beyond what a calendar has".into());
        match self {
            When::Moment(moment) => {
                let at = nanoseconds(*moment).ok_or_else(out_of_range)?;
                if at < now_ns {
                    let why = format!("{moment} is over: name a moment that is to come");
                    return Err(wrong("moment", why));
                }
                Ok((at, at.saturating_add(patience_ns)))
            }
            When::Window { days, from, to, zone } => {
                let now = Timestamp::from_nanosecond(i128::from(now_ns)).map_err(|_| out_of_range())?;
                let today = now.to_zoned(zone.clone()).date();
                // Yesterday's may still be open; a week later all days have come.
                for ahead in -1..=8 {
                    let day = today.checked_add(Span::new().days(ahead)).map_err(|_| out_of_range())?;
                    if !days[usize::from(day.weekday().to_monday_zero_offset() as u8)] {
                        continue;
                    }
                    let (begin, end) = occurrence(day, *from, *to, zone).ok_or_else(out_of_range)?;
                    let (begin, end) = (nanoseconds(begin.timestamp()), nanoseconds(end.timestamp()));
                    let (begin, end) = begin.zip(end).ok_or_else(out_of_range)?;
                    // Where a clock change swallowed it there is none that day.
                    if end > now_ns && end > begin {
                        return Ok((begin.max(now_ns), end));
                    }
                }
                Err(wrong("window", "no day of the week is in the window".into()))
            }
        }
    }

    /// A moment, for people.
    pub fn told(ns: u64) -> String {
        Timestamp::from_nanosecond(i128::from(ns)).map_or_else(|_| ns.to_string(), |moment| moment.to_string())
    }
}

fn moment(text: &str, zone: TimeZone) -> Result<Timestamp, Error> {
    let local = || text.parse::<DateTime>().ok()?.to_zoned(zone).ok().map(|zoned| zoned.timestamp());
    text.parse::<Timestamp>().ok().or_else(local).ok_or_else(|| {
        wrong(
            text,
            format!("{text:?} is no moment: write one as 2026-11-28T02:00:00Z, or with time_zone as 2026-11-28T02:00"),
        )
    })
}

fn window(text: &str, zone: TimeZone) -> Option<When> {
    let (days, times) = text.trim().rsplit_once(' ')?;
    let (from, to) = times.split_once('-')?;
    let time = |text: &str| Time::strptime("%H:%M", text).ok();
    let (from, to) = (time(from)?, time(to)?);
    let mut chosen = [false; 7];
    for part in days.split(',') {
        match part.trim().split_once('-') {
            None if part.trim().eq_ignore_ascii_case("daily") => chosen = [true; 7],
            None => chosen[weekday(part)?] = true,
            Some((first, last)) => {
                let (first, last) = (weekday(first)?, weekday(last)?);
                (0..7)
                    .map(|ahead| (first + ahead) % 7)
                    .take((last + 7 - first) % 7 + 1)
                    .for_each(|day| chosen[day] = true);
            }
        }
    }
    (from != to).then_some(When::Window { days: chosen, from, to, zone })
}

/// Days since Monday.
fn weekday(text: &str) -> Option<usize> {
    let names = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
    names.iter().position(|name| text.trim().eq_ignore_ascii_case(name))
}

/// The window that begins on a day. A time that a clock change leaves out is as much later; of one that comes twice, the first counts.
fn occurrence(day: Date, from: Time, to: Time, zone: &TimeZone) -> Option<(Zoned, Zoned)> {
    let last = if to > from { day } else { day.tomorrow().ok()? };
    let at = |day: Date, time| day.to_datetime(time).to_zoned(zone.clone()).ok();
    Some((at(day, from)?, at(last, to)?))
}

fn nanoseconds(moment: Timestamp) -> Option<u64> {
    u64::try_from(moment.as_nanosecond()).ok()
}

fn wrong(item: &str, why: String) -> Error {
    Error::new(Status::InvalidArgument, "schedule", item, why)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(window: &str, zone: &str) -> When {
        When::read(&At { window: Some(window.into()), time_zone: Some(zone.into()), ..At::default() }).unwrap()
    }

    fn next(when: &When, now: &str) -> (String, String) {
        let now = nanoseconds(now.parse().unwrap()).unwrap();
        let (begin, end) = when.next(now, 0).unwrap();
        (When::told(begin), When::told(end))
    }

    fn is(when: &When, now: &str, begin: &str, end: &str) {
        assert_eq!(next(when, now), (begin.into(), end.into()), "at {now}");
    }

    #[test]
    fn a_window_is_of_the_zones_own_week() {
        // 2026-11-21 is a Saturday.
        let saturday = at("Sat 02:00-04:00", "Europe/London");
        is(&saturday, "2026-11-20T12:00:00Z", "2026-11-21T02:00:00Z", "2026-11-21T04:00:00Z");
        is(&saturday, "2026-11-21T03:00:00Z", "2026-11-21T03:00:00Z", "2026-11-21T04:00:00Z");
        is(&saturday, "2026-11-21T04:00:00Z", "2026-11-28T02:00:00Z", "2026-11-28T04:00:00Z");
        is(&saturday, "2026-06-01T00:00:00Z", "2026-06-06T01:00:00Z", "2026-06-06T03:00:00Z");
        let tokyo = at("Mon-Fri 22:00-02:00", "Asia/Tokyo");
        is(&tokyo, "2026-11-20T14:00:00Z", "2026-11-20T14:00:00Z", "2026-11-20T17:00:00Z");
        is(&tokyo, "2026-11-20T17:00:00Z", "2026-11-23T13:00:00Z", "2026-11-23T17:00:00Z");
        is(&at("daily 00:30-01:00", "UTC"), "2026-11-21T01:00:00Z", "2026-11-22T00:30:00Z", "2026-11-22T01:00:00Z");
        is(&at("Sat,Mon 01:00-02:00", "UTC"), "2026-11-21T03:00:00Z", "2026-11-23T01:00:00Z", "2026-11-23T02:00:00Z");
        is(&at("Sat-Mon 01:00-02:00", "UTC"), "2026-11-21T03:00:00Z", "2026-11-22T01:00:00Z", "2026-11-22T02:00:00Z");
    }

    #[test]
    fn clocks_that_change_move_a_window_and_do_not_lose_it() {
        // In London 01:00 to 02:00 is left out on 2026-03-29, and comes twice on 2026-10-25.
        let sunday = at("Sun 01:30-03:00", "Europe/London");
        is(&sunday, "2026-03-28T12:00:00Z", "2026-03-29T01:30:00Z", "2026-03-29T02:00:00Z");
        is(&sunday, "2026-10-24T12:00:00Z", "2026-10-25T00:30:00Z", "2026-10-25T03:00:00Z");
        let swallowed = at("Sun 01:10-01:50", "Europe/London");
        is(&swallowed, "2026-03-28T12:00:00Z", "2026-03-29T01:10:00Z", "2026-03-29T01:50:00Z");
    }

    #[test]
    fn a_moment_is_one_anywhere() {
        let moment = |text: &str, zone: Option<&str>| {
            let at = At { moment: Some(text.into()), time_zone: zone.map(Into::into), ..At::default() };
            When::read(&at).unwrap().next(0, 5).unwrap()
        };
        let utc = moment("2026-11-28T02:00:00Z", None);
        assert_eq!(utc.1 - utc.0, 5);
        assert_eq!(moment("2026-11-28T11:00", Some("Asia/Tokyo")), utc);
        assert_eq!(moment("2026-11-28T03:00:00+01:00", Some("Asia/Tokyo")), utc);
        let when = When::read(&At { moment: Some("2026-11-28T02:00:00Z".into()), ..At::default() }).unwrap();
        assert!(when.next(utc.0 + 1, 0).err().unwrap().message().contains("is over"));
    }

    #[test]
    fn what_is_no_time_is_refused_with_how_to_write_one() {
        let refused = |at: &At| When::read(at).err().unwrap().message().to_owned();
        for text in
            ["", "Sat", "02:00-04:00", "Sat 02:00", "Sat 2-4", "Xyz 02:00-04:00", "Sat 02:00-25:00", "Sat 02:00-02:00"]
        {
            let said = refused(&At { window: Some(text.into()), ..At::default() });
            assert!(said.contains("Sat 02:00-04:00"), "{text}: {said}");
        }
        let zone = At { window: Some("Sat 02:00-04:00".into()), time_zone: Some("Mars/Olympus".into()), moment: None };
        assert!(refused(&zone).contains("Europe/London"));
        assert!(refused(&At { moment: Some("soon".into()), ..At::default() }).contains("2026-11-28T02:00:00Z"));
        assert!(refused(&At::default()).contains("either"));
    }
}
