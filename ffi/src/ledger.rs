//! Receipts: what happened, signed, in a log that a stranger can verify. An engine on a folder has one, and an engine in memory that was
//! given a signer.

use std::ffi::c_char;
use std::ptr;

use knhk_engine::{Engine, Error, ReceiptInfo, ReceiptQuery, Status, VerifyOptions};

use crate::buffer::{Buffer, filled};
use crate::call::on_engine;
use crate::engine::EngineHandle;
use crate::error::ErrorHandle;
use crate::handle::{Kind, free, give, required};
use crate::list::{self, List};
use crate::options::out_of;
use crate::progress::{ProgressCallbackC, telling};
use crate::signer::SignerHandle;
use crate::text::{Texts, optional_text, output, text};
use crate::versioned::{Output, Versioned, input};

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
    fn give(receipts: Vec<ReceiptInfo>) -> *mut ReceiptList {
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

/// Leaves out the observations themselves; the receipts of their batches are verified all the same.
pub const KNHK_WITHOUT_OBSERVATIONS: u32 = 1;

/// What to verify. Set `struct_size` to sizeof(knhk_verify_options_t).
#[repr(C)]
#[derive(Clone, Copy)]
pub struct VerifyOptionsC {
    /// sizeof(knhk_verify_options_t).
    pub struct_size: u32,
    /// KNHK_WITHOUT_OBSERVATIONS, or 0.
    pub flags: u32,
    /// A note of knhk_checkpoint that the program held; NULL for none.
    pub checkpoint: *const c_char,
}

// SAFETY: plain data that begins with its size; zeros are the defaults.
unsafe impl Versioned for VerifyOptionsC {
    const NAME: &'static str = "knhk_verify_options_t";
}

/// A log and a history that are whole. Set `struct_size` to sizeof(knhk_verified_t) before the call.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct VerifiedC {
    /// sizeof(knhk_verified_t); on return, how much of this struct the library knows.
    pub struct_size: u32,
    /// 0.
    pub reserved: u32,
    /// Receipts.
    pub receipts: u64,
    /// Keys that signed them.
    pub keys: u64,
    /// Checkpoints that were stored.
    pub checkpoints: u64,
    /// Observations whose hashes lead to the roots that were signed.
    pub observations: u64,
    /// Observations that retention dropped; their batches' receipts are there.
    pub dropped: u64,
    /// Versions whose receipts state them and whose content has its address.
    pub versions: u64,
    /// Different snapshots among them.
    pub snapshots: u64,
    /// The first receipt's time, in nanoseconds since the Unix epoch.
    pub first_ns: u64,
    /// The last receipt's time.
    pub last_ns: u64,
    /// The Merkle root over all receipts.
    pub root: [u8; 32],
}

// SAFETY: plain data that begins with its size.
unsafe impl Versioned for VerifiedC {
    const NAME: &'static str = "knhk_verified_t";
}

impl From<knhk_engine::Verified> for VerifiedC {
    fn from(verified: knhk_engine::Verified) -> VerifiedC {
        let knhk_engine::Verified { log, versions, snapshots } = verified;
        VerifiedC {
            struct_size: 0,
            reserved: 0,
            receipts: log.receipts,
            keys: log.keys,
            checkpoints: log.checkpoints,
            observations: log.observations,
            dropped: log.dropped,
            versions,
            snapshots,
            first_ns: log.first_ns,
            last_ns: log.last_ns,
            root: log.root,
        }
    }
}

/// Verifies everything up to now, while the engine goes on: every receipt with its place and signature, the keys, the log's hashes and
/// checkpoints, the observations that are held, and every version that is kept with its receipt and its content.
///
/// `options`: NULL for everything. `progress`: NULL, or taken over as its comment says. `verified`: NULL, or receives what was found whole.
/// Returns KNHK_OK; KNHK_TAMPERED with the first finding; KNHK_CORRUPT; KNHK_UNPROVEN for a checkpoint that is not this log's;
/// KNHK_TIMEOUT where `progress` stopped it; KNHK_NOT_FOUND for an engine without a log; KNHK_STRUCT_SIZE. Blocks the calling thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_verify(
    engine: *const EngineHandle,
    options: *const VerifyOptionsC,
    progress: *const ProgressCallbackC,
    verified: *mut VerifiedC,
    err: *mut *mut ErrorHandle,
) -> Status {
    // SAFETY: as documented.
    unsafe {
        let telling = telling(progress);
        on_engine(engine, err, |engine| {
            let mut tell = telling?;
            let place = Output::new(verified)?;
            let given = input(options)?;
            if given.flags & !KNHK_WITHOUT_OBSERVATIONS != 0 {
                return Err(out_of("flags", given.flags.into(), "KNHK_WITHOUT_OBSERVATIONS or 0"));
            }
            let options = VerifyOptions {
                checkpoint: optional_text(given.checkpoint, "checkpoint")?.map(Into::into),
                without_observations: given.flags & KNHK_WITHOUT_OBSERVATIONS != 0,
            };
            place.write(engine.verify(&options, &mut |now| tell(now.into()))?.into());
            Ok(())
        })
    }
}

/// A key that signs, or signed (Ed25519).
#[repr(C)]
pub struct SigningKeyC {
    /// How much of this struct the library knows.
    pub struct_size: u32,
    /// 1 if it signs now.
    pub current: u32,
    /// Which key, from 0: the first one is the trust root's, each other one took over from the one before.
    pub number: u64,
    /// The first receipt that it may sign.
    pub from_receipt: u64,
    /// Since when, in nanoseconds since the Unix epoch.
    pub time_ns: u64,
    /// What statements name it by: the first 8 bytes of its SHA-256.
    pub id: [u8; 8],
    /// The public key.
    pub key: [u8; 32],
}

/// Keys, as of one moment.
pub struct SigningKeyList {
    items: Vec<SigningKeyC>,
}

impl Kind for SigningKeyList {
    const NAME: &'static str = "list of signing keys";
    const MAGIC: u64 = 0x6b6e_686b_736b_6501;
}

impl List for SigningKeyList {
    type Item = SigningKeyC;

    fn items(&self) -> &[SigningKeyC] {
        &self.items
    }
}

/// Lists the keys that sign or signed, in order.
///
/// `keys`: receives the list, which the program frees with knhk_signing_keys_free.
/// Returns KNHK_OK; KNHK_NOT_FOUND for an engine without a log; KNHK_IO.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_signing_keys(
    engine: *const EngineHandle,
    keys: *mut *mut SigningKeyList,
    err: *mut *mut ErrorHandle,
) -> Status {
    // SAFETY: as documented.
    unsafe {
        on_engine(engine, err, |engine| {
            let keys = output(keys, "keys")?;
            let items = engine.signing_keys()?.into_iter().map(|key| SigningKeyC {
                struct_size: size_of::<SigningKeyC>() as u32,
                current: key.current.into(),
                number: key.number,
                from_receipt: key.from_receipt,
                time_ns: key.time_ns,
                id: key.id,
                key: key.key,
            });
            ptr::write(keys, give(SigningKeyList { items: items.collect() }));
            Ok(())
        })
    }
}

/// How many keys a list has; 0 for NULL. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_signing_keys_len(keys: *const SigningKeyList) -> usize {
    // SAFETY: NULL or a live list, as documented.
    unsafe { list::len(keys) }
}

/// A key of a list; NULL beyond its end. Valid until the list is freed. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_signing_keys_at(keys: *const SigningKeyList, index: usize) -> *const SigningKeyC {
    // SAFETY: NULL or a live list, as documented.
    unsafe { list::at(keys, index) }
}

/// Frees a list of keys. NULL does nothing. Any thread; its items may not be used any more.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_signing_keys_free(keys: *mut SigningKeyList) {
    // SAFETY: NULL or a live list, as documented.
    unsafe { free(keys) }
}

/// Has another key sign from here on. The receipt of it is signed by both.
///
/// `signer`: NULL makes a new key in the folder, in place of the old one, whose secret is removed. With a signer the program keeps the
/// secret and gives the signer at each open; the folder's key is removed. `receipt`: NULL, or receives the receipt as knhk_receipt.
/// Returns KNHK_OK; KNHK_SIGNING when one of the keys does not sign; KNHK_INVALID_ARGUMENT for a key that was the log's before, and for
/// an engine in memory without `signer`; KNHK_IO. The old key goes on then.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_rotate_key(
    engine: *mut EngineHandle,
    signer: *const SignerHandle,
    receipt: *mut *mut ReceiptList,
    err: *mut *mut ErrorHandle,
) -> Status {
    // SAFETY: as documented.
    unsafe {
        on_engine(engine, err, |engine| {
            let signer = match signer.is_null() {
                true => None,
                false => Some(required(signer)?.signer.clone()),
            };
            let rotated = engine.rotate_key(signer)?;
            if !receipt.is_null() {
                ptr::write(receipt, ReceiptList::give(vec![rotated]));
            }
            Ok(())
        })
    }
}
