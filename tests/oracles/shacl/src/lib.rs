//! The validators behind one face: shapes and data as Turtle in, a verdict or a refusal out.

use std::sync::Arc;

use knhk_ontology::Limits;
use knhk_ontology::graph::{Graph, GraphBuilder, Terms, Triple};
use knhk_ontology::rdf::{self, Format};
use knhk_ontology::shacl::Shapes;

/// Whether data conform, or why that is not known.
pub type Verdict = Result<bool, String>;

/// A validator with its name, as the list of disagreements calls it.
pub type Validator = (&'static str, fn(&str, &str) -> Verdict);

/// The validators that were built in, ours first.
pub fn validators() -> Vec<Validator> {
    vec![
        ("knhk", knhk),
        #[cfg(feature = "shacl-rust")]
        ("shacl-rust", shacl_rust::verdict),
        #[cfg(feature = "rudof")]
        ("rudof", rudof::verdict),
    ]
}

fn knhk(shapes: &str, data: &str) -> Verdict {
    let terms = Arc::new(Terms::new());
    let shapes = Shapes::compile(&graph(&terms, shapes)?).map_err(|error| error.to_string())?;
    Ok(shapes.validate(&graph(&terms, data)?).conforms())
}

fn graph(terms: &Arc<Terms>, turtle: &str) -> Result<Graph, String> {
    let triples = rdf::parse(turtle.as_bytes(), Format::Turtle, "", terms, &Limits::default());
    let mut builder = GraphBuilder::new(terms.clone());
    for Triple { subject, predicate, object } in triples.map_err(|error| error.to_string())? {
        builder.push(subject, predicate, object);
    }
    Ok(builder.finish())
}

/// `shacl-rust`.
#[cfg(feature = "shacl-rust")]
pub mod shacl_rust {
    use ::shacl_rust::rdf::read_graph_from_string;
    use ::shacl_rust::validation::dataset::ValidationDataset;

    use super::Verdict;

    /// The data beside their shapes, over its plain graph or over its experimental index.
    pub fn dataset(shapes: &str, data: &str, indexed: bool) -> Result<ValidationDataset, String> {
        let read = |turtle: &str| read_graph_from_string(turtle, "ttl").map_err(|error| error.to_string());
        let (data, shapes) = (read(data)?, read(shapes)?);
        let dataset = match indexed {
            true => ValidationDataset::from_graphs_with_experimental_index(data, shapes),
            false => ValidationDataset::from_graphs(data, shapes),
        };
        dataset.map_err(|error| error.to_string())
    }

    pub(super) fn verdict(shapes: &str, data: &str) -> Verdict {
        let dataset = dataset(shapes, data, false)?;
        let shapes = ::shacl_rust::parse_shapes(dataset.shapes_graph()).map_err(|error| error.to_string())?;
        Ok(*::shacl_rust::validate(&dataset, &shapes).get_conforms())
    }
}

/// rudof's `shacl`.
#[cfg(feature = "rudof")]
pub mod rudof {
    use rudof_rdf::rdf_core::RDFFormat;
    use rudof_rdf::rdf_impl::{OxigraphInMemory, ReaderMode};
    use shacl::ir::IRSchema;
    use shacl::validator::processor::{GraphValidation, ShaclProcessor};
    use shacl::validator::store::{Graph, ShaclDataManager};
    use shacl::validator::{ShaclConfig, ShaclValidationMode};

    use super::Verdict;

    /// The shapes, compiled.
    pub fn shapes(turtle: &str) -> Result<IRSchema, String> {
        ShaclDataManager::load(&mut turtle.as_bytes(), "shapes", &RDFFormat::Turtle, None).map_err(|error| error.to_string())
    }

    /// The data, ready to be validated.
    pub fn data(turtle: &str) -> Result<GraphValidation, String> {
        let read = OxigraphInMemory::from_reader(
            &mut turtle.as_bytes(),
            "data",
            &RDFFormat::Turtle,
            None,
            &ReaderMode::default(),
        );
        Ok(GraphValidation::new(Graph::from(read.map_err(|error| error.to_string())?)))
    }

    /// Whether the data conform, and how many results there are.
    pub fn validate(shapes: &IRSchema, data: &mut GraphValidation) -> Result<(bool, usize), String> {
        let report = data.validate(shapes, &ShaclValidationMode::Native, &ShaclConfig::default());
        report.map(|report| (report.conforms(), report.results().len())).map_err(|error| error.to_string())
    }

    pub(super) fn verdict(shapes: &str, data: &str) -> Verdict {
        let compiled = self::shapes(shapes)?;
        validate(&compiled, &mut self::data(data)?).map(|(conforms, _)| conforms)
    }
}
