//! The hash of names, seeded anew in each process, so that nobody can prepare names that collide.

use std::hash::{BuildHasher, Hasher};
use std::sync::LazyLock;

use hashbrown::DefaultHashBuilder;

static SEED: LazyLock<DefaultHashBuilder> = LazyLock::new(DefaultHashBuilder::default);

/// The hash of a name; documents and key tables share it, so that a name is hashed once.
pub(crate) fn name_hash(name: &str) -> u64 {
    let mut hasher = SEED.build_hasher();
    hasher.write(name.as_bytes());
    hasher.finish()
}

/// The hash of a name below a parent.
pub(crate) fn below(name: u64, parent: u32) -> u64 {
    (name ^ u64::from(parent).wrapping_mul(0x9e37_79b9_7f4a_7c15)).wrapping_mul(0xd6e8_feb8_6659_fd93).rotate_right(23)
}
