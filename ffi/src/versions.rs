//! Versions: the log of a sector, names for versions, and one way to refer to one: `12`, `current`, `~3` (3 before the current one), a
//! tag, 6 or more hexadecimal digits of a content address, a moment (`2026-11-01T09:00:00Z`, or the date alone), `@2h` (two hours ago).

use std::ffi::c_char;
use std::ptr;

use knhk_engine::{AsOf, Hold, LogQuery, Status};

use crate::call::on_engine;
use crate::engine::EngineHandle;
use crate::error::ErrorHandle;
use crate::handle::{Kind, free, give};
use crate::hold::HoldHandle;
use crate::list::{self, List};
use crate::text::{Texts, optional_text, output, text};

/// A version, as the log tells it.
#[repr(C)]
pub struct LogEntryC {
    /// How much of this struct the library knows.
    pub struct_size: u32,
    /// 1 if its content is still kept; its receipt is in any case.
    pub retained: u32,
    /// Its number.
    pub version: u64,
    /// The version whose content it brought back; 0 if it is no rollback.
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
    /// The id of its receipt; NULL where there is none.
    pub receipt: *const c_char,
    /// The versions that it came from; none also where it is no longer kept.
    pub parents: *const u64,
    /// How many there are.
    pub parents_len: usize,
    /// Its tags, sorted.
    pub tags: *const *const c_char,
    /// How many there are.
    pub tags_len: usize,
    /// 1 if it was declared incompatible with the one before.
    pub major: u32,
    /// 0.
    pub reserved: u32,
}

/// A part of a log, as of one moment.
pub struct VersionLog {
    items: Vec<LogEntryC>,
    _parents: Vec<Vec<u64>>,
    _tags: Vec<Vec<*const c_char>>,
    _texts: Texts,
}

impl Kind for VersionLog {
    const NAME: &'static str = "log of versions";
    const MAGIC: u64 = 0x6b6e_686b_766c_6701;
}

impl List for VersionLog {
    type Item = LogEntryC;

    fn items(&self) -> &[LogEntryC] {
        &self.items
    }
}

/// Lists the versions of a sector, newest first, also those that are no longer kept.
///
/// `before`: only versions with a smaller number; 0 for all. `limit`: how many at most; 0 for 100. `log`: receives the list, which the
/// program frees with knhk_version_log_free.
/// Returns KNHK_OK; KNHK_NOT_FOUND; KNHK_IO.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_version_log(
    engine: *const EngineHandle,
    sector: *const c_char,
    before: u64,
    limit: u64,
    log: *mut *mut VersionLog,
    err: *mut *mut ErrorHandle,
) -> Status {
    // SAFETY: as documented.
    unsafe {
        on_engine(engine, err, |engine| {
            let log = output(log, "log")?;
            let query = LogQuery {
                before: (before != 0).then_some(before),
                limit: (limit != 0).then_some(usize::try_from(limit).unwrap_or(usize::MAX)),
            };
            let (mut texts, mut parents, mut tags) = (Texts::default(), Vec::new(), Vec::new());
            let entries = engine.log(text(sector, "sector")?, &query)?;
            let items = entries.into_iter().map(|entry| {
                let names: Vec<_> = entry.tags.iter().map(|tag| texts.keep(tag)).collect();
                let item = LogEntryC {
                    struct_size: size_of::<LogEntryC>() as u32,
                    retained: entry.retained.into(),
                    version: entry.version,
                    rollback_of: entry.rollback_of.unwrap_or(0),
                    epoch: entry.epoch,
                    time_ns: entry.time_ns,
                    snapshot_id: entry.snapshot_id,
                    by: texts.keep(&entry.by),
                    why: texts.keep(&entry.why),
                    receipt: texts.keep_some(entry.receipt.as_deref()),
                    parents: entry.parents.as_ptr(),
                    parents_len: entry.parents.len(),
                    tags: names.as_ptr(),
                    tags_len: names.len(),
                    major: entry.major.into(),
                    reserved: 0,
                };
                parents.push(entry.parents);
                tags.push(names);
                item
            });
            let items = items.collect();
            ptr::write(log, give(VersionLog { items, _parents: parents, _tags: tags, _texts: texts }));
            Ok(())
        })
    }
}

/// How many versions a log has; 0 for NULL. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_version_log_len(log: *const VersionLog) -> usize {
    // SAFETY: NULL or a live list, as documented.
    unsafe { list::len(log) }
}

/// A version of a log; NULL beyond its end. Valid until the log is freed. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_version_log_at(log: *const VersionLog, index: usize) -> *const LogEntryC {
    // SAFETY: NULL or a live list, as documented.
    unsafe { list::at(log, index) }
}

/// Frees a log of versions. NULL does nothing. Any thread; its items may not be used any more.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_version_log_free(log: *mut VersionLog) {
    // SAFETY: NULL or a live list, as documented.
    unsafe { free(log) }
}

/// Finds the version that a reference means.
///
/// `reference`: as at the beginning of this section. `version`: receives its number, for knhk_sector_export, knhk_sector_diff,
/// knhk_rollback and so on.
/// Returns KNHK_OK; KNHK_NOT_FOUND; KNHK_INVALID_ARGUMENT for what is no reference, and for one that may mean several, which the
/// message lists.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_resolve(
    engine: *const EngineHandle,
    sector: *const c_char,
    reference: *const c_char,
    version: *mut u64,
    err: *mut *mut ErrorHandle,
) -> Status {
    // SAFETY: as documented.
    unsafe {
        on_engine(engine, err, |engine| {
            let version = output(version, "version")?;
            ptr::write(version, engine.resolve(text(sector, "sector")?, text(reference, "reference")?)?);
            Ok(())
        })
    }
}

/// Holds all sectors as they were when a version became current, or at a moment.
///
/// `sector`, `reference`: which version of which sector; for a moment the sector's name does not matter, but it must be there. `hold`:
/// receives the hold, which the program gives back with knhk_hold_release. Its view (knhk_hold_view) reads as any other does, on any thread.
/// Returns what knhk_resolve returns; KNHK_NOT_FOUND also where what was current then is no longer kept, and for an engine without a store;
/// KNHK_CORRUPT.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_as_of(
    engine: *const EngineHandle,
    sector: *const c_char,
    reference: *const c_char,
    hold: *mut *mut HoldHandle,
    err: *mut *mut ErrorHandle,
) -> Status {
    // SAFETY: as documented.
    unsafe {
        on_engine(engine, err, |engine| {
            let place = output(hold, "hold")?;
            let then: Hold = engine.as_of_reference(text(sector, "sector")?, text(reference, "reference")?)?;
            ptr::write(place, give(HoldHandle { hold: then }));
            Ok(())
        })
    }
}

/// Holds all sectors as they were at a moment.
///
/// `time_ns`: in nanoseconds since the Unix epoch. `hold`: as knhk_as_of. Returns what knhk_as_of returns.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_as_of_moment(
    engine: *const EngineHandle,
    time_ns: u64,
    hold: *mut *mut HoldHandle,
    err: *mut *mut ErrorHandle,
) -> Status {
    // SAFETY: as documented.
    unsafe {
        on_engine(engine, err, |engine| {
            let place = output(hold, "hold")?;
            ptr::write(place, give(HoldHandle { hold: engine.as_of(&AsOf::Moment(time_ns))? }));
            Ok(())
        })
    }
}

/// Sets a tag, and moves it if it is there.
///
/// `name`: 1 to 64 characters of letters, digits, `.`, `_`, `-` and `/`, beginning with a letter, and nothing else that a reference can
/// be. `reference`: which version. `by`: who; NULL for nobody in particular. `version`: NULL, or receives the version's number.
/// Returns what knhk_resolve returns; KNHK_NOT_FOUND also for an engine without a store; KNHK_IO; KNHK_SIGNING.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_tag(
    engine: *mut EngineHandle,
    sector: *const c_char,
    name: *const c_char,
    reference: *const c_char,
    by: *const c_char,
    version: *mut u64,
    err: *mut *mut ErrorHandle,
) -> Status {
    // SAFETY: as documented.
    unsafe {
        on_engine(engine, err, |engine| {
            let by = optional_text(by, "by")?.unwrap_or_default();
            let (sector, name) = (text(sector, "sector")?, text(name, "name")?);
            let tagged = engine.tag(sector, name, text(reference, "reference")?, by)?;
            if !version.is_null() {
                ptr::write(version, tagged);
            }
            Ok(())
        })
    }
}

/// Removes a tag; the version stays.
///
/// `by`: as knhk_tag. Returns KNHK_OK; KNHK_NOT_FOUND; KNHK_IO; KNHK_SIGNING.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_untag(
    engine: *mut EngineHandle,
    sector: *const c_char,
    name: *const c_char,
    by: *const c_char,
    err: *mut *mut ErrorHandle,
) -> Status {
    // SAFETY: as documented.
    unsafe {
        on_engine(engine, err, |engine| {
            let by = optional_text(by, "by")?.unwrap_or_default();
            engine.untag(text(sector, "sector")?, text(name, "name")?, by)
        })
    }
}

/// A name for a version.
#[repr(C)]
pub struct TagC {
    /// How much of this struct the library knows.
    pub struct_size: u32,
    /// 0.
    pub reserved: u32,
    /// The version.
    pub version: u64,
    /// When it was set, in nanoseconds since the Unix epoch.
    pub time_ns: u64,
    /// The name.
    pub name: *const c_char,
    /// Who set it; "" for nobody in particular.
    pub by: *const c_char,
}

/// Tags, as of one moment.
pub struct TagList {
    items: Vec<TagC>,
    _texts: Texts,
}

impl Kind for TagList {
    const NAME: &'static str = "list of tags";
    const MAGIC: u64 = 0x6b6e_686b_7461_6701;
}

impl List for TagList {
    type Item = TagC;

    fn items(&self) -> &[TagC] {
        &self.items
    }
}

/// Lists a sector's tags by name.
///
/// `tags`: receives the list, which the program frees with knhk_tags_free. Returns KNHK_OK; KNHK_NOT_FOUND; KNHK_IO.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_tags(
    engine: *const EngineHandle,
    sector: *const c_char,
    tags: *mut *mut TagList,
    err: *mut *mut ErrorHandle,
) -> Status {
    // SAFETY: as documented.
    unsafe {
        on_engine(engine, err, |engine| {
            let tags = output(tags, "tags")?;
            let mut texts = Texts::default();
            let items = engine.tags(text(sector, "sector")?)?.into_iter().map(|tag| TagC {
                struct_size: size_of::<TagC>() as u32,
                reserved: 0,
                version: tag.version,
                time_ns: tag.time_ns,
                name: texts.keep(&tag.name),
                by: texts.keep(&tag.by),
            });
            let items = items.collect();
            ptr::write(tags, give(TagList { items, _texts: texts }));
            Ok(())
        })
    }
}

/// How many tags a list has; 0 for NULL. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_tags_len(tags: *const TagList) -> usize {
    // SAFETY: NULL or a live list, as documented.
    unsafe { list::len(tags) }
}

/// A tag of a list; NULL beyond its end. Valid until the list is freed. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_tags_at(tags: *const TagList, index: usize) -> *const TagC {
    // SAFETY: NULL or a live list, as documented.
    unsafe { list::at(tags, index) }
}

/// Frees a list of tags. NULL does nothing. Any thread; its items may not be used any more.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_tags_free(tags: *mut TagList) {
    // SAFETY: NULL or a live list, as documented.
    unsafe { free(tags) }
}

/// Removes now what the options `retain_versions` and `retain_age_ns` do not keep. The current versions and tagged ones stay, and every
/// receipt.
///
/// `removed`: NULL, or receives how many versions went.
/// Returns KNHK_OK; KNHK_NOT_FOUND for an engine without a store; KNHK_IO; KNHK_SIGNING.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_prune(
    engine: *mut EngineHandle,
    removed: *mut u64,
    err: *mut *mut ErrorHandle,
) -> Status {
    // SAFETY: as documented.
    unsafe {
        on_engine(engine, err, |engine| {
            let pruned = engine.prune()?;
            if !removed.is_null() {
                ptr::write(removed, pruned);
            }
            Ok(())
        })
    }
}
