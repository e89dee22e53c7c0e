//! The inline bodies on raw pointers: what `knhk_inline.h` does, in Rust.
//!
//! They touch nothing but the frozen layouts, and reach everything through the reader's line, so that they also work on lines that
//! another copy of the library with the same ABI made.

mod lookup;
mod observe;
mod pin;
mod read;

pub use lookup::{find, lookup};
pub use observe::observe;
pub(crate) use pin::slow;
pub use pin::{begin, begin_for, begin_quiescent, begin_quiescent_for, end, offline, online, quiescent};
pub(crate) use read::element;
pub use read::{
    get_bool, get_bytes, get_f64, get_i64, get_str, guard_f64, guard_i64, is_a, list_bool, list_bytes, list_f64,
    list_i64, list_str, spanned, try_bool, try_bytes, try_f64, try_i64, try_str,
};

/// Why a read returned what it did.
#[repr(i32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reason {
    /// The value is there.
    Present = 0,
    /// The snapshot has no value under this key.
    Absent = 1,
    /// The value has another type than the one asked for.
    WrongType = 2,
    /// Nothing was promoted into the sector yet; the value, if any, is a declared default.
    NotReady = 3,
}
