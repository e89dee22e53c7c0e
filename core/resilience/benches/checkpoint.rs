//! What a checkpoint of a 10 MB state costs the processor, of which a hundredth has changed: user and system time of the whole process.
//!
//! The states are records of 64 bytes, as a table of orders has them: a number, a price, a quantity, a time, a name. What changes is a hundredth
//! of the records, each anywhere, or in runs of 16.

#[path = "../../hot/benches/driver/mod.rs"]
mod driver;

use std::io::Write;
use std::sync::{Arc, Mutex};

use driver::{Program, Sample, median};
use knhk_resilience::checkpoint::{Checkpoints, Folder, Key, Settings, Stateful};
use knhk_resilience::{Random, Scope};

const RECORD: usize = 64;
const RECORDS: usize = 10_000_000 / RECORD;
/// Checkpoints of a round, of which the median counts.
const TAKES: usize = 5;

struct Table(Mutex<Vec<u8>>);

impl Stateful for Table {
    fn save(&self, to: &mut dyn Write) -> Result<(), String> {
        let state = self.0.lock().map_err(|error| error.to_string())?;
        to.write_all(&state).map_err(|error| error.to_string())
    }

    fn load(&self, _: &[u8]) -> Result<(), String> {
        Err("this only saves".into())
    }
}

impl Table {
    fn record(random: &Random, number: usize) -> [u8; RECORD] {
        let mut record = [0; RECORD];
        record[..8].copy_from_slice(&(number as u64).to_le_bytes());
        record[8..16].copy_from_slice(&(100.0 + random.unit()).to_le_bytes());
        record[16..24].copy_from_slice(&random.between(1, 1000).to_le_bytes());
        record[24..32].copy_from_slice(&(1_700_000_000_000_000_000 + random.between(0, 1 << 40)).to_le_bytes());
        record[32..44].copy_from_slice(format!("desk-{:07}", random.between(0, 200)).as_bytes());
        record
    }

    /// Changes a hundredth of the records, in runs of so many.
    fn change(&self, random: &Random, run: usize) {
        let mut state = self.0.lock().expect("nobody panics with it");
        for _ in 0..RECORDS / 100 / run {
            let first = random.between(0, (RECORDS - run) as u64) as usize;
            for number in first..first + run {
                state[number * RECORD..][..RECORD].copy_from_slice(&Table::record(random, number));
            }
        }
    }
}

/// Processor time of the process so far, in nanoseconds.
fn processor_ns() -> f64 {
    let mut usage = std::mem::MaybeUninit::<libc::rusage>::uninit();
    // SAFETY: the call fills the structure that it is given, which is checked by its result.
    let usage = unsafe {
        assert_eq!(libc::getrusage(libc::RUSAGE_SELF, usage.as_mut_ptr()), 0);
        usage.assume_init()
    };
    [usage.ru_utime, usage.ru_stime].iter().map(|time| time.tv_sec as f64 * 1e9 + time.tv_usec as f64 * 1e3).sum()
}

/// Rounds of checkpoints of a table in a folder of its own.
fn takes(full: bool, run: usize, keys: Vec<Key>) -> impl FnMut() -> Sample {
    // Where the build is, because what the system keeps in memory costs nothing to write.
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("the build's folder is writable");
    let random = Random::new(1);
    let table = Arc::new(Table(Mutex::new((0..RECORDS).flat_map(|number| Table::record(&random, number)).collect())));
    let settings = Settings { chain: u32::MAX, keys, ..Settings::default() };
    let backend = Folder::open(folder.path()).expect("the folder is new");
    let checkpoints =
        Checkpoints::open("bench", backend, settings, &Scope::default()).expect("the settings are in range");
    checkpoints.add("table", table.clone()).expect("there is no other");
    checkpoints.take().expect("the disk takes it");
    move || {
        let _keep = &folder;
        let mut spent: Vec<f64> = (0..TAKES)
            .map(|_| {
                table.change(&random, run);
                let before = processor_ns();
                let taken = if full { checkpoints.take_full() } else { checkpoints.take() };
                assert_eq!(taken.expect("the disk takes it").full, full);
                processor_ns() - before
            })
            .collect();
        Sample { ns: median(&mut spent), ..Sample::default() }
    }
}

fn main() {
    let key = || vec![Key::new([7; 32])];
    let mut program = Program::default();
    program.add("checkpoint_scattered", takes(false, 1, Vec::new()));
    program.add("checkpoint_runs", takes(false, 16, Vec::new()));
    program.add("checkpoint_full", takes(true, 1, Vec::new()));
    program.add("checkpoint_scattered_encrypted", takes(false, 1, key()));
    program.add("checkpoint_full_encrypted", takes(true, 1, key()));
    program.run();
}
