//! References to versions: one grammar for every face and the command.
//!
//! ```text
//! 12                       the version of this number
//! current                  the current one
//! ~3                       3 before the current one
//! 2026-11-01T09:00:00Z     the one that was current then; a date alone is its first moment (UTC)
//! @2h                      the one that was current so long ago: s, m, h, d, w
//! 5feceb                   the one of this content address, by 6 or more of its hexadecimal digits
//! stable                   the one that has this tag
//! ```

use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use knhk_store::{Hash, VersionRecord};

use crate::{History, VersionError};

/// Hexadecimal digits of a content address that name a version, at least.
const DIGITS: usize = 6;
/// Versions read at once.
const PAGE: usize = 1000;
/// Candidates that an error lists.
const CANDIDATES: usize = 5;

/// A reference to a version, as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reference {
    /// Its number.
    Number(u64),
    /// How many before the current one.
    Back(u64),
    /// The one that was current at a moment, in nanoseconds since 1970 (UTC).
    Moment(u64),
    /// The one that was current so long ago.
    Ago(Duration),
    /// A tag, or the beginning of a content address.
    Name(String),
}

impl Reference {
    /// Reads a reference.
    ///
    /// # Errors
    /// [`VersionError::Reference`] for what is none.
    pub fn parse(text: &str) -> Result<Reference, VersionError> {
        let refuse = |why: &str| VersionError::Reference { text: text.into(), why: why.into() };
        if text.is_empty() || text.len() > 128 {
            return Err(refuse("it has not 1 to 128 characters"));
        }
        if text == "current" {
            return Ok(Reference::Back(0));
        }
        if let Some(back) = text.strip_prefix('~') {
            return back
                .parse()
                .map(Reference::Back)
                .map_err(|_| refuse("after ~ comes how many before the current one"));
        }
        if let Some(ago) = text.strip_prefix('@') {
            let ago =
                duration(ago).ok_or_else(|| refuse("after @ comes how long ago, such as 90s, 15m, 2h, 3d, 1w"))?;
            return Ok(Reference::Ago(ago));
        }
        if text.bytes().all(|byte| byte.is_ascii_digit()) {
            return text.parse().map(Reference::Number).map_err(|_| refuse("the number is too large"));
        }
        if let Some(moment) = moment(text) {
            return moment.map(Reference::Moment).ok_or_else(|| refuse("nothing was recorded before 1970"));
        }
        if text.chars().any(|c| c.is_whitespace() || c.is_control()) {
            return Err(refuse("it has spaces"));
        }
        Ok(Reference::Name(text.into()))
    }
}

/// Digits and a unit.
fn duration(text: &str) -> Option<Duration> {
    let digits = text.find(|c: char| !c.is_ascii_digit())?;
    let seconds = match &text[digits..] {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 86_400,
        "w" => 604_800,
        _ => return None,
    };
    text[..digits].parse::<u64>().ok()?.checked_mul(seconds).map(Duration::from_secs)
}

/// A moment, if the text is one; within it none, where it lies before 1970.
fn moment(text: &str) -> Option<Option<u64>> {
    let moment: Timestamp = match text.parse::<Timestamp>() {
        Ok(moment) => moment,
        Err(_) if text.len() == 10 => text.parse::<Date>().ok()?.to_zoned(TimeZone::UTC).ok()?.timestamp(),
        Err(_) => return None,
    };
    let ns = moment.as_nanosecond();
    Some((ns >= 0).then(|| u64::try_from(ns).unwrap_or(u64::MAX)))
}

impl History {
    /// The number of the version that is meant. `current` is the current version's, `now_ns` the time, in nanoseconds since 1970 (UTC).
    ///
    /// # Errors
    /// [`VersionError::Reference`], [`VersionError::Unknown`], [`VersionError::Ambiguous`].
    pub fn resolve(
        &self,
        sector: &str,
        reference: &str,
        current: Option<u64>,
        now_ns: u64,
    ) -> Result<u64, VersionError> {
        let unknown = |what: String| VersionError::Unknown { sector: sector.into(), what };
        match Reference::parse(reference)? {
            Reference::Number(number) => Ok(self.version(sector, number)?.number),
            Reference::Back(0) => current.ok_or_else(|| unknown("nothing was promoted yet".into())),
            Reference::Back(back) => {
                let current = current.ok_or_else(|| unknown("nothing was promoted yet".into()))?;
                self.before(sector, current, back)
            }
            Reference::Moment(moment) => self.at(sector, moment, reference),
            Reference::Ago(ago) => {
                let ago = u64::try_from(ago.as_nanos()).unwrap_or(u64::MAX);
                self.at(sector, now_ns.saturating_sub(ago), reference)
            }
            Reference::Name(name) => self.named(sector, &name),
        }
    }

    fn before(&self, sector: &str, current: u64, back: u64) -> Result<u64, VersionError> {
        let (mut before, mut left) = (current, back);
        loop {
            let take = usize::try_from(left).unwrap_or(PAGE).min(PAGE);
            let page = self.store().versions(sector, Some(before), take)?;
            let Some(last) = page.last() else {
                let there = back - left;
                let what =
                    format!("~{back} asks for more than the {there} versions before the current one that are retained");
                return Err(VersionError::Unknown { sector: sector.into(), what });
            };
            (before, left) = (last.number, left - page.len() as u64);
            if left == 0 {
                return Ok(before);
            }
        }
    }

    fn at(&self, sector: &str, time_ns: u64, reference: &str) -> Result<u64, VersionError> {
        let found = self.version_at(sector, time_ns)?;
        found.map(|version| version.number).ok_or_else(|| VersionError::Unknown {
            sector: sector.into(),
            what: format!("no version that was current at {reference} is retained"),
        })
    }

    /// The version that was current at a moment, in nanoseconds since 1970 (UTC): of those recorded until then the one with the greatest
    /// number.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn version_at(&self, sector: &str, time_ns: u64) -> Result<Option<VersionRecord>, VersionError> {
        // The store's integers have a sign; later than that is now.
        Ok(self.store().version_at(sector, time_ns.min(i64::MAX as u64))?)
    }

    fn named(&self, sector: &str, name: &str) -> Result<u64, VersionError> {
        let tag = self.store().tags(sector)?.into_iter().find(|tag| tag.name == name);
        let tagged = tag.map(|tag| self.version(sector, tag.version)).transpose()?;
        let tagged = tagged.map(|version| (version.number, version.snapshot));
        let mut versions = Vec::new();
        let mut before = is_address(name).then_some(None);
        while let Some(from) = before {
            let page = self.store().versions(sector, from, PAGE)?;
            before = page.last().map(|last| Some(last.number));
            versions.extend(page.into_iter().map(|version| (version.number, version.snapshot)));
        }
        named(sector, name, tagged, versions.into_iter())
    }
}

fn is_address(name: &str) -> bool {
    (DIGITS..=64).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// The version that a name means: the one that is tagged so, or the newest of those with a content address that begins so.
///
/// # Errors
/// [`VersionError::Unknown`]; [`VersionError::Ambiguous`] where it means different content.
pub fn named(
    sector: &str,
    name: &str,
    tagged: Option<(u64, Hash)>,
    newest_first: impl Iterator<Item = (u64, Hash)>,
) -> Result<u64, VersionError> {
    let prefix = name.to_ascii_lowercase();
    let mut found: Vec<(u64, Hash)> = Vec::new();
    for (number, address) in newest_first.filter(|(_, address)| is_address(name) && hex(address).starts_with(&prefix)) {
        let known =
            found.iter().any(|(_, other)| *other == address) || tagged.is_some_and(|(_, other)| other == address);
        if !known {
            found.push((number, address));
        }
    }
    match (tagged, &found[..]) {
        (Some((number, _)), []) | (None, &[(number, _)]) => Ok(number),
        (None, []) => Err(VersionError::Unknown {
            sector: sector.into(),
            what: format!("no retained version has the tag {name:?} or a content address that begins with it"),
        }),
        _ => {
            let by_tag = tagged.map(|(number, _)| format!("version {number} by its tag"));
            let by_address = found.iter().map(|(number, address)| format!("version {number} ({})", hex(address)));
            let candidates = by_tag.into_iter().chain(by_address).take(CANDIDATES).collect();
            Err(VersionError::Ambiguous { sector: sector.into(), reference: name.into(), candidates })
        }
    }
}

pub(crate) fn hex(bytes: &[u8; 32]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_form_is_read_as_what_it_is() {
        let seconds = |s| Reference::Ago(Duration::from_secs(s));
        let moment = |ns: u64| Reference::Moment(ns);
        let cases = [
            ("12", Reference::Number(12)),
            ("123456", Reference::Number(123_456)),
            ("current", Reference::Back(0)),
            ("~3", Reference::Back(3)),
            ("@90s", seconds(90)),
            ("@15m", seconds(900)),
            ("@2h", seconds(7200)),
            ("@3d", seconds(259_200)),
            ("@1w", seconds(604_800)),
            ("1970-01-02", moment(86_400_000_000_000)),
            ("1970-01-01T01:00:00Z", moment(3_600_000_000_000)),
            ("1970-01-01T01:00:00.5+01:00", moment(500_000_000)),
            ("2999-01-01", moment(u64::MAX)),
            ("stable", Reference::Name("stable".into())),
            ("v1.2", Reference::Name("v1.2".into())),
            ("5fecebf", Reference::Name("5fecebf".into())),
            ("2026-11", Reference::Name("2026-11".into())),
        ];
        for (text, reference) in cases {
            assert_eq!(Reference::parse(text), Ok(reference), "{text}");
        }
    }

    #[test]
    fn what_is_none_is_refused_with_what_can_be_written() {
        for text in ["", "~", "~x", "~-1", "@", "@2", "@2y", "@h", "two words", "99999999999999999999999", "1969-12-31"]
        {
            let refused = Reference::parse(text).unwrap_err().to_string();
            assert!(refused.contains("write a number, current, ~3, a tag"), "{refused}");
        }
        assert!(Reference::parse(&"x".repeat(129)).is_err());
        assert!(Reference::parse("@99999999999999999w").is_err(), "beyond what can be counted");
    }
}
