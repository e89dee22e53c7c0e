//! Runs programs under loom, and has each planted fault found.
//!
//! A fault is planted in a process of its own, because a lost wake-up leaves threads that loom cannot unwind.

use std::fmt::Debug;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

/// A small program; loom runs it in every interleaving.
pub type Program = fn();

/// Which fault this process is to plant, by its name, and which program is to find it.
const FAULT: &str = "KNHK_LOOM_FAULT";
const BY: &str = "KNHK_LOOM_BY";

/// Checks each program, then plants each fault and has one of the programs whose names begin with what is beside it find it. The first of
/// `all` is no fault; each other one must be tried. `preemptions`: how often a thread loses its turn against its will, at most.
/// `KNHK_LOOM_ONLY` names a part of a program's or a fault's name. The test that calls it must be the only one of its name.
pub fn judge<M: Copy + Debug + PartialEq>(
    programs: &[(&str, Program)],
    faults: &[(M, &str)],
    all: &[M],
    plant: fn(M),
    preemptions: usize,
) {
    if let (Ok(fault), Ok(by)) = (std::env::var(FAULT), std::env::var(BY)) {
        plant(*all.iter().find(|known| format!("{known:?}") == fault).expect("the fault is known"));
        let (_, program) = programs.iter().find(|(name, _)| *name == by).expect("the program is known");
        return check(*program, preemptions).map_or_else(|violation| panic!("{violation}"), drop);
    }
    let only = std::env::var("KNHK_LOOM_ONLY").unwrap_or_default();
    let wanted = |name: &str| only.is_empty() || name.contains(&only);
    let started = std::time::Instant::now();
    for (name, program) in programs.iter().filter(|(name, _)| wanted(name)) {
        match check(*program, preemptions) {
            Ok(executions) => println!("{:>6.1?} holds   {name}: {executions} executions", started.elapsed()),
            Err(violation) => panic!("{name}: {violation}"),
        }
    }
    let mut missed = Vec::new();
    for (fault, by) in faults.iter().filter(|(fault, _)| wanted(&format!("{fault:?}"))) {
        let mut near = programs.iter().map(|(name, _)| *name).filter(|name| name.starts_with(by));
        match near.find_map(|name| violation(&format!("{fault:?}"), name).map(|violation| (name, violation))) {
            Some((name, violation)) => println!("{:>6.1?} found   {fault:?} by {name}: {violation}", started.elapsed()),
            None => {
                println!("{:>6.1?} MISSED  {fault:?}", started.elapsed());
                missed.push(*fault);
            }
        }
    }
    assert!(missed.is_empty(), "not found: {missed:?}");
    for fault in &all[1..] {
        assert!(faults.iter().any(|(tried, _)| tried == fault), "{fault:?} is not tried");
    }
}

/// What a program finds in a process with a fault.
fn violation(fault: &str, by: &str) -> Option<String> {
    let test = std::thread::current().name().expect("a test's thread has its name").to_owned();
    let this = std::env::current_exe().expect("this program can be run again");
    let run = Command::new(this).args([&test, "--exact", "--nocapture"]).env(FAULT, fault).env(BY, by).output();
    let run = run.expect("this program can be run again");
    let said = String::from_utf8_lossy(&run.stderr);
    let panicked = said.lines().skip_while(|line| !line.contains("panicked at")).nth(1);
    (!run.status.success()).then(|| panicked.unwrap_or("a violation").to_owned())
}

fn check(program: Program, preemptions: usize) -> Result<usize, String> {
    static EXECUTIONS: AtomicUsize = AtomicUsize::new(0);
    EXECUTIONS.store(0, SeqCst);
    let result = catch_unwind(AssertUnwindSafe(|| {
        let mut builder = loom::model::Builder::new();
        builder.preemption_bound = Some(preemptions);
        builder.max_branches = 5_000;
        builder.check(move || {
            EXECUTIONS.fetch_add(1, SeqCst);
            program();
        });
    }));
    match result {
        Ok(()) => Ok(EXECUTIONS.load(SeqCst)),
        Err(panic) => Err(match panic.downcast::<String>() {
            Ok(text) => text.lines().next().unwrap_or_default().to_string(),
            Err(panic) => panic.downcast_ref::<&str>().copied().unwrap_or("a violation").to_string(),
        }),
    }
}
