//! What can go wrong, and who stands in the way.

/// Why an operation of the hot path's owner side was refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HotError {
    /// This process is a forked child: it may go on reading the inherited snapshot, and must open its own engine for anything else.
    #[error("this process was forked from the one that opened the engine: open it again in the child")]
    Forked,
    /// The engine was closed.
    #[error("the engine is closed")]
    Closed,
    /// A reader has kept so many old snapshots that no more may be retired.
    #[error("promotion refused: {0}")]
    Stalled(StalledReader),
    /// A sector number beyond the fixed capacity.
    #[error("sector {0} is beyond the capacity of {capacity} sectors", capacity = crate::layout::SECTOR_CAPACITY)]
    Sector(usize),
    /// So many readers are registered at once that there is no room for another.
    #[error("all {0} readers that an engine has room for are registered")]
    TooManyReaders(usize),
    /// The reader belongs to another thread that is still alive.
    #[error("reader {0} belongs to another thread, which is still alive")]
    WrongThread(u64),
    /// The reader still has a view open.
    #[error("reader {0} still has a view open: end it, or reset the reader")]
    InView(u64),
    /// The reader was unregistered before.
    #[error("reader {0} is not registered")]
    NotRegistered(u64),
    /// The operating system refused something.
    #[error("{what} failed: {source}")]
    Os {
        /// The call.
        what: &'static str,
        /// Its error.
        source: std::io::Error,
    },
}

impl HotError {
    pub(crate) fn os(what: &'static str) -> HotError {
        HotError::Os { what, source: std::io::Error::last_os_error() }
    }
}

/// The reader on whose account the most memory is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StalledReader {
    /// The reader's id; 0 where no reader but a counted hold keeps the memory.
    pub reader: u64,
    /// The kernel's id of the thread that registered it; 0 for a hold.
    pub thread: i32,
    /// When the oldest root that it keeps was retired: nanoseconds since the Unix epoch.
    pub since_ns: u64,
    /// Bytes of artifacts kept by retired roots.
    pub bytes: u64,
    /// Retired roots kept.
    pub roots: usize,
}

impl std::fmt::Display for StalledReader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.reader {
            0 => write!(f, "a held snapshot")?,
            id => write!(f, "reader {id} of thread {}", self.thread)?,
        }
        write!(f, " keeps {} old snapshots ({} bytes) since {} ns", self.roots, self.bytes, self.since_ns)
    }
}
