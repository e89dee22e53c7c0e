//! The agreement between header and library.
//!
//! A program's inline code carries the sizes and offsets of the header it was compiled with. They are compared where handles come into
//! being: at open, at the registration of a reader, and when a key is interned.

use std::ffi::c_char;

use knhk_engine::{Error, Status};
use knhk_hot::layout::{
    ABI, Descriptor, HotLine, Key, REGION, Range, RawView, ReaderLine, Record, RingHeader, Slot, Span,
};

/// What a header was made for; see knhk_header_abi in knhk_inline.h.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct AbiInfo {
    struct_size: u32,
    abi: u32,
    region: u32,
    hot: u32,
    reader: u32,
    ring: u32,
    record: u32,
    descriptor: u32,
    slot: u32,
    span: u32,
    range: u32,
    view: u32,
    key: u32,
}

const OURS: AbiInfo = AbiInfo {
    struct_size: size_of::<AbiInfo>() as u32,
    abi: ABI,
    region: REGION as u32,
    hot: size_of::<HotLine>() as u32,
    reader: size_of::<ReaderLine>() as u32,
    ring: size_of::<RingHeader>() as u32,
    record: size_of::<Record>() as u32,
    descriptor: size_of::<Descriptor>() as u32,
    slot: size_of::<Slot>() as u32,
    span: size_of::<Span>() as u32,
    range: size_of::<Range>() as u32,
    view: size_of::<RawView>() as u32,
    key: size_of::<Key>() as u32,
};

/// Compares what the program's header was made for with this library.
///
/// # Safety
/// NULL, or as many readable bytes as the first field says, and at least 8.
pub(crate) unsafe fn check(abi: *const AbiInfo) -> Result<(), Error> {
    if abi.is_null() {
        return Err(crate::text::null("abi"));
    }
    // SAFETY: the caller's promise; the rest is read only once number and size are ours.
    let (size, number) = unsafe { ((*abi).struct_size, (*abi).abi) };
    if number != ABI {
        let message = format!(
            "the program was compiled for ABI {number} and this library has ABI {ABI}: compile the program with this library's knhk.h, or \
             install libknhk.so.{number}"
        );
        return Err(Error::new(Status::AbiMismatch, "call", "abi", message));
    }
    if size != OURS.struct_size {
        let message = format!(
            "knhk_abi_t is {size} bytes long and this library's is {}: pass knhk_header_abi()",
            OURS.struct_size
        );
        return Err(Error::new(Status::StructSize, "call", "knhk_abi_t", message));
    }
    // SAFETY: as long as ours.
    let theirs = unsafe { *abi };
    let sizes = |info: AbiInfo| {
        [
            ("region", info.region),
            ("hot", info.hot),
            ("reader", info.reader),
            ("ring", info.ring),
            ("record", info.record),
            ("descriptor", info.descriptor),
            ("slot", info.slot),
            ("span", info.span),
            ("range", info.range),
            ("view", info.view),
            ("key", info.key),
        ]
    };
    for ((name, theirs), (_, ours)) in sizes(theirs).into_iter().zip(sizes(OURS)) {
        if theirs != ours {
            let message = format!(
                "a {name} is {theirs} bytes long in the program and {ours} in this library: compile the program with this library's \
                 knhk_inline.h and without options that change the layout of structs"
            );
            return Err(Error::new(Status::AbiMismatch, "call", name, message));
        }
    }
    Ok(())
}

/// The library's version: "major.minor.patch", NUL-terminated, valid for ever. Any thread.
#[unsafe(no_mangle)]
pub extern "C" fn knhk_version() -> *const c_char {
    concat!(env!("CARGO_PKG_VERSION"), "\0").as_ptr().cast()
}

/// The library's ABI number. A program never needs it: knhk_engine_open compares it with the header's. Any thread.
#[unsafe(no_mangle)]
pub extern "C" fn knhk_abi_version() -> u32 {
    ABI
}

/// A status in words, such as "not found"; "unknown status" for a number that this library does not know.
///
/// Returns NUL-terminated UTF-8, never NULL, valid for ever. Any thread.
#[unsafe(no_mangle)]
pub extern "C" fn knhk_status_string(status: i32) -> *const c_char {
    let text = match Status::from_code(status) {
        Some(Status::Ok) => c"ok",
        Some(Status::InvalidArgument) => c"invalid argument",
        Some(Status::NullArgument) => c"null argument",
        Some(Status::BadUtf8) => c"not UTF-8",
        Some(Status::BufferTooSmall) => c"buffer too small",
        Some(Status::AbiMismatch) => c"ABI mismatch",
        Some(Status::StructSize) => c"unknown struct size",
        Some(Status::NotFound) => c"not found",
        Some(Status::AlreadyExists) => c"already exists",
        Some(Status::WrongType) => c"wrong type",
        Some(Status::NotReady) => c"not ready",
        Some(Status::Timeout) => c"timed out",
        Some(Status::Closed) => c"closed",
        Some(Status::Forked) => c"forked",
        Some(Status::Stalled) => c"stalled by a reader",
        Some(Status::Busy) => c"busy",
        Some(Status::WrongThread) => c"wrong thread",
        Some(Status::Refused) => c"refused by a policy",
        Some(Status::CallFailed) => c"call failed",
        Some(Status::Document) => c"invalid document",
        Some(Status::Artifact) => c"invalid artifact",
        Some(Status::Incompatible) => c"incompatible",
        Some(Status::Limit) => c"limit exceeded",
        Some(Status::Nonconforming) => c"breaks a shape",
        Some(Status::Conflict) => c"conflict",
        Some(Status::Unproven) => c"not proven",
        Some(Status::Io) => c"input/output error",
        Some(Status::Corrupt) => c"corrupt",
        Some(Status::System) => c"system error",
        Some(Status::Tampered) => c"tampered with",
        Some(Status::KeyFile) => c"unusable key file",
        Some(Status::Ungoverned) => c"sector is governed",
        Some(Status::NotAdmitted) => c"not admitted",
        Some(Status::Waiting) => c"waiting",
        Some(Status::Signing) => c"not signed",
        Some(Status::Panic) => c"panic",
        _ => c"unknown status",
    };
    text.as_ptr()
}

#[cfg(test)]
mod tests {
    use std::ffi::CStr;

    use super::*;

    #[test]
    fn every_status_has_the_engines_words() {
        for status in Status::ALL {
            // SAFETY: a literal.
            let text = unsafe { CStr::from_ptr(knhk_status_string(status.code())) };
            assert_eq!(text.to_str().unwrap(), status.as_str());
        }
    }

    #[test]
    fn a_header_that_does_not_fit_is_told_what_differs() {
        let refused = |change: &dyn Fn(&mut AbiInfo)| {
            let mut theirs = OURS;
            change(&mut theirs);
            // SAFETY: a whole struct.
            unsafe { check(&theirs) }.unwrap_err()
        };
        assert_eq!(refused(&|abi| abi.abi += 1).status(), Status::AbiMismatch);
        assert_eq!(refused(&|abi| abi.struct_size -= 4).status(), Status::StructSize);
        let error = refused(&|abi| abi.view += 8);
        assert_eq!((error.status(), error.item()), (Status::AbiMismatch, "view"));
        // SAFETY: a whole struct, or NULL.
        unsafe {
            assert!(check(&OURS).is_ok());
            assert_eq!(check(std::ptr::null()).unwrap_err().status(), Status::NullArgument);
        }
    }
}
