//! A guard is made from the proof alone.
use knhk_promotion::Guard;

fn main() {
    let _ = Guard::new();
    let _ = Guard::default();
}
