//! How each change is applied, inside a transaction.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::LazyLock;

use rusqlite::{Connection, OptionalExtension, ToSql, params};

use super::{ReadError, io_failure, items};
use crate::validate::in_order;
use crate::{Batch, Hash, Receipt, Segment, Snapshot, State, StoreError, VersionRecord, Write};

/// A change as it is handed to the writer: receipts that follow one another are together, and snapshots are compressed already, on their
/// caller's time.
pub(super) enum Packed {
    Plain(Write),
    Receipts(Vec<Receipt>),
    Snapshot { id: Hash, base: Option<Hash>, removed: Lines, added: Lines },
    Mended { id: Hash, nothing: Lines, statements: Lines },
}

pub(super) struct Lines {
    packed: Vec<u8>,
    bytes: usize,
}

pub(super) fn pack(batch: Batch, path: &Path) -> Result<Vec<Packed>, StoreError> {
    let lines = |text: &[u8]| {
        let packed = zstd::bulk::compress(text, zstd::DEFAULT_COMPRESSION_LEVEL);
        let packed = packed.map_err(|error| io_failure(path, "written", &error))?;
        Ok(Lines { packed, bytes: text.len() })
    };
    let mut packed = Vec::new();
    for write in batch.into_writes() {
        match (write, packed.last_mut()) {
            (Write::Receipt(receipt), Some(Packed::Receipts(before))) => before.push(receipt),
            (Write::Receipt(receipt), _) => packed.push(Packed::Receipts(vec![receipt])),
            (Write::Snapshot(Snapshot { id, base, removed, added }), _) => {
                packed.push(Packed::Snapshot { id, base, removed: lines(&removed)?, added: lines(&added)? });
            }
            (Write::MendSnapshot { id, statements }, _) => {
                packed.push(Packed::Mended { id, nothing: lines(&[])?, statements: lines(&statements)? });
            }
            (write, _) => packed.push(Packed::Plain(write)),
        }
    }
    Ok(packed)
}

impl Packed {
    /// Bytes that it takes, about; only of what can be large.
    pub(super) fn bytes(&self) -> usize {
        match self {
            Packed::Receipts(run) => run.iter().map(|receipt| receipt.statement.len()).sum(),
            Packed::Snapshot { removed, added, .. } => removed.packed.len() + added.packed.len(),
            Packed::Mended { statements, .. } => statements.packed.len(),
            Packed::Plain(Write::Segment(segment)) => segment.content.as_ref().map_or(0, Vec::len),
            Packed::Plain(Write::Item(item)) => item.body.len(),
            Packed::Plain(Write::State(state)) => state.content.len(),
            Packed::Plain(Write::Setting(setting)) => setting.value.as_ref().map_or(0, String::len),
            Packed::Plain(_) => 0,
        }
    }
}

pub(super) type Applied = Result<(), ReadError>;

pub(super) fn apply(store: &Connection, write: &Packed) -> Applied {
    match write {
        Packed::Snapshot { id, base, removed, added } => snapshot(store, id, base.as_ref(), removed, added),
        Packed::Mended { id, nothing, statements } => mend(store, id, nothing, statements),
        Packed::Receipts(run) => receipts(store, run),
        Packed::Plain(write) => plain(store, write),
    }
}

/// Receipts in one statement: it costs half of what as many statements do.
const ROWS: usize = 20;
/// Receipts in a block of `receipt_blocks`.
const BLOCK: u64 = 256;

fn receipts(store: &Connection, run: &[Receipt]) -> Applied {
    let next = next(store, "receipts")?;
    run.iter().zip(next..).try_for_each(|(receipt, next)| in_order("receipt", receipt.number, next))?;
    let whole = run.chunks_exact(ROWS);
    for rows in whole.clone().chain(whole.remainder().chunks(1)) {
        insert(store, rows)?;
    }
    let places = run.iter().filter_map(|receipt| Some((receipt.sector.as_deref()?, receipt.number / BLOCK)));
    for (sector, block) in places.collect::<BTreeSet<_>>() {
        let insert = "INSERT OR IGNORE INTO receipt_blocks VALUES (?1, ?2)";
        store.prepare_cached(insert)?.execute(params![sector, block])?;
    }
    Ok(())
}

fn insert(store: &Connection, receipts: &[Receipt]) -> rusqlite::Result<()> {
    static ONE: LazyLock<String> = LazyLock::new(|| insert_statement(1));
    static MANY: LazyLock<String> = LazyLock::new(|| insert_statement(ROWS));
    let mut statement = store.prepare_cached(if receipts.len() == 1 { &ONE } else { &MANY })?;
    let mut parameters = 1..;
    let mut bind = |value: &dyn ToSql| {
        let parameter = parameters.next().expect("it has no end");
        statement.raw_bind_parameter(parameter, value)
    };
    for receipt in receipts {
        bind(&receipt.number)?;
        bind(&receipt.time_ns)?;
        bind(&receipt.sector)?;
        bind(&receipt.kind)?;
        bind(&receipt.outcome)?;
        bind(&receipt.statement)?;
        bind(&receipt.leaf)?;
    }
    statement.raw_execute().map(|_| ())
}

fn insert_statement(rows: usize) -> String {
    let rows = vec!["(?, ?, ?, ?, ?, ?, ?)"; rows].join(", ");
    // What a failure leaves is undone with the batch; else SQLite would keep what it needs to undo the statement alone.
    format!("INSERT OR FAIL INTO receipts VALUES {rows}")
}

fn plain(store: &Connection, write: &Write) -> Applied {
    match write {
        Write::LogNode(node) => {
            let insert = "INSERT OR IGNORE INTO log_nodes VALUES (?1, ?2, ?3)";
            let changed = store.prepare_cached(insert)?.execute(params![node.level, node.position, node.hash])?;
            refuse_unless(changed == 1, || {
                StoreError::conflict(format!("log node {} of level {} is taken", node.position, node.level))
            })
        }
        Write::Receipt(_) | Write::Snapshot(_) | Write::MendSnapshot { .. } => {
            unreachable!("receipts and snapshots are packed")
        }
        Write::Sector(sector) => {
            in_order("sector", sector.number.into(), count(store, "SELECT count(*) FROM sectors", [])?)?;
            let insert = "INSERT OR IGNORE INTO sectors VALUES (?1, ?2, ?3, ?4)";
            let row = params![sector.name, sector.number, sector.kind, sector.time_ns];
            let changed = store.prepare_cached(insert)?.execute(row)?;
            refuse_unless(changed == 1, || StoreError::conflict(format!("sector {} exists", sector.name)))
        }
        Write::Version(version) => add_version(store, version),
        Write::PruneVersion { sector, number } => prune_version(store, sector, *number),
        Write::Tag(tag) => {
            has_version(store, &tag.sector, tag.version)?;
            let insert = "INSERT INTO tags VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (sector, name) DO UPDATE SET \
                          version = excluded.version, time_ns = excluded.time_ns, by = excluded.by";
            let row = params![tag.sector, tag.name, tag.version, tag.time_ns, tag.by];
            store.prepare_cached(insert)?.execute(row)?;
            Ok(())
        }
        Write::Untag { sector, name } => {
            let delete = "DELETE FROM tags WHERE sector = ?1 AND name = ?2";
            let changed = store.prepare_cached(delete)?.execute([sector, name])?;
            refuse_unless(changed == 1, || StoreError::missing(format!("tag {name} of sector {sector}")))
        }
        Write::Rule(rule) => {
            let newest = "SELECT coalesce(max(revision), 0) + 1 FROM rules WHERE id = ?1";
            in_order(&format!("rule {}: revision", rule.id), rule.revision, count(store, newest, [&rule.id])?)?;
            has_receipt(store, rule.receipt)?;
            let insert = "INSERT INTO rules VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
            store.prepare_cached(insert)?.execute(params![
                rule.id,
                rule.revision,
                rule.sector,
                rule.from_ns,
                rule.until_ns,
                rule.removed,
                rule.body,
                rule.receipt
            ])?;
            Ok(())
        }
        Write::Item(item) => items::add(store, item),
        Write::Segment(segment) => add_segment(store, segment),
        Write::PruneSegment(number) => {
            let update = "UPDATE segments SET content = NULL WHERE number = ?1";
            let changed = store.prepare_cached(update)?.execute([number])?;
            refuse_unless(changed == 1, || StoreError::missing(format!("segment {number}")))
        }
        Write::Checkpoint(checkpoint) => {
            let size = next(store, "receipts")?;
            refuse_unless(checkpoint.size <= size, || {
                StoreError::conflict(format!("a checkpoint covers {} receipts of {size}", checkpoint.size))
            })?;
            let insert = "INSERT OR REPLACE INTO checkpoints VALUES (?1, ?2, ?3, ?4)";
            let row = params![checkpoint.size, checkpoint.root, checkpoint.time_ns, checkpoint.note];
            store.prepare_cached(insert)?.execute(row)?;
            Ok(())
        }
        Write::KeyLine(line) => {
            has_sector(store, &line.sector)?;
            let lines = "SELECT coalesce(max(number), -1) + 1 FROM key_lines WHERE sector = ?1";
            let what = format!("key line of sector {}:", line.sector);
            in_order(&what, line.number, count(store, lines, [&line.sector])?)?;
            let insert = "INSERT INTO key_lines VALUES (?1, ?2, ?3)";
            store.prepare_cached(insert)?.execute(params![line.sector, line.number, line.text])?;
            Ok(())
        }
        Write::PublicKey(key) => {
            in_order("public key", key.number, next(store, "public_keys")?)?;
            let insert = "INSERT OR IGNORE INTO public_keys VALUES (?1, ?2, ?3, ?4, ?5)";
            let row = params![key.number, key.id, key.key, key.from_receipt, key.time_ns];
            let changed = store.prepare_cached(insert)?.execute(row)?;
            refuse_unless(changed == 1, || StoreError::conflict("a public key of this id is there already"))
        }
        Write::State(state) => {
            let newest = "SELECT coalesce(max(number), -1) + 1 FROM states WHERE name = ?1";
            let next = count(store, newest, [&state.name])?;
            refuse_unless(state.number >= next, || {
                let State { name, number, .. } = state;
                StoreError::conflict(format!("state {number} of {name} was handed in where {next} or more is next"))
            })?;
            let insert = "INSERT INTO states VALUES (?1, ?2, ?3, ?4)";
            store.prepare_cached(insert)?.execute(params![state.name, state.number, state.whole, state.content])?;
            Ok(())
        }
        Write::DropStates { name, before } => {
            let delete = "DELETE FROM states WHERE name = ?1 AND number < ?2";
            store.prepare_cached(delete)?.execute(params![name, before])?;
            Ok(())
        }
        Write::Setting(setting) => {
            match &setting.value {
                Some(value) => {
                    let insert = "INSERT OR REPLACE INTO settings VALUES (?1, ?2)";
                    store.prepare_cached(insert)?.execute([&setting.name, value])?;
                }
                None => {
                    store.prepare_cached("DELETE FROM settings WHERE name = ?1")?.execute([&setting.name])?;
                }
            }
            Ok(())
        }
    }
}

fn snapshot(store: &Connection, id: &Hash, base: Option<&Hash>, removed: &Lines, added: &Lines) -> Applied {
    if depth(store, id)?.is_some() {
        return Ok(());
    }
    let depth = match base {
        None => 0,
        Some(base) => 1 + depth(store, base)?.ok_or_else(|| StoreError::missing("the snapshot's base"))?,
    };
    refuse_unless(depth <= Snapshot::MAX_DEPTH, || StoreError::Limit {
        what: format!("a snapshot stands on {depth} changes, and at most {}: store it whole", Snapshot::MAX_DEPTH),
    })?;
    let insert = "INSERT INTO snapshots VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    let row = params![id, base, depth, removed.packed, removed.bytes, added.packed, added.bytes];
    store.prepare_cached(insert)?.execute(row)?;
    Ok(())
}

/// Stores a snapshot whole, in place of what is there.
fn mend(store: &Connection, id: &Hash, nothing: &Lines, statements: &Lines) -> Applied {
    let base = "SELECT base FROM snapshots WHERE id = ?1";
    let base: Option<Option<Hash>> = store.prepare_cached(base)?.query_row([id], |row| row.get(0)).optional()?;
    let Some(base) = base else { return snapshot(store, id, None, nothing, statements) };
    let update = "UPDATE snapshots SET base = NULL, depth = 0, removed = ?2, removed_bytes = ?3, added = ?4, \
                  added_bytes = ?5 WHERE id = ?1";
    let row = params![id, nothing.packed, nothing.bytes, statements.packed, statements.bytes];
    store.prepare_cached(update)?.execute(row)?;
    drop_needless(store, base)
}

fn depth(store: &Connection, id: &Hash) -> rusqlite::Result<Option<u64>> {
    store.prepare_cached("SELECT depth FROM snapshots WHERE id = ?1")?.query_row([id], |row| row.get(0)).optional()
}

fn add_version(store: &Connection, version: &VersionRecord) -> Applied {
    has_sector(store, &version.sector)?;
    let newest = "SELECT coalesce(max(number), -1) + 1 FROM versions WHERE sector = ?1";
    let next = count(store, newest, [&version.sector])?;
    refuse_unless(version.number >= next, || {
        let VersionRecord { sector, number, .. } = version;
        StoreError::conflict(format!("version {number} of sector {sector} was handed in where {next} or more is next"))
    })?;
    refuse_unless(depth(store, &version.snapshot)?.is_some(), || StoreError::missing("the version's snapshot"))?;
    has_receipt(store, version.receipt)?;
    let insert = "INSERT INTO versions VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)";
    store.prepare_cached(insert)?.execute(params![
        version.sector,
        version.number,
        version.snapshot,
        super::read::list(&version.parents),
        version.epoch,
        version.time_ns,
        version.receipt,
        version.by,
        version.why,
        version.major,
        version.rollback_of,
        version.core
    ])?;
    for (needs, at) in &version.depends {
        has_sector(store, needs)?;
        let insert = "INSERT INTO dependencies VALUES (?1, ?2, ?3, ?4)";
        store.prepare_cached(insert)?.execute(params![version.sector, version.number, needs, at])?;
    }
    Ok(())
}

fn prune_version(store: &Connection, sector: &str, number: u64) -> Applied {
    has_version(store, sector, number)?;
    let newest = count(store, "SELECT max(number) FROM versions WHERE sector = ?1", [sector])?;
    refuse_unless(number != newest, || {
        StoreError::conflict(format!("version {number} of sector {sector} is the newest and stays"))
    })?;
    let tag: Option<String> = store
        .prepare_cached("SELECT name FROM tags WHERE sector = ?1 AND version = ?2")?
        .query_row(params![sector, number], |row| row.get(0))
        .optional()?;
    if let Some(tag) = tag {
        let what = format!("version {number} of sector {sector} is tagged {tag}; remove the tag to prune it");
        return Err(StoreError::conflict(what).into());
    }
    let delete = "DELETE FROM versions WHERE sector = ?1 AND number = ?2 RETURNING snapshot";
    let snapshot = store.prepare_cached(delete)?.query_row(params![sector, number], |row| row.get(0)).optional()?;
    drop_needless(store, snapshot)
}

/// Drops a snapshot that nothing needs, and with it the base that only it needed.
fn drop_needless(store: &Connection, mut needless: Option<Hash>) -> Applied {
    while let Some(id) = needless {
        let delete = "DELETE FROM snapshots WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM versions WHERE snapshot = ?1) \
                      AND NOT EXISTS (SELECT 1 FROM snapshots WHERE base = ?1) RETURNING base";
        let base: Option<Option<Hash>> = store.prepare_cached(delete)?.query_row([id], |row| row.get(0)).optional()?;
        needless = base.flatten();
    }
    Ok(())
}

fn add_segment(store: &Connection, segment: &Segment) -> Applied {
    in_order("segment", segment.number, next(store, "segments")?)?;
    has_sector(store, &segment.sector)?;
    has_receipt(store, segment.receipt)?;
    let insert = "INSERT INTO segments VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
    store.prepare_cached(insert)?.execute(params![
        segment.number,
        segment.sector,
        segment.first_ns,
        segment.last_ns,
        segment.count,
        segment.record_bytes,
        segment.root,
        segment.receipt,
        segment.content
    ])?;
    Ok(())
}

/// The next number of a table that is numbered from 0 without gaps.
fn next(store: &Connection, table: &'static str) -> rusqlite::Result<u64> {
    count(store, &format!("SELECT coalesce(max(number), -1) + 1 FROM {table}"), [])
}

fn count(store: &Connection, query: &str, parameters: impl rusqlite::Params) -> rusqlite::Result<u64> {
    store.prepare_cached(query)?.query_row(parameters, |row| row.get(0))
}

pub(super) fn has_sector(store: &Connection, sector: &str) -> Applied {
    let found = store.prepare_cached("SELECT 1 FROM sectors WHERE name = ?1")?.exists([sector])?;
    refuse_unless(found, || StoreError::missing(format!("sector {sector}")))
}

fn has_version(store: &Connection, sector: &str, number: u64) -> Applied {
    let query = "SELECT 1 FROM versions WHERE sector = ?1 AND number = ?2";
    let found = store.prepare_cached(query)?.exists(params![sector, number])?;
    refuse_unless(found, || StoreError::missing(format!("version {number} of sector {sector}")))
}

pub(super) fn has_receipt(store: &Connection, receipt: Option<u64>) -> Applied {
    let Some(number) = receipt else { return Ok(()) };
    let found = store.prepare_cached("SELECT 1 FROM receipts WHERE number = ?1")?.exists([number])?;
    refuse_unless(found, || StoreError::missing(format!("receipt {number}")))
}

pub(super) fn refuse_unless(holds: bool, refusal: impl FnOnce() -> StoreError) -> Applied {
    if holds { Ok(()) } else { Err(refusal().into()) }
}
