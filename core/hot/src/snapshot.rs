//! Safe reads from whatever keeps a root: a view, a quiescent view, a hold.

use core::slice;

use crate::artifact::Artifact;
use crate::hold::Hold;
use crate::layout::{Descriptor, Key, RawView, Span};
use crate::raw::{self, Reason};

/// One generation of all sectors, readable while whatever it was borrowed from lasts.
pub struct Snapshot {
    view: RawView,
}

macro_rules! scalar {
    ($get:ident, $try:ident, $guard:ident, $type:ty, $what:literal) => {
        #[doc = concat!("Reads ", $what, "; `fallback`, counted, where there is none.")]
        #[inline(always)]
        pub fn $get(&self, key: Key, fallback: $type) -> $type {
            // SAFETY: the root is kept while self lives, and a key lies where engines put keys.
            unsafe { raw::$get(self.view, key, fallback) }
        }

        scalar!($try, $type, $what);
        scalar!(guard $guard, $type, $what);
    };
    ($try:ident, $type:ty, $what:literal) => {
        #[doc = concat!("Reads ", $what, " and says why, if it returns `fallback`.")]
        #[inline(always)]
        pub fn $try(&self, key: Key, fallback: $type) -> ($type, Reason) {
            // SAFETY: as above.
            unsafe { raw::$try(self.view, key, fallback) }
        }
    };
    (guard $guard:ident, $type:ty, $what:literal) => {
        #[doc = concat!("Whether `value` lies in the guard range of ", $what, "; false where there is none.")]
        #[inline(always)]
        pub fn $guard(&self, key: Key, value: $type) -> bool {
            // SAFETY: as above.
            unsafe { raw::$guard(self.view, key, value) }
        }
    };
}

impl Snapshot {
    /// # Safety
    /// The view stays open while the result lives.
    pub(crate) unsafe fn new(view: RawView) -> Snapshot {
        Snapshot { view }
    }

    /// The view as the raw functions take it. It is open while self lives.
    #[inline(always)]
    pub fn raw(&self) -> RawView {
        self.view
    }

    /// The generation.
    #[inline(always)]
    pub fn epoch(&self) -> u64 {
        // SAFETY: the root is kept while self lives.
        unsafe { (*self.view.root).epoch }
    }

    scalar!(get_i64, try_i64, guard_i64, i64, "a 64-bit integer");
    scalar!(get_f64, try_f64, guard_f64, f64, "a double");

    /// Reads a boolean; `fallback`, counted, where there is none.
    #[inline(always)]
    pub fn get_bool(&self, key: Key, fallback: bool) -> bool {
        // SAFETY: the root is kept while self lives, and a key lies where engines put keys.
        unsafe { raw::get_bool(self.view, key, fallback) }
    }

    scalar!(try_bool, bool, "a boolean");

    /// Reads a string.
    #[inline(always)]
    pub fn str(&self, key: Key) -> Option<&str> {
        // SAFETY: as above; the verifier checked that it is UTF-8.
        unsafe {
            let (at, len) = raw::get_str(self.view, key)?;
            Some(str::from_utf8_unchecked(slice::from_raw_parts(at, len)))
        }
    }

    /// Reads a string and says why, if there is none.
    pub fn try_str(&self, key: Key) -> (Option<&str>, Reason) {
        // SAFETY: as `str`.
        unsafe {
            let (found, reason) = raw::try_str(self.view, key);
            (found.map(|(at, len)| str::from_utf8_unchecked(slice::from_raw_parts(at, len))), reason)
        }
    }

    /// Reads bytes.
    pub fn bytes(&self, key: Key) -> Option<&[u8]> {
        self.list(key, raw::get_bytes)
    }

    /// Reads a list of booleans.
    pub fn list_bool(&self, key: Key) -> Option<impl ExactSizeIterator<Item = bool> + '_> {
        Some(self.list(key, raw::list_bool)?.iter().map(|&byte| byte != 0))
    }

    /// Reads a list of 64-bit integers.
    pub fn list_i64(&self, key: Key) -> Option<&[i64]> {
        self.list(key, raw::list_i64)
    }

    /// Reads a list of doubles.
    pub fn list_f64(&self, key: Key) -> Option<&[f64]> {
        self.list(key, raw::list_f64)
    }

    /// Reads a list of strings.
    pub fn list_str(&self, key: Key) -> Option<impl ExactSizeIterator<Item = &str> + '_> {
        // SAFETY: the spans were read under this key; the verifier checked that they are UTF-8.
        let text = move |span: &Span| unsafe { str::from_utf8_unchecked(raw::element(self.view, key, *span)) };
        Some(self.list(key, raw::list_str)?.iter().map(text))
    }

    /// Reads a list of byte strings.
    pub fn list_bytes(&self, key: Key) -> Option<impl ExactSizeIterator<Item = &[u8]> + '_> {
        // SAFETY: the spans were read under this key.
        let bytes = move |span: &Span| unsafe { raw::element(self.view, key, *span) };
        Some(self.list(key, raw::list_bytes)?.iter().map(bytes))
    }

    fn list<T>(&self, key: Key, read: unsafe fn(RawView, Key) -> Option<(*const T, usize)>) -> Option<&[T]> {
        // SAFETY: the root is kept while self lives, keys lie where engines put them, and the verifier checked spans, alignment and elements.
        unsafe { read(self.view, key).map(|(at, len)| slice::from_raw_parts(at, len)) }
    }

    /// Whether the class under `class` is that under `ancestor`, or descends from it. Both are keys of one sector.
    #[inline(always)]
    pub fn is_a(&self, class: Key, ancestor: Key) -> bool {
        // SAFETY: as `list`.
        unsafe { raw::is_a(self.view, class, ancestor) }
    }

    /// The key of `name` in the map under `map`; `None` where there is none. At most two dependent cache misses.
    pub fn lookup(&self, map: Key, name: &str) -> Option<Key> {
        // SAFETY: the root is kept while self lives.
        unsafe { raw::lookup(self.view, map, name.as_bytes()) }
    }

    /// The key of a path in a sector, where the snapshot has it.
    ///
    /// # Panics
    /// If `sector` is beyond the capacity.
    pub fn find(&self, sector: u32, path: &str) -> Option<Key> {
        // SAFETY: the root is kept while self lives.
        unsafe { raw::find(self.view, sector, path.as_bytes()) }
    }

    /// The content address of a sector's snapshot; zeros for a sector never promoted.
    ///
    /// # Panics
    /// If `sector` is beyond the capacity.
    pub fn snapshot_id(&self, sector: usize) -> [u8; 32] {
        self.descriptor(sector).snapshot_id
    }

    /// Whether what it reads of a sector is this artifact, at its very place in memory.
    ///
    /// # Panics
    /// If `sector` is beyond the capacity.
    pub fn shows(&self, sector: usize, artifact: &Artifact) -> bool {
        core::ptr::eq(self.descriptor(sector).artifact, artifact.address())
    }

    /// The generation in which the sector's snapshot became current; 0 for one never promoted.
    ///
    /// # Panics
    /// If `sector` is beyond the capacity.
    pub fn sector_epoch(&self, sector: usize) -> u64 {
        self.descriptor(sector).epoch
    }

    pub(crate) fn descriptor(&self, sector: usize) -> &Descriptor {
        // SAFETY: the root is kept while self lives; the index is checked.
        unsafe { &(&(*self.view.root).descriptors)[sector] }
    }

    /// A counted reference to this generation, for what outlives the view.
    pub fn hold(&self) -> Hold {
        // SAFETY: the view is open while self lives.
        unsafe { Hold::of(self.view) }
    }
}

impl std::fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Snapshot").field("epoch", &self.epoch()).finish_non_exhaustive()
    }
}
