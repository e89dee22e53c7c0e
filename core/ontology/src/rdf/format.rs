//! The formats that knowledge comes and goes in.

use std::fmt;
use std::str::FromStr;

/// A format of knowledge.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// [Turtle](https://www.w3.org/TR/turtle/).
    Turtle,
    /// [N-Triples](https://www.w3.org/TR/n-triples/).
    NTriples,
    /// [N-Quads](https://www.w3.org/TR/n-quads/), of the default graph only.
    NQuads,
    /// [JSON-LD](https://www.w3.org/TR/json-ld11/), of the default graph only, its contexts inline.
    JsonLd,
    /// [RDF/XML](https://www.w3.org/TR/rdf-syntax-grammar/).
    RdfXml,
    /// Plain JSON, for those who know no RDF.
    Json,
}

/// What each format is called: name, usual extensions, media types; the first of each is the one that is written.
const FORMATS: [(Format, &str, &[&str], &[&str]); 6] = [
    (Format::Turtle, "Turtle", &["ttl", "turtle"], &["text/turtle", "application/x-turtle"]),
    (Format::NTriples, "N-Triples", &["nt", "ntriples"], &["application/n-triples"]),
    (Format::NQuads, "N-Quads", &["nq", "nquads"], &["application/n-quads"]),
    (Format::JsonLd, "JSON-LD", &["jsonld", "json-ld"], &["application/ld+json"]),
    (Format::RdfXml, "RDF/XML", &["rdf", "rdfxml", "owl", "xml"], &["application/rdf+xml"]),
    (Format::Json, "JSON", &["json"], &["application/json"]),
];

impl Format {
    /// The format that files with this extension have; the dot and upper case do not matter.
    pub fn from_extension(extension: &str) -> Option<Format> {
        let extension = extension.strip_prefix('.').unwrap_or(extension);
        let found = FORMATS.iter().find(|row| row.2.iter().any(|name| name.eq_ignore_ascii_case(extension)));
        found.map(|row| row.0)
    }

    /// The format of a media type; its parameters do not matter.
    pub fn from_media_type(media_type: &str) -> Option<Format> {
        let essence = media_type.split(';').next().unwrap_or_default().trim();
        let found = FORMATS.iter().find(|row| row.3.iter().any(|name| name.eq_ignore_ascii_case(essence)));
        found.map(|row| row.0)
    }

    /// The extension of its files, without a dot.
    pub fn extension(self) -> &'static str {
        self.row().2[0]
    }

    /// Its media type.
    pub fn media_type(self) -> &'static str {
        self.row().3[0]
    }

    /// What people call it.
    pub fn name(self) -> &'static str {
        self.row().1
    }

    fn row(self) -> &'static (Format, &'static str, &'static [&'static str], &'static [&'static str]) {
        FORMATS.iter().find(|row| row.0 == self).expect("every format has a row")
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// No format is called this.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no format {0:?}: there are turtle, ntriples, nquads, jsonld, rdfxml and json")]
pub struct UnknownFormat(pub String);

impl FromStr for Format {
    type Err = UnknownFormat;

    /// A name, an extension or a media type.
    fn from_str(text: &str) -> Result<Format, UnknownFormat> {
        let named = FORMATS.iter().find(|row| row.1.eq_ignore_ascii_case(text)).map(|row| row.0);
        let found = named.or_else(|| Format::from_extension(text)).or_else(|| Format::from_media_type(text));
        found.ok_or_else(|| UnknownFormat(text.to_owned()))
    }
}
