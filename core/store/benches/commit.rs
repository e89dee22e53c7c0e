//! What a durable commit costs, beside appending the same statements to a file and flushing it. Making and signing them is no part of it.
//!
//! The file stays open, and grows as a log does: each flush writes its new size too. SQLite's log grows only until it is moved into the
//! database for the first time, then it is written anew from its beginning. A round commits often enough that moving SQLite's log into the database, which happens behind acknowledgements, falls into it as
//! often as it does in the long run.

#[path = "../../hot/benches/driver/mod.rs"]
mod driver;

use std::fs::File;
use std::io::Write as _;
use std::time::Instant;

use driver::{Program, Sample};
use knhk_store::{Batch, Receipt, SqliteOptions, SqliteStore, Store, Write};

/// Bytes of a statement; those of a promotion have about as many.
const STATEMENT: usize = 400;

fn receipt(number: u64) -> Receipt {
    let mut statement = vec![0x5a; STATEMENT];
    statement[..8].copy_from_slice(&number.to_be_bytes());
    let mut leaf = [3; 32];
    leaf[..8].copy_from_slice(&number.to_be_bytes());
    Receipt {
        number,
        id: format!("{:016x}-orders-{number}", 1_700_000_000_000_000_000 + number),
        time_ns: 1_700_000_000_000_000_000 + number,
        sector: Some("orders".into()),
        kind: "snapshot promoted".into(),
        outcome: "approved".into(),
        statement,
        leaf,
    }
}

/// Nanoseconds that each of a round's operations takes on average; `make` is not counted.
fn round<T>(mut make: impl FnMut() -> T, mut operation: impl FnMut(T)) -> Sample {
    let operations: Vec<T> = (0..SqliteOptions::default().commits_per_checkpoint).map(|_| make()).collect();
    let count = operations.len() as f64;
    let start = Instant::now();
    operations.into_iter().for_each(&mut operation);
    Sample { ns: start.elapsed().as_nanos() as f64 / count, ..Sample::default() }
}

fn main() {
    // Where the build is, because what the system keeps in memory flushes nothing.
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("the build's folder is writable");
    let path = folder.path().to_owned();
    let mut program = Program::default();
    for (commit, append, receipts) in [("commit_1", "append_1", 1), ("commit_100", "append_100", 100)] {
        let store = SqliteStore::open(&path.join(commit)).expect("the store opens");
        let mut numbers = 0..;
        program.add(commit, move || {
            let batch =
                || numbers.by_ref().take(receipts).map(|number| Write::Receipt(receipt(number))).collect::<Batch>();
            round(batch, |batch| store.commit(batch).expect("the batch fits"))
        });
        let mut file = File::create(path.join(append)).expect("the build's folder is writable");
        let mut numbers = 0..;
        program.add(append, move || {
            let bytes =
                || numbers.by_ref().take(receipts).flat_map(|number| receipt(number).statement).collect::<Vec<u8>>();
            round(bytes, |bytes| file.write_all(&bytes).and_then(|()| file.sync_data()).expect("the disk takes it"))
        });
    }
    program.run();
}
