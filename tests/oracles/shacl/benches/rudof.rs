//! A peer of core/ontology/benches/shacl.rs, rudof's shacl: the same shapes and statements, parsed and compiled beforehand as there.

#[path = "../../../../core/hot/benches/driver/mod.rs"]
mod driver;
#[path = "../../../../core/ontology/benches/shacl_workload/mod.rs"]
mod workload;

use driver::Program;
use knhk_shacl_oracles::rudof;

/// What ours finds as well: one record in fifty of each of five kinds breaks a shape.
const RESULTS: usize = 20;

fn main() {
    let mut program = Program::default();
    let (shapes, data) = (workload::shapes(), workload::data(10_000));
    let compiled = rudof::shapes(&shapes).expect("the shapes are SHACL Core");
    let mut data = rudof::data(&data).expect("the workload is Turtle");
    let mut validate = move || rudof::validate(&compiled, &mut data).expect("the workload is validated").1 as u64;
    assert_eq!(validate() as usize, RESULTS);
    program.warmed("rudof_10k", 1, move |times| (0..times).map(|_| validate()).sum());
    program.run();
}
