//! History: the versions that a sector retains, with who, why and what changed.

use std::ffi::c_char;
use std::ptr;

use knhk_engine::{Difference, Status};

use crate::call::on_engine;
use crate::engine::EngineHandle;
use crate::error::ErrorHandle;
use crate::handle::{Kind, free, give, given};
use crate::promote::PhasesC;
use crate::text::{Texts, output, text};

/// One value that differs between two versions.
#[repr(C)]
pub struct DifferenceC {
    /// Its path in the sector.
    pub path: *const c_char,
    /// What it was, as people write it; NULL where it is new.
    pub before: *const c_char,
    /// What it is now; NULL where it is gone.
    pub after: *const c_char,
}

/// A version, as enumerated.
#[repr(C)]
pub struct VersionInfoC {
    /// How much of this struct the library knows.
    pub struct_size: u32,
    /// 0.
    pub reserved: u32,
    /// Counts the sector's promotions and rollbacks from 1.
    pub version: u64,
    /// The version whose content it brings back; 0 if it is no rollback.
    pub rollback_of: u64,
    /// The generation of all sectors in which it became current.
    pub epoch: u64,
    /// When, in nanoseconds since the Unix epoch.
    pub time_ns: u64,
    /// The content address.
    pub snapshot_id: [u8; 32],
    /// Who; "" for nobody in particular.
    pub by: *const c_char,
    /// Why; "" for nothing.
    pub why: *const c_char,
    /// What changed against the version before.
    pub differences: *const DifferenceC,
    /// How many there are.
    pub differences_len: usize,
    /// What each phase took.
    pub phases: PhasesC,
    /// The version that it took the place of; 0 for none.
    pub parent: u64,
    /// The id of its receipt; NULL where there is none.
    pub receipt: *const c_char,
}

/// Versions, as of one moment.
pub struct VersionList {
    items: Vec<VersionInfoC>,
    _differences: Vec<Vec<DifferenceC>>,
    _texts: Texts,
}

impl Kind for VersionList {
    const NAME: &'static str = "history";
    const MAGIC: u64 = 0x6b6e_686b_7665_7201;
}

/// Differences for C, whose texts are kept in `texts`.
pub(crate) fn differences(of: &[Difference], texts: &mut Texts) -> Vec<DifferenceC> {
    let difference = |d: &Difference| DifferenceC {
        path: texts.keep(&d.path),
        before: texts.keep_some(d.old.as_deref()),
        after: texts.keep_some(d.new.as_deref()),
    };
    of.iter().map(difference).collect()
}

/// Lists the versions that a sector retains, oldest first; the last one is current.
///
/// `versions`: receives the list, which the program frees with knhk_history_free.
/// Returns KNHK_OK or KNHK_NOT_FOUND.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_history(
    engine: *const EngineHandle,
    sector: *const c_char,
    versions: *mut *mut VersionList,
    err: *mut *mut ErrorHandle,
) -> Status {
    // SAFETY: as documented.
    unsafe {
        on_engine(engine, err, |engine| {
            let versions = output(versions, "versions")?;
            let mut texts = Texts::default();
            let mut kept = Vec::new();
            let history = engine.history(text(sector, "sector")?)?;
            let items = history.iter().map(|info| {
                let changed = differences(&info.differences(), &mut texts);
                let item = VersionInfoC {
                    struct_size: size_of::<VersionInfoC>() as u32,
                    reserved: 0,
                    version: info.version,
                    rollback_of: info.rollback_of.unwrap_or(0),
                    epoch: info.epoch,
                    time_ns: info.time_ns,
                    snapshot_id: info.snapshot_id,
                    by: texts.keep(&info.origin.by),
                    why: texts.keep(&info.origin.why),
                    differences: changed.as_ptr(),
                    differences_len: changed.len(),
                    phases: info.phases.into(),
                    parent: info.parent.unwrap_or(0),
                    receipt: texts.keep_some(info.receipt.as_deref()),
                };
                kept.push(changed);
                item
            });
            let items = items.collect();
            ptr::write(versions, give(VersionList { items, _differences: kept, _texts: texts }));
            Ok(())
        })
    }
}

/// How many versions a history has; 0 for NULL. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_history_len(versions: *const VersionList) -> usize {
    // SAFETY: NULL or a live list, as documented.
    unsafe { given(versions) }.map_or(0, |list| list.items.len())
}

/// A version of a history; NULL beyond its end. Valid until the history is freed. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_history_at(versions: *const VersionList, index: usize) -> *const VersionInfoC {
    // SAFETY: NULL or a live list, as documented.
    unsafe { given(versions) }.and_then(|list| list.items.get(index)).map_or(ptr::null(), ptr::from_ref)
}

/// Frees a history. NULL does nothing. Any thread; its items may not be used any more.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_history_free(versions: *mut VersionList) {
    // SAFETY: NULL or a live list, as documented.
    unsafe { free(versions) }
}
