//! The programs of `tests/c` under AddressSanitizer, ThreadSanitizer and valgrind.
//!
//! The sanitizers see the program's side, where the inline reads are; valgrind sees the library as well. With `KNHK_TSAN_LIBRARY` naming
//! an archive that is itself instrumented (`make test-tsan` makes one), ThreadSanitizer sees both sides.

use std::path::PathBuf;
use std::process::Command;

use crate::governance;
use crate::support::{Link, compile, compile_with, succeeded};

/// What each can bear: filters, forks and copies are about the kernel and the loader, not about memory, and `hostile` has a time to keep.
const PROGRAMS: [&str; 21] = [
    "sketch",
    "management",
    "bad_input",
    "readers",
    "callbacks",
    "observations",
    "threads",
    "resilience",
    "mending",
    "ledger",
    "keys",
    "versions",
    "observed",
    "functions",
    "governance",
    "knowledge",
    "checkpoints",
    "engines",
    "channel",
    "executor",
    "graph",
];

/// One of the programs, compiled.
fn checked(program: &str, flags: &[&str]) -> PathBuf {
    let include = format!("-I{}", governance::header().display());
    let flags: Vec<&str> = flags.iter().copied().chain([include.as_str()]).collect();
    compile(&[&format!("{program}.c")], "c11", Link::Inline, &flags)
}

#[test]
fn address_sanitizer() {
    for program in PROGRAMS {
        let flags = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"];
        let program = checked(program, &flags);
        // A signal handler's stack and longjmp are fine with it; leaks are valgrind's, which needs no right to trace.
        succeeded(
            Command::new(program)
                .env("ASAN_OPTIONS", "detect_leaks=0:detect_stack_use_after_return=1")
                .env("KNHK_STRIDE", "7"),
        );
    }
    let flags = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"];
    succeeded(
        Command::new(compile(&["raii.cpp"], "c++17", Link::Inline, &flags)).env("ASAN_OPTIONS", "detect_leaks=0"),
    );
}

/// Full fences in the readers: the order that ThreadSanitizer can see.
#[test]
fn thread_sanitizer() {
    let flags = ["-fsanitize=thread"];
    let (program, options) = match std::env::var_os("KNHK_TSAN_LIBRARY") {
        Some(library) => {
            (compile_with(&["threads.c", "tsan_names.c"], "c11", &flags, library.as_ref()), "halt_on_error=1")
        }
        // Of a library that it does not see it sees allocations alone, and must not judge them.
        None => {
            let options = "halt_on_error=1:ignore_noninstrumented_modules=1";
            (compile(&["threads.c"], "c11", Link::Inline, &flags), options)
        }
    };
    succeeded(Command::new(program).arg("fence").env("TSAN_OPTIONS", options));
}

#[test]
fn valgrind() {
    if Command::new("valgrind").arg("--version").output().is_err() {
        eprintln!("valgrind is not installed: its run is left out");
        return;
    }
    // Rows of `governance` bring budgets that are narrow on purpose, so that the defaults judge their first versions: too narrow for valgrind.
    for program in PROGRAMS.into_iter().filter(|program| *program != "governance") {
        let program = checked(program, &[]);
        let mut valgrind = Command::new("valgrind");
        valgrind.args([
            "--quiet",
            "--error-exitcode=9",
            "--leak-check=full",
            "--errors-for-leak-kinds=definite",
            "--fair-sched=yes",
        ]);
        succeeded(valgrind.arg(program).env("KNHK_STRIDE", "61"));
    }
}
