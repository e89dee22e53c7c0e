//! Tokens that one thread took in advance.

use std::sync::Arc;

use super::TokenBucket;
use crate::error::{InvalidSetting, Rejected};

/// One thread's own tokens of a [`TokenBucket`], taken from it `batch` at a time, so that most calls cost no atomic instruction.
///
/// All leases of a bucket together admit what the bucket does: no token is spent that was not taken from it. What a lease holds is
/// spent later than it was taken, though: in any span the calls may exceed the bucket's rate and burst by the tokens that its leases
/// held at the span's beginning, at most `batch` each; and while they hold them, others may be refused. What is left goes back when the
/// lease is dropped.
#[derive(Debug)]
pub struct Lease {
    bucket: Arc<TokenBucket>,
    batch: u32,
    held: u32,
}

impl Lease {
    /// A lease that holds nothing yet. `batch`: 1 to the bucket's burst.
    ///
    /// # Errors
    /// [`InvalidSetting`] when it is out of its range.
    pub fn new(bucket: Arc<TokenBucket>, batch: u32) -> Result<Lease, InvalidSetting> {
        let holds = (1..=bucket.setting().1).contains(&batch);
        InvalidSetting::unless(holds, "batch", batch, "1 to the bucket's burst")?;
        Ok(Lease { bucket, batch, held: 0 })
    }

    /// Takes `tokens`, all or none, without waiting.
    ///
    /// # Errors
    /// [`Rejected::RateLimited`], with the time after which they are there.
    #[inline]
    pub fn try_take(&mut self, tokens: u32) -> Result<(), Rejected> {
        match self.held.checked_sub(tokens) {
            Some(left) => {
                self.held = left;
                Ok(())
            }
            None => self.refill(tokens),
        }
    }

    /// Tokens that are held.
    pub fn held(&self) -> u32 {
        self.held
    }

    #[cold]
    fn refill(&mut self, tokens: u32) -> Result<(), Rejected> {
        let missing = tokens - self.held;
        let batch = missing.max(self.batch);
        // Where the bucket has no whole batch, what is missing may be there.
        if self.bucket.try_take(batch).is_ok() {
            self.held += batch;
        } else {
            self.bucket.try_take(missing)?;
            self.held += missing;
        }
        self.held -= tokens;
        Ok(())
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.bucket.give_back(self.held);
    }
}
