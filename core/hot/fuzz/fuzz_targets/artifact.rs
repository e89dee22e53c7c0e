//! Any bytes as an image, believed as far as the checksum goes: refused, or all reads stay inside.
#![no_main]

use knhk_hot::artifact::{Artifact, Limits};
use libfuzzer_sys::fuzz_target;

#[path = "../../tests/walk/mod.rs"]
mod walk;

fuzz_target!(|image: &[u8]| {
    let mut image = image.to_vec();
    walk::forge(&mut image);
    if let Ok(artifact) = Artifact::from_image(&image, &Limits::default()) {
        walk::walk(&artifact);
    }
});
