//! The zero-size binder: before the engine is there, while it runs, on every thread, after it is closed.

use std::sync::{Barrier, OnceLock};

use knhk_engine::{Engine, Key, Options, Origin, SectorKind, Status, bind};

fn engine() -> (Engine, Key<i64>) {
    let engine = Engine::open(":memory:", Options::default()).unwrap();
    engine.create_sector("orders", SectorKind::Direct).unwrap();
    engine.promote_json("orders", r#"{"max_qty": 1000}"#, Origin::default()).unwrap();
    let key = engine.key("orders", "max_qty").unwrap();
    (engine, key)
}

#[test]
fn it_has_no_size() {
    static ENGINE: OnceLock<Engine> = OnceLock::new();
    bind!(Orders => ENGINE);
    assert_eq!(size_of::<Orders>(), 0);
    assert_eq!(size_of::<Option<Orders>>(), 1);
    assert!(ENGINE.get().is_none(), "binding opens nothing");
}

#[test]
fn before_the_engine_is_set_there_is_a_fallback_and_a_clear_error() {
    static ENGINE: OnceLock<Engine> = OnceLock::new();
    bind!(Orders => ENGINE);
    let (engine, max_qty) = engine();

    assert_eq!(Orders::get(max_qty, 7), 7);
    let error = Orders::with(|_| ()).unwrap_err();
    assert_eq!((error.status(), error.item()), (Status::NotReady, "Orders"));
    assert_eq!(error.message(), "Orders has no engine yet: open one and set the static ENGINE to it first");
    assert!(Orders::engine().is_err());

    assert!(ENGINE.set(engine).is_ok());
    assert_eq!(Orders::get(max_qty, 7), 1000, "the same thread reads once it is set");
    assert!(Orders::engine().is_ok());
}

#[test]
fn it_reads_what_is_current_and_one_generation_in_a_view() {
    static ENGINE: OnceLock<Engine> = OnceLock::new();
    bind!(Orders => ENGINE);
    let (engine, max_qty) = engine();
    let engine = ENGINE.get_or_init(|| engine);

    let (inside, after) = Orders::with(|view| {
        let before = max_qty.get(view, 0);
        engine.promote_json("orders", r#"{"max_qty": 2000}"#, Origin::default()).unwrap();
        assert_eq!(max_qty.get(view, 0), before, "an open view does not change");
        (before, Orders::get(max_qty, 0))
    })
    .unwrap();
    assert_eq!((inside, after), (1000, 2000), "a nested view may be newer");
    assert_eq!(Orders::get(max_qty, 0), 2000);
    assert_eq!(engine.stats().hot.readers, 1, "one reader a thread");
}

#[test]
fn each_thread_has_a_reader_until_it_ends() {
    const THREADS: usize = 4;
    static ENGINE: OnceLock<Engine> = OnceLock::new();
    bind!(Orders => ENGINE);
    let (engine, max_qty) = engine();
    let engine = ENGINE.get_or_init(|| engine);

    let (reading, counted) = (Barrier::new(THREADS + 1), Barrier::new(THREADS + 1));
    let threads: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS)
            .map(|_| {
                scope.spawn(|| {
                    let read = Orders::get(max_qty, 0);
                    reading.wait();
                    counted.wait();
                    read
                })
            })
            .collect();
        reading.wait();
        assert_eq!(engine.stats().hot.readers, THREADS);
        counted.wait();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(threads, [1000; THREADS]);
    assert_eq!(engine.stats().hot.readers, 0, "thread-locals end before a join returns");
}

#[test]
fn after_close_values_are_absent_and_new_threads_are_told() {
    static ENGINE: OnceLock<Engine> = OnceLock::new();
    bind!(Orders => ENGINE);
    let (engine, max_qty) = engine();
    let engine = ENGINE.get_or_init(|| engine);
    assert_eq!(Orders::get(max_qty, 7), 1000);
    engine.close();

    assert_eq!(Orders::get(max_qty, 7), 7);
    assert_eq!(Orders::with(|view| max_qty.get(view, 8)).unwrap(), 8, "a reader outlives the engine it reads");
    let elsewhere = std::thread::spawn(move || (Orders::get(max_qty, 9), Orders::with(|_| ()).unwrap_err().status()));
    assert_eq!(elsewhere.join().unwrap(), (9, Status::Closed));
}

#[test]
fn two_binders_of_two_engines_do_not_disturb_each_other() {
    static ONE: OnceLock<Engine> = OnceLock::new();
    static OTHER: OnceLock<Engine> = OnceLock::new();
    bind!(
        /// An attribute passes through.
        pub(crate) One => ONE
    );
    bind!(Other => OTHER,);
    let ((one, key), (other, same_key)) = (engine(), engine());
    other.promote_json("orders", r#"{"max_qty": 5}"#, Origin::default()).unwrap();
    assert!(ONE.set(one).is_ok() && OTHER.set(other).is_ok());
    assert_eq!((One::get(key, 0), Other::get(same_key, 0)), (1000, 5));
}

#[test]
fn reading_while_a_thread_ends_is_no_crash() {
    static ENGINE: OnceLock<Engine> = OnceLock::new();
    bind!(Orders => ENGINE);

    /// A thread-local of the program's that reads when it is dropped.
    struct Last(std::sync::mpsc::Sender<Result<i64, Status>>, Key<i64>);

    impl Drop for Last {
        fn drop(&mut self) {
            let read = Orders::with(|view| self.1.get(view, 0)).map_err(|error| error.status());
            _ = self.0.send(read);
        }
    }
    thread_local! {
        static LAST: std::cell::RefCell<Option<Last>> = const { std::cell::RefCell::new(None) };
    }

    let (engine, max_qty) = engine();
    let engine = ENGINE.get_or_init(|| engine);
    let (told, outcome) = std::sync::mpsc::channel();
    let thread = std::thread::spawn(move || {
        // Thread-locals end in no promised order: either this one finds the reader, or it finds it gone.
        LAST.with(|last| *last.borrow_mut() = Some(Last(told, max_qty)));
        Orders::get(max_qty, 0)
    });
    assert_eq!(thread.join().unwrap(), 1000);
    let read = outcome.recv().unwrap();
    assert!(matches!(read, Ok(1000) | Err(Status::Closed)), "{read:?}");
    assert_eq!(engine.stats().hot.readers, 0);
}
