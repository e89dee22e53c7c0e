//! Queries.

use std::ops::Range;

use rusqlite::types::FromSql;
use rusqlite::{OptionalExtension, Params, Row, Transaction, params};

use super::ReadError;
use crate::snapshot::apply;
use crate::{
    Checkpoint, Hash, PublicKey, Receipt, ReceiptQuery, Rule, SectorRecord, Segment, SegmentQuery, Snapshot,
    StoreError, Tag, VersionRecord,
};

pub(super) type Read<T> = Result<T, ReadError>;

/// Limits of SQL are signed, and no list is that long.
fn at_most(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

/// SQL's integers have a sign, and no number in the store is greater.
fn bound(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

pub(super) fn all<T>(
    store: &Transaction,
    query: &str,
    parameters: impl Params,
    row: impl FnMut(&Row) -> rusqlite::Result<T>,
) -> Read<Vec<T>> {
    Ok(store.prepare_cached(query)?.query_map(parameters, row)?.collect::<Result<_, _>>()?)
}

pub(super) fn one<T>(
    store: &Transaction,
    query: &str,
    parameters: impl Params,
    row: impl FnOnce(&Row) -> rusqlite::Result<T>,
) -> Read<Option<T>> {
    Ok(store.prepare_cached(query)?.query_row(parameters, row).optional()?)
}

fn value<T: FromSql>(store: &Transaction, query: &str) -> Read<T> {
    Ok(store.prepare_cached(query)?.query_row([], |row| row.get(0))?)
}

pub(super) fn log_size(store: &Transaction) -> Read<u64> {
    value(store, "SELECT coalesce(max(number), -1) + 1 FROM receipts")
}

const RECEIPT: &str = "SELECT number, time_ns, sector, kind, outcome, statement, leaf FROM receipts";

fn to_receipt(row: &Row) -> rusqlite::Result<Receipt> {
    let (number, time_ns, sector): (u64, u64, Option<String>) = (row.get(0)?, row.get(1)?, row.get(2)?);
    Ok(Receipt {
        number,
        id: Receipt::name(time_ns, sector.as_deref(), number),
        time_ns,
        sector,
        kind: row.get(3)?,
        outcome: row.get(4)?,
        statement: row.get(5)?,
        leaf: row.get(6)?,
    })
}

pub(super) fn receipt(store: &Transaction, number: u64) -> Read<Option<Receipt>> {
    one(store, &format!("{RECEIPT} WHERE number = ?1"), [bound(number)], to_receipt)
}

pub(super) fn receipts(store: &Transaction, query: &ReceiptQuery) -> Read<Vec<Receipt>> {
    let order = if query.newest_first { "DESC" } else { "ASC" };
    let kind = if query.kind.is_some() { "kind = ?4" } else { "?4 IS NULL" };
    let text = if query.sector.is_some() {
        format!(
            "{RECEIPT} JOIN receipt_blocks USING (sector) WHERE sector = ?3 AND block BETWEEN ?1 / 256 AND (?2 - 1) / 256 \
             AND number BETWEEN max(?1, block * 256) AND min(?2 - 1, block * 256 + 255) AND {kind} \
             ORDER BY block {order}, number {order} LIMIT ?5"
        )
    } else {
        format!(
            "{RECEIPT} WHERE ?3 IS NULL AND number >= ?1 AND number < ?2 AND {kind} ORDER BY number {order} LIMIT ?5"
        )
    };
    let limit = at_most(query.limit.unwrap_or(ReceiptQuery::DEFAULT_LIMIT));
    let to = query.to.map_or(i64::MAX, bound);
    all(store, &text, params![bound(query.from), to, query.sector, query.kind, limit], to_receipt)
}

pub(super) fn log_nodes(store: &Transaction, level: u8, positions: Range<u64>) -> Read<Vec<Hash>> {
    let query = if level == 0 {
        "SELECT number, leaf FROM receipts WHERE number >= ?1 AND number < ?2 AND ?3 = 0 ORDER BY number"
    } else {
        "SELECT position, hash FROM log_nodes WHERE level = ?3 AND position >= ?1 AND position < ?2 ORDER BY position"
    };
    let parameters = params![bound(positions.start), bound(positions.end), level];
    let found = all(store, query, parameters, |row| Ok((row.get::<_, u64>(0)?, row.get::<_, Hash>(1)?)))?;
    let unbroken = found.into_iter().zip(positions).take_while(|((at, _), expected)| at == expected);
    Ok(unbroken.map(|((_, hash), _)| hash).collect())
}

const CHECKPOINT: &str = "SELECT size, root, time_ns, note FROM checkpoints";

fn to_checkpoint(row: &Row) -> rusqlite::Result<Checkpoint> {
    Ok(Checkpoint { size: row.get(0)?, root: row.get(1)?, time_ns: row.get(2)?, note: row.get(3)? })
}

pub(super) fn checkpoint(store: &Transaction, size: u64) -> Read<Option<Checkpoint>> {
    let query = format!("{CHECKPOINT} WHERE size <= ?1 ORDER BY size DESC LIMIT 1");
    one(store, &query, [bound(size)], to_checkpoint)
}

pub(super) fn checkpoints(store: &Transaction, from: u64) -> Read<Vec<Checkpoint>> {
    all(store, &format!("{CHECKPOINT} WHERE size >= ?1 ORDER BY size LIMIT 1000"), [bound(from)], to_checkpoint)
}

pub(super) fn snapshot_depth(store: &Transaction, id: &Hash) -> Read<Option<u64>> {
    one(store, "SELECT depth FROM snapshots WHERE id = ?1", [id], |row| row.get(0))
}

pub(super) fn loose_snapshots(store: &Transaction) -> Read<Vec<Hash>> {
    let query = "SELECT id FROM snapshots EXCEPT SELECT snapshot FROM versions EXCEPT SELECT base FROM snapshots";
    all(store, query, [], |row| row.get(0))
}

pub(super) fn snapshot(store: &Transaction, id: &Hash) -> Read<Option<Vec<u8>>> {
    // From the snapshot down to one that is whole, then the changes upwards again.
    let query = "SELECT base, removed, removed_bytes, added, added_bytes FROM snapshots WHERE id = ?1";
    let mut changes = Vec::new();
    let mut next = Some(*id);
    while let Some(id) = next {
        let found = one(store, query, [id], |row| {
            let removed: (Vec<u8>, usize) = (row.get(1)?, row.get(2)?);
            let added: (Vec<u8>, usize) = (row.get(3)?, row.get(4)?);
            Ok((row.get::<_, Option<Hash>>(0)?, removed, added))
        })?;
        let Some((base, removed, added)) = found else {
            if changes.is_empty() {
                return Ok(None);
            }
            return Err(StoreError::corrupt("a snapshot's base is missing").into());
        };
        changes.push((unpack(removed)?, unpack(added)?));
        if changes.len() as u64 > Snapshot::MAX_DEPTH + 1 {
            return Err(StoreError::corrupt("a snapshot stands on more changes than are allowed").into());
        }
        next = base;
    }
    let mut statements = Vec::new();
    for (removed, added) in changes.iter().rev() {
        statements = apply(&statements, removed, added)?;
    }
    Ok(Some(statements))
}

fn unpack((packed, bytes): (Vec<u8>, usize)) -> Result<Vec<u8>, StoreError> {
    if bytes > Snapshot::MAX_BYTES {
        return Err(StoreError::corrupt(format!("a snapshot of {bytes} bytes")));
    }
    match zstd::bulk::decompress(&packed, bytes) {
        Ok(lines) if lines.len() == bytes => Ok(lines),
        Ok(lines) => Err(StoreError::corrupt(format!("a snapshot of {bytes} bytes unpacks to {}", lines.len()))),
        Err(error) => Err(StoreError::corrupt(format!("a snapshot does not unpack: {error}"))),
    }
}

pub(super) fn sectors(store: &Transaction) -> Read<Vec<SectorRecord>> {
    all(store, "SELECT name, number, kind, time_ns FROM sectors ORDER BY number", [], |row| {
        Ok(SectorRecord { name: row.get(0)?, number: row.get(1)?, kind: row.get(2)?, time_ns: row.get(3)? })
    })
}

const VERSION: &str = "SELECT sector, number, snapshot, parents, epoch, time_ns, receipt, by, why, major, rollback_of, \
                       core FROM versions WHERE sector = ?1 AND";

fn to_version(row: &Row) -> rusqlite::Result<VersionRecord> {
    Ok(VersionRecord {
        sector: row.get(0)?,
        number: row.get(1)?,
        snapshot: row.get(2)?,
        parents: from_list(&row.get::<_, String>(3)?),
        epoch: row.get(4)?,
        time_ns: row.get(5)?,
        receipt: row.get(6)?,
        by: row.get(7)?,
        why: row.get(8)?,
        major: row.get(9)?,
        rollback_of: row.get(10)?,
        core: row.get(11)?,
        depends: Vec::new(),
    })
}

/// Numbers as a JSON list.
pub(super) fn list(numbers: &[u64]) -> String {
    let numbers: Vec<String> = numbers.iter().map(u64::to_string).collect();
    format!("[{}]", numbers.join(","))
}

fn from_list(text: &str) -> Vec<u64> {
    text.trim_matches(['[', ']']).split(',').filter_map(|number| number.trim().parse().ok()).collect()
}

pub(super) fn versions(
    store: &Transaction,
    sector: &str,
    before: Option<u64>,
    limit: usize,
) -> Read<Vec<VersionRecord>> {
    let query = format!("{VERSION} number < ?2 ORDER BY number DESC LIMIT ?3");
    let mut versions = all(store, &query, params![sector, before.map_or(i64::MAX, bound), at_most(limit)], to_version)?;
    add_dependencies(store, sector, &mut versions)?;
    Ok(versions)
}

pub(super) fn version(store: &Transaction, sector: &str, number: u64) -> Read<Option<VersionRecord>> {
    with_dependencies(store, one(store, &format!("{VERSION} number = ?2"), params![sector, bound(number)], to_version)?)
}

pub(super) fn version_at(store: &Transaction, sector: &str, time_ns: u64) -> Read<Option<VersionRecord>> {
    let query = format!("{VERSION} time_ns <= ?2 ORDER BY number DESC LIMIT 1");
    with_dependencies(store, one(store, &query, params![sector, bound(time_ns)], to_version)?)
}

fn with_dependencies(store: &Transaction, version: Option<VersionRecord>) -> Read<Option<VersionRecord>> {
    let Some(mut version) = version else { return Ok(None) };
    let sector = version.sector.clone();
    add_dependencies(store, &sector, std::slice::from_mut(&mut version))?;
    Ok(Some(version))
}

/// Adds what versions of a sector need; they are in descending order.
fn add_dependencies(store: &Transaction, sector: &str, versions: &mut [VersionRecord]) -> Read<()> {
    let ([newest, ..], [.., oldest]) = (&*versions, &*versions) else { return Ok(()) };
    let query = "SELECT number, needs, at FROM dependencies WHERE sector = ?1 AND number BETWEEN ?2 AND ?3 ORDER BY number, needs";
    let between = params![sector, oldest.number, newest.number];
    for (number, needs, at) in all(store, query, between, |row| Ok((row.get::<_, u64>(0)?, row.get(1)?, row.get(2)?)))?
    {
        if let Ok(place) = versions.binary_search_by(|version| number.cmp(&version.number)) {
            versions[place].depends.push((needs, at));
        }
    }
    Ok(())
}

pub(super) fn tags(store: &Transaction, sector: &str) -> Read<Vec<Tag>> {
    let query = "SELECT sector, name, version, time_ns, by FROM tags WHERE sector = ?1 ORDER BY name";
    all(store, query, [sector], |row| {
        Ok(Tag { sector: row.get(0)?, name: row.get(1)?, version: row.get(2)?, time_ns: row.get(3)?, by: row.get(4)? })
    })
}

const RULE: &str = "SELECT id, revision, sector, from_ns, until_ns, removed, body, receipt FROM rules";

fn to_rule(row: &Row) -> rusqlite::Result<Rule> {
    Ok(Rule {
        id: row.get(0)?,
        revision: row.get(1)?,
        sector: row.get(2)?,
        from_ns: row.get(3)?,
        until_ns: row.get(4)?,
        removed: row.get(5)?,
        body: row.get(6)?,
        receipt: row.get(7)?,
    })
}

pub(super) fn rules(store: &Transaction) -> Read<Vec<Rule>> {
    let newest = "revision = (SELECT max(revision) FROM rules AS other WHERE other.id = rules.id)";
    all(store, &format!("{RULE} WHERE {newest} ORDER BY id"), [], to_rule)
}

pub(super) fn rule_history(store: &Transaction, id: &str) -> Read<Vec<Rule>> {
    all(store, &format!("{RULE} WHERE id = ?1 ORDER BY revision"), [id], to_rule)
}

pub(super) fn segment_count(store: &Transaction) -> Read<u64> {
    value(store, "SELECT coalesce(max(number), -1) + 1 FROM segments")
}

fn to_segment(row: &Row) -> rusqlite::Result<Segment> {
    Ok(Segment {
        number: row.get(0)?,
        sector: row.get(1)?,
        first_ns: row.get(2)?,
        last_ns: row.get(3)?,
        count: row.get(4)?,
        record_bytes: row.get(5)?,
        root: row.get(6)?,
        receipt: row.get(7)?,
        content: row.get(8)?,
    })
}

const SEGMENT: &str = "SELECT number, sector, first_ns, last_ns, count, record_bytes, root, receipt";

pub(super) fn segment(store: &Transaction, number: u64) -> Read<Option<Segment>> {
    one(store, &format!("{SEGMENT}, content FROM segments WHERE number = ?1"), [bound(number)], to_segment)
}

pub(super) fn segments(store: &Transaction, query: &SegmentQuery) -> Read<Vec<Segment>> {
    let sector = if query.sector.is_some() { "sector = ?2" } else { "?2 IS NULL" };
    let held = if query.held { "content IS NOT NULL" } else { "1" };
    let text = format!(
        "{SEGMENT}, NULL FROM segments WHERE number >= ?1 AND {sector} AND last_ns >= ?3 AND first_ns < ?4 AND {held} \
         ORDER BY number LIMIT ?5"
    );
    let since = query.since_ns.map_or(0, bound);
    let before = query.before_ns.map_or(i64::MAX, bound);
    let limit = at_most(query.limit.unwrap_or(SegmentQuery::DEFAULT_LIMIT));
    all(store, &text, params![bound(query.from), query.sector, since, before, limit], to_segment)
}

pub(super) fn key_lines(store: &Transaction, sector: &str, from: u64) -> Read<Vec<String>> {
    let query = "SELECT line FROM key_lines WHERE sector = ?1 AND number >= ?2 ORDER BY number";
    all(store, query, params![sector, bound(from)], |row| row.get(0))
}

pub(super) fn public_keys(store: &Transaction) -> Read<Vec<PublicKey>> {
    all(store, "SELECT number, id, key, from_receipt, time_ns FROM public_keys ORDER BY number", [], |row| {
        Ok(PublicKey {
            number: row.get(0)?,
            id: row.get(1)?,
            key: row.get(2)?,
            from_receipt: row.get(3)?,
            time_ns: row.get(4)?,
        })
    })
}

pub(super) fn states(store: &Transaction, name: &str) -> Read<Vec<(u64, bool)>> {
    let query = "SELECT number, whole FROM states WHERE name = ?1 ORDER BY number";
    all(store, query, [name], |row| Ok((row.get(0)?, row.get(1)?)))
}

pub(super) fn state(store: &Transaction, name: &str, number: u64) -> Read<Option<Vec<u8>>> {
    one(store, "SELECT content FROM states WHERE name = ?1 AND number = ?2", params![name, bound(number)], |row| {
        row.get(0)
    })
}

pub(super) fn setting(store: &Transaction, name: &str) -> Read<Option<String>> {
    one(store, "SELECT value FROM settings WHERE name = ?1", [name], |row| row.get(0))
}
