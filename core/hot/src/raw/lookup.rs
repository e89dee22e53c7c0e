//! Lookups by a name known only at run time.

use super::read::{descriptor, slot};
use crate::artifact::lookup_raw;
use crate::layout::{Descriptor, Key, RawView, Slot, Tag};

/// The key of `name` in the map under `map`; `None` where there is no such map or name.
///
/// # Safety
/// `view` is open, of an engine of this copy of the library, and `map` was interned by an engine (or is all zero).
#[inline]
pub unsafe fn lookup(view: RawView, map: Key, name: &[u8]) -> Option<Key> {
    // SAFETY: the caller's promise; a descriptor's artifact is verified and lives while the view is open.
    unsafe {
        if slot(view, map, Tag::Map).is_null() {
            return None;
        }
        let Descriptor { artifact, limit, .. } = *descriptor(view, map);
        let found = lookup_raw(artifact, limit, Some(map.slot()), name)?;
        Some(Key { descriptor: map.descriptor, slot: found * size_of::<Slot>() as u32 })
    }
}

/// The key of a path in sector number `sector`; `None` where the snapshot has no such path.
///
/// # Safety
/// `view` is open, and of an engine of this copy of the library.
///
/// # Panics
/// If `sector` is beyond the capacity.
pub unsafe fn find(view: RawView, sector: u32, path: &[u8]) -> Option<Key> {
    let key = Key::new(sector, 0);
    // SAFETY: as `lookup`.
    let Descriptor { artifact, limit, .. } = unsafe { *descriptor(view, key) };
    let mut parent = None;
    for leaf in path.split(|&byte| byte == b'/') {
        // SAFETY: as `lookup`.
        parent = Some(unsafe { lookup_raw(artifact, limit, parent, leaf)? });
    }
    parent.map(|slot| Key::new(sector, slot))
}
