//! Time windows: when they are open, and when they next open or close, in the local time of their zone.

use jiff::civil::{Time, Weekday};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan, Zoned};

use super::case::{Breach, Case};
use super::form;
use super::rule::{Rule, TimeWindow};
use crate::Need;
use crate::mutant::{Mutant, mutated};

const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// A window, ready to be asked.
#[derive(Clone, Debug)]
pub(super) struct Window {
    zone: TimeZone,
    /// By days from Monday.
    days: [bool; 7],
    from: Time,
    to: Time,
    closed: bool,
}

impl Window {
    /// What a rule says, understood; else the field, and what is wrong with it.
    pub(super) fn of(window: &TimeWindow) -> Result<Window, (&'static str, String)> {
        let zone = TimeZone::get(&window.zone).map_err(|_| {
            ("zone", format!("{:?} is no time zone of the IANA database: write Europe/Berlin or UTC", window.zone))
        })?;
        let mut days = [window.days.is_empty(); 7];
        for day in &window.days {
            let at = DAYS.iter().position(|known| known == day);
            let at = at.ok_or_else(|| ("days", format!("{day:?} is no day: write {}", DAYS.join(", "))))?;
            days[at] = true;
        }
        let time = |field, text: &str| clock(text).ok_or_else(|| (field, format!("{text:?} is no time: write HH:MM")));
        let window = Window {
            zone,
            days,
            from: time("from", &window.from)?,
            to: time("to", &window.to)?,
            closed: window.closed,
        };
        if window.closed && window.days == [true; 7] && window.from == window.to {
            return Err(("closed", "it never lets a change through: name days or times".to_owned()));
        }
        Ok(window)
    }

    /// Whether changes may take effect at a moment, in nanoseconds since 1970 (UTC).
    pub(super) fn is_open(&self, time_ns: u64) -> bool {
        mutated(Mutant::WindowOpen) || timestamp(time_ns).is_some_and(|time| self.is_open_at(time))
    }

    /// The first moment from `time_ns` on at which it is open, or is not; none within the next nine days.
    pub(super) fn next(&self, time_ns: u64, open: bool) -> Option<u64> {
        let start = timestamp(time_ns)?;
        if self.is_open_at(start) == open {
            return Some(time_ns);
        }
        let end = start + jiff::SignedDuration::from_hours(9 * 24);
        // It can only open or close where local time says so, or where the zone's offset changes.
        let today = start.to_zoned(self.zone.clone()).date();
        let mut moments: Vec<Timestamp> = Vec::new();
        for day in 0..=9 {
            let Ok(date) = today.checked_add(day.days()) else { continue };
            for time in [self.from, self.to] {
                let at = self.zone.to_ambiguous_zoned(date.to_datetime(time));
                let both = [at.clone().earlier(), at.later()];
                moments.extend(both.into_iter().flatten().map(|zoned| zoned.timestamp()));
            }
        }
        moments.extend(self.zone.following(start).map(|change| change.timestamp()).take_while(|&time| time <= end));
        moments.retain(|&time| time > start && time <= end);
        moments.sort_unstable();
        let found = moments.into_iter().find(|&time| self.is_open_at(time) == open)?;
        u64::try_from(found.as_nanosecond()).ok()
    }

    /// A moment as its zone says it, to the minute.
    pub(super) fn local(&self, time_ns: u64) -> String {
        match timestamp(time_ns) {
            Some(time) => {
                let zoned = time.to_zoned(self.zone.clone());
                let day = DAYS[zoned.weekday().to_monday_zero_offset() as usize];
                format!("{day} {}", zoned.strftime("%Y-%m-%d %H:%M %Z"))
            }
            None => "the end of time".to_owned(),
        }
    }

    fn is_open_at(&self, time: Timestamp) -> bool {
        self.holds(&time.to_zoned(self.zone.clone())) != self.closed
    }

    fn holds(&self, local: &Zoned) -> bool {
        let (day, time) = (local.weekday(), local.time());
        let on = |day: Weekday| self.days[day.to_monday_zero_offset() as usize];
        if self.from < self.to {
            on(day) && self.from <= time && time < self.to
        } else {
            on(day) && self.from <= time || on(day.previous()) && time < self.to
        }
    }
}

/// What of a change breaks a rule whose window this is.
pub(super) fn breach(rule: &Rule, window: &Window, case: &Case<'_>) -> Option<Breach> {
    let at = case.effective_ns();
    if window.is_open(at) {
        return None;
    }
    let next = window.next(at, true);
    let what = format!("its window is closed at {}", window.local(at));
    let Some(opens) = next else {
        return Some(Breach::of(what, "revise the rule: its window does not open within nine days"));
    };
    let when = window.local(opens);
    if case.facts.candidate.effective_ns.is_some() {
        return Some(Breach::of(what, format!("schedule it for {when} ({})", form::spoken(opens))));
    }
    let need = Need { item: rule.to_string(), groups: Vec::new(), approvals: 0, quorum: 0, not_before_ns: Some(opens) };
    Some(Breach { what, fix: format!("it opens at {when} ({})", form::spoken(opens)), need: Some(need) })
}

/// `HH:MM`
fn clock(text: &str) -> Option<Time> {
    let (hour, minute) = text.split_once(':')?;
    let digits = |part: &str| part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(hour) || !digits(minute) {
        return None;
    }
    Time::new(hour.parse().ok()?, minute.parse().ok()?, 0, 0).ok()
}

fn timestamp(time_ns: u64) -> Option<Timestamp> {
    Timestamp::from_nanosecond(i128::from(time_ns)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(zone: &str, days: &[&str], from: &str, to: &str, closed: bool) -> Window {
        let days = days.iter().map(|day| day.to_string()).collect();
        Window::of(&TimeWindow { zone: zone.into(), days, from: from.into(), to: to.into(), closed }).unwrap()
    }

    fn at(text: &str) -> u64 {
        text.parse::<Timestamp>().unwrap().as_nanosecond() as u64
    }

    #[test]
    fn it_opens_and_closes_in_local_time() {
        let hours = window("Europe/Berlin", &["mon", "tue", "wed", "thu", "fri"], "09:00", "17:30", false);
        // Berlin is an hour ahead in winter and two in summer.
        assert!(hours.is_open(at("2026-01-05T08:00:00Z")) && !hours.is_open(at("2026-01-05T07:59:59Z")));
        assert!(hours.is_open(at("2026-07-06T07:00:00Z")) && !hours.is_open(at("2026-07-06T15:30:00Z")));
        // From Friday evening on it next opens on Monday; a summer time that begins on that Sunday is heeded.
        assert_eq!(hours.next(at("2026-03-27T18:00:00Z"), true), Some(at("2026-03-30T07:00:00Z")));
        assert_eq!(hours.local(at("2026-03-30T07:00:00Z")), "mon 2026-03-30 09:00 CEST");
    }

    #[test]
    fn it_may_go_past_midnight() {
        let night = window("UTC", &["fri"], "22:00", "02:00", false);
        assert!(night.is_open(at("2026-01-03T01:59:00Z")) && !night.is_open(at("2026-01-03T02:00:00Z")));
        assert!(!night.is_open(at("2026-01-02T01:00:00Z")));
        assert_eq!(night.next(at("2026-01-02T23:00:00Z"), false), Some(at("2026-01-03T02:00:00Z")));
    }

    #[test]
    fn a_freeze_is_a_window_turned_around() {
        let freeze = window("UTC", &["sat", "sun"], "00:00", "00:00", true);
        assert!(!freeze.is_open(at("2026-01-03T12:00:00Z")) && freeze.is_open(at("2026-01-05T00:00:00Z")));
        assert_eq!(freeze.next(at("2026-01-03T12:00:00Z"), true), Some(at("2026-01-05T00:00:00Z")));
    }

    #[test]
    fn a_time_that_the_clocks_skip_opens_when_they_have_skipped_it() {
        // 2026-03-29 02:30 is not in Berlin; clocks go from 02:00 to 03:00.
        let gap = window("Europe/Berlin", &["sun"], "02:30", "04:00", false);
        assert_eq!(gap.next(at("2026-03-29T00:00:00Z"), true), Some(at("2026-03-29T01:00:00Z")));
    }

    #[test]
    fn what_is_no_window_says_where() {
        let with = |zone: &str, days: &[&str], from: &str| {
            let days = days.iter().map(|day| day.to_string()).collect();
            let window = TimeWindow { zone: zone.into(), days, from: from.into(), to: "17:00".into(), closed: false };
            Window::of(&window).unwrap_err()
        };
        assert_eq!(with("Mars/Olympus", &[], "09:00").0, "zone");
        assert_eq!(with("UTC", &["monday"], "09:00").0, "days");
        assert_eq!(with("UTC", &[], "9:00").0, "from");
        assert_eq!(with("UTC", &[], "24:00").0, "from");
    }
}
