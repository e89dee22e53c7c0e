//! The embedded store: one SQLite file in WAL mode, flushed at each commit, with one writer and any number of readers.
//!
//! Callers hand batches to the writer's thread, which applies all that are waiting in one transaction: they share its flush, and each
//! caller is told of its own batch. A batch that does not fit is undone by itself. `synchronous` is FULL, so a commit is on the disk
//! before it is acknowledged; what moves the log into the database (SQLite's checkpoint) happens behind the acknowledgements.

use std::fs::File;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use crossbeam_channel::{Sender, bounded};
use rusqlite::{Connection, ErrorCode, OpenFlags, Transaction, ffi};

use crate::validate::validate;
use crate::{
    Batch, Checkpoint, Hash, Item, Pending, Progress, PublicKey, Receipt, ReceiptQuery, Rule, SectorRecord, Segment,
    SegmentQuery, Store, StoreError, Tag, VersionRecord,
};

mod backup;
mod items;
mod read;
mod schema;
mod write;
mod writer;

pub use backup::{restore, verify};
pub use schema::SCHEMA_VERSION;

/// How long to wait for another process that has the file locked.
const BUSY: Duration = Duration::from_secs(10);

/// How an embedded store is run.
#[derive(Clone, Copy, Debug)]
pub struct SqliteOptions {
    /// Batches that may wait for the writer; beyond it, handing one in waits too.
    pub queue: usize,
    /// Batches that may share a flush.
    pub group: usize,
    /// Commits between two moves of SQLite's log into the database, at most.
    pub commits_per_checkpoint: u32,
    /// Bytes that are committed between two of them, about, before the next one is made early: SQLite's log takes a little more on the disk.
    pub bytes_per_checkpoint: usize,
}

impl Default for SqliteOptions {
    fn default() -> SqliteOptions {
        SqliteOptions { queue: 1024, group: 256, commits_per_checkpoint: 256, bytes_per_checkpoint: 32 << 20 }
    }
}

/// The embedded store.
pub struct SqliteStore {
    path: PathBuf,
    jobs: Mutex<Option<Sender<writer::Job>>>,
    writer: Mutex<Option<JoinHandle<Result<(), StoreError>>>>,
    readers: Mutex<Vec<Connection>>,
}

impl SqliteStore {
    /// Opens a store; makes the file where there is none, and brings an older one to the newest schema.
    ///
    /// # Errors
    /// When the file cannot be opened, is no store, or is one of a later version.
    pub fn open(path: &Path) -> Result<SqliteStore, StoreError> {
        SqliteStore::open_with(path, SqliteOptions::default())
    }

    /// [`SqliteStore::open`] with options.
    ///
    /// # Errors
    /// As there.
    pub fn open_with(path: &Path, options: SqliteOptions) -> Result<SqliteStore, StoreError> {
        let fail = |error| failure(path, "opened", error);
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let mut connection = Connection::open_with_flags(path, flags).map_err(fail)?;
        connection.busy_timeout(BUSY).map_err(fail)?;
        // Refused before anything is written to it.
        let fresh = schema::check(&connection, path)? == 0;
        prepare(&connection, path)?;
        schema::migrate(&mut connection, path)?;
        if fresh {
            sync_parent(path)?;
        }
        let (jobs, queue) = bounded(options.queue.max(1));
        let writer = writer::Writer::new(connection, path, options);
        let writer = std::thread::Builder::new()
            .name("knhk-store".into())
            .spawn(move || writer.run(&queue))
            .map_err(|error| io_failure(path, "opened", &error))?;
        Ok(SqliteStore {
            path: path.into(),
            jobs: Mutex::new(Some(jobs)),
            writer: Mutex::new(Some(writer)),
            readers: Mutex::default(),
        })
    }

    /// Opens a store beside an engine that runs, or one that nothing has open, and changes nothing.
    ///
    /// # Errors
    /// When the file cannot be opened, is no store, or has another schema than this library's.
    pub fn open_read_only(path: &Path) -> Result<SqliteStore, StoreError> {
        let store = SqliteStore {
            path: path.into(),
            jobs: Mutex::new(None),
            writer: Mutex::new(None),
            readers: Mutex::default(),
        };
        let connection = store.reader()?;
        match schema::check(&connection, path)? {
            SCHEMA_VERSION => {}
            0 => return Err(StoreError::Foreign { path: path.into(), found: 0 }),
            found => {
                return Err(StoreError::corrupt(format!(
                    "{} has schema {found} and this library reads {SCHEMA_VERSION}: opening it for writing migrates it",
                    path.display()
                )));
            }
        }
        store.lock_readers().push(connection);
        Ok(store)
    }

    /// The store's file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn lock_readers(&self) -> std::sync::MutexGuard<'_, Vec<Connection>> {
        // A pool of connections is whole whatever panicked while it was locked.
        self.readers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn reader(&self) -> Result<Connection, StoreError> {
        if let Some(connection) = self.lock_readers().pop() {
            return Ok(connection);
        }
        let fail = |error| failure(&self.path, "opened for reading", error);
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(&self.path, flags).map_err(fail)?;
        connection.busy_timeout(BUSY).map_err(fail)?;
        connection.set_prepared_statement_cache_capacity(64);
        Ok(connection)
    }

    /// Runs `query` on a consistent state of the store.
    fn read<T>(&self, query: impl FnOnce(&Transaction) -> Result<T, ReadError>) -> Result<T, StoreError> {
        let connection = self.reader()?;
        let fail = |error| failure(&self.path, "read", error);
        let found = match connection.unchecked_transaction() {
            Ok(transaction) => query(&transaction).map_err(|error| match error {
                ReadError::Sqlite(error) => fail(error),
                ReadError::Store(error) => error,
            }),
            Err(error) => Err(fail(error)),
        };
        self.lock_readers().push(connection);
        found
    }
}

/// Why a query failed.
enum ReadError {
    Sqlite(rusqlite::Error),
    Store(StoreError),
}

impl From<rusqlite::Error> for ReadError {
    fn from(error: rusqlite::Error) -> ReadError {
        ReadError::Sqlite(error)
    }
}

impl From<StoreError> for ReadError {
    fn from(error: StoreError) -> ReadError {
        ReadError::Store(error)
    }
}

impl Store for SqliteStore {
    fn submit(&self, batch: Batch) -> Result<Pending, StoreError> {
        if let Err(refusal) = validate(&batch) {
            crate::counters::REFUSED.add(1);
            return Ok(Pending::known(Err(refusal)));
        }
        let (reply, outcome) = bounded(1);
        let job = writer::Job { writes: write::pack(batch, &self.path)?, reply };
        let jobs = self.jobs.lock().unwrap_or_else(PoisonError::into_inner).clone().ok_or(StoreError::Closed)?;
        jobs.send(job).map_err(|_| StoreError::Closed)?;
        Ok(Pending::waiting(outcome))
    }

    fn log_size(&self) -> Result<u64, StoreError> {
        self.read(read::log_size)
    }

    fn receipt(&self, number: u64) -> Result<Option<Receipt>, StoreError> {
        self.read(|store| read::receipt(store, number))
    }

    fn receipts(&self, query: &ReceiptQuery) -> Result<Vec<Receipt>, StoreError> {
        self.read(|store| read::receipts(store, query))
    }

    fn log_nodes(&self, level: u8, positions: Range<u64>) -> Result<Vec<Hash>, StoreError> {
        self.read(|store| read::log_nodes(store, level, positions))
    }

    fn checkpoint(&self, size: u64) -> Result<Option<Checkpoint>, StoreError> {
        self.read(|store| read::checkpoint(store, size))
    }

    fn checkpoints(&self, from: u64) -> Result<Vec<Checkpoint>, StoreError> {
        self.read(|store| read::checkpoints(store, from))
    }

    fn snapshot(&self, id: &Hash) -> Result<Option<Vec<u8>>, StoreError> {
        self.read(|store| read::snapshot(store, id))
    }

    fn snapshot_depth(&self, id: &Hash) -> Result<Option<u64>, StoreError> {
        self.read(|store| read::snapshot_depth(store, id))
    }

    fn loose_snapshots(&self) -> Result<Vec<Hash>, StoreError> {
        self.read(read::loose_snapshots)
    }

    fn sectors(&self) -> Result<Vec<SectorRecord>, StoreError> {
        self.read(read::sectors)
    }

    fn versions(&self, sector: &str, before: Option<u64>, limit: usize) -> Result<Vec<VersionRecord>, StoreError> {
        self.read(|store| read::versions(store, sector, before, limit))
    }

    fn version(&self, sector: &str, number: u64) -> Result<Option<VersionRecord>, StoreError> {
        self.read(|store| read::version(store, sector, number))
    }

    fn version_at(&self, sector: &str, time_ns: u64) -> Result<Option<VersionRecord>, StoreError> {
        self.read(|store| read::version_at(store, sector, time_ns))
    }

    fn tags(&self, sector: &str) -> Result<Vec<Tag>, StoreError> {
        self.read(|store| read::tags(store, sector))
    }

    fn rules(&self) -> Result<Vec<Rule>, StoreError> {
        self.read(read::rules)
    }

    fn rule_history(&self, id: &str) -> Result<Vec<Rule>, StoreError> {
        self.read(|store| read::rule_history(store, id))
    }

    fn items(&self, kind: &str, sector: Option<&str>, open_only: bool) -> Result<Vec<Item>, StoreError> {
        self.read(|store| items::items(store, kind, sector, open_only))
    }

    fn newest_items(
        &self,
        kind: &str,
        sector: Option<&str>,
        open_only: bool,
        before: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Item>, StoreError> {
        self.read(|store| items::newest_items(store, kind, sector, open_only, before, limit))
    }

    fn item(&self, kind: &str, id: &str) -> Result<Option<Item>, StoreError> {
        self.read(|store| items::item(store, kind, id))
    }

    fn item_history(&self, kind: &str, id: &str) -> Result<Vec<Item>, StoreError> {
        self.read(|store| items::item_history(store, kind, id))
    }

    fn segment_count(&self) -> Result<u64, StoreError> {
        self.read(read::segment_count)
    }

    fn segment(&self, number: u64) -> Result<Option<Segment>, StoreError> {
        self.read(|store| read::segment(store, number))
    }

    fn segments(&self, query: &SegmentQuery) -> Result<Vec<Segment>, StoreError> {
        self.read(|store| read::segments(store, query))
    }

    fn key_lines(&self, sector: &str, from: u64) -> Result<Vec<String>, StoreError> {
        self.read(|store| read::key_lines(store, sector, from))
    }

    fn public_keys(&self) -> Result<Vec<PublicKey>, StoreError> {
        self.read(read::public_keys)
    }

    fn states(&self, name: &str) -> Result<Vec<(u64, bool)>, StoreError> {
        self.read(|store| read::states(store, name))
    }

    fn state(&self, name: &str, number: u64) -> Result<Option<Vec<u8>>, StoreError> {
        self.read(|store| read::state(store, name, number))
    }

    fn setting(&self, name: &str) -> Result<Option<String>, StoreError> {
        self.read(|store| read::setting(store, name))
    }

    fn backup(&self, to: &Path, progress: &mut dyn FnMut(Progress) -> bool) -> Result<(), StoreError> {
        let connection = self.reader()?;
        let done = backup::backup(&connection, to, progress);
        self.lock_readers().push(connection);
        done
    }

    fn close(&self) -> Result<(), StoreError> {
        drop(self.jobs.lock().unwrap_or_else(PoisonError::into_inner).take());
        // Closed first, so that the writer is the last to leave and folds SQLite's log into the database.
        self.lock_readers().clear();
        match self.writer.lock().unwrap_or_else(PoisonError::into_inner).take() {
            Some(writer) => writer.join().unwrap_or(Err(StoreError::Closed)),
            None => Ok(()),
        }
    }
}

impl Drop for SqliteStore {
    fn drop(&mut self) {
        if let Err(error) = self.close() {
            tracing::warn!(path = %self.path.display(), %error, "the store was not closed in order");
        }
    }
}

/// Prepares a connection that writes.
fn prepare(connection: &Connection, path: &Path) -> Result<(), StoreError> {
    let fail = |error| failure(path, "opened", error);
    // Of a file that is being made; half the writes of SQLite's default for a batch, and hardly more bytes for a single receipt.
    connection.pragma_update(None, "page_size", 8192).map_err(fail)?;
    let mode: String =
        connection.pragma_update_and_check(None, "journal_mode", "wal", |row| row.get(0)).map_err(fail)?;
    if mode != "wal" {
        let why =
            format!("its file system does not carry SQLite's WAL mode (it stays in mode {mode}); use a local disk");
        return Err(StoreError::Io { path: path.into(), during: "opened", why });
    }
    settings(connection).map_err(fail)
}

fn settings(connection: &Connection) -> rusqlite::Result<()> {
    connection.pragma_update(None, "synchronous", "full")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    // The writer does it behind the acknowledgements.
    connection.pragma_update(None, "wal_autocheckpoint", 0)?;
    connection.pragma_update(None, "trusted_schema", false)?;
    // What a savepoint keeps to undo its changes is not worth a file.
    connection.pragma_update(None, "temp_store", "memory")?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(())
}

/// Flushes the folder of a file, so that the file's name outlives a power cut.
fn sync_parent(path: &Path) -> Result<(), StoreError> {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(parent).and_then(|folder| folder.sync_all()).map_err(|error| io_failure(path, "made", &error))
}

fn failure(path: &Path, during: &'static str, error: rusqlite::Error) -> StoreError {
    crate::counters::FAILURES.add(1);
    let path: PathBuf = path.into();
    let why = error.to_string();
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => StoreError::Full { path },
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
            StoreError::corrupt(format!("{}: {why}", path.display()))
        }
        _ if is_flush(&error) => StoreError::Failed { path, why },
        _ => StoreError::Io { path, during, why },
    }
}

/// Whether a flush failed: the system may have dropped what it could not write and forget that it did.
fn is_flush(error: &rusqlite::Error) -> bool {
    let code = error.sqlite_error().map(|error| error.extended_code);
    matches!(code, Some(ffi::SQLITE_IOERR_FSYNC | ffi::SQLITE_IOERR_DIR_FSYNC))
}

fn io_failure(path: &Path, during: &'static str, error: &std::io::Error) -> StoreError {
    crate::counters::FAILURES.add(1);
    let path = path.into();
    if error.kind() == std::io::ErrorKind::StorageFull {
        return StoreError::Full { path };
    }
    StoreError::Io { path, during, why: error.to_string() }
}

/// Stores may be shared.
const _: fn() = || {
    fn shared<T: Send + Sync>() {}
    shared::<Arc<dyn Store>>();
    shared::<SqliteStore>();
};
