//! Sectors: namespaces with their own knowledge and their own history.

use std::ffi::c_char;
use std::ptr;
use std::time::Duration;

use knhk_engine::{Error, SectorKind, Status};

use crate::buffer::{Buffer, filled};
use crate::call::on_engine;
use crate::engine::EngineHandle;
use crate::error::ErrorHandle;
use crate::handle::{Kind, free, give, given};
use crate::options::out_of;
use crate::text::{Texts, output, text};

/// Promotions into the sector are checked for schema, ranges and compatibility, and not governed. For values whose source
/// is already trusted.
pub const KNHK_DIRECT: u32 = 1;
/// A change passes the seven stages of governance first: see knhk_propose. Needs an engine with a ledger.
pub const KNHK_GOVERNED: u32 = 2;

/// A sector, as enumerated.
#[repr(C)]
pub struct SectorInfoC {
    /// How much of this struct the library knows.
    pub struct_size: u32,
    /// KNHK_DIRECT or KNHK_GOVERNED.
    pub kind: u32,
    /// Its name.
    pub name: *const c_char,
    /// Its number in its engine, for knhk_find.
    pub number: u32,
    /// 1 once a version was promoted.
    pub ready: u32,
    /// The current version; 0 before the first promotion.
    pub version: u64,
    /// The generation in which it became current; 0 before the first promotion.
    pub epoch: u64,
    /// How many values it has.
    pub keys: u64,
    /// The content address of the current version; zeros before the first promotion.
    pub snapshot_id: [u8; 32],
}

/// Sectors, as of one moment.
pub struct SectorList {
    items: Vec<SectorInfoC>,
    _texts: Texts,
}

impl Kind for SectorList {
    const NAME: &'static str = "list of sectors";
    const MAGIC: u64 = 0x6b6e_686b_7365_6301;
}

/// A kind's number.
fn kind_number(kind: SectorKind) -> u32 {
    match kind {
        SectorKind::Direct => KNHK_DIRECT,
        SectorKind::Governed => KNHK_GOVERNED,
        _ => 0,
    }
}

/// The kind with a number.
pub(crate) fn kind(number: u32) -> Result<SectorKind, Error> {
    match number {
        KNHK_DIRECT => Ok(SectorKind::Direct),
        KNHK_GOVERNED => Ok(SectorKind::Governed),
        other => Err(out_of("kind", other.into(), "KNHK_DIRECT or KNHK_GOVERNED")),
    }
}

/// Creates a sector.
///
/// `name`: 1 to 64 characters of a-z, 0-9, - and _, beginning with a letter or digit. `kind`: KNHK_DIRECT or KNHK_GOVERNED.
/// Returns KNHK_OK; KNHK_INVALID_ARGUMENT for another name or kind; KNHK_ALREADY_EXISTS; KNHK_LIMIT beyond 64 sectors; KNHK_IO.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_sector_create(
    engine: *mut EngineHandle,
    name: *const c_char,
    kind: u32,
    err: *mut *mut ErrorHandle,
) -> Status {
    // SAFETY: as documented.
    unsafe {
        on_engine(engine, err, |engine| {
            let kind = self::kind(kind)?;
            engine.create_sector(text(name, "name")?, kind)
        })
    }
}

/// Lists the sectors, in the order of their creation.
///
/// `sectors`: receives the list, which the program frees with knhk_sectors_free.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_sectors(
    engine: *const EngineHandle,
    sectors: *mut *mut SectorList,
    err: *mut *mut ErrorHandle,
) -> Status {
    // SAFETY: as documented.
    unsafe {
        on_engine(engine, err, |engine| {
            let sectors = output(sectors, "sectors")?;
            let mut texts = Texts::default();
            let items = engine.sectors()?.into_iter().zip(0..).map(|(info, number)| SectorInfoC {
                struct_size: size_of::<SectorInfoC>() as u32,
                kind: kind_number(info.kind),
                name: texts.keep(&info.name),
                number,
                ready: info.ready.into(),
                version: info.version,
                epoch: info.epoch,
                keys: info.keys as u64,
                snapshot_id: info.snapshot_id,
            });
            let items = items.collect();
            ptr::write(sectors, give(SectorList { items, _texts: texts }));
            Ok(())
        })
    }
}

/// How many sectors a list has; 0 for NULL. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_sectors_len(sectors: *const SectorList) -> usize {
    // SAFETY: NULL or a live list, as documented.
    unsafe { given(sectors) }.map_or(0, |list| list.items.len())
}

/// A sector of a list; NULL beyond its end. Valid until the list is freed. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_sectors_at(sectors: *const SectorList, index: usize) -> *const SectorInfoC {
    // SAFETY: NULL or a live list, as documented.
    unsafe { given(sectors) }.and_then(|list| list.items.get(index)).map_or(ptr::null(), ptr::from_ref)
}

/// Frees a list of sectors. NULL does nothing. Any thread; its items may not be used any more.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_sectors_free(sectors: *mut SectorList) {
    // SAFETY: NULL or a live list, as documented.
    unsafe { free(sectors) }
}

/// A sector's number in its engine, for knhk_find.
///
/// Returns KNHK_OK or KNHK_NOT_FOUND. The number does not change.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_sector_number(
    engine: *const EngineHandle,
    sector: *const c_char,
    number: *mut u32,
    err: *mut *mut ErrorHandle,
) -> Status {
    // SAFETY: as documented.
    unsafe {
        on_engine(engine, err, |engine| {
            let number = output(number, "number")?;
            ptr::write(number, engine.sector_number(text(sector, "sector")?)?);
            Ok(())
        })
    }
}

/// Waits until something was promoted in a sector.
///
/// `timeout_ns`: how long, in nanoseconds; UINT64_MAX waits without end.
/// Returns KNHK_OK; KNHK_TIMEOUT; KNHK_NOT_FOUND; KNHK_CLOSED also when the engine is closed meanwhile. Blocks the calling thread, which
/// must be outside of any view.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_sector_wait_ready(
    engine: *mut EngineHandle,
    sector: *const c_char,
    timeout_ns: u64,
    err: *mut *mut ErrorHandle,
) -> Status {
    // SAFETY: as documented.
    unsafe {
        on_engine(engine, err, |engine| {
            let timeout = if timeout_ns == u64::MAX { Duration::MAX } else { Duration::from_nanos(timeout_ns) };
            engine.wait_ready(text(sector, "sector")?, timeout)
        })
    }
}

/// The document of a version of a sector, as JSON; importing it gives the same knowledge.
///
/// `version`: 0 for the current one. `json`: receives the text, which the program frees with knhk_buffer_free.
/// Returns KNHK_OK; KNHK_NOT_FOUND for a sector or version that is not there; KNHK_NOT_READY before the first promotion.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_sector_export_json(
    engine: *const EngineHandle,
    sector: *const c_char,
    version: u64,
    json: *mut *mut Buffer,
    err: *mut *mut ErrorHandle,
) -> Status {
    // SAFETY: as documented.
    unsafe {
        on_engine(engine, err, |engine| {
            let json = output(json, "json")?;
            let version = (version != 0).then_some(version);
            ptr::write(json, filled(engine.export_json(text(sector, "sector")?, version)?));
            Ok(())
        })
    }
}

/// All sectors' current documents as one JSON object, sector by sector.
///
/// `json`: receives the text, which the program frees with knhk_buffer_free.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_dump(
    engine: *const EngineHandle,
    json: *mut *mut Buffer,
    err: *mut *mut ErrorHandle,
) -> Status {
    // SAFETY: as documented.
    unsafe {
        on_engine(engine, err, |engine| {
            let json = output(json, "json")?;
            ptr::write(json, filled(engine.dump()?));
            Ok(())
        })
    }
}
