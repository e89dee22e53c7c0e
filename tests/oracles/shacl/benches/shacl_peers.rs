//! The peers of core/ontology/benches/shacl.rs: the same shapes and statements, parsed and compiled beforehand as there.

#[path = "../../../../core/hot/benches/driver/mod.rs"]
mod driver;
#[path = "../../../../core/ontology/benches/shacl_workload/mod.rs"]
mod workload;

use driver::Program;

/// What ours finds as well: one record in fifty of each of five kinds breaks a shape.
const RESULTS: usize = 20;

fn main() {
    let mut program = Program::default();
    let (shapes, data) = (workload::shapes(), workload::data(10_000));
    #[cfg(feature = "shacl-rust")]
    for (name, indexed) in [("shacl_rust_10k", false), ("shacl_rust_indexed_10k", true)] {
        let dataset = knhk_shacl_oracles::shacl_rust::dataset(&shapes, &data, indexed).expect("the workload is Turtle");
        // Its shapes borrow from the dataset; both live as long as the program.
        let dataset: &'static _ = Box::leak(Box::new(dataset));
        let compiled: &'static _ = Box::leak(Box::new(
            shacl_rust::parse_shapes(dataset.shapes_graph()).expect("the shapes are SHACL Core"),
        ));
        assert_eq!(shacl_rust::validate(dataset, compiled).violation_count(), RESULTS);
        program.warmed(name, 1, move |times| {
            (0..times).map(|_| shacl_rust::validate(dataset, compiled).violation_count() as u64).sum()
        });
    }
    #[cfg(feature = "rudof")]
    {
        use knhk_shacl_oracles::rudof;
        let compiled = rudof::shapes(&shapes).expect("the shapes are SHACL Core");
        let mut data = rudof::data(&data).expect("the workload is Turtle");
        let mut validate = move || rudof::validate(&compiled, &mut data).expect("the workload is validated").1 as u64;
        assert_eq!(validate() as usize, RESULTS);
        program.warmed("rudof_10k", 1, move |times| (0..times).map(|_| validate()).sum());
    }
    program.run();
}
