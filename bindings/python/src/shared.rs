//! What all handles of one engine share.

use std::collections::HashMap;
use std::mem::ManuallyDrop;
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use knhk_engine::{Engine, Error, Subscription};
use knhk_hot::layout::Key;
use pyo3::prelude::*;

/// One engine, as the handles (engine, sectors, keys, views) refer to it.
///
/// Its locks are held for a few instructions, and never while Python code runs: a thread that is attached may wait for them.
pub(crate) struct Shared {
    /// Tells engines apart in a thread's readers; never re-used in a process.
    pub(crate) id: u64,
    pub(crate) location: String,
    /// Set by `close` and when the last handle goes.
    pub(crate) closed: Arc<AtomicBool>,
    /// The lowest level that `logging` wanted when it was last asked: what lies below never attaches the warm thread.
    pub(crate) log_level: Arc<AtomicI32>,
    /// Paths of keys, by their offsets: observations carry offsets only.
    names: Mutex<HashMap<Key, Arc<str>>>,
    /// Numbers of sectors by their names: a forked child may not ask the engine.
    sectors: Mutex<HashMap<String, u32>>,
    subscriptions: Mutex<Vec<Subscription>>,
    engine: ManuallyDrop<Engine>,
}

impl Shared {
    pub(crate) fn new(engine: Engine, location: String, log_level: Arc<AtomicI32>) -> Shared {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        Shared {
            id: NEXT.fetch_add(1, Ordering::Relaxed),
            location,
            closed: Arc::default(),
            log_level,
            names: Mutex::default(),
            sectors: Mutex::default(),
            subscriptions: Mutex::default(),
            engine: ManuallyDrop::new(engine),
        }
    }

    pub(crate) fn engine(&self) -> &Engine {
        &self.engine
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    pub(crate) fn is_forked(&self) -> bool {
        self.engine.hot().is_forked()
    }

    /// The number of a sector in keys and descriptors, which it has for the engine's life.
    ///
    /// # Errors
    /// `NotFound`, with the names that there are.
    pub(crate) fn sector_number(&self, name: &str) -> Result<u32, Error> {
        let known = || self.sectors.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(number) = known().get(name) {
            return Ok(*number);
        }
        let number = self.engine.sector_number(name)?;
        known().insert(name.into(), number);
        Ok(number)
    }

    pub(crate) fn names(&self) -> MutexGuard<'_, HashMap<Key, Arc<str>>> {
        self.names.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn subscriptions(&self) -> MutexGuard<'_, Vec<Subscription>> {
        self.subscriptions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Closes the engine and ends its subscriptions. The caller is detached: a callback may be waiting for the interpreter.
    pub(crate) fn close(&self) {
        self.closed.store(true, Ordering::Release);
        self.engine.close();
        if self.is_forked() {
            // The subscribers' locks may have been held by a thread that this process does not have.
            return;
        }
        let subscriptions = std::mem::take(&mut *self.subscriptions());
        for subscription in subscriptions {
            self.engine.unsubscribe(subscription);
        }
        self.engine.clear_log();
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.closed.store(true, Ordering::Release);
        // SAFETY: taken once, here.
        let engine = unsafe { ManuallyDrop::take(&mut self.engine) };
        // The last reference waits for the warm thread, which may wait for the interpreter.
        let mut engine = Some(engine);
        Python::try_attach(|py| {
            let engine = engine.take();
            py.detach(|| drop(engine));
        });
        drop(engine);
    }
}
