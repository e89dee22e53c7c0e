//! The proof cannot be written down.
use knhk_promotion::Verified;

fn main() {
    let _ = Verified([0; 32]);
}
