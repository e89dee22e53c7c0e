//! Checkpoints taken in the background, for a bounded share of the time.

use std::sync::Arc;
use std::time::Duration;

use crossbeam_channel::{RecvTimeoutError, Sender, bounded};
use knhk_warm::{Next, Ticker};

use super::{CheckpointError, Checkpoints};
use crate::error::InvalidSetting;

/// How long to wait after a checkpoint that took `took`: until the interval is over, and so long that taking them has at most `share` of the
/// time, which is above 0 and at most 1.
pub fn pause(interval: Duration, took: Duration, share: f64) -> Duration {
    let rest = Duration::try_from_secs_f64(took.as_secs_f64() * (1.0 / share - 1.0)).unwrap_or(Duration::MAX);
    interval.saturating_sub(took).max(rest)
}

/// Takes checkpoints until it is dropped, which waits for the one under way.
pub struct Background {
    /// Before the ticker, so that its end is told before it is waited for.
    _end: Sender<()>,
    _ticker: Ticker,
}

impl Checkpoints {
    /// Takes a checkpoint in an interval, on a thread of its own, for at most a share of the time: with 0.05 one that took 100 ms is
    /// followed by a pause of 1.9 s at least. One that fails is told as an event, and the next one is tried in time.
    ///
    /// # Errors
    /// [`CheckpointError`]: the share is not above 0 and at most 1, or the system has no more threads.
    pub fn start(self: &Arc<Checkpoints>, interval: Duration, share: f64) -> Result<Background, CheckpointError> {
        InvalidSetting::unless(share > 0.0 && share <= 1.0, "share", share, "above 0 and at most 1")?;
        let (checkpoints, (end, ended)) = (self.clone(), bounded(0));
        let mut wait = interval;
        let ticker = Ticker::spawn("knhk-checkpoint", move || {
            if ended.recv_timeout(wait) != Err(RecvTimeoutError::Timeout) {
                return Next::Stop;
            }
            let began = checkpoints.scope.clock().now_ns();
            // It says itself why it failed.
            let _ = checkpoints.take();
            let took = Duration::from_nanos(checkpoints.scope.clock().now_ns().saturating_sub(began));
            wait = pause(interval, took, share);
            Next::Continue
        });
        let ticker = ticker.map_err(|error| CheckpointError::Write(format!("no thread: {error}")))?;
        Ok(Background { _end: end, _ticker: ticker })
    }
}
