//! The schema and its migrations.

use std::path::Path;

use rusqlite::{Connection, TransactionBehavior};

use super::failure;
use crate::StoreError;

/// What a KNHK store's file says it is: "KNHK" in ASCII, in SQLite's application id.
const APPLICATION: u32 = u32::from_be_bytes(*b"KNHK");

/// Each brings a store from the version that is its place to the next; only ever added to.
const MIGRATIONS: [&str; 3] = [include_str!("schema.sql"), include_str!("views.sql"), include_str!("items.sql")];

/// The newest schema that this library knows, as SQLite's `user_version`.
pub const SCHEMA_VERSION: u32 = MIGRATIONS.len() as u32;

/// Brings a store to the newest schema, in one transaction; refuses one that is newer or of another program.
pub(super) fn migrate(connection: &mut Connection, path: &Path) -> Result<(), StoreError> {
    migrate_to(connection, path, SCHEMA_VERSION)
}

pub(super) fn migrate_to(connection: &mut Connection, path: &Path, version: u32) -> Result<(), StoreError> {
    let fail = |error| failure(path, "brought to the newest schema", error);
    let found = check(connection, path)?;
    if found == version {
        return Ok(());
    }
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(fail)?;
    // Another process may have been faster.
    let found = pragma(&transaction, "user_version").map_err(fail)?;
    for migration in &MIGRATIONS[found as usize..version as usize] {
        transaction.execute_batch(migration).map_err(fail)?;
    }
    transaction.pragma_update(None, "application_id", APPLICATION).map_err(fail)?;
    transaction.pragma_update(None, "user_version", version).map_err(fail)?;
    transaction.commit().map_err(fail)?;
    if found > 0 {
        tracing::info!(path = %path.display(), from = found, to = version, "the store was migrated");
    }
    Ok(())
}

/// The schema's version; 0: an empty file.
pub(super) fn check(connection: &Connection, path: &Path) -> Result<u32, StoreError> {
    let fail = |error| failure(path, "opened", error);
    let application = pragma(connection, "application_id").map_err(fail)?;
    let found = pragma(connection, "user_version").map_err(fail)?;
    let tables: u32 = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0)).map_err(fail)?;
    if application != APPLICATION && (application != 0 || found != 0 || tables != 0) {
        return Err(StoreError::Foreign { path: path.into(), found: application });
    }
    if found > SCHEMA_VERSION {
        return Err(StoreError::Newer { path: path.into(), found, known: SCHEMA_VERSION });
    }
    Ok(found)
}

fn pragma(connection: &Connection, name: &str) -> rusqlite::Result<u32> {
    // SQLite's are 32 bits with a sign.
    connection.pragma_query_value(None, name, |row| row.get::<_, i32>(0)).map(|value| value as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_older_store_is_migrated_and_a_newer_one_refused() {
        let path = Path::new("memory");
        let mut connection = Connection::open_in_memory().unwrap();
        migrate_to(&mut connection, path, 1).unwrap();
        connection.execute("INSERT INTO settings VALUES ('a', 'b')", []).unwrap();
        assert!(connection.prepare("SELECT * FROM log").is_err(), "the views are the second migration");
        migrate(&mut connection, path).unwrap();
        assert_eq!(check(&connection, path), Ok(SCHEMA_VERSION));
        connection.prepare("SELECT * FROM log").unwrap();
        connection.prepare("SELECT * FROM governance").unwrap();
        let kept: String =
            connection.query_row("SELECT value FROM settings WHERE name = 'a'", [], |row| row.get(0)).unwrap();
        assert_eq!(kept, "b");

        connection.pragma_update(None, "user_version", SCHEMA_VERSION + 1).unwrap();
        let refused = migrate(&mut connection, path).unwrap_err();
        assert_eq!(refused, StoreError::Newer { path: path.into(), found: SCHEMA_VERSION + 1, known: SCHEMA_VERSION });
        assert!(refused.to_string().contains("open it with the newer library"), "{refused}");
    }

    #[test]
    fn a_file_of_another_program_is_refused() {
        let path = Path::new("memory");
        let mut connection = Connection::open_in_memory().unwrap();
        connection.execute_batch("CREATE TABLE theirs (a)").unwrap();
        assert!(matches!(migrate(&mut connection, path), Err(StoreError::Foreign { .. })));
    }

    #[test]
    fn a_migration_that_fails_changes_nothing() {
        let path = Path::new("memory");
        let mut connection = Connection::open_in_memory().unwrap();
        migrate_to(&mut connection, path, 1).unwrap();
        // The second migration makes a view of this name as its last but one.
        connection.execute_batch("CREATE TABLE signing_keys (a)").unwrap();
        migrate(&mut connection, path).unwrap_err();
        assert_eq!(check(&connection, path), Ok(1));
        assert!(connection.prepare("SELECT * FROM log").is_err());
    }
}
