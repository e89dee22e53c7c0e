//! Names and pins the shared library.

/// As `knhk_hot::layout::ABI`; `tests/ffi/symbols.rs` compares the two.
const ABI: u32 = 1;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    if std::env::var("CARGO_CFG_TARGET_OS").as_deref() == Ok("linux") {
        println!("cargo::rustc-cdylib-link-arg=-Wl,-soname,libknhk.so.{ABI}");
        // Reader lines carry addresses of its code and its threads run it: unloading it would pull the ground from under both.
        println!("cargo::rustc-cdylib-link-arg=-Wl,-z,nodelete");
    }
}
