//! Knowledge beyond plain JSON: ontologies in the formats of RDF, changes by statement, validation against shapes, proofs.
//!
//! A sector's knowledge is a graph, and plain JSON is its front door: `max_qty` of the sector `orders` is the subject
//! `urn:knhk:orders:max_qty`, its value what `urn:knhk:core:value` says of it. Shapes (SHACL Core) in the graph are checked at every
//! promotion, and what the library itself says (the core) is part of every sector and cannot be changed from one.

use std::ffi::c_char;
use std::ptr;

use knhk_engine::{Error, Format, Proof, SectorKind, Status};

use crate::buffer::{Buffer, filled};
use crate::call::{call, on_engine};
use crate::engine::EngineHandle;
use crate::error::ErrorHandle;
use crate::handle::{Kind, free, give, given};
use crate::options::out_of;
use crate::promote::{PromoteOptionsC, PromotionC, promote};
use crate::report::ReportHandle;
use crate::sector::kind;
use crate::text::{Texts, bytes, output, text as text_of};
use crate::versioned::{Versioned, input};

/// Turtle.
pub const KNHK_FORMAT_TURTLE: u32 = 1;
/// N-Triples.
pub const KNHK_FORMAT_NTRIPLES: u32 = 2;
/// N-Quads, with the default graph alone.
pub const KNHK_FORMAT_NQUADS: u32 = 3;
/// JSON-LD. Remote contexts are never fetched.
pub const KNHK_FORMAT_JSONLD: u32 = 4;
/// RDF/XML.
pub const KNHK_FORMAT_RDFXML: u32 = 5;
/// Plain JSON, as knhk_promote_json takes it.
pub const KNHK_FORMAT_JSON: u32 = 6;

/// A format's number.
pub(crate) fn format(number: u32) -> Result<Format, Error> {
    Ok(match number {
        KNHK_FORMAT_TURTLE => Format::Turtle,
        KNHK_FORMAT_NTRIPLES => Format::NTriples,
        KNHK_FORMAT_NQUADS => Format::NQuads,
        KNHK_FORMAT_JSONLD => Format::JsonLd,
        KNHK_FORMAT_RDFXML => Format::RdfXml,
        KNHK_FORMAT_JSON => Format::Json,
        other => return Err(out_of("format", other.into(), "a KNHK_FORMAT_ constant")),
    })
}

/// A change by statement. Set `struct_size` to sizeof(knhk_delta_t) and what you do not use to 0.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct DeltaC {
    /// sizeof(knhk_delta_t).
    pub struct_size: u32,
    /// A KNHK_FORMAT_ constant other than KNHK_FORMAT_JSON: that of both texts.
    pub format: u32,
    /// The statements to take away; what is not there is no error. NULL where the length is 0.
    pub removed: *const c_char,
    /// Its length in bytes.
    pub removed_len: usize,
    /// The statements to add. NULL where the length is 0.
    pub added: *const c_char,
    /// Its length in bytes.
    pub added_len: usize,
}

// SAFETY: plain data that begins with its size; zeros are the defaults.
unsafe impl Versioned for DeltaC {
    const NAME: &'static str = "knhk_delta_t";
}

impl DeltaC {
    /// Format, what to take away, what to add.
    ///
    /// # Safety
    /// As the struct documents.
    unsafe fn parts<'a>(at: *const DeltaC) -> Result<(Format, &'a [u8], &'a [u8]), Error> {
        output(at.cast_mut(), "delta")?;
        // SAFETY: the caller's promise.
        unsafe {
            let delta = input(at)?;
            let removed = bytes(delta.removed.cast(), delta.removed_len, "removed")?;
            Ok((format(delta.format)?, removed, bytes(delta.added.cast(), delta.added_len, "added")?))
        }
    }
}

/// Makes an ontology the whole of a sector's knowledge.
///
/// `text`: `len` bytes in `format`. `options`: who and why; NULL for neither. `promotion`: NULL, or receives what it made.
/// Returns KNHK_OK; KNHK_DOCUMENT for what cannot be parsed, with line and column; KNHK_LIMIT; KNHK_NONCONFORMING when it breaks a shape, with
/// knhk_error_report; KNHK_CONFLICT when it says something of the core's or another sector's names; else as knhk_promote_json.
/// Outside of any view of the calling thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_promote_rdf(
    engine: *mut EngineHandle,
    sector: *const c_char,
    text: *const c_char,
    len: usize,
    format: u32,
    options: *const PromoteOptionsC,
    promotion: *mut PromotionC,
    err: *mut *mut ErrorHandle,
) -> Status {
    // SAFETY: as documented.
    unsafe {
        promote(engine, sector, options, promotion, err, |engine, sector, origin| {
            engine.promote_rdf(sector, bytes(text.cast(), len, "text")?, self::format(format)?, origin)
        })
    }
}

/// Changes a sector's knowledge by statement: takes some away, and then adds some.
///
/// `delta`: both texts. `options` and `promotion` as knhk_promote_rdf.
/// Returns what knhk_promote_rdf returns.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_promote_delta(
    engine: *mut EngineHandle,
    sector: *const c_char,
    delta: *const DeltaC,
    options: *const PromoteOptionsC,
    promotion: *mut PromotionC,
    err: *mut *mut ErrorHandle,
) -> Status {
    // SAFETY: as documented.
    unsafe {
        promote(engine, sector, options, promotion, err, |engine, sector, origin| {
            let (format, removed, added) = DeltaC::parts(delta)?;
            engine.promote_delta(sector, removed, added, format, origin)
        })
    }
}

/// Validates a sector's current knowledge against its shapes.
///
/// `report`: receives the report, which the program frees with knhk_report_free. That it does not conform is no error of the call.
/// Returns KNHK_OK; KNHK_NOT_FOUND; KNHK_NOT_READY before the first promotion.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_validate(
    engine: *const EngineHandle,
    sector: *const c_char,
    report: *mut *mut ReportHandle,
    err: *mut *mut ErrorHandle,
) -> Status {
    // SAFETY: as documented.
    unsafe {
        on_engine(engine, err, |engine| {
            let report = output(report, "report")?;
            ptr::write(report, ReportHandle::give(engine.validate(text_of(sector, "sector")?)?));
            Ok(())
        })
    }
}

/// Validates an ontology as if it were promoted into a sector, and changes nothing.
///
/// `text`: `len` bytes in `format`. `report`: as knhk_validate.
/// Returns KNHK_OK, also where the report says that it does not conform; KNHK_DOCUMENT; KNHK_LIMIT; KNHK_CONFLICT; KNHK_NOT_FOUND.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_validate_rdf(
    engine: *const EngineHandle,
    sector: *const c_char,
    text: *const c_char,
    len: usize,
    format: u32,
    report: *mut *mut ReportHandle,
    err: *mut *mut ErrorHandle,
) -> Status {
    // SAFETY: as documented.
    unsafe {
        on_engine(engine, err, |engine| {
            let report = output(report, "report")?;
            let text = bytes(text.cast(), len, "text")?;
            let found = engine.validate_rdf(text_of(sector, "sector")?, text, self::format(format)?)?;
            ptr::write(report, ReportHandle::give(found));
            Ok(())
        })
    }
}

/// Validates a change by statement as if it were promoted, and changes nothing. What it costs follows the change.
///
/// `report`: as knhk_validate.
/// Returns what knhk_validate_rdf returns.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_validate_delta(
    engine: *const EngineHandle,
    sector: *const c_char,
    delta: *const DeltaC,
    report: *mut *mut ReportHandle,
    err: *mut *mut ErrorHandle,
) -> Status {
    // SAFETY: as documented.
    unsafe {
        on_engine(engine, err, |engine| {
            let report = output(report, "report")?;
            let (format, removed, added) = DeltaC::parts(delta)?;
            let found = engine.validate_delta(text_of(sector, "sector")?, removed, added, format)?;
            ptr::write(report, ReportHandle::give(found));
            Ok(())
        })
    }
}

/// A version of a sector in a format; importing it gives the same knowledge. The text is the same for the same knowledge.
///
/// `version`: 0 for the current one. `format`: a KNHK_FORMAT_ constant; KNHK_FORMAT_JSON holds parameters and classes alone.
/// `text`: receives it; the program frees it with knhk_buffer_free.
/// Returns KNHK_OK; KNHK_NOT_FOUND; KNHK_NOT_READY before the first promotion; KNHK_DOCUMENT for what the format cannot say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_sector_export(
    engine: *const EngineHandle,
    sector: *const c_char,
    version: u64,
    format: u32,
    text: *mut *mut Buffer,
    err: *mut *mut ErrorHandle,
) -> Status {
    // SAFETY: as documented.
    unsafe {
        on_engine(engine, err, |engine| {
            let text = output(text, "text")?;
            let version = (version != 0).then_some(version);
            let exported = engine.export(text_of(sector, "sector")?, version, self::format(format)?)?;
            ptr::write(text, filled(exported));
            Ok(())
        })
    }
}

/// What leads from one version of a sector to another, statement by statement.
///
/// `from`, `to`: versions of knhk_history. `lines`: receives sorted lines of N-Triples, each after "- " or "+ "; the program frees it with
/// knhk_buffer_free.
/// Returns KNHK_OK or KNHK_NOT_FOUND.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_sector_diff(
    engine: *const EngineHandle,
    sector: *const c_char,
    from: u64,
    to: u64,
    lines: *mut *mut Buffer,
    err: *mut *mut ErrorHandle,
) -> Status {
    // SAFETY: as documented.
    unsafe {
        on_engine(engine, err, |engine| {
            let lines = output(lines, "lines")?;
            let diff = engine.statement_diff(text_of(sector, "sector")?, from, to)?;
            ptr::write(lines, filled(diff.to_string()));
            Ok(())
        })
    }
}

/// Proves that a sector's current version says something, to whoever knows its content address.
///
/// `statement`: one statement as N-Triples. `proof`: receives the proof's bytes; the program frees them with knhk_buffer_free.
/// Returns KNHK_OK; KNHK_NOT_FOUND where the version does not say it; KNHK_DOCUMENT for what is no statement.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_prove(
    engine: *const EngineHandle,
    sector: *const c_char,
    statement: *const c_char,
    proof: *mut *mut Buffer,
    err: *mut *mut ErrorHandle,
) -> Status {
    // SAFETY: as documented.
    unsafe {
        on_engine(engine, err, |engine| {
            let proof = output(proof, "proof")?;
            let made = engine.prove(text_of(sector, "sector")?, text_of(statement, "statement")?)?;
            ptr::write(proof, filled(made.to_bytes()));
            Ok(())
        })
    }
}

/// Checks a proof that knhk_prove made, here or elsewhere. It needs no engine.
///
/// `snapshot_id`: 32 bytes, the content address that the version is known by. `proof`: `len` bytes. `statement`: as N-Triples.
/// Returns KNHK_OK if the version with that address says it; KNHK_UNPROVEN if the proof does not show that; KNHK_DOCUMENT for what is no
/// statement. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_proof_verify(
    snapshot_id: *const u8,
    proof: *const u8,
    len: usize,
    statement: *const c_char,
    err: *mut *mut ErrorHandle,
) -> Status {
    // SAFETY: as documented.
    unsafe {
        call(err, || {
            let snapshot_id = *output(snapshot_id.cast_mut().cast::<[u8; 32]>(), "snapshot_id")?;
            Proof::check(&snapshot_id, bytes(proof, len, "proof")?, text_of(statement, "statement")?)?;
            Ok(())
        })
    }
}

/// An identifier that two sectors say different things of.
#[repr(C)]
pub struct ConflictC {
    /// The identifier, as an IRI.
    pub identifier: *const c_char,
    /// A sector that defines it.
    pub first: *const c_char,
    /// Another one.
    pub second: *const c_char,
    /// What differs, for people.
    pub message: *const c_char,
}

/// Conflicts, as of one moment.
pub struct ConflictList {
    items: Vec<ConflictC>,
    _texts: Texts,
}

impl Kind for ConflictList {
    const NAME: &'static str = "list of conflicts";
    const MAGIC: u64 = 0x6b6e_686b_636f_6e01;
}

/// Finds the identifiers that two sectors define differently.
///
/// `conflicts`: receives the list, which the program frees with knhk_conflicts_free; empty where there is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_conflicts(
    engine: *const EngineHandle,
    conflicts: *mut *mut ConflictList,
    err: *mut *mut ErrorHandle,
) -> Status {
    // SAFETY: as documented.
    unsafe {
        on_engine(engine, err, |engine| {
            let conflicts = output(conflicts, "conflicts")?;
            let mut texts = Texts::default();
            let found = engine.conflicts()?;
            let items = found.iter().map(|conflict| ConflictC {
                identifier: texts.keep(&conflict.identifier),
                first: texts.keep(&conflict.first),
                second: texts.keep(&conflict.second),
                message: texts.keep(&conflict.to_string()),
            });
            let items = items.collect();
            ptr::write(conflicts, give(ConflictList { items, _texts: texts }));
            Ok(())
        })
    }
}

/// How many conflicts a list has; 0 for NULL. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_conflicts_len(conflicts: *const ConflictList) -> usize {
    // SAFETY: NULL or a live list, as documented.
    unsafe { given(conflicts) }.map_or(0, |list| list.items.len())
}

/// A conflict of a list; NULL beyond its end. Valid until the list is freed. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_conflicts_at(conflicts: *const ConflictList, index: usize) -> *const ConflictC {
    // SAFETY: NULL or a live list, as documented.
    unsafe { given(conflicts) }.and_then(|list| list.items.get(index)).map_or(ptr::null(), ptr::from_ref)
}

/// Frees a list of conflicts. NULL does nothing. Any thread; its items may not be used any more.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_conflicts_free(conflicts: *mut ConflictList) {
    // SAFETY: NULL or a live list, as documented.
    unsafe { free(conflicts) }
}

/// Creates a sector with the knowledge that KNHK ships for it: its classes, shapes, and parameters with ranges and defaults.
///
/// `name`: "finance", "healthcare", "logistics" or "manufacturing", which is then the sector's name. `kind`: KNHK_DIRECT or KNHK_GOVERNED.
/// Returns KNHK_OK; KNHK_NOT_FOUND where none of that name is shipped; else as knhk_sector_create.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_sector_create_shipped(
    engine: *mut EngineHandle,
    name: *const c_char,
    kind: u32,
    err: *mut *mut ErrorHandle,
) -> Status {
    // SAFETY: as documented.
    unsafe {
        on_engine(engine, err, |engine| {
            let kind: SectorKind = self::kind(kind)?;
            engine.create_sector_from(text_of(name, "name")?, kind)?;
            Ok(())
        })
    }
}
