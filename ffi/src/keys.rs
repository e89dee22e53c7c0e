//! Signing keys: those that sign or signed, and having another one sign.

use std::ptr;

use knhk_engine::Status;

use crate::call::on_engine;
use crate::engine::EngineHandle;
use crate::error::ErrorHandle;
use crate::handle::{Kind, free, give, required};
use crate::ledger::ReceiptList;
use crate::list::{self, List};
use crate::signer::SignerHandle;
use crate::text::output;

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
