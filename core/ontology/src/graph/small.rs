//! Literals that stand for themselves: the forms that whole numbers, doubles, truth values, decimals and instants are mostly written in.
//! They need no room in the interner, and what compares them need not parse them.

use std::borrow::Cow;

use super::term::Term;
use crate::vocabulary::xsd;

/// The literal's term, where it needs no interner: where the term gives back this lexical form, and no other.
pub(super) fn term(lexical: &str, datatype: &str) -> Option<Term> {
    match datatype {
        xsd::INTEGER => {
            let canonical = match lexical.as_bytes() {
                [b'0'] => true,
                [b'-', b'1'..=b'9', ..] | [b'1'..=b'9', ..] => lexical.len() <= 20,
                _ => false,
            };
            canonical.then(|| lexical.parse().ok().and_then(Term::integer))?
        }
        xsd::DOUBLE => {
            let value =
                lexical.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'.' | b'e' | b'-')).then(|| lexical.parse());
            let value = value?.ok().filter(|&value| *double_text(value, &mut zmij::Buffer::new()) == *lexical);
            value.and_then(Term::double)
        }
        xsd::BOOLEAN if lexical == "true" => Some(Term::boolean(true)),
        xsd::BOOLEAN if lexical == "false" => Some(Term::boolean(false)),
        xsd::DECIMAL => decimal(lexical.as_bytes()),
        xsd::DATE_TIME => instant(lexical).and_then(Term::instant),
        _ => None,
    }
}

/// Room for a lexical form.
#[derive(Default)]
pub(super) struct Room {
    integer: itoa::Buffer,
    double: zmij::Buffer,
    text: [u8; 24],
}

/// The lexical form and the datatype of a literal that stands for itself; none of any other term.
pub(super) fn written(term: Term, room: &mut Room) -> Option<(Cow<'_, str>, &'static str)> {
    Some(if let Some(value) = term.as_integer() {
        (room.integer.format(value).into(), xsd::INTEGER)
    } else if let Some(value) = term.as_double() {
        (double_text(value, &mut room.double), xsd::DOUBLE)
    } else if let Some(value) = term.as_boolean() {
        (if value { "true" } else { "false" }.into(), xsd::BOOLEAN)
    } else if let Some((digits, scale)) = term.as_decimal() {
        (decimal_text(digits, scale, room).into(), xsd::DECIMAL)
    } else {
        (instant_text(term.as_instant()?, &mut room.text).into(), xsd::DATE_TIME)
    })
}

/// A finite double as `{:?}` writes it.
fn double_text(value: f64, buffer: &mut zmij::Buffer) -> Cow<'_, str> {
    // Both find the shortest digits that read back; outside of this range they begin to write exponents at other
    // magnitudes.
    if value == 0.0 || (1e-4..1e16).contains(&value.abs()) {
        return Cow::Borrowed(buffer.format_finite(value));
    }
    Cow::Owned(format!("{value:?}"))
}

/// Of a decimal without a sign but a minus, without zeros before its whole part, with digits after its point if it has one.
fn decimal(text: &[u8]) -> Option<Term> {
    let unsigned = text.strip_prefix(b"-").unwrap_or(text);
    if unsigned.len() > 18 {
        return None;
    }
    let (mut digits, mut point) = (0i64, None);
    for (at, &byte) in unsigned.iter().enumerate() {
        match byte {
            b'0'..=b'9' => digits = digits * 10 + i64::from(byte - b'0'),
            b'.' if point.is_none() => point = Some(at),
            _ => return None,
        }
    }
    let whole = &unsigned[..point.unwrap_or(unsigned.len())];
    let scale = point.map_or(0, |at| unsigned.len() - at - 1);
    let canonical = matches!(whole, [b'0'] | [b'1'..=b'9', ..]) && (point.is_none() || scale > 0);
    let negative = unsigned.len() < text.len();
    // Zero has no minus that could be kept.
    let kept = canonical && !(negative && digits == 0);
    kept.then(|| Term::decimal(if negative { -digits } else { digits }, scale as u32))?
}

fn decimal_text(digits: i64, scale: u32, room: &mut Room) -> &str {
    let (scale, all) = (scale as usize, room.integer.format(digits.unsigned_abs()).as_bytes());
    let whole = all.len().saturating_sub(scale);
    let mut len = 0;
    let mut push = |bytes: &[u8]| {
        room.text[len..len + bytes.len()].copy_from_slice(bytes);
        len += bytes.len();
    };
    if digits < 0 {
        push(b"-");
    }
    push(if whole == 0 { b"0" } else { &all[..whole] });
    if scale > 0 {
        push(b".");
        push(&b"0000000000000000"[..scale - (all.len() - whole)]);
        push(&all[whole..]);
    }
    ascii(&room.text[..len])
}

/// The seconds since 1970 of a date and time in the form that most are written in, `2026-01-31T09:30:00Z`; none of any other form.
pub(crate) fn instant(text: &str) -> Option<i64> {
    let text: &[u8; 20] = text.as_bytes().try_into().ok()?;
    let mut digits = 0;
    let mut number = |at: usize| {
        let (tens, ones) = (text[at].wrapping_sub(b'0'), text[at + 1].wrapping_sub(b'0'));
        digits |= u8::from(tens > 9) | u8::from(ones > 9);
        i64::from(tens) * 10 + i64::from(ones)
    };
    let (century, year, month, day) = (number(0), number(2), number(5), number(8));
    let (hour, minute, second) = (number(11), number(14), number(17));
    let signs = [text[4], text[7], text[10], text[13], text[16], text[19]];
    let year = century * 100 + year;
    if digits != 0 || signs != *b"--T::Z" || year == 0 || !(1..=12).contains(&month) {
        return None;
    }
    if !(1..=days_of(year, month)).contains(&day) || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    // Years that begin in March, so that the day that some have comes last.
    let (year, month) = if month < 3 { (year - 1, month + 9) } else { (year, month - 3) };
    let days = year * 365 + year / 4 - year / 100 + year / 400 + (month * 153 + 2) / 5 + day - 1;
    Some((days - DAYS_TO_1970) * DAY + hour * 3_600 + minute * 60 + second)
}

/// From 1 March of the year 0 on.
const DAYS_TO_1970: i64 = 719_468;
/// Seconds.
const DAY: i64 = 86_400;
/// Days of 400 years.
const ERA: i64 = 146_097;

fn days_of(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// What [`instant`] read.
fn instant_text(seconds: i64, room: &mut [u8; 24]) -> &str {
    let (days, second) = (seconds.div_euclid(DAY) + DAYS_TO_1970, seconds.rem_euclid(DAY));
    let (era, day) = (days.div_euclid(ERA), days.rem_euclid(ERA));
    let year = (day - day / 1_460 + day / 36_524 - day / (ERA - 1)) / 365;
    let day = day - (year * 365 + year / 4 - year / 100);
    let month = (day * 5 + 2) / 153;
    let day = day - (month * 153 + 2) / 5 + 1;
    let (month, next) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    let year = era * 400 + year + next;
    let text = &mut room[..20];
    text.copy_from_slice(b"0000-00-00T00:00:00Z");
    let pairs = [(0, year / 100), (2, year % 100), (5, month), (8, day)];
    for (at, number) in pairs.into_iter().chain([(11, second / 3_600), (14, second / 60 % 60), (17, second % 60)]) {
        text[at] += (number / 10) as u8;
        text[at + 1] += (number % 10) as u8;
    }
    ascii(text)
}

fn ascii(text: &[u8]) -> &str {
    std::str::from_utf8(text).expect("digits and signs are ASCII")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn back(lexical: &str, datatype: &str) -> Option<String> {
        let mut room = Room::default();
        let (text, own) = written(term(lexical, datatype)?, &mut room)?;
        assert_eq!(own, datatype);
        Some(text.into_owned())
    }

    #[test]
    fn decimals_come_back_as_they_were_written() {
        let all = ["0", "7", "-7", "0.0", "100.25", "0.05", "-0.050", "1.0", "72057594037927935", "-72057594037927936"];
        for text in all.into_iter().chain(["0.000000000000001", "12345678901234.567"]) {
            assert_eq!(back(text, xsd::DECIMAL).as_deref(), Some(text));
        }
        for text in ["", "-", ".", "1.", ".5", "+1", "01", "00.1", "-0", "-0.0", "1e3", "1.2.3", "72057594037927936"] {
            assert_eq!(back(text, xsd::DECIMAL), None, "{text}");
        }
        assert_eq!(back("0.0000000000000001", xsd::DECIMAL), None, "16 digits after the point");
    }

    #[test]
    fn instants_come_back_as_they_were_written() {
        for year in (1..9999).step_by(7).chain([1600, 1900, 1969, 1970, 2000, 2023, 2024, 2100, 9999]) {
            for day in ["01-01", "02-28", "03-01", "04-30", "12-31"] {
                for time in ["00:00:00", "09:30:07", "23:59:59"] {
                    let text = format!("{year:04}-{day}T{time}Z");
                    assert_eq!(back(&text, xsd::DATE_TIME).as_deref(), Some(&*text));
                }
            }
        }
        assert_eq!(back("2024-02-29T12:00:00Z", xsd::DATE_TIME).as_deref(), Some("2024-02-29T12:00:00Z"));
        for text in ["2023-02-29T12:00:00Z", "2024-02-28T24:00:00Z", "2024-02-28T12:00:00", "0000-01-01T00:00:00Z"] {
            assert_eq!(back(text, xsd::DATE_TIME), None, "{text}");
        }
    }
}
