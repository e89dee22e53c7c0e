//! Admission, in Rust: see `examples/admission/README.md` for what it shows. One thread serves one connection.
#![forbid(unsafe_code)]

mod limits;
mod orders_keys;
mod report;
mod traffic;

use std::io::{self, BufRead, BufReader, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use knhk_engine::{Class, Engine, Key, Observed, Options, Outcome, Reader, ReaderOptions, SectorKind, Tag, View};

use crate::limits::{Era, Order, Verdict};
use crate::orders_keys::OrdersKeys;

/// Connections, and so worker threads.
const CONNECTIONS: usize = 4;

/// A line that is longer is no order.
const LINE: u64 = 80;

/// What all threads share.
pub struct Program {
    engine: Engine,
    keys: Keys,
    begun: Instant,
    seconds: Duration,
    /// The newest generation whose promotion has returned.
    acknowledged: AtomicU64,
    /// Locked while a promotion runs, so that whoever meets an unknown generation waits for its entry.
    eras: Mutex<Vec<Era>>,
    stop: AtomicBool,
    /// Versions that the subscription heard of.
    announced: Arc<(Mutex<u64>, Condvar)>,
}

/// Interned once; valid for the engine's life. `of` is generated (`knhk codegen`): a misspelt key, or one that was retyped, does not compile.
struct Keys {
    of: OrdersKeys,
    venues: [Key<Class>; limits::VENUES.len()],
}

/// What one thread counts.
#[derive(Default)]
pub struct Tally {
    orders: u64,
    answered: u64,
    verdicts: [u64; limits::VERDICTS.len()],
    /// Decisions on limits older than the last acknowledged change.
    stale: u64,
    /// Answers from an older generation than the answer before them.
    backwards: u64,
    /// Orders without their answer, and lines that are no order or no answer.
    lost: u64,
    longest: Duration,
}

impl Keys {
    fn intern(engine: &Engine) -> Result<Keys, knhk_engine::Error> {
        let of = OrdersKeys::intern(engine)?;
        Ok(Keys { of, venues: [of.classes_XPAR, of.classes_XLON, of.classes_XETR, of.classes_XOFF] })
    }

    /// The decision: what a program does with KNHK on its hot path.
    fn decide(&self, view: &View<'_>, order: &Order<'_>) -> Verdict {
        if !self.of.open.get(view, false) {
            return Verdict::Closed;
        }
        if !order.venue.is_some_and(|venue| self.venues[venue].is_a(view, self.of.classes_tradable)) {
            return Verdict::Venue;
        }
        if order.qty > self.of.max_qty.get(view, 0) {
            return Verdict::Quantity;
        }
        if self.of.tenants.lookup(view, order.tenant).is_some_and(|own| order.qty > view.get_i64(own, 0)) {
            return Verdict::Tenant;
        }
        if !view.guard_i64(self.of.price.raw(), order.price) {
            return Verdict::Price;
        }
        Verdict::Accepted
    }

    /// What one decision costs, in nanoseconds; infinity where the order is not admitted, and so not all is read.
    fn measure(&self, reader: &Reader) -> f64 {
        const ROUNDS: u32 = 20_000;
        let order = Order { id: 0, tenant: "acme", venue: Some(0), qty: 1, price: 10_000 };
        let (begun, mut verdict) = (Instant::now(), Verdict::Closed);
        for _ in 0..ROUNDS {
            verdict = std::hint::black_box(self.decide(&reader.view(), std::hint::black_box(&order)));
        }
        if verdict == Verdict::Accepted { begun.elapsed().as_nanos() as f64 / f64::from(ROUNDS) } else { f64::INFINITY }
    }
}

impl Program {
    fn eras(&self) -> std::sync::MutexGuard<'_, Vec<Era>> {
        self.eras.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many versions the subscription heard of, once these are `expected` or some seconds have passed.
    fn announced(&self, expected: u64) -> u64 {
        let (heard, more) = &*self.announced;
        let heard = heard.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = more.wait_timeout_while(heard, Duration::from_secs(5), |heard| *heard < expected);
        *waited.unwrap_or_else(PoisonError::into_inner).0
    }

    /// Answers the orders of one connection until its end.
    fn serve(&self, stream: TcpStream) -> io::Result<Tally> {
        stream.set_nodelay(true)?;
        let reader = self
            .engine
            .register_reader(ReaderOptions { ring_records: Some(1 << 14), ..Default::default() })
            .map_err(io::Error::other)?;
        let (mut tally, mut answers, mut line) = (Tally::default(), Vec::new(), Vec::new());
        let (mut input, mut output) = (BufReader::new(stream.try_clone()?), stream);
        loop {
            line.clear();
            io::Read::take(&mut input, LINE).read_until(b'\n', &mut line)?;
            if line.is_empty() {
                return Ok(tally);
            }
            let Some(order) = Order::parse(&line) else {
                tally.lost += 1;
                return Ok(tally);
            };
            let begun = Instant::now();
            let (verdict, generation) = self.admit(&reader, &order, &mut tally);
            tally.longest = tally.longest.max(begun.elapsed());
            writeln!(answers, "{} {} {generation}", order.id, verdict.name())?;
            // Whole batches go out at once: when nothing more has come in, answer.
            if input.buffer().is_empty() {
                output.write_all(&answers)?;
                answers.clear();
            }
        }
    }

    fn admit(&self, reader: &Reader, order: &Order<'_>, tally: &mut Tally) -> (Verdict, u64) {
        let acknowledged = self.acknowledged.load(Ordering::Acquire);
        let view = reader.view();
        let verdict = self.keys.decide(&view, order);
        let outcome = if verdict == Verdict::Accepted { Outcome::Success } else { Outcome::Rejected };
        reader.observe(
            &view,
            Observed {
                key: self.keys.of.max_qty.raw(),
                tag: Tag::I64,
                bits: order.qty as u64,
                outcome: outcome as u32,
                subject: 0,
                detail: order.detail(verdict),
                time_ns: Some(now_ns()),
            },
        );
        let generation = view.epoch();
        tally.stale += u64::from(generation < acknowledged);
        tally.orders += 1;
        tally.verdicts[verdict as usize] += 1;
        (verdict, generation)
    }

    /// Takes the observations out of the rings and decides every order again, from the limits that were in force.
    fn audit(&self) -> (u64, u64) {
        let (mut drained, mut contradicted) = (0, 0);
        loop {
            // Asked first: what was appended before the program stopped is drained after.
            let stopped = self.stop.load(Ordering::Acquire);
            let mut seen = Vec::new();
            self.engine
                .drain(1 << 14, |_, observation| seen.push(observation))
                .expect("this process opened the engine");
            let mut eras = self.eras();
            for observation in &seen {
                let era = eras.iter_mut().rev().find(|era| era.generation <= observation.epoch);
                contradicted += u64::from(!era.is_some_and(|era| era.confirms(observation)));
            }
            drop(eras);
            drained += seen.len() as u64;
            if stopped && seen.is_empty() {
                return (drained, contradicted);
            }
            if seen.is_empty() {
                // Appending rings no bell, by design: a monitor looks now and then, as often as its rings are long.
                thread::park_timeout(Duration::from_millis(2));
            }
        }
    }
}

/// Nanoseconds since the Unix epoch.
pub fn now_ns() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos() as u64)
}

fn run(seconds: Duration, json: bool) -> Result<bool, Box<dyn std::error::Error>> {
    let engine = Engine::open(":memory:", Options::default())?;
    engine.create_sector("orders", SectorKind::Direct)?;
    let mut operator = limits::Operator::new(json);
    let announced: Arc<(Mutex<u64>, Condvar)> = Arc::default();
    let told = announced.clone();
    engine.subscribe(move |_| {
        *told.0.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        told.1.notify_all();
    })?;
    let first = operator.open(&engine)?;
    let program = Program {
        keys: Keys::intern(&engine)?,
        begun: Instant::now(),
        seconds,
        acknowledged: AtomicU64::new(first.generation),
        eras: Mutex::new(vec![first]),
        stop: AtomicBool::new(false),
        announced,
        engine,
    };
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let address = listener.local_addr()?;
    let p = &program;
    thread::scope(|scope| {
        let auditor = scope.spawn(|| p.audit());
        let operator = scope.spawn(move || operator.work(p));
        let clients: Vec<_> =
            (0..CONNECTIONS as u64).map(|n| scope.spawn(move || traffic::client(p, address, n))).collect();
        let mut workers = Vec::new();
        for _ in 0..CONNECTIONS {
            let stream = listener.accept()?.0;
            workers.push(scope.spawn(move || p.serve(stream)));
        }
        let mut summary = report::Summary::default();
        for client in clients {
            summary.sent.add(client.join().expect("a client does not panic")?);
        }
        for worker in workers {
            summary.served.add(worker.join().expect("a worker does not panic")?);
        }
        summary.seconds = p.begun.elapsed();
        summary.operator = operator.join().expect("the operator does not panic")?;
        p.stop.store(true, Ordering::Release);
        auditor.thread().unpark();
        (summary.drained, summary.contradicted) = auditor.join().expect("the auditor does not panic");
        Ok(summary.print(p, json))
    })
}

fn main() -> std::process::ExitCode {
    let (mut seconds, mut json) = (8.0, false);
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match (argument.as_str(), arguments.len()) {
            ("--json", _) => json = true,
            ("--seconds", 1..) => seconds = arguments.next().and_then(|n| n.parse().ok()).unwrap_or(f64::NAN),
            _ => seconds = f64::NAN,
        }
    }
    if !(0.1..=3600.0).contains(&seconds) {
        eprintln!("usage: admission [--seconds 0.1 … 3600] [--json]");
        return 2.into();
    }
    match run(Duration::from_secs_f64(seconds), json) {
        Ok(true) => 0.into(),
        Ok(false) => 1.into(),
        Err(error) => {
            eprintln!("admission: {error}");
            1.into()
        }
    }
}
