//! What rules may ask for, held before memory is taken.

use super::RuleError;

/// Rules of one file, and of one doctrine.
pub(super) const RULES: usize = 10_000;
/// Bytes of one file.
pub(super) const FILE_BYTES: usize = 4 << 20;
/// Bytes of a name: a rule's, a group's, a guard's, a callback's.
pub(super) const NAME_BYTES: usize = 128;
/// Bytes of a path.
pub(super) const PATH_BYTES: usize = 4096;
/// Elements of any list in a rule: paths, groups, steps.
pub(super) const LIST: usize = 256;
/// Approvals that a step may ask for.
pub(super) const QUORUM: u32 = 100;
/// Bytes of an expression.
pub(super) const EXPRESSION_BYTES: usize = 2048;
/// Bytes of a rule's shapes.
pub(super) const SHAPE_BYTES: usize = 32 << 10;
/// Changes that an expression is shown.
pub(super) const CHANGES_SHOWN: usize = 1000;

/// Refuses what is above its limit.
pub(super) fn within(what: &str, is: usize, limit: usize) -> Result<(), RuleError> {
    if is > limit { Err(RuleError::TooLarge { what: what.to_owned(), is, limit }) } else { Ok(()) }
}
