//! Component graphs. A member is asked on a thread of its own, which asks JavaScript's and waits for its answer.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, Mutex};
use std::thread::Builder;

use knhk_engine::{Error, Status};
use knhk_warm::SystemClock;
use knhk_warm::graph::{Component, Graph as Native, GraphError, Outcome, Patience, Report};
use napi::bindgen_prelude::{External, FnArgs, Function};
use napi::threadsafe_function::{ThreadsafeFunction, ThreadsafeFunctionCallMode};
use napi::{Env, Status as NapiStatus};
use napi_derive::napi;
use serde_json::{Value, json};

use super::{lock, milliseconds};
use crate::error::throw;

/// Asks JavaScript: the number of the call, the component's, and what it is to do.
type Ask = ThreadsafeFunction<FnArgs<(u32, u32, String)>, (), FnArgs<(u32, u32, String)>, NapiStatus, false, true>;

type Answer = Result<(), String>;

/// Calls that wait for their answers.
struct Calls {
    ask: Ask,
    waiting: Mutex<(u32, HashMap<u32, SyncSender<Answer>>)>,
}

/// A component that is JavaScript's.
struct Member {
    number: u32,
    calls: Arc<Calls>,
    /// What it has: start, drain, stop.
    has: [bool; 3],
    /// What it said of itself when JavaScript was last asked, as bits.
    health: AtomicU64,
}

impl Member {
    fn call(&self, phase: usize) -> Answer {
        if !self.has[phase] {
            return Ok(());
        }
        let (reply, answer) = sync_channel(1);
        let call = {
            let mut waiting = lock(&self.calls.waiting);
            waiting.0 = waiting.0.wrapping_add(1);
            let call = waiting.0;
            waiting.1.insert(call, reply);
            call
        };
        let what = ["start", "drain", "stop"][phase].to_owned();
        let asked =
            self.calls.ask.call(FnArgs::from((call, self.number, what)), ThreadsafeFunctionCallMode::NonBlocking);
        if asked != NapiStatus::Ok {
            lock(&self.calls.waiting).1.remove(&call);
        }
        answer.recv().unwrap_or_else(|_| Err("the JavaScript thread has ended".into()))
    }
}

impl Component for Member {
    fn start(&self) -> Answer {
        self.call(0)
    }

    fn drain(&self) -> Answer {
        self.call(1)
    }

    fn stop(&self) -> Answer {
        self.call(2)
    }

    fn health(&self) -> f64 {
        f64::from_bits(self.health.load(Ordering::Relaxed))
    }
}

/// A graph.
pub struct Graph {
    native: Arc<Native>,
    calls: Arc<Calls>,
    members: Vec<Arc<Member>>,
}

impl Drop for Graph {
    fn drop(&mut self) {
        // Nobody answers any more.
        lock(&self.calls.waiting).1.clear();
    }
}

fn failure(env: Env, name: &str, error: &GraphError) -> napi::Error {
    let status = match error {
        GraphError::Taken(_) => Status::AlreadyExists,
        GraphError::Unknown(_) => Status::NotFound,
        GraphError::Running(_) => Status::Busy,
        _ => Status::InvalidArgument,
    };
    throw(env.raw(), &Error::new(status, "graph", name, error.to_string()))
}

/// Makes a graph that asks its components through `ask(call, component, what)`, which keeps no process alive.
#[napi(catch_unwind)]
pub fn graph_new(ask: Function<'_, FnArgs<(u32, u32, String)>, ()>) -> napi::Result<External<Graph>> {
    let ask = ask.build_threadsafe_function::<FnArgs<(u32, u32, String)>>().weak::<true>().build()?;
    let calls = Arc::new(Calls { ask, waiting: Mutex::default() });
    Ok(External::new(Graph { native: Arc::new(Native::new(Arc::new(SystemClock))), calls, members: Vec::new() }))
}

/// Adds a component, whose number is how many there were; `has`: start, drain, stop.
#[napi(catch_unwind)]
pub fn graph_add(
    env: Env,
    graph: &mut External<Graph>,
    name: String,
    needs: Vec<String>,
    has: Vec<bool>,
) -> napi::Result<()> {
    let (calls, number) = (graph.calls.clone(), graph.members.len() as u32);
    let has = [0, 1, 2].map(|phase| has.get(phase).copied().unwrap_or(false));
    let member = Arc::new(Member { number, calls, has, health: AtomicU64::new(1f64.to_bits()) });
    let needs: Vec<&str> = needs.iter().map(String::as_str).collect();
    graph.native.add(&name, member.clone(), &needs).map_err(|error| failure(env, &name, &error))?;
    graph.members.push(member);
    Ok(())
}

/// Says that a component depends on another.
#[napi(catch_unwind)]
pub fn graph_depend(env: Env, graph: &External<Graph>, name: String, on: String) -> napi::Result<()> {
    graph.native.depend(&name, &on).map_err(|error| failure(env, &name, &error))
}

/// The answer to a call: why it failed, or nothing.
#[napi(catch_unwind)]
pub fn graph_answer(graph: &External<Graph>, call: u32, why: Option<String>) {
    let reply = lock(&graph.calls.waiting).1.remove(&call);
    if let Some(reply) = reply {
        // There is room for one, and this is it.
        _ = reply.send(why.map_or(Ok(()), Err));
    }
}

fn told(report: &Report) -> Value {
    let each = |(name, outcome): &(Arc<str>, Outcome)| {
        let (outcome, why, took) = match outcome {
            Outcome::Done { took } => ("done", String::new(), took.as_secs_f64() * 1e3),
            Outcome::Failed { why } => ("failed", why.clone(), 0.0),
            Outcome::Stuck { phase } => ("stuck", phase.to_string(), 0.0),
            Outcome::Skipped { needs } => ("skipped", needs.to_string(), 0.0),
        };
        json!({ "name": &**name, "outcome": outcome, "why": why, "took": took })
    };
    let all: Vec<Value> = report.all.iter().map(each).collect();
    json!({ "all": all, "text": report.to_string(), "took": report.took.as_secs_f64() * 1e3 })
}

/// Does what takes time on a thread of its own, and calls `settle` with what came of it.
fn aside(
    env: Env,
    graph: &Graph,
    settle: Function<'_, String, ()>,
    work: impl FnOnce(&Native) -> Value + Send + 'static,
) -> napi::Result<()> {
    // It keeps the process alive until it is called.
    let settle = settle.build_threadsafe_function::<String>().build()?;
    let native = graph.native.clone();
    let run = move || {
        let came = work(&native).to_string();
        settle.call(came, ThreadsafeFunctionCallMode::NonBlocking);
    };
    Builder::new().name("knhk-graph".into()).spawn(run).map(drop).map_err(|error| {
        let message = format!("a thread could not be started: {error}");
        throw(env.raw(), &Error::new(Status::System, "graph", "thread", message))
    })
}

/// Starts what does not run, within milliseconds; `settle` hears the report as JSON, with "failed" where it could not.
#[napi(catch_unwind)]
pub fn graph_start(
    env: Env,
    graph: &External<Graph>,
    timeout: f64,
    settle: Function<'_, String, ()>,
) -> napi::Result<()> {
    let timeout = milliseconds(env, "graph", "timeout", timeout)?;
    aside(env, graph, settle, move |native| match native.start(timeout) {
        Ok(report) => told(&report),
        Err(error) => {
            let mut told = told(&error.started);
            told["failed"] = error.to_string().into();
            told
        }
    })
}

/// Drains and stops what runs, each within milliseconds; `settle` hears the report as JSON.
#[napi(catch_unwind)]
pub fn graph_shutdown(
    env: Env,
    graph: &External<Graph>,
    drain: f64,
    stop: f64,
    settle: Function<'_, String, ()>,
) -> napi::Result<()> {
    let (drain, stop) = (milliseconds(env, "graph", "drain", drain)?, milliseconds(env, "graph", "stop", stop)?);
    aside(env, graph, settle, move |native| told(&native.shutdown(Patience { drain, stop })))
}

/// A component's health.
#[napi(object)]
pub struct MemberHealth {
    /// The component.
    pub name: String,
    /// What it says of itself.
    pub own: f64,
    /// The least of that and of what it needs.
    pub effective: f64,
    /// Who pulls it down.
    pub because_of: Vec<String>,
}

/// How well each component is, from what each said of itself.
#[napi(catch_unwind)]
pub fn graph_health(graph: &External<Graph>, said: Vec<f64>) -> Vec<MemberHealth> {
    for (member, health) in graph.members.iter().zip(said) {
        member.health.store(health.to_bits(), Ordering::Relaxed);
    }
    let each = |health: knhk_warm::graph::ComponentHealth| MemberHealth {
        name: health.name.to_string(),
        own: health.own,
        effective: health.effective,
        because_of: health.because_of.iter().map(ToString::to_string).collect(),
    };
    graph.native.health().into_iter().map(each).collect()
}
