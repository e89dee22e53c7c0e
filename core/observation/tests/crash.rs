//! A kill at any moment: what was flushed is there after it, under receipts that verify, and observing goes on.
#![cfg(target_os = "linux")]

use std::io::{BufRead, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use knhk_hot::Observed;
use knhk_ledger::TrustRoot;
use knhk_observation::Settings;
use knhk_store::{SqliteStore, Store};
use world::{World, append, order};

#[path = "observation/world.rs"]
mod world;

const FOLDER: &str = "KNHK_CRASH_FOLDER";

/// Not a test: what the other runs in a process of its own, and kills.
#[test]
#[ignore = "run by the other"]
fn child() {
    let Ok(folder) = std::env::var(FOLDER) else { return };
    let world = open(Path::new(&folder));
    let mut settings = Settings::default();
    settings.segment_records = 500;
    settings.seal_after = Duration::from_millis(5);
    let monitor = world.monitor(settings);
    let from = world.held().len() as u64;
    thread::scope(|scope| {
        // Another producer, whose observations are anywhere on their way.
        scope.spawn(|| {
            let reader = world.reader();
            for n in 0.. {
                append(&reader, Observed { subject: 2, ..order(n) });
            }
        });
        let reader = world.reader();
        for n in 0.. {
            append(&reader, Observed { subject: 1, detail: from, ..order(n) });
            if n % 100 == 99 {
                monitor.flush().unwrap();
                // Acknowledged: of this run, so many of the first producer's.
                _ = std::io::stdout().write_all(format!("\nack {} {from}\n", n + 1).as_bytes());
            }
        }
    });
}

/// The world in a folder, which is made when it is new.
fn open(folder: &Path) -> World {
    let store: Arc<dyn Store> = Arc::new(SqliteStore::open(&folder.join("store.sqlite")).unwrap());
    let root = folder.join("trust-root");
    match std::fs::read_to_string(&root) {
        Ok(text) => World::open(store, text.parse::<TrustRoot>().unwrap(), 256),
        Err(_) => {
            let world = World::new(store, 256);
            std::fs::write(&root, world.root.to_string()).unwrap();
            world
        }
    }
}

#[test]
fn a_kill_at_any_moment_loses_nothing_that_was_acknowledged() {
    let rounds: u64 = std::env::var("KNHK_KILL_ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(10);
    let folder = tempfile::tempdir().unwrap();
    drop(open(folder.path()));
    for round in 0..rounds {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "child", "--ignored", "--nocapture", "--test-threads=1"]);
        command.env(FOLDER, folder.path()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        // Killed at another moment each time: after so many acknowledgements, and then some.
        let mut acks = (&mut lines).map_while(Result::ok).filter_map(acknowledged);
        let mut last = acks.nth(1 + (round % 5) as usize).expect("the child acknowledges");
        let spins = round.wrapping_mul(0x9e37_79b9) % 200_000;
        (0..spins).for_each(|_| std::hint::spin_loop());
        child.kill().unwrap();
        child.wait().unwrap();
        last = acks.last().unwrap_or(last);

        let world = open(folder.path());
        let (count, run) = last;
        let held = world.held();
        let kept = held.iter().filter(|record| record.subject == 1 && record.detail == run);
        let sequences: Vec<u64> = kept.map(|record| record.sequence).collect();
        assert!(sequences.len() as u64 >= count, "{count} were acknowledged and {} are there", sequences.len());
        assert!(sequences.iter().zip(0..).all(|(found, expected)| *found == expected), "in order, without a gap");
        assert_eq!(world.verified().observations, held.len() as u64);
        world.store.close().unwrap();
    }
}

fn acknowledged(line: String) -> Option<(u64, u64)> {
    let (count, run) = line.strip_prefix("ack ")?.split_once(' ')?;
    Some((count.parse().ok()?, run.parse().ok()?))
}
