//! Calls a service that falls ill for a while: without policies, and with them. See `../README.md`.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::ops::Range;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

use knhk_engine::{Engine, Options, Origin, SectorKind};
use knhk_resilience::limit::Bulkhead;
use knhk_resilience::pipeline::{Call, Pipeline, Policies};
use knhk_resilience::{Breaker, Policy, breaker};

const CALLS: u32 = 400;
const ILL: Range<u32> = 100..300;
const HANG: Duration = Duration::from_millis(20);
const APART: Duration = Duration::from_millis(1);

/// Calls that the service saw while it was ill.
static SEEN_ILL: AtomicU32 = AtomicU32::new(0);

/// Answers a line with a line, unless it is ill: then it hangs, and says nothing.
fn serve(connection: TcpStream) -> io::Result<()> {
    let mut line = String::new();
    BufReader::new(&connection).read_line(&mut line)?;
    let number = line.trim().parse().map_err(io::Error::other)?;
    if ILL.contains(&number) {
        SEEN_ILL.fetch_add(1, Relaxed);
        thread::sleep(HANG);
        return Ok(());
    }
    writeln!(&connection, "price {number}")
}

fn ask(at: SocketAddr, number: u32) -> io::Result<String> {
    let mut connection = TcpStream::connect(at)?;
    writeln!(connection, "{number}")?;
    let mut answer = String::new();
    connection.read_to_string(&mut answer)?;
    if answer.is_empty() { Err(io::ErrorKind::ConnectionAborted.into()) } else { Ok(answer) }
}

/// How the calls went.
struct Run {
    answered: u32,
    seen_ill: u32,
    seconds: f64,
}

fn run(mut call: impl FnMut(u32) -> io::Result<String>) -> Run {
    SEEN_ILL.store(0, Relaxed);
    let begun = Instant::now();
    let mut answered = 0;
    for number in 0..CALLS {
        answered += u32::from(call(number).is_ok());
        thread::sleep(APART);
    }
    Run { answered, seen_ill: SEEN_ILL.load(Relaxed), seconds: begun.elapsed().as_secs_f64() }
}

fn main() -> Result<ExitCode, Box<dyn std::error::Error>> {
    let service = TcpListener::bind("127.0.0.1:0")?;
    let at = service.local_addr()?;
    thread::spawn(move || {
        for connection in service.incoming().flatten() {
            thread::spawn(move || serve(connection));
        }
    });

    let engine = Engine::open(":memory:", Options::default())?;
    engine.create_sector("limits", SectorKind::Direct)?;
    let scope = engine.scope();
    let settings = breaker::Settings { half_open_permits: 1, ..Default::default() };
    let breaker = Arc::new(Breaker::new("prices", settings, &scope)?);
    engine.add_policy("prices", Policy::Breaker(breaker.clone()), Some("limits"))?;
    let bulkhead = Some(Arc::new(Bulkhead::new(8, &scope)?));
    let prices = Pipeline::new(Policies { breaker: Some(breaker), bulkhead, ..Policies::default() }, &scope);

    let without = run(|number| ask(at, number));
    let origin =
        Origin { by: "operator".into(), why: "30 s are too long for this demonstration".into(), ..Origin::default() };
    engine.promote_json("limits", r#"{"resilience": {"prices": {"recovery_ms": 50}}}"#, origin)?;
    let mut last = String::new();
    let with = run(|number| {
        last = prices.call_or_else(Call::default(), |_deadline| ask(at, number), |_error| last.clone());
        Ok(last.clone())
    });

    println!("{:18}{:>10}{:>16}{:>9}", "", "answered", "seen while ill", "seconds");
    for (name, run) in [("without policies", &without), ("with policies", &with)] {
        println!("{name:18}{:>6}/{CALLS}{:>16}{:>9.2}", run.answered, run.seen_ill, run.seconds);
    }
    let ill = ILL.end - ILL.start;
    let held = without.answered == CALLS - ill && with.answered == CALLS && with.seen_ill < without.seen_ill / 4;
    Ok(if held { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
