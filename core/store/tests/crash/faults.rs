//! Each file operation in turn fails: of a store that commits, of its backup and its restore.

use std::fs;
use std::path::Path;

use crate::child::Task;
use crate::power::operations;
use crate::{copies, folder, holds_what_was_acknowledged, shimmed};

/// Runs the task with each operation in turn failing in this way, until none is left to fail. `examine` gets the folder and what was printed.
fn each(kind: &str, task: Task, examine: impl Fn(&Path, &[u8]) -> Result<(), String>) {
    let mut failed = 0;
    for at in 0.. {
        let (store, beside) = (folder(), folder());
        task.prepare(store.path());
        let log = beside.path().join("operations");
        let mut command = shimmed(store.path(), task);
        command.env("KNHK_FAULT_AT", at.to_string()).env("KNHK_FAULT_KIND", kind).env("KNHK_FAULT_LOG", &log);
        let output = command.output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{kind} at operation {at}: {text}");
        if let Err(why) = examine(store.path(), &output.stdout) {
            panic!("{kind} at operation {at}: {why}\n{text}");
        }
        failed += u32::from(text.contains("failed "));
        if !operations(&fs::read(log).unwrap()).iter().any(|operation| operation.kind == b'f') {
            assert!(at > 10, "{at} operations are none");
            break;
        }
    }
    assert!(kind == "short" || failed > 0, "nothing ever failed");
}

#[test]
fn an_error_loses_nothing() {
    each("eio", Task::Commit(5), holds_what_was_acknowledged);
}

#[test]
fn a_full_disk_for_a_moment_loses_nothing() {
    each("enospc", Task::Commit(5), holds_what_was_acknowledged);
}

#[test]
fn a_full_disk_loses_nothing() {
    each("full", Task::Commit(5), holds_what_was_acknowledged);
}

#[test]
fn a_short_read_or_write_loses_nothing() {
    each("short", Task::Commit(5), holds_what_was_acknowledged);
}

#[test]
fn an_error_leaves_copies_whole_or_not_there() {
    each("eio", Task::Copy, copies::examine);
}

#[test]
fn a_full_disk_for_a_moment_leaves_copies_whole_or_not_there() {
    each("enospc", Task::Copy, copies::examine);
}

#[test]
fn a_full_disk_leaves_copies_whole_or_not_there() {
    each("full", Task::Copy, copies::examine);
}

#[test]
fn a_short_read_or_write_leaves_copies_whole_or_not_there() {
    each("short", Task::Copy, copies::examine);
}
