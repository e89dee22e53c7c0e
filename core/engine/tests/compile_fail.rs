//! What must not compile, and what the compiler says about it. `TRYBUILD=overwrite` writes the answers anew after a change of compiler.

#[test]
fn mistakes_in_a_derive_or_a_binder_are_told_by_the_compiler() {
    let cases = trybuild::TestCases::new();
    cases.pass("tests/ui/pass/*.rs");
    cases.compile_fail("tests/ui/derive/*.rs");
    cases.compile_fail("tests/ui/bind/*.rs");
}
