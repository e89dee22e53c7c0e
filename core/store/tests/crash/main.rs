//! Nothing that was acknowledged is lost: not by a kill, not by a power cut after any file operation, not by any operation that fails.
#![cfg(target_os = "linux")]

mod child;
mod copies;
mod faults;
mod power;

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use child::{Task, acknowledged, command, examine};
use power::{Unflushed, cut, lay_out, operations};
use tempfile::TempDir;

/// Not a test: what the others run in a process of its own.
#[test]
#[ignore = "run by the others"]
fn child() {
    child::body();
}

/// A folder in memory where there is one: the disk's own speed is no part of these.
fn folder() -> TempDir {
    let shared = Path::new("/dev/shm");
    if shared.is_dir() { tempfile::tempdir_in(shared) } else { tempfile::tempdir() }.unwrap()
}

/// The shim, built once a process.
fn shim() -> &'static Path {
    static SHIM: OnceLock<PathBuf> = OnceLock::new();
    SHIM.get_or_init(|| {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/crash/shim.c");
        let library = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("shim-{}.so", std::process::id()));
        let built = Command::new("gcc")
            .args(["-std=gnu11", "-O1", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-o"])
            .args([&library, &source])
            .args(["-ldl", "-lpthread"])
            .status();
        assert!(built.expect("gcc runs").success(), "the shim builds");
        library
    })
}

/// The child under the shim.
fn shimmed(folder: &Path, task: Task) -> Command {
    let mut command = command(&folder.join("store.db"), task);
    command.env("LD_PRELOAD", shim()).env("KNHK_FAULT_FOLDER", fs::canonicalize(folder).unwrap());
    command
}

/// What the child did to its files, and when it acknowledged.
fn recorded(task: Task, without_sync: Option<&str>) -> Vec<power::Operation> {
    let (store, beside) = (folder(), folder());
    task.prepare(store.path());
    let log = beside.path().join("operations");
    let mut command = shimmed(store.path(), task);
    command.env("KNHK_FAULT_LOG", &log);
    if let Some(suffix) = without_sync {
        command.env("KNHK_FAULT_NO_SYNC", suffix);
    }
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    operations(&fs::read(log).unwrap())
}

/// The first power cut that loses what was acknowledged, if one does; `examine` gets the folder as it is then, and what was printed.
fn first_loss(
    operations: &[power::Operation],
    torn: bool,
    examine: impl Fn(&Path, &[u8]) -> Result<(), String>,
) -> Option<String> {
    let mut said = Vec::new();
    for end in 0..=operations.len() {
        if let Some(operation) = end.checked_sub(1).map(|last| &operations[last]).filter(|last| last.kind == b'a') {
            said.extend_from_slice(&operation.data);
        }
        let seeds = if torn { 1..4 } else { 0..0 };
        for unflushed in [Unflushed::Dropped].into_iter().chain(seeds.map(|n| Unflushed::Torn(n * 7919 + end as u64))) {
            let folder = folder();
            lay_out(&cut(&operations[..end], unflushed), folder.path());
            if let Err(why) = examine(folder.path(), &said) {
                return Some(format!("after operation {end} of {}, {unflushed:?}: {why}", operations.len()));
            }
        }
    }
    None
}

const COMMITS: Task = Task::Commit(12);

fn holds_what_was_acknowledged(folder: &Path, said: &[u8]) -> Result<(), String> {
    examine(&folder.join("store.db"), acknowledged(said))
}

#[test]
fn a_power_cut_after_any_operation_loses_nothing() {
    let operations = recorded(COMMITS, None);
    let flushes = operations.iter().filter(|operation| matches!(operation.kind, b's' | b'd')).count();
    assert!(operations.len() > 100 && flushes > 12, "{} operations, {flushes} flushes", operations.len());
    // The build's setting, without which each commit would flush the file's times too.
    let of_times = |operation: &&power::Operation| operation.kind == b's' && operation.path.ends_with("-wal");
    assert_eq!(operations.iter().filter(of_times).count(), 0, "SQLite was built without .cargo/config.toml");
    assert_eq!(first_loss(&operations, true, holds_what_was_acknowledged), None);
}

/// Were a flush left out, the test above would say so: of SQLite's log, of the database, of everything.
#[test]
fn a_build_without_a_flush_is_found_out() {
    for missing in ["-wal", "store.db", "*"] {
        let loss = first_loss(&recorded(COMMITS, Some(missing)), false, holds_what_was_acknowledged);
        assert!(loss.is_some(), "without the flushes of {missing} nothing was lost");
        println!("without the flushes of {missing}: {}", loss.unwrap_or_default());
    }
}

#[test]
fn a_power_cut_spares_copies() {
    let operations = recorded(Task::Copy, None);
    assert!(operations.len() > 20, "{} operations", operations.len());
    assert_eq!(first_loss(&operations, true, copies::examine), None);
}

#[test]
fn copies_that_are_not_flushed_are_found_out() {
    for missing in ["copy.db", "restored.db.restoring", "*"] {
        let loss = first_loss(&recorded(Task::Copy, Some(missing)), false, copies::examine);
        assert!(loss.is_some(), "without the flushes of {missing} nothing was lost");
    }
}

/// Rounds of the kill test: KNHK_KILL_ROUNDS, or 50.
#[test]
fn a_kill_at_any_moment_loses_nothing() {
    let rounds: u64 = std::env::var("KNHK_KILL_ROUNDS").ok().map_or(50, |rounds| rounds.parse().unwrap());
    // On the disk, and the same store all along: each round goes on where the one before was killed.
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let path = folder.path().join("store.db");
    let mut seed = Instant::now().elapsed().as_nanos() as u64 ^ u64::from(std::process::id()) | 1;
    let mut sizes = Vec::new();
    for round in 0..rounds {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let mut child = command(&path, Task::Commit(u64::MAX / 8)).spawn().unwrap();
        let mut output = child.stdout.take().unwrap();
        let (acknowledges, acknowledged_one) = std::sync::mpsc::channel();
        let reader = std::thread::spawn(move || {
            let (mut said, mut piece) = (Vec::new(), [0; 4096]);
            loop {
                let read = output.read(&mut piece).unwrap();
                said.extend_from_slice(&piece[..read]);
                if acknowledged(&said) > 0 {
                    _ = acknowledges.send(());
                }
                if read == 0 {
                    return said;
                }
            }
        });
        // The moment is random: after the child's beginning, or after its first acknowledgement, however busy the machine is.
        if round % 2 == 1 {
            acknowledged_one.recv().unwrap();
        }
        std::thread::sleep(Duration::from_micros(seed >> 32 & 0x7fff));
        child.kill().unwrap();
        child.wait().unwrap();
        let said = acknowledged(&reader.join().unwrap());
        if let Err(why) = examine(&path, said) {
            panic!("round {round}, {said} acknowledged: {why}");
        }
        sizes.push(said);
    }
    assert!(sizes.iter().any(|size| *size > 0), "no child came to acknowledge anything");
    println!("{rounds} kills, {} receipts acknowledged", sizes.iter().max().unwrap());
}
