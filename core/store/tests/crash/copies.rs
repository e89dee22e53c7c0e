//! The child's other task: a backup and its restore.

use std::io::{self, Write as _};
use std::path::Path;

use knhk_store::{SqliteStore, Store, StoreError, restore, verify};

use crate::child::{BATCH, commit};

/// Batches in the store that is copied.
const BATCHES: u64 = 40;

/// Makes the store that is copied.
pub fn prepare(folder: &Path) {
    let store = SqliteStore::open(&folder.join("store.db")).unwrap();
    (0..BATCHES).for_each(|_| assert!(commit(&store).is_ok()));
}

/// Backs the store up and restores the copy, each tried twice, and says what was done.
pub fn body(path: &Path) {
    let at = |name: &str| path.with_file_name(name);
    let backup = || SqliteStore::open(path)?.backup(&at("copy.db"), &mut |_| true);
    let restore = || restore(&at("copy.db"), &at("restored.db"), &mut |copy| copy.log_size().map(|_| ()));
    attempt("backup", &at("copy.db"), backup);
    attempt("restore", &at("restored.db"), restore);
}

fn attempt(what: &str, made: &Path, task: impl Fn() -> Result<(), StoreError>) {
    for _ in 0..2 {
        let line = match task() {
            Ok(()) => format!("ack {what}"),
            Err(error) => {
                assert!(!made.exists(), "{} is there though it failed: {error}", made.display());
                format!("failed {what}: {error:?}")
            }
        };
        _ = io::stdout().write_all(format!("\n{line}\n").as_bytes());
        if line.starts_with("ack") {
            break;
        }
    }
}

/// Why a copy that was acknowledged is not there, or one that looks whole is not.
pub fn examine(folder: &Path, said: &[u8]) -> Result<(), String> {
    let said = String::from_utf8_lossy(said);
    for (name, what) in [("copy.db", "ack backup"), ("restored.db", "ack restore")] {
        let path = folder.join(name);
        let mut size = None;
        let whole = verify(&path, &mut |copy| copy.log_size().map(|found| size = Some(found)));
        match whole {
            Ok(()) if size == Some(BATCHES * BATCH) => {}
            Ok(()) => return Err(format!("{name} has {size:?} receipts")),
            Err(error) if said.lines().any(|line| line == what) => return Err(format!("{name}: {error}")),
            // What has the restored store's name is whole; half a backup is refused.
            Err(error) if name == "restored.db" && path.exists() => return Err(format!("{name}: {error}")),
            Err(_) => {}
        }
    }
    Ok(())
}
