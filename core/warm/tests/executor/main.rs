//! The executor: simulated with a clock that the test sets, and on threads.

mod over;
mod overload;
mod simulation;
mod threads;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use knhk_warm::executor::{HotBudget, Observer, Settings};
use knhk_warm::{Executor, ManualClock};

const MS: Duration = Duration::from_millis(1);

/// An executor whose turns the test takes, and what it noticed.
struct World {
    clock: Arc<ManualClock>,
    executor: Executor,
    notices: Arc<Mutex<Vec<String>>>,
}

impl World {
    fn new(capacity: usize, hot: Option<Arc<dyn HotBudget>>) -> World {
        let (clock, notices) = (Arc::new(ManualClock::new(1)), Arc::new(Mutex::new(Vec::new())));
        let heard = notices.clone();
        let observer: Observer = Box::new(move |notice| heard.lock().unwrap().push(notice.to_string()));
        let settings = Settings { threads: 0, capacity, hot, observer: Some(observer), ..Settings::default() };
        World { executor: Executor::new(settings, clock.clone()).unwrap(), clock, notices }
    }

    /// Takes turns while there is something to do; how many.
    fn turns(&self) -> usize {
        std::iter::from_fn(|| self.executor.turn().then_some(())).count()
    }

    fn counter(&self, name: &str) -> u64 {
        self.executor
            .counters()
            .read()
            .find(|counter| counter.name == format!("knhk.warm.executor.{name}"))
            .unwrap()
            .value
    }

    fn heard(&self) -> Vec<String> {
        std::mem::take(&mut self.notices.lock().unwrap())
    }
}
