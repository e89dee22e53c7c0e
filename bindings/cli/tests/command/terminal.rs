//! Colours and progress are for terminals that want them.

use std::fs::File;
use std::io::Read;
use std::process::Stdio;

use rustix::pty::{OpenptFlags, grantpt, ioctl_tiocgptpeer, openpt, unlockpt};

use crate::scratch::Scratch;

/// What the command writes to a terminal.
fn on_terminal(scratch: &Scratch, arguments: &[&str], environment: &[(&str, &str)]) -> String {
    let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&master).unwrap();
    unlockpt(&master).unwrap();
    let slave = ioctl_tiocgptpeer(&master, OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
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
