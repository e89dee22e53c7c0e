//! Adaptive limits in a queueing simulation. A callee has c servers and one queue; calls arrive in a Poisson stream at twice what the
//! servers take, so whatever the law of the service times, the least concurrency with the full throughput is c: below it a server
//! idles, above it calls wait. The limit, averaged over the last third of the calls, must be within 20 % of c: from cold, and after c
//! or the service time changed.
#![cfg(not(loom))]

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use knhk_resilience::limit::{Adaptive, Gradient2, Law, Ticket, Vegas};
use knhk_resilience::{Clock, ManualClock, Outcome, Random, Rejected, Scope};

#[derive(Clone, Copy, Debug)]
enum Service {
    /// Always the mean.
    Fixed,
    /// Half to one and a half of the mean, uniform.
    Uniform,
    /// Exponential.
    Exponential,
    /// Log-normal with a coefficient of variation of 1.3 (sigma 1).
    LogNormal,
}

impl Service {
    fn draw(self, mean: f64, random: &Random) -> f64 {
        let unit = || 1.0 - random.unit();
        mean * match self {
            Service::Fixed => 1.0,
            Service::Uniform => 0.5 + random.unit(),
            Service::Exponential => -unit().ln(),
            Service::LogNormal => {
                let normal = (-2.0 * unit().ln()).sqrt() * (std::f64::consts::TAU * random.unit()).cos();
                (normal - 0.5).exp()
            }
        }
    }
}

struct Callee {
    clock: Arc<ManualClock>,
    limit: Adaptive,
    random: Random,
    service: Service,
    servers: usize,
    mean_ns: f64,
    busy: usize,
    waiting: VecDeque<Ticket>,
    /// When a call ends, and its ticket.
    serving: BinaryHeap<Reverse<(u64, u64)>>,
    now: u64,
}

impl Callee {
    fn new(law: Law, service: Service, servers: usize, mean_ns: f64) -> Callee {
        let clock = Arc::new(ManualClock::default());
        let scope = Scope::new(clock.clone());
        Callee {
            limit: Adaptive::new(law, 10, 1, 1000, &scope).unwrap(),
            clock,
            random: Random::new(42),
            service,
            servers,
            mean_ns,
            busy: 0,
            waiting: VecDeque::new(),
            serving: BinaryHeap::new(),
            now: 0,
        }
    }

    fn serve(&mut self) {
        while self.busy < self.servers {
            let Some(ticket) = self.waiting.pop_front() else { return };
            self.busy += 1;
            let took = self.service.draw(self.mean_ns, &self.random) as u64;
            self.serving.push(Reverse((self.now + took.max(1), ticket.into_raw())));
        }
    }

    /// Ends `calls` calls; returns the mean limit over the last third, and the share of the servers' time that was used then.
    fn run(&mut self, calls: u64) -> (f64, f64) {
        let rate = 2.0 * self.servers as f64 / self.mean_ns;
        let mut arrival = self.now;
        let (mut ended, mut area, mut used, mut since) = (0, 0.0, 0.0, 0);
        while ended < calls {
            let ends = self.serving.peek().map_or(u64::MAX, |Reverse((at, _))| *at);
            let next = ends.min(arrival);
            if ended >= calls * 2 / 3 {
                area += f64::from(self.limit.limit()) * (next - self.now) as f64;
                used += self.busy.min(self.servers) as f64 * (next - self.now) as f64;
                since += next - self.now;
            }
            self.now = next;
            self.clock.set(next);
            if next == ends {
                let Some(Reverse((_, ticket))) = self.serving.pop() else { unreachable!("something ends") };
                self.limit.leave(Ticket::from_raw(ticket), Outcome::Success);
                self.busy -= 1;
                ended += 1;
            } else {
                match self.limit.try_enter() {
                    Ok(ticket) => self.waiting.push_back(ticket),
                    Err(Rejected::Overloaded { .. }) => {}
                    Err(other) => panic!("{other}"),
                }
                arrival = self.now + (-(1.0 - self.random.unit()).ln() / rate) as u64 + 1;
            }
            self.serve();
        }
        (area / since as f64, used / since as f64 / self.servers as f64)
    }
}

const CALLS: u64 = 100_000;
const MEAN_NS: f64 = 10e6;

type Step = fn(&mut Callee);

#[test]
fn limits_converge_within_a_fifth_of_the_optimum_from_cold_and_after_steps() {
    let mut missed = Vec::new();
    for law in [Law::Gradient2(Gradient2::default()), Law::Vegas(Vegas::default())] {
        for service in [Service::Fixed, Service::Uniform, Service::Exponential, Service::LogNormal] {
            let mut callee = Callee::new(law, service, 50, MEAN_NS);
            let steps: [(&str, Step); 6] = [
                ("cold, 50 servers", |_| ()),
                ("30 servers", |callee| callee.servers = 30),
                ("100 servers", |callee| callee.servers = 100),
                ("calls take 3 times as long", |callee| callee.mean_ns = 3.0 * MEAN_NS),
                ("calls take a third", |callee| callee.mean_ns = MEAN_NS),
                ("50 servers", |callee| callee.servers = 50),
            ];
            for (what, step) in steps {
                step(&mut callee);
                let (limit, used) = callee.run(CALLS);
                let ratio = limit / callee.servers as f64;
                let line = format!(
                    "{law:?} {service:?}, {what}: limit {limit:.1}, {ratio:.2} of the optimum, servers {used:.3} used"
                );
                println!("{line}");
                if !(0.8..=1.2).contains(&ratio) {
                    missed.push(line);
                }
            }
        }
    }
    assert!(missed.is_empty(), "{missed:#?}");
}

#[test]
fn drops_take_the_limit_down_and_an_idle_limit_stays() {
    let clock = Arc::new(ManualClock::default());
    let limit = Adaptive::new(Law::default(), 40, 5, 80, &Scope::new(clock.clone())).unwrap();
    for _ in 0..1000 {
        let ticket = limit.try_enter().unwrap();
        clock.sleep(Duration::from_millis(1));
        limit.leave(ticket, Outcome::Success);
    }
    assert_eq!(limit.limit(), 40, "one call at a time says nothing about more");
    for _ in 0..5000 {
        let ticket = limit.try_enter().unwrap();
        limit.leave(ticket, Outcome::Failure);
    }
    assert_eq!(limit.limit(), 5);
    let tickets: Vec<Ticket> = (0..5).map(|_| limit.try_enter().unwrap()).collect();
    assert_eq!(limit.try_enter().map(Ticket::into_raw), Err(Rejected::Overloaded { limit: 5 }));
    tickets.into_iter().for_each(|ticket| limit.leave(ticket, Outcome::Ignored));
    assert_eq!(limit.taken(), 0);
    for law in [
        Law::Gradient2(Gradient2 { tolerance: f64::NAN, ..Gradient2::default() }),
        Law::Gradient2(Gradient2 { smoothing: 0.0, ..Gradient2::default() }),
        Law::Vegas(Vegas { alpha: 2.0, beta: 1.0 }),
    ] {
        assert!(limit.retune(law, 5, 80).is_err(), "{law:?}");
    }
    limit.retune(Law::default(), 8, 9).unwrap();
    assert_eq!(limit.limit(), 8);
    assert!(limit.retune(Law::default(), 0, 9).is_err() && limit.retune(Law::default(), 10, 9).is_err());
}
