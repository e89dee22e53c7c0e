//! Typed keys from a sector's knowledge: source text in which a misspelt key, or one that was retyped, does not compile.
//!
//! Each language gets one file: a type with a field for each parameter, map and class, a way to intern them all at once, and what the
//! knowledge says of them (text, unit, range, allowed values, default) as comments. Values are left out, so that the text changes when the
//! names, the types or what is said of them do; keys are sorted by path, so that a difference of two texts is the difference of the
//! knowledge. The first lines say which snapshot it was generated from.
//!
//! ```
//! use knhk_codegen::{Language, generate};
//! use knhk_ontology::{Core, Document, Limits, Snapshot};
//!
//! let document = Document::parse(br#"{"limits": {"max_qty": {"$value": 1000, "$max": 5000, "$unit": "lots"}}}"#, &Limits::default())?;
//! let nothing = Snapshot::empty("orders", &Core::shipped(), &Limits::default());
//! let snapshot = nothing.apply(&nothing.change_to(&document)?)?;
//! let header = generate(&snapshot, Language::C, &[])?;
//! assert!(header.contains("/** `limits/max_qty`: i64, in lots, ≤ 5000. */\n    knhk_typed_i64_t limits_max_qty;"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![forbid(unsafe_code)]

mod c;
mod counters;
mod cpp;
#[cfg(doctest)]
mod doctests;
mod error;
mod keys;
mod names;
mod python;
mod rust;
mod text;
mod typescript;

use std::str::FromStr;

use knhk_ontology::Snapshot;

pub use counters::{Counter, counters};
pub use error::CodegenError;

/// A language that keys are generated for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Language {
    /// C11 and later, over `knhk.h`.
    C,
    /// C++17 and later, over `knhk.hpp`.
    Cpp,
    /// Rust, over `knhk_engine`.
    Rust,
    /// Python, with type hints.
    Python,
    /// TypeScript.
    TypeScript,
}

impl Language {
    /// Every language.
    pub const ALL: [Language; 5] = [Language::C, Language::Cpp, Language::Rust, Language::Python, Language::TypeScript];

    /// Its name on the command line and in receipts.
    pub const fn as_str(self) -> &'static str {
        match self {
            Language::C => "c",
            Language::Cpp => "cpp",
            Language::Rust => "rust",
            Language::Python => "python",
            Language::TypeScript => "typescript",
        }
    }

    /// What the file for a sector is best called.
    pub fn file_name(self, sector: &str) -> String {
        let stem = sector.replace('-', "_");
        match self {
            Language::C => format!("{stem}_keys.h"),
            Language::Cpp => format!("{stem}_keys.hpp"),
            Language::Rust => format!("{stem}_keys.rs"),
            Language::Python => format!("{stem}_keys.py"),
            Language::TypeScript => format!("{stem}_keys.ts"),
        }
    }
}

impl FromStr for Language {
    type Err = CodegenError;

    fn from_str(name: &str) -> Result<Language, CodegenError> {
        let known = match name {
            "c++" => Some(Language::Cpp),
            "ts" => Some(Language::TypeScript),
            name => Language::ALL.into_iter().find(|language| language.as_str() == name),
        };
        known.ok_or_else(|| CodegenError::Language { name: name.into() })
    }
}

/// The keys of a snapshot's sector as a source text: all of them, or those that `only` names. `limits/max_qty` there is this key, `limits/*`
/// all that are below `limits`. The generated code interns what it names, and a promotion that drops or retypes a key that is interned has to be
/// declared a major one: leave out what comes and goes, such as the entries of a map that is looked up by name.
///
/// # Errors
/// [`CodegenError::Collision`] where two paths have one name in the language, [`CodegenError::Unknown`] where `only` names what is not there,
/// [`CodegenError::Empty`] where there is nothing to name, [`CodegenError::Document`] where the snapshot is not sound.
pub fn generate(snapshot: &Snapshot, language: Language, only: &[&str]) -> Result<String, CodegenError> {
    let keys = keys::Keys::of(snapshot, language, only)?;
    let text = match language {
        Language::C => c::write(&keys),
        Language::Cpp => cpp::write(&keys),
        Language::Rust => rust::write(&keys),
        Language::Python => python::write(&keys),
        Language::TypeScript => typescript::write(&keys),
    };
    counters::GENERATED.add(1);
    tracing::debug!(sector = keys.sector, language = language.as_str(), keys = keys.keys.len(), "keys were generated");
    Ok(text)
}
