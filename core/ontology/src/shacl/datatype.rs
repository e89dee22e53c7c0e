//! The lexical spaces of the datatypes that RDF recognises: <https://www.w3.org/TR/rdf11-concepts/#xsd-datatypes>, after XML Schema 1.1.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use oxsdatatypes as xsd;

use crate::graph::{Term, instant};

/// A datatype whose lexical forms are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Datatype {
    String,
    NormalizedString,
    Token,
    Language,
    NmToken,
    Name,
    NcName,
    AnyUri,
    Boolean,
    Decimal,
    Integer,
    NonPositiveInteger,
    NegativeInteger,
    NonNegativeInteger,
    PositiveInteger,
    Long,
    Int,
    Short,
    Byte,
    UnsignedLong,
    UnsignedInt,
    UnsignedShort,
    UnsignedByte,
    Float,
    Double,
    DateTime,
    DateTimeStamp,
    Date,
    Time,
    GYear,
    GYearMonth,
    GMonth,
    GMonthDay,
    GDay,
    Duration,
    YearMonthDuration,
    DayTimeDuration,
    HexBinary,
    Base64Binary,
}

impl Datatype {
    /// The datatype with this IRI.
    pub(super) fn from_iri(iri: &str) -> Option<Datatype> {
        use Datatype::*;
        Some(match iri.strip_prefix("http://www.w3.org/2001/XMLSchema#")? {
            "string" => String,
            "normalizedString" => NormalizedString,
            "token" => Token,
            "language" => Language,
            "NMTOKEN" => NmToken,
            "Name" => Name,
            "NCName" => NcName,
            "anyURI" => AnyUri,
            "boolean" => Boolean,
            "decimal" => Decimal,
            "integer" => Integer,
            "nonPositiveInteger" => NonPositiveInteger,
            "negativeInteger" => NegativeInteger,
            "nonNegativeInteger" => NonNegativeInteger,
            "positiveInteger" => PositiveInteger,
            "long" => Long,
            "int" => Int,
            "short" => Short,
            "byte" => Byte,
            "unsignedLong" => UnsignedLong,
            "unsignedInt" => UnsignedInt,
            "unsignedShort" => UnsignedShort,
            "unsignedByte" => UnsignedByte,
            "float" => Float,
            "double" => Double,
            "dateTime" => DateTime,
            "dateTimeStamp" => DateTimeStamp,
            "date" => Date,
            "time" => Time,
            "gYear" => GYear,
            "gYearMonth" => GYearMonth,
            "gMonth" => GMonth,
            "gMonthDay" => GMonthDay,
            "gDay" => GDay,
            "duration" => Duration,
            "yearMonthDuration" => YearMonthDuration,
            "dayTimeDuration" => DayTimeDuration,
            "hexBinary" => HexBinary,
            "base64Binary" => Base64Binary,
            _ => return None,
        })
    }

    /// That of a literal that stands for itself; none of any other term.
    #[inline]
    pub(super) fn of_itself(term: Term) -> Option<Datatype> {
        if term.as_integer().is_some() {
            Some(Datatype::Integer)
        } else if term.as_double().is_some() {
            Some(Datatype::Double)
        } else if term.as_boolean().is_some() {
            Some(Datatype::Boolean)
        } else if term.as_decimal().is_some() {
            Some(Datatype::Decimal)
        } else {
            term.as_instant().map(|_| Datatype::DateTime)
        }
    }

    /// The least and the largest whole number of a datatype of such numbers; none where there is no end.
    fn bounds(self) -> Option<(Option<i128>, Option<i128>)> {
        let within = |min: i128, max: i128| Some((Some(min), Some(max)));
        match self {
            Datatype::Integer => Some((None, None)),
            Datatype::NonPositiveInteger => Some((None, Some(0))),
            Datatype::NegativeInteger => Some((None, Some(-1))),
            Datatype::NonNegativeInteger => Some((Some(0), None)),
            Datatype::PositiveInteger => Some((Some(1), None)),
            Datatype::Long => within(i64::MIN.into(), i64::MAX.into()),
            Datatype::Int => within(i32::MIN.into(), i32::MAX.into()),
            Datatype::Short => within(i16::MIN.into(), i16::MAX.into()),
            Datatype::Byte => within(i8::MIN.into(), i8::MAX.into()),
            Datatype::UnsignedLong => within(0, u64::MAX.into()),
            Datatype::UnsignedInt => within(0, u32::MAX.into()),
            Datatype::UnsignedShort => within(0, u16::MAX.into()),
            Datatype::UnsignedByte => within(0, u8::MAX.into()),
            _ => None,
        }
    }

    /// Whether it is a datatype of whole numbers.
    pub(super) fn is_whole(self) -> bool {
        self.bounds().is_some()
    }

    /// Whether `text` is a lexical form of this datatype. Forms that only a larger number than this implementation keeps could hold
    /// (years beyond 64 bits, fractions of a second beyond 18 digits) are not.
    pub(super) fn is_lexical(self, text: &str) -> bool {
        match self {
            Datatype::String | Datatype::AnyUri => true,
            Datatype::NormalizedString => is_normalized(text),
            Datatype::Token => is_token(text),
            Datatype::Language => is_language(text),
            Datatype::NmToken => !text.is_empty() && text.chars().all(is_name_char),
            Datatype::Name => is_name(text),
            Datatype::NcName => is_name(text) && !text.contains(':'),
            Datatype::Boolean => matches!(text, "true" | "false" | "1" | "0"),
            Datatype::Decimal => is_decimal(text.as_bytes()),
            Datatype::Float | Datatype::Double => is_float(text),
            Datatype::DateTime => instant(text).is_some() || text.parse::<xsd::DateTime>().is_ok(),
            Datatype::DateTimeStamp => {
                instant(text).is_some() || text.parse::<xsd::DateTime>().is_ok_and(|time| time.timezone().is_some())
            }
            Datatype::Date => text.parse::<xsd::Date>().is_ok(),
            Datatype::Time => text.parse::<xsd::Time>().is_ok(),
            Datatype::GYear => text.parse::<xsd::GYear>().is_ok(),
            Datatype::GYearMonth => text.parse::<xsd::GYearMonth>().is_ok(),
            Datatype::GMonth => text.parse::<xsd::GMonth>().is_ok(),
            // 29 February is a day of some years, which oxsdatatypes 0.2 does not know.
            Datatype::GMonthDay => match text.strip_prefix("--02-29") {
                Some(zone) => format!("--02-28{zone}").parse::<xsd::GMonthDay>().is_ok(),
                None => text.parse::<xsd::GMonthDay>().is_ok(),
            },
            Datatype::GDay => text.parse::<xsd::GDay>().is_ok(),
            Datatype::Duration => text.parse::<xsd::Duration>().is_ok(),
            Datatype::YearMonthDuration => text.parse::<xsd::YearMonthDuration>().is_ok(),
            Datatype::DayTimeDuration => text.parse::<xsd::DayTimeDuration>().is_ok(),
            Datatype::HexBinary => text.len().is_multiple_of(2) && text.bytes().all(|byte| byte.is_ascii_hexdigit()),
            Datatype::Base64Binary => is_base64(text),
            whole => {
                let (min, max) = whole.bounds().expect("every other datatype has an arm of its own");
                is_integer(text.as_bytes()) && is_within(text, min, max)
            }
        }
    }
}

fn unsigned(text: &[u8]) -> &[u8] {
    text.strip_prefix(b"+").or_else(|| text.strip_prefix(b"-")).unwrap_or(text)
}

fn digits(text: &[u8]) -> bool {
    text.iter().all(u8::is_ascii_digit)
}

pub(super) fn is_integer(text: &[u8]) -> bool {
    let text = unsigned(text);
    !text.is_empty() && digits(text)
}

pub(super) fn is_decimal(text: &[u8]) -> bool {
    let text = unsigned(text);
    let point = text.iter().position(|&byte| byte == b'.').unwrap_or(text.len());
    let fraction = text.get(point + 1..).unwrap_or_default();
    (point > 0 || !fraction.is_empty()) && digits(&text[..point]) && digits(fraction)
}

pub(super) fn is_float(text: &str) -> bool {
    if matches!(text, "INF" | "+INF" | "-INF" | "NaN") {
        return true;
    }
    let bytes = text.as_bytes();
    match bytes.iter().position(|byte| matches!(byte, b'e' | b'E')) {
        Some(at) => is_decimal(&bytes[..at]) && is_integer(&bytes[at + 1..]),
        None => is_decimal(bytes),
    }
}

/// Of a lexical form of a whole number. One that 128 bits do not hold is beyond every bound on its side.
fn is_within(text: &str, min: Option<i128>, max: Option<i128>) -> bool {
    match text.parse::<i128>() {
        Ok(value) => min.is_none_or(|min| value >= min) && max.is_none_or(|max| value <= max),
        Err(_) if text.starts_with('-') => min.is_none(),
        Err(_) => max.is_none(),
    }
}

fn is_normalized(text: &str) -> bool {
    !text.contains(['\t', '\n', '\r'])
}

fn is_token(text: &str) -> bool {
    is_normalized(text) && !text.starts_with(' ') && !text.ends_with(' ') && !text.contains("  ")
}

fn is_language(text: &str) -> bool {
    text.split('-').enumerate().all(|(at, part)| {
        (1..=8).contains(&part.len())
            && part.bytes().all(|byte| byte.is_ascii_alphabetic() || at > 0 && byte.is_ascii_digit())
    })
}

/// `Name` of XML 1.0, fifth edition.
fn is_name(text: &str) -> bool {
    text.chars().next().is_some_and(is_name_start) && text.chars().all(is_name_char)
}

pub(super) fn is_name_start(char: char) -> bool {
    matches!(char,
        ':' | 'A'..='Z' | '_' | 'a'..='z' | '\u{C0}'..='\u{D6}' | '\u{D8}'..='\u{F6}' | '\u{F8}'..='\u{2FF}'
        | '\u{370}'..='\u{37D}' | '\u{37F}'..='\u{1FFF}' | '\u{200C}'..='\u{200D}' | '\u{2070}'..='\u{218F}'
        | '\u{2C00}'..='\u{2FEF}' | '\u{3001}'..='\u{D7FF}' | '\u{F900}'..='\u{FDCF}' | '\u{FDF0}'..='\u{FFFD}'
        | '\u{10000}'..='\u{EFFFF}')
}

pub(super) fn is_name_char(char: char) -> bool {
    is_name_start(char)
        || matches!(char, '-' | '.' | '0'..='9' | '\u{B7}' | '\u{300}'..='\u{36F}' | '\u{203F}'..='\u{2040}')
}

/// XML Schema allows a single space between any two characters.
fn is_base64(text: &str) -> bool {
    if !is_token(text) {
        return false;
    }
    let packed: Vec<u8> = text.bytes().filter(|&byte| byte != b' ').collect();
    BASE64.decode(packed).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(datatype: &str, good: &[&str], bad: &[&str]) {
        let known = Datatype::from_iri(&format!("http://www.w3.org/2001/XMLSchema#{datatype}")).unwrap();
        good.iter().for_each(|text| assert!(known.is_lexical(text), "{text:?} is an xsd:{datatype}"));
        bad.iter().for_each(|text| assert!(!known.is_lexical(text), "{text:?} is no xsd:{datatype}"));
    }

    #[test]
    fn numbers() {
        let huge = "9".repeat(60);
        all("integer", &["0", "-0", "+7", "007", &huge], &["", "-", "1.0", " 1", "1e3", "١"]);
        all("decimal", &["1", "1.", ".5", "-0.10", "+1.50"], &["", ".", "-.", "1e3", "INF", "1.2.3"]);
        all("double", &["1", "1e3", ".5E-7", "INF", "-INF", "+INF", "NaN"], &["", "inf", "-NaN", "e3", "1e", "1e1.5"]);
        all("byte", &["127", "-128", "+0", "0000127"], &["128", "-129", "300", "c", &huge]);
        all("unsignedLong", &["18446744073709551615"], &["-1", "18446744073709551616"]);
        all("negativeInteger", &["-1", &format!("-{huge}")], &["0", "1", &huge]);
        all("boolean", &["true", "false", "1", "0"], &["True", "yes", ""]);
    }

    #[test]
    fn times() {
        all(
            "dateTime",
            &["2002-10-10T12:00:00", "2002-10-10T24:00:00Z", "-0001-01-01T00:00:00.5+14:00"],
            &["2002-10-10", "2002-02-30T12:00:00", "2002-10-10T12:00:00+14:01", "2002-10-10T25:00:00"],
        );
        all("dateTimeStamp", &["2002-10-10T12:00:00Z"], &["2002-10-10T12:00:00"]);
        all("date", &["2024-02-29", "2024-02-29Z"], &["2023-02-29", "2024-2-9"]);
        all("gMonthDay", &["--02-29"], &["--02-30", "02-29"]);
        all("duration", &["P1Y2M3DT4H5M6.7S", "-P1D", "PT0S"], &["P", "P1S", "1D", "P-1D"]);
        all("yearMonthDuration", &["P1Y", "-P14M"], &["P1D"]);
        all("dayTimeDuration", &["P1D", "PT1H"], &["P1Y"]);
    }

    #[test]
    fn instants_are_what_the_general_parser_reads() {
        let origin: xsd::DateTime = "1970-01-01T00:00:00Z".parse().unwrap();
        let mut known = 0;
        for year in (1..9999).step_by(7).chain([1600, 1900, 2000, 2023, 2024, 2100, 9999]) {
            for (month, day) in [(1, 1), (2, 28), (2, 29), (3, 1), (4, 30), (4, 31), (12, 31), (13, 1), (0, 1), (5, 0)]
            {
                for time in ["00:00:00", "23:59:59", "24:00:00", "12:60:00", "12:30:60", "1a:00:00"] {
                    let text = format!("{year:04}-{month:02}-{day:02}T{time}Z");
                    let general = text.parse::<xsd::DateTime>().ok();
                    let Some(seconds) = instant(&text) else {
                        assert!(general.is_none() || time == "24:00:00", "{text}");
                        continue;
                    };
                    let apart = general.unwrap_or_else(|| panic!("{text} is a date and time")).checked_sub(origin);
                    let expected = xsd::DayTimeDuration::new(xsd::Decimal::from(seconds));
                    assert_eq!(apart, Some(expected), "{text}");
                    known += 1;
                }
            }
        }
        assert!(known > 10_000);
        for text in ["2026-01-31T09:30:00", "2026-01-31T09:30:00z", "2026-01-31 09:30:00Z", "-026-01-31T09:30:00Z", ""]
        {
            assert_eq!(instant(text), None, "{text}");
        }
    }

    #[test]
    fn texts() {
        all("token", &["", "a b"], &[" a", "a  b", "a\n"]);
        all("language", &["en", "de-AT-1996"], &["", "en-", "12", "abcdefghi"]);
        all("NCName", &["a-1.2", "é"], &["", "1a", "a:b"]);
        all("NMTOKEN", &["1a", ":x"], &["", "a b"]);
        all("hexBinary", &["", "0aF9"], &["0", "0g"]);
        all("base64Binary", &["", "YQ==", "Y Q = =", "YWJj"], &["YQ", "Y!==", " YQ=="]);
    }
}
