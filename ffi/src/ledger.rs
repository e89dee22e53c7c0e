//! Receipts: what happened, signed, in a log that a stranger can verify. An engine on a folder has one, and an engine in memory that was
//! given a signer.

use std::ffi::c_char;
use std::ptr;

use knhk_engine::{Engine, Error, ReceiptInfo, ReceiptQuery, Status};

use crate::buffer::{Buffer, filled};
use crate::call::on_engine;
use crate::engine::EngineHandle;
use crate::error::ErrorHandle;
use crate::handle::{Kind, free, give};
use crate::list::{self, List};
use crate::options::out_of;
use crate::text::{Texts, optional_text, output, text};
use crate::versioned::{Versioned, input};

/// The newest receipts first.
pub const KNHK_NEWEST_FIRST: u32 = 1;

/// Which receipts. Set `struct_size` to sizeof(knhk_receipt_query_t) and what does not matter to 0.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct ReceiptQueryC {
    /// sizeof(knhk_receipt_query_t).
    pub struct_size: u32,
    /// KNHK_NEWEST_FIRST, or 0.
    pub flags: u32,
    /// The first number.
    pub from: u64,
    /// One beyond the last number; 0 for no end.
    pub to: u64,
    /// Only those about this sector; NULL for all.
    pub sector: *const c_char,
    /// Only those of this kind, such as "snapshot promoted"; NULL for all.
    pub kind: *const c_char,
    /// How many at most; 0 for 1,000.
    pub limit: u64,
}

// SAFETY: plain data that begins with its size; zeros are the defaults.
unsafe impl Versioned for ReceiptQueryC {
    const NAME: &'static str = "knhk_receipt_query_t";
}

/// A receipt: a signed statement of one operation, at its place in the log.
#[repr(C)]
pub struct ReceiptC {
    /// How much of this struct the library knows.
    pub struct_size: u32,
    /// 0.
    pub reserved: u32,
    /// Its place in the log, from 0.
    pub number: u64,
    /// When, in nanoseconds since the Unix epoch.
    pub time_ns: u64,
    /// Its id, which sorts by time.
    pub id: *const c_char,
    /// The sector that it is about; NULL for the engine.
    pub sector: *const c_char,
    /// What happened, such as "snapshot promoted".
    pub kind: *const c_char,
    /// How it ended: "approved", "rejected", "pending".
    pub outcome: *const c_char,
    /// What it states, field by field, as a JSON object; bytes as hexadecimal digits.
    pub evidence: *const c_char,
    /// Ids of receipts of other sectors that belong to the same operation.
    pub links: *const *const c_char,
    /// How many there are.
    pub links_len: usize,
    /// The statement as it was signed (COSE_Sign1, RFC 9052).
    pub statement: *const u8,
    /// Its bytes.
    pub statement_len: usize,
    /// Its leaf of the Merkle log: SHA-256(0x00 || statement).
    pub leaf: [u8; 32],
}

/// Receipts, as of one moment.
pub struct ReceiptList {
    items: Vec<ReceiptC>,
    _links: Vec<Vec<*const c_char>>,
    _receipts: Vec<ReceiptInfo>,
    _texts: Texts,
}

impl Kind for ReceiptList {
    const NAME: &'static str = "list of receipts";
    const MAGIC: u64 = 0x6b6e_686b_7263_7001;
}

impl List for ReceiptList {
    type Item = ReceiptC;

    fn items(&self) -> &[ReceiptC] {
        &self.items
    }
}

impl ReceiptList {
    /// Gives the program a list of these.
    pub(crate) fn give(receipts: Vec<ReceiptInfo>) -> *mut ReceiptList {
        let (mut texts, mut kept) = (Texts::default(), Vec::new());
        let item = |receipt: &ReceiptInfo| {
            let links: Vec<_> = receipt.links.iter().map(|link| texts.keep(link)).collect();
            let item = ReceiptC {
                struct_size: size_of::<ReceiptC>() as u32,
                reserved: 0,
                number: receipt.number,
                time_ns: receipt.time_ns,
                id: texts.keep(&receipt.id),
                sector: texts.keep_some(receipt.sector.as_deref()),
                kind: texts.keep(&receipt.kind),
                outcome: texts.keep(&receipt.outcome),
                evidence: texts.keep(&receipt.evidence.to_string()),
                links: links.as_ptr(),
                links_len: links.len(),
                statement: receipt.statement.as_ptr(),
                statement_len: receipt.statement.len(),
                leaf: receipt.leaf,
            };
            kept.push(links);
            item
        };
        let items = receipts.iter().map(item).collect();
        give(ReceiptList { items, _links: kept, _receipts: receipts, _texts: texts })
    }
}

/// Lists receipts in order.
///
/// `query`: NULL for the first 1,000. `receipts`: receives the list, which the program frees with knhk_receipts_free.
/// Returns KNHK_OK; KNHK_STRUCT_SIZE; KNHK_NOT_FOUND for an engine without a log; KNHK_IO.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_receipts(
    engine: *const EngineHandle,
    query: *const ReceiptQueryC,
    receipts: *mut *mut ReceiptList,
    err: *mut *mut ErrorHandle,
) -> Status {
    // SAFETY: as documented.
    unsafe {
        on_engine(engine, err, |engine| {
            let receipts = output(receipts, "receipts")?;
            let given = input(query)?;
            if given.flags & !KNHK_NEWEST_FIRST != 0 {
                return Err(out_of("flags", given.flags.into(), "KNHK_NEWEST_FIRST or 0"));
            }
            let query = ReceiptQuery {
                from: given.from,
                to: (given.to != 0).then_some(given.to),
                sector: optional_text(given.sector, "sector")?.map(Into::into),
                kind: optional_text(given.kind, "kind")?.map(Into::into),
                newest_first: given.flags & KNHK_NEWEST_FIRST != 0,
                limit: (given.limit != 0).then_some(given.limit as usize),
            };
            ptr::write(receipts, ReceiptList::give(engine.receipts(&query)?));
            Ok(())
        })
    }
}

/// Finds a receipt.
///
/// `id_or_number`: its id, or its place in the log in decimal digits. `receipt`: receives a list of it alone, as knhk_receipts.
/// Returns what knhk_receipts returns; KNHK_NOT_FOUND also where there is no such receipt.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_receipt(
    engine: *const EngineHandle,
    id_or_number: *const c_char,
    receipt: *mut *mut ReceiptList,
    err: *mut *mut ErrorHandle,
) -> Status {
    // SAFETY: as documented.
    unsafe {
        on_engine(engine, err, |engine| {
            let place = output(receipt, "receipt")?;
            let receipt = engine.receipt(text(id_or_number, "id_or_number")?)?;
            ptr::write(place, ReceiptList::give(vec![receipt]));
            Ok(())
        })
    }
}

/// How many receipts a list has; 0 for NULL. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_receipts_len(receipts: *const ReceiptList) -> usize {
    // SAFETY: NULL or a live list, as documented.
    unsafe { list::len(receipts) }
}

/// A receipt of a list; NULL beyond its end. Valid until the list is freed. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_receipts_at(receipts: *const ReceiptList, index: usize) -> *const ReceiptC {
    // SAFETY: NULL or a live list, as documented.
    unsafe { list::at(receipts, index) }
}

/// Frees a list of receipts. NULL does nothing. Any thread; its items may not be used any more.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_receipts_free(receipts: *mut ReceiptList) {
    // SAFETY: NULL or a live list, as documented.
    unsafe { free(receipts) }
}

/// Gives the program the bytes that an engine makes.
///
/// # Safety
/// As [`on_engine`]; `buffer` is NULL or writable.
unsafe fn bytes_of<T: Into<Vec<u8>>>(
    engine: *const EngineHandle,
    buffer: *mut *mut Buffer,
    what: &'static str,
    err: *mut *mut ErrorHandle,
    make: impl FnOnce(&Engine) -> Result<T, Error>,
) -> Status {
    // SAFETY: the caller's promise.
    unsafe {
        on_engine(engine, err, |engine| {
            let buffer = output(buffer, what)?;
            ptr::write(buffer, filled(make(engine)?));
            Ok(())
        })
    }
}

/// Proves that a receipt is in the log as it is now.
///
/// `id_or_number`: as knhk_receipt. `proof`: receives a COSE receipt of inclusion (RFC 9942, RFC9162_SHA256), which stock libraries verify;
/// the program frees it with knhk_buffer_free.
/// Returns KNHK_OK; KNHK_NOT_FOUND; KNHK_SIGNING; KNHK_IO, also for a read-only engine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_prove_receipt(
    engine: *const EngineHandle,
    id_or_number: *const c_char,
    proof: *mut *mut Buffer,
    err: *mut *mut ErrorHandle,
) -> Status {
    // SAFETY: as documented.
    unsafe { bytes_of(engine, proof, "proof", err, |engine| engine.prove_receipt(text(id_or_number, "id_or_number")?)) }
}

/// Proves that the log as it is now begins with its first `earlier` receipts as they were then.
///
/// `proof`: receives a COSE receipt of consistency, as knhk_prove_receipt.
/// Returns what knhk_prove_receipt returns; KNHK_INVALID_ARGUMENT for a size that the log never had.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_prove_consistency(
    engine: *const EngineHandle,
    earlier: u64,
    proof: *mut *mut Buffer,
    err: *mut *mut ErrorHandle,
) -> Status {
    // SAFETY: as documented.
    unsafe { bytes_of(engine, proof, "proof", err, |engine| engine.prove_consistency(earlier)) }
}

/// Signs the log's state as it is now. Whoever holds what is returned, elsewhere, finds a log that was cut off or forked since.
///
/// `note`: receives a note (C2SP tlog-checkpoint) as text; the program frees it with knhk_buffer_free.
/// Returns what knhk_prove_receipt returns.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_checkpoint(
    engine: *const EngineHandle,
    note: *mut *mut Buffer,
    err: *mut *mut ErrorHandle,
) -> Status {
    // SAFETY: as documented.
    unsafe { bytes_of(engine, note, "note", err, Engine::checkpoint) }
}

/// The log's name and first key, for whoever verifies its receipts.
///
/// `root`: receives it as text; the program frees it with knhk_buffer_free.
/// Returns KNHK_OK, or KNHK_NOT_FOUND for an engine without a log.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_trust_root(
    engine: *const EngineHandle,
    root: *mut *mut Buffer,
    err: *mut *mut ErrorHandle,
) -> Status {
    let root_of = |engine: &Engine| {
        engine.trust_root().ok_or_else(|| {
            let message = "this engine has no ledger: open it on a folder, or in memory with a signer";
            Error::new(Status::NotFound, "ledger", "", message)
        })
    };
    // SAFETY: as documented.
    unsafe { bytes_of(engine, root, "root", err, root_of) }
}
