//! Why keys could not be generated.

use knhk_ontology::DocumentError;

/// Why keys could not be generated.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum CodegenError {
    /// Two paths that have one name in the language.
    #[error("{first:?} and {second:?} are both named {name} in {language}: rename one of them")]
    Collision {
        /// The language.
        language: &'static str,
        /// The name.
        name: String,
        /// One path.
        first: String,
        /// The other.
        second: String,
    },
    /// A key that was asked for and is not there.
    #[error("sector {sector} has no key {path:?}: name a key, or all below one as path/*")]
    Unknown {
        /// The sector.
        sector: String,
        /// What was asked for.
        path: String,
    },
    /// Nothing to name.
    #[error("sector {sector} names nothing yet: promote its parameters first")]
    Empty {
        /// The sector.
        sector: String,
    },
    /// A language that is none of those that are known.
    #[error("there are no keys in {name:?}: choose c, cpp, rust, python or typescript")]
    Language {
        /// What was asked for.
        name: String,
    },
    /// The snapshot is not sound.
    #[error(transparent)]
    Document(#[from] DocumentError),
}
