//! That a change passed cannot be written down.
use knhk_promotion::Passed;

fn main() {
    let _ = Passed { sector: "orders".into(), before: None, snapshot: [0; 32], receipt: String::new() };
}
