//! What a message through a pair of ends costs between two threads, and how soon the producer feels that its consumer stopped.

#[path = "../../hot/benches/driver/mod.rs"]
mod driver;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::time::Instant;

use driver::{Program, Sample, median, ns_per_tick, ticks};
use knhk_warm::channel::{SendError, channel, pair};

/// Messages of a round; some tens of milliseconds.
const MESSAGES: u64 = 100_000;
/// Messages under way.
const WINDOW: u32 = 256;
/// Stops of a consumer in a round.
const STOPS: usize = 50;

/// The other end adds all that it gets, and answers with the sum when asked by the largest number.
fn one_way() -> impl FnMut() -> Sample {
    let (here, there) = pair::<u64, u64>(WINDOW);
    std::thread::spawn(move || {
        let mut sum = 0_u64;
        while let Some(message) = there.receiver.recv() {
            match message {
                u64::MAX => there.sender.send(std::mem::take(&mut sum)).expect("the asking end is there"),
                number => sum += number,
            }
        }
    });
    move || {
        let start = Instant::now();
        (0..MESSAGES).for_each(|n| here.sender.send(n).expect("the other end is there"));
        here.sender.send(u64::MAX).expect("the other end is there");
        assert_eq!(here.receiver.recv(), Some(MESSAGES * (MESSAGES - 1) / 2));
        Sample { ns: start.elapsed().as_nanos() as f64 / MESSAGES as f64, ..Sample::default() }
    }
}

/// Both ends send and receive at once.
fn both_ways() -> Sample {
    let (here, there) = pair::<u64, u64>(WINDOW);
    let echo = std::thread::spawn(move || {
        while let Some(message) = there.receiver.recv() {
            there.sender.send(message).expect("the asking end is there");
        }
    });
    let start = Instant::now();
    let (mut sent, mut received) = (0, 0);
    while received < MESSAGES {
        while sent < MESSAGES && here.sender.try_send(sent).is_ok() {
            sent += 1;
        }
        assert_eq!(here.receiver.recv(), Some(received));
        received += 1;
    }
    let ns = start.elapsed().as_nanos() as f64 / (2 * MESSAGES) as f64;
    drop(here);
    echo.join().expect("the echo ends with its channel");
    Sample { ns, ..Sample::default() }
}

/// A producer sends as fast as it may. `stop` makes the consumer stop; from then on, how long until a send is refused: the median.
fn backpressure(hold: bool) -> Sample {
    let (sender, receiver) = channel::<u64>(WINDOW);
    let stopped_at = Arc::new(AtomicU64::new(0));
    let ended = Arc::new(AtomicBool::new(false));
    let (heard, over) = (stopped_at.clone(), ended.clone());
    let consumer = std::thread::spawn(move || {
        let mut count = 0_u64;
        while !over.load(SeqCst) {
            if receiver.try_recv().is_some() {
                count += 1;
            }
            if count % 2000 == 1999 && heard.load(SeqCst) == 0 {
                count += 1;
                heard.store(ticks(), SeqCst);
                if hold {
                    receiver.hold();
                }
                // The producer puts it back to 0 when it has felt it.
                while heard.load(SeqCst) != 0 && !over.load(SeqCst) {
                    if hold {
                        receiver.try_recv();
                    }
                }
                receiver.release();
            }
        }
    });
    let mut delays = Vec::with_capacity(STOPS);
    let mut message = 0;
    while delays.len() < STOPS {
        match sender.try_send(message) {
            Ok(()) => message += 1,
            Err(SendError::Closed(_)) => unreachable!("the consumer lives"),
            Err(SendError::Full(_)) => {
                let now = ticks();
                let stopped = stopped_at.load(SeqCst);
                if stopped != 0 {
                    delays.push(now.saturating_sub(stopped) as f64 * ns_per_tick());
                    stopped_at.store(0, SeqCst);
                }
            }
        }
    }
    ended.store(true, SeqCst);
    consumer.join().expect("the consumer ends when it is told to");
    Sample { ns: median(&mut delays), ..Sample::default() }
}

fn main() {
    let mut program = Program::default();
    program.add("channel_one_way", one_way());
    program.add("channel_both_ways", both_ways);
    program.add("backpressure_stopped", || backpressure(false));
    program.add("backpressure_held", || backpressure(true));
    program.add("crossbeam_one_way", crossbeam_one_way());
    program.run();
}

/// The same through crossbeam's channels alone.
fn crossbeam_one_way() -> impl FnMut() -> Sample {
    let (sender, receiver) = crossbeam_channel::bounded::<u64>(WINDOW as usize);
    let (answer, answered) = crossbeam_channel::bounded::<u64>(1);
    std::thread::spawn(move || {
        let mut sum = 0_u64;
        for message in receiver {
            match message {
                u64::MAX => answer.send(std::mem::take(&mut sum)).expect("the asking end is there"),
                number => sum += number,
            }
        }
    });
    move || {
        let start = Instant::now();
        (0..MESSAGES).for_each(|n| sender.send(n).expect("the other end is there"));
        sender.send(u64::MAX).expect("the other end is there");
        assert_eq!(answered.recv(), Ok(MESSAGES * (MESSAGES - 1) / 2));
        Sample { ns: start.elapsed().as_nanos() as f64 / MESSAGES as f64, ..Sample::default() }
    }
}
