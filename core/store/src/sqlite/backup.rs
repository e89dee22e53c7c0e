//! Backup, restore and verification.

use std::fs::{self, File, OpenOptions};
use std::path::{Path, PathBuf};

use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, OpenFlags};

use super::{failure, io_failure, schema, sync_parent};
use crate::counters::BACKUPS;
use crate::{Progress, SqliteStore, StoreError};

/// Pages copied between two reports of progress.
const STEP: i32 = 32;

/// Copies what `source` sees now; it must be in no transaction.
pub(super) fn backup(
    source: &Connection,
    to: &Path,
    progress: &mut dyn FnMut(Progress) -> bool,
) -> Result<(), StoreError> {
    make(to)?;
    let copied = copy(source, to, progress).and_then(|()| {
        File::open(to).and_then(|file| file.sync_all()).map_err(|error| io_failure(to, "backed up", &error))?;
        sync_parent(to)
    });
    match copied {
        Ok(()) => BACKUPS.add(1),
        // Half a backup must not look like one.
        Err(_) => discard(to),
    }
    copied
}

/// Makes the file, which must not be there; nobody else may read it, as what it holds is the store's.
fn make(path: &Path) -> Result<(), StoreError> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
            Err(StoreError::Exists { path: path.into() })
        }
        Err(error) => Err(io_failure(path, "made", &error)),
    }
}

fn copy(source: &Connection, to: &Path, progress: &mut dyn FnMut(Progress) -> bool) -> Result<(), StoreError> {
    let fail = |error| failure(to, "backed up", error);
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut target = Connection::open_with_flags(to, flags).map_err(fail)?;
    // Held to the end: the copy is of this moment, and no commit makes it begin anew.
    let moment = source.unchecked_transaction().map_err(fail)?;
    moment.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(())).map_err(fail)?;
    let steps = Backup::new(source, &mut target).map_err(fail)?;
    loop {
        let step = steps.step(STEP).map_err(fail)?;
        let at = steps.progress();
        let total = u64::try_from(at.pagecount).unwrap_or(0);
        let done = total.saturating_sub(u64::try_from(at.remaining).unwrap_or(0));
        if !progress(Progress { done, total }) {
            return Err(StoreError::Stopped);
        }
        match step {
            StepResult::Done => break,
            StepResult::More => {}
            // Nobody else knows of the target, and the source is held.
            _ => return Err(StoreError::Io { path: to.into(), during: "backed up", why: "it is locked".into() }),
        }
    }
    drop(steps);
    drop(moment);
    // A copy of a WAL database says that it is one; one file is easier to carry.
    target.pragma_update(None, "journal_mode", "delete").map_err(fail)?;
    target.close().map_err(|(_, error)| fail(error))?;
    // SQLite says nothing of a journal that it could not remove, and whoever opens the copy would undo what is in it.
    match SIDE_FILES.iter().map(|suffix| side_file(to, suffix)).find(|path| path.exists()) {
        None => Ok(()),
        Some(path) => Err(StoreError::Io { path, during: "removed", why: "SQLite left it behind".into() }),
    }
}

/// Verifies a backup and copies it to `to`, which must not exist. `check` is asked last, with the copy open read-only: the ledger
/// verifies its own there.
///
/// # Errors
/// When the backup is damaged, `check` refuses, or the copy cannot be written; then `to` does not exist.
pub fn restore(
    backup: &Path,
    to: &Path,
    check: &mut dyn FnMut(&SqliteStore) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    if to.exists() {
        return Err(StoreError::Exists { path: to.into() });
    }
    // Beside its place, so that what has the name is whole.
    let beside = PathBuf::from(format!("{}.restoring", to.display()));
    discard(&beside);
    let written = write_copy(backup, &beside).and_then(|()| verify(&beside, check)).and_then(|()| {
        discard_side_files(&beside);
        // Fails where the name was taken meanwhile, and so overwrites nothing.
        fs::hard_link(&beside, to).map_err(|error| match error.kind() {
            std::io::ErrorKind::AlreadyExists => StoreError::Exists { path: to.into() },
            _ => io_failure(to, "restored", &error),
        })
    });
    discard(&beside);
    written.and_then(|()| sync_parent(to).inspect_err(|_| discard(to)))
}

fn write_copy(backup: &Path, beside: &Path) -> Result<(), StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let source = Connection::open_with_flags(backup, flags).map_err(|error| failure(backup, "opened", error))?;
    if schema::check(&source, backup)? == 0 {
        return Err(StoreError::Foreign { path: backup.into(), found: 0 });
    }
    // Through SQLite, so that a store with a log beside it is restored with what is in the log.
    make(beside)?;
    copy(&source, beside, &mut |_| true)?;
    File::open(beside).and_then(|file| file.sync_all()).map_err(|error| io_failure(beside, "restored", &error))
}

/// Checks that a store is whole: every page, every index, every reference, then what `check` says of it.
///
/// # Errors
/// [`StoreError::Corrupt`] with the first finding; whatever `check` says.
pub fn verify(path: &Path, check: &mut dyn FnMut(&SqliteStore) -> Result<(), StoreError>) -> Result<(), StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let fail = |error| failure(path, "verified", error);
    let connection = Connection::open_with_flags(path, flags).map_err(fail)?;
    schema::check(&connection, path)?;
    let found: String = connection.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0)).map_err(fail)?;
    if found != "ok" {
        return Err(StoreError::corrupt(format!("{}: {found}", path.display())));
    }
    let dangling = connection.query_row("PRAGMA foreign_key_check", [], |row| {
        Ok(format!("a row of {} names one of {} that is not there", row.get::<_, String>(0)?, row.get::<_, String>(2)?))
    });
    match dangling {
        Err(rusqlite::Error::QueryReturnedNoRows) => {}
        Ok(found) => return Err(StoreError::corrupt(format!("{}: {found}", path.display()))),
        Err(error) => return Err(fail(error)),
    }
    let hidden = "SELECT DISTINCT sector, number / 256 FROM receipts WHERE sector IS NOT NULL \
                  EXCEPT SELECT sector, block FROM receipt_blocks";
    if connection.prepare(hidden).and_then(|mut hidden| hidden.exists([])).map_err(fail)? {
        return Err(StoreError::corrupt(format!("{}: a receipt is not found by its sector", path.display())));
    }
    drop(connection);
    let store = SqliteStore::open_read_only(path)?;
    check(&store)
}

/// Removes a store's files; those that are not there are no matter.
fn discard(path: &Path) {
    _ = fs::remove_file(path);
    discard_side_files(path);
}

fn discard_side_files(path: &Path) {
    for suffix in SIDE_FILES {
        _ = fs::remove_file(side_file(path, suffix));
    }
}

/// What SQLite may keep beside a database.
const SIDE_FILES: [&str; 3] = ["-wal", "-shm", "-journal"];

fn side_file(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}
