//! That a change passed is read from a signed receipt, and made from nothing else.
use knhk_promotion::Passed;

fn main() {
    let _ = Passed::new("orders", None, [0; 32], "");
    let _ = Passed::default();
}
