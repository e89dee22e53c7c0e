//! Texts in both directions.

use std::ffi::{CStr, CString, c_char};
use std::slice;

use knhk_engine::{Error, Status};

/// A required argument that is a string.
///
/// # Safety
/// NULL or NUL-terminated, and not changed while the result is used.
pub(crate) unsafe fn text<'a>(at: *const c_char, what: &'static str) -> Result<&'a str, Error> {
    // SAFETY: the caller's promise.
    unsafe { optional_text(at, what)? }.ok_or_else(|| null(what))
}

/// An optional argument that is a string.
///
/// # Safety
/// As [`text`].
pub(crate) unsafe fn optional_text<'a>(at: *const c_char, what: &'static str) -> Result<Option<&'a str>, Error> {
    if at.is_null() {
        return Ok(None);
    }
    // SAFETY: the caller's promise.
    utf8(unsafe { CStr::from_ptr(at) }.to_bytes(), what).map(Some)
}

/// An argument of bytes; NULL is allowed where the length is 0.
///
/// # Safety
/// `len` bytes are readable at `at`, and not changed while the result is used.
#[inline(always)]
pub(crate) unsafe fn bytes<'a>(at: *const u8, len: usize, what: &'static str) -> Result<&'a [u8], Error> {
    match (at.is_null(), len) {
        (_, 0) => Ok(&[]),
        (true, _) => Err(null(what)),
        (false, len) if len > isize::MAX as usize => {
            Err(Error::new(Status::InvalidArgument, "call", what, format!("{what}: no object is {len} bytes long")))
        }
        // SAFETY: the caller's promise.
        (false, len) => Ok(unsafe { slice::from_raw_parts(at, len) }),
    }
}

/// Bytes that must be text.
pub(crate) fn utf8<'a>(bytes: &'a [u8], what: &'static str) -> Result<&'a str, Error> {
    std::str::from_utf8(bytes).map_err(|error| {
        let message = format!("{what} is not UTF-8: its first {} bytes are", error.valid_up_to());
        Error::new(Status::BadUtf8, "call", what, message)
    })
}

/// The error for a required argument that is NULL.
pub(crate) fn null(what: &'static str) -> Error {
    Error::new(Status::NullArgument, "call", what, format!("{what} is NULL"))
}

/// The address of an output.
///
/// # Errors
/// `NullArgument`.
pub(crate) fn output<T>(at: *mut T, what: &'static str) -> Result<*mut T, Error> {
    if at.is_null() { Err(null(what)) } else { Ok(at) }
}

/// Text for C. A NUL within, which C could not see beyond, becomes the replacement character.
pub(crate) fn c_string(text: &str) -> CString {
    CString::new(text).unwrap_or_else(|_| {
        CString::new(text.replace('\0', "\u{fffd}")).expect("no NUL is left once all were replaced")
    })
}

/// The texts that a list's items point to.
#[derive(Default)]
pub(crate) struct Texts(Vec<CString>);

impl Texts {
    /// Keeps a text, and returns its address, which stays.
    pub(crate) fn keep(&mut self, text: &str) -> *const c_char {
        let text = c_string(text);
        let at = text.as_ptr();
        self.0.push(text);
        at
    }

    /// [`Texts::keep`]; NULL for none.
    pub(crate) fn keep_some(&mut self, text: Option<&str>) -> *const c_char {
        text.map_or(std::ptr::null(), |text| self.keep(text))
    }
}

/// A slice out of C; NULL is allowed where it is empty.
///
/// # Safety
/// `len` readable items, not changed while the result is used.
pub(crate) unsafe fn items<'a, T>(at: *const T, len: usize, what: &'static str) -> Result<&'a [T], Error> {
    match (at.is_null(), len) {
        (_, 0) => Ok(&[]),
        (true, _) => Err(null(what)),
        (false, len) if len > isize::MAX as usize / size_of::<T>() => {
            Err(Error::new(Status::InvalidArgument, "call", what, format!("{what}: no program has {len} of them")))
        }
        // SAFETY: the caller's promise.
        (false, len) => Ok(unsafe { std::slice::from_raw_parts(at, len) }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_text_is_refused_with_its_name() {
        // SAFETY: literals.
        unsafe {
            assert_eq!(text(c"gr\xc3\xbc\xc3\x9fe".as_ptr(), "name").unwrap(), "grüße");
            let error = text(c"ab\xff".as_ptr(), "name").unwrap_err();
            assert_eq!((error.status(), error.item()), (Status::BadUtf8, "name"));
            assert_eq!(text(std::ptr::null(), "name").unwrap_err().status(), Status::NullArgument);
            assert_eq!(bytes(std::ptr::null(), 0, "image").unwrap(), b"");
            assert_eq!(bytes(std::ptr::null(), 1, "image").unwrap_err().status(), Status::NullArgument);
            assert_eq!(bytes(b"x".as_ptr(), usize::MAX, "image").unwrap_err().status(), Status::InvalidArgument);
        }
        assert_eq!(c_string("a\0b").to_str().unwrap(), "a\u{fffd}b");
    }
}
