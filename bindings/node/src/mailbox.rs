//! What other threads have to say to one JavaScript environment.
//!
//! Engine threads put plain data here and wake the environment through one threadsafe function. It is called under this lock only, and the
//! environment's cleanup hook takes it away under the same lock before Node frees it, so no thread ever calls into an environment
//! that is gone. It is unreferenced: waiting for news keeps no process alive (pending operations do, see `environment`).

use std::collections::VecDeque;
use std::mem::take;
use std::ptr::null_mut;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::SyncSender;
use std::sync::{Mutex, MutexGuard, PoisonError};

use knhk_engine::{Change, Level, VerifyProgress};
use knhk_hot::Hold;
use napi::sys;

use crate::job::Outcome;

/// Changes, and log lines, that wait for a busy environment before the oldest are given up. A change keeps its version's document.
const WAITING: usize = 256;

/// A line of an engine's log.
#[derive(Clone)]
pub(crate) struct Line {
    pub level: Level,
    pub part: String,
    pub message: String,
    /// Lines that were given up before it.
    pub missed: u64,
}

/// What is counted when it is given up.
trait Counted {
    fn missed(&mut self) -> &mut u64;
}

impl Counted for Change {
    fn missed(&mut self) -> &mut u64 {
        &mut self.missed
    }
}

impl Counted for Line {
    fn missed(&mut self) -> &mut u64 {
        &mut self.missed
    }
}

/// News of one kind, each with its engine. One that is given up is counted in the next of its engine.
struct Queue<T> {
    waiting: VecDeque<(u32, T)>,
    /// Those given up whose engine had no later one to tell of it.
    missed: Vec<(u32, u64)>,
}

impl<T> Default for Queue<T> {
    fn default() -> Queue<T> {
        Queue { waiting: VecDeque::new(), missed: Vec::new() }
    }
}

impl<T: Counted> Queue<T> {
    fn put(&mut self, engine: u32, mut one: T) {
        if let Some(at) = self.missed.iter().position(|(of, _)| *of == engine) {
            *one.missed() += self.missed.swap_remove(at).1;
        }
        self.waiting.push_back((engine, one));
        if self.waiting.len() > WAITING
            && let Some((of, mut lost)) = self.waiting.pop_front()
        {
            let lost = *lost.missed() + 1;
            match self.waiting.iter_mut().find(|(engine, _)| *engine == of) {
                Some((_, next)) => *next.missed() += lost,
                None => self.missed.push((of, lost)),
            }
        }
    }
}

/// A signature, or why there is none.
pub(crate) type Signed = Result<[u8; 64], String>;

/// Something to be signed by a function of the environment.
pub(crate) struct ToSign {
    pub function: u32,
    pub message: Vec<u8>,
    pub reply: SyncSender<Signed>,
}

/// What a function of the environment answered, or why it could not.
pub(crate) type Answered = Result<Option<String>, String>;

/// Something that a function of the environment is asked; nobody waits for an answer where there is nowhere to send it.
pub(crate) struct ToAnswer {
    pub function: u32,
    pub text: String,
    /// A view that it reads, of the engine at a place.
    pub view: Option<(u32, Hold)>,
    pub reply: Option<SyncSender<Answered>>,
}

/// Everything that came since the last look. Engines are named by their place in this environment.
#[derive(Default)]
pub(crate) struct Letters {
    /// Finished operations.
    pub done: Vec<(u32, Outcome)>,
    /// Changes.
    pub changes: VecDeque<(u32, Change)>,
    /// Log lines.
    pub lines: VecDeque<(u32, Line)>,
    /// Engines that another environment closed.
    pub closed: Vec<u32>,
    /// How far operations are: the newest of each.
    pub progress: Vec<(u32, VerifyProgress)>,
    /// What is to be signed.
    pub to_sign: Vec<ToSign>,
    /// What is to be answered.
    pub to_answer: Vec<ToAnswer>,
    /// Functions that nobody asks any more.
    pub unneeded: Vec<u32>,
}

struct Waker(sys::napi_threadsafe_function);

// SAFETY: a threadsafe function may be called from any thread; the lock keeps the calls before its end.
unsafe impl Send for Waker {}

#[derive(Default)]
struct State {
    waker: Option<Waker>,
    called: bool,
    letters: Letters,
    changes: Queue<Change>,
    lines: Queue<Line>,
}

#[derive(Default)]
pub(crate) struct Mailbox {
    state: Mutex<State>,
}

impl Mailbox {
    /// Lets the environment be woken through `function`.
    pub(crate) fn open(&self, function: sys::napi_threadsafe_function) {
        self.lock().waker = Some(Waker(function));
    }

    /// Forgets the environment. What was not delivered is dropped, outside the lock.
    pub(crate) fn shut(&self) {
        let mut state = self.lock();
        state.waker = None;
        let dropped = (take(&mut state.letters), take(&mut state.changes), take(&mut state.lines));
        drop(state);
        drop(dropped);
    }

    /// Reports a finished operation.
    pub(crate) fn done(&self, operation: u32, outcome: Outcome) {
        self.put(|state| state.letters.done.push((operation, outcome)));
    }

    /// Reports a change.
    pub(crate) fn change(&self, engine: u32, change: Change) {
        self.put(|state| state.changes.put(engine, change));
    }

    /// Reports a log line.
    pub(crate) fn line(&self, engine: u32, line: Line) {
        self.put(|state| state.lines.put(engine, line));
    }

    /// Reports how far an operation is.
    pub(crate) fn progress(&self, operation: u32, now: VerifyProgress) {
        self.put(|state| match state.letters.progress.iter_mut().find(|(of, _)| *of == operation) {
            Some((_, newest)) => *newest = now,
            None => state.letters.progress.push((operation, now)),
        });
    }

    /// Asks for a signature. The reply's other end hears when the environment is gone.
    pub(crate) fn sign(&self, to_sign: ToSign) {
        self.put(|state| state.letters.to_sign.push(to_sign));
    }

    /// Asks a function, unless it was hushed. The reply's other end hears when it is, and when the environment is gone.
    pub(crate) fn ask(&self, hushed: &AtomicBool, to_answer: ToAnswer) {
        self.put(|state| {
            if !hushed.load(Ordering::Relaxed) {
                state.letters.to_answer.push(to_answer);
            }
        });
    }

    /// Has a function be asked nothing from here on, whose flag `hushed` is; what it was asked is dropped.
    pub(crate) fn hush(&self, hushed: &AtomicBool, function: u32) {
        // Under the lock, like the look at it: whoever asks is seen here, or sees it.
        let mut state = self.lock();
        hushed.store(true, Ordering::Relaxed);
        let (dropped, kept) = take(&mut state.letters.to_answer).into_iter().partition(|of| of.function == function);
        state.letters.to_answer = kept;
        drop(state);
        drop::<Vec<ToAnswer>>(dropped);
    }

    /// Reports that nobody asks a function any more.
    pub(crate) fn unneeded(&self, function: u32) {
        self.put(|state| state.letters.unneeded.push(function));
    }

    /// Reports that another environment closed the engine.
    pub(crate) fn closed(&self, engine: u32) {
        self.put(|state| state.letters.closed.push(engine));
    }

    fn put(&self, write: impl FnOnce(&mut State)) {
        let mut guard = self.lock();
        let state = &mut *guard;
        if state.waker.is_none() {
            return;
        }
        write(state);
        if !std::mem::replace(&mut state.called, true)
            && let Some(waker) = &state.waker
        {
            // SAFETY: taken away under this lock before Node frees it.
            unsafe {
                sys::napi_call_threadsafe_function(waker.0, null_mut(), sys::ThreadsafeFunctionCallMode::nonblocking);
            }
        }
    }

    /// Takes what came; the next letter wakes the environment again.
    pub(crate) fn take(&self) -> Letters {
        let mut state = self.lock();
        state.called = false;
        let mut letters = take(&mut state.letters);
        letters.changes = take(&mut state.changes.waiting);
        letters.lines = take(&mut state.lines.waiting);
        letters
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Whole after a panic: each change is one step.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
