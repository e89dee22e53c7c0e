//! Names known only at run time: found in the view's own index, in two cache misses at most one after the other.
//!
//! Paths and names are `len` bytes at `name`, need no NUL, and NULL is allowed where the length is 0. A view is open. Async-signal-safe.

use std::ffi::c_char;

use knhk_hot::layout::{Key, RawView, SECTOR_CAPACITY};
use knhk_hot::raw;

use crate::call::total;
use crate::text::bytes;
use crate::value::{Str, knhk_get_str};

/// The key of a path in a sector, such as "venues/XPAR/max_qty"; all zeros, which reads as absent, where the view has no such path.
///
/// `sector`: its number, from knhk_sector_number. The key is valid for the engine's life, and not interned: a promotion may retype it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_find(view: RawView, sector: u32, path: *const c_char, len: usize) -> Key {
    total(Key::default(), || {
        if sector as usize >= SECTOR_CAPACITY {
            return Key::default();
        }
        // SAFETY: as documented.
        let path = unsafe { bytes(path.cast(), len, "path") };
        // SAFETY: as documented.
        path.ok().and_then(|path| unsafe { raw::find(view, sector, path) }).unwrap_or_default()
    })
}

/// The key of a name in a map; all zeros, which reads as absent, where there is none.
///
/// `map`: the key of an object, interned as KNHK_MAP or found. The result is as that of knhk_find.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_lookup(view: RawView, map: Key, name: *const c_char, len: usize) -> Key {
    // SAFETY: as documented.
    total(Key::default(), || unsafe { found(view, map, name, len) })
}

/// The integer under a name in a map, or `fallback`; as knhk_lookup and knhk_get_i64.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_lookup_i64(
    view: RawView,
    map: Key,
    name: *const c_char,
    len: usize,
    fallback: i64,
) -> i64 {
    // SAFETY: as documented.
    total(fallback, || unsafe { raw::get_i64(view, found(view, map, name, len), fallback) })
}

/// The double under a name in a map, or `fallback`; as knhk_lookup and knhk_get_f64.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_lookup_f64(
    view: RawView,
    map: Key,
    name: *const c_char,
    len: usize,
    fallback: f64,
) -> f64 {
    // SAFETY: as documented.
    total(fallback, || unsafe { raw::get_f64(view, found(view, map, name, len), fallback) })
}

/// The boolean under a name in a map, or `fallback`; as knhk_lookup and knhk_get_bool.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_lookup_bool(
    view: RawView,
    map: Key,
    name: *const c_char,
    len: usize,
    fallback: bool,
) -> bool {
    // SAFETY: as documented.
    total(fallback, || unsafe { raw::get_bool(view, found(view, map, name, len), fallback) })
}

/// The text under a name in a map; as knhk_lookup and knhk_get_str.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_lookup_str(view: RawView, map: Key, name: *const c_char, len: usize) -> Str {
    // SAFETY: as documented.
    unsafe { knhk_get_str(view, knhk_lookup(view, map, name, len)) }
}

/// # Safety
/// The view is open, the map's key an engine's or zero, and `len` bytes are readable at `name`.
#[inline]
unsafe fn found(view: RawView, map: Key, name: *const c_char, len: usize) -> Key {
    // SAFETY: the caller's promise.
    let name = unsafe { bytes(name.cast(), len, "name") };
    // SAFETY: the caller's promise.
    name.ok().and_then(|name| unsafe { raw::lookup(view, map, name) }).unwrap_or_default()
}
