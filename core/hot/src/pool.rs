//! Roots, preallocated: publishing takes no memory, so that a rollback works when there is none.

use core::cell::UnsafeCell;
use core::ptr::NonNull;
use std::alloc::{Layout, alloc_zeroed, dealloc, handle_alloc_error};
use std::sync::Arc;

use crate::artifact::Artifact;
use crate::hot::Inner;
use crate::layout::{Descriptor, Root, SECTOR_CAPACITY};
use crate::primitive::AtomicU64;

/// The artifacts of one generation: what its descriptors point into.
pub(crate) type Artifacts = [Option<Arc<Artifact>>; SECTOR_CAPACITY];

/// A root and its private part.
#[repr(C)]
pub(crate) struct RootSlot {
    pub root: Root,
    /// Counted holds. A root with one is not freed.
    pub holds: AtomicU64,
    /// The engine whose root this is.
    pub owner: *const Inner,
    /// Outside the pool and never published: the last hold frees it.
    pub detached: bool,
    /// Keeps the artifacts; touched by whoever owns the slot: the promoter while it is free or staged, the reclaimer once it is retired.
    pub artifacts: UnsafeCell<Artifacts>,
}

/// What a read of freed memory returns, under the feature that plants faults.
#[cfg(feature = "mutants")]
pub const POISON: u64 = 0xdddd_dddd_dddd_dddd;

/// A fixed number of root slots at stable addresses.
pub(crate) struct Pool {
    slots: NonNull<RootSlot>,
    len: usize,
    empty: Arc<Artifact>,
}

// SAFETY: the slots are handed out under the writer's lock, and readers go through the protocol.
unsafe impl Send for Pool {}
// SAFETY: as above.
unsafe impl Sync for Pool {}

impl Pool {
    pub fn new(len: usize) -> Pool {
        let layout = Pool::layout(len);
        // SAFETY: the layout is not empty.
        let Some(slots) = NonNull::new(unsafe { alloc_zeroed(layout) }.cast::<RootSlot>()) else {
            handle_alloc_error(layout)
        };
        Pool { slots, len, empty: Arc::new(Artifact::empty()) }
    }

    fn layout(len: usize) -> Layout {
        Layout::array::<RootSlot>(len.max(1)).expect("a pool's length is bounded by its options")
    }

    /// Makes a slot ready for its first use. Slots never used cost no memory.
    ///
    /// # Safety
    /// `index` is within the pool, and not initialised before; `owner` outlives the pool.
    pub unsafe fn initialise(&self, index: u32, owner: *const Inner, cold_reads: *const AtomicU64) {
        // SAFETY: the slot is ours alone, and uninitialised but zeroed.
        unsafe {
            self.slots.add(index as usize).write(RootSlot {
                root: Root { epoch: 0, cold_reads, zero: [0; 6], descriptors: self.unused() },
                holds: AtomicU64::new(0),
                owner,
                detached: false,
                artifacts: UnsafeCell::new([const { None }; SECTOR_CAPACITY]),
            });
        }
    }

    /// The descriptors of a root without a sector.
    pub fn unused(&self) -> [Descriptor; SECTOR_CAPACITY] {
        let artifact = self.empty.address();
        [Descriptor { snapshot_id: [0; 32], artifact, epoch: 0, limit: 0, reserved: 0 }; SECTOR_CAPACITY]
    }

    /// Bytes of all slots.
    pub fn bytes(&self) -> u64 {
        (self.len * size_of::<RootSlot>()) as u64
    }

    pub fn slot(&self, index: u32) -> NonNull<RootSlot> {
        debug_assert!((index as usize) < self.len);
        // SAFETY: indices come from the pool.
        unsafe { self.slots.add(index as usize) }
    }

    /// The address that is published and pinned.
    pub fn address(&self, index: u32) -> u64 {
        self.slot(index).as_ptr().expose_provenance() as u64
    }

    /// Makes whoever still reads a freed root read [`POISON`].
    #[cfg(feature = "mutants")]
    pub fn poison(&self, slot: u32) {
        let value = crate::layout::Slot { tag: crate::layout::Tag::I64 as u64, value: POISON };
        static PAGE: std::sync::OnceLock<Box<[crate::layout::Slot]>> = std::sync::OnceLock::new();
        let page = PAGE.get_or_init(|| vec![value; 1024].into());
        let descriptor = Descriptor {
            snapshot_id: [0xdd; 32],
            artifact: page.as_ptr(),
            epoch: POISON,
            limit: size_of_val(&**page) as u64,
            reserved: 0,
        };
        let at = self.slot(slot).as_ptr();
        // SAFETY: a freed slot; only a fault makes another thread read it.
        unsafe {
            (&raw mut (*at).root.epoch).write_volatile(POISON);
            (&raw mut (*at).root.descriptors).write_volatile([descriptor; SECTOR_CAPACITY]);
        }
    }

    /// Frees the memory and drops the artifacts of the slots below `used`, which are the initialised ones.
    ///
    /// # Safety
    /// Nobody reads any root any more, and the pool is not used again.
    pub unsafe fn free(&self, used: u32) {
        // SAFETY: the caller's promise.
        unsafe {
            for index in 0..used {
                self.slot(index).drop_in_place();
            }
            dealloc(self.slots.as_ptr().cast(), Pool::layout(self.len));
        }
    }
}
