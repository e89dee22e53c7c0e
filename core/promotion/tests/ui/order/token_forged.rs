//! The proof cannot be written down.
use knhk_promotion::Verified;

fn main() {
    let _ = Verified { sector: 0, version: 1, snapshot_id: [0; 32] };
}
