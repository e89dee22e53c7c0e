//! What can be wrong with an image, or with what a builder was told.

/// Why an image was refused or could not be built. Offsets count bytes from the image's first one.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ArtifactError {
    /// The bytes do not begin as an image does.
    #[error("not an artifact: the bytes do not begin with the artifact's magic")]
    NotAnArtifact,
    /// Another layout than this build knows.
    #[error("the artifact has layout version {found}, this build reads version {known}: compile it again")]
    Layout {
        /// The image's version.
        found: u32,
        /// The one this build reads.
        known: u32,
    },
    /// Fewer or more bytes than the image says it has.
    #[error("the artifact says it has {expected} bytes, {found} are there: it was truncated or something follows it")]
    Length {
        /// Bytes that are there.
        found: u64,
        /// Bytes that its header and its counts call for.
        expected: u64,
    },
    /// The content is not what the checksum was made of.
    #[error("the artifact's checksum is {found:016x}, its header says {expected:016x}: it was damaged")]
    Checksum {
        /// The content's checksum.
        found: u64,
        /// The header's.
        expected: u64,
    },
    /// Something inside is not as the format demands.
    #[error("the artifact is malformed at byte {at}: {what}")]
    Malformed {
        /// What was found.
        what: &'static str,
        /// Where.
        at: u64,
    },
    /// Over a limit.
    #[error("the artifact has {found} {what}, the limit is {limit}")]
    TooLarge {
        /// What there is too much of.
        what: &'static str,
        /// How much there is.
        found: u64,
        /// How much there may be.
        limit: u64,
    },
    /// A builder was told something that no image can hold.
    #[error("slot {slot} cannot be built: {what}")]
    Unbuildable {
        /// The slot that was spoken of.
        slot: u32,
        /// Why not.
        what: &'static str,
    },
    /// The system gave no memory.
    #[error("no memory for an artifact of {bytes} bytes: {source}")]
    Memory {
        /// Bytes asked for.
        bytes: u64,
        /// What the system said.
        source: std::io::Error,
    },
}

impl ArtifactError {
    pub(super) fn malformed(what: &'static str, at: usize) -> ArtifactError {
        ArtifactError::Malformed { what, at: at as u64 }
    }

    pub(super) fn check_limit(what: &'static str, found: u64, limit: u64) -> Result<(), ArtifactError> {
        if found > limit { Err(ArtifactError::TooLarge { what, found, limit }) } else { Ok(()) }
    }
}
