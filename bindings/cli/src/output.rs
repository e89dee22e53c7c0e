//! What goes to the terminal: text or JSON, colours, exit codes.

use std::io::{self, ErrorKind, IsTerminal, Write};
use std::process::ExitCode;
use std::time::SystemTime;

use anstyle::{AnsiColor, Style};
use knhk_engine::Status;
use knhk_engine::control::Failure;
use serde_json::{Value, json};

use crate::render::{Render, findings, plain};

/// What a verb answers.
pub struct Done {
    /// For people.
    pub text: String,
    /// For programs.
    pub json: Value,
    /// What else people should know.
    pub note: Option<String>,
    /// Whether what was asked for is so: `false` ends with the code of a refusal.
    pub success: bool,
}

impl Done {
    pub fn new(text: String, answer: &impl serde::Serialize) -> Done {
        let json = serde_json::to_value(answer).expect("answers have text keys, so they have a form in JSON");
        Done { text, json, note: None, success: true }
    }
}

/// Prints the answer.
pub fn print(done: &Done, json: bool) -> ExitCode {
    let code = if done.success { 0 } else { REFUSED };
    if let Some(note) = &done.note {
        _ = writeln!(io::stderr(), "knhk: {note}");
    }
    let text = if json { format!("{:#}\n", done.json) } else { done.text.clone() };
    written(&text, code)
}

/// Prints why there is none.
pub fn refuse(failure: &Failure, json: bool) -> ExitCode {
    let style = Palette::of(&io::stderr());
    let begin = style.bad("knhk:");
    let broken = &failure.data.findings;
    let reports = &failure.data.reports;
    // The message names the first of them.
    let message = match (broken.is_empty(), reports.is_empty()) {
        (true, true) => plain(&failure.message),
        (false, _) => "refused; nothing changed, since this does not conform:".into(),
        (true, false) => format!("{}; nothing changed:", failure.data.status),
    };
    let render = Render { palette: style, now: SystemTime::now() };
    let stages: String = reports.iter().map(|report| render.report(report)).collect();
    _ = write!(io::stderr(), "{begin} {message}\n{}{stages}", findings(broken));
    let code = exit_code(failure);
    if json { written(&format!("{:#}\n", json!({ "error": failure })), code) } else { ExitCode::from(code) }
}

/// Prints help where it was asked for, or what is wrong with the arguments.
pub fn misused(error: &clap::Error) -> ExitCode {
    _ = error.print();
    if !error.use_stderr() {
        return ExitCode::SUCCESS;
    }
    if std::env::args_os().any(|argument| argument == "--json") {
        let message = error.to_string();
        let failure = Failure::new(Status::InvalidArgument, "usage", "", message.trim_end());
        return written(&format!("{:#}\n", json!({ "error": failure })), USAGE);
    }
    ExitCode::from(USAGE)
}

/// Writes to standard output. A reader that has seen enough ends a command as it would have ended.
fn written(text: &str, code: u8) -> ExitCode {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            _ = writeln!(io::stderr(), "knhk: standard output cannot be written: {error}");
            ExitCode::from(MACHINE)
        }
        _ => ExitCode::from(code),
    }
}

const REFUSED: u8 = 1;
const USAGE: u8 = 2;
const NOT_FOUND: u8 = 3;
const BUSY: u8 = 4;
const DAMAGED: u8 = 5;
const MACHINE: u8 = 6;
/// `EX_SOFTWARE` of sysexits.h.
const DEFECT: u8 = 70;

fn exit_code(failure: &Failure) -> u8 {
    match failure.status() {
        Some(Status::InvalidArgument | Status::NullArgument) => USAGE,
        Some(Status::NotFound | Status::NotReady) => NOT_FOUND,
        Some(Status::Busy | Status::Closed | Status::Timeout | Status::Forked | Status::Stalled) => BUSY,
        Some(Status::Corrupt | Status::Tampered) => DAMAGED,
        Some(Status::Io | Status::System | Status::KeyFile | Status::Signing) => MACHINE,
        Some(Status::Panic) | None => DEFECT,
        Some(_) => REFUSED,
    }
}

/// Colours, where there is a terminal that wants them.
#[derive(Clone, Copy)]
pub struct Palette {
    on: bool,
}

impl Palette {
    /// Colours for standard output.
    pub fn stdout() -> Palette {
        Palette::of(&io::stdout())
    }

    fn of(stream: &impl IsTerminal) -> Palette {
        // https://no-color.org: set and not empty.
        let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let dumb = std::env::var_os("TERM").is_some_and(|value| value == "dumb");
        Palette { on: stream.is_terminal() && !refused && !dumb }
    }

    fn paint(self, style: Style, text: &str) -> String {
        if self.on { format!("{style}{text}{style:#}") } else { text.to_owned() }
    }

    /// What is looked for.
    pub fn strong(self, text: &str) -> String {
        self.paint(Style::new().bold(), text)
    }

    /// What stands beside it.
    pub fn quiet(self, text: &str) -> String {
        self.paint(Style::new().dimmed(), text)
    }

    /// What is well.
    pub fn good(self, text: &str) -> String {
        self.paint(AnsiColor::Green.on_default(), text)
    }

    /// What is not.
    pub fn bad(self, text: &str) -> String {
        self.paint(AnsiColor::Red.on_default().bold(), text)
    }
}
