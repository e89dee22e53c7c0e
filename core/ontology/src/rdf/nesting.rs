//! Bounds what a Turtle text may make its parser do, before it is parsed: nesting, literals, IRIs, and bases that swell.
//!
//! The scan knows Turtle's tokens as far as brackets need: strings, IRIs, comments and escapes. On a text that is not Turtle it may lose
//! its way, but not before the parser finds the fault and stops.

use memchr::{memchr, memchr2};

use super::RdfError;
use super::error::{RdfErrorKind as Kind, within};
use crate::Limits;

/// The bytes that tokens of interest begin with.
const TOKENS: [bool; 256] = {
    let (mut tokens, mut at) = ([false; 256], 0);
    let bytes = b"[]()<\"'#\\bB";
    while at < bytes.len() {
        tokens[bytes[at] as usize] = true;
        at += 1;
    }
    tokens
};

/// Refuses a text that nests too deep, or whose terms are too long.
pub(super) fn check_turtle(text: &[u8], limits: &Limits) -> Result<(), RdfError> {
    Scan { text, limits, at: 0, depth: 0, base: 0, swollen: 0, base_follows: false }.run()
}

struct Scan<'a> {
    text: &'a [u8],
    limits: &'a Limits,
    at: usize,
    depth: usize,
    /// Bytes that the base in force may have.
    base: usize,
    /// Bytes that relative IRIs may have had in all, resolved.
    swollen: usize,
    /// The next IRI is a base.
    base_follows: bool,
}

impl Scan<'_> {
    fn run(mut self) -> Result<(), RdfError> {
        while let Some(found) = self.text[self.at..].iter().position(|&byte| TOKENS[usize::from(byte)]) {
            self.at += found;
            let start = self.at;
            let byte = self.text[start];
            self.token(byte).map_err(|kind| kind.at(self.text, start))?;
        }
        Ok(())
    }

    fn token(&mut self, byte: u8) -> Result<(), Kind> {
        match byte {
            b'[' | b'(' => {
                self.depth += 1;
                self.at += 1;
                within("levels of nesting", self.depth, self.limits.nesting)
            }
            b']' | b')' => {
                self.depth = self.depth.saturating_sub(1);
                self.at += 1;
                Ok(())
            }
            b'<' => self.iri(),
            b'"' | b'\'' => self.string(byte),
            b'#' => {
                self.at += memchr2(b'\r', b'\n', &self.text[self.at..]).unwrap_or(self.text.len() - self.at);
                Ok(())
            }
            b'\\' => {
                self.skip(2);
                Ok(())
            }
            b'b' | b'B' if self.is_base() => {
                self.base_follows = true;
                self.at += b"base".len();
                Ok(())
            }
            _ => {
                self.at += 1;
                Ok(())
            }
        }
    }

    /// Whether the word `base`, or `@base`, stands here.
    fn is_base(&self) -> bool {
        let word = |byte: &u8| byte.is_ascii_alphanumeric() || !byte.is_ascii() || b"_-:%.\\".contains(byte);
        let begins = self.at.checked_sub(1).is_none_or(|before| !word(&self.text[before]) || self.text[before] == b'.');
        let rest = &self.text[self.at..];
        begins && rest.len() > 4 && rest[..4].eq_ignore_ascii_case(b"base") && !word(&rest[4])
    }

    fn iri(&mut self) -> Result<(), Kind> {
        let rest = &self.text[self.at + 1..];
        if rest.first() == Some(&b'<') {
            return Err(Kind::TripleTerm);
        }
        let len = memchr(b'>', rest).unwrap_or(rest.len());
        within("bytes in an IRI", len, self.limits.iri_bytes)?;
        self.skip(1 + len + 1);
        let scheme = rest[..len].iter().position(|byte| !byte.is_ascii_alphanumeric() && !b"+-.".contains(byte));
        let absolute = scheme.is_some_and(|at| rest[at] == b':');
        let resolved = if absolute { len } else { self.base + len };
        if !absolute {
            self.swollen = self.swollen.saturating_add(resolved);
            within("bytes of terms written out", self.swollen, self.limits.text_bytes)?;
        }
        if std::mem::take(&mut self.base_follows) {
            within("bytes in a base", resolved, self.limits.iri_bytes)?;
            self.base = resolved;
        }
        Ok(())
    }

    fn string(&mut self, quote: u8) -> Result<(), Kind> {
        let long = [quote; 3];
        let len = if self.text[self.at..].starts_with(&long) {
            self.at += 3;
            self.long_string(&long)
        } else {
            self.at += 1;
            self.short_string(quote)
        };
        within("bytes in a literal", len, self.limits.string_bytes)
    }

    /// Moves past the end of a string that a quote ends; its length.
    fn short_string(&mut self, quote: u8) -> usize {
        let start = self.at;
        loop {
            match memchr2(quote, b'\\', &self.text[self.at..]) {
                Some(found) if self.text[self.at + found] == b'\\' => self.skip(found + 2),
                Some(found) => {
                    self.at += found + 1;
                    return self.at - 1 - start;
                }
                None => {
                    self.at = self.text.len();
                    return self.at - start;
                }
            }
        }
    }

    /// Moves past the end of a string that three quotes end; its length.
    fn long_string(&mut self, quotes: &[u8; 3]) -> usize {
        let start = self.at;
        loop {
            match memchr2(quotes[0], b'\\', &self.text[self.at..]) {
                Some(found) if self.text[self.at + found] == b'\\' => self.skip(found + 2),
                Some(found) if self.text[self.at + found..].starts_with(quotes) => {
                    self.at += found + 3;
                    return self.at - 3 - start;
                }
                Some(found) => self.at += found + 1,
                None => {
                    self.at = self.text.len();
                    return self.at - start;
                }
            }
        }
    }

    fn skip(&mut self, bytes: usize) {
        self.at = (self.at + bytes).min(self.text.len());
    }
}
