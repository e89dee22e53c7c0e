//! Changes: told by callback, by a descriptor to poll, or by comparing knhk_change_version.

use std::ffi::{c_char, c_int, c_void};
use std::ptr;

use knhk_engine::{Change, Status, Subscription};

use crate::call::on_engine;
use crate::callback::{Callback, Destroy, registered};
use crate::engine::EngineHandle;
use crate::error::ErrorHandle;
use crate::handle::{Kind, free, give, given};
use crate::history::{DifferenceC, differences};
use crate::text::{Texts, null, output};
use crate::versioned::Versioned;

/// A promotion or rollback that became current.
#[repr(C)]
pub struct ChangeC {
    /// How much of this struct the library knows.
    pub struct_size: u32,
    /// 0.
    pub reserved: u32,
    /// The sector.
    pub sector: *const c_char,
    /// Its new version.
    pub version: u64,
    /// The version whose content came back; 0 if it is no rollback.
    pub rollback_of: u64,
    /// The generation of all sectors.
    pub epoch: u64,
    /// When, in nanoseconds since the Unix epoch.
    pub time_ns: u64,
    /// The content address.
    pub snapshot_id: [u8; 32],
    /// Who; "" for nobody in particular.
    pub by: *const c_char,
    /// Why; "" for nothing.
    pub why: *const c_char,
    /// All of it in one line for people: "orders 7: max_qty 1200 → 1000 (by ops-2: desk asked)".
    pub summary: *const c_char,
    /// What changed.
    pub differences: *const DifferenceC,
    /// How many there are.
    pub differences_len: usize,
    /// Changes that this subscriber missed before this one, because it fell behind.
    pub missed: u64,
}

/// A change with what it points to.
struct Told {
    change: ChangeC,
    _differences: Vec<DifferenceC>,
    _texts: Texts,
}

impl Told {
    fn of(change: &Change) -> Told {
        let mut texts = Texts::default();
        let changed = differences(&change.differences(), &mut texts);
        let told = ChangeC {
            struct_size: size_of::<ChangeC>() as u32,
            reserved: 0,
            sector: texts.keep(&change.sector),
            version: change.version,
            rollback_of: change.rollback_of.unwrap_or(0),
            epoch: change.epoch,
            time_ns: change.time_ns,
            snapshot_id: change.snapshot_id,
            by: texts.keep(&change.by),
            why: texts.keep(&change.why),
            summary: texts.keep(&change.summary()),
            differences: changed.as_ptr(),
            differences_len: changed.len(),
            missed: change.missed,
        };
        Told { change: told, _differences: changed, _texts: texts }
    }
}

/// Whom to tell of changes. Set `struct_size` to sizeof(knhk_change_callback_t).
///
/// `changed` is called on the engine's warm thread, one change after the other; it may call the engine back, also to unsubscribe and to
/// promote. While it blocks, later changes wait, and no reader does. It must not throw, and not end the thread.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct ChangeCallbackC {
    /// sizeof(knhk_change_callback_t).
    pub struct_size: u32,
    /// 0.
    pub reserved: u32,
    /// Passed to the functions.
    pub ctx: *mut c_void,
    /// Called with each change, which is valid during the call.
    pub changed: Option<unsafe extern "C" fn(ctx: *mut c_void, change: *const ChangeC)>,
    /// NULL, or called exactly once, when `changed` will not be called any more: also when the registration fails, unless
    /// `struct_size` is one that the library does not know. On any thread.
    pub destroy: Option<unsafe extern "C" fn(ctx: *mut c_void)>,
}

// SAFETY: plain data that begins with its size.
unsafe impl Versioned for ChangeCallbackC {
    const NAME: &'static str = "knhk_change_callback_t";
}

impl Callback for ChangeCallbackC {
    fn context(&self) -> (*mut c_void, Destroy) {
        (self.ctx, self.destroy)
    }
}

/// Calls a callback for every change from now on, in order.
///
/// `subscription`: receives a number for knhk_unsubscribe. A subscriber that falls behind by more than 256 changes misses the oldest ones;
/// the next one it gets says how many.
/// Returns KNHK_OK; KNHK_STRUCT_SIZE; KNHK_NULL_ARGUMENT also where `changed` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_subscribe(
    engine: *mut EngineHandle,
    callback: *const ChangeCallbackC,
    subscription: *mut u64,
    err: *mut *mut ErrorHandle,
) -> Status {
    // SAFETY: as documented.
    unsafe {
        registered(engine, callback, err, |engine, kept| {
            let subscription = output(subscription, "subscription")?;
            let changed = kept.callback.changed.ok_or_else(|| null("changed"))?;
            let tell = move |change: &Change| changed(kept.at(), &Told::of(change).change);
            ptr::write(subscription, engine.subscribe(tell)?.0);
            Ok(())
        })
    }
}

/// Ends a subscription. When this returns on another thread than the callback's, `changed` is not running and `destroy` was called.
///
/// Returns KNHK_OK, or KNHK_NOT_FOUND when there is no such subscription any more.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_unsubscribe(
    engine: *mut EngineHandle,
    subscription: u64,
    err: *mut *mut ErrorHandle,
) -> Status {
    // SAFETY: as documented.
    unsafe {
        on_engine(engine, err, |engine| {
            if engine.unsubscribe(Subscription(subscription)) {
                return Ok(());
            }
            let message = format!("there is no subscription {subscription}");
            Err(knhk_engine::Error::new(Status::NotFound, "unsubscribe", "subscription", message))
        })
    }
}

/// A descriptor to poll: it becomes readable when something changed.
///
/// `fd`: receives an eventfd that belongs to the engine: do not close it. Read 8 bytes from it to arm it again, then ask
/// knhk_changes_since. Valid until the engine is closed.
/// Returns KNHK_OK, or KNHK_SYSTEM when the process has no descriptors left.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_change_fd(
    engine: *mut EngineHandle,
    fd: *mut c_int,
    err: *mut *mut ErrorHandle,
) -> Status {
    // SAFETY: as documented.
    unsafe {
        on_engine(engine, err, |engine| {
            let fd = output(fd, "fd")?;
            ptr::write(fd, engine.change_descriptor()?);
            Ok(())
        })
    }
}

/// Changes, as of one moment.
pub struct ChangeList {
    items: Vec<Told>,
}

// SAFETY: its pointers lead into itself.
unsafe impl Send for ChangeList {}

impl Kind for ChangeList {
    const NAME: &'static str = "list of changes";
    const MAGIC: u64 = 0x6b6e_686b_6368_6701;
}

/// Lists the changes after a generation, oldest first; the engine remembers the last 256.
///
/// `epoch`: that of the last change you know of, or 0. `changes`: receives the list, which the program frees with knhk_changes_free.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_changes_since(
    engine: *const EngineHandle,
    epoch: u64,
    changes: *mut *mut ChangeList,
    err: *mut *mut ErrorHandle,
) -> Status {
    // SAFETY: as documented.
    unsafe {
        on_engine(engine, err, |engine| {
            let changes = output(changes, "changes")?;
            let items = engine.changes_since(epoch).iter().map(Told::of).collect();
            ptr::write(changes, give(ChangeList { items }));
            Ok(())
        })
    }
}

/// How many changes a list has; 0 for NULL. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_changes_len(changes: *const ChangeList) -> usize {
    // SAFETY: NULL or a live list, as documented.
    unsafe { given(changes) }.map_or(0, |list| list.items.len())
}

/// A change of a list; NULL beyond its end. Valid until the list is freed. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_changes_at(changes: *const ChangeList, index: usize) -> *const ChangeC {
    // SAFETY: NULL or a live list, as documented.
    unsafe { given(changes) }.and_then(|list| list.items.get(index)).map_or(ptr::null(), |told| &told.change)
}

/// Frees a list of changes. NULL does nothing. Any thread; its items may not be used any more.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_changes_free(changes: *mut ChangeList) {
    // SAFETY: NULL or a live list, as documented.
    unsafe { free(changes) }
}
