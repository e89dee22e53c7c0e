//! Colours and progress are for terminals that want them.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::process::Stdio;

use rustix::pty::{OpenptFlags, grantpt, ioctl_tiocgptpeer, openpt, unlockpt};

use crate::scratch::Scratch;

/// A terminal: our side and the command's.
fn terminal() -> (OwnedFd, OwnedFd) {
    let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&master).unwrap();
    unlockpt(&master).unwrap();
    let slave = ioctl_tiocgptpeer(&master, OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    (master, slave)
}

/// What the command writes to a terminal.
fn on_terminal(scratch: &Scratch, arguments: &[&str], environment: &[(&str, &str)]) -> String {
    let (master, slave) = terminal();
    let mut command = scratch.command(arguments);
    command.env("TERM", "xterm").envs(environment.iter().copied());
    command.stdout(Stdio::from(slave.try_clone().unwrap())).stderr(Stdio::from(slave));
    let mut child = command.spawn().unwrap();
    // The command's ends of the terminal are closed with it, so that reading comes to an end.
    drop(command);
    let mut said = Vec::new();
    // The end of a terminal is an error, not an end of file.
    _ = File::from(master).read_to_end(&mut said);
    child.wait().unwrap();
    String::from_utf8(said).unwrap()
}

#[test]
fn colours_are_for_terminals_that_want_them() {
    let scratch = Scratch::with_limits("colours");
    assert!(on_terminal(&scratch, &["show", "orders"], &[]).contains("\x1b["));
    assert!(on_terminal(&scratch, &["show", "nowhere"], &[]).contains("\x1b["));
    assert!(!on_terminal(&scratch, &["show", "orders"], &[("NO_COLOR", "1")]).contains('\x1b'));
    assert!(on_terminal(&scratch, &["show", "orders"], &[("NO_COLOR", "")]).contains('\x1b'));
    assert!(!on_terminal(&scratch, &["show", "orders"], &[("TERM", "dumb")]).contains('\x1b'));
    assert!(!on_terminal(&scratch, &["show", "orders", "--json"], &[]).contains('\x1b'));
    assert!(!scratch.says(&["show", "orders"]).contains('\x1b'));
}

#[test]
fn what_takes_long_says_so_on_a_terminal_and_clears_the_line() {
    let scratch = Scratch::new("progress");
    scratch.says(&["init"]);
    let (master, slave) = terminal();
    let mut command = scratch.command(&["import", "-", "--sector", "orders"]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::from(slave)).spawn().unwrap();
    drop(command);
    // It waits for its input, which comes when it has said that it does.
    let mut master = File::from(master);
    let (mut said, mut some) = (Vec::new(), [0; 64]);
    while !String::from_utf8_lossy(&said).contains("reading standard input …") {
        let read = master.read(&mut some).unwrap();
        said.extend_from_slice(&some[..read]);
    }
    child.stdin.take().unwrap().write_all(br#"{"max_qty": 1}"#).unwrap();
    let done = child.wait_with_output().unwrap();
    assert!(done.status.success());
    assert!(!String::from_utf8(done.stdout).unwrap().contains("reading"));
    // The end of a terminal is an error, not an end of file.
    _ = master.read_to_end(&mut said);
    assert!(said.ends_with(b"\r\x1b[K"), "{}", String::from_utf8_lossy(&said));
}
