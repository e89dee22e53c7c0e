//! Structs that the program fills in or has filled in, and that may grow at their end: the first field says how long the program's
//! header thinks they are.

use std::mem::MaybeUninit;
use std::ptr;

use knhk_engine::{Error, Status};

/// A struct whose first field is `struct_size`.
///
/// # Safety
/// `repr(C)`, begins with a `u32`, holds plain data for which all zeros is a value and means the defaults.
pub(crate) unsafe trait Versioned: Copy {
    /// Its name in C.
    const NAME: &'static str;
    /// The sizes it had in every version so far, the current one last.
    const SIZES: &'static [usize] = &[size_of::<Self>()];
}

/// Longer than any struct will become: beyond it, `struct_size` was not set.
const LONGEST: usize = 4096;

fn mismatch<T: Versioned>(size: usize) -> Error {
    let message = format!(
        "struct_size of {name} is {size}, and this library knows {known:?}: set it to sizeof({name}), and all fields that are not \
         used to zero",
        name = T::NAME,
        known = T::SIZES,
    );
    Error::new(Status::StructSize, "call", T::NAME, message)
}

/// A struct that the program filled in; the defaults for NULL. One from a newer header is taken if what this library does not know of
/// it is zero.
///
/// # Safety
/// NULL, or as many readable bytes as the `struct_size` at its beginning says, and at least 4.
pub(crate) unsafe fn input<T: Versioned>(at: *const T) -> Result<T, Error> {
    let mut known = MaybeUninit::<T>::zeroed();
    if at.is_null() {
        // SAFETY: all zeros is a value, by the trait's promise.
        return Ok(unsafe { known.assume_init() });
    }
    // SAFETY: the caller's promise; the size is checked before what lies behind it is read.
    unsafe {
        let size = at.cast::<u32>().read_unaligned() as usize;
        let longer = size > size_of::<T>() && size <= LONGEST;
        if !longer && !T::SIZES.contains(&size) {
            return Err(mismatch::<T>(size));
        }
        let excess = (size_of::<T>()..size).any(|offset| at.cast::<u8>().add(offset).read() != 0);
        if excess {
            let message =
                format!("{} has a field set that this library does not know: it is older than the header", T::NAME);
            return Err(Error::new(Status::StructSize, "call", T::NAME, message));
        }
        ptr::copy_nonoverlapping(at.cast::<u8>(), known.as_mut_ptr().cast(), size.min(size_of::<T>()));
        Ok(known.assume_init())
    }
}

/// Where to write a struct, checked before the work is done.
pub(crate) struct Output<T> {
    at: *mut T,
    size: usize,
}

impl<T: Versioned> Output<T> {
    /// NULL means that the program does not want it.
    ///
    /// # Safety
    /// NULL, or as many writable bytes as the `struct_size` at its beginning says, and at least 4, until [`Output::write`].
    pub(crate) unsafe fn new(at: *mut T) -> Result<Output<T>, Error> {
        if at.is_null() {
            return Ok(Output { at, size: 0 });
        }
        // SAFETY: the caller's promise.
        let size = unsafe { at.cast::<u32>().read_unaligned() } as usize;
        let longer = size > size_of::<T>() && size <= LONGEST;
        if longer || T::SIZES.contains(&size) { Ok(Output { at, size }) } else { Err(mismatch::<T>(size)) }
    }

    /// Writes what the program has room for; `struct_size` then says how much of it this library knows.
    pub(crate) fn write(self, mut value: T) {
        if self.at.is_null() {
            return;
        }
        let known = self.size.min(size_of::<T>());
        // SAFETY: promised to `new`; the first field is a `u32`.
        unsafe {
            (&raw mut value).cast::<u32>().write(known as u32);
            ptr::copy_nonoverlapping((&raw const value).cast::<u8>(), self.at.cast(), known);
            ptr::write_bytes(self.at.cast::<u8>().add(known), 0, self.size - known);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[repr(C)]
    #[derive(Clone, Copy)]
    struct Pair {
        struct_size: u32,
        one: u32,
        two: u64,
    }
    // SAFETY: plain data, zero is a value.
    unsafe impl Versioned for Pair {
        const NAME: &'static str = "pair";
        const SIZES: &'static [usize] = &[8, 16];
    }

    #[repr(C)]
    struct Longer {
        pair: Pair,
        three: u64,
    }

    fn pair(struct_size: u32) -> Pair {
        Pair { struct_size, one: 1, two: 2 }
    }

    #[test]
    fn a_struct_of_any_known_version_is_read() {
        // SAFETY: each is as long as it says, or longer.
        unsafe {
            assert_eq!(input(&pair(16)).map(|p: Pair| (p.one, p.two)).unwrap(), (1, 2));
            assert_eq!(input(&pair(8)).map(|p: Pair| (p.one, p.two)).unwrap(), (1, 0));
            assert_eq!(input(ptr::null::<Pair>()).map(|p| p.one).unwrap(), 0);
            for wrong in [0, 4, 12, 15, 5000, u32::MAX] {
                assert_eq!(input(&pair(wrong)).err().unwrap().status(), Status::StructSize, "{wrong}");
                assert_eq!(Output::new(&mut pair(wrong)).err().unwrap().status(), Status::StructSize, "{wrong}");
            }
        }
    }

    #[test]
    fn a_newer_struct_is_taken_while_its_new_part_is_unused() {
        let mut newer = Longer { pair: pair(24), three: 0 };
        // SAFETY: as long as it says; the pointer has the whole struct's provenance.
        unsafe {
            let at = (&raw mut newer).cast::<Pair>();
            assert_eq!(input(at).map(|p| p.two).unwrap(), 2);
            (*at.cast::<Longer>()).three = 3;
            assert_eq!(input(at).err().unwrap().status(), Status::StructSize);
            Output::new(at).unwrap().write(Pair { struct_size: 0, one: 5, two: 6 });
        }
        assert_eq!((newer.pair.struct_size, newer.pair.one, newer.pair.two, newer.three), (16, 5, 6, 0));
    }

    #[test]
    fn an_older_struct_is_filled_as_far_as_it_goes() {
        let mut older = pair(8);
        // SAFETY: as long as it says.
        unsafe { Output::new(&mut older).unwrap().write(Pair { struct_size: 0, one: 5, two: 6 }) };
        assert_eq!((older.struct_size, older.one, older.two), (8, 5, 2));
    }
}
