//! Promotions: a document, or a compiled image, becomes a sector's current knowledge for all readers at once.
//!
//! When such a call returns, every view that begins, on any thread, sees the change or something newer. Views that are open keep what
//! they see. Promotions of one sector by several threads come one after the other. Whatever fails changes nothing. No reader ever waits.

use std::ffi::c_char;
use std::ptr;

use knhk_engine::{Engine, Error, Origin, Phases, Status, VersionInfo};

use crate::buffer::{Buffer, filled};
use crate::call::on_engine;
use crate::engine::EngineHandle;
use crate::error::ErrorHandle;
use crate::options::out_of;
use crate::text::{bytes, optional_text, output, text};
use crate::versioned::{Output, Versioned, input};

/// Declares a major version: keys that programs have interned may be dropped or retyped.
pub const KNHK_MAJOR: u32 = 1;

/// Who asks for a change, and why. Set `struct_size` to sizeof(knhk_promote_options_t) and what you do not care about to 0.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct PromoteOptionsC {
    /// sizeof(knhk_promote_options_t).
    pub struct_size: u32,
    /// KNHK_MAJOR or 0.
    pub flags: u32,
    /// Who: a person, a rule, a program. NULL for nobody in particular.
    pub by: *const c_char,
    /// Why, in a sentence. NULL for nothing.
    pub why: *const c_char,
}

// SAFETY: plain data that begins with its size; zeros are the defaults.
unsafe impl Versioned for PromoteOptionsC {
    const NAME: &'static str = "knhk_promote_options_t";
}

/// What each phase of a promotion took, in nanoseconds.
#[repr(C)]
#[derive(Clone, Copy, Default)]
pub struct PhasesC {
    /// Text to document.
    pub parse_ns: u64,
    /// Waiting for other promotions of the sector, and the compatibility check.
    pub verify_ns: u64,
    /// Document to a verified artifact.
    pub compile_ns: u64,
    /// Making it durable; 0 in memory.
    pub journal_ns: u64,
    /// Building the new root and publishing it.
    pub swap_ns: u64,
}

impl From<Phases> for PhasesC {
    fn from(phases: Phases) -> PhasesC {
        let Phases { parse_ns, verify_ns, compile_ns, journal_ns, swap_ns } = phases;
        PhasesC { parse_ns, verify_ns, compile_ns, journal_ns, swap_ns }
    }
}

/// What a promotion made. Set `struct_size` to sizeof(knhk_promotion_t) before the call.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct PromotionC {
    /// sizeof(knhk_promotion_t); on return, how much of this struct the library knows.
    pub struct_size: u32,
    /// 0.
    pub reserved: u32,
    /// The sector's version: counts its promotions and rollbacks from 1.
    pub version: u64,
    /// The generation of all sectors: a view whose knhk_view_epoch is this or more sees it.
    pub epoch: u64,
    /// When, in nanoseconds since the Unix epoch.
    pub time_ns: u64,
    /// The content address.
    pub snapshot_id: [u8; 32],
    /// What each phase took.
    pub phases: PhasesC,
}

// SAFETY: plain data that begins with its size.
unsafe impl Versioned for PromotionC {
    const NAME: &'static str = "knhk_promotion_t";
}

impl From<&VersionInfo> for PromotionC {
    fn from(version: &VersionInfo) -> PromotionC {
        PromotionC {
            struct_size: 0,
            reserved: 0,
            version: version.version,
            epoch: version.epoch,
            time_ns: version.time_ns,
            snapshot_id: version.snapshot_id,
            phases: version.phases.into(),
        }
    }
}

/// Promotes a JSON document.
///
/// `json`: the document, NUL-terminated. `options`: who and why; NULL for neither.
/// Returns KNHK_OK; KNHK_NOT_FOUND; KNHK_DOCUMENT for what is no valid document, with the path; KNHK_LIMIT; KNHK_INCOMPATIBLE when it drops
/// or retypes interned keys without KNHK_MAJOR; KNHK_STALLED when a reader holds too much memory, with its number; KNHK_IO; KNHK_STRUCT_SIZE.
/// Outside of any view of the calling thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_promote_json(
    engine: *mut EngineHandle,
    sector: *const c_char,
    json: *const c_char,
    options: *const PromoteOptionsC,
    err: *mut *mut ErrorHandle,
) -> Status {
    // SAFETY: as documented.
    unsafe {
        promote(engine, sector, options, ptr::null_mut(), err, |engine, sector, origin| {
            engine.promote_json(sector, text(json, "json")?, origin)
        })
    }
}

/// knhk_promote_json for a document of `len` bytes, without a NUL, and with what it made.
///
/// `promotion`: NULL, or receives version, epoch, content address and timings.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_promote_json_with(
    engine: *mut EngineHandle,
    sector: *const c_char,
    json: *const c_char,
    len: usize,
    options: *const PromoteOptionsC,
    promotion: *mut PromotionC,
    err: *mut *mut ErrorHandle,
) -> Status {
    // SAFETY: as documented.
    unsafe {
        promote(engine, sector, options, promotion, err, |engine, sector, origin| {
            let json = crate::text::utf8(bytes(json.cast(), len, "json")?, "json")?;
            engine.promote_json(sector, json, origin)
        })
    }
}

/// Promotes an artifact image: what knhk_compile_json made, here or elsewhere. It is verified in a private copy and linked to this
/// sector's names.
///
/// `image`: `len` bytes. `promotion`: NULL, or receives what it made.
/// Returns KNHK_OK; KNHK_ARTIFACT for an image that is damaged or of an unknown layout version; else as knhk_promote_json.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_promote_image(
    engine: *mut EngineHandle,
    sector: *const c_char,
    image: *const u8,
    len: usize,
    options: *const PromoteOptionsC,
    promotion: *mut PromotionC,
    err: *mut *mut ErrorHandle,
) -> Status {
    // SAFETY: as documented.
    unsafe {
        promote(engine, sector, options, promotion, err, |engine, sector, origin| {
            engine.promote_image(sector, bytes(image, len, "image")?, origin)
        })
    }
}

/// Makes the content of a retained version current again, as a new version. Works also where a stalled reader keeps promotions from
/// happening.
///
/// `version`: one of knhk_history. `promotion`: NULL, or receives what it made.
/// Returns KNHK_OK; KNHK_NOT_FOUND for a sector or version that is not there; KNHK_IO; KNHK_STRUCT_SIZE.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_rollback(
    engine: *mut EngineHandle,
    sector: *const c_char,
    version: u64,
    options: *const PromoteOptionsC,
    promotion: *mut PromotionC,
    err: *mut *mut ErrorHandle,
) -> Status {
    // SAFETY: as documented.
    unsafe {
        promote(engine, sector, options, promotion, err, |engine, sector, origin| {
            engine.rollback(sector, version, origin)
        })
    }
}

/// knhk_rollback that takes effect before anything is written, and also where nothing can be: on a full disk its intent goes to a
/// file kept allocated for it, which the next open honours. The log says whether the version could be recorded.
///
/// `version`: one of knhk_history. `promotion`: NULL, or receives what it made.
/// Returns KNHK_OK; KNHK_NOT_FOUND for a sector or version that is not there; KNHK_STRUCT_SIZE.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_emergency_rollback(
    engine: *mut EngineHandle,
    sector: *const c_char,
    version: u64,
    options: *const PromoteOptionsC,
    promotion: *mut PromotionC,
    err: *mut *mut ErrorHandle,
) -> Status {
    // SAFETY: as documented.
    unsafe {
        promote(engine, sector, options, promotion, err, |engine, sector, origin| {
            engine.emergency_rollback(sector, version, origin)
        })
    }
}

/// States what a sector holds before its first promotion: its names, types and defaults. Reads give the defaults, with the reason
/// KNHK_READ_NOT_READY, and keys can be interned. Afterwards it is only recorded.
///
/// `json`: a document; the defaults are the $default of its leaves, and a leaf without one reads as absent.
/// Returns KNHK_OK; else as knhk_promote_json.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_declare_json(
    engine: *mut EngineHandle,
    sector: *const c_char,
    json: *const c_char,
    err: *mut *mut ErrorHandle,
) -> Status {
    // SAFETY: as documented.
    unsafe { on_engine(engine, err, |engine| engine.declare_json(text(sector, "sector")?, text(json, "json")?)) }
}

/// Compiles a JSON document to an artifact image, without promoting it: what knhk_promote_image takes.
///
/// `image`: receives the bytes, which the program frees with knhk_buffer_free.
/// Returns KNHK_OK; KNHK_DOCUMENT; KNHK_LIMIT.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_compile_json(
    engine: *const EngineHandle,
    json: *const c_char,
    image: *mut *mut Buffer,
    err: *mut *mut ErrorHandle,
) -> Status {
    // SAFETY: as documented.
    unsafe {
        on_engine(engine, err, |engine| {
            let image = output(image, "image")?;
            ptr::write(image, filled(engine.compile_json(text(json, "json")?)?));
            Ok(())
        })
    }
}

/// Promotes: what all such calls share.
///
/// # Safety
/// As the calls above document.
pub(crate) unsafe fn promote(
    engine: *mut EngineHandle,
    sector: *const c_char,
    options: *const PromoteOptionsC,
    promotion: *mut PromotionC,
    err: *mut *mut ErrorHandle,
    body: impl FnOnce(&Engine, &str, Origin) -> Result<VersionInfo, Error>,
) -> Status {
    // SAFETY: the caller's promise.
    unsafe {
        on_engine(engine, err, |engine| {
            let promotion = Output::new(promotion)?;
            let given = input(options)?;
            if given.flags & !KNHK_MAJOR != 0 {
                return Err(out_of("flags", given.flags.into(), "KNHK_MAJOR or 0"));
            }
            let origin = Origin {
                by: optional_text(given.by, "by")?.unwrap_or_default().to_owned(),
                why: optional_text(given.why, "why")?.unwrap_or_default().to_owned(),
                major: given.flags & KNHK_MAJOR != 0,
                ..Origin::default()
            };
            let version = body(engine, text(sector, "sector")?, origin)?;
            promotion.write(PromotionC::from(&version));
            Ok(())
        })
    }
}
