//! What to answer when a call has no answer: the last good one.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwapOption;

use crate::clock::{Clock, nanoseconds};
use crate::counters::Counters;
use crate::scope::Scope;

/// Keeps the last good value for as long as it may be served.
#[derive(Debug)]
pub struct LastGood<T> {
    kept: ArcSwapOption<(u64, Arc<T>)>,
    age_ns: u64,
    clock: Arc<dyn Clock>,
    scope: Scope,
}

impl<T> LastGood<T> {
    /// Nothing yet; a value is served for at most `age`.
    pub fn new(age: Duration, scope: &Scope) -> LastGood<T> {
        LastGood {
            kept: ArcSwapOption::empty(),
            age_ns: nanoseconds(age),
            clock: scope.clock().clone(),
            scope: scope.clone(),
        }
    }

    /// The value of `result`, which is kept, or else the last good one, if it is young enough.
    ///
    /// # Errors
    /// The error, where there is no such value.
    pub fn or_last_good<E>(&self, result: Result<T, E>) -> Result<Arc<T>, E> {
        let now = self.clock.now_ns();
        match result {
            Ok(value) => {
                let value = Arc::new(value);
                self.kept.store(Some(Arc::new((now, value.clone()))));
                Ok(value)
            }
            Err(error) => match &*self.kept.load() {
                Some(kept) if now.saturating_sub(kept.0) <= self.age_ns => {
                    Counters::count(&self.scope.counters().fallbacks);
                    Ok(kept.1.clone())
                }
                _ => Err(error),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ManualClock;

    #[test]
    fn serves_the_last_good_value_while_it_is_young() {
        let clock = Arc::new(ManualClock::default());
        let last = LastGood::new(Duration::from_secs(5), &Scope::new(clock.clone()));
        assert_eq!(last.or_last_good(Err::<i32, _>("down")), Err("down"));
        assert_eq!(last.or_last_good(Ok::<_, &str>(7)).as_deref(), Ok(&7));
        clock.advance(Duration::from_secs(5));
        assert_eq!(last.or_last_good(Err("down")).as_deref(), Ok(&7));
        clock.advance(Duration::from_nanos(1));
        assert_eq!(last.or_last_good(Err("down")), Err("down"));
    }
}
