//! Checkpoints: the states of the program's components, kept so that it can go on from them after a restart.
//!
//! A component is a table of callbacks that save and load a state. All components of one object hold still while they save themselves, so
//! that a checkpoint is one cut across them. The first of a process is full, then come increments until the next full one; each is
//! compressed, checked by SHA-256, encrypted where there is a key, and there as a whole or not at all. Restoring takes the newest that is
//! whole, and says what it passed over.

use std::ffi::{c_char, c_void};
use std::io::Write;
use std::path::Path;
use std::ptr;
use std::sync::{Arc, Mutex};

use knhk_engine::{Error, Status, checkpoint_error};
use knhk_resilience::Scope;
use knhk_resilience::checkpoint::{Background, CheckpointError, Checkpoints, Folder, Key, Settings, Stateful, Taken};

use super::calls::nanoseconds;
use super::scope::ScopeHandle;
use crate::call::{call, on_engine};
use crate::callback::{Callback, Context, Destroy, asked, taken};
use crate::engine::EngineHandle;
use crate::error::ErrorHandle;
use crate::handle::{Kind, free, give, required};
use crate::text::{bytes, null, output, text};
use crate::versioned::{Output, Versioned, input};

/// Checkpoints under a name, as C holds them.
pub struct CheckpointsHandle {
    pub(super) checkpoints: Arc<Checkpoints>,
    pub(super) background: Mutex<Option<Background>>,
}

impl Kind for CheckpointsHandle {
    const NAME: &'static str = "checkpoints";
    const MAGIC: u64 = 0x6b6e_686b_6368_6b01;
}

impl CheckpointsHandle {
    pub(super) fn failed(&self, error: &CheckpointError) -> Error {
        checkpoint_error(self.checkpoints.name(), error)
    }
}

/// How checkpoints are taken and kept. Set `struct_size` to sizeof(knhk_checkpoint_settings_t); what is 0 is the default.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct CheckpointSettingsC {
    /// sizeof(knhk_checkpoint_settings_t).
    pub struct_size: u32,
    /// Checkpoints of a chain: a full one, and so many less one that build on it. 60.
    pub chain: u32,
    /// Chains that are kept, at least 2. 2.
    pub chains: u32,
    /// How hard zstd tries, from -7 to 22. 1.
    pub level: i32,
    /// Bytes of all states together, at most. 1 GiB.
    pub limit: u64,
    /// Keys of 32 bytes each, one behind the other: the first one encrypts (XChaCha20-Poly1305), each decrypts. Where there is one, a
    /// checkpoint that is not encrypted is not restored. They are copied; the program wipes its own.
    pub keys: *const u8,
    /// How many keys there are.
    pub keys_len: usize,
}

// SAFETY: plain data that begins with its size, and zero is a value.
unsafe impl Versioned for CheckpointSettingsC {
    const NAME: &'static str = "knhk_checkpoint_settings_t";
}

/// # Safety
/// As `input`; its keys are readable.
unsafe fn settings(at: *const CheckpointSettingsC) -> Result<Settings, Error> {
    // SAFETY: the caller's promise.
    let given = unsafe { input(at)? };
    let mut settings = Settings::default();
    settings.chain = if given.chain == 0 { settings.chain } else { given.chain };
    settings.chains = if given.chains == 0 { settings.chains } else { given.chains as usize };
    settings.level = if given.level == 0 { settings.level } else { given.level };
    settings.limit = if given.limit == 0 { settings.limit } else { given.limit };
    // SAFETY: the caller's promise.
    let keys = unsafe { bytes(given.keys, given.keys_len.saturating_mul(32), "keys")? };
    settings.keys = keys.as_chunks::<32>().0.iter().map(|key| Key::new(*key)).collect();
    Ok(settings)
}

fn handed(made: Arc<Checkpoints>) -> *mut CheckpointsHandle {
    give(CheckpointsHandle { checkpoints: made, background: Mutex::default() })
}

/// Opens checkpoints in an engine's store, beside its receipts: each one that is taken or restored leaves a receipt with its digest, and a
/// backup of the engine has them. An operator lists, takes and restores them with `knhk checkpoint --components`.
///
/// `settings`: NULL for the defaults. `checkpoints`: receives them; the program frees them with knhk_checkpoints_free, before or after the
/// engine is closed, and uses them before.
/// Returns KNHK_OK; KNHK_NOT_FOUND for an engine in memory without a signer; KNHK_ALREADY_EXISTS where the name is open;
/// KNHK_INVALID_ARGUMENT for a setting out of its range. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_checkpoints_open(
    engine: *const EngineHandle,
    name: *const c_char,
    settings: *const CheckpointSettingsC,
    checkpoints: *mut *mut CheckpointsHandle,
    err: *mut *mut ErrorHandle,
) -> Status {
    // SAFETY: as documented.
    unsafe {
        on_engine(engine, err, |engine| {
            let place = output(checkpoints, "checkpoints")?;
            let made = engine.checkpoints(text(name, "name")?, self::settings(settings)?)?;
            ptr::write(place, handed(made));
            Ok(())
        })
    }
}

/// Opens checkpoints in a folder of their own, which nobody else writes to: for a program without an engine.
///
/// `scope`: who hears of what is taken and restored; NULL for nobody. `path`: the folder, made where it is not there, for its owner alone.
/// Else as knhk_checkpoints_open; KNHK_IO where the folder cannot be read.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_checkpoints_open_folder(
    scope: *const ScopeHandle,
    path: *const c_char,
    name: *const c_char,
    settings: *const CheckpointSettingsC,
    checkpoints: *mut *mut CheckpointsHandle,
    err: *mut *mut ErrorHandle,
) -> Status {
    let body = || {
        let place = output(checkpoints, "checkpoints")?;
        // SAFETY: as documented.
        unsafe {
            let scope = if scope.is_null() { Scope::default() } else { required(scope)?.scope.clone() };
            let (path, name) = (text(path, "path")?, text(name, "name")?);
            let failed = |error: &CheckpointError| checkpoint_error(name, error);
            let folder = Folder::open(Path::new(path)).map_err(|error| failed(&error.into()))?;
            let made = Checkpoints::open(name, folder, self::settings(settings)?, &scope);
            ptr::write(place, handed(Arc::new(made.map_err(|error| failed(&error))?)));
        }
        Ok(())
    };
    // SAFETY: as documented.
    unsafe { call(err, body) }
}

/// Frees checkpoints, once the one that is under way has ended; what is kept stays. NULL does nothing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_checkpoints_free(checkpoints: *mut CheckpointsHandle) {
    // SAFETY: NULL or a live handle, as documented.
    unsafe { free(checkpoints) }
}

/// Where a component writes its state while it is being saved.
pub struct StateWriter<'a> {
    to: &'a mut dyn Write,
}

/// Writes a part of a component's state, behind what it wrote before.
///
/// `writer`: what `save` was given; valid until it returns, on its thread. Returns 0, or another number where there is no more room: then
/// `save` returns it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_state_write(writer: *mut StateWriter<'_>, data: *const c_void, len: usize) -> i32 {
    // SAFETY: as documented.
    let (writer, data) = unsafe { (writer.as_mut(), bytes(data.cast(), len, "data")) };
    match (writer, data) {
        (Some(writer), Ok(data)) => i32::from(writer.to.write_all(data).is_err()),
        _ => 1,
    }
}

/// A component of the program. Set `struct_size` to sizeof(knhk_component_callback_t).
///
/// The functions are called on the thread that takes or restores a checkpoint: the program's own, knhk_checkpoints_start's, or one
/// that serves an operator's command. They must not use these checkpoints, not throw, and not end the thread.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct ComponentCallbackC {
    /// sizeof(knhk_component_callback_t).
    pub struct_size: u32,
    /// 0.
    pub reserved: u32,
    /// Passed to the functions.
    pub ctx: *mut c_void,
    /// NULL, or holds still: until `thaw` the state does not change.
    pub freeze: Option<unsafe extern "C" fn(ctx: *mut c_void)>,
    /// NULL, or goes on; called once for each `freeze`.
    pub thaw: Option<unsafe extern "C" fn(ctx: *mut c_void)>,
    /// Writes the state with knhk_state_write and returns 0; or returns another number and writes why as NUL-terminated UTF-8 to `why`,
    /// where there is room for `why_size` bytes. What stays at its place from one checkpoint to the next makes small increments.
    pub save: Option<
        unsafe extern "C" fn(ctx: *mut c_void, writer: *mut StateWriter<'_>, why: *mut c_char, why_size: usize) -> i32,
    >,
    /// Takes a state that `save` wrote and returns 0; or another number and why, and then an older checkpoint is tried.
    pub load: Option<
        unsafe extern "C" fn(ctx: *mut c_void, state: *const u8, len: usize, why: *mut c_char, why_size: usize) -> i32,
    >,
    /// NULL, or called exactly once, when nothing above will be called any more: also when the call fails, unless `struct_size` is one that
    /// the library does not know.
    pub destroy: Option<unsafe extern "C" fn(ctx: *mut c_void)>,
}

// SAFETY: plain data that begins with its size.
unsafe impl Versioned for ComponentCallbackC {
    const NAME: &'static str = "knhk_component_callback_t";
}

impl Callback for ComponentCallbackC {
    fn context(&self) -> (*mut c_void, Destroy) {
        (self.ctx, self.destroy)
    }
}

/// A component whose context goes with it.
struct Kept {
    callback: ComponentCallbackC,
    context: Context,
}

// SAFETY: the program said, by adding it, that its functions may be called on any thread, one at a time.
unsafe impl Send for Kept {}
// SAFETY: as above; one checkpoint is taken or restored at a time.
unsafe impl Sync for Kept {}

impl Stateful for Kept {
    fn freeze(&self) {
        if let Some(freeze) = self.callback.freeze {
            // SAFETY: registered for this.
            unsafe { freeze(self.context.at()) }
        }
    }

    fn thaw(&self) {
        if let Some(thaw) = self.callback.thaw {
            // SAFETY: registered for this.
            unsafe { thaw(self.context.at()) }
        }
    }

    fn save(&self, to: &mut dyn Write) -> Result<(), String> {
        let Some(save) = self.callback.save else { return Err("there is no function to save".into()) };
        let mut writer = StateWriter { to };
        // SAFETY: registered for this; the writer lives until it returns.
        asked(|why, room| unsafe { save(self.context.at(), &mut writer, why, room) })
    }

    fn load(&self, from: &[u8]) -> Result<(), String> {
        let Some(load) = self.callback.load else { return Err("there is no function to load".into()) };
        // SAFETY: registered for this.
        asked(|why, room| unsafe { load(self.context.at(), from.as_ptr(), from.len(), why, room) })
    }
}

/// Adds a component, which the next checkpoint has.
///
/// `component`: taken over, whatever is returned. Returns KNHK_OK; KNHK_ALREADY_EXISTS where the name is taken. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_checkpoints_add(
    checkpoints: *mut CheckpointsHandle,
    name: *const c_char,
    component: *const ComponentCallbackC,
    err: *mut *mut ErrorHandle,
) -> Status {
    let body = || {
        // SAFETY: as documented.
        let (callback, context) = unsafe { taken(component)? };
        // SAFETY: as documented.
        let (handle, name) = unsafe { (required(checkpoints)?, text(name, "name")?) };
        callback.save.ok_or_else(|| null("save"))?;
        callback.load.ok_or_else(|| null("load"))?;
        handle.checkpoints.add(name, Arc::new(Kept { callback, context })).map_err(|error| handle.failed(&error))
    };
    // SAFETY: as documented.
    unsafe { call(err, body) }
}

/// Removes a component, which the next checkpoint does not have.
///
/// Returns KNHK_OK; KNHK_NOT_FOUND. Its `destroy` is called once nothing uses it any more: before this returns, or at the end of the
/// checkpoint under way.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_checkpoints_remove(
    checkpoints: *mut CheckpointsHandle,
    name: *const c_char,
    err: *mut *mut ErrorHandle,
) -> Status {
    let body = || {
        // SAFETY: as documented.
        let (handle, name) = unsafe { (required(checkpoints)?, text(name, "name")?) };
        if handle.checkpoints.remove(name) {
            return Ok(());
        }
        let known = handle.checkpoints.names().join(", ");
        let message =
            format!("checkpoints {} have no component {name:?}; they have: {known}", handle.checkpoints.name());
        Err(Error::new(Status::NotFound, "checkpoint", name, message))
    };
    // SAFETY: as documented.
    unsafe { call(err, body) }
}

/// A checkpoint that was taken. Set `struct_size` to sizeof(knhk_checkpoint_taken_t) before the call.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct TakenC {
    /// sizeof(knhk_checkpoint_taken_t); on return, how much of this struct the library knows.
    pub struct_size: u32,
    /// 1 where it stands alone.
    pub full: u32,
    /// Its number; each next one is greater.
    pub number: u64,
    /// Its bytes, as they are kept.
    pub bytes: u64,
    /// Bytes of the components' states.
    pub state_bytes: u64,
    /// How long the components held still, in nanoseconds.
    pub frozen_ns: u64,
    /// How long it took in all, in nanoseconds.
    pub took_ns: u64,
    /// Its SHA-256.
    pub digest: [u8; 32],
}

// SAFETY: plain data that begins with its size.
unsafe impl Versioned for TakenC {
    const NAME: &'static str = "knhk_checkpoint_taken_t";
}

/// Takes a checkpoint: what changed since the last one, or everything where a full one is due.
///
/// `full`: not 0 for everything, which begins a chain. `taken`: NULL, or receives what was taken.
/// Returns KNHK_OK; KNHK_SYSTEM where a component could not be saved, with its reason; KNHK_LIMIT for too large states; KNHK_IO; nothing was
/// kept then. One at a time takes or restores; others wait.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_checkpoint_take(
    checkpoints: *mut CheckpointsHandle,
    full: u32,
    taken: *mut TakenC,
    err: *mut *mut ErrorHandle,
) -> Status {
    let body = || {
        // SAFETY: as documented.
        let (handle, place) = unsafe { (required(checkpoints)?, Output::new(taken)?) };
        let made = if full != 0 { handle.checkpoints.take_full() } else { handle.checkpoints.take() };
        let Taken { number, full, bytes, digest, state_bytes, frozen, took } =
            made.map_err(|error| handle.failed(&error))?;
        let (frozen_ns, took_ns) = (nanoseconds(frozen), nanoseconds(took));
        let full = u32::from(full);
        place.write(TakenC { struct_size: 0, full, number, bytes, state_bytes, frozen_ns, took_ns, digest });
        Ok(())
    };
    // SAFETY: as documented.
    unsafe { call(err, body) }
}
