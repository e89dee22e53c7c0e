//! What a document may ask for.

/// Limits on a document, held while it is read: what exceeds one is refused before memory is taken for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Bytes of the document.
    pub bytes: usize,
    /// Names on a path; at most 64, which is what an artifact can hold.
    pub depth: usize,
    /// Values, maps and classes together.
    pub keys: usize,
    /// Bytes of one string, or of one value of type bytes.
    pub string_bytes: usize,
    /// Elements of one list.
    pub list_len: usize,
    /// Bytes of one name.
    pub name_bytes: usize,
    /// Classes.
    pub classes: usize,
}

impl Default for Limits {
    /// 16 MiB, 32 names on a path, 200,000 keys, strings of 1 MiB, lists of 65,536 elements, names of 256 bytes, 4,096 classes.
    fn default() -> Limits {
        Limits {
            bytes: 16 << 20,
            depth: 32,
            keys: 200_000,
            string_bytes: 1 << 20,
            list_len: 1 << 16,
            name_bytes: 256,
            classes: 4096,
        }
    }
}
