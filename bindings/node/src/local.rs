//! An engine as one JavaScript environment has it open: its reader, its keys, its listener.

use std::cell::{Cell, RefCell};
use std::ffi::c_void;
use std::ptr::null_mut;
use std::rc::Rc;
use std::sync::Arc;

use knhk_engine::{Error, Reader, ReaderOptions, Subscription, ValueType};
use knhk_hot::layout::{self, HotLine};
use knhk_hot::{Hot, Snapshot};
use napi::sys;

use crate::autonomic::Registered;
use crate::error::closed;
use crate::mailbox::Mailbox;
use crate::reference::Reference;
use crate::shared::{Origin, Shared};

/// A key interned in this environment.
#[derive(Clone, Copy)]
pub(crate) struct Interned {
    pub key: layout::Key,
    pub value_type: ValueType,
}

pub(crate) struct Local {
    pub shared: Arc<Shared>,
    /// Whether it was opened here: then closing it closes the engine for all.
    owner: bool,
    mailbox: Arc<Mailbox>,
    place: u32,
    reader: RefCell<Option<Reader>>,
    keys: RefCell<Vec<Interned>>,
    listener: RefCell<Option<Rc<Reference>>>,
    subscription: Cell<Option<Subscription>>,
    /// What was added to the engine's loop here.
    registered: RefCell<Vec<Registered>>,
}

impl Local {
    pub(crate) fn new(shared: Arc<Shared>, owner: bool, mailbox: Arc<Mailbox>, place: u32) -> Result<Rc<Local>, Error> {
        let reader = shared.engine.register_reader(ReaderOptions::default())?;
        shared.enter(&mailbox, place);
        Ok(Rc::new(Local {
            shared,
            owner,
            mailbox,
            place,
            reader: RefCell::new(Some(reader)),
            keys: RefCell::default(),
            listener: RefCell::default(),
            subscription: Cell::default(),
            registered: RefCell::default(),
        }))
    }

    pub(crate) fn is_open(&self) -> bool {
        self.reader.borrow().is_some() && !self.shared.is_closed()
    }

    /// Reads the current generation; `None` once this handle is closed.
    pub(crate) fn read<T>(&self, read: impl FnOnce(&Reader, &Snapshot) -> T) -> Option<T> {
        let reader = self.reader.borrow();
        let reader = reader.as_ref()?;
        let view = reader.view();
        Some(read(reader, &view))
    }

    /// Interns a key and gives it a number here.
    pub(crate) fn intern(&self, sector: &str, name: &str, value_type: ValueType) -> Result<u32, Error> {
        let key = self.shared.engine.intern(sector, name, value_type)?;
        self.shared.remember(key, Origin { sector: sector.into(), name: name.into() });
        let mut keys = self.keys.borrow_mut();
        let number = keys.len();
        keys.push(Interned { key, value_type });
        Ok(number as u32)
    }

    pub(crate) fn key(&self, number: u32) -> Option<Interned> {
        self.keys.borrow().get(number as usize).copied()
    }

    /// Sends this engine's news to `listener(kind, news)`.
    pub(crate) fn listen(&self, listener: Reference) {
        self.listener.replace(Some(Rc::new(listener)));
    }

    pub(crate) fn tell(&self, kind: &str, news: impl FnOnce(sys::napi_env) -> sys::napi_value) {
        let listener = self.listener.borrow().clone();
        if let Some(listener) = listener {
            let env = listener.env();
            listener.call(&[crate::value::text(env, kind), news(env)]);
        }
    }

    /// Begins or ends the delivery of changes.
    pub(crate) fn set_changes(&self, wanted: bool) -> Result<(), Error> {
        match (wanted, self.subscription.get()) {
            (true, None) => {
                let (mailbox, place) = (self.mailbox.clone(), self.place);
                let subscription = self.shared.engine.subscribe(move |change| mailbox.change(place, change.clone()))?;
                self.subscription.set(Some(subscription));
            }
            (false, Some(subscription)) => {
                self.subscription.set(None);
                self.shared.engine.unsubscribe(subscription);
            }
            _ => {}
        }
        Ok(())
    }

    /// Begins or ends the delivery of log lines.
    pub(crate) fn set_log(&self, wanted: bool) {
        self.shared.set_log(&self.mailbox, self.place, wanted);
    }

    /// Remembers a callback of the loop.
    pub(crate) fn register(&self, callback: Registered) {
        self.registered.borrow_mut().push(callback);
    }

    /// Forgets a callback of the loop.
    pub(crate) fn unregister(&self, is: impl Fn(&Registered) -> bool) -> Option<Registered> {
        let mut registered = self.registered.borrow_mut();
        let at = registered.iter().position(is)?;
        Some(registered.swap_remove(at))
    }

    /// Callbacks of the loop.
    pub(crate) fn registered(&self) -> Vec<Registered> {
        self.registered.borrow().clone()
    }

    /// Ends this environment's use of the engine; the environment that opened it closes it for all. Closing twice does nothing.
    pub(crate) fn close(&self) -> Result<(), Error> {
        let reader = self.reader.borrow_mut().take();
        if reader.is_none() {
            return Ok(());
        }
        let unsubscribed = self.set_changes(false);
        self.shared.leave(&self.mailbox, self.place);
        self.listener.replace(None);
        for callback in self.registered.take() {
            callback.remove(&self.shared.engine);
        }
        drop(reader);
        if self.owner {
            self.shared.close();
        }
        unsubscribed
    }

    /// The engine's hot line as an `Int32Array` that the library of JavaScript code beside this one only ever reads; NULL where the host
    /// allows no such memory (then every read is a native call).
    pub(crate) fn cells(&self, env: sys::napi_env) -> Result<sys::napi_value, Error> {
        let reader = self.reader.borrow();
        let reader = reader.as_ref().ok_or_else(closed)?;
        // SAFETY: a registered line; its hot line is part of the engine's cell, which the clone below keeps.
        let line: *const HotLine = unsafe { (*reader.as_raw().as_ptr()).hot };
        let keeper = Box::into_raw(Box::new(reader.hot().clone())).cast::<c_void>();
        let (mut buffer, mut cells) = (null_mut(), null_mut());
        // SAFETY: the memory lives until the finalizer drops the clone, or for ever if that never runs.
        unsafe {
            let status = sys::napi_create_external_arraybuffer(
                env,
                line.cast_mut().cast(),
                size_of::<HotLine>(),
                Some(drop_hot),
                keeper,
                &mut buffer,
            );
            if status != sys::Status::napi_ok {
                drop(Box::from_raw(keeper.cast::<Hot>()));
                return Ok(null_mut());
            }
            let kind = sys::TypedarrayType::int32_array;
            sys::napi_create_typedarray(env, kind, size_of::<HotLine>() / 4, buffer, 0, &mut cells);
        }
        Ok(cells)
    }
}

/// The engine's cells are no longer mapped into JavaScript.
unsafe extern "C" fn drop_hot(_: sys::napi_env, _: *mut c_void, keeper: *mut c_void) {
    // SAFETY: made by `cells`, finalized once.
    drop(unsafe { Box::from_raw(keeper.cast::<Hot>()) });
}
