//! A folder for each test, the command run in it, and a live engine in a process of its own.

use std::fs;
use std::io::{BufRead, BufReader, Lines, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Output, Stdio};

use serde_json::Value;

/// A document with a value of most kinds.
pub const LIMITS: &str = r#"{
  "open": true,
  "max_qty": {"$value": 1000, "$min": 1, "$max": 5000, "$unit": "lots", "$doc": "largest order"},
  "fee": 0.25,
  "venues": ["XPAR", "XLON"],
  "tenants": {"acme": 600, "birch": 400},
  "$classes": {"lit": [], "XPAR": ["lit"]},
  "key": {"$bytes": "3q2+7w=="}
}"#;

/// A folder of its own, gone at its end.
pub struct Scratch(pub PathBuf);

impl Scratch {
    pub fn new(name: &str) -> Scratch {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}", std::process::id()));
        _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        Scratch(path)
    }

    /// With the sector `orders`, which holds [`LIMITS`] as version 1.
    pub fn with_limits(name: &str) -> Scratch {
        let scratch = Scratch::new(name);
        scratch.says(&["init", "--sector", "orders"]);
        scratch.write("limits.json", LIMITS);
        scratch.says(&["import", "limits.json", "--sector", "orders", "--why", "first limits"]);
        scratch
    }

    pub fn write(&self, name: &str, text: &str) {
        fs::write(self.0.join(name), text).unwrap();
    }

    /// The command, with the folder as its own and nothing of the tester's environment that it would heed.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_knhk"));
        command.args(arguments).current_dir(&self.0).stdin(Stdio::null()).env("USER", "ops-2");
        for name in ["KNHK_DIR", "KNHK_BY", "NO_COLOR", "LOGNAME"] {
            command.env_remove(name);
        }
        command
    }

    pub fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// What a command that succeeds says.
    pub fn says(&self, arguments: &[&str]) -> String {
        let done = self.run(arguments);
        assert!(done.status.success(), "{arguments:?}: {}", text(&done.stderr));
        assert_eq!(text(&done.stderr), "", "{arguments:?}");
        text(&done.stdout)
    }

    /// What a command that succeeds answers to a program.
    pub fn json(&self, arguments: &[&str]) -> Value {
        let arguments: Vec<&str> = arguments.iter().copied().chain(["--json"]).collect();
        serde_json::from_str(&self.says(&arguments)).unwrap()
    }

    /// What a command that fails with this code says, which is the same to people and to programs.
    pub fn fails(&self, arguments: &[&str], code: i32) -> String {
        let done = self.run(arguments);
        let message = text(&done.stderr);
        assert_eq!(done.status.code(), Some(code), "{arguments:?}: {message}");
        assert_eq!(text(&done.stdout), "", "{arguments:?}");
        let message = message.strip_prefix("knhk: ").expect(&message).trim_end().to_owned();
        let done = self.command(arguments).arg("--json").output().unwrap();
        assert_eq!(done.status.code(), Some(code));
        let answer: Value = serde_json::from_slice(&done.stdout).unwrap();
        assert_eq!(answer["error"]["message"], message.as_str());
        assert!(answer["error"]["code"].is_i64() && answer["error"]["data"]["status"].is_string(), "{answer}");
        message
    }

    /// What a command that is refused says to people.
    pub fn says_not(&self, arguments: &[&str]) -> String {
        let done = self.run(arguments);
        assert_eq!(done.status.code(), Some(1), "{arguments:?}: {}", text(&done.stdout));
        text(&done.stderr)
    }

    /// A live engine in a process of its own, ready.
    pub fn live(&self, mode: &str) -> Live {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "live::engine_process", "--nocapture"])
            .env(ENGINE, &self.0)
            .env(MODE, mode)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let stdin = child.stdin.take();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut live = Live { child, stdin, lines };
        live.hear("ready");
        live
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        _ = fs::remove_dir_all(&self.0);
    }
}

/// Names the folder of an engine process.
pub const ENGINE: &str = "KNHK_TEST_ENGINE";

/// Says what an engine process does.
pub const MODE: &str = "KNHK_TEST_MODE";

/// An engine in another process, which ends when its standard input does.
pub struct Live {
    child: Child,
    stdin: Option<ChildStdin>,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Live {
    /// Waits for a line that holds `what`, and gives what follows it.
    pub fn hear(&mut self, what: &str) -> String {
        loop {
            let line = self.lines.next().unwrap_or_else(|| panic!("the engine ended before it said {what:?}")).unwrap();
            if let Some((_, rest)) = line.split_once(what) {
                return rest.trim().to_owned();
            }
        }
    }

    pub fn tell(&mut self, line: &str) {
        writeln!(self.stdin.as_mut().unwrap(), "{line}").unwrap();
    }

    /// Ends without being asked.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Closes the engine and ends.
    pub fn end(mut self) {
        drop(self.stdin.take());
        assert!(self.child.wait().unwrap().success());
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

pub fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}
