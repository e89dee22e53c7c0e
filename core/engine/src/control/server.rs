//! The engine's side of the socket: a thread that accepts, and one for each of a few connections.

use std::io::{self, BufRead, BufReader, Write};
use std::net::Shutdown;
use std::os::fd::OwnedFd;
use std::os::unix::net::{UnixListener, UnixStream};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use knhk_warm::{Next, Ticker};
use rustix::event::{EventfdFlags, PollFd, PollFlags, Timespec, eventfd, poll};
use serde::{Deserialize, Serialize};
use serde_json::value::{RawValue, to_raw_value};

use super::{
    Compare, ComponentCheckpoints, Conflicts, Create, Export, Failure, Get, Govern, Health, Keys, Log, Observe,
    PROTOCOL, Policies, Promote, ProveReceipt, Prune, Receipt, Receipts, Request, RestoreCheckpoint, Rollback,
    RotateKey, Sectors, SetTag, Show, SignCheckpoint, Switch, Tags, TakeCheckpoint, Tasks, Validate, socket,
};
use crate::engine::Inner;
use crate::{Engine, Error, Level, Status};

/// Connections at a time; one more is told so and closed.
const CONNECTIONS: usize = 8;

/// How long a connection may say nothing.
const IDLE: Duration = Duration::from_secs(60);

/// How long a connection may not take its answer; closing the engine waits for it.
const STUCK: Duration = Duration::from_secs(5);

/// What a request holds beside its texts.
const ENVELOPE_BYTES: usize = 64 << 10;

thread_local! {
    /// Set on the threads of connections, where the engine's last handle may be dropped.
    static SERVING: std::cell::Cell<bool> = const { std::cell::Cell::new(false) };
}

/// Listens until it is dropped.
pub(crate) struct Server {
    path: PathBuf,
    /// Readable for good once the server ends.
    wake: Arc<OwnedFd>,
    accepting: Option<Ticker>,
    process: u32,
}

impl Server {
    /// Starts to serve `engine` in `folder`, which it has open.
    pub(crate) fn start(engine: &Engine, folder: Option<&Path>) -> Result<Server, Error> {
        let Some(folder) = folder else {
            let message = "an engine in memory has no folder for the control socket: open a folder, or leave the option control off";
            return Err(Error::new(Status::InvalidArgument, "control", ":memory:", message));
        };
        let path = folder.join(socket::NAME);
        let failed = |error: io::Error| {
            let message = format!("the control socket {} cannot be made: {error}", path.display());
            Error::new(Status::Io, "control", path.display().to_string(), message)
        };
        let listener = socket::serve(folder).map_err(failed)?;
        let wake = eventfd(0, EventfdFlags::CLOEXEC).map_err(|error| failed(error.into()))?;
        let wake = Arc::new(wake);
        let mut acceptor =
            Acceptor { listener, wake: wake.clone(), engine: Arc::downgrade(&engine.inner), open: Vec::new() };
        let accepting = Ticker::spawn("knhk-control", move || acceptor.step()).map_err(failed)?;
        Ok(Server { path, wake, accepting: Some(accepting), process: std::process::id() })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let Some(accepting) = self.accepting.take() else { return };
        if std::process::id() != self.process {
            // In a forked child the socket is the parent's.
            std::mem::forget(accepting);
            return;
        }
        _ = std::fs::remove_file(&self.path);
        _ = rustix::io::write(&self.wake, &1u64.to_ne_bytes());
        if SERVING.get() {
            // The acceptor waits for this very thread; woken, it ends by itself.
            std::mem::forget(accepting);
        }
    }
}

struct Acceptor {
    listener: UnixListener,
    wake: Arc<OwnedFd>,
    engine: Weak<Inner>,
    open: Vec<Connection>,
}

impl Acceptor {
    fn step(&mut self) -> Next {
        let mut waited = [PollFd::new(&self.listener, PollFlags::IN), PollFd::new(&self.wake, PollFlags::IN)];
        if poll(&mut waited, None).is_err() {
            return Next::Continue;
        }
        if !waited[1].revents().is_empty() {
            self.open.clear();
            return Next::Stop;
        }
        self.open.retain(|connection| !connection.ended.load(Ordering::Acquire));
        match self.listener.accept() {
            Ok((stream, _)) => self.admit(stream),
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => {}
            Err(error) => {
                self.log(format!("a connection could not be accepted: {error}"));
                // No descriptors, most likely: they do not come back faster for asking again at once.
                let pause = Timespec { tv_sec: 0, tv_nsec: 100_000_000 };
                _ = poll(&mut [PollFd::new(&self.wake, PollFlags::IN)], Some(&pause));
            }
        }
        Next::Continue
    }

    fn admit(&mut self, mut stream: UnixStream) {
        let ready = stream.set_read_timeout(Some(IDLE)).and_then(|()| stream.set_write_timeout(Some(STUCK)));
        if let Err(error) = ready {
            return self.log(format!("a connection could not be set up: {error}"));
        }
        if !socket::is_owner(&stream) {
            self.log("a connection of another user was refused".into());
            let message = "this engine takes commands from its own user alone: run the command as that user";
            return refuse(&mut stream, &Failure::new(Status::InvalidArgument, "control", "", message));
        }
        if self.open.len() == CONNECTIONS {
            let message = format!("the engine answers {CONNECTIONS} connections already: close one, or try again");
            return refuse(&mut stream, &Failure::new(Status::Busy, "control", "", message));
        }
        match Connection::start(stream, self.engine.clone()) {
            Ok(connection) => self.open.push(connection),
            Err(error) => self.log(format!("a connection could not be served: {error}")),
        }
    }

    fn log(&self, line: String) {
        if let Some(inner) = self.engine.upgrade() {
            inner.announcer.log(Level::Warning, "control", line);
        }
    }
}

fn refuse(stream: &mut UnixStream, failure: &Failure) {
    // The peer may be gone already, which is as good.
    _ = reply(stream, &None, Err(failure));
}

struct Connection {
    stream: Arc<UnixStream>,
    ended: Arc<AtomicBool>,
    _thread: Ticker,
}

impl Connection {
    fn start(stream: UnixStream, engine: Weak<Inner>) -> io::Result<Connection> {
        let (stream, ended) = (Arc::new(stream), Arc::new(AtomicBool::new(false)));
        let (ours, flag) = (stream.clone(), ended.clone());
        let mut reader = BufReader::new(stream.try_clone()?);
        let mut line = Vec::new();
        let thread = Ticker::spawn("knhk-control-peer", move || {
            SERVING.set(true);
            let next = answer_one(&mut reader, &ours, &engine, &mut line).unwrap_or(Next::Stop);
            if next == Next::Stop {
                _ = ours.shutdown(Shutdown::Both);
                flag.store(true, Ordering::Release);
            }
            next
        })?;
        Ok(Connection { stream, ended, _thread: thread })
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        // Ends a wait for the next request; an answer under way is still written.
        _ = self.stream.shutdown(Shutdown::Read);
    }
}

fn answer_one(
    reader: &mut impl BufRead,
    mut stream: &UnixStream,
    engine: &Weak<Inner>,
    line: &mut Vec<u8>,
) -> io::Result<Next> {
    let Some(limit) = engine.upgrade().map(|inner| inner.limits.bytes.saturating_mul(2).saturating_add(ENVELOPE_BYTES))
    else {
        return Ok(Next::Stop);
    };
    let too_long = match read_line(reader, line, limit)? {
        Line::End => return Ok(Next::Stop),
        Line::Whole => false,
        Line::TooLong => true,
    };
    let Some(inner) = engine.upgrade() else { return Ok(Next::Stop) };
    let engine = Engine::of(inner);
    let (id, answer) = if too_long {
        let message = format!("a request is one line of at most {limit} bytes: send less, or promote in parts");
        (None, Err(Failure::new(Status::Limit, "control", "", message)))
    } else {
        answer(&engine, line)
    };
    // This may be the last handle: whoever has the answer finds the folder free then.
    drop(engine);
    // What a large request took is not kept for the next.
    *line = Vec::new();
    reply(&mut stream, &id, answer.as_deref())?;
    Ok(Next::Continue)
}

enum Line {
    Whole,
    TooLong,
    End,
}

/// Reads up to the next line's end. What exceeds the limit is read over without being kept.
fn read_line(reader: &mut impl BufRead, line: &mut Vec<u8>, limit: usize) -> io::Result<Line> {
    line.clear();
    let mut too_long = false;
    loop {
        let piece = match reader.fill_buf() {
            // A signal of the program's: a socket with a time-out is not read on by itself.
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            read => read?,
        };
        if piece.is_empty() {
            // A line without its end may be half a request.
            return Ok(Line::End);
        }
        let end = piece.iter().position(|&byte| byte == b'\n');
        let wanted = &piece[..end.unwrap_or(piece.len())];
        too_long |= line.len() + wanted.len() > limit;
        if !too_long {
            line.extend_from_slice(wanted);
        }
        let taken = end.map_or(piece.len(), |end| end + 1);
        reader.consume(taken);
        if end.is_some() {
            return Ok(if too_long { Line::TooLong } else { Line::Whole });
        }
    }
}

type Id = Option<Box<RawValue>>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Call {
    jsonrpc: String,
    id: Id,
    method: String,
    params: Option<Box<RawValue>>,
}

#[derive(Serialize)]
struct Reply<'a> {
    jsonrpc: &'static str,
    id: &'a Id,
    #[serde(skip_serializing_if = "Option::is_none")]
    result: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a Failure>,
}

fn reply(stream: &mut impl Write, id: &Id, answer: Result<&RawValue, &Failure>) -> io::Result<()> {
    let reply = Reply { jsonrpc: "2.0", id, result: answer.ok(), error: answer.err() };
    let mut line = serde_json::to_vec(&reply)?;
    line.push(b'\n');
    stream.write_all(&line)
}

fn answer(engine: &Engine, line: &[u8]) -> (Id, Result<Box<RawValue>, Failure>) {
    if line.trim_ascii_start().first() == Some(&b'[') {
        return (None, Err(Failure::protocol(-32600, "a request is one object: there are no batches here")));
    }
    let call: Call = match serde_json::from_slice(line) {
        Ok(call) => call,
        Err(error) if error.is_data() => {
            let message = format!("not a JSON-RPC 2.0 request: {error}");
            return (None, Err(Failure::protocol(-32600, message)));
        }
        Err(error) => return (None, Err(Failure::protocol(-32700, format!("not JSON: {error}")))),
    };
    let scalar = call.id.as_ref().is_some_and(|id| !id.get().starts_with(['{', '[', 't', 'f']));
    if call.jsonrpc != "2.0" || !scalar {
        let message = "a request says \"jsonrpc\": \"2.0\" and has an \"id\", a number or a string";
        return (None, Err(Failure::protocol(-32600, message)));
    }
    let params = call.params.as_ref().map_or("{}", |params| params.get());
    let served = catch_unwind(AssertUnwindSafe(|| dispatch(engine, &call.method, params)));
    let served = served.unwrap_or_else(|_| {
        let message = "the engine panicked, a defect: reads go on; reopen it before changing more";
        Err(Failure::new(Status::Panic, "control", "", message))
    });
    tracing::debug!(name: "knhk.control.command", method = call.method, refused = served.is_err(), "command");
    (call.id, served)
}

fn dispatch(engine: &Engine, method: &str, params: &str) -> Result<Box<RawValue>, Failure> {
    match method.strip_prefix(PROTOCOL).and_then(|rest| rest.strip_prefix('.')) {
        Some(Sectors::METHOD) => run::<Sectors>(engine, params),
        Some(Show::METHOD) => run::<Show>(engine, params),
        Some(Get::METHOD) => run::<Get>(engine, params),
        Some(Export::METHOD) => run::<Export>(engine, params),
        Some(Validate::METHOD) => run::<Validate>(engine, params),
        Some(Conflicts::METHOD) => run::<Conflicts>(engine, params),
        Some(Compare::METHOD) => run::<Compare>(engine, params),
        Some(Create::METHOD) => run::<Create>(engine, params),
        Some(Promote::METHOD) => run::<Promote>(engine, params),
        Some(Rollback::METHOD) => run::<Rollback>(engine, params),
        Some(Log::METHOD) => run::<Log>(engine, params),
        Some(Tags::METHOD) => run::<Tags>(engine, params),
        Some(SetTag::METHOD) => run::<SetTag>(engine, params),
        Some(Prune::METHOD) => run::<Prune>(engine, params),
        Some(Receipts::METHOD) => run::<Receipts>(engine, params),
        Some(Receipt::METHOD) => run::<Receipt>(engine, params),
        Some(ProveReceipt::METHOD) => run::<ProveReceipt>(engine, params),
        Some(SignCheckpoint::METHOD) => run::<SignCheckpoint>(engine, params),
        Some(Keys::METHOD) => run::<Keys>(engine, params),
        Some(RotateKey::METHOD) => run::<RotateKey>(engine, params),
        Some(Observe::METHOD) => run::<Observe>(engine, params),
        Some(Govern::METHOD) => run::<Govern>(engine, params),
        Some(Policies::METHOD) => run::<Policies>(engine, params),
        Some(Switch::METHOD) => run::<Switch>(engine, params),
        Some(Health::METHOD) => run::<Health>(engine, params),
        Some(Tasks::METHOD) => run::<Tasks>(engine, params),
        Some(ComponentCheckpoints::METHOD) => run::<ComponentCheckpoints>(engine, params),
        Some(TakeCheckpoint::METHOD) => run::<TakeCheckpoint>(engine, params),
        Some(RestoreCheckpoint::METHOD) => run::<RestoreCheckpoint>(engine, params),
        Some(_) => Err(Failure::protocol(-32601, format!("there is no method {method:?}"))),
        None => Err(Failure::protocol(
            -32601,
            format!(
                "there is no method {method:?}: this engine speaks {PROTOCOL}, and its methods begin with {PROTOCOL:?} and a dot"
            ),
        )),
    }
}

fn run<R: Request>(engine: &Engine, params: &str) -> Result<Box<RawValue>, Failure> {
    let request: R = serde_json::from_str(params)
        .map_err(|error| Failure::protocol(-32602, format!("wrong parameters of {}: {error}", R::METHOD)))?;
    let answer = request.serve(engine)?;
    to_raw_value(&answer).map_err(|error| Failure::new(Status::System, "control", "", error.to_string()))
}
