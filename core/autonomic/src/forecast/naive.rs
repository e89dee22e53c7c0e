//! The last value, for ever: what every other model has to beat.

use serde::{Deserialize, Serialize};

use super::Model;
use crate::state::{Kept, finite};

/// The last value.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct Naive(Option<f64>);

impl Kept for Naive {
    fn fits(&self, _: &Self) -> bool {
        finite(&self.0)
    }
}

impl Model for Naive {
    fn name(&self) -> &'static str {
        "naive"
    }

    fn observe(&mut self, value: f64) {
        if value.is_finite() {
            self.0 = Some(value);
        }
    }

    fn forecast(&self, _: usize) -> Option<f64> {
        self.0
    }

    fn reset(&mut self) {
        self.0 = None;
    }
}
