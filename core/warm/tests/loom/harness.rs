//! Runs programs under loom, and has each planted fault found.

use std::fmt::Debug;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

/// A small program; loom runs it in every interleaving.
pub type Program = fn();

/// Checks each program, then plants each fault and has one of the programs beside it find it. The first of `all` is no fault; each other
/// one must be tried. `preemptions`: how often a thread loses its turn against its will, at most. One test for all, because a planted fault is the process's. `KNHK_LOOM_ONLY` names a part of a program's or a
/// fault's name.
pub fn judge<M: Copy + Debug + PartialEq>(programs: &[(&str, Program)], faults: &[(M, &str)], all: &[M], plant: fn(M)) {
    let only = std::env::var("KNHK_LOOM_ONLY").unwrap_or_default();
    let wanted = |name: &str| only.is_empty() || name.contains(&only);
    let started = std::time::Instant::now();
    for (name, program) in programs.iter().filter(|(name, _)| wanted(name)) {
        match check(*program, preemptions) {
            Ok(executions) => println!("{:>6.1?} holds   {name}: {executions} executions", started.elapsed()),
            Err(violation) => panic!("{name}: {violation}"),
        }
    }
    std::panic::set_hook(Box::new(|_| {}));
    let mut missed = Vec::new();
    for (fault, by) in faults.iter().filter(|(fault, _)| wanted(&format!("{fault:?}"))) {
        plant(*fault);
        let mut near = programs.iter().filter(|(name, _)| name.starts_with(by));
        match near.find_map(|(name, program)| check(*program, preemptions).err().map(|violation| (name, violation))) {
            Some((name, violation)) => println!("{:>6.1?} found   {fault:?} by {name}: {violation}", started.elapsed()),
            None => {
                println!("{:>6.1?} MISSED  {fault:?}", started.elapsed());
                missed.push(*fault);
            }
        }
        plant(all[0]);
    }
    let _ = std::panic::take_hook();
    assert!(missed.is_empty(), "not found: {missed:?}");
    for fault in &all[1..] {
        assert!(faults.iter().any(|(tried, _)| tried == fault), "{fault:?} is not tried");
    }
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
