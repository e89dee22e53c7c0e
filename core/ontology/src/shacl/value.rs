//! The order of literals: SPARQL 1.1's `<` on numbers, strings, booleans and times, and XML Schema's on the datatypes that SPARQL leaves
//! out (dates, clock times, durations). What has no order with something else is neither smaller nor larger.

use std::borrow::Cow;
use std::cmp::Ordering;

use oxsdatatypes as xsd;

use super::datatype::{self, Datatype};
use crate::graph::{Term, TermRef, Terms, instant};

/// A literal's value, as far as it has an order.
#[derive(Clone, Debug)]
pub(super) enum Value<'a> {
    Integer(i64),
    Decimal(Decimal<'a>),
    Float(f32),
    Double(f64),
    Boolean(bool),
    String(Cow<'a, str>),
    /// Seconds since 1970, of a date and time that [`instant`] reads.
    Instant(i64),
    DateTime(xsd::DateTime),
    Date(xsd::Date),
    Time(xsd::Time),
    GYear(xsd::GYear),
    GYearMonth(xsd::GYearMonth),
    GMonth(xsd::GMonth),
    GMonthDay(xsd::GMonthDay),
    GDay(xsd::GDay),
    Duration(xsd::Duration),
}

impl<'a> Value<'a> {
    /// The value of a literal that is well-formed and whose datatype has an order.
    pub(super) fn of(terms: &'a Terms, term: Term) -> Option<Value<'a>> {
        Value::read(terms, term, |datatype| match terms.get(datatype) {
            TermRef::Iri(iri) => Datatype::from_iri(iri),
            _ => None,
        })
    }

    /// The same, where it is known what datatypes are.
    #[inline]
    pub(super) fn read(
        terms: &'a Terms,
        term: Term,
        known: impl FnOnce(Term) -> Option<Datatype>,
    ) -> Option<Value<'a>> {
        if let Some(value) = term.as_integer() {
            return Some(Value::Integer(value));
        }
        if let Some(value) = term.as_double() {
            return Some(Value::Double(value));
        }
        if let Some(value) = term.as_boolean() {
            return Some(Value::Boolean(value));
        }
        if let Some((digits, scale)) = term.as_decimal() {
            return Some(Value::Decimal(Decimal::Small(digits, scale)));
        }
        if let Some(seconds) = term.as_instant() {
            return Some(Value::Instant(seconds));
        }
        let literal = terms.interned_literal(term).filter(|literal| literal.language.is_empty())?;
        Value::parse(literal.lexical.into(), known(literal.datatype)?)
    }

    fn parse(text: Cow<'a, str>, datatype: Datatype) -> Option<Value<'a>> {
        Some(match datatype {
            Datatype::String | Datatype::NormalizedString | Datatype::Token => {
                datatype.is_lexical(&text).then_some(Value::String(text))?
            }
            Datatype::Decimal => Value::Decimal(Decimal::new(text)?),
            whole if whole.is_whole() && whole.is_lexical(&text) => match text.parse() {
                Ok(value) => Value::Integer(value),
                Err(_) => Value::Decimal(Decimal::new(text)?),
            },
            Datatype::Float if datatype.is_lexical(&text) => Value::Float(text.parse().ok()?),
            Datatype::Double if datatype.is_lexical(&text) => Value::Double(text.parse().ok()?),
            Datatype::Boolean if datatype.is_lexical(&text) => Value::Boolean(matches!(&*text, "true" | "1")),
            Datatype::DateTime | Datatype::DateTimeStamp => {
                if let Some(seconds) = instant(&text) {
                    return Some(Value::Instant(seconds));
                }
                let value: xsd::DateTime = text.parse().ok()?;
                (datatype == Datatype::DateTime || value.timezone().is_some()).then_some(Value::DateTime(value))?
            }
            Datatype::Date => Value::Date(text.parse().ok()?),
            Datatype::Time => Value::Time(text.parse().ok()?),
            Datatype::GYear => Value::GYear(text.parse().ok()?),
            Datatype::GYearMonth => Value::GYearMonth(text.parse().ok()?),
            Datatype::GMonth => Value::GMonth(text.parse().ok()?),
            Datatype::GMonthDay => Value::GMonthDay(text.parse().ok()?),
            Datatype::GDay => Value::GDay(text.parse().ok()?),
            Datatype::Duration | Datatype::YearMonthDuration | Datatype::DayTimeDuration
                if datatype.is_lexical(&text) =>
            {
                Value::Duration(text.parse().ok()?)
            }
            _ => return None,
        })
    }

    /// How it stands to another value; none where the two have no order.
    pub(super) fn compare(&self, other: &Value<'_>) -> Option<Ordering> {
        use Value::*;
        match (self, other) {
            (Integer(a), Integer(b)) => Some(a.cmp(b)),
            (String(a), String(b)) => Some(a.cmp(b)),
            (Boolean(a), Boolean(b)) => Some(a.cmp(b)),
            (Instant(a), Instant(b)) => Some(a.cmp(b)),
            (DateTime(a), DateTime(b)) => a.partial_cmp(b),
            (Instant(a), DateTime(b)) => date_time(*a)?.partial_cmp(b),
            (DateTime(a), Instant(b)) => a.partial_cmp(&date_time(*b)?),
            (Date(a), Date(b)) => a.partial_cmp(b),
            (Time(a), Time(b)) => a.partial_cmp(b),
            (GYear(a), GYear(b)) => a.partial_cmp(b),
            (GYearMonth(a), GYearMonth(b)) => a.partial_cmp(b),
            (GMonth(a), GMonth(b)) => a.partial_cmp(b),
            (GMonthDay(a), GMonthDay(b)) => a.partial_cmp(b),
            (GDay(a), GDay(b)) => a.partial_cmp(b),
            (Duration(a), Duration(b)) => a.partial_cmp(b),
            // Numbers of two kinds are promoted to the wider: decimal to float to double (XPath 2.0, B.1).
            (Double(_), _) | (_, Double(_)) => self.as_f64()?.partial_cmp(&other.as_f64()?),
            (Float(_), _) | (_, Float(_)) => self.as_f32()?.partial_cmp(&other.as_f32()?),
            (Decimal(a), Decimal(b)) => Some(a.compare(b)),
            (Integer(a), Decimal(b)) => Some(b.compare_integer(*a).reverse()),
            (Decimal(a), Integer(b)) => Some(a.compare_integer(*b)),
            _ => None,
        }
    }

    fn as_f64(&self) -> Option<f64> {
        match self {
            Value::Integer(value) => Some(*value as f64),
            Value::Decimal(value) => value.text().parse().ok(),
            Value::Float(value) => Some(f64::from(*value)),
            Value::Double(value) => Some(*value),
            _ => None,
        }
    }

    fn as_f32(&self) -> Option<f32> {
        match self {
            Value::Integer(value) => Some(*value as f32),
            Value::Decimal(value) => value.text().parse().ok(),
            Value::Float(value) => Some(*value),
            _ => None,
        }
    }

    /// The same value, without the interner.
    pub(super) fn into_owned(self) -> Value<'static> {
        match self {
            Value::Integer(value) => Value::Integer(value),
            Value::Decimal(Decimal::Small(digits, scale)) => Value::Decimal(Decimal::Small(digits, scale)),
            Value::Decimal(Decimal::Long(text)) => Value::Decimal(Decimal::Long(text.into_owned().into())),
            Value::Float(value) => Value::Float(value),
            Value::Double(value) => Value::Double(value),
            Value::Boolean(value) => Value::Boolean(value),
            Value::String(value) => Value::String(value.into_owned().into()),
            Value::Instant(value) => Value::Instant(value),
            Value::DateTime(value) => Value::DateTime(value),
            Value::Date(value) => Value::Date(value),
            Value::Time(value) => Value::Time(value),
            Value::GYear(value) => Value::GYear(value),
            Value::GYearMonth(value) => Value::GYearMonth(value),
            Value::GMonth(value) => Value::GMonth(value),
            Value::GMonthDay(value) => Value::GMonthDay(value),
            Value::GDay(value) => Value::GDay(value),
            Value::Duration(value) => Value::Duration(value),
        }
    }
}

/// The date and time of an instant.
fn date_time(seconds: i64) -> Option<xsd::DateTime> {
    let origin: xsd::DateTime = "1970-01-01T00:00:00Z".parse().ok()?;
    origin.checked_add_day_time_duration(xsd::DayTimeDuration::new(xsd::Decimal::from(seconds)))
}

/// A decimal number of any length.
#[derive(Clone, Debug)]
pub(super) enum Decimal<'a> {
    /// The digits as one number of at most eighteen, and how many of them are the fraction's.
    Small(i64, u32),
    /// Its lexical form.
    Long(Cow<'a, str>),
}

impl<'a> Decimal<'a> {
    /// Of a lexical form.
    fn new(text: Cow<'a, str>) -> Option<Decimal<'a>> {
        match small_decimal(text.as_bytes()) {
            Some((digits, scale)) => Some(Decimal::Small(digits, scale)),
            None => datatype::is_decimal(text.as_bytes()).then_some(Decimal::Long(text)),
        }
    }

    /// A lexical form.
    fn text(&self) -> Cow<'_, str> {
        match self {
            Decimal::Small(digits, scale) => {
                let sign = if *digits < 0 { "-" } else { "" };
                let text = format!("{:0>width$}", digits.unsigned_abs(), width = *scale as usize + 1);
                let (whole, fraction) = text.split_at(text.len() - *scale as usize);
                Cow::Owned(format!("{sign}{whole}.{fraction}"))
            }
            Decimal::Long(text) => Cow::Borrowed(text),
        }
    }

    fn compare_integer(&self, other: i64) -> Ordering {
        match self {
            Decimal::Small(digits, scale) => i128::from(*digits).cmp(&(i128::from(other) * POWERS[*scale as usize])),
            Decimal::Long(_) => self.compare_texts(&Decimal::Long(other.to_string().into())),
        }
    }

    fn compare(&self, other: &Decimal<'_>) -> Ordering {
        match (self, other) {
            (Decimal::Small(digits, scale), Decimal::Small(other, other_scale)) => {
                // Eighteen digits and as many zeros fit.
                let of = |digits: i64, scale: u32| i128::from(digits) * POWERS[scale as usize];
                of(*digits, *other_scale).cmp(&of(*other, *scale))
            }
            _ => self.compare_texts(other),
        }
    }

    /// Whether it is below zero, its whole part without leading zeros, and its fraction without trailing ones.
    fn parts(text: &[u8]) -> (bool, &[u8], &[u8]) {
        debug_assert!(datatype::is_decimal(text));
        let negative = text.starts_with(b"-");
        let text = text.strip_prefix(b"-").or_else(|| text.strip_prefix(b"+")).unwrap_or(text);
        let point = text.iter().position(|&byte| byte == b'.').unwrap_or(text.len());
        let fraction = text.get(point + 1..).unwrap_or_default();
        let zeros = text[..point].iter().take_while(|&&byte| byte == b'0').count();
        let trailing = fraction.iter().rev().take_while(|&&byte| byte == b'0').count();
        let (whole, fraction) = (&text[zeros..point], &fraction[..fraction.len() - trailing]);
        (negative && !(whole.is_empty() && fraction.is_empty()), whole, fraction)
    }

    fn compare_texts(&self, other: &Decimal<'_>) -> Ordering {
        let (text, other) = (self.text(), other.text());
        let (negative, whole, fraction) = Decimal::parts(text.as_bytes());
        let (other_negative, other_whole, other_fraction) = Decimal::parts(other.as_bytes());
        let size = || (whole.len(), whole, fraction).cmp(&(other_whole.len(), other_whole, other_fraction));
        match (negative, other_negative) {
            (false, false) => size(),
            (true, true) => size().reverse(),
            (false, true) => Ordering::Greater,
            (true, false) => Ordering::Less,
        }
    }
}

/// Powers of ten.
const POWERS: [i128; 19] = {
    let mut powers = [1; 19];
    let mut at = 1;
    while at < powers.len() {
        powers[at] = powers[at - 1] * 10;
        at += 1;
    }
    powers
};

/// The digits of a decimal of at most eighteen, and how many come after the point.
fn small_decimal(text: &[u8]) -> Option<(i64, u32)> {
    let (negative, text) = match text {
        [b'-', text @ ..] => (true, text),
        [b'+', text @ ..] => (false, text),
        _ => (false, text),
    };
    let (mut digits, mut count, mut point) = (0i64, 0, None);
    if text.len() > 19 {
        return None;
    }
    for &byte in text {
        match byte {
            b'0'..=b'9' => {
                digits = digits * 10 + i64::from(byte - b'0');
                count += 1;
            }
            b'.' if point.is_none() => point = Some(count),
            _ => return None,
        }
    }
    let scale = count - point.unwrap_or(count);
    (1..=18).contains(&count).then_some((if negative { -digits } else { digits }, scale))
}

#[cfg(test)]
mod tests {
    use super::*;
    use Ordering::{Equal, Greater, Less};

    fn compare(a: (&str, &str), b: (&str, &str)) -> Option<Ordering> {
        let terms = Terms::new();
        let term = |(text, datatype): (&str, &str)| {
            terms.literal(text, &format!("http://www.w3.org/2001/XMLSchema#{datatype}"))
        };
        let (a, b) = (term(a), term(b));
        let order = Value::of(&terms, a)?.compare(&Value::of(&terms, b)?);
        assert_eq!(Value::of(&terms, b)?.compare(&Value::of(&terms, a)?), order.map(Ordering::reverse));
        order
    }

    #[test]
    fn numbers_of_all_kinds() {
        let big = "100000000000000000000000000000000000000001";
        assert_eq!(compare(("7", "integer"), ("007.0", "decimal")), Some(Equal));
        assert_eq!(compare(("-7", "integer"), ("-7.5", "decimal")), Some(Greater));
        assert_eq!(compare(("-0.0", "decimal"), ("0", "byte")), Some(Equal));
        assert_eq!(compare(("0.30", "decimal"), (".3", "decimal")), Some(Equal));
        assert_eq!(compare(("-1.5", "decimal"), ("-1.49", "decimal")), Some(Less));
        let (long, longer) = ("0.999999999999999999", "0.9999999999999999991");
        assert_eq!(compare((long, "decimal"), (longer, "decimal")), Some(Less));
        assert_eq!(compare((long, "decimal"), ("9223372036854775807", "integer")), Some(Less));
        assert_eq!(compare((longer, "decimal"), ("1", "integer")), Some(Less));
        assert_eq!(compare((".", "decimal"), ("1", "integer")), None);
        assert_eq!(compare((big, "integer"), ("1e41", "double")), Some(Equal));
        assert_eq!(compare((big, "integer"), (&format!("{big}.5"), "decimal")), Some(Less));
        assert_eq!(compare(("9223372036854775807", "integer"), (big, "integer")), Some(Less));
        assert_eq!(compare(("16777217", "integer"), ("16777216", "float")), Some(Equal));
        assert_eq!(compare(("0.1", "float"), ("0.1", "double")), Some(Greater));
        assert_eq!(compare(("INF", "double"), ("1", "integer")), Some(Greater));
        assert_eq!(compare(("NaN", "double"), ("NaN", "double")), None);
        assert_eq!(compare(("300", "byte"), ("1", "integer")), None, "an ill-formed literal has no value");
    }

    #[test]
    fn times_with_and_without_a_zone() {
        let time = |a, b| compare((a, "dateTime"), (b, "dateTime"));
        assert_eq!(time("2002-10-10T12:00:00-05:00", "2002-10-10T17:00:00Z"), Some(Equal));
        assert_eq!(time("2002-10-10T12:00:00", "2002-10-10T12:00:00Z"), None);
        assert_eq!(time("2002-10-10T12:00:00", "2002-10-12T12:00:00Z"), Some(Less));
        assert_eq!(time("2002-10-10T12:00:00Z", "2002-10-10T12:00:01Z"), Some(Less));
        assert_eq!(time("2002-10-10T12:00:00Z", "2002-10-10T12:00:00.5Z"), Some(Less));
        assert_eq!(time("2002-10-10T24:00:00Z", "2002-10-11T00:00:00Z"), Some(Equal));
        assert_eq!(compare(("2002-10-10", "date"), ("2002-10-10T12:00:00", "dateTime")), None);
        assert_eq!(compare(("P1M", "duration"), ("P30D", "duration")), None);
        assert_eq!(compare(("P1M", "yearMonthDuration"), ("P32D", "dayTimeDuration")), Some(Less));
    }

    #[test]
    fn other_kinds() {
        assert_eq!(compare(("a", "string"), ("b", "string")), Some(Less));
        assert_eq!(compare(("false", "boolean"), ("1", "boolean")), Some(Less));
        assert_eq!(compare(("1", "string"), ("1", "integer")), None);
        assert_eq!(compare(("a", "anyURI"), ("b", "anyURI")), None);
    }
}
