//! Names of a sector as IRIs, and IRIs as names.
//!
//! The path `limits/max_qty` of sector `orders` is `urn:knhk:orders:limits/max_qty`. Characters that the path of an IRI may not hold
//! ([RFC 3987](https://www.rfc-editor.org/rfc/rfc3987#section-2.2), `ipchar`), `%` and `?` and `#` among them, are percent-encoded as
//! UTF-8, and no others, so that a name has one IRI.

use crate::vocabulary::knhk::SECTORS;

/// The IRIs of one sector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Namespace {
    prefix: String,
}

impl Namespace {
    /// The names of a sector.
    pub fn of(sector: &str) -> Namespace {
        Namespace { prefix: format!("{SECTORS}{sector}:") }
    }

    /// Where each of its IRIs begins: what relative ones are resolved against.
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// The sector's name.
    pub fn sector(&self) -> &str {
        &self.prefix[SECTORS.len()..self.prefix.len() - 1]
    }

    /// The IRI of a path, or of any other name in the sector.
    pub fn iri(&self, path: &str) -> String {
        let mut iri = String::with_capacity(self.prefix.len() + path.len());
        iri.push_str(&self.prefix);
        encode(path, &mut iri);
        iri
    }

    /// What follows the prefix, still encoded; none for a foreign IRI.
    pub fn local<'i>(&self, iri: &'i str) -> Option<&'i str> {
        iri.strip_prefix(&self.prefix)
    }

    /// The path that an IRI stands for; none for a foreign IRI.
    pub fn path(&self, iri: &str) -> Option<String> {
        decode(self.local(iri)?)
    }
}

/// Whose names an IRI is among: the sector of `urn:knhk:<sector>:…`.
pub fn owner(iri: &str) -> Option<&str> {
    iri.strip_prefix(SECTORS)?.split_once(':').map(|(sector, _)| sector)
}

/// Appends a path as IRIs write it.
pub(crate) fn encode(path: &str, out: &mut String) {
    for character in path.chars() {
        if stands(character) {
            out.push(character);
        } else {
            for byte in character.encode_utf8(&mut [0; 4]).bytes() {
                out.push_str(&format!("%{byte:02X}"));
            }
        }
    }
}

/// The path that [`encode`] writes so; none where it writes it otherwise.
pub(crate) fn decode(encoded: &str) -> Option<String> {
    if encoded.bytes().all(|byte| byte != b'%' && stands(byte as char)) {
        return Some(encoded.to_owned());
    }
    let mut bytes = Vec::with_capacity(encoded.len());
    let mut rest = encoded.as_bytes();
    while let [first, tail @ ..] = rest {
        rest = match (first, tail) {
            (b'%', [high, low, tail @ ..]) => {
                let digit = |byte: u8| (byte as char).to_digit(16);
                bytes.push((digit(*high)? << 4 | digit(*low)?) as u8);
                tail
            }
            _ => {
                bytes.push(*first);
                tail
            }
        };
    }
    let path = String::from_utf8(bytes).ok()?;
    let mut again = String::with_capacity(encoded.len());
    encode(&path, &mut again);
    (again == encoded).then_some(path)
}

/// `ipchar` or `/`.
fn stands(character: char) -> bool {
    match character {
        'a'..='z' | 'A'..='Z' | '0'..='9' => true,
        '-' | '.' | '_' | '~' | '!' | '$' | '&' | '\'' | '(' | ')' | '*' | '+' | ',' | ';' | '=' | ':' | '@' | '/' => {
            true
        }
        '\u{a0}'..='\u{d7ff}' | '\u{f900}'..='\u{fdcf}' | '\u{fdf0}'..='\u{ffef}' => true,
        '\u{10000}'..='\u{effff}' => {
            character as u32 & 0xffff < 0xfffe && !('\u{e0000}'..'\u{e1000}').contains(&character)
        }
        _ => false,
    }
}

/// The one name of a class or property whose IRI is no plain name of the sector: the whole IRI, its `/` written `%2F` and its `%` `%25`.
pub(crate) fn whole_name(iri: &str) -> String {
    iri.replace('%', "%25").replace('/', "%2F")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_back() {
        for name in [
            "limits/max_qty",
            "a b",
            "100%",
            "50%25",
            "grüße",
            "a#b?c",
            "x[0]",
            "\u{e000}",
            "\u{7f}",
            "😀",
            "a\"<>{}|\\^`",
        ] {
            let mut iri = String::new();
            encode(name, &mut iri);
            assert_eq!(decode(&iri).as_deref(), Some(name), "{iri}");
        }
        let space = Namespace::of("orders");
        assert_eq!(space.iri("limits/a b"), "urn:knhk:orders:limits/a%20b");
        assert_eq!(space.sector(), "orders");
        assert_eq!(owner("urn:knhk:orders:x"), Some("orders"));
    }

    #[test]
    fn a_name_has_one_iri() {
        for other in ["%61", "a%2", "%zz", "%ff", "%c3%bc", "a b"] {
            assert_eq!(decode(other), None, "{other}");
        }
    }
}
