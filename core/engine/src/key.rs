//! Typed keys.

use std::marker::PhantomData;
use std::{any, fmt};

use knhk_hot::{Reason, Snapshot, layout};
use knhk_ontology::ValueType;

/// A type that an interned key can read without allocation.
pub trait Typed: Sized + Copy {
    /// Its name in documents.
    const TYPE: ValueType;
    /// The value in `view`, and why there is none where there is none.
    fn read(view: &Snapshot, key: layout::Key, fallback: Self) -> (Self, Reason);
}

impl Typed for i64 {
    const TYPE: ValueType = ValueType::I64;
    #[inline(always)]
    fn read(view: &Snapshot, key: layout::Key, fallback: i64) -> (i64, Reason) {
        view.try_i64(key, fallback)
    }
}

impl Typed for f64 {
    const TYPE: ValueType = ValueType::F64;
    #[inline(always)]
    fn read(view: &Snapshot, key: layout::Key, fallback: f64) -> (f64, Reason) {
        view.try_f64(key, fallback)
    }
}

impl Typed for bool {
    const TYPE: ValueType = ValueType::Bool;
    #[inline(always)]
    fn read(view: &Snapshot, key: layout::Key, fallback: bool) -> (bool, Reason) {
        view.try_bool(key, fallback)
    }
}

/// A type that a key can have, by the name that documents give it.
pub trait Named {
    /// Its name in documents.
    const TYPE: ValueType;
}

/// A class, which has no value of its own: reads ask what it is under.
#[derive(Debug)]
pub enum Class {}

macro_rules! named {
    ($($named:ty => $type:ident),+ $(,)?) => { $(impl Named for $named { const TYPE: ValueType = ValueType::$type; })+ };
}

named! {
    bool => Bool, i64 => I64, f64 => F64, str => Str, [u8] => Bytes, [bool] => ListBool, [i64] => ListI64, [f64] => ListF64,
    [String] => ListStr, [Vec<u8>] => ListBytes, crate::Map => Map, Class => Class,
}

impl Key<Class> {
    /// Whether the class is `ancestor`, or under it, in `view`.
    pub fn is_a(self, view: &Snapshot, ancestor: Key<Class>) -> bool {
        view.is_a(self.raw, ancestor.raw)
    }
}

/// A name of a sector, interned with its type; valid for the engine's life.
pub struct Key<T: ?Sized> {
    raw: layout::Key,
    typed: PhantomData<fn(&T)>,
}

impl<T: ?Sized> fmt::Debug for Key<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key<{}>({:?})", any::type_name::<T>(), self.raw)
    }
}

impl<T: ?Sized> Clone for Key<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T: ?Sized> Copy for Key<T> {}

impl<T: ?Sized> Key<T> {
    pub(crate) fn new(raw: layout::Key) -> Key<T> {
        Key { raw, typed: PhantomData }
    }

    /// The offsets that inline reads use.
    pub fn raw(self) -> layout::Key {
        self.raw
    }
}

impl<T: Typed> Key<T> {
    /// The value in `view` (a view, a hold, or one as of then), or `fallback` where it is absent or of another type.
    #[inline(always)]
    pub fn get(self, view: &Snapshot, fallback: T) -> T {
        T::read(view, self.raw, fallback).0
    }

    /// The value and the reason why it is, or is not, there.
    #[inline(always)]
    pub fn try_get(self, view: &Snapshot, fallback: T) -> (T, Reason) {
        T::read(view, self.raw, fallback)
    }
}
