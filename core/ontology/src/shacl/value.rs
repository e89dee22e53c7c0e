//! The order of literals: SPARQL 1.1's `<` on numbers, strings, booleans and times, and XML Schema's on the datatypes that SPARQL leaves
//! out (dates, clock times, durations). What has no order with something else is neither smaller nor larger.

use std::borrow::Cow;
use std::cmp::Ordering;

use oxsdatatypes as xsd;

use super::datatype::{self, Datatype};
use crate::graph::{Term, TermRef, Terms};

/// A literal's value, as far as it has an order.
#[derive(Clone, Debug)]
pub(super) enum Value<'a> {
    Integer(i64),
    Decimal(Decimal<'a>),
    Float(f32),
    Double(f64),
    Boolean(bool),
    String(Cow<'a, str>),
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
        if let Some(value) = term.as_integer() {
            return Some(Value::Integer(value));
        }
        if let Some(value) = term.as_double() {
            return Some(Value::Double(value));
        }
        let TermRef::Literal { lexical, datatype, language: None } = terms.get(term) else { return None };
        Value::parse(lexical, Datatype::from_iri(datatype)?)
    }

    fn parse(text: Cow<'a, str>, datatype: Datatype) -> Option<Value<'a>> {
        Some(match datatype {
            Datatype::String | Datatype::NormalizedString | Datatype::Token => {
                datatype.is_lexical(&text).then_some(Value::String(text))?
            }
            Datatype::Integer(..) | Datatype::Decimal if datatype.is_lexical(&text) => match text.parse() {
                Ok(value) => Value::Integer(value),
                Err(_) => Value::Decimal(Decimal(text)),
            },
            Datatype::Float if datatype.is_lexical(&text) => Value::Float(text.parse().ok()?),
            Datatype::Double if datatype.is_lexical(&text) => Value::Double(text.parse().ok()?),
            Datatype::Boolean if datatype.is_lexical(&text) => Value::Boolean(matches!(&*text, "true" | "1")),
            Datatype::DateTime | Datatype::DateTimeStamp => {
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
            (DateTime(a), DateTime(b)) => a.partial_cmp(b),
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
            (Integer(a), Decimal(b)) => Some(self::Decimal(a.to_string().into()).compare(b)),
            (Decimal(a), Integer(b)) => Some(a.compare(&self::Decimal(b.to_string().into()))),
            _ => None,
        }
    }

    fn as_f64(&self) -> Option<f64> {
        match self {
            Value::Integer(value) => Some(*value as f64),
            Value::Decimal(value) => value.0.parse().ok(),
            Value::Float(value) => Some(f64::from(*value)),
            Value::Double(value) => Some(*value),
            _ => None,
        }
    }

    fn as_f32(&self) -> Option<f32> {
        match self {
            Value::Integer(value) => Some(*value as f32),
            Value::Decimal(value) => value.0.parse().ok(),
            Value::Float(value) => Some(*value),
            _ => None,
        }
    }

    /// The same value, without the interner.
    pub(super) fn into_owned(self) -> Value<'static> {
        match self {
            Value::Integer(value) => Value::Integer(value),
            Value::Decimal(value) => Value::Decimal(Decimal(value.0.into_owned().into())),
            Value::Float(value) => Value::Float(value),
            Value::Double(value) => Value::Double(value),
            Value::Boolean(value) => Value::Boolean(value),
            Value::String(value) => Value::String(value.into_owned().into()),
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

/// A decimal number of any length, as its lexical form.
#[derive(Clone, Debug)]
pub(super) struct Decimal<'a>(Cow<'a, str>);

impl Decimal<'_> {
    /// Whether it is below zero, its whole part without leading zeros, and its fraction without trailing ones.
    fn parts(&self) -> (bool, &[u8], &[u8]) {
        let text = self.0.as_bytes();
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

    fn compare(&self, other: &Decimal<'_>) -> Ordering {
        let (negative, whole, fraction) = self.parts();
        let (other_negative, other_whole, other_fraction) = other.parts();
        let size = || (whole.len(), whole, fraction).cmp(&(other_whole.len(), other_whole, other_fraction));
        match (negative, other_negative) {
            (false, false) => size(),
            (true, true) => size().reverse(),
            (false, true) => Ordering::Greater,
            (true, false) => Ordering::Less,
        }
    }
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
