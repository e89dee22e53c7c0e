//! Faults, and delays between the protocol's steps.

use std::cell::Cell;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, ExitCode};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use knhk_hot::mutant::{self, Mutant, Step};

use crate::read::random;
use crate::work::Plan;

/// What this program can show on x86-64 with two processors. The loom models find the others: a relaxed order is the same instruction
/// here, and a barrier that comes too early needs a promoter, a reclaimer and a reader that run at the same time.
const FOUND_HERE: &[(Mutant, Fences)] = &[
    (Mutant::NoBarrier, Fences::No),
    (Mutant::FenceOnWriterOnly, Fences::No),
    (Mutant::NoValidation, Fences::No),
    (Mutant::PinAfterRoot, Fences::No),
    (Mutant::NestedForgetsOuter, Fences::No),
    (Mutant::CandidateKept, Fences::No),
    (Mutant::AckEarly, Fences::No),
    (Mutant::BoundsIgnored, Fences::No),
    (Mutant::HoldsFirst, Fences::No),
    (Mutant::SequenceFirst, Fences::No),
    (Mutant::HeadFirst, Fences::No),
    (Mutant::EpochFirst, Fences::Yes),
    (Mutant::BoundBelow, Fences::Yes),
    (Mutant::SlowUnfenced, Fences::Yes),
    (Mutant::QuiescentUnfenced, Fences::Yes),
];

/// Whether the readers fence for themselves, which is where the fault lies.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fences {
    No,
    Yes,
}

#[repr(align(128))]
struct Line(AtomicU64);

/// As many as a processor's store buffer has room for, and a few of them left over for the pin.
static LINES: [Line; 48] = [const { Line(AtomicU64::new(0)) }; 48];

/// Has the next stores of this thread seen late: they wait behind stores to lines that come from memory, and that others want too.
fn clog(value: u64) {
    #[cfg(target_arch = "x86_64")]
    for line in &LINES {
        // SAFETY: any address may be flushed.
        unsafe { core::arch::x86_64::_mm_clflush((&raw const *line).cast()) };
    }
    for line in &LINES {
        line.0.store(value, Relaxed);
    }
}

/// Waits without storing anything.
fn linger(rounds: u64) {
    for _ in 0..rounds {
        std::hint::spin_loop();
    }
}

thread_local! {
    /// The state of the random numbers, and whether this thread's pin or bound is on its way through clogged stores.
    static STATE: Cell<(u64, bool)> = const { Cell::new((0, false)) };
}

fn delay(step: Step) {
    STATE.with(|state| {
        let (mut seed, mut clogged) = state.get();
        if seed == 0 {
            seed = state.as_ptr().addr() as u64 | 1;
        }
        let dice = random(&mut seed);
        let one_in = |n: u64| (dice >> 32).is_multiple_of(n);
        match step {
            Step::GateLoaded | Step::BoundLoaded if one_in(32) => clogged = true,
            Step::GateLoaded | Step::BoundLoaded | Step::Begin => clogged = false,
            _ => {}
        }
        // Before the work, because a store behind clogged ones would wait in turn.
        state.set((seed, clogged));
        match step {
            Step::GateLoaded | Step::BoundLoaded if clogged => clog(dice),
            Step::RootLoaded | Step::SlowPinned | Step::QuiescentRoot if clogged => linger(dice & 63),
            // Where a fault leaves a gap that another thread must come through, the thread may lose its processor.
            Step::Slow if one_in(128) => std::thread::yield_now(),
            Step::GateLoaded | Step::RootLoaded | Step::SlowRootLoaded if one_in(512) => {
                std::thread::yield_now();
            }
            Step::Publishing if one_in(4) => clog(dice),
            Step::Publishing | Step::Copying | Step::Appending if one_in(16) => std::thread::yield_now(),
            Step::Scanning if one_in(16) => std::thread::yield_now(),
            _ if one_in(1024) => linger(dice & 63),
            _ if one_in(8192) => std::thread::yield_now(),
            _ => {}
        }
    });
}

/// Plants the fault of this name; false where there is none.
pub fn one(name: &str) -> bool {
    let found = Mutant::ALL.iter().find(|(_, known, _)| *known == name);
    if let Some((fault, _, _)) = found {
        mutant::hook(delay);
        mutant::plant(*fault);
    }
    found.is_some()
}

/// Runs the faithful protocol, and then each fault in a process of its own, since what reads freed memory may well crash.
pub fn all(plan: Plan) -> ExitCode {
    let program = std::env::current_exe().expect("this program has a file");
    let run = |name: &str, fences: Fences| {
        let mut command = Command::new(&program);
        command.args(["--mutant", name, "--reads", &plan.reads.to_string(), "--threads", &plan.threads.to_string()]);
        command.args(["--seconds", &plan.limit.as_secs().min(60).to_string()]);
        if fences == Fences::Yes {
            command.arg("--fence");
        }
        let started = std::time::Instant::now();
        let output = command.output().expect("this program runs");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let violation = text.lines().find_map(|line| line.strip_prefix("violation: ")).map(str::to_string);
        let signal =
            output.status.signal().map(|signal| format!("killed by signal {signal}, as a read of unmapped memory is"));
        (output.status.success(), violation.or(signal).unwrap_or_default(), started.elapsed())
    };
    let mut as_expected = true;
    for fences in [Fences::No, Fences::Yes] {
        let (success, what, time) = run("none", fences);
        let mode = if fences == Fences::Yes { "fences" } else { "barrier" };
        println!("{:<24} {:<8} {:>6.1?}  {}", "none", mode, time, if success { "holds" } else { &what });
        as_expected &= success;
    }
    for (fault, fences) in FOUND_HERE {
        let (_, name, does) = Mutant::ALL.iter().find(|(known, _, _)| known == fault).expect("each fault has a name");
        let (success, what, time) = run(name, *fences);
        println!("{name:<24} {:<8} {time:>6.1?}  {does}: {what}", if success { "MISSED" } else { "caught" });
        as_expected &= !success;
    }
    if as_expected { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
