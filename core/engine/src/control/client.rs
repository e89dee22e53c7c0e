//! The way to a folder: through the live engine that has it open, or by opening it.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::{Failure, PROTOCOL, Request, socket};
use crate::{Engine, Error, Options, Status};

/// How long a live engine may take for an answer.
const ANSWER: Duration = Duration::from_secs(300);

/// The most that an answer may have.
const ANSWER_BYTES: u64 = 1 << 30;

/// Where requests are served.
pub enum Access {
    /// By an engine in this process. Beside it the lock by which commands wait for one another, let go after the engine.
    Here(Engine, Option<File>),
    /// By the live engine that has the folder open.
    Live(Live),
}

/// A connection to a live engine.
pub struct Live {
    folder: PathBuf,
    reader: BufReader<UnixStream>,
    id: u64,
}

impl Access {
    /// A still picture of the folder, beside whatever engine has it open.
    ///
    /// # Errors
    /// As [`Engine::open_read_only`].
    pub fn read(folder: &Path, options: Options) -> Result<Access, Failure> {
        Ok(Access::Here(Engine::open_read_only(text(folder)?, options)?, None))
    }

    /// An engine in memory, for what concerns no folder.
    ///
    /// # Errors
    /// As [`Engine::open`].
    pub fn memory(options: Options) -> Result<Access, Failure> {
        Ok(Access::Here(Engine::open(":memory:", options)?, None))
    }

    /// The live engine if there is one, otherwise the folder, opened and, where it does not exist, made. Waits while another caller of
    /// this has the folder open.
    ///
    /// # Errors
    /// `Busy` when an engine has the folder open and takes no commands; else as [`Engine::open`].
    pub fn change(folder: &Path, options: Options) -> Result<Access, Failure> {
        if let Some(live) = Live::connect(folder)? {
            return Ok(Access::Live(live));
        }
        let failed = |error: std::io::Error| {
            let path = folder.display().to_string();
            Failure::new(Status::Io, "open", &path, format!("{path} cannot be opened: {error}"))
        };
        let name = text(folder)?;
        fs::create_dir_all(folder).map_err(failed)?;
        // On the folder itself, so that nothing needs to be made for it. An engine locks a file in it, and does not wait.
        let turn = File::open(folder).map_err(failed)?;
        turn.lock().map_err(failed)?;
        match Engine::open(name, options) {
            Ok(engine) => Ok(Access::Here(engine, Some(turn))),
            Err(error) if error.status() == Status::Busy => match Live::connect(folder)? {
                // It has come up meanwhile.
                Some(live) => Ok(Access::Live(live)),
                None => {
                    let message = format!(
                        "{} is open in a live engine that takes no commands; open that engine with the option control on, or close it",
                        folder.display()
                    );
                    Err(Failure::new(Status::Busy, "control", error.item(), message))
                }
            },
            Err(error) => Err(error.into()),
        }
    }

    /// Serves the request.
    ///
    /// # Errors
    /// What was refused, and nothing changed; `Timeout` or `Closed` when the live engine did not answer, where it may have.
    pub fn ask<R: Request>(&mut self, request: R) -> Result<R::Answer, Failure> {
        match self {
            Access::Here(engine, _) => Ok(request.serve(engine)?),
            Access::Live(live) => live.ask(&request),
        }
    }
}

fn text(folder: &Path) -> Result<&str, Error> {
    let refused = |status, why: &str| {
        let name = folder.display().to_string();
        Error::new(status, "open", &name, format!("{name} {why}"))
    };
    match folder.to_str() {
        Some(":memory:") => Err(refused(Status::InvalidArgument, "is no folder; name one")),
        Some(name) => Ok(name),
        None => Err(refused(Status::BadUtf8, "is not UTF-8; give the folder another name")),
    }
}

#[derive(Serialize)]
struct Call<'a, R> {
    jsonrpc: &'static str,
    id: u64,
    method: String,
    params: &'a R,
}

#[derive(Deserialize)]
struct Reply {
    id: Option<u64>,
    result: Option<Box<RawValue>>,
    error: Option<Failure>,
}

impl Live {
    /// Connects to the engine that has the folder open; none when none takes commands.
    ///
    /// # Errors
    /// `Closed` when there is a socket but no way to it.
    pub fn connect(folder: &Path) -> Result<Option<Live>, Failure> {
        let unreachable = |error: std::io::Error| {
            let path = folder.join(socket::NAME).display().to_string();
            let advice = match error.kind() {
                std::io::ErrorKind::PermissionDenied => "run the command as the engine's own user",
                _ => "see whether its engine still runs",
            };
            Failure::new(Status::Closed, "control", &path, format!("{path} cannot be reached: {error}; {advice}"))
        };
        let Some(stream) = socket::connect(folder).map_err(unreachable)? else { return Ok(None) };
        stream
            .set_read_timeout(Some(ANSWER))
            .and_then(|()| stream.set_write_timeout(Some(ANSWER)))
            .map_err(unreachable)?;
        Ok(Some(Live { folder: folder.into(), reader: BufReader::new(stream), id: 0 }))
    }

    /// Sends the request and waits for its answer.
    ///
    /// # Errors
    /// As [`Access::ask`].
    pub fn ask<R: Request>(&mut self, request: &R) -> Result<R::Answer, Failure> {
        self.id += 1;
        let method = format!("{PROTOCOL}.{}", R::METHOD);
        let call = Call { jsonrpc: "2.0", id: self.id, method, params: request };
        let mut line = serde_json::to_vec(&call).map_err(|error| self.lost(&error.to_string()))?;
        line.push(b'\n');
        // A refusal may come before all was sent, and says more than the broken pipe does.
        let sent = self.reader.get_mut().write_all(&line);
        let mut answer = Vec::new();
        let read = (&mut self.reader).take(ANSWER_BYTES).read_until(b'\n', &mut answer);
        if !answer.ends_with(b"\n") {
            let why =
                read.map(drop).and(sent).err().map_or("it closed the connection".into(), |error| error.to_string());
            return Err(self.lost(&why));
        }
        let reply: Reply = serde_json::from_slice(&answer).map_err(|error| self.lost(&error.to_string()))?;
        match (reply.result, reply.error) {
            (_, Some(failure)) => Err(failure),
            (Some(result), None) if reply.id == Some(self.id) => {
                serde_json::from_str(result.get()).map_err(|error| self.lost(&error.to_string()))
            }
            _ => Err(self.lost("its answer is to another request")),
        }
    }

    fn lost(&self, why: &str) -> Failure {
        let folder = self.folder.display().to_string();
        let message = format!(
            "the engine that has {folder} open gave no answer ({why}); the change may have happened: look with `knhk show`"
        );
        Failure::new(Status::Closed, "control", folder, message)
    }
}
