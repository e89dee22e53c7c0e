//! A detector of the program's own.

use super::Score;
use crate::watch::Sample;

/// Judges a watch's samples in the program's own way. What it says goes into [`Sentinel::scored`](crate::watch::Sentinel::scored), and is recorded,
/// since nobody else can compute it again.
pub trait Custom: Send {
    /// Takes up the next sample; none while there were too few to judge by.
    ///
    /// # Errors
    /// Why it could not judge, in a sentence.
    fn observe(&mut self, sample: &Sample) -> Result<Option<Score>, String>;
}
