//! Checkpoints: the states of a program's components, kept so that it can go on from them.
//!
//! All components hold still while they save themselves, so a checkpoint is one cut across them; compressing, encrypting and writing come after
//! they go on. The first checkpoint of a process is full, then come increments, of what changed since the one before, until the next full
//! one; a full one and its increments are a chain. Each is checked by SHA-256, names the digest of the one it builds on, and is there as
//! a whole or not at all. [`Checkpoints::restore`] takes the newest that is whole, and says which it passed over. Older chains are removed;
//! the one before the newest always stays, so that no single damaged piece takes everything.
//!
//! Whoever can remove the newest checkpoint makes an older one the newest: where that matters, compare with what the ledger's receipts say
//! was taken.
//!
//! ```
//! use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
//! use std::sync::Arc;
//!
//! use knhk_resilience::Scope;
//! use knhk_resilience::checkpoint::{Callbacks, Checkpoints, Folder, Settings};
//!
//! let orders = Arc::new(AtomicU64::new(0));
//! let (saved, loaded) = (orders.clone(), orders.clone());
//! let component = Callbacks {
//!     freeze: None,
//!     thaw: None,
//!     save: Box::new(move |to| to.write_all(&saved.load(SeqCst).to_le_bytes()).map_err(|error| error.to_string())),
//!     load: Box::new(move |from| {
//!         let bytes = from.try_into().map_err(|_| "a count has 8 bytes")?;
//!         loaded.store(u64::from_le_bytes(bytes), SeqCst);
//!         Ok(())
//!     }),
//! };
//! # let folder = tempfile::tempdir().unwrap();
//! # let path = folder.path();
//! let checkpoints = Checkpoints::open("orders", Folder::open(path)?, Settings::default(), &Scope::default())?;
//! checkpoints.add("count", Arc::new(component))?;
//!
//! orders.store(7, SeqCst);
//! assert_eq!(checkpoints.take()?.number, 1);
//! orders.store(0, SeqCst);
//! assert_eq!(checkpoints.restore()?.number, 1);
//! assert_eq!(orders.load(SeqCst), 7);
//! # Ok::<(), knhk_resilience::checkpoint::CheckpointError>(())
//! ```

mod backend;
mod background;
mod component;
mod error;
mod format;
mod image;
mod key;
mod restore;
mod stored;
mod take;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

pub use backend::{Backend, Folder, Stored};
pub use background::{Background, pause};
pub use component::{Callbacks, Stateful};
pub use error::{BackendError, CheckpointError, Skipped};
pub use key::Key;
pub use stored::InStore;

use self::format::{Parent, States};
use crate::error::InvalidSetting;
use crate::scope::Scope;

/// How checkpoints are taken and kept.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Checkpoints of a chain: the full one, and so many less one that build on it. 60.
    pub chain: u32,
    /// Chains that are kept, at least 2: the newest, and the one before it. 2.
    pub chains: usize,
    /// How hard zstd tries, from -7 to 22. 1.
    pub level: i32,
    /// Bytes of all states together, at most. 1 GiB.
    pub limit: u64,
    /// Keys: the first one encrypts, each decrypts. Where there is one, a checkpoint that is not encrypted is not restored. None.
    pub keys: Vec<Key>,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings { chain: 60, chains: 2, level: 1, limit: 1 << 30, keys: Vec::new() }
    }
}

impl Settings {
    /// # Errors
    /// [`InvalidSetting`] names the first that is out of its range.
    pub fn check(&self) -> Result<(), InvalidSetting> {
        let Settings { chain, chains, level, .. } = *self;
        InvalidSetting::unless(chain >= 1, "chain", chain, "at least 1")?;
        InvalidSetting::unless(chains >= 2, "chains", chains, "at least 2")?;
        InvalidSetting::unless((-7..=22).contains(&level), "level", level, "from -7 to 22")
    }
}

/// A checkpoint that was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Taken {
    /// Its number; each next one is greater.
    pub number: u64,
    /// Whether it stands alone.
    pub full: bool,
    /// Its bytes, as they are kept.
    pub bytes: u64,
    /// Its SHA-256, which the next increment names.
    pub digest: [u8; 32],
    /// Bytes of the components' states.
    pub state_bytes: u64,
    /// How long the components held still.
    pub frozen: Duration,
    /// How long it took in all.
    pub took: Duration,
}

/// A checkpoint that was restored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restored {
    /// Its number.
    pub number: u64,
    /// Its SHA-256.
    pub digest: [u8; 32],
    /// When it was taken, in nanoseconds since 1970 by that system's clock.
    pub time_ns: u64,
    /// Newer ones that are damaged, or that a component refused.
    pub skipped: Vec<Skipped>,
    /// Components that it has no state of; they are as they were.
    pub absent: Vec<String>,
    /// Components whose state it has and that are not there.
    pub unknown: Vec<String>,
}

/// A checkpoint that is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Info {
    /// Its number.
    pub number: u64,
    /// Whether it stands alone.
    pub full: bool,
    /// Its bytes, as they are kept.
    pub bytes: u64,
    /// When it was taken, in nanoseconds since 1970 by that system's clock; 0 where it cannot be read.
    pub time_ns: u64,
    /// Whether it is encrypted.
    pub encrypted: bool,
    /// Why it cannot be restored, as far as can be told without its key.
    pub damage: Option<String>,
}

type Components = BTreeMap<String, Arc<dyn Stateful>>;

/// What the next checkpoint builds on.
struct Chain {
    parent: Parent,
    length: u32,
}

struct State {
    images: States,
    stored: Vec<Stored>,
    /// None: the next one is full.
    chain: Option<Chain>,
}

/// Takes and restores checkpoints of components. Any thread may call; one at a time takes or restores.
pub struct Checkpoints {
    name: Arc<str>,
    components: Mutex<Components>,
    state: Mutex<State>,
    backend: Box<dyn Backend>,
    settings: Settings,
    scope: Scope,
}

impl fmt::Debug for Checkpoints {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<String> = self.components().keys().cloned().collect();
        f.debug_struct("Checkpoints").field("name", &self.name).field("components", &names).finish_non_exhaustive()
    }
}

impl Checkpoints {
    /// Checkpoints in a backend, which nobody else writes to.
    ///
    /// # Errors
    /// [`CheckpointError`]: a setting is out of its range, or the backend cannot be read.
    pub fn open(
        name: &str,
        backend: impl Backend + 'static,
        settings: Settings,
        scope: &Scope,
    ) -> Result<Checkpoints, CheckpointError> {
        settings.check()?;
        let state = State { images: States::new(), stored: backend.list()?, chain: None };
        Ok(Checkpoints {
            name: name.into(),
            components: Mutex::default(),
            state: Mutex::new(state),
            backend: Box::new(backend),
            settings,
            scope: scope.clone(),
        })
    }

    /// Adds a component, which the next checkpoint has.
    ///
    /// # Errors
    /// [`CheckpointError`]: the name is taken, empty or too long.
    pub fn add(&self, name: &str, component: Arc<dyn Stateful>) -> Result<(), CheckpointError> {
        if name.is_empty() || name.len() > usize::from(u16::MAX) {
            return Err(CheckpointError::Name(name.len()));
        }
        let mut components = self.components();
        if components.contains_key(name) {
            return Err(CheckpointError::Taken(name.into()));
        }
        components.insert(name.into(), component);
        Ok(())
    }

    /// Removes a component, which the next checkpoint does not have; whether it was there.
    pub fn remove(&self, name: &str) -> bool {
        self.components().remove(name).is_some()
    }

    /// The names of its components, in the order in which they hold still.
    pub fn names(&self) -> Vec<String> {
        self.components().keys().cloned().collect()
    }

    /// The name that its events have.
    pub fn name(&self) -> &Arc<str> {
        &self.name
    }

    fn components(&self) -> MutexGuard<'_, Components> {
        self.components.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Components that hold still until this is dropped.
struct Frozen<'a>(Vec<&'a Arc<dyn Stateful>>);

impl<'a> Frozen<'a> {
    /// Has them hold still, in the order of their names; or says which one could not, and the others go on.
    fn freeze(components: &'a Components) -> Result<Frozen<'a>, String> {
        let mut frozen = Frozen(Vec::with_capacity(components.len()));
        for (name, component) in components {
            let held = caught(|| {
                component.freeze();
                Ok(())
            });
            held.map_err(|_| format!("{name} panicked when it was to hold still"))?;
            frozen.0.push(component);
        }
        Ok(frozen)
    }
}

impl Drop for Frozen<'_> {
    fn drop(&mut self) {
        for component in self.0.iter().rev() {
            let thawed = caught(|| {
                component.thaw();
                Ok(())
            });
            if thawed.is_err() {
                tracing::error!(name: "knhk.resilience.thaw_panicked", "a component panicked when it was to go on after a checkpoint");
            }
        }
    }
}

/// What a callback says, or that it panicked.
fn caught(call: impl FnOnce() -> Result<(), String>) -> Result<(), String> {
    let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(call));
    result.unwrap_or_else(|_| Err("it panicked".into()))
}
