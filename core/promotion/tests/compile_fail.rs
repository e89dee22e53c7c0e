//! What must not compile, and what the compiler says about it. `TRYBUILD=overwrite` writes the answers anew after a change of compiler.

#[test]
fn only_the_order_of_the_stages_and_costs_within_budget_compile() {
    let cases = trybuild::TestCases::new();
    cases.pass("tests/ui/pass/*.rs");
    cases.compile_fail("tests/ui/order/*.rs");
    cases.compile_fail("tests/ui/cost/*.rs");
}
