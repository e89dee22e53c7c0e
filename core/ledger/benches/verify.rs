//! What verifying a log costs, on one core: one with a million observations under a signature per 1,024, and one whose receipts are
//! signed one by one. Beside it, what signing a receipt costs.

#[path = "../../hot/benches/driver/mod.rs"]
mod driver;

use std::path::Path;
use std::sync::Arc;

use driver::{Program, Sample};
use knhk_ledger::{
    Entry, Evidence, Ledger, Outcome, Signer, TrustRoot, Verified, VerifyOptions, observations_root, verify,
};
use knhk_store::{Batch, MemoryStore, SectorRecord, Segment, SqliteStore, Store, Write};

const OBSERVATIONS: u64 = 1_000_000;
const BATCH: u64 = 1024;
const RECORD: usize = 64;
const RECEIPTS: u64 = 10_000;

fn entry(time_ns: u64, evidence: Evidence) -> Entry {
    Entry { time_ns, sector: Some("orders".into()), outcome: Outcome::Approved, evidence, links: Vec::new() }
}

/// Records as a program appends them: a time, a key, a value, an outcome, and room.
fn records(from: u64, count: u64) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(count as usize * RECORD);
    for n in from..from + count {
        let mut record = [0; RECORD];
        record[..8].copy_from_slice(&(1_700_000_000_000_000_000 + 1_000 * n).to_le_bytes());
        record[8..12].copy_from_slice(&((n % 40) as u32).to_le_bytes());
        record[16..24].copy_from_slice(&(n.wrapping_mul(0x9e37_79b9_7f4a_7c15) % 5_000).to_le_bytes());
        record[24] = u8::from(n % 17 == 0);
        bytes.extend_from_slice(&record);
    }
    bytes
}

fn created(store: Arc<dyn Store>) -> (Ledger, TrustRoot) {
    let signer = Signer::generate().expect("the system has random bytes");
    let (ledger, root) = Ledger::create(store, "bench.example/log", signer, 1).expect("the store is empty");
    let sector = SectorRecord { name: "orders".into(), number: 0, kind: "direct".into(), time_ns: 1 };
    ledger.store().commit(Batch::new().with(Write::Sector(sector))).expect("the name is new");
    (ledger, root)
}

/// A log of observations in a file, and its trust root.
fn observed(folder: &Path) -> (Arc<SqliteStore>, TrustRoot) {
    let store = Arc::new(SqliteStore::open(&folder.join("observed.db")).expect("the store opens"));
    let (ledger, root) = created(store.clone());
    let batches = (0..OBSERVATIONS).step_by(BATCH as usize).enumerate().map(|(segment, from)| {
        let (segment, count) = (segment as u64, BATCH.min(OBSERVATIONS - from));
        let records = records(from, count);
        let batch_root = observations_root(&records, RECORD).expect("the records are whole");
        let (first_ns, last_ns) = (from, from + count);
        let evidence = Evidence::ObservationsIngested {
            segment,
            count,
            record_bytes: RECORD as u64,
            root: batch_root,
            first_ns,
            last_ns,
            refused: 0,
        };
        let content = zstd::bulk::compress(&records, 1).ok();
        let stored = |receipt| Segment {
            number: segment,
            sector: "orders".into(),
            first_ns,
            last_ns,
            count,
            record_bytes: RECORD as u32,
            root: batch_root,
            receipt: Some(receipt),
            content,
        };
        let with = |receipts: &[knhk_ledger::Appended]| Batch::new().with(Write::Segment(stored(receipts[0].number)));
        ledger.submit(vec![entry(first_ns, evidence)], with).expect("the store takes it")
    });
    let pending: Vec<_> = batches.collect();
    pending.into_iter().for_each(|batch| drop(batch.wait().expect("the batch fits")));
    (store, root)
}

fn updated(n: u64) -> Entry {
    let change = format!("max_qty {n}");
    entry(n, Evidence::SectorUpdated { change, by: "desk-1".into(), why: "asked for, ticket 881".into() })
}

fn verified(store: &dyn Store, root: &TrustRoot) -> Verified {
    verify(store, root, VerifyOptions::default(), &mut |_| true).expect("the log is whole")
}

/// Nanoseconds of a round, of `operations` operations, that this thread had the processor: what is asked is the work of one core, and
/// whatever else runs on the machine is no part of it.
fn timed(operations: u64, round: impl FnOnce()) -> Sample {
    let start = processor_time();
    round();
    Sample { ns: (processor_time() - start) as f64 / operations as f64, ..Sample::default() }
}

fn processor_time() -> u64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the clock exists on Linux, and the system writes the time where there is room for it.
    unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &mut time) };
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

fn main() {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("the build's folder is writable");
    let mut program = Program::default();
    // Made when first asked for, because it takes longer than all else.
    let (mut log, path) = (None, folder.path().to_owned());
    program.add("verify_observations", move || {
        let (store, root) = log.get_or_insert_with(|| observed(&path));
        timed(1, || assert_eq!(verified(&**store, root).observations, OBSERVATIONS))
    });
    let mut log = None;
    program.add("verify_receipts", move || {
        let (ledger, root) = log.get_or_insert_with(|| {
            let (ledger, root) = created(Arc::new(MemoryStore::new()));
            ledger.append((0..RECEIPTS).map(updated).collect()).expect("the receipts fit");
            (ledger, root)
        });
        timed(RECEIPTS, || assert_eq!(verified(&**ledger.store(), root).receipts, RECEIPTS + 1))
    });
    let (ledger, _) = created(Arc::new(MemoryStore::new()));
    program.add("append_in_memory", move || {
        timed(1000, || {
            (0..1000).for_each(|n| drop(ledger.append(vec![updated(n)]).expect("the receipt fits")));
        })
    });
    program.run();
}
