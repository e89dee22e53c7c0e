//! What must not compile, and what the compiler says about it; what must compile is in `program.rs`, so that here nothing is built, but checked.
//! `TRYBUILD=overwrite` writes the answers anew after a change of compiler.

#[test]
fn mistakes_in_a_derive_or_a_binder_are_told_by_the_compiler() {
    let cases = trybuild::TestCases::new();
    cases.compile_fail("tests/ui/derive/*.rs");
    cases.compile_fail("tests/ui/bind/*.rs");
    if std_is_quoted() {
        println!("left out: tests/ui/quoting_std, whose answers were written without the standard library's sources");
    } else {
        cases.compile_fail("tests/ui/quoting_std/*.rs");
    }
}

/// Whether the compiler has the standard library's sources and then quotes them, which changes its answers.
fn std_is_quoted() -> bool {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let sysroot = std::process::Command::new(rustc).args(["--print", "sysroot"]).output().expect("rustc runs").stdout;
    let sysroot = String::from_utf8(sysroot).expect("the sysroot is text");
    std::path::Path::new(sysroot.trim()).join("lib/rustlib/src/rust/library").exists()
}
