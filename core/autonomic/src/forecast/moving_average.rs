//! The mean of the newest values.

use serde::{Deserialize, Serialize};

use super::Model;
use crate::state::{Kept, is_ring};

/// The mean of the newest values.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct MovingAverage {
    window: Vec<f64>,
    next: usize,
    length: usize,
}

impl MovingAverage {
    /// Of so many values.
    pub fn new(length: usize) -> MovingAverage {
        let length = length.max(1);
        MovingAverage { window: Vec::with_capacity(length), next: 0, length }
    }
}

impl Kept for MovingAverage {
    fn fits(&self, made: &Self) -> bool {
        self.length == made.length && is_ring(&self.window, self.next, self.length)
    }
}

impl Model for MovingAverage {
    fn name(&self) -> &'static str {
        "moving-average"
    }

    fn observe(&mut self, value: f64) {
        if !value.is_finite() {
            return;
        }
        match self.window.get_mut(self.next) {
            Some(place) => *place = value,
            None => self.window.push(value),
        }
        self.next = (self.next + 1) % self.length;
    }

    fn forecast(&self, _: usize) -> Option<f64> {
        (self.window.len() == self.length).then(|| self.window.iter().sum::<f64>() / self.length as f64)
    }

    fn reset(&mut self) {
        self.window.clear();
        self.next = 0;
    }
}
