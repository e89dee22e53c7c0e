//! Numbers, bytes and lists as they were written, before their type is settled.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::Parser;
use crate::ValueType;
use crate::document::{Data, Piece};
use crate::draft::{Draft, too_large};
use crate::error::DocumentErrorKind as Kind;

/// A value as it was written.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Literal {
    /// Of a type that it shows by itself.
    Known(Data),
    /// A list without elements.
    Empty,
    /// A list of whole numbers and doubles: a list of doubles where `$type` says so, else refused at `index`.
    Numbers { doubles: Piece, index: usize, expected: ValueType, found: ValueType },
}

impl Literal {
    /// The type it shows by itself; an error for whole numbers mixed with doubles.
    pub(super) fn shown(self) -> Result<Option<ValueType>, Kind> {
        match self {
            Literal::Known(data) => Ok(Some(data.value_type())),
            Literal::Empty => Ok(None),
            Literal::Numbers { index, expected, found, .. } => Err(Kind::MixedList { index, expected, found }),
        }
    }
}

impl Draft {
    /// The literal as a value of type `to`, if it is one; whole numbers become doubles where no digit is lost.
    pub(crate) fn settle(&mut self, literal: Literal, to: ValueType, field: &'static str) -> Result<Data, Kind> {
        let document = &mut self.document;
        let data = match (literal, to) {
            (Literal::Empty, ValueType::ListBool) => Data::ListBool(Piece::default()),
            (Literal::Empty, ValueType::ListI64) => Data::ListI64(Piece::default()),
            (Literal::Empty, ValueType::ListF64) => Data::ListF64(Piece::default()),
            (Literal::Empty, ValueType::ListStr) => Data::ListStr(Piece::default()),
            (Literal::Empty, ValueType::ListBytes) => Data::ListBytes(Piece::default()),
            (Literal::Empty, _) => {
                return Err(Kind::WrongType { field, expected: to, found: ValueType::ListI64 });
            }
            (Literal::Numbers { doubles, .. }, ValueType::ListF64) => Data::ListF64(doubles),
            (Literal::Numbers { index, expected, found, .. }, _) => {
                return Err(Kind::MixedList { index, expected, found });
            }
            (Literal::Known(Data::I64(value)), ValueType::F64) => Data::F64(exact(value)?),
            (Literal::Known(Data::ListI64(list)), ValueType::ListF64) => {
                let start = document.doubles.len() as u32;
                for &value in list.of(&document.integers) {
                    document.doubles.push(exact(value)?);
                }
                Data::ListF64(Piece { start, len: list.len })
            }
            (Literal::Known(data), _) => data,
        };
        match data.value_type() {
            found if found == to => Ok(data),
            found => Err(Kind::WrongType { field, expected: to, found }),
        }
    }

    /// Stores bytes.
    pub(super) fn bytes(&mut self, base64: &str) -> Result<Data, Kind> {
        too_large("bytes in a value", base64.len() / 4 * 3, self.limits.string_bytes.saturating_add(2))?;
        let start = self.document.bytes.len();
        let decoded = STANDARD.decode_vec(base64, &mut self.document.bytes);
        decoded.map_err(|error| Kind::Base64 { reason: error.to_string() })?;
        let len = self.document.bytes.len() - start;
        too_large("bytes in a value", len, self.limits.string_bytes)?;
        Ok(Data::Bytes(Piece { start: start as u32, len: len as u32 }))
    }

    /// Stores a list of scalars.
    pub(crate) fn list(&mut self, elements: &[Data]) -> Result<Literal, Kind> {
        let Some(first) = elements.first() else { return Ok(Literal::Empty) };
        let expected = first.value_type();
        let odd = elements.iter().position(|element| element.value_type() != expected);
        let document = &mut self.document;
        let len = elements.len() as u32;
        if let Some(index) = odd {
            let found = elements[index].value_type();
            let start = document.doubles.len() as u32;
            for element in elements {
                match *element {
                    Data::I64(value) => document.doubles.push(exact(value)?),
                    Data::F64(value) => document.doubles.push(value),
                    _ => return Err(Kind::MixedList { index, expected, found }),
                }
            }
            return Ok(Literal::Numbers { doubles: Piece { start, len }, index, expected, found });
        }
        macro_rules! store {
            ($array:ident, $list:ident, $($scalar:ident)|+) => {{
                let start = document.$array.len() as u32;
                document.$array.extend(elements.iter().filter_map(|element| match *element {
                    $(Data::$scalar(value) => Some(value),)+
                    _ => None,
                }));
                Data::$list(Piece { start, len })
            }};
        }
        Ok(Literal::Known(match expected {
            ValueType::Bool => store!(bools, ListBool, Bool),
            ValueType::I64 => store!(integers, ListI64, I64),
            ValueType::F64 => store!(doubles, ListF64, F64),
            ValueType::Str => store!(pieces, ListStr, Str),
            _ => store!(pieces, ListBytes, Bytes),
        }))
    }
}

/// The double that is this integer.
fn exact(value: i64) -> Result<f64, Kind> {
    let double = value as f64;
    // 2^63 rounds up from i64::MAX and saturates back to it, so it is excluded first.
    if double < 9_223_372_036_854_775_808.0 && double as i64 == value {
        Ok(double)
    } else {
        Err(Kind::Inexact { digits: value.to_string() })
    }
}

/// Finds how a number was written. The JSON reader gives a double for an integer beyond 64 bits, and for `-0`.
pub(super) struct Numbers<'j> {
    json: &'j str,
    /// Numbers read so far.
    read: usize,
    /// Numbers passed by `offset`.
    passed: usize,
    offset: usize,
}

impl<'j> Numbers<'j> {
    pub(super) fn new(json: &'j str) -> Numbers<'j> {
        Numbers { json, read: 0, passed: 0, offset: 0 }
    }

    /// The text of the number read last. Goes over the document once, however often it is asked.
    fn last(&mut self) -> &'j str {
        let json = self.json.as_bytes();
        let mut at = self.offset;
        while at < json.len() {
            match json[at] {
                b'"' => {
                    at += 1;
                    while json[at] != b'"' {
                        at += if json[at] == b'\\' { 2 } else { 1 };
                    }
                    at += 1;
                }
                b'-' | b'0'..=b'9' => {
                    let more = |byte: &&u8| matches!(byte, b'-' | b'+' | b'.' | b'e' | b'E' | b'0'..=b'9');
                    let end = at + json[at..].iter().take_while(more).count();
                    self.passed += 1;
                    self.offset = end;
                    if self.passed == self.read {
                        return &self.json[at..end];
                    }
                    at = end;
                }
                _ => at += 1,
            }
        }
        unreachable!("a number that was read is in the document")
    }
}

impl Parser<'_> {
    pub(super) fn signed(&mut self, value: i64) -> Result<Data, Kind> {
        self.numbers.read += 1;
        Ok(Data::I64(value))
    }

    pub(super) fn unsigned(&mut self, value: u64) -> Result<Data, Kind> {
        self.numbers.read += 1;
        let signed = i64::try_from(value).map_err(|_| Kind::IntegerRange { digits: value.to_string() })?;
        Ok(Data::I64(signed))
    }

    pub(super) fn double(&mut self, value: f64) -> Result<Data, Kind> {
        self.numbers.read += 1;
        let doubtful = value.abs() >= 9_223_372_036_854_775_808.0 || (value == 0.0 && value.is_sign_negative());
        if doubtful {
            let written = self.numbers.last();
            if !written.contains(['.', 'e', 'E']) {
                return if value == 0.0 {
                    Ok(Data::I64(0))
                } else {
                    Err(Kind::IntegerRange { digits: written.into() })
                };
            }
        }
        Ok(Data::F64(value))
    }
}
