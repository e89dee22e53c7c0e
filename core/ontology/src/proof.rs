//! The proof that a snapshot states something, for whoever knows its content address and has SHA-256.

use crate::merkle::{self, Hash};
use crate::snapshot::address;

/// That a canonical line is among the statements of a snapshot: the way to the root of the map that holds it, the core's or the sector's,
/// and the root of the other, since the content address is of both.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    pub(crate) in_core: bool,
    /// The root of the map that does not hold it.
    pub(crate) other: Hash,
    pub(crate) path: merkle::Proof,
}

/// Of the form of the bytes.
const VERSION: u8 = 1;
/// Version, which map, the other's root.
const HEAD: usize = 2 + 32;

impl Proof {
    /// Whether the snapshot with this content address states this canonical line of N-Triples, line feed included.
    pub fn verify(&self, snapshot_id: &[u8; 32], line: &[u8]) -> bool {
        let root = self.path.root(line);
        let roots =
            if self.in_core { root.map(|root| [root, self.other]) } else { root.map(|root| [self.other, root]) };
        roots.is_some_and(|[core, sector]| address(&core, &sector) == *snapshot_id)
    }

    /// As bytes: 1, then 1 if the core holds it and 0 if the sector does, the other map's root, and the path's bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let path = self.path.to_bytes();
        let mut bytes = Vec::with_capacity(HEAD + path.len());
        bytes.extend([VERSION, self.in_core.into()]);
        bytes.extend(self.other);
        bytes.extend(path);
        bytes
    }

    /// Reads what [`Proof::to_bytes`] writes, and nothing else.
    pub fn from_bytes(bytes: &[u8]) -> Option<Proof> {
        let (head, path) = bytes.split_first_chunk::<HEAD>()?;
        let &[VERSION, in_core @ (0 | 1), ref other @ ..] = head else { return None };
        Some(Proof { in_core: in_core == 1, other: *other, path: merkle::Proof::from_bytes(path).ok()? })
    }
}
