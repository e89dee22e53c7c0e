//! Roots of their own, never published: what as-of views read through the same calls as any other view.

use core::cell::UnsafeCell;
use core::sync::atomic::Ordering::Acquire;
use std::sync::Arc;

use crate::error::HotError;
use crate::hold::Hold;
use crate::hot::Hot;
use crate::layout::{Root, SECTOR_CAPACITY};
use crate::pool::RootSlot;
use crate::primitive::AtomicU64;
use crate::publish::Change;

impl Hot {
    /// A root with these sectors alone, each with the generation in which its snapshot became current; the others read as never promoted.
    /// It is the caller's: its holds keep it, the last one frees it, and no reader waits for it.
    ///
    /// # Errors
    /// `Closed`, `Forked`, or `Sector` beyond the capacity.
    pub fn detached(&self, epoch: u64, sectors: &[(Change, u64)]) -> Result<Hold, HotError> {
        if self.is_forked() {
            return Err(HotError::Forked);
        }
        let inner = &*self.inner;
        if inner.closed.load(Acquire) {
            return Err(HotError::Closed);
        }
        if let Some((change, _)) = sectors.iter().find(|(change, _)| change.sector >= SECTOR_CAPACITY) {
            return Err(HotError::Sector(change.sector));
        }
        let mut root = Root { epoch, cold_reads: &inner.cold_reads.0, zero: [0; 6], descriptors: inner.pool.unused() };
        let mut artifacts = [const { None }; SECTOR_CAPACITY];
        for (change, since) in sectors {
            let descriptor = &mut root.descriptors[change.sector];
            descriptor.snapshot_id = change.snapshot_id;
            descriptor.artifact = change.artifact.address();
            descriptor.limit = change.artifact.limit();
            descriptor.epoch = if change.ready { *since } else { 0 };
            artifacts[change.sector] = Some(change.artifact.clone());
        }
        let owner = Arc::into_raw(self.inner.clone());
        let (holds, artifacts) = (AtomicU64::new(1), UnsafeCell::new(artifacts));
        let slot = Box::into_raw(Box::new(RootSlot { root, holds, owner, detached: true, artifacts }));
        // SAFETY: the root is the first field of the slot, which the one hold counted above keeps, and with it the engine's count.
        Ok(unsafe { Hold::from_raw(slot.cast()) })
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::artifact::Artifact;

    #[test]
    fn the_last_hold_frees_the_root_and_its_artifacts() {
        let hot = Hot::new(Default::default()).unwrap();
        let artifact = Arc::new(Artifact::empty());
        let change = Change { sector: 3, artifact: artifact.clone(), snapshot_id: [7; 32], ready: true };
        let hold = hot.detached(9, &[(change.clone(), 5)]).unwrap();
        let (epoch, inner) = (hot.epoch(), Arc::downgrade(&hot.inner));
        drop(hot);
        let other = hold.clone();
        drop(hold);
        assert_eq!((other.epoch(), other.sector_epoch(3), other.snapshot_id(3)), (9, 5, [7; 32]));
        assert_eq!((other.sector_epoch(2), other.snapshot_id(2), epoch), (0, [0; 32], 0));
        let raw = other.into_raw();
        assert_eq!(Arc::strong_count(&artifact), 3, "ours, the change's and the root's");
        // SAFETY: it came from there.
        drop(unsafe { Hold::from_raw(raw) });
        assert_eq!(Arc::strong_count(&artifact), 2);
        assert!(inner.upgrade().is_none(), "nothing keeps the engine any more");
    }

    #[test]
    fn a_root_beyond_the_capacity_or_of_a_closed_engine_is_refused() {
        let hot = Hot::new(Default::default()).unwrap();
        let artifact = Arc::new(Artifact::empty());
        let change = Change { sector: SECTOR_CAPACITY, artifact, snapshot_id: [0; 32], ready: true };
        assert!(matches!(hot.detached(1, &[(change, 1)]), Err(HotError::Sector(_))));
        hot.close();
        assert!(matches!(hot.detached(1, &[]), Err(HotError::Closed)));
    }
}
