//! What a checkpoint holds: components that save and load themselves.

use std::io::Write;

/// A component with a state. Its methods are called on the thread that takes or restores a checkpoint.
pub trait Stateful: Send + Sync {
    /// Holds still: until [`Stateful::thaw`] the state does not change. All components of a checkpoint hold still at once, which makes
    /// it one cut across them. What the state depends on must be saved before this returns, or be part of the checkpoint.
    fn freeze(&self) {}

    /// Goes on. Called once for each [`Stateful::freeze`].
    fn thaw(&self) {}

    /// Writes the state. What stays at its place from one checkpoint to the next makes small increments: records of a fixed size, in a fixed
    /// order, what grows at the end.
    ///
    /// # Errors
    /// Why it cannot, in words for people.
    fn save(&self, to: &mut dyn Write) -> Result<(), String>;

    /// Takes a state that [`Stateful::save`] wrote.
    ///
    /// # Errors
    /// Why it cannot, in words for people; an older checkpoint is tried then.
    fn load(&self, from: &[u8]) -> Result<(), String>;
}

type Call = Box<dyn Fn() + Send + Sync>;
type Save = Box<dyn Fn(&mut dyn Write) -> Result<(), String> + Send + Sync>;
type Load = Box<dyn Fn(&[u8]) -> Result<(), String> + Send + Sync>;

/// A component as a table of callbacks, for those that cannot implement the trait.
pub struct Callbacks {
    /// [`Stateful::freeze`]; None for a state that is written at one go.
    pub freeze: Option<Call>,
    /// [`Stateful::thaw`].
    pub thaw: Option<Call>,
    /// [`Stateful::save`].
    pub save: Save,
    /// [`Stateful::load`].
    pub load: Load,
}

impl Stateful for Callbacks {
    fn freeze(&self) {
        if let Some(freeze) = &self.freeze {
            freeze();
        }
    }

    fn thaw(&self) {
        if let Some(thaw) = &self.thaw {
            thaw();
        }
    }

    fn save(&self, to: &mut dyn Write) -> Result<(), String> {
        (self.save)(to)
    }

    fn load(&self, from: &[u8]) -> Result<(), String> {
        (self.load)(from)
    }
}
