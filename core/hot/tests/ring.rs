//! The observation ring: against a queue of bounded length, for any sequence of appends and drains, and under many threads.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release, SeqCst};
use std::sync::atomic::{AtomicBool, AtomicU64};

use knhk_hot::layout::{Key, Outcome};
use knhk_hot::{Hot, Observed, Options, ReaderOptions};
use proptest::prelude::*;

#[derive(Clone, Copy, Debug)]
enum Operation {
    Append {
        value: i64,
        subject: u64,
        time: Option<u64>,
    },
    Drain(usize),
    /// The reader goes and another comes: what it appended is still there.
    Replace,
}

fn operation() -> impl Strategy<Value = Operation> {
    prop_oneof![
        8 => (any::<i64>(), any::<u64>(), any::<Option<u64>>())
            .prop_map(|(value, subject, time)| Operation::Append { value, subject, time }),
        2 => (0usize..12).prop_map(Operation::Drain),
        1 => Just(Operation::Replace),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]
    #[test]
    fn it_is_a_bounded_queue(records in 0usize..10, operations in prop::collection::vec(operation(), 1..200)) {
        let hot = Hot::new(Options::default()).unwrap();
        let options = ReaderOptions { ring_records: Some(records), migratable: false };
        let capacity = if records == 0 { 0 } else { records.next_power_of_two() };
        let mut reader = hot.register(options).unwrap();
        // Of past readers, and of the present one.
        let (mut past, mut present): (VecDeque<_>, VecDeque<_>) = Default::default();
        let (mut accepted, mut refused, mut drained) = (0, 0, 0);
        for operation in operations {
            match operation {
                Operation::Append { value, subject, time } => {
                    let what = Observed { subject, time_ns: time, ..Observed::i64(Key::new(1, 2), value, Outcome::Error) };
                    let fits = present.len() < capacity;
                    prop_assert_eq!(reader.observe(&reader.view(), what), fits);
                    if fits {
                        present.push_back((reader.id(), value as u64, subject, time.unwrap_or(hot.clock().now_ns())));
                        accepted += 1;
                    } else {
                        refused += 1;
                    }
                }
                Operation::Drain(max) => {
                    let mut seen = Vec::new();
                    let taken = hot.drain(max, |id, what| seen.push((id, what.value, what.subject, what.time_ns)));
                    prop_assert_eq!(taken, max.min(past.len() + present.len()));
                    drained += taken as u64;
                    // Each reader's own arrive in order; whose come first is not promised.
                    for what in seen {
                        let of = [&mut past, &mut present].into_iter().find_map(|queue| {
                            let first = queue.iter().position(|(id, ..)| *id == what.0)?;
                            queue.remove(first)
                        });
                        prop_assert_eq!(of, Some(what));
                    }
                }
                Operation::Replace => {
                    past.append(&mut present);
                    drop(reader);
                    reader = hot.register(options).unwrap();
                }
            }
        }
        let stats = hot.stats();
        prop_assert_eq!((stats.observed, stats.dropped), (drained, refused));
        prop_assert_eq!(hot.drain(usize::MAX, |_, _| ()) as u64, accepted - drained);
    }
}

#[test]
fn a_hundred_threads_lose_nothing_that_was_accepted() {
    const THREADS: u64 = 100;
    const APPENDS: i64 = 2_000;
    let (hot, over) = (Hot::new(Options::default()).unwrap(), AtomicBool::new(false));
    let (accepted, refused, arrived) = (AtomicU64::new(0), AtomicU64::new(0), AtomicU64::new(0));
    std::thread::scope(|scope| {
        let consumer = scope.spawn(|| {
            let mut next = HashMap::new();
            loop {
                let last = over.load(Acquire);
                let taken = hot.drain(10_000, |reader, seen| {
                    let expected: &mut u64 = next.entry(reader).or_default();
                    assert_eq!((seen.sequence, seen.detail), (*expected, *expected), "of reader {reader}");
                    *expected += 1;
                    arrived.fetch_add(1, Relaxed);
                });
                if last && taken == 0 {
                    return;
                }
                if taken == 0 {
                    std::thread::yield_now();
                }
            }
        });
        let producer = || {
            let reader = hot.register(ReaderOptions { ring_records: Some(64), migratable: false }).unwrap();
            let (view, mut count) = (reader.view(), 0);
            for value in 0..APPENDS {
                let what = Observed { detail: count, ..Observed::i64(Key::new(0, 0), value, Outcome::Success) };
                match reader.observe(&view, what) {
                    true => count += 1,
                    false => _ = refused.fetch_add(1, Relaxed),
                }
            }
            accepted.fetch_add(count, Relaxed);
        };
        let producers: Vec<_> = (0..THREADS).map(|_| scope.spawn(producer)).collect();
        for producer in producers {
            producer.join().unwrap();
        }
        over.store(true, Release);
        consumer.join().unwrap();
    });
    let stats = hot.stats();
    assert_eq!(arrived.load(SeqCst), accepted.load(SeqCst));
    assert_eq!((stats.observed, stats.dropped), (accepted.load(SeqCst), refused.load(SeqCst)));
    assert_eq!(accepted.load(SeqCst) + refused.load(SeqCst), THREADS * APPENDS as u64);
}
