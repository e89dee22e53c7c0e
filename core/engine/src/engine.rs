//! Opening, sectors, keys, readers, enumeration, closing.

use std::os::fd::RawFd;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};

use knhk_hot::layout::SECTOR_CAPACITY;
use knhk_hot::{Hot, Observation, Reader, ReaderOptions};
use knhk_observation::Monitor;
use knhk_ontology::{Core, KeyTable, Limits, Snapshot};
use knhk_promotion::{Sector, SectorKind};
use knhk_store::{MemoryStore, SectorRecord};
use knhk_version::{History, Retention};
use knhk_warm::{Clock, HotMeter, ManualClock, Ticker};

use crate::autonomic::Loop;
use crate::control::Server;
use crate::durable::Durable;
use crate::folder::Folder;
use crate::governance::Governance;
use crate::own::Own;
use crate::records::Records;
use crate::resilience::Cached;
use crate::subscribe::Announcer;
use crate::time;
use crate::warm::Background;
use crate::{Change, Error, Level, Log, Options, Status, Subscription, trust, warm};

/// How long the warm path yields after a report that the hot path is slow.
const HOT_REPORT_LASTS: Duration = Duration::from_millis(10);

/// Where an engine in memory is opened.
const IN_MEMORY: &str = ":memory:";

/// An engine. Cheap to clone; all clones are the same engine, and every method may be called from any thread. Dropping the last clone closes it
/// as [`Engine::close`] does.
#[derive(Clone)]
pub struct Engine {
    pub(crate) inner: Arc<Inner>,
    /// Shared by the program's clones; none in those that the engine's own threads make.
    _owned: Option<Arc<Owned>>,
}

/// Closes the engine when the program holds it no more: by then its folder is free, even where a thread of its own has work under way.
struct Owned(Arc<Inner>);

impl Drop for Owned {
    fn drop(&mut self) {
        Engine::of(self.0.clone()).close();
    }
}

pub(crate) struct Inner {
    pub(crate) hot: Hot,
    pub(crate) limits: Limits,
    /// What every sector knows.
    pub(crate) core: Core,
    pub(crate) journal: Records,
    pub(crate) announcer: Arc<Announcer>,
    pub(crate) promotions: AtomicU64,
    pub(crate) refused: AtomicU64,
    pub(crate) damaged: AtomicU64,
    pub(crate) ready: (Mutex<()>, Condvar),
    pub(crate) retention: Retention,
    pub(crate) sectors: Arc<RwLock<Vec<Arc<Sector>>>>,
    /// The monitor, where there is one.
    pub(crate) monitor: RwLock<Option<Monitor>>,
    pub(crate) history: usize,
    pub(crate) aside: Arc<Background>,
    pub(crate) time: Arc<dyn Clock>,
    /// The same, where it is moved by hand.
    pub(crate) manual: Option<Arc<ManualClock>>,
    pub(crate) governance: Arc<Governance>,
    pub(crate) own: Arc<Own>,
    pub(crate) autonomic: Arc<Loop>,
    closed: AtomicBool,
    clock: Mutex<Option<Ticker>>,
    control: Mutex<Option<Server>>,
}

impl Engine {
    /// A clone for a thread of the engine's own: dropping it closes nothing.
    pub(crate) fn of(inner: Arc<Inner>) -> Engine {
        Engine { inner, _owned: None }
    }

    /// Opens an engine on a folder, which is made where it does not exist, or in memory with `":memory:"`. A folder's sectors are as
    /// they were: the newest version of each that is whole becomes current. Its log is checked: that it begins at the trust root, the
    /// keys, the receipts since the newest checkpoint, and the checkpoint that the caller holds.
    ///
    /// # Errors
    /// `Busy` when another engine has the folder open, `Io` when it cannot be read or written, `Corrupt` when no version of a sector
    /// is whole, `Tampered` when the log is not what was signed or not the one that is trusted, `KeyFile` and `Signing` when there is
    /// no key to sign with.
    pub fn open(location: &str, options: Options) -> Result<Engine, Error> {
        Engine::open_with(location, options, Folder::open)
    }

    /// Opens a still picture of a folder as it is now, beside the engine that has it open, if one has: nothing is locked or written, each
    /// sector is whole, and what changes later is not seen. Changes are refused with `Io`.
    ///
    /// # Errors
    /// `NotFound` when the folder is not an engine's, `Io` when it cannot be read, `Corrupt` when no version of a sector is whole,
    /// `InvalidArgument` with the option `control`.
    pub fn open_read_only(location: &str, options: Options) -> Result<Engine, Error> {
        if options.control {
            let message = "an engine that is read-only takes no commands: leave the option control off";
            return Err(Error::new(Status::InvalidArgument, "open", location, message));
        }
        Engine::open_with(location, options, Folder::open_read_only)
    }

    fn open_with(
        location: &str,
        options: Options,
        open: impl FnOnce(&Path) -> Result<Folder, Error>,
    ) -> Result<Engine, Error> {
        let (time, manual) = time::chosen(&options);
        let now = time.now_ns();
        let (folder, ledger) = match location {
            "" => return Err(Error::new(Status::InvalidArgument, "open", "", "no folder was named; use \":memory:\"")),
            IN_MEMORY => {
                let begin = |signer| trust::in_memory(Arc::new(MemoryStore::new()), signer, &options, now);
                (None, options.signer.as_ref().map(begin).transpose()?)
            }
            path => {
                let folder = open(path.as_ref())?;
                let ledger = match folder.read_only {
                    true => trust::open_read_only(&folder.root, &folder.store, &options)?,
                    false => trust::open(&folder.root, &folder.store, &options, now)?,
                };
                (Some(Arc::new(folder)), Some(ledger))
            }
        };
        let history = ledger.map(|ledger| History::new(Arc::new(ledger)));
        let first_epoch = history.as_ref().map_or(Ok(0), History::last_epoch)?;
        let hot = Hot::new(knhk_hot::Options { first_epoch, ..options.hot.clone() })?;
        let aside = Arc::new(Background::start()?);
        let announcer = Arc::new(Announcer::new(aside.clone())?);
        if let Some(Log(log)) = options.log.clone() {
            announcer.set_log(Some(Box::new(move |level, part, line| log(level, part, line))));
        }
        let meter = HotMeter::new(options.hot_budget, HOT_REPORT_LASTS, Arc::new(Cached(hot.clone())));
        let own = Arc::new(Own::new(Arc::new(meter)));
        let durable =
            |history| Arc::new(Durable::new(history, folder.clone(), announcer.clone(), time.clone(), own.clone()));
        let durable = history.map(durable);
        let journal = Records { durable, announcer: announcer.clone(), hot: hot.clone(), time: time.clone() };
        let clock = warm::start(&hot, &announcer, &aside, options.clock_period)?;
        let inner = Arc::new(Inner {
            hot,
            limits: options.limits,
            core: options.core.map_or_else(Core::shipped, |core| (*core).clone()),
            journal,
            announcer,
            promotions: AtomicU64::new(0),
            refused: AtomicU64::new(0),
            damaged: AtomicU64::new(0),
            ready: Default::default(),
            retention: options.retention,
            sectors: Arc::default(),
            monitor: RwLock::default(),
            history: options.history,
            aside,
            time,
            manual,
            governance: Arc::default(),
            own,
            autonomic: Arc::default(),
            closed: AtomicBool::new(false),
            clock: Mutex::new(Some(clock)),
            control: Mutex::default(),
        });
        let engine = Engine { _owned: Some(Arc::new(Owned(inner.clone()))), inner };
        engine.recover()?;
        engine.observe(options.observations)?;
        engine.recover_governance()?;
        if let Some(settings) = options.autonomic {
            engine.start_loop(settings)?;
        }
        if options.control {
            let server = Server::start(&engine, folder.as_ref().map(|folder| folder.root.as_path()))?;
            *engine.inner.control.lock().unwrap_or_else(PoisonError::into_inner) = Some(server);
        }
        Ok(engine)
    }

    /// Creates a sector. Names are 1 to 64 characters of `a-z`, `0-9`, `-` and `_`, and begin with a letter or digit.
    ///
    /// # Errors
    /// `InvalidArgument` for another name, `AlreadyExists`, `Limit` beyond 64 sectors, `Io` when the folder cannot be written.
    pub fn create_sector(&self, name: &str, kind: SectorKind) -> Result<(), Error> {
        self.checked()?;
        let first = name.bytes().next().is_some_and(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
        let others = name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_');
        let reserved = matches!(name, "core" | "skolem");
        if reserved {
            let message = format!("{name} is reserved: choose another name for the sector");
            return Err(Error::new(Status::InvalidArgument, "create", name, message));
        }
        if !first || !others || name.len() > 64 {
            let message = format!(
                "{name:?} cannot name a sector: use 1 to 64 characters of a-z, 0-9, - and _, beginning with a letter or digit"
            );
            return Err(Error::new(Status::InvalidArgument, "create", name, message));
        }
        if kind == SectorKind::Governed && self.inner.journal.durable.is_none() {
            let message =
                "a governed sector rests on receipts: open the engine on a folder, or in memory with a signer";
            return Err(Error::new(Status::InvalidArgument, "create", name, message));
        }
        let empty = Arc::new(Snapshot::empty(name, &self.inner.core, &self.inner.limits));
        self.add_recorded(empty, kind, KeyTable::new(), self.inner.journal.durable.as_deref())?;
        Ok(())
    }

    pub(crate) fn add(&self, empty: Arc<Snapshot>, kind: SectorKind, keys: KeyTable) -> Result<Arc<Sector>, Error> {
        self.add_recorded(empty, kind, keys, None)
    }

    fn add_recorded(
        &self,
        empty: Arc<Snapshot>,
        kind: SectorKind,
        keys: KeyTable,
        record: Option<&Durable>,
    ) -> Result<Arc<Sector>, Error> {
        let name = empty.namespace().sector();
        let mut sectors = self.inner.sectors.write().unwrap_or_else(PoisonError::into_inner);
        if sectors.iter().any(|sector| sector.name() == name) {
            return Err(Error::new(Status::AlreadyExists, "create", name, format!("sector {name} exists already")));
        }
        if sectors.len() == SECTOR_CAPACITY {
            let message = format!("an engine holds {SECTOR_CAPACITY} sectors and all are in use");
            return Err(Error::new(Status::Limit, "create", name, message));
        }
        if let Some(durable) = record {
            durable.writable().map_err(|error| Error::new(Status::Io, "create", name, error.to_string()))?;
            let (number, kind) = (sectors.len() as u32, kind.as_str().into());
            durable.history.create_sector(SectorRecord { name: name.into(), number, kind, time_ns: self.now_ns() })?;
        }
        let sector = Sector::over(empty.clone(), sectors.len(), kind, keys, self.inner.history);
        let sector = Arc::new(sector.with_aside(self.inner.aside.clone()));
        sectors.push(sector.clone());
        Ok(sector)
    }

    pub(crate) fn sector(&self, name: &str) -> Result<Arc<Sector>, Error> {
        self.not_forked()?;
        let sectors = self.inner.sectors.read().unwrap_or_else(PoisonError::into_inner);
        sectors.iter().find(|sector| sector.name() == name).cloned().ok_or_else(|| {
            let known: Vec<_> = sectors.iter().map(|sector| sector.name()).collect();
            let known =
                if known.is_empty() { "there is none yet".into() } else { format!("there are {}", known.join(", ")) };
            Error::new(Status::NotFound, "lookup", name, format!("there is no sector {name:?}; {known}"))
        })
    }

    /// Refuses what takes locks in a forked child, where their holders may not exist.
    pub(crate) fn not_forked(&self) -> Result<(), Error> {
        if self.inner.hot.is_forked() { Err(knhk_hot::HotError::Forked.into()) } else { Ok(()) }
    }

    /// Refuses what cannot work any more: a closed engine, or one inherited by fork.
    pub(crate) fn checked(&self) -> Result<(), Error> {
        self.not_forked()?;
        if self.inner.closed.load(Ordering::Acquire) { Err(knhk_hot::HotError::Closed.into()) } else { Ok(()) }
    }

    /// Registers the calling thread as a reader.
    ///
    /// # Errors
    /// `Closed`, `Forked`, or `System` when there is no memory for it.
    pub fn register_reader(&self, options: ReaderOptions) -> Result<Reader, Error> {
        self.checked()?;
        Ok(self.inner.hot.register(options)?)
    }

    /// The cells beneath: for bindings and for tests.
    pub fn hot(&self) -> &Hot {
        &self.inner.hot
    }

    /// A sector's number in keys and descriptors.
    ///
    /// # Errors
    /// `NotFound` for an unknown sector.
    pub fn sector_number(&self, sector: &str) -> Result<u32, Error> {
        Ok(self.sector(sector)?.number() as u32)
    }

    /// Waits until the sector's first promotion.
    ///
    /// # Errors
    /// `Timeout` when there was none in time; `NotFound`; `Closed` when the engine is closed meanwhile.
    pub fn wait_ready(&self, sector: &str, timeout: Duration) -> Result<(), Error> {
        let sector = self.sector(sector)?;
        let deadline = Instant::now().checked_add(timeout);
        let (lock, ready) = &self.inner.ready;
        let mut guard = lock.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            self.checked()?;
            if sector.lock()?.current().is_some() {
                return Ok(());
            }
            let left = deadline.map_or(Duration::from_secs(3600), |at| at.saturating_duration_since(Instant::now()));
            if left.is_zero() {
                let message = format!("nothing was promoted in sector {} within {timeout:?}", sector.name());
                return Err(Error::new(Status::Timeout, "wait", sector.name(), message));
            }
            guard = ready.wait_timeout(guard, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// The newest generation's number: it grows with every change, and comparing it tells whether anything changed.
    pub fn version(&self) -> u64 {
        self.inner.hot.epoch()
    }

    /// Calls `callback` on the warm thread for every change from now on, in order. It may call the engine back. A subscriber that
    /// falls behind misses the oldest changes; the next one it gets says how many.
    ///
    /// # Errors
    /// `Closed` or `Forked`.
    pub fn subscribe(&self, callback: impl FnMut(&Change) + Send + 'static) -> Result<Subscription, Error> {
        self.checked()?;
        Ok(self.inner.announcer.subscribe(Box::new(callback)))
    }

    /// Ends a subscription; `false` when there is none. When it returns on another thread than the warm one, the callback is not
    /// running and never runs again.
    pub fn unsubscribe(&self, subscription: Subscription) -> bool {
        self.not_forked().is_ok() && self.inner.announcer.unsubscribe(subscription)
    }

    /// A descriptor (an eventfd) that becomes readable when something changed; it is the engine's, valid until the engine is gone. Read
    /// 8 bytes from it to arm it again, then ask [`Engine::changes_since`].
    ///
    /// # Errors
    /// `System` when the process has no descriptors left.
    pub fn change_descriptor(&self) -> Result<RawFd, Error> {
        self.checked()?;
        self.inner.announcer.descriptor()
    }

    /// The changes after generation `epoch`, oldest first; the engine remembers the last 256.
    pub fn changes_since(&self, epoch: u64) -> Vec<Change> {
        if self.not_forked().is_err() {
            return Vec::new();
        }
        self.inner.announcer.since(epoch)
    }

    /// Sends the engine's log lines to `callback(level, part, message)` on the warm thread, in place of the callback before.
    pub fn set_log(&self, callback: impl FnMut(Level, &str, &str) + Send + 'static) {
        if self.not_forked().is_ok() {
            self.inner.announcer.set_log(Some(Box::new(callback)));
        }
    }

    /// Sends the engine's log lines to nobody. When it returns on another thread than the warm one, the callback is not running and
    /// never runs again.
    pub fn clear_log(&self) {
        if self.not_forked().is_ok() {
            self.inner.announcer.set_log(None);
        }
    }

    /// Takes up to `max` observations out of the readers' rings, each reader's in its order.
    ///
    /// # Errors
    /// `Forked` in a forked child, `InvalidArgument` where a monitor drains them.
    pub fn drain(&self, max: usize, mut each: impl FnMut(u64, Observation)) -> Result<usize, Error> {
        self.not_forked()?;
        self.not_observing()?;
        Ok(self.inner.hot.drain(max, &mut each))
    }

    /// Closes the engine: reads of every reader give absent from now on, changes are refused, the folder is free. Readers, views and holds
    /// may be ended before or after, in any order. Closing twice does nothing.
    pub fn close(&self) {
        // In a forked child a lock may have been held by a thread that is not there: everything stays as it is.
        if self.inner.hot.is_forked() {
            return;
        }
        // While changes are taken yet: its newest turns are kept.
        if let Err(error) = self.end_loop() {
            let line = format!("the loop's newest turns could not be kept, and are taken again: {error}");
            self.inner.announcer.log(Level::Warning, "loop", line);
        }
        if self.inner.closed.swap(true, Ordering::AcqRel) {
            return;
        }
        // First, so that commands under way are answered as what became of them.
        let control = self.inner.control.lock().unwrap_or_else(PoisonError::into_inner).take();
        drop(control);
        self.inner.autonomic.close();
        self.inner.governance.close();
        self.inner.hot.close();
        self.inner.end_observing();
        let clock = self.inner.clock.lock().unwrap_or_else(PoisonError::into_inner).take();
        drop(clock);
        if let Some(durable) = &self.inner.journal.durable {
            self.inner.announcer.policies.close(durable);
            durable.close();
        }
        self.inner.own.close();
        drop(self.inner.ready.0.lock());
        self.inner.ready.1.notify_all();
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        drop(self.control.get_mut().unwrap_or_else(PoisonError::into_inner).take());
        self.autonomic.close();
        self.governance.close();
        self.hot.close();
        self.drop_monitor();
        // Before the callbacks go, so that they go on this thread.
        drop(self.clock.get_mut().unwrap_or_else(PoisonError::into_inner).take());
        match &self.journal.durable {
            // The store's thread was not inherited, and its file is the parent's: left as it is.
            Some(durable) if self.hot.is_forked() => std::mem::forget(durable.clone()),
            Some(durable) if !*self.closed.get_mut() => {
                self.announcer.policies.close(durable);
                durable.close();
            }
            _ => {}
        }
        if !self.hot.is_forked() {
            self.own.close();
        }
    }
}
