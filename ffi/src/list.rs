//! Lists that the program owns: items, and what they point to.

use std::ptr;

use crate::handle::{Kind, given};

/// A handle that is a list.
pub(crate) trait List: Kind {
    /// What it is a list of.
    type Item;

    /// Its items.
    fn items(&self) -> &[Self::Item];
}

/// How many items a list has; 0 for NULL.
///
/// # Safety
/// NULL or a live list.
pub(crate) unsafe fn len<L: List>(list: *const L) -> usize {
    // SAFETY: the caller's promise.
    unsafe { given(list) }.map_or(0, |list| list.items().len())
}

/// An item of a list; NULL beyond its end.
///
/// # Safety
/// As [`len`].
pub(crate) unsafe fn at<L: List>(list: *const L, index: usize) -> *const L::Item {
    // SAFETY: the caller's promise.
    unsafe { given(list) }.and_then(|list| list.items().get(index)).map_or(ptr::null(), ptr::from_ref)
}
