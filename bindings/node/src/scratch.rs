//! Where a native read leaves what does not fit into its result: a few words that JavaScript sees as an `Int32Array`.

use std::cell::Cell;
use std::ptr::null_mut;

use knhk_hot::layout::RawView;
use napi::sys;

/// Words of the array.
const WORDS: usize = 16;

/// How a read ended. The first four are the engine's reasons.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(i32)]
pub(crate) enum Outcome {
    Present = 0,
    Absent = 1,
    WrongType = 2,
    NotReady = 3,
    /// The engine is closed, or the handle is none.
    Closed = 4,
    /// An integer that a number cannot hold exactly.
    Inexact = 5,
}

pub(crate) struct Scratch {
    words: *const [Cell<i32>; WORDS],
    /// Keeps the array, and so the words, until the environment ends.
    array: sys::napi_ref,
}

impl Scratch {
    pub(crate) fn new(env: sys::napi_env) -> napi::Result<Scratch> {
        let (mut data, mut buffer, mut typed, mut array) = (null_mut(), null_mut(), null_mut(), null_mut());
        // SAFETY: the environment's thread. The reference is strong, so the buffer stays where it is.
        unsafe {
            napi::check_status!(sys::napi_create_arraybuffer(env, WORDS * size_of::<i32>(), &mut data, &mut buffer))?;
            let kind = sys::TypedarrayType::int32_array;
            napi::check_status!(sys::napi_create_typedarray(env, kind, WORDS, buffer, 0, &mut typed))?;
            napi::check_status!(sys::napi_create_reference(env, typed, 1, &mut array))?;
        }
        Ok(Scratch { words: data.cast(), array })
    }

    /// The array itself.
    pub(crate) fn array(&self, env: sys::napi_env) -> sys::napi_value {
        let mut array = null_mut();
        // SAFETY: the environment's thread; the reference is strong.
        unsafe { sys::napi_get_reference_value(env, self.array, &mut array) };
        array
    }

    fn set(&self, word: usize, value: u32) {
        // SAFETY: 16 words that only this thread writes, kept by the reference.
        unsafe { (&*self.words)[word].set(value.cast_signed()) };
    }

    /// Says how a read ended.
    pub(crate) fn outcome(&self, outcome: Outcome) {
        self.set(0, outcome as u32);
    }

    /// Says which generation was read: its root's address (low half) and its epoch.
    pub(crate) fn generation(&self, view: RawView) {
        // SAFETY: the view is open.
        let epoch = unsafe { (*view.root).epoch };
        self.set(1, view.root.addr() as u32);
        self.set(2, epoch as u32);
        self.set(3, (epoch >> 32) as u32);
    }
}
