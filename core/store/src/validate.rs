//! What every store refuses, whatever it holds.

use crate::snapshot::is_sorted;
use crate::{Batch, Receipt, Segment, Snapshot, State, StoreError, VersionRecord, Write};

/// Bytes of any text or blob that is not a snapshot or a segment.
const MAX_BYTES: usize = 16 << 20;

/// Bytes of an item's kind or id.
const MAX_NAME: usize = 1 << 10;

const UNSORTED: &str = "a snapshot's statements are lines, each with its end, ascending, none twice";

/// Checks what can be checked without looking at the store.
pub(crate) fn validate(batch: &Batch) -> Result<(), StoreError> {
    batch.writes().iter().try_for_each(check)
}

fn check(write: &Write) -> Result<(), StoreError> {
    match write {
        Write::Receipt(receipt) => {
            integers("a receipt's number or time", &[receipt.number, receipt.time_ns])?;
            size("a receipt's statement", receipt.statement.len(), MAX_BYTES)?;
            size("a receipt's sector", receipt.sector.as_ref().map_or(0, String::len), MAX_BYTES)?;
            if !receipt.is_named() {
                let name = Receipt::name(receipt.time_ns, receipt.sector.as_deref(), receipt.number);
                return Err(limit(format!(
                    "the id of receipt {} is {name:?} and not {:?}",
                    receipt.number, receipt.id
                )));
            }
            Ok(())
        }
        Write::LogNode(node) if node.level == 0 || node.level > 63 => Err(limit("a log node's level is from 1 to 63")),
        Write::LogNode(node) => integers("a log node's position", &[node.position]),
        Write::Snapshot(snapshot) => {
            size("a snapshot", snapshot.added.len().max(snapshot.removed.len()), Snapshot::MAX_BYTES)?;
            if !is_sorted(&snapshot.added) || !is_sorted(&snapshot.removed) {
                return Err(limit(UNSORTED));
            }
            if snapshot.base.is_none() && !snapshot.removed.is_empty() {
                return Err(limit("a snapshot without a base removes nothing"));
            }
            if snapshot.base == Some(snapshot.id) {
                return Err(limit("a snapshot is not its own base"));
            }
            Ok(())
        }
        Write::MendSnapshot { statements, .. } => {
            size("a snapshot", statements.len(), Snapshot::MAX_BYTES)?;
            if is_sorted(statements) { Ok(()) } else { Err(limit(UNSORTED)) }
        }
        Write::Sector(sector) => integers("a sector's time", &[sector.time_ns]),
        Write::Version(version) => {
            integers("a version's number, epoch or time", &[version.number, version.epoch, version.time_ns])?;
            integers("a version's receipt", version.receipt.as_slice())?;
            let earlier = |number: &u64| *number < version.number;
            if !version.parents.iter().chain(&version.rollback_of).all(earlier) {
                return Err(limit(format!(
                    "version {} of {} comes from versions with smaller numbers only",
                    version.number, version.sector
                )));
            }
            let VersionRecord { sector, number, depends, .. } = version;
            depends.iter().try_for_each(|(_, at)| integers("a version that another one needs", &[*at]))?;
            if !depends.is_sorted_by(|(one, _), (next, _)| one < next)
                || depends.iter().any(|(other, _)| other == sector)
            {
                return Err(limit(format!(
                    "version {number} of {sector} names the versions that it needs by sector, sorted, each sector once and not its own"
                )));
            }
            Ok(())
        }
        Write::PruneVersion { number, .. } | Write::PruneSegment(number) => integers("a number", &[*number]),
        Write::Tag(tag) => integers("a tag's version or time", &[tag.version, tag.time_ns]),
        Write::Rule(rule) => {
            integers("a rule's revision or time", &[rule.revision, rule.from_ns])?;
            integers("a rule's end or receipt", rule.until_ns.as_slice())?;
            integers("a rule's receipt", rule.receipt.as_slice())?;
            size("a rule", rule.body.len(), MAX_BYTES)
        }
        Write::Item(item) => {
            integers("an item's revision or time", &[item.revision, item.time_ns])?;
            integers("an item's receipt", item.receipt.as_slice())?;
            size("an item's kind or id", item.kind.len().max(item.id.len()), MAX_NAME)?;
            size("an item", item.body.len(), MAX_BYTES)?;
            if item.kind.is_empty() || item.id.is_empty() {
                return Err(limit("an item has a kind and an id"));
            }
            Ok(())
        }
        Write::Segment(segment) => {
            integers("a segment's number or count", &[segment.number, segment.count])?;
            integers("a segment's time", &[segment.first_ns, segment.last_ns])?;
            integers("a segment's receipt", segment.receipt.as_slice())?;
            size("a segment", segment.content.as_ref().map_or(0, Vec::len), Segment::MAX_BYTES)
        }
        Write::Checkpoint(checkpoint) => {
            integers("a checkpoint's size or time", &[checkpoint.size, checkpoint.time_ns])?;
            size("a checkpoint's note", checkpoint.note.len(), MAX_BYTES)
        }
        Write::KeyLine(line) => {
            integers("a key line's number", &[line.number])?;
            size("a key line", line.text.len(), MAX_BYTES)
        }
        Write::PublicKey(key) => {
            integers("a key's number, receipt or time", &[key.number, key.from_receipt, key.time_ns])
        }
        Write::State(state) => {
            integers("a state's number", &[state.number])?;
            size("a state's name", state.name.len(), MAX_BYTES)?;
            size("a state", state.content.len(), State::MAX_BYTES)
        }
        Write::DropStates { before, .. } => integers("a state's number", &[*before]),
        Write::Setting(setting) => size("a setting", setting.value.as_ref().map_or(0, String::len), MAX_BYTES),
        Write::Untag { .. } => Ok(()),
    }
}

impl Segment {
    /// Bytes of a segment's compressed observations, at most.
    pub const MAX_BYTES: usize = 256 << 20;
}

impl State {
    /// Bytes of a state, at most.
    pub const MAX_BYTES: usize = 512 << 20;
}

/// SQL's integers have a sign.
fn integers(what: &str, values: &[u64]) -> Result<(), StoreError> {
    match values.iter().find(|value| i64::try_from(**value).is_err()) {
        None => Ok(()),
        Some(value) => Err(limit(format!("{what} is {value}, and at most {}", i64::MAX))),
    }
}

fn size(what: &str, bytes: usize, most: usize) -> Result<(), StoreError> {
    if bytes <= most { Ok(()) } else { Err(limit(format!("{what} has {bytes} bytes, and at most {most}"))) }
}

fn limit(what: impl Into<String>) -> StoreError {
    StoreError::Limit { what: what.into() }
}

/// The refusal of what must be the next of its kind and is not.
pub(crate) fn in_order(what: &str, number: u64, next: u64) -> Result<(), StoreError> {
    if number == next {
        return Ok(());
    }
    Err(StoreError::conflict(format!("{what} {number} was handed in where {next} is next")))
}
