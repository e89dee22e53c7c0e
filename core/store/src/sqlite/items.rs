//! Items: revisions that are only ever added, of which the newest one holds.

use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};

use super::read::{Read, all, one};
use super::write::{Applied, has_receipt, has_sector, refuse_unless};
use crate::validate::in_order;
use crate::{Item, StoreError};

const ITEM: &str = "SELECT kind, id, revision, sector, time_ns, open, body, receipt FROM items WHERE";

fn to_item(row: &Row) -> rusqlite::Result<Item> {
    Ok(Item {
        kind: row.get(0)?,
        id: row.get(1)?,
        revision: row.get(2)?,
        sector: row.get(3)?,
        time_ns: row.get(4)?,
        open: row.get(5)?,
        body: row.get(6)?,
        receipt: row.get(7)?,
    })
}

pub(super) fn items(store: &Transaction, kind: &str, sector: Option<&str>, open_only: bool) -> Read<Vec<Item>> {
    let sectors = if sector.is_some() { "sector = ?2" } else { "?2 IS NULL" };
    let state = if open_only { "open = 1" } else { "open IN (0, 1)" };
    let query = format!("{ITEM} newest = 1 AND kind = ?1 AND {state} AND {sectors} ORDER BY time_ns, id");
    all(store, &query, params![kind, sector], to_item)
}

pub(super) fn newest_items(
    store: &Transaction,
    kind: &str,
    sector: Option<&str>,
    open_only: bool,
    before: Option<&str>,
    limit: usize,
) -> Read<Vec<Item>> {
    let sectors = if sector.is_some() { "sector = ?2" } else { "?2 IS NULL" };
    let state = if open_only { "open = 1" } else { "open IN (0, 1)" };
    let below = if before.is_some() { "(length(id), id) < (length(?3), ?3)" } else { "?3 IS NULL" };
    let order = "ORDER BY length(id) DESC, id DESC";
    // The ids first, which an index has: bodies are read of those alone that are asked for.
    let ids = format!(
        "SELECT id FROM items WHERE newest = 1 AND kind = ?1 AND {state} AND {sectors} AND {below} {order} LIMIT ?4"
    );
    let query = format!("{ITEM} newest = 1 AND kind = ?1 AND id IN ({ids}) {order}");
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    all(store, &query, params![kind, sector, before, limit], to_item)
}

pub(super) fn item(store: &Transaction, kind: &str, id: &str) -> Read<Option<Item>> {
    one(store, &format!("{ITEM} kind = ?1 AND id = ?2 ORDER BY revision DESC LIMIT 1"), [kind, id], to_item)
}

pub(super) fn item_history(store: &Transaction, kind: &str, id: &str) -> Read<Vec<Item>> {
    all(store, &format!("{ITEM} kind = ?1 AND id = ?2 ORDER BY revision"), [kind, id], to_item)
}

pub(super) fn add(store: &Connection, item: &Item) -> Applied {
    let newest = "SELECT revision, sector FROM items WHERE kind = ?1 AND id = ?2 ORDER BY revision DESC LIMIT 1";
    let newest: Option<(u64, Option<String>)> = store
        .prepare_cached(newest)?
        .query_row([&item.kind, &item.id], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let next = newest.as_ref().map_or(1, |(revision, _)| revision + 1);
    in_order(&format!("{} {}: revision", item.kind, item.id), item.revision, next)?;
    refuse_unless(newest.is_none_or(|(_, sector)| sector == item.sector), || {
        StoreError::conflict(format!("{} {} is about another sector", item.kind, item.id))
    })?;
    item.sector.iter().try_for_each(|sector| has_sector(store, sector))?;
    has_receipt(store, item.receipt)?;
    let older = "UPDATE items SET newest = 0 WHERE kind = ?1 AND id = ?2 AND revision = ?3";
    store.prepare_cached(older)?.execute(params![item.kind, item.id, item.revision - 1])?;
    let insert = "INSERT INTO items VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 1)";
    store.prepare_cached(insert)?.execute(params![
        item.kind,
        item.id,
        item.revision,
        item.sector,
        item.time_ns,
        item.open,
        item.body,
        item.receipt
    ])?;
    Ok(())
}
