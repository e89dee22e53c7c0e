//! Handles that the program owns: each is a box that begins with a word naming what it is.
//!
//! The word catches NULL, a handle of another kind and, most often, one that was freed. The engine's and the reader's handles can
//! outlive their close and have rules of their own: see [`crate::engine`] and [`crate::reader`].

use std::ptr;

use knhk_engine::{Error, Status};

/// What a handle can be.
pub(crate) trait Kind {
    /// Its name in messages.
    const NAME: &'static str;
    /// The word that a live one begins with.
    const MAGIC: u64;
}

/// A handle's memory. C sees a pointer to the incomplete type of `T`'s name, which points here.
#[repr(C)]
struct Owned<T> {
    magic: u64,
    value: T,
}

/// Gives a value to the program.
pub(crate) fn give<T: Kind>(value: T) -> *mut T {
    Box::into_raw(Box::new(Owned { magic: T::MAGIC, value })).cast()
}

/// The value behind a handle; none for NULL and for what is no such handle.
///
/// # Safety
/// NULL, or a pointer to readable memory that [`give`] made and that is not freed while the result is used.
pub(crate) unsafe fn given<'a, T: Kind>(handle: *const T) -> Option<&'a T> {
    let owned: *const Owned<T> = handle.cast();
    if owned.is_null() || !owned.is_aligned() {
        return None;
    }
    // SAFETY: the caller's promise; the word is read before anything else is believed.
    unsafe { (ptr::read_volatile(&raw const (*owned).magic) == T::MAGIC).then(|| &(*owned).value) }
}

/// [`given`], or the error that says what is wrong.
///
/// # Safety
/// As [`given`].
pub(crate) unsafe fn required<'a, T: Kind>(handle: *const T) -> Result<&'a T, Error> {
    // SAFETY: the caller's promise.
    unsafe { given(handle) }.ok_or_else(|| not_a(handle.is_null(), T::NAME))
}

/// Why a pointer is no handle of this kind.
pub(crate) fn not_a(is_null: bool, name: &str) -> Error {
    if is_null {
        Error::new(Status::NullArgument, "call", name, format!("the {name} is NULL"))
    } else {
        Error::new(Status::InvalidArgument, "call", name, format!("the pointer is no {name}, or one that was freed"))
    }
}

/// Frees a handle; NULL and what is no such handle are left alone.
///
/// # Safety
/// As [`given`]; the handle is not used again.
pub(crate) unsafe fn free<T: Kind>(handle: *mut T) {
    // SAFETY: the caller's promise.
    if unsafe { given(handle) }.is_some() {
        let owned: *mut Owned<T> = handle.cast();
        // SAFETY: made by `give`, and ours again.
        unsafe {
            ptr::write_volatile(&raw mut (*owned).magic, 0);
            // A value whose drop panics would take the program with it; what it held is lost then, and nothing else.
            _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| drop(Box::from_raw(owned))));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Cup(u32);
    impl Kind for Cup {
        const NAME: &'static str = "cup";
        const MAGIC: u64 = 1;
    }
    struct Jug;
    impl Kind for Jug {
        const NAME: &'static str = "jug";
        const MAGIC: u64 = 2;
    }

    #[test]
    fn a_handle_is_taken_for_nothing_else() {
        let cup = give(Cup(7));
        // SAFETY: live until freed below.
        unsafe {
            assert_eq!(required(cup).map(|cup| cup.0).unwrap(), 7);
            assert!(given(cup.cast::<Jug>()).is_none());
            assert_eq!(required(cup.cast::<Jug>()).err().unwrap().status(), Status::InvalidArgument);
            free(cup.cast::<Jug>());
            assert_eq!(given(cup).unwrap().0, 7);
            free(cup);
            free(ptr::null_mut::<Cup>());
            assert_eq!(required(ptr::null::<Cup>()).err().unwrap().status(), Status::NullArgument);
            assert!(given(ptr::without_provenance::<Cup>(3)).is_none());
        }
    }
}
