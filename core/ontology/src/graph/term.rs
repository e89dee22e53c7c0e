//! A term: an IRI, a blank node or a literal, as a number that stands for it.

use std::borrow::Cow;
use std::ops::RangeInclusive;

/// A term of one [`Terms`](crate::graph::Terms): equal numbers are equal terms there. Whole numbers, doubles and
/// booleans in the form that the front door writes, and decimals and instants in theirs, need no room in the interner.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Term(pub(super) u64);

/// The lowest bits say what a term is, the others which one: an interned term's place, or what stands for itself.
const KIND_BITS: u32 = 3;
const KIND: u64 = (1 << KIND_BITS) - 1;
pub(super) const IRI: u64 = 0;
pub(super) const BLANK: u64 = 1;
pub(super) const LITERAL: u64 = 2;
const INTEGER: u64 = 3;
const BOOLEAN: u64 = 4;
const DOUBLE: u64 = 5;
const DECIMAL: u64 = 6;
const INSTANT: u64 = 7;

/// Bits that say how many of a decimal's digits are its fraction's.
const SCALE_BITS: u32 = 4;

/// Bits of a double's fraction; its exponent stands above them.
const FRACTION: u32 = 52;
/// The exponent, as it is stored, of the smallest doubles that need no interner: 2^-127. 256 exponents fit.
const LEAST_EXPONENT: u64 = 1023 - 127;

impl Term {
    /// An `xsd:integer` in canonical form; none where it needs more than 61 bits and has to be interned.
    pub fn integer(value: i64) -> Option<Term> {
        (value == value << KIND_BITS >> KIND_BITS).then_some(Term((value as u64) << KIND_BITS | INTEGER))
    }

    /// An `xsd:boolean` in canonical form.
    pub fn boolean(value: bool) -> Term {
        Term(u64::from(value) << KIND_BITS | BOOLEAN)
    }

    /// An `xsd:double` in the form `{:?}` writes (`120.5`, `1e16`); none where its magnitude is outside of 2^-127 …
    /// 2^128 and it is not zero, since its lexical form has to be interned then.
    pub fn double(value: f64) -> Option<Term> {
        let bits = value.to_bits();
        let (sign, exponent, fraction) = (bits >> 63, bits << 1 >> (FRACTION + 1), bits << 12 >> 12);
        // The number of 2^-127 stands for zero.
        let small = match exponent {
            0 if fraction == 0 => Some(0),
            _ => exponent.checked_sub(LEAST_EXPONENT).filter(|&small| small < 256 && (small | fraction) != 0),
        };
        small.map(|small| Term((sign << 60 | small << FRACTION | fraction) << KIND_BITS | DOUBLE))
    }

    /// An `xsd:decimal`: all its digits as one number, and how many of them stand after the point. None where it needs more than 57 bits
    /// or more than 15 digits after the point, and has to be interned.
    pub fn decimal(digits: i64, scale: u32) -> Option<Term> {
        let fits = digits == digits << (KIND_BITS + SCALE_BITS) >> (KIND_BITS + SCALE_BITS) && scale >> SCALE_BITS == 0;
        fits.then_some(Term(((digits as u64) << SCALE_BITS | u64::from(scale)) << KIND_BITS | DECIMAL))
    }

    /// An `xsd:dateTime` of the years 1 to 9999, in whole seconds since 1970 and in the zone Z.
    pub fn instant(seconds: i64) -> Option<Term> {
        const YEARS: RangeInclusive<i64> = -62_135_596_800..=253_402_300_799;
        YEARS.contains(&seconds).then_some(Term((seconds as u64) << KIND_BITS | INSTANT))
    }

    /// Whether it is an IRI.
    #[inline]
    pub fn is_iri(self) -> bool {
        self.kind() == IRI
    }

    /// Whether it is a blank node.
    #[inline]
    pub fn is_blank(self) -> bool {
        self.kind() == BLANK
    }

    /// Whether it is a literal.
    #[inline]
    pub fn is_literal(self) -> bool {
        self.kind() >= LITERAL
    }

    /// The number, where it is a canonical `xsd:integer` of up to 61 bits.
    #[inline]
    pub fn as_integer(self) -> Option<i64> {
        (self.kind() == INTEGER).then_some((self.0 as i64) >> KIND_BITS)
    }

    /// The truth value, where it is a canonical `xsd:boolean`.
    #[inline]
    pub fn as_boolean(self) -> Option<bool> {
        (self.kind() == BOOLEAN).then_some(self.0 >> KIND_BITS != 0)
    }

    /// The number, where it is an `xsd:double` that [`Term::double`] makes.
    #[inline]
    pub fn as_double(self) -> Option<f64> {
        let (sign, magnitude) = (self.0 >> 63, self.0 << 1 >> (KIND_BITS + 1));
        let bits = if magnitude == 0 { 0 } else { magnitude + (LEAST_EXPONENT << FRACTION) };
        (self.kind() == DOUBLE).then_some(f64::from_bits(sign << 63 | bits))
    }

    /// The digits, and how many of them stand after the point, where it is an `xsd:decimal` that [`Term::decimal`] makes.
    #[inline]
    pub fn as_decimal(self) -> Option<(i64, u32)> {
        let scale = (self.0 >> KIND_BITS) as u32 & ((1 << SCALE_BITS) - 1);
        (self.kind() == DECIMAL).then_some(((self.0 as i64) >> (KIND_BITS + SCALE_BITS), scale))
    }

    /// The seconds since 1970, where it is an `xsd:dateTime` that [`Term::instant`] makes.
    #[inline]
    pub fn as_instant(self) -> Option<i64> {
        (self.kind() == INSTANT).then_some((self.0 as i64) >> KIND_BITS)
    }

    /// The interned term at a place.
    pub(super) fn interned(kind: u64, index: u32) -> Term {
        Term(u64::from(index) << KIND_BITS | kind)
    }

    /// The place of an IRI or a blank node in the interner.
    #[inline]
    pub(crate) fn place(self) -> Option<usize> {
        (self.kind() <= BLANK).then(|| self.index() as usize)
    }

    /// Its place in the interner; of a term that needs none, nothing that means anything.
    pub(super) fn index(self) -> u32 {
        (self.0 >> KIND_BITS) as u32
    }

    /// Whether the interner holds it.
    pub(super) fn is_interned(self) -> bool {
        self.kind() <= LITERAL
    }

    #[inline]
    pub(super) fn kind(self) -> u64 {
        self.0 & KIND
    }
}

/// What a term says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TermRef<'a> {
    /// An absolute IRI.
    Iri(&'a str),
    /// A blank node's label.
    Blank(&'a str),
    /// A literal.
    Literal {
        /// Its lexical form, as it was written.
        lexical: Cow<'a, str>,
        /// The datatype's IRI; `rdf:langString` where there is a language.
        datatype: &'a str,
        /// Language tag, in lower case.
        language: Option<&'a str>,
    },
}
