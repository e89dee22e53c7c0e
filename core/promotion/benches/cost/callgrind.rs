//! Counting instructions: this program again, under callgrind.

use std::collections::HashMap;
use std::process::{Command, Stdio};

use crate::operations::{LOOP, STATED};

/// Says to the program that it is the one being counted.
pub const COUNTED: &str = "--counted";

/// Counts, prints each figure, and says whether all are what the constants state; true where there is no callgrind.
pub fn compare() -> bool {
    let Some(counts) = count() else { return true };
    let of = |operation: &str| {
        let function = format!("knhk_cost_{operation}");
        let (instructions, calls) =
            counts.get(&function).copied().unwrap_or_else(|| panic!("{function} was not counted"));
        instructions as f64 / calls as f64
    };
    let batch = crate::operations::BATCH as f64;
    let empty = of(LOOP);
    let mut right = true;
    for operation in STATED {
        let all = of(operation.name);
        let ours = if operation.looped { (all - empty) / batch } else { all / operation.sectors };
        let (name, stated) = (operation.name, operation.instructions);
        println!(
            "{{\"name\":\"H5/{name}/instructions\",\"ours\":{ours:.2},\"limit\":{stated},\"unit\":\"instructions\"}}"
        );
        let whole = if operation.looped { ours.round() } else { ours.ceil() };
        if whole as u32 != stated {
            right = false;
            eprintln!("H5/{name}: {ours:.2} instructions counted, {stated} stated in core/promotion/src/cost.rs");
        }
    }
    right
}

/// Instructions, inclusive, and calls of each function of ours.
fn count() -> Option<HashMap<String, (u64, u64)>> {
    let out = std::env::temp_dir().join(format!("knhk-cost-{}.callgrind", std::process::id()));
    let program = std::env::current_exe().expect("a running program has a file");
    let run = Command::new("valgrind")
        .args(["--tool=callgrind", "--compress-strings=no", "--compress-pos=no"])
        .arg(format!("--callgrind-out-file={}", out.display()))
        .arg(program)
        .arg(COUNTED)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .output();
    let run = match run {
        Ok(run) => run,
        Err(error) => {
            println!("H5: instructions not checked, valgrind cannot be run: {error}");
            return None;
        }
    };
    assert!(run.status.success(), "the counted program failed:\n{}", String::from_utf8_lossy(&run.stderr));
    let profile = std::fs::read_to_string(&out).expect("callgrind wrote its profile");
    std::fs::remove_file(&out).expect("the profile is ours");
    Some(parse(&profile))
}

/// Adds up the profile's lines: `fn=` begins a function's own costs, `calls=` says that the next line is the inclusive cost of what it calls.
fn parse(profile: &str) -> HashMap<String, (u64, u64)> {
    let ours = |name: &str| name.split("::").find(|part| part.starts_with("knhk_cost_")).map(str::to_owned);
    let mut counts: HashMap<String, (u64, u64)> = HashMap::new();
    let (mut function, mut called) = (None, None);
    for line in profile.lines() {
        if let Some(name) = line.strip_prefix("fn=") {
            function = ours(name);
        } else if let Some(name) = line.strip_prefix("cfn=") {
            called = ours(name);
        } else if let Some(calls) = line.strip_prefix("calls=") {
            let calls: u64 = calls.split(' ').next().and_then(|calls| calls.parse().ok()).expect("a count of calls");
            if let Some(name) = called.take() {
                counts.entry(name).or_default().1 += calls;
            }
        } else if let (Some(name), Some(cost)) = (&function, cost(line)) {
            counts.entry(name.clone()).or_default().0 += cost;
        }
    }
    counts
}

/// The instructions of a line `position instructions`, if it is one.
fn cost(line: &str) -> Option<u64> {
    line.split_once(' ')?.1.trim().parse().ok()
}
