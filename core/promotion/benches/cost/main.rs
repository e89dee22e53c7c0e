//! What each operation of the cost model costs: instructions counted by callgrind and held against the constants exactly, ticks of the
//! time-stamp counter measured over batches and held against the statement.
//!
//! ```text
//! cargo bench -p knhk-promotion --bench cost                     both
//! cargo bench -p knhk-promotion --bench cost -- --instructions   the count alone, which is the same on every run
//! ```
//!
//! One JSON line a figure; exit status 1 when a constant is wrong or a statement is missed. The counts are those of the release profile on
//! x86-64; elsewhere, and without valgrind, a line says that they were not checked.

#[cfg(target_arch = "x86_64")]
mod callgrind;
#[cfg(target_arch = "x86_64")]
mod operations;

#[cfg(not(target_arch = "x86_64"))]
fn main() {
    println!("H5: not checked, the cost model is stated for x86-64");
}

#[cfg(target_arch = "x86_64")]
fn main() -> std::process::ExitCode {
    let asked = |flag: &str| std::env::args().any(|argument| argument == flag);
    let Some(fixture) = operations::Fixture::new() else {
        println!("H5: not checked, there is no process-wide barrier here");
        return std::process::ExitCode::SUCCESS;
    };
    if asked(callgrind::COUNTED) || !asked("--bench") {
        // Without `--bench` this was built by `cargo test`, in a profile that the constants do not speak of: no figure is taken.
        fixture.run(3, |_, _| {});
        return std::process::ExitCode::SUCCESS;
    }
    let counted = callgrind::compare();
    let measured = asked("--instructions") || ticks(&fixture);
    if counted && measured { std::process::ExitCode::SUCCESS } else { std::process::ExitCode::FAILURE }
}

/// Prints each operation's ticks and says whether all statements hold.
#[cfg(target_arch = "x86_64")]
fn ticks(fixture: &operations::Fixture) -> bool {
    use std::collections::BTreeMap;

    const BATCHES: usize = 400;
    let mut batches: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    fixture.run(BATCHES, |operation, ticks| batches.entry(operation).or_default().push(ticks));
    let mut median = |operation: &str| {
        let ticks = batches.get_mut(operation).expect("every operation is run");
        ticks.sort_by(f64::total_cmp);
        ticks[ticks.len() / 2]
    };
    let empty = median(operations::LOOP);
    let mut held = true;
    for operation in operations::STATED {
        let ours = (median(operation.name) - if operation.looped { empty } else { 0.0 }).max(0.0) / operation.sectors;
        let stated = operation.ticks;
        println!("{{\"name\":\"H5/{}\",\"ours\":{ours:.2},\"limit\":{stated},\"unit\":\"ticks\"}}", operation.name);
        if ours > f64::from(stated) {
            held = false;
            eprintln!("H5/{}: {ours:.2} ticks, but the cost model states {stated}", operation.name);
        }
    }
    held
}
