//! What else goes on in a process: threads that end or stop inside a view, signals, forks, filters on system calls.
#![cfg(target_os = "linux")]

use std::ptr::NonNull;
use std::sync::Arc;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release, SeqCst};
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicPtr, AtomicU64};
use std::sync::mpsc::channel;
use std::time::Duration;

use knhk_hot::artifact::{Builder, Value};
use knhk_hot::layout::{Key, Outcome, ReaderLine};
use knhk_hot::{Change, Hot, HotError, Observed, Options, ReaderOptions, raw};

fn change(sector: usize, value: i64) -> Change {
    let mut builder = Builder::new(1);
    builder.set(0, Value::I64(value));
    Change { sector, artifact: Arc::new(builder.finish().unwrap()), snapshot_id: [0; 32], ready: true }
}

/// Both sectors in one publication, so that a view that mixes two shows it.
fn pair(value: i64) -> [Change; 2] {
    [change(0, value), change(1, value)]
}

const A: Key = Key::new(0, 0);
const B: Key = Key::new(1, 0);

fn hot() -> Hot {
    let hot = Hot::new(Options::default()).unwrap();
    hot.publish(&pair(1)).unwrap();
    hot
}

/// Runs `f` in a forked child and waits for it; a panic there fails here.
fn in_child(f: impl FnOnce()) {
    // SAFETY: the child runs `f` and ends without returning to the test harness.
    unsafe {
        let child = libc::fork();
        assert!(child >= 0, "fork failed");
        if child == 0 {
            let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(f));
            libc::_exit(if result.is_ok() { 0 } else { 1 });
        }
        let mut status = 0;
        assert_eq!(libc::waitpid(child, &mut status, 0), child);
        assert_eq!(status, 0, "the child failed");
    }
}

/// Has `membarrier` fail with EPERM from here on, for this thread and those it makes.
fn forbid_membarrier() {
    let statement = |code: u32, k| libc::sock_filter { code: code as u16, jt: 0, jf: 0, k };
    let filter = [
        statement(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, 0),
        libc::sock_filter {
            code: (libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K) as u16,
            jt: 0,
            jf: 1,
            k: libc::SYS_membarrier as u32,
        },
        statement(libc::BPF_RET | libc::BPF_K, libc::SECCOMP_RET_ERRNO | libc::EPERM as u32),
        statement(libc::BPF_RET | libc::BPF_K, libc::SECCOMP_RET_ALLOW),
    ];
    let program = libc::sock_fprog { len: filter.len() as u16, filter: filter.as_ptr().cast_mut() };
    // SAFETY: the program is well-formed and outlives the call, which copies it.
    unsafe {
        assert_eq!(libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
        assert_eq!(libc::prctl(libc::PR_SET_SECCOMP, libc::SECCOMP_MODE_FILTER, &program), 0);
    }
}

#[test]
fn a_filter_before_open_means_fence_mode() {
    in_child(|| {
        forbid_membarrier();
        let hot = hot();
        assert!(hot.stats().fence_mode);
        let reader = hot.register(ReaderOptions::default()).unwrap();
        let view = reader.view();
        hot.publish(&pair(2)).unwrap();
        hot.publish(&pair(3)).unwrap();
        let reclaimed = hot.reclaim();
        assert_eq!((reclaimed.roots, reclaimed.retained, view.get_i64(A, 0)), (2, 1, 1));
        drop(view);
        assert_eq!((hot.reclaim().retained, reader.view().get_i64(A, 0)), (0, 3));
    });
}

#[test]
fn a_filter_after_open_means_fence_mode_from_then_on() {
    in_child(|| {
        let hot = hot();
        if hot.stats().fence_mode {
            return;
        }
        let reader = hot.register(ReaderOptions::default()).unwrap();
        let idle = hot.register(ReaderOptions::default()).unwrap();
        let view = reader.view();
        hot.publish(&pair(2)).unwrap();
        hot.reclaim();
        forbid_membarrier();
        hot.publish(&pair(3)).unwrap();
        assert_eq!(hot.reclaim().roots, 0, "nobody has fenced yet");
        assert!(hot.stats().fence_mode);
        assert_eq!(view.get_i64(A, 0), 1);
        drop(view);
        assert_eq!(reader.view().get_i64(A, 0), 3);
        assert_eq!(hot.reclaim().roots, 0, "the other reader has not fenced yet");
        let late = hot.register(ReaderOptions::default()).unwrap();
        drop(idle);
        assert_eq!(hot.reclaim().retained, 0);
        hot.publish(&pair(4)).unwrap();
        let mut other = late;
        let quiescent = other.quiescent();
        assert_eq!((quiescent.view().get_i64(B, 0), hot.reclaim().retained), (4, 0));
    });
}

#[test]
fn a_thread_that_ends_inside_a_view_is_reaped() {
    let hot = hot();
    let shared = hot.clone();
    let line = std::thread::spawn(move || {
        let line = shared.register_raw(ReaderOptions::default()).unwrap();
        // SAFETY: registered, and ours. The view is never ended.
        unsafe { raw::begin(line.as_ptr()) };
        line.as_ptr() as usize
    });
    let line = NonNull::new(line.join().unwrap() as *mut ReaderLine).unwrap();
    hot.publish(&pair(2)).unwrap();
    assert_eq!(hot.reclaim().retained, 0);
    assert_eq!((hot.stats().reaped, hot.stats().readers), (1, 0));
    // SAFETY: of this engine, which lives; a finaliser may come after the thread's end.
    unsafe {
        Hot::unregister_raw(line).unwrap();
        assert!(matches!(Hot::unregister_raw(line), Err(HotError::NotRegistered(_))));
    }
}

#[test]
fn a_finaliser_unregisters_the_reader_of_a_dead_thread() {
    let hot = hot();
    let shared = hot.clone();
    let line = std::thread::spawn(move || shared.register_raw(ReaderOptions::default()).unwrap().as_ptr() as usize);
    let line = NonNull::new(line.join().unwrap() as *mut ReaderLine).unwrap();
    // SAFETY: of this engine, which lives.
    unsafe { Hot::unregister_raw(line).unwrap() };
    assert_eq!(hot.stats().readers, 0);
}

#[test]
fn what_a_leaked_view_lends_outlives_its_thread() {
    let hot = hot();
    let shared = hot.clone();
    let view = std::thread::spawn(move || {
        let reader = Box::leak(Box::new(shared.register(ReaderOptions::default()).unwrap()));
        let view = Box::leak(Box::new(reader.view()));
        view.raw().root.addr()
    });
    view.join().unwrap();
    hot.publish(&pair(2)).unwrap();
    let reclaimed = hot.reclaim();
    assert_eq!((reclaimed.retained, hot.stats().reaped), (1, 0), "a leaked view may have lent a string to any thread");
}

static STOPPED: AtomicBool = AtomicBool::new(false);
static STOP_PIPE: AtomicI32 = AtomicI32::new(-1);

extern "C" fn stop(_: i32) {
    STOPPED.store(true, Release);
    let mut byte = 0u8;
    // SAFETY: a pipe of the test's; read is safe in a handler.
    unsafe { libc::read(STOP_PIPE.load(Acquire), (&raw mut byte).cast(), 1) };
}

fn handle(signal: i32, handler: extern "C" fn(i32)) {
    // SAFETY: the handlers of this file do what a handler may.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = handler as *const () as usize;
        action.sa_flags = libc::SA_RESTART;
        assert_eq!(libc::sigaction(signal, &action, std::ptr::null_mut()), 0);
    }
}

#[test]
fn a_reader_that_is_stopped_is_named() {
    let mut pipe = [0; 2];
    // SAFETY: room for two descriptors.
    assert_eq!(unsafe { libc::pipe(pipe.as_mut_ptr()) }, 0);
    STOP_PIPE.store(pipe[0], Release);
    handle(libc::SIGUSR1, stop);
    let hot = Hot::new(Options { retained_roots: 8, ..Options::default() }).unwrap();
    hot.publish(&pair(0)).unwrap();
    let (shared, (started, wait), over) = (hot.clone(), channel(), Arc::new(AtomicBool::new(false)));
    let stop_reading = over.clone();
    let reader = std::thread::spawn(move || {
        let reader = shared.register(ReaderOptions::default()).unwrap();
        // SAFETY: no precondition.
        let thread = unsafe { libc::syscall(libc::SYS_gettid) } as i32;
        // Nested, so that it keeps everything.
        let (outer, _nested) = (reader.view(), reader.view());
        // SAFETY: no precondition.
        started.send((reader.id(), thread, unsafe { libc::pthread_self() })).unwrap();
        while !stop_reading.load(Relaxed) {
            assert_eq!(outer.get_i64(A, -1), 0);
        }
    });
    let (id, thread, handle) = wait.recv().unwrap();
    // SAFETY: the thread runs until it is told otherwise.
    assert_eq!(unsafe { libc::pthread_kill(handle, libc::SIGUSR1) }, 0);
    while !STOPPED.load(Acquire) {
        std::thread::yield_now();
    }
    let error = (1..20).find_map(|value| hot.publish(&pair(value)).err()).expect("the ring is full");
    let HotError::Stalled(stalled) = error else { panic!("{error}") };
    assert_eq!((stalled.reader, stalled.thread), (id, thread));
    hot.publish_reserved(&pair(-1)).unwrap();
    over.store(true, Relaxed);
    // SAFETY: our own pipe.
    assert_eq!(unsafe { libc::write(pipe[1], c"x".as_ptr().cast(), 1) }, 1);
    reader.join().unwrap();
    hot.publish(&pair(1)).unwrap();
    assert_eq!(hot.reclaim().retained, 0);
}

static SIGNALLED: AtomicPtr<ReaderLine> = AtomicPtr::new(std::ptr::null_mut());
static HANDLED: AtomicU64 = AtomicU64::new(0);
static MIXED: AtomicU64 = AtomicU64::new(0);

extern "C" fn read_in_handler(_: i32) {
    let line = SIGNALLED.load(Acquire);
    // SAFETY: the line is of the thread that gets the signal, and views of handlers are nested.
    unsafe {
        let view = raw::begin(line);
        if raw::get_i64(view, A, -1) != raw::get_i64(view, B, -2) {
            MIXED.fetch_add(1, Relaxed);
        }
        raw::end(line, view);
    }
    HANDLED.fetch_add(1, Release);
}

#[test]
fn signal_handlers_read_in_the_middle_of_everything() {
    const SIGNALS: u64 = 5_000;
    handle(libc::SIGUSR2, read_in_handler);
    let (hot, over) = (hot(), AtomicBool::new(false));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut value = 1;
            while !over.load(Relaxed) {
                value += 1;
                let _ = hot.publish(&pair(value));
                hot.reclaim();
            }
        });
        let line = hot.register_raw(ReaderOptions::default()).unwrap();
        SIGNALLED.store(line.as_ptr(), Release);
        // SAFETY: no precondition.
        let this = unsafe { libc::pthread_self() };
        let over = &over;
        scope.spawn(move || {
            for sent in 0..SIGNALS {
                // SAFETY: the thread waits for all of them.
                unsafe { libc::pthread_kill(this, libc::SIGUSR2) };
                while HANDLED.load(Acquire) <= sent {
                    std::hint::spin_loop();
                }
            }
            over.store(true, Release);
        });
        while !over.load(Acquire) {
            // SAFETY: the line is this thread's.
            unsafe {
                let view = raw::begin(line.as_ptr());
                assert_eq!(raw::get_i64(view, A, -1), raw::get_i64(view, B, -2));
                raw::end(line.as_ptr(), view);
            }
        }
        // SAFETY: no signal comes any more.
        unsafe { Hot::unregister_raw(line).unwrap() };
    });
    assert_eq!((HANDLED.load(SeqCst), MIXED.load(SeqCst)), (SIGNALS, 0));
    hot.reclaim();
    assert_eq!(hot.stats().retained_roots, 0);
}

#[test]
fn children_read_on_and_are_refused_the_rest() {
    let (hot, over) = (hot(), AtomicBool::new(false));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut value = 1;
            while !over.load(Relaxed) {
                value += 1;
                let _ = hot.publish(&pair(value));
                hot.drain(16, |_, _| ());
            }
        });
        scope.spawn(|| {
            while !over.load(Relaxed) {
                hot.reclaim();
            }
        });
        let reader = hot.register(ReaderOptions::default()).unwrap();
        let append = |view: &knhk_hot::View<'_>| reader.observe(view, Observed::i64(A, 1, Outcome::Success));
        for round in 0..40 {
            let view = reader.view();
            append(&view);
            in_child(|| {
                let inherited = view.get_i64(A, -1);
                assert_eq!(view.get_i64(B, -2), inherited);
                assert!(!append(&view), "a child must not append");
                let own = reader.view();
                assert!(own.get_i64(A, -1) >= inherited);
                assert_eq!(own.get_i64(A, -1), own.get_i64(B, -2));
                drop(own);
                assert!(matches!(hot.publish(&pair(0)), Err(HotError::Forked)));
                assert!(matches!(hot.register(ReaderOptions::default()), Err(HotError::Forked)));
                assert!(matches!(hot.start_canary(&pair(0), 1, 1), Err(HotError::Forked)));
                assert_eq!((hot.drain(10, |_, _| ()), hot.reclaim().roots), (0, 0));
                assert!(hot.is_forked() && !hot.wait_reclaim(Duration::from_secs(60)));
                hot.close();
                hot.stats();
                if round % 8 == 0 {
                    let anew = Hot::new(Options::default()).unwrap();
                    anew.publish(&pair(7)).unwrap();
                    assert_eq!(anew.register(ReaderOptions::default()).unwrap().view().get_i64(B, 0), 7);
                }
            });
        }
        over.store(true, Relaxed);
    });
}

#[test]
fn two_engines_do_not_disturb_each_other() {
    let (one, two) = (hot(), hot());
    let (reader_of_one, reader_of_two) =
        (one.register(ReaderOptions::default()).unwrap(), two.register(ReaderOptions::default()).unwrap());
    let view = reader_of_one.view();
    one.publish(&pair(2)).unwrap();
    two.publish(&pair(3)).unwrap();
    assert_eq!((one.reclaim().retained, two.reclaim().retained), (1, 0));
    assert_eq!((view.get_i64(A, 0), reader_of_two.view().get_i64(A, 0)), (1, 3));
    one.close();
    drop(one);
    assert_eq!((view.get_i64(A, 0), reader_of_two.view().get_i64(A, 0)), (1, 3));
    drop(view);
    drop(two);
    assert_eq!((reader_of_one.view().get_i64(A, 0), reader_of_two.view().get_i64(A, 0)), (0, 3));
}
