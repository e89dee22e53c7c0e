//! How often measuring errs while the machine is busy: an unchanged candidate that is refused, and a planted slowdown that is not.
//!
//! Two threads compute and two others walk through memory all the while, on however many cores there are. One JSON line a figure.

#[path = "../../tests/common/mod.rs"]
mod common;

use std::hint::black_box;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use common::Sector;
use knhk_governance::{Decision, Stage, Workload};

const UNCHANGED: u32 = 1000;
const PLANTED: u32 = 400;
/// Operations of the measured work; the planted one does a fifth more.
const WORK: u64 = 200;

fn main() -> ExitCode {
    let stop = Arc::new(AtomicBool::new(false));
    let busy: Vec<_> = (0..4).map(|number| busy(number, stop.clone())).collect();
    let unchanged = runs(UNCHANGED, 0);
    let planted = runs(PLANTED, WORK / 5);
    stop.store(true, Ordering::Relaxed);
    for thread in busy {
        thread.join().expect("it only computes");
    }
    let share = |count: u32, of: u32| 100.0 * f64::from(count) / f64::from(of);
    let refused = share(unchanged.iter().filter(|run| run.refused).count() as u32, UNCHANGED);
    let missed = share(planted.iter().filter(|run| !run.refused).count() as u32, PLANTED);
    let pairs = |runs: &[Run]| {
        let mut pairs: Vec<u64> = runs.iter().map(|run| run.pairs).collect();
        pairs.sort_unstable();
        (pairs[pairs.len() / 2], pairs[pairs.len() - 1])
    };
    let undecided = unchanged.iter().chain(&planted).filter(|run| run.undecided).count();
    eprintln!(
        "K4: pairs of the unchanged {:?}, of the planted {:?} (median, most); {undecided} undecided",
        pairs(&unchanged),
        pairs(&planted)
    );
    let figures = [
        (
            "K4/unchanged_refused",
            refused,
            1.0,
            "on a busy machine an unchanged candidate is refused at most once in 100 runs",
        ),
        ("K4/slower_by_20_missed", missed, 5.0, "a planted slowdown of 20 % is refused at least 95 times in 100"),
    ];
    for (name, ours, limit, text) in figures {
        println!("{{\"name\":\"{name}\",\"ours\":{ours:.2},\"limit\":{limit},\"unit\":\"%\",\"text\":\"{text}\"}}");
    }
    if figures.iter().all(|(_, ours, limit, _)| ours <= limit) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

struct Run {
    refused: bool,
    undecided: bool,
    pairs: u64,
}

/// The performance stage, again and again, over a candidate whose work takes `more` operations more.
fn runs(count: u32, more: u64) -> Vec<Run> {
    let json =
        r#"{"max_qty": {"$value": 1000, "$min": 1, "$max": 5000}, "share": 0.5, "venues": ["XPAR"], "open": true}"#;
    let mut sector = Sector::new(json);
    let run = |_| {
        let candidate = sector.to(&json.replace("1000", "1400"));
        let slower = candidate.snapshot.id();
        let run = move |view: &knhk_hot::Hold| {
            let rounds = if view.snapshot_id(0) == slower { WORK + more } else { WORK };
            (0..rounds).fold(0, |sum: u64, round| black_box(sum.rotate_left(5) ^ round))
        };
        sector.workloads = vec![Workload::new("decide", run)];
        let report = sector.run(&candidate);
        let stage = &report.stages[Stage::Performance as usize];
        let decisions = |decision: Decision| {
            let word = serde_json::to_value(decision).expect("a decision is a word");
            ["read", "lookup", "decide"].iter().any(|work| stage.evidence[*work]["decision"] == word)
        };
        let pairs = stage.evidence["decide"]["pairs"].as_u64().unwrap_or(0);
        Run { refused: !stage.findings.is_empty(), undecided: decisions(Decision::Undecided), pairs }
    };
    (0..count).map(run).collect()
}

fn busy(number: usize, stop: Arc<AtomicBool>) -> std::thread::JoinHandle<()> {
    std::thread::spawn(move || {
        let mut memory = vec![1_u64; if number.is_multiple_of(2) { 1 << 10 } else { 1 << 22 }];
        let mut at = number;
        while !stop.load(Ordering::Relaxed) {
            for _ in 0..10_000 {
                at = (at.wrapping_mul(0x5851_f42d) + 1) & (memory.len() - 1);
                memory[at] = memory[at].wrapping_mul(31) ^ at as u64;
            }
        }
        black_box(memory);
    })
}
