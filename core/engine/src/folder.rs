//! An engine's folder: what survives the process.
//!
//! ```text
//! engine.lock      locked while an engine has the folder open
//! control          the socket of an engine that takes commands
//! emergency        rollbacks that took effect while nothing else could be written
//! store.sqlite     the store (with -wal and -shm beside it): receipts, snapshots, versions, key tables, tags
//! signing.key      the key that signs receipts, for its owner alone; not there where the caller signs
//! trust-root       the log's name and first key, checked at every open
//! ```

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use knhk_store::{SqliteStore, Store};

use crate::emergency::Emergency;
use crate::{Error, Status};

/// The store's file.
pub(crate) const STORE: &str = "store.sqlite";

pub(crate) struct Folder {
    pub(crate) root: PathBuf,
    pub(crate) emergency: Emergency,
    pub(crate) store: Arc<dyn Store>,
    /// Opened beside a live engine: nothing is locked or written.
    pub(crate) read_only: bool,
    lock: Mutex<Option<File>>,
}

impl Folder {
    pub(crate) fn open(root: &Path) -> Result<Folder, Error> {
        fs::create_dir_all(root).map_err(|e| failed(root, "cannot be made", &e))?;
        let path = root.join("engine.lock");
        let lock = OpenOptions::new().create(true).truncate(false).read(true).write(true).open(&path);
        let lock = lock.map_err(|e| failed(&path, "cannot be opened", &e))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let message = format!(
                    "{} is open in another engine; close that one, or attach to it read-only instead",
                    root.display()
                );
                return Err(Error::new(Status::Busy, "open", root.display().to_string(), message));
            }
            Err(TryLockError::Error(e)) => return Err(failed(&path, "cannot be locked", &e)),
        }
        if root.join("sectors").is_dir() && !root.join(STORE).exists() {
            let message = format!(
                "{} holds sectors/ and no {STORE}: an engine from before the store wrote it; export its sectors with that one and \
                 promote them into a new folder",
                root.display()
            );
            return Err(Error::new(Status::Corrupt, "open", root.display().to_string(), message));
        }
        let path = root.join("emergency");
        let emergency = Emergency::open(&path).map_err(|e| failed(&path, "cannot be written", &e))?;
        let store = Arc::new(SqliteStore::open(&root.join(STORE))?);
        Ok(Folder { root: root.into(), emergency, store, read_only: false, lock: Mutex::new(Some(lock)) })
    }

    /// Opens a folder that another engine may have open and be changing.
    pub(crate) fn open_read_only(root: &Path) -> Result<Folder, Error> {
        if !root.join(STORE).is_file() {
            let message = format!("{} is not an engine's folder: there is no {STORE} in it", root.display());
            return Err(Error::new(Status::NotFound, "open", root.display().to_string(), message));
        }
        let path = root.join("emergency");
        let emergency = Emergency::open_read_only(&path).map_err(|e| failed(&path, "cannot be read", &e))?;
        let store = Arc::new(SqliteStore::open_read_only(&root.join(STORE))?);
        Ok(Folder { root: root.into(), emergency, store, read_only: true, lock: Mutex::default() })
    }

    /// Refuses changes of a folder that was opened read-only.
    pub(crate) fn writable(&self) -> io::Result<()> {
        let refusal = || io::Error::new(io::ErrorKind::ReadOnlyFilesystem, "the folder was opened read-only");
        if self.read_only { Err(refusal()) } else { Ok(()) }
    }

    /// Lets another engine open the folder.
    pub(crate) fn release(&self) {
        if let Some(file) = self.lock.lock().unwrap_or_else(PoisonError::into_inner).take() {
            // Said and not left to the descriptor's end: a forked child holds the same lock by its copy.
            _ = file.unlock();
        }
    }
}

pub(crate) fn failed(path: &Path, what: &str, error: &io::Error) -> Error {
    let path = path.display().to_string();
    let message = format!("{path} {what}: {error}");
    Error::new(Status::Io, "open", path, message)
}
