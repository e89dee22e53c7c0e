//! How an adaptive limit follows what calls take.
//!
//! Both laws compare R, the mean time of the calls of a batch, with R₀, the time a call takes when it waits for nobody, and move the
//! limit once a batch. R₀ is measured: now and then the limit is halved for two batches, of which the second is measured when what was
//! queued is gone (as BBR does with its round-trip time: Cardwell et al., BBR: congestion-based congestion control, ACM Queue 2016),
//! and a batch that is twice as fast as R₀ is believed at once.

use crate::error::InvalidSetting;

/// Netflix's Gradient2 (concurrency-limits), with a measured R₀ instead of a long average, which would drift up under lasting overload:
/// limit ← (1 − s) limit + s (limit · clamp(t R₀ / R, ½, 1) + q √limit).
///
/// Where calls queue behind c servers, so that R = R₀ · limit / c, it settles where limit = t c + q √limit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Gradient2 {
    /// t: how much slower than R₀ is not yet taken for queueing. 1.
    pub tolerance: f64,
    /// q: how many calls may wait, for each square root of the limit. 0.6.
    pub queue: f64,
    /// s: how much of the new limit is taken over at once. 0.2.
    pub smoothing: f64,
}

impl Default for Gradient2 {
    fn default() -> Gradient2 {
        Gradient2 { tolerance: 1.0, queue: 0.6, smoothing: 0.2 }
    }
}

/// TCP Vegas (Brakmo, Peterson 1995) on concurrency: with the queue estimated as limit · (1 − R₀ / R), the limit grows by one while that is
/// below α = a √limit, falls by one while it is above β = b √limit, and stays where it is in between.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Vegas {
    /// a. 0.5.
    pub alpha: f64,
    /// b. 0.8.
    pub beta: f64,
}

impl Default for Vegas {
    fn default() -> Vegas {
        Vegas { alpha: 0.5, beta: 0.8 }
    }
}

/// A law.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Law {
    /// [`Gradient2`].
    Gradient2(Gradient2),
    /// [`Vegas`].
    Vegas(Vegas),
}

impl Default for Law {
    fn default() -> Law {
        Law::Gradient2(Gradient2::default())
    }
}

impl Law {
    /// # Errors
    /// [`InvalidSetting`] names the first parameter that is out of its range.
    pub fn check(&self) -> Result<(), InvalidSetting> {
        let within = |name, value: f64, low: f64, high: f64, expected| {
            InvalidSetting::unless((low..=high).contains(&value), name, value, expected)
        };
        match *self {
            Law::Gradient2(Gradient2 { tolerance, queue, smoothing }) => {
                within("tolerance", tolerance, 1.0, 10.0, "1 to 10")?;
                within("queue", queue, 0.01, 100.0, "0.01 to 100")?;
                within("smoothing", smoothing, 0.01, 1.0, "0.01 to 1")
            }
            Law::Vegas(Vegas { alpha, beta }) => {
                within("alpha", alpha, 0.01, 100.0, "0.01 to 100")?;
                within("beta", beta, alpha, 100.0, "alpha to 100")
            }
        }
    }

    /// Whether calls queue, which ends a slow start.
    pub(super) fn queues(&self, limit: f64, ratio: f64) -> bool {
        match self {
            Law::Gradient2(law) => limit * (1.0 - law.tolerance * ratio) > law.queue * limit.sqrt(),
            Law::Vegas(law) => limit * (1.0 - ratio) > law.alpha * limit.sqrt(),
        }
    }

    /// The limit after a batch in which R₀ / R was `ratio`.
    pub(super) fn next(&self, limit: f64, ratio: f64) -> f64 {
        match self {
            Law::Gradient2(law) => {
                let wanted = limit * (law.tolerance * ratio).clamp(0.5, 1.0) + law.queue * limit.sqrt();
                limit + law.smoothing * (wanted - limit)
            }
            Law::Vegas(law) => {
                let (queue, scale) = (limit * (1.0 - ratio), limit.sqrt());
                if queue < law.alpha * scale {
                    limit + 1.0
                } else if queue > law.beta * scale {
                    limit - 1.0
                } else {
                    limit
                }
            }
        }
    }
}
