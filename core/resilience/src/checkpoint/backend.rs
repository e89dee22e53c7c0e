//! Where checkpoints are kept.

use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

use super::error::BackendError;

/// A checkpoint that is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Stored {
    /// Its number.
    pub number: u64,
    /// Whether it stands alone; otherwise it builds on the one before.
    pub full: bool,
}

/// Keeps checkpoints, each one a piece of bytes under a number.
pub trait Backend: Send + Sync {
    /// Keeps a checkpoint: durable when this returns, and there as a whole or not at all, whatever happens meanwhile.
    ///
    /// # Errors
    /// [`BackendError`]: it is not kept.
    fn put(&self, stored: Stored, content: &[u8]) -> Result<(), BackendError>;

    /// A checkpoint; none: there is none of that number. More than `limit` bytes are not read.
    ///
    /// # Errors
    /// [`BackendError`]: it cannot be read, or is larger.
    fn get(&self, stored: Stored, limit: u64) -> Result<Option<Vec<u8>>, BackendError>;

    /// What is kept, in the order of its numbers.
    ///
    /// # Errors
    /// [`BackendError`]: it cannot be read.
    fn list(&self) -> Result<Vec<Stored>, BackendError>;

    /// Keeps those with smaller numbers no longer.
    ///
    /// # Errors
    /// [`BackendError`]: some may still be there.
    fn remove_before(&self, number: u64) -> Result<(), BackendError>;
}

/// Checkpoints as files of a folder, `<number>.full` and `<number>.part`, readable by their owner alone. One process at a time has it.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    /// Locked as long as this lives.
    _lock: File,
}

const LOCK: &str = "checkpoints.lock";
const UNFINISHED: &str = "unfinished";

impl Folder {
    /// Opens a folder, and makes it where it is not there. What a crash left unfinished is removed.
    ///
    /// # Errors
    /// [`BackendError`]: it cannot be made or read, or another process has it.
    pub fn open(path: &Path) -> Result<Folder, BackendError> {
        let fail = |error: std::io::Error| failure(path, "opened", error);
        fs::create_dir_all(path).map_err(fail)?;
        let lock = options().write(true).create(true).truncate(false).open(path.join(LOCK)).map_err(fail)?;
        lock.try_lock().map_err(|error| match error {
            fs::TryLockError::WouldBlock => failure(path, "opened", "another process has them"),
            fs::TryLockError::Error(error) => fail(error),
        })?;
        match fs::remove_file(path.join(UNFINISHED)) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(fail(error)),
            _ => Ok(Folder { path: path.into(), _lock: lock }),
        }
    }

    fn file(&self, Stored { number, full }: Stored) -> PathBuf {
        self.path.join(format!("{number:020}.{}", if full { "full" } else { "part" }))
    }

    fn flush(&self) -> std::io::Result<()> {
        File::open(&self.path)?.sync_all()
    }
}

impl Backend for Folder {
    fn put(&self, stored: Stored, content: &[u8]) -> Result<(), BackendError> {
        let (unfinished, path) = (self.path.join(UNFINISHED), self.file(stored));
        let write = || {
            let mut file = options().write(true).create(true).truncate(true).open(&unfinished)?;
            file.write_all(content)?;
            file.sync_all()?;
            if path.exists() {
                return Err(ErrorKind::AlreadyExists.into());
            }
            fs::rename(&unfinished, &path)?;
            self.flush()
        };
        write().map_err(|error| failure(&path, "written", error))
    }

    fn get(&self, stored: Stored, limit: u64) -> Result<Option<Vec<u8>>, BackendError> {
        let path = self.file(stored);
        let fail = |why: String| failure(&path, "read", why);
        let file = match File::open(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            file => file.map_err(|error| fail(error.to_string()))?,
        };
        let mut content = Vec::new();
        file.take(limit.saturating_add(1)).read_to_end(&mut content).map_err(|error| fail(error.to_string()))?;
        if content.len() as u64 > limit {
            return Err(fail(format!("it has more than {limit} bytes")));
        }
        Ok(Some(content))
    }

    fn list(&self) -> Result<Vec<Stored>, BackendError> {
        let fail = |error: std::io::Error| failure(&self.path, "listed", error);
        let mut all = Vec::new();
        for entry in fs::read_dir(&self.path).map_err(fail)? {
            let name = entry.map_err(fail)?.file_name();
            let Some((number, kind)) = name.to_str().and_then(|name| name.split_once('.')) else { continue };
            if let (Ok(number), "full" | "part") = (number.parse(), kind) {
                all.push(Stored { number, full: kind == "full" });
            }
        }
        all.sort_unstable();
        Ok(all)
    }

    fn remove_before(&self, number: u64) -> Result<(), BackendError> {
        for stored in self.list()?.into_iter().filter(|stored| stored.number < number) {
            let path = self.file(stored);
            match fs::remove_file(&path) {
                Err(error) if error.kind() != ErrorKind::NotFound => return Err(failure(&path, "removed", error)),
                _ => {}
            }
        }
        self.flush().map_err(|error| failure(&self.path, "removed", error))
    }
}

fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

fn failure(path: &Path, action: &'static str, why: impl ToString) -> BackendError {
    BackendError { place: path.display().to_string(), action, why: why.to_string() }
}
