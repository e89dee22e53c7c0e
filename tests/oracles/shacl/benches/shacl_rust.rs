//! A peer of core/ontology/benches/shacl.rs, shacl-rust: the same shapes and statements, parsed and compiled beforehand as there.

#[path = "../../../../core/hot/benches/driver/mod.rs"]
mod driver;
#[path = "../../../../core/ontology/benches/shacl_workload/mod.rs"]
mod workload;

use driver::Program;
use knhk_shacl_oracles::shacl_rust as peer;

/// What ours finds as well: one record in fifty of each of five kinds breaks a shape.
const RESULTS: usize = 20;

fn main() {
    let mut program = Program::default();
    let (shapes, data) = (workload::shapes(), workload::data(10_000));
    for (name, indexed) in [("shacl_rust_10k", false), ("shacl_rust_indexed_10k", true)] {
        let dataset = peer::dataset(&shapes, &data, indexed).expect("the workload is Turtle");
        // Its shapes borrow from the dataset; both live as long as the program.
        let dataset: &'static _ = Box::leak(Box::new(dataset));
        let compiled = shacl_rust::parse_shapes(dataset.shapes_graph()).expect("the shapes are SHACL Core");
        let compiled: &'static [_] = compiled.leak();
        assert_eq!(shacl_rust::validate(dataset, compiled).violation_count(), RESULTS);
        program.warmed(name, 1, move |times| {
            (0..times).map(|_| shacl_rust::validate(dataset, compiled).violation_count() as u64).sum()
        });
    }
    program.run();
}
