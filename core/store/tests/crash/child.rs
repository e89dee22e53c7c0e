//! The process that is killed, cut off or refused: it commits batches and acknowledges each on standard output.

use std::io::{self, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};

use knhk_store::conformance::receipt;
use knhk_store::{Batch, Setting, SqliteOptions, SqliteStore, Store, StoreError, Write};

use crate::copies;

/// Receipts in a batch.
pub const BATCH: u64 = 3;

const PATH: &str = "KNHK_CRASH_PATH";
const TASK: &str = "KNHK_CRASH_TASK";

/// What the child does.
#[derive(Clone, Copy)]
pub enum Task {
    /// So many batches are committed.
    Commit(u64),
    /// A store is backed up and restored.
    Copy,
}

impl Task {
    /// Makes what the child finds.
    pub fn prepare(self, folder: &Path) {
        if let Task::Copy = self {
            copies::prepare(folder);
        }
    }
}

/// A command that runs [`body`] in a process of its own, on the store at `path`.
pub fn command(path: &Path, task: Task) -> Command {
    let task = match task {
        Task::Commit(batches) => batches.to_string(),
        Task::Copy => "copy".into(),
    };
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "child", "--ignored", "--nocapture", "--test-threads=1"]);
    command.env(PATH, path).env(TASK, task).stdout(Stdio::piped()).stderr(Stdio::null());
    command
}

/// What the child does.
pub fn body() {
    let (Ok(path), Ok(task)) = (std::env::var(PATH), std::env::var(TASK)) else { return };
    match task.parse() {
        Ok(batches) => commits(Path::new(&path), batches),
        Err(_) => copies::body(Path::new(&path)),
    }
}

/// Goes on where the store ends, and tries a batch that was refused a few times more.
fn commits(path: &Path, batches: u64) {
    let open = || SqliteStore::open_with(path, SqliteOptions { commits_per_checkpoint: 3, ..Default::default() });
    let mut store = open();
    let mut attempts = 0;
    let mut done = 0;
    while done < batches && attempts < batches + 4 {
        attempts += 1;
        let committed = match &store {
            Ok(store) => commit(store),
            Err(error) => Err(error.clone()),
        };
        match committed {
            Ok(size) => {
                done += 1;
                // Whatever holds it back, what was printed before an end is what was acknowledged.
                _ = io::stdout().write_all(format!("\nack {size}\n").as_bytes());
            }
            Err(error) => {
                _ = io::stdout().write_all(format!("\nfailed {error:?}\n").as_bytes());
                if !matches!(error, StoreError::Full { .. }) {
                    drop(store);
                    store = open();
                }
            }
        }
    }
}

/// The log's size after one more batch.
pub fn commit(store: &SqliteStore) -> Result<u64, StoreError> {
    let from = store.log_size()?;
    let to = from + BATCH;
    let mut batch: Batch = (from..to).map(|number| Write::Receipt(receipt(number))).collect();
    batch.push(Write::Setting(Setting { name: "size".into(), value: Some(to.to_string()) }));
    store.commit(batch)?;
    Ok(to)
}

/// The log's size that was acknowledged last.
pub fn acknowledged(output: &[u8]) -> u64 {
    // A line without its end may be half a number.
    let whole = output.iter().rposition(|byte| *byte == b'\n').map_or(&[][..], |end| &output[..end]);
    let text = String::from_utf8_lossy(whole);
    text.lines().rev().find_map(|line| line.strip_prefix("ack ")?.parse().ok()).unwrap_or(0)
}

/// Why the store does not hold what was acknowledged, if so. It is opened as an engine would, and takes another batch.
pub fn examine(path: &Path, acknowledged: u64) -> Result<(), String> {
    let store = SqliteStore::open(path).map_err(|error| error.to_string())?;
    let check = || -> Result<(), StoreError> {
        let size = store.log_size()?;
        let wrong = |what: String| Err(StoreError::Conflict { what });
        if size < acknowledged {
            return wrong(format!("{acknowledged} receipts were acknowledged and {size} are there"));
        }
        if !size.is_multiple_of(BATCH) {
            return wrong(format!("{size} receipts are half a batch"));
        }
        for number in 0..size {
            if store.receipt(number)? != Some(receipt(number)) {
                return wrong(format!("receipt {number} is another"));
            }
        }
        if store.setting("size")?.map_or(0, |size| size.parse().unwrap_or(0)) != size {
            return wrong("the setting is of another batch".into());
        }
        commit(&store).map(|_| ())
    };
    check().map_err(|error| error.to_string())?;
    store.close().map_err(|error| error.to_string())?;
    knhk_store::verify(path, &mut |_| Ok(())).map_err(|error| error.to_string())
}
