//! The sessions shown in docs/command.md, run from top to bottom in one folder: what they show is what is said.
//!
//! `KNHK_BLESS=1 cargo test -p knhk-cli manual` writes what is said into the page instead.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::scratch::{Live, Scratch, text};

/// A command of a session: its line in the page, its text, and what the page shows after it.
struct Step<'a> {
    line: usize,
    command: String,
    shown: Vec<&'a str>,
}

/// The page's lines, those of sessions as steps.
fn steps(page: &str) -> Vec<Step<'_>> {
    let mut steps: Vec<Step<'_>> = Vec::new();
    let mut within = false;
    for (number, line) in page.lines().enumerate() {
        match line {
            "```console" => within = true,
            "```" => within = false,
            _ if !within => {}
            _ => match (line.strip_prefix("$ "), line.strip_prefix("> "), steps.last_mut()) {
                (Some(command), ..) => {
                    steps.push(Step { line: number, command: command.into(), shown: Vec::new() });
                }
                (None, Some(more), Some(step)) if step.shown.is_empty() => {
                    step.command.push('\n');
                    step.command.push_str(more);
                }
                (.., Some(step)) => step.shown.push(line),
                (.., None) => panic!("line {}: a session begins with a command", number + 1),
            },
        }
    }
    steps
}

fn said(scratch: &Scratch, step: &Step<'_>) -> String {
    let binary = Path::new(env!("CARGO_BIN_EXE_knhk")).parent().unwrap();
    let path = format!("{}:{}", binary.display(), std::env::var("PATH").unwrap());
    // Both streams in the order of a terminal, and the shell's own word about a code that is not 0.
    let script = format!("exec 2>&1\n{}\n", step.command);
    let mut command = Command::new("bash");
    command.args(["-c", &script]).current_dir(&scratch.0).stdin(Stdio::null()).env("PATH", path);
    for name in ["KNHK_DIR", "KNHK_BY", "LOGNAME"] {
        command.env_remove(name);
    }
    text(&command.env("USER", "ops-2").output().unwrap().stdout)
}

/// A line without content addresses, which change with what is shipped: `(7c41e0)` becomes `()`.
fn without_id(line: &str) -> String {
    let mut parts = line.split('(');
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let id = part.len() > 6 && part.as_bytes()[..6].iter().all(u8::is_ascii_hexdigit) && part[6..].starts_with(')');
        plain.push('(');
        plain.push_str(if id { &part[6..] } else { part });
    }
    plain
}

#[test]
fn sessions_of_the_manual_are_as_shown() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/command.md");
    let page = std::fs::read_to_string(&path).unwrap();
    let scratch = Scratch::new("manual");
    let bless = std::env::var_os("KNHK_BLESS").is_some();
    let mut lines: Vec<String> = page.lines().map(str::to_owned).collect();
    // How much longer the page has become by what was blessed above.
    let mut grown = 0;
    let mut live: Option<Live> = None;
    let steps = steps(&page);
    assert!(steps.len() > 10);
    for step in &steps {
        // Stands for the reader's own service.
        if step.command.starts_with("./gateway") {
            live = Some(scratch.live("open"));
            continue;
        }
        let said = said(&scratch, step);
        let said: Vec<&str> = said.lines().collect();
        let same = |lines: &[&str]| -> Vec<String> { lines.iter().map(|line| without_id(line)).collect() };
        if !bless {
            assert_eq!(same(&said), same(&step.shown), "docs/command.md, line {}: {}", step.line + 1, step.command);
            continue;
        }
        let begin = (step.line + step.command.lines().count()).strict_add_signed(grown);
        lines.splice(begin..begin + step.shown.len(), said.iter().map(|line| line.to_string()));
        grown += said.len() as isize - step.shown.len() as isize;
    }
    drop(live);
    if bless {
        std::fs::write(&path, lines.join("\n") + "\n").unwrap();
    }
}
