//! Reads without end, checked: no torn, no freed, no stale-after-acknowledge value may ever be seen.
//!
//! `cargo run --release -p knhk-hot --example soak -- --reads 1e9` proves the product's own build. With `--features mutants` the same
//! program delays its threads between the protocol's steps, poisons freed roots, and can have faults planted: `--mutant no-barrier`,
//! or `--mutant all`, which runs each in a process of its own and fails if one is not caught.
//!
//! ThreadSanitizer understands the fences' mode, which needs no barrier that it cannot see:
//! `RUSTC_BOOTSTRAP=1 RUSTFLAGS="--cfg tsan -Zsanitizer=thread -Cunsafe-allow-abi-mismatch=sanitizer" cargo run --release -p knhk-hot
//! --features mutants --example soak --target x86_64-unknown-linux-gnu --target-dir target/tsan -- --fence --reads 1e7`. Its control is
//! the same with `--mutant slow-root-relaxed`, which it must report.

#[cfg(feature = "mutants")]
mod plant;
mod read;
mod work;

use std::process::ExitCode;
use std::time::Duration;

use knhk_hot::BarrierChoice;
use work::Plan;

const USAGE: &str = "usage: soak [--reads N] [--threads N] [--seconds N] [--fence] [--mutant NAME|all]";

struct Arguments {
    plan: Plan,
    mutant: Option<String>,
}

fn arguments() -> Option<Arguments> {
    let mut plan =
        Plan { reads: 100_000_000, threads: 4, barrier: BarrierChoice::Auto, limit: Duration::from_secs(3600) };
    let mut mutant = None;
    let mut given = std::env::args().skip(1);
    while let Some(name) = given.next() {
        match name.as_str() {
            "--reads" => plan.reads = given.next()?.parse::<f64>().ok()? as u64,
            "--threads" => plan.threads = given.next()?.parse().ok().filter(|&threads| threads > 0)?,
            "--seconds" => plan.limit = Duration::from_secs(given.next()?.parse().ok()?),
            "--fence" => plan.barrier = BarrierChoice::Fence,
            "--mutant" => mutant = Some(given.next()?),
            _ => return None,
        }
    }
    Some(Arguments { plan, mutant })
}

fn main() -> ExitCode {
    let Some(Arguments { plan, mutant }) = arguments() else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    #[cfg(feature = "mutants")]
    match mutant.as_deref() {
        Some("all") => return plant::all(plan),
        name => {
            if !plant::one(name.unwrap_or("none")) {
                eprintln!("{USAGE}\nno such fault");
                return ExitCode::from(2);
            }
        }
    }
    #[cfg(not(feature = "mutants"))]
    if mutant.is_some() {
        eprintln!("faults are planted in a build with `--features mutants`");
        return ExitCode::from(2);
    }
    let started = std::time::Instant::now();
    let outcome = work::run(plan);
    println!("{outcome} in {:.1} s", started.elapsed().as_secs_f64());
    match outcome.violation {
        None => ExitCode::SUCCESS,
        Some(violation) => {
            println!("violation: {violation}");
            ExitCode::FAILURE
        }
    }
}
