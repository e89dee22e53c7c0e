//! What a durable commit costs, beside writing the same bytes to a file and flushing it. Signing is no part of it.
//!
//! A round commits often enough that moving SQLite's log into the database, which happens behind acknowledgements, falls into it as
//! often as it does in the long run.

#[path = "../../hot/benches/driver/mod.rs"]
mod driver;

use std::fs::File;
use std::io::Write as _;
use std::path::Path;
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

/// Nanoseconds that each of a round's operations takes on average.
fn round(mut operation: impl FnMut()) -> Sample {
    let operations = SqliteOptions::default().commits_per_checkpoint;
    let start = Instant::now();
    (0..operations).for_each(|_| operation());
    Sample { ns: start.elapsed().as_nanos() as f64 / f64::from(operations), ..Sample::default() }
}

fn main() {
    // Where the build is, because what the system keeps in memory flushes nothing.
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("the build's folder is writable");
    let path = folder.path().to_owned();
    let mut program = Program::default();
    for (commit, append, receipts) in [("commit_1", "append_1", 1), ("commit_100", "append_100", 100)] {
        let store = SqliteStore::open(&path.join(commit)).expect("the store opens");
        let mut next = 0;
        program.add(commit, move || {
            round(|| {
                let from = next;
                let batch: Batch = (from..from + receipts).map(|number| Write::Receipt(receipt(number))).collect();
                store.commit(batch).expect("the batch fits");
                next += receipts;
            })
        });
        program.add(append, append_to(&path.join(append), receipts));
    }
    program.run();
}

fn append_to(path: &Path, receipts: u64) -> impl FnMut() -> Sample + use<> {
    let mut file = File::create(path).expect("the build's folder is writable");
    let mut next = 0;
    move || {
        round(|| {
            let bytes: Vec<u8> = (next..next + receipts).flat_map(|number| receipt(number).statement).collect();
            next += receipts;
            file.write_all(&bytes).and_then(|()| file.sync_data()).expect("the disk takes it");
        })
    }
}
