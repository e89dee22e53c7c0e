//! The addon's state in one JavaScript environment: the main thread's, or a worker's.
//!
//! An environment lives on one thread, and the state lies behind a thread-local pointer without a destructor: it is freed by the
//! environment's cleanup hook, while Node-API still works, or not at all when the process exits without running hooks.

mod asked;

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::ptr::null_mut;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::mpsc::SyncSender;

use knhk_engine::{Error, Signer};
use knhk_hot::Hold;
use napi::sys;

use crate::error::{closed, ending, throw, to_js};
use crate::job::{Outcome, Output, Ticket};
use crate::local::Local;
use crate::mailbox::{Answered, Letters, Mailbox, Signed};
use crate::reference::Reference;
use crate::scratch::Scratch;
use crate::shared::Shared;
use crate::{ledger, records, value};

thread_local! {
    static CURRENT: Cell<*const Environment> = const { Cell::new(std::ptr::null()) };
}

/// An operation whose promise waits.
struct Pending {
    settle: Reference,
    progress: Option<Rc<Reference>>,
    ticket: Ticket,
}

/// A generation that JavaScript holds.
pub(crate) struct Held {
    pub local: Rc<Local>,
    pub hold: Hold,
}

pub(crate) struct Environment {
    env: sys::napi_env,
    waker: sys::napi_threadsafe_function,
    pub mailbox: Arc<Mailbox>,
    pub scratch: Scratch,
    /// By place; empty once closed.
    locals: RefCell<Vec<Option<Rc<Local>>>>,
    views: RefCell<HashMap<i64, Rc<Held>>>,
    next_view: Cell<i64>,
    pending: RefCell<HashMap<u32, Pending>>,
    next_pending: Cell<u32>,
    /// Reasons to keep the process alive: pending operations, and iterators that asked for it.
    reasons: Cell<u32>,
    /// Signers by number, and whether a function of JavaScript is behind one.
    signers: RefCell<HashMap<u32, (Signer, bool)>>,
    /// Functions that sign or answer, and those that wait for what one of them says.
    functions: RefCell<HashMap<u32, Rc<Reference>>>,
    asked: RefCell<HashMap<u32, SyncSender<Signed>>>,
    /// By request; with the function that was asked.
    to_answer: RefCell<HashMap<u32, (u32, SyncSender<Answered>)>>,
    next_signer: Cell<u32>,
}

impl Environment {
    /// This thread's, unless it has ended.
    pub(crate) fn current() -> Option<Rc<Environment>> {
        let at = CURRENT.get();
        if at.is_null() {
            return None;
        }
        // SAFETY: set by `install` from an Rc, and cleared before that is dropped; this thread alone counts.
        unsafe {
            Rc::increment_strong_count(at);
            Some(Rc::from_raw(at))
        }
    }

    /// As [`Environment::current`]; throws when it has ended.
    pub(crate) fn required(env: sys::napi_env) -> napi::Result<Rc<Environment>> {
        Environment::current().ok_or_else(|| throw(env, &ending()))
    }

    /// Makes this environment's state, unless the addon was loaded here before.
    pub(crate) fn install(env: sys::napi_env) -> napi::Result<()> {
        if !CURRENT.get().is_null() {
            return Ok(());
        }
        let mut waker = null_mut();
        // SAFETY: the environment's thread; the function's data and context are unused.
        let status = unsafe {
            sys::napi_create_threadsafe_function(
                env,
                null_mut(),
                null_mut(),
                value::text(env, "knhk"),
                0,
                1,
                null_mut(),
                None,
                null_mut(),
                Some(deliver),
                &mut waker,
            )
        };
        napi::check_status!(status, "knhk: no threadsafe function")?;
        // SAFETY: as above. Unreferenced: an open engine keeps no process alive.
        unsafe { sys::napi_unref_threadsafe_function(env, waker) };
        let environment = Rc::new(Environment {
            env,
            waker,
            mailbox: Arc::default(),
            scratch: Scratch::new(env)?,
            locals: RefCell::default(),
            views: RefCell::default(),
            next_view: Cell::new(-1),
            pending: RefCell::default(),
            next_pending: Cell::new(0),
            reasons: Cell::new(0),
            signers: RefCell::default(),
            functions: RefCell::default(),
            asked: RefCell::default(),
            to_answer: RefCell::default(),
            next_signer: Cell::new(0),
        });
        environment.mailbox.open(waker);
        CURRENT.set(Rc::into_raw(environment));
        // SAFETY: registered after the threadsafe function's own hook, so it runs before it: nobody wakes a freed function.
        let status = unsafe { sys::napi_add_env_cleanup_hook(env, Some(clean_up), null_mut()) };
        napi::check_status!(status, "knhk: no cleanup hook")
    }

    /// Gives an engine its place here.
    pub(crate) fn attach(&self, shared: Arc<Shared>, owner: bool) -> Result<u32, Error> {
        let mut locals = self.locals.borrow_mut();
        // Places are never given again: a stale handle must not reach another engine.
        let place = locals.len() as u32;
        locals.push(Some(Local::new(shared, owner, self.mailbox.clone(), place)?));
        Ok(place)
    }

    /// The engine at a place, unless it was closed here.
    pub(crate) fn local(&self, place: u32) -> Option<Rc<Local>> {
        self.locals.borrow().get(place as usize).cloned().flatten()
    }

    /// Ends this environment's use of the engine at a place. Closing twice does nothing.
    pub(crate) fn close(&self, place: u32) -> Result<(), Error> {
        let local = self.locals.borrow_mut().get_mut(place as usize).and_then(Option::take);
        local.map_or(Ok(()), |local| {
            // Closing waits for callbacks that run, and theirs could not: this is their thread.
            local.registered().iter().for_each(|callback| self.hush(callback));
            local.close()
        })
    }

    /// The engine at a place; throws when there is none or it is closed.
    pub(crate) fn open(&self, place: u32) -> napi::Result<Rc<Local>> {
        self.local(place).filter(|local| local.is_open()).ok_or_else(|| throw(self.env, &closed()))
    }

    /// Keeps a generation under a new handle, which is negative.
    pub(crate) fn hold(&self, local: Rc<Local>, hold: Hold) -> i64 {
        let handle = self.next_view.get();
        self.next_view.set(handle - 1);
        self.views.borrow_mut().insert(handle, Rc::new(Held { local, hold }));
        handle
    }

    pub(crate) fn held(&self, handle: i64) -> Option<Rc<Held>> {
        self.views.borrow().get(&handle).cloned()
    }

    /// Lets go of a generation; `false` when that was done before.
    pub(crate) fn release(&self, handle: i64) -> bool {
        let held = self.views.borrow_mut().remove(&handle);
        held.is_some()
    }

    /// Takes up a pending operation, which keeps the process alive until `settle(error, value)` was called.
    pub(crate) fn begin(&self, settle: Reference, progress: Option<Reference>, ticket: Ticket) -> u32 {
        let number = self.next_pending.get();
        self.next_pending.set(number.wrapping_add(1));
        let progress = progress.map(Rc::new);
        self.pending.borrow_mut().insert(number, Pending { settle, progress, ticket });
        self.keep_alive();
        number
    }

    /// Forgets a pending operation unless it has started; then its outcome is still to come.
    pub(crate) fn cancel(&self, number: u32) -> bool {
        let mut pending = self.pending.borrow_mut();
        if !pending.get(&number).is_some_and(|operation| operation.ticket.cancel()) {
            return false;
        }
        let removed = pending.remove(&number);
        drop(pending);
        drop(removed);
        self.let_die();
        true
    }

    /// Asks a pending operation to stop; it tells how it ended.
    pub(crate) fn stop(&self, number: u32) {
        if let Some(operation) = self.pending.borrow().get(&number) {
            operation.ticket.stop();
        }
    }

    pub(crate) fn keep_alive(&self) {
        self.reasons.set(self.reasons.get() + 1);
        if self.reasons.get() == 1 {
            // SAFETY: the environment's thread; the function lives until the environment ends.
            unsafe { sys::napi_ref_threadsafe_function(self.env, self.waker) };
        }
    }

    pub(crate) fn let_die(&self) {
        self.reasons.set(self.reasons.get().saturating_sub(1));
        if self.reasons.get() == 0 {
            // SAFETY: as `keep_alive`.
            unsafe { sys::napi_unref_threadsafe_function(self.env, self.waker) };
        }
    }

    /// What an operation gave, as JavaScript sees it.
    pub(crate) fn output(&self, outcome: Outcome) -> Result<sys::napi_value, Error> {
        Ok(match outcome? {
            Output::Nothing => value::undefined(self.env),
            Output::Version(version) => records::version(self.env, version),
            Output::Image(image) => value::bytes(self.env, &image),
            Output::Report(report) => crate::knowledge::report(self.env, *report),
            Output::Engine(shared) => value::number(self.env, f64::from(self.attach(shared, true)?)),
            Output::Receipts(receipts) => ledger::receipts(self.env, &receipts),
            Output::Receipt(receipt) => ledger::receipt(self.env, &receipt),
            Output::Text(text) => value::text(self.env, &text),
            Output::Number(number) => value::number(self.env, number as f64),
            Output::Keys(keys) => ledger::keys(self.env, &keys),
            Output::Log(entries) => ledger::log(self.env, &entries),
            Output::Tags(tags) => ledger::tags(self.env, &tags),
            Output::Verified(verified) => ledger::verified(self.env, &verified),
            Output::Told(told) => told.js(self.env),
            Output::Hold(place, hold) => {
                let local = self.local(place).filter(|local| local.is_open()).ok_or_else(closed)?;
                value::number(self.env, self.hold(local, hold) as f64)
            }
        })
    }

    fn settle(&self, number: u32, outcome: Outcome) {
        let Some(pending) = self.pending.borrow_mut().remove(&number) else { return };
        self.let_die();
        match self.output(outcome) {
            Ok(value) => pending.settle.call(&[value::undefined(self.env), value]),
            Err(error) => pending.settle.call(&[to_js(self.env, &error)]),
        }
    }

    fn deliver(&self) {
        let Letters { done, changes, lines, closed, progress, to_sign, to_answer, unneeded } = self.mailbox.take();
        // First, since an operation waits for each.
        for to_sign in to_sign {
            value::scoped(self.env, || self.sign(to_sign));
        }
        for to_answer in to_answer {
            value::scoped(self.env, || self.answer(to_answer));
        }
        for function in unneeded {
            let function = self.functions.borrow_mut().remove(&function);
            drop(function);
        }
        for (number, now) in progress {
            let progress = self.pending.borrow().get(&number).and_then(|operation| operation.progress.clone());
            let Some(progress) = progress else { continue };
            value::scoped(self.env, || progress.call(&[ledger::progress(self.env, &now)]));
        }
        for (number, outcome) in done {
            value::scoped(self.env, || self.settle(number, outcome));
        }
        for (place, change) in changes {
            let Some(local) = self.local(place) else { continue };
            value::scoped(self.env, || local.tell("change", |env| records::change(env, Box::new(change))));
        }
        for (place, line) in lines {
            let Some(local) = self.local(place) else { continue };
            value::scoped(self.env, || local.tell("log", |env| records::line(env, &line)));
        }
        for place in closed {
            let Some(local) = self.local(place) else { continue };
            value::scoped(self.env, || local.tell("close", value::undefined));
        }
    }
}

/// Called on the environment's thread after another thread woke it; with a NULL environment when that is ending.
unsafe extern "C" fn deliver(
    env: sys::napi_env,
    _: sys::napi_value,
    _: *mut std::ffi::c_void,
    _: *mut std::ffi::c_void,
) {
    if let Some(environment) = Environment::current().filter(|_| !env.is_null()) {
        environment.deliver();
    }
}

/// Called once, on the environment's thread, when the environment ends: lets go of everything that JavaScript still held.
unsafe extern "C" fn clean_up(_: *mut std::ffi::c_void) {
    let at = CURRENT.replace(std::ptr::null());
    if at.is_null() {
        return;
    }
    // SAFETY: the count that `install` gave out.
    let environment = unsafe { Rc::from_raw(at) };
    environment.mailbox.shut();
    environment.pending.borrow_mut().clear();
    environment.views.borrow_mut().clear();
    environment.asked.borrow_mut().clear();
    environment.to_answer.borrow_mut().clear();
    environment.functions.borrow_mut().clear();
    environment.signers.borrow_mut().clear();
    for local in environment.locals.take().into_iter().flatten() {
        // An error could only say that the engine is closed already.
        _ = local.close();
    }
}
