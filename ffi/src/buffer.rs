//! Buffers: text and bytes that the library made for the program.

use std::ffi::{c_char, c_void};
use std::ptr;
use std::sync::OnceLock;

use knhk_engine::{Error, Status};
use serde_json::Value;

use crate::call::call;
use crate::error::ErrorHandle;
use crate::handle::{Kind, free, give, given, required};

/// Text or bytes, with a NUL behind them that is not counted.
pub struct Buffer {
    bytes: Vec<u8>,
    /// What they say, or why they are no JSON; read once somebody asks.
    json: OnceLock<Result<Value, String>>,
}

impl Buffer {
    pub(crate) fn of(contents: impl Into<Vec<u8>>) -> Buffer {
        let mut bytes = contents.into();
        bytes.push(0);
        Buffer { bytes, json: OnceLock::new() }
    }

    /// What the contents say as JSON.
    pub(crate) fn json(&self) -> Result<&Value, Error> {
        let contents = &self.bytes[..self.bytes.len() - 1];
        let read = || serde_json::from_slice(contents).map_err(|error| error.to_string());
        self.json.get_or_init(read).as_ref().map_err(|why| {
            let message = format!("the buffer is no JSON ({why}): the answers of governance and of the loop are");
            Error::new(Status::InvalidArgument, "call", "json", message)
        })
    }
}

impl Kind for Buffer {
    const NAME: &'static str = "buffer";
    const MAGIC: u64 = 0x6b6e_686b_6275_6601;
}

/// Gives the program a buffer with these contents.
pub(crate) fn filled(contents: impl Into<Vec<u8>>) -> *mut Buffer {
    give(Buffer::of(contents))
}

/// The bytes of a buffer. A NUL follows them, so text can be used as a C string.
///
/// Returns NULL for NULL; else valid until the buffer is freed. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_buffer_data(buffer: *const Buffer) -> *const c_char {
    // SAFETY: NULL or a live buffer, as documented.
    unsafe { given(buffer) }.map_or(ptr::null(), |buffer| buffer.bytes.as_ptr().cast())
}

/// How many bytes there are, the NUL not counted. 0 for NULL. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_buffer_len(buffer: *const Buffer) -> usize {
    // SAFETY: NULL or a live buffer, as documented.
    unsafe { given(buffer) }.map_or(0, |buffer| buffer.bytes.len() - 1)
}

/// Copies the bytes, and the NUL behind them, to memory of the program.
///
/// `to`: room for `size` bytes. `needed`: NULL, or receives how many bytes there are with the NUL, also when `size` is too small.
/// Returns KNHK_OK, or KNHK_BUFFER_TOO_SMALL, and then nothing was written to `to`. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_buffer_copy(
    buffer: *const Buffer,
    to: *mut c_void,
    size: usize,
    needed: *mut usize,
    err: *mut *mut ErrorHandle,
) -> Status {
    let body = || {
        // SAFETY: as documented.
        let bytes = unsafe { &required(buffer)?.bytes };
        if !needed.is_null() {
            // SAFETY: as documented.
            unsafe { ptr::write(needed, bytes.len()) };
        }
        if size < bytes.len() {
            let message = format!("the buffer needs {} bytes, and there is room for {size}", bytes.len());
            return Err(Error::new(Status::BufferTooSmall, "call", "size", message));
        }
        let to = crate::text::output(to, "to")?;
        // SAFETY: as documented.
        unsafe { ptr::copy_nonoverlapping(bytes.as_ptr(), to.cast(), bytes.len()) };
        Ok(())
    };
    // SAFETY: as documented.
    unsafe { call(err, body) }
}

/// Frees a buffer. NULL does nothing. Any thread; its bytes may not be used any more.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_buffer_free(buffer: *mut Buffer) {
    // SAFETY: NULL or a live buffer, as documented.
    unsafe { free(buffer) }
}
