//! Signers: who signs the receipts. A key in the engine's folder does, unless the program brings its own.

use std::ffi::{c_char, c_void};
use std::path::Path;
use std::ptr;

use knhk_engine::{Error, PublicKey, Signer, Status};

use crate::call::call;
use crate::callback::{Callback, Context, Destroy, asked, taken};
use crate::error::ErrorHandle;
use crate::handle::{Kind, free, give, required};
use crate::text::{bytes, null, output, text};
use crate::versioned::Versioned;

/// A key that signs, here or elsewhere (Ed25519).
pub struct SignerHandle {
    pub(crate) signer: Signer,
}

impl Kind for SignerHandle {
    const NAME: &'static str = "signer";
    const MAGIC: u64 = 0x6b6e_686b_7369_6701;
}

/// Makes a new key from the system's random source. It is in memory alone: see knhk_signer_save.
///
/// `signer`: receives it; the program frees it with knhk_signer_free, and may do so while an engine uses it.
/// Returns KNHK_OK, or KNHK_SIGNING when the system gives no random bytes. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_signer_generate(signer: *mut *mut SignerHandle, err: *mut *mut ErrorHandle) -> Status {
    // SAFETY: as documented.
    unsafe { made(signer, err, || Ok(Signer::generate()?)) }
}

/// Loads a key: PKCS#8 as PEM or DER, or a seed as 32 bytes or 64 hexadecimal digits.
///
/// `path`: a file that nobody but its owner may touch. `signer`: as knhk_signer_generate.
/// Returns KNHK_OK, or KNHK_KEY_FILE; no error quotes what is in the file. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_signer_load(
    path: *const c_char,
    signer: *mut *mut SignerHandle,
    err: *mut *mut ErrorHandle,
) -> Status {
    // SAFETY: as documented.
    unsafe { made(signer, err, || Ok(Signer::load(Path::new(text(path, "path")?))?)) }
}

/// The key of a seed (RFC 8032's private key).
///
/// `seed`: 32 bytes, which the program wipes itself. `signer`: as knhk_signer_generate.
/// Returns KNHK_OK. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_signer_from_seed(
    seed: *const u8,
    signer: *mut *mut SignerHandle,
    err: *mut *mut ErrorHandle,
) -> Status {
    // SAFETY: as documented.
    unsafe { made(signer, err, || Ok(Signer::from_seed(&*output(seed.cast_mut().cast::<[u8; 32]>(), "seed")?))) }
}

/// Signs where a key is held: an HSM, a KMS, another process. Set `struct_size` to sizeof(knhk_sign_callback_t).
///
/// `sign` is called on whichever thread records something, one call at a time; until it returns, no receipt is written and nothing is
/// promoted. It must not call the engine back, not throw, and not end the thread. Each signature is checked.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct SignCallbackC {
    /// sizeof(knhk_sign_callback_t).
    pub struct_size: u32,
    /// 0.
    pub reserved: u32,
    /// Passed to the functions.
    pub ctx: *mut c_void,
    /// Signs `len` bytes at `message`: writes the 64 bytes of the Ed25519 signature and returns 0. Or returns another number and writes why
    /// as NUL-terminated UTF-8 to `why`, where there is room for `why_size` bytes; the error of the call that wanted to record says it.
    pub sign: Option<
        unsafe extern "C" fn(
            ctx: *mut c_void,
            message: *const u8,
            len: usize,
            signature: *mut u8,
            why: *mut c_char,
            why_size: usize,
        ) -> i32,
    >,
    /// NULL, or called exactly once, when `sign` will not be called any more: also when the call fails, unless `struct_size` is one that
    /// the library does not know. On any thread.
    pub destroy: Option<unsafe extern "C" fn(ctx: *mut c_void)>,
}

// SAFETY: plain data that begins with its size.
unsafe impl Versioned for SignCallbackC {
    const NAME: &'static str = "knhk_sign_callback_t";
}

impl Callback for SignCallbackC {
    fn context(&self) -> (*mut c_void, Destroy) {
        (self.ctx, self.destroy)
    }
}

/// A key that is held elsewhere.
struct Elsewhere {
    callback: SignCallbackC,
    context: Context,
}

// SAFETY: the program said, by making the signer, that its function may be called on any thread.
unsafe impl Send for Elsewhere {}
// SAFETY: as above; the ledger signs one statement at a time.
unsafe impl Sync for Elsewhere {}

impl Elsewhere {
    fn sign(&self, message: &[u8]) -> Result<[u8; 64], String> {
        let Some(sign) = self.callback.sign else { return Err("there is no function to sign".into()) };
        let mut signature = [0; 64];
        asked(|why, room| {
            // SAFETY: as the program promised.
            unsafe { sign(self.context.at(), message.as_ptr(), message.len(), signature.as_mut_ptr(), why, room) }
        })?;
        Ok(signature)
    }
}

/// A key that is held elsewhere and signs through a callback.
///
/// `public_key`: its 32 bytes. `callback`: taken over, whatever is returned. `signer`: as knhk_signer_generate.
/// Returns KNHK_OK; KNHK_STRUCT_SIZE; KNHK_NULL_ARGUMENT also where `sign` is NULL; KNHK_INVALID_ARGUMENT for what is no public key. Any
/// thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_signer_delegated(
    public_key: *const u8,
    callback: *const SignCallbackC,
    signer: *mut *mut SignerHandle,
    err: *mut *mut ErrorHandle,
) -> Status {
    let mut held = None;
    // SAFETY: as documented.
    unsafe {
        let took = call(err, || {
            held = Some(taken(callback)?);
            Ok(())
        });
        let Some((callback, context)) = held else { return took };
        let elsewhere = Elsewhere { callback, context };
        made(signer, err, move || {
            elsewhere.callback.sign.ok_or_else(|| null("sign"))?;
            let public = PublicKey::from_bytes(&*output(public_key.cast_mut().cast::<[u8; 32]>(), "public_key")?)?;
            Ok(Signer::delegated(public, move |message| elsewhere.sign(message)))
        })
    }
}

/// Writes a key to a new file as PKCS#8 PEM that only its owner may read.
///
/// Returns KNHK_OK; KNHK_KEY_FILE when the file exists or cannot be written, or the key is held elsewhere. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_signer_save(
    signer: *const SignerHandle,
    path: *const c_char,
    err: *mut *mut ErrorHandle,
) -> Status {
    // SAFETY: as documented.
    unsafe {
        call(err, || {
            required(signer)?.signer.save(Path::new(text(path, "path")?))?;
            Ok(())
        })
    }
}

/// The public part of a key.
///
/// `public_key`: receives 32 bytes. Returns KNHK_OK. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_signer_public_key(
    signer: *const SignerHandle,
    public_key: *mut u8,
    err: *mut *mut ErrorHandle,
) -> Status {
    // SAFETY: as documented.
    unsafe {
        call(err, || {
            let place = output(public_key.cast::<[u8; 32]>(), "public_key")?;
            ptr::write(place, required(signer)?.signer.public().to_bytes());
            Ok(())
        })
    }
}

/// Signs a message: for a program that holds a key on behalf of an engine elsewhere, behind whose knhk_sign_callback_t it is.
///
/// `message`: `len` bytes. `signature`: receives 64 bytes. Returns KNHK_OK or KNHK_SIGNING. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_signer_sign(
    signer: *const SignerHandle,
    message: *const u8,
    len: usize,
    signature: *mut u8,
    err: *mut *mut ErrorHandle,
) -> Status {
    // SAFETY: as documented.
    unsafe {
        call(err, || {
            let place = output(signature.cast::<[u8; 64]>(), "signature")?;
            ptr::write(place, required(signer)?.signer.sign(bytes(message, len, "message")?)?);
            Ok(())
        })
    }
}

/// Frees a signer; an engine that was opened with it goes on signing. NULL does nothing. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_signer_free(signer: *mut SignerHandle) {
    // SAFETY: NULL or a live signer, as documented.
    unsafe { free(signer) }
}

/// Gives the program the signer that `make` makes.
///
/// # Safety
/// `signer` is NULL or writable, and so is `err`.
unsafe fn made(
    signer: *mut *mut SignerHandle,
    err: *mut *mut ErrorHandle,
    make: impl FnOnce() -> Result<Signer, Error>,
) -> Status {
    // SAFETY: the caller's promise.
    unsafe {
        call(err, || {
            let place = output(signer, "signer")?;
            ptr::write(place, give(SignerHandle { signer: make()? }));
            Ok(())
        })
    }
}
