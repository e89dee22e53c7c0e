//! A chain of five services over loopback TCP, each with a few worker threads, and clients of the first one.
//!
//! A request is a line: how many services it needs, and what is left of its deadline. Service n answers a call that needs n services
//! by itself and asks service n + 1 otherwise. The last service can be made to hang. Without policies a service waits for the next one
//! as long as that takes; with them it has a timeout and a breaker around the next one, and the last but one a bulkhead, so that calls
//! that hang do not take all its workers. That a service further down is broken is answered as such, and counts against nobody in between.

use std::io::{self, BufRead, BufReader, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::SeqCst};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use knhk_resilience::breaker::{self, Breaker};
use knhk_resilience::limit::Bulkhead;
use knhk_resilience::pipeline::{Call, Pipeline, Policies};
use knhk_resilience::{Deadline, Outcome, Scope, SystemClock};

const SERVICES: u32 = 5;
const WORKERS: usize = 4;
const CLIENTS: u32 = 8;
/// What a client waits for an answer.
const PATIENCE: Duration = Duration::from_millis(400);
/// What a service waits for the one below it, times the number of services below.
const TIMEOUT: Duration = Duration::from_millis(60);

/// Calls that the clients made, by whether they needed the last service, and how many were answered in time.
#[derive(Clone, Copy, Debug, Default)]
pub struct Kept {
    /// Calls that need the last service, and how many of them were kept.
    pub needing: (u32, u32),
    /// Calls that do not.
    pub others: (u32, u32),
}

impl Kept {
    /// The share of the calls that do not need the last service.
    pub fn share(&self) -> f64 {
        f64::from(self.others.1) / f64::from(self.others.0)
    }
}

/// Where the last service hangs until it is let go.
#[derive(Default)]
struct Gate {
    hangs: Mutex<bool>,
    opened: Condvar,
}

impl Gate {
    fn set(&self, hangs: bool) {
        *self.hangs.lock().expect("no panic under the lock") = hangs;
        self.opened.notify_all();
    }

    /// Whether it had to wait.
    fn pass(&self) -> bool {
        let hangs = self.hangs.lock().expect("no panic under the lock");
        let had_to = *hangs;
        drop(self.opened.wait_while(hangs, |hangs| *hangs).expect("no panic under the lock"));
        had_to
    }
}

struct Service {
    number: u32,
    next: Option<SocketAddr>,
    policies: Option<Pipeline>,
    gate: Arc<Gate>,
}

/// The services, which end when this is dropped.
pub struct Chain {
    entry: SocketAddr,
    all: Vec<SocketAddr>,
    workers: Vec<JoinHandle<()>>,
    stopping: Arc<AtomicBool>,
    gate: Arc<Gate>,
}

impl Chain {
    /// Starts the services.
    ///
    /// # Errors
    /// The system's, when there are no sockets or threads.
    pub fn start(with_policies: bool) -> io::Result<Chain> {
        let (gate, stopping) = (Arc::<Gate>::default(), Arc::<AtomicBool>::default());
        let (mut workers, mut all, mut next) = (Vec::new(), Vec::new(), None);
        for number in (1..=SERVICES).rev() {
            let listener = Arc::new(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?);
            let policies = (with_policies && number < SERVICES).then(|| policies(number));
            let service = Arc::new(Service { number, next, policies, gate: gate.clone() });
            next = Some(listener.local_addr()?);
            all.extend(next);
            for _ in 0..WORKERS {
                let (listener, service, stopping) = (listener.clone(), service.clone(), stopping.clone());
                workers.push(std::thread::Builder::new().spawn(move || {
                    for stream in listener.incoming().take_while(|_| !stopping.load(SeqCst)) {
                        // A client that went away is no concern of the service's.
                        let _ = stream.and_then(|stream| service.serve(stream));
                    }
                })?);
            }
        }
        let entry = next.expect("there are services");
        Ok(Chain { entry, all, workers, stopping, gate })
    }

    /// Has the last service hang, or answer.
    pub fn break_last(&self, hangs: bool) {
        self.gate.set(hangs);
    }

    /// Each client makes so many pairs of calls, one that needs the last service and one that does not.
    pub fn load(&self, pairs: u32) -> Kept {
        let (needing, others) = (AtomicU32::new(0), AtomicU32::new(0));
        std::thread::scope(|threads| {
            for client in 0..CLIENTS {
                let (needing, others) = (&needing, &others);
                threads.spawn(move || {
                    for pair in 0..pairs {
                        let kept =
                            |needs| u32::from(ask(self.entry, needs, Some(PATIENCE)).is_ok_and(|answer| answer == OK));
                        needing.fetch_add(kept(SERVICES), SeqCst);
                        others.fetch_add(kept(1 + (client + pair) % (SERVICES - 1)), SeqCst);
                    }
                });
            }
        });
        let made = CLIENTS * pairs;
        Kept { needing: (made, needing.into_inner()), others: (made, others.into_inner()) }
    }
}

impl Drop for Chain {
    fn drop(&mut self) {
        self.stopping.store(true, SeqCst);
        self.gate.set(false);
        // Each worker is woken until all have ended: one that wakes takes one connection.
        while let Some(worker) = self.workers.pop() {
            while !worker.is_finished() {
                for service in &self.all {
                    drop(TcpStream::connect(service));
                }
                std::thread::yield_now();
            }
        }
    }
}

fn policies(number: u32) -> Pipeline {
    let scope = Scope::new(Arc::new(SystemClock));
    let settings = breaker::Settings {
        recovery: Duration::from_millis(200),
        half_open_permits: 1,
        ..breaker::Settings::default()
    };
    let breaker = Breaker::new(&format!("service {}", number + 1), settings, &scope).expect("the settings are sound");
    let last_but_one = number + 1 == SERVICES;
    let bulkhead = last_but_one.then(|| Arc::new(Bulkhead::new(WORKERS as u32 / 2, &scope).expect("a limit above 0")));
    let timeout = Some(TIMEOUT * (SERVICES - number));
    Pipeline::new(Policies { breaker: Some(Arc::new(breaker)), bulkhead, timeout, ..Policies::default() }, &scope)
}

const OK: &str = "ok";
/// A service further down is broken; whoever answers this is not.
const BROKEN_BELOW: &str = "broken below";

impl Service {
    fn serve(&self, mut stream: TcpStream) -> io::Result<()> {
        let mut line = String::new();
        BufReader::new(&stream).read_line(&mut line)?;
        let (needs, left) = line.trim_end().split_once(' ').unwrap_or((line.trim_end(), ""));
        let deadline = Deadline::from_grpc_timeout(left, &SystemClock).unwrap_or_default();
        let answer = self.answer(needs.parse().unwrap_or(0), deadline);
        writeln!(stream, "{answer}")
    }

    fn answer(&self, needs: u32, deadline: Deadline) -> &'static str {
        if self.number == SERVICES {
            return if self.gate.pass() { BROKEN_BELOW } else { OK };
        }
        let Some(next) = self.next.filter(|_| needs > self.number) else { return OK };
        let Some(pipeline) = &self.policies else {
            return if ask(next, needs, None).is_ok_and(|answer| answer == OK) { OK } else { BROKEN_BELOW };
        };
        let Ok(permit) = pipeline.try_enter(Call { deadline, ..Call::default() }) else { return BROKEN_BELOW };
        let left = permit.deadline().left(&SystemClock);
        let (outcome, answer) = match ask(next, needs, left).as_deref() {
            Ok(OK) => (Outcome::Success, OK),
            Ok(_) => (Outcome::Ignored, BROKEN_BELOW),
            Err(_) => (Outcome::Failure, BROKEN_BELOW),
        };
        pipeline.finish(permit, outcome);
        answer
    }
}

/// Asks a service, and waits at most so long for the answer.
fn ask(service: SocketAddr, needs: u32, left: Option<Duration>) -> io::Result<String> {
    let deadline = left.map_or(Deadline::NONE, |left| Deadline::after(left, &SystemClock));
    let left = || deadline.left(&SystemClock).map(|left| left.max(Duration::from_micros(1)));
    let mut stream = match left() {
        Some(left) => TcpStream::connect_timeout(&service, left)?,
        None => TcpStream::connect(service)?,
    };
    stream.set_read_timeout(left())?;
    writeln!(stream, "{needs} {}", deadline.to_grpc_timeout(&SystemClock).unwrap_or_default())?;
    let mut answer = String::new();
    BufReader::new(stream).read_line(&mut answer)?;
    Ok(answer.trim_end().to_string())
}
