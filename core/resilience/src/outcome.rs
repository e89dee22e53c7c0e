//! How a call ended.

/// How a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Outcome {
    /// It did what it was asked to.
    Success = 0,
    /// It failed in a way that speaks of the callee: an error, a panic, a time-out.
    Failure = 1,
    /// It says nothing of the callee: the caller gave up, or asked for nonsense.
    Ignored = 2,
}

impl Outcome {
    /// Success or failure, as a result says.
    pub fn of<T, E>(result: &Result<T, E>) -> Outcome {
        if result.is_ok() { Outcome::Success } else { Outcome::Failure }
    }
}
