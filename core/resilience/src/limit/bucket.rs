//! A token bucket, whose level is one word.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64 as Plain, Ordering::Relaxed};

use super::wait;
use crate::bias::Bias;
use crate::clock::Clock;
use crate::counters::Counters;
use crate::error::{InvalidSetting, Rejected};
use crate::mutant::Mutant::TokenStored;
use crate::primitive::{Apart, AtomicU64};
use crate::scope::Scope;

use std::time::Duration;

/// Times are kept in 64ths of a nanosecond.
const FINE: u64 = 64;
const BURST: u32 = 48;

/// Admits `rate` calls a second and `burst` at once.
///
/// It is the generic cell rate algorithm (ITU-T I.371, A.1): the word is the time at which the bucket is full again. A call moves it by
/// 1 / rate, if it is then at most burst / rate ahead. The interval of a token is kept in 64ths of a nanosecond, rounded up, so the rate
/// is never exceeded. Times are told apart for 9 years after the bucket was made.
///
/// While one thread alone has taken from it, a call costs no atomic instruction; the first call of another thread ends that for good
/// (`bias.rs`), and from then on each costs one exchange. No two calls spend the same token, before, during and after. A signal handler
/// that takes where it interrupted its own thread in the middle of a take is refused, and may try again at once.
#[derive(Debug)]
pub struct TokenBucket {
    level: Apart<Level>,
    /// Interval (48 bits) and burst (16), together, so that both change at once.
    rate: Plain,
    /// The rate as it was asked for: the bits of a float.
    asked: Plain,
    zero_ns: u64,
    clock: Arc<dyn Clock>,
    scope: Scope,
}

#[derive(Debug)]
struct Level {
    full_at: AtomicU64,
    bias: Bias,
}

impl TokenBucket {
    /// A full bucket. `rate`: tokens a second, from one in 10 hours to 100 million; `burst`: 1 to 65,535.
    ///
    /// # Errors
    /// [`InvalidSetting`] when one is out of its range.
    pub fn new(rate: f64, burst: u32, scope: &Scope) -> Result<TokenBucket, InvalidSetting> {
        Ok(TokenBucket {
            level: Apart(Level { full_at: AtomicU64::new(0), bias: Bias::new() }),
            rate: Plain::new(packed(rate, burst)?),
            asked: Plain::new(rate.to_bits()),
            zero_ns: scope.clock().now_ns(),
            clock: scope.clock().clone(),
            scope: scope.clone(),
        })
    }

    /// Changes rate and burst. Tokens that were spent stay spent for as long as they were.
    ///
    /// # Errors
    /// [`InvalidSetting`] when one is out of its range.
    pub fn retune(&self, rate: f64, burst: u32) -> Result<(), InvalidSetting> {
        self.rate.store(packed(rate, burst)?, Relaxed);
        self.asked.store(rate.to_bits(), Relaxed);
        Ok(())
    }

    /// Rate and burst at present.
    pub fn setting(&self) -> (f64, u32) {
        (f64::from_bits(self.asked.load(Relaxed)), (self.rate.load(Relaxed) >> BURST) as u32)
    }

    /// Takes `tokens`, all or none, without waiting.
    ///
    /// # Errors
    /// [`Rejected::RateLimited`], with the time after which they are there; more than the burst never are.
    #[inline]
    pub fn try_take(&self, tokens: u32) -> Result<(), Rejected> {
        let now = self.now();
        let Level { full_at, bias } = &self.level.0;
        match bias.try_update(full_at, TokenStored, self.take(tokens, now)) {
            Some(_) => Ok(()),
            None => self.try_take_slowly(tokens, now),
        }
    }

    /// Where somebody comes in between, or comes first, or is refused.
    #[inline(never)]
    fn try_take_slowly(&self, tokens: u32, now: u64) -> Result<(), Rejected> {
        let Level { full_at, bias } = &self.level.0;
        let Err(full_at) = bias.update(full_at, TokenStored, self.take(tokens, now)) else { return Ok(()) };
        let (interval, burst) = self.rate();
        let ahead = full_at.map_or(0, |full_at| full_at.saturating_sub(now));
        let missing = ahead.saturating_add(interval.saturating_mul(u64::from(tokens))).saturating_sub(interval * burst);
        Counters::count(&self.scope.counters().rate_rejected);
        let never = u64::from(tokens) > burst;
        let retry_after = if never { Duration::MAX } else { wait(missing.div_ceil(FINE)) };
        Err(Rejected::RateLimited { retry_after })
    }

    /// What taking so many tokens makes of a level, if it has them.
    #[inline(always)]
    fn take(&self, tokens: u32, now: u64) -> impl Fn(u64) -> Option<u64> {
        let (interval, burst) = self.rate();
        let (cost, room) = (interval.saturating_mul(u64::from(tokens)), interval * burst);
        move |full_at| Some(full_at.max(now).saturating_add(cost)).filter(|then| then - now <= room)
    }

    #[inline(always)]
    fn now(&self) -> u64 {
        self.clock.now_ns().saturating_sub(self.zero_ns).saturating_mul(FINE)
    }

    /// Interval and burst.
    #[inline(always)]
    fn rate(&self) -> (u64, u64) {
        let packed = self.rate.load(Relaxed);
        (packed & ((1 << BURST) - 1), packed >> BURST)
    }

    /// Puts tokens back that were taken and not spent; a full bucket takes none.
    pub(super) fn give_back(&self, tokens: u32) {
        let back = self.rate().0.saturating_mul(u64::from(tokens));
        let Level { full_at, bias } = &self.level.0;
        let _ = bias.update(full_at, TokenStored, |full_at| Some(full_at.saturating_sub(back)));
    }

    /// Whole tokens in the bucket at present.
    pub fn tokens(&self) -> u32 {
        let (interval, burst) = self.rate();
        let ahead = self.level.0.full_at.load(Relaxed).saturating_sub(self.now());
        ((interval * burst).saturating_sub(ahead) / interval) as u32
    }
}

fn packed(rate: f64, burst: u32) -> Result<u64, InvalidSetting> {
    let holds = (1.0 / 36_000.0..=1e8).contains(&rate);
    InvalidSetting::unless(holds, "rate", rate, "one in 10 hours to 100,000,000 a second")?;
    InvalidSetting::unless((1..=65_535).contains(&burst), "burst", burst, "1 to 65,535")?;
    let interval = (1e9 * FINE as f64 / rate).ceil() as u64;
    let holds = interval.checked_mul(u64::from(burst)).is_some_and(|room| room < 1 << 62);
    InvalidSetting::unless(holds, "burst", burst, "so small that it is saved up within 2 years")?;
    Ok(interval | u64::from(burst) << BURST)
}
