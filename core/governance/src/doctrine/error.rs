//! Why a rule, or a doctrine, is not taken.

use knhk_store::StoreError;

use super::ExpressionError;

/// Why a text is no rule, or a rule cannot be judged. Nothing was changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RuleError {
    /// More than the limit allows; found before memory is taken for it.
    #[error("{what}: {is}, and the limit is {limit}: shorten or split it")]
    TooLarge {
        /// What is too large.
        what: String,
        /// How large.
        is: usize,
        /// How large it may be.
        limit: usize,
    },
    /// No rule in this form.
    #[error("no rule in {form}: {why}")]
    Text {
        /// `JSON`, `TOML`, `Turtle`.
        form: &'static str,
        /// What is wrong, with its place.
        why: String,
    },
    /// A rule that says what cannot be.
    #[error("rule {rule}, {field}: {why}")]
    Field {
        /// The rule.
        rule: String,
        /// Which part of it.
        field: String,
        /// What is wrong, and what to do.
        why: String,
    },
    /// Its expression.
    #[error("rule {rule}, expression: {why}")]
    Expression {
        /// The rule.
        rule: String,
        /// What is wrong with it.
        why: ExpressionError,
    },
    /// One rule was asked for.
    #[error("{count} rules where one is asked for: give them one by one, or as a file")]
    Count {
        /// How many there are.
        count: usize,
    },
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A stored revision that is not what its record says.
    #[error("revision {revision} of rule {rule} in the store is damaged: {why}")]
    Stored {
        /// The rule.
        rule: String,
        /// Its revision.
        revision: u64,
        /// What is wrong.
        why: String,
    },
}

/// Why a rule is not admitted beside those that there are.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("rule {rule} contradicts rule {other}: {why}; {fix}")]
pub struct Conflict {
    /// The rule that was to come.
    pub rule: String,
    /// The rule that is there.
    pub other: String,
    /// How they exclude each other.
    pub why: String,
    /// The way out.
    pub fix: String,
}
