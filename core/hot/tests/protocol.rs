//! What a program sees of the cell: generations, views, holds, canary, limits, close.

use std::sync::Arc;

use knhk_hot::artifact::{Builder, Value};
use knhk_hot::layout::{Key, Outcome};
use knhk_hot::{Change, Hot, HotError, Observed, Options, ReaderOptions, Reason, raw};

fn change(sector: usize, value: i64) -> Change {
    let mut builder = Builder::new(2);
    builder.set(0, Value::I64(value)).set(1, Value::Bool(true));
    let artifact = builder.finish().unwrap();
    Change { sector, artifact: Arc::new(artifact), snapshot_id: [sector as u8; 32], ready: true }
}

fn hot() -> Hot {
    Hot::new(Options::default()).unwrap()
}

const A: Key = Key::new(0, 0);
const B: Key = Key::new(5, 0);

#[test]
fn a_view_keeps_its_generation() {
    let hot = hot();
    let reader = hot.register(ReaderOptions::default()).unwrap();
    assert_eq!(reader.view().try_i64(A, -1), (-1, Reason::NotReady));
    assert_eq!(hot.publish(&[change(0, 1), change(5, 1)]).unwrap(), 1);
    let view = reader.view();
    hot.publish(&[change(0, 2)]).unwrap();
    hot.publish(&[change(5, 3)]).unwrap();
    assert_eq!(hot.reclaim().roots, 2, "the empty root and generation 2");
    assert_eq!((view.get_i64(A, 0), view.get_i64(B, 0), view.epoch()), (1, 1, 1));
    drop(view);
    let view = reader.view();
    assert_eq!((view.get_i64(A, 0), view.get_i64(B, 0), view.epoch()), (2, 3, 3));
    assert_eq!((view.sector_epoch(0), view.sector_epoch(5), view.sector_epoch(1)), (2, 3, 0));
    assert_eq!(view.snapshot_id(5), [5; 32]);
    assert_eq!(hot.reclaim().roots, 1);
    assert_eq!(hot.stats().retained_roots, 0);
    assert_eq!(hot.stats().retained_bytes, 0);
}

#[test]
fn a_read_of_nothing_says_why_and_is_counted() {
    let hot = hot();
    hot.publish(&[change(0, 1)]).unwrap();
    let reader = hot.register(ReaderOptions::default()).unwrap();
    let view = reader.view();
    assert_eq!(view.try_i64(A, 9), (1, Reason::Present));
    assert_eq!(view.try_f64(A, 9.0), (9.0, Reason::WrongType));
    assert_eq!(view.try_i64(Key::new(0, 7), 9), (9, Reason::Absent));
    assert_eq!(view.try_i64(Key::new(63, 0), 9), (9, Reason::NotReady));
    assert_eq!(view.try_i64(Key::default(), 9), (9, Reason::Absent));
    assert_eq!(view.get_i64(Key::new(0, (1 << 28) - 1), 9), 9);
    assert_eq!(hot.stats().cold_reads, 5);
    for (sector, slot) in [(64, 0), (u32::MAX, 0), (0, 1 << 28)] {
        assert!(std::panic::catch_unwind(|| Key::new(sector, slot)).is_err(), "no key leaves a root or an artifact");
    }
}

#[test]
fn views_may_be_dropped_in_any_order() {
    let hot = hot();
    hot.publish(&[change(0, 1)]).unwrap();
    let reader = hot.register(ReaderOptions::default()).unwrap();
    let pin = || unsafe { (*reader.as_raw().as_ptr()).pin.load(std::sync::atomic::Ordering::Relaxed) };
    let outer = reader.view();
    let (inner, third) = (reader.view(), reader.view());
    hot.publish(&[change(0, 2)]).unwrap();
    drop(inner);
    drop(outer);
    assert_eq!(hot.reclaim().roots, 0, "the third view still keeps everything");
    assert_eq!(third.get_i64(A, 0), 1);
    drop(third);
    assert_eq!(pin(), 0);
    let outer = reader.view();
    drop(reader.view());
    assert_eq!(pin(), outer.raw().root.addr() as u64);
    drop(outer);
    assert_eq!(pin(), 0);
}

#[test]
fn a_forgotten_view_keeps_memory_until_reset() {
    let hot = hot();
    let mut reader = hot.register(ReaderOptions::default()).unwrap();
    std::mem::forget(reader.view());
    std::mem::forget(reader.view());
    hot.publish(&[change(0, 2)]).unwrap();
    assert_eq!(reader.view().get_i64(A, 0), 2);
    assert_eq!(hot.reclaim().roots, 0);
    reader.reset();
    assert_eq!(hot.reclaim().roots, 1);
}

#[test]
fn a_hold_outlives_view_reader_and_engine() {
    let hot = hot();
    hot.publish(&[change(0, 1)]).unwrap();
    let reader = hot.register(ReaderOptions::default()).unwrap();
    let hold = reader.view().hold();
    let raw = hold.clone().into_raw();
    drop(reader);
    hot.publish(&[change(0, 2)]).unwrap();
    let reclaimed = hot.reclaim();
    assert_eq!((reclaimed.roots, reclaimed.retained), (1, 1));
    hot.close();
    drop(hot);
    let read = std::thread::spawn(move || hold.get_i64(A, 0)).join().unwrap();
    assert_eq!(read, 1);
    // SAFETY: came from `into_raw`, once.
    assert_eq!(unsafe { knhk_hot::Hold::from_raw(raw) }.get_i64(A, 0), 1);
}

#[test]
fn a_released_hold_lets_its_root_go() {
    let hot = hot();
    hot.publish(&[change(0, 1)]).unwrap();
    let hold = hot.register(ReaderOptions::default()).unwrap().view().hold();
    hot.publish(&[change(0, 2)]).unwrap();
    assert_eq!(hot.reclaim().retained, 1);
    drop(hold);
    assert_eq!(hot.reclaim().retained, 0);
}

#[test]
fn a_canary_reads_the_candidate_and_is_adopted_or_not() {
    let hot = hot();
    hot.publish(&[change(0, 1), change(5, 1)]).unwrap();
    let reader = hot.register(ReaderOptions::default()).unwrap();
    let both = |hash| {
        let view = reader.view_for(hash);
        (view.get_i64(A, 0), view.get_i64(B, 0), view.epoch())
    };
    hot.start_canary(&[change(0, 2)], 1 << 63, 1).unwrap();
    assert_eq!((both(1), both(u64::MAX)), ((2, 1, 2), (1, 1, 2)));
    assert_eq!(reader.view().get_i64(A, 0), 1);
    hot.publish(&[change(5, 7)]).unwrap();
    assert_eq!((both(1), both(u64::MAX)), ((2, 7, 3), (1, 7, 3)));
    hot.stop_canary(false).unwrap();
    assert_eq!((both(1), both(u64::MAX)), ((1, 7, 4), (1, 7, 4)));
    hot.start_canary(&[change(0, 3)], u64::MAX, 12).unwrap();
    hot.stop_canary(true).unwrap();
    assert_eq!((both(1), both(u64::MAX)), ((3, 7, 6), (3, 7, 6)));
    hot.reclaim();
    assert_eq!(hot.stats().retained_roots, 0);
}

#[test]
fn a_quiescent_reader_keeps_what_came_after_its_announcement() {
    let hot = hot();
    let mut reader = hot.register(ReaderOptions::default()).unwrap();
    hot.publish(&[change(0, 1)]).unwrap();
    let mut quiescent = reader.quiescent();
    hot.publish(&[change(0, 2)]).unwrap();
    let view = quiescent.view();
    hot.publish(&[change(0, 3)]).unwrap();
    assert_eq!(hot.reclaim().roots, 1, "generation 0 went before the announcement");
    assert_eq!(view.get_i64(A, 0), 2);
    quiescent.announce();
    assert_eq!(hot.reclaim().retained, 0);
    assert_eq!(quiescent.view().get_i64(A, 0), 3);
    hot.publish(&[change(0, 4)]).unwrap();
    assert_eq!(hot.reclaim().retained, 1);
    assert_eq!(quiescent.offline(|| hot.reclaim().retained), 0);
}

#[test]
fn a_stalled_reader_is_named_and_a_rollback_still_works() {
    let hot = Hot::new(Options { retained_roots: 8, ..Options::default() }).unwrap();
    let reader = hot.register(ReaderOptions::default()).unwrap();
    let (_outer, _nested) = (reader.view(), reader.view());
    let error = (0..20).find_map(|value| hot.publish(&[change(0, value)]).err()).expect("the ring is full");
    let HotError::Stalled(stalled) = error else { panic!("{error}") };
    assert_eq!((stalled.reader, stalled.roots), (reader.id(), 7));
    assert!(stalled.bytes > 0 && stalled.thread != 0 && stalled.since_ns > 0);
    assert_eq!(hot.publish_reserved(&[change(0, -1)]).unwrap(), 8);
    assert_eq!(hot.register(ReaderOptions::default()).unwrap().view().get_i64(A, 0), -1);
    drop((_nested, _outer));
    hot.publish(&[change(0, 1)]).unwrap();
}

#[test]
fn an_exact_pin_holds_one_root_only() {
    let hot = Hot::new(Options { retained_roots: 4, ..Options::default() }).unwrap();
    let reader = hot.register(ReaderOptions::default()).unwrap();
    hot.publish(&[change(0, 0)]).unwrap();
    let view = reader.view();
    for value in 1..100 {
        hot.publish(&[change(0, value)]).unwrap();
    }
    assert_eq!(view.get_i64(A, -1), 0);
    assert!(hot.stats().retained_roots <= 4);
}

#[test]
fn the_hard_limit_counts_bytes() {
    let hot = Hot::new(Options { hard_limit_bytes: 1, soft_limit_bytes: 1, ..Options::default() }).unwrap();
    hot.publish(&[change(0, 0)]).unwrap();
    let reader = hot.register(ReaderOptions::default()).unwrap();
    let view = reader.view();
    hot.publish(&[change(0, 1)]).unwrap();
    assert!(matches!(hot.publish(&[change(0, 2)]), Err(HotError::Stalled(_))));
    assert_eq!(hot.reclaim().stalled.map(|stalled| stalled.reader), Some(reader.id()));
    drop(view);
    hot.publish(&[change(0, 2)]).unwrap();
}

#[test]
fn what_is_staged_and_dropped_changes_nothing() {
    let hot = hot();
    drop(hot.prepare(&[change(0, 1)]).unwrap());
    assert_eq!(hot.epoch(), 0);
    assert!(matches!(hot.prepare(&[change(64, 1)]), Err(HotError::Sector(64))));
    let staged = hot.prepare(&[change(0, 1)]).unwrap();
    assert_eq!(staged.epoch(), 1);
    // A promotion in the making keeps nobody from reading, registering and asking.
    let reader = hot.register(ReaderOptions::default()).unwrap();
    assert_eq!((reader.view().epoch(), hot.stats().epoch, hot.stats().retained_bytes), (0, 0, 0));
    assert_eq!(staged.swap(), 1);
}

#[test]
fn readers_survive_close() {
    let hot = hot();
    hot.publish(&[change(0, 1)]).unwrap();
    let reader = hot.register(ReaderOptions::default()).unwrap();
    let view = reader.view();
    hot.close();
    hot.close();
    assert_eq!(view.get_i64(A, 0), 1);
    drop(view);
    assert_eq!(reader.view().get_i64(A, 0), 0);
    assert!(matches!(hot.publish(&[change(0, 1)]), Err(HotError::Closed)));
    assert!(matches!(hot.register(ReaderOptions::default()), Err(HotError::Closed)));
    drop(hot);
    assert_eq!(reader.view().get_i64(A, 0), 0);
}

#[test]
fn raw_readers_refuse_what_would_corrupt() {
    let hot = hot();
    let line = hot.register_raw(ReaderOptions::default()).unwrap();
    // SAFETY: registered, used by one thread at a time, not used after it is unregistered.
    unsafe {
        let view = raw::begin(line.as_ptr());
        assert!(matches!(Hot::unregister_raw(line), Err(HotError::InView(_))));
        raw::end(line.as_ptr(), view);
        let at = line.as_ptr() as usize;
        let elsewhere = std::thread::spawn(move || {
            Hot::unregister_raw(std::ptr::NonNull::new(at as *mut _).unwrap()).map_err(|error| error.to_string())
        });
        assert!(elsewhere.join().unwrap().unwrap_err().contains("another thread"));
        Hot::unregister_raw(line).unwrap();
        assert!(matches!(Hot::unregister_raw(line), Err(HotError::NotRegistered(_))));
    }
}

#[test]
fn observations_arrive_in_order_and_drops_are_counted() {
    let hot = hot();
    hot.publish(&[change(0, 1)]).unwrap();
    let reader = hot.register(ReaderOptions { ring_records: Some(4), migratable: false }).unwrap();
    let view = reader.view();
    let append = |value| reader.observe(&view, Observed::i64(A, value, Outcome::Success));
    assert_eq!((0..6).filter(|&value| append(value)).count(), 4);
    let mut drained = Vec::new();
    assert_eq!(hot.drain(3, |reader, seen| drained.push((reader, seen.value, seen.epoch))), 3);
    assert!(append(6));
    drop(view);
    let id = reader.id();
    drop(reader);
    assert_eq!(hot.drain(100, |reader, seen| drained.push((reader, seen.value, seen.epoch))), 2);
    assert_eq!(drained, [0, 1, 2, 3, 6].map(|value| (id, value, 1)));
    let stats = hot.stats();
    assert_eq!((stats.observed, stats.dropped), (5, 2));
}

#[test]
fn the_reclaimer_is_woken_by_need_and_by_close() {
    let hot = Hot::new(Options { retained_roots: 8, ..Options::default() }).unwrap();
    let long = std::time::Duration::from_secs(600);
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| (hot.wait_reclaim(long), hot.reclaim().roots, hot.wait_reclaim(long)));
        for value in 0..4 {
            hot.publish(&[change(0, value)]).unwrap();
        }
        while hot.needs_reclaim() {
            std::thread::yield_now();
        }
        hot.close();
        assert_eq!(waiting.join().unwrap(), (true, 4, false));
    });
    assert!(!hot.wait_reclaim(long));
}
