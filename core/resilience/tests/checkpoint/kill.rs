//! A process that is killed while it takes checkpoints: what it acknowledged is there, whole.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use knhk_resilience::checkpoint::{Checkpoints, Settings};

use crate::{Bytes, Random, open, store};

const PATH: &str = "KNHK_CHECKPOINT_PATH";
const IN_STORE: &str = "KNHK_CHECKPOINT_IN_STORE";

/// The state of a number: nothing that compresses, so that a full checkpoint takes a while to write. Some of it changes from one to the next,
/// and it grows and shrinks.
fn state(number: u64) -> Vec<u8> {
    let mut random = Random(1);
    let mut state: Vec<u8> = (0..60_000 + number % 7 * 100).flat_map(|_| random.next().to_le_bytes()).collect();
    let at = (number as usize * 997) % 19_000;
    state[at..at + 8].copy_from_slice(&number.to_le_bytes());
    state[..8].copy_from_slice(&number.to_le_bytes());
    state
}

/// Checkpoints in the folder itself, or in a store there.
fn checkpoints(path: &Path, in_store: bool) -> (Checkpoints, Arc<Bytes>) {
    let settings = Settings { chain: 4, ..Settings::default() };
    let checkpoints = if in_store { store::open(path, settings) } else { open(path, settings) };
    let component = Arc::new(Bytes::default());
    checkpoints.add("state", component.clone()).unwrap();
    (checkpoints, component)
}

/// Takes checkpoints for ever, and says the number of each.
#[test]
#[ignore = "the process that the other test kills"]
fn child() {
    let Ok(path) = std::env::var(PATH) else { return };
    let (checkpoints, component) = checkpoints(Path::new(&path), std::env::var(IN_STORE).is_ok());
    // One goes on where the one before was killed.
    let _ = checkpoints.restore();
    let first = checkpoints.list().unwrap().last().map_or(0, |last| last.number) + 1;
    for next in first.. {
        component.set(&state(next));
        let taken = checkpoints.take().unwrap();
        assert_eq!(taken.number, next);
        let _ = std::io::stdout().write_all(format!("\nack {next}\n").as_bytes());
    }
}

#[test]
fn a_kill_at_any_moment_leaves_a_good_one_in_a_folder() {
    kill(false);
}

#[test]
fn a_kill_at_any_moment_leaves_a_good_one_in_a_store() {
    kill(true);
}

fn kill(in_store: bool) {
    let rounds = std::env::var("KNHK_KILL_ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(if in_store {
        10
    } else {
        25
    });
    // On the disk, and the same folder all along.
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let mut seed = Instant::now().elapsed().as_nanos() as u64 ^ u64::from(std::process::id()) | 1;
    let mut last = 0;
    for round in 0..rounds {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "kill::child", "--ignored", "--nocapture", "--test-threads=1"]);
        if in_store {
            command.env(IN_STORE, "1");
        }
        let mut child = command.env(PATH, folder.path()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let mut said = Vec::new();
        // Every other one comes to take a checkpoint; the others may be killed while they restore, or before.
        while round % 2 == 0 && !said.windows(4).any(|window| window == b"ack ") {
            assert!(output.read_until(b'\n', &mut said).unwrap() > 0, "round {round}: the child ended by itself");
        }
        let reader = std::thread::spawn(move || {
            output.read_to_end(&mut said).unwrap();
            said
        });
        // The moment is random; nothing is waited for.
        std::thread::sleep(Duration::from_micros(seed >> 32 & 0x7fff));
        child.kill().unwrap();
        child.wait().unwrap();
        let said = reader.join().unwrap();
        // A line without its end may be half a number.
        let whole = said.iter().rposition(|byte| *byte == b'\n').map_or(&[][..], |end| &said[..end]);
        let text = String::from_utf8_lossy(whole);
        let acknowledged = text.lines().rev().find_map(|line| line.strip_prefix("ack ")?.parse().ok()).unwrap_or(last);
        if acknowledged == 0 {
            continue;
        }
        let (checkpoints, component) = checkpoints(folder.path(), in_store);
        let restored = checkpoints.restore().unwrap();
        assert_eq!(restored.skipped, [], "round {round}: each that is there is whole");
        assert!(restored.number >= acknowledged, "round {round}: {acknowledged} was acknowledged: {restored:?}");
        assert!(component.now() == state(restored.number), "round {round}: {restored:?}");
        last = acknowledged;
    }
    assert!(last > 0, "no child came to acknowledge anything");
    println!("{rounds} kills, {last} checkpoints acknowledged");
}
