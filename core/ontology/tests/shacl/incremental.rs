//! A change validated from the report before it gives what validating everything gives, over generated shapes, data and changes.

use std::sync::Arc;

use knhk_ontology::graph::{Delta, Graph, GraphBuilder, Terms};
use knhk_ontology::shacl::{Report, Shapes};
use proptest::prelude::*;

use crate::generate::{self, Choose, Statement, Tape};
use crate::support::graph;

/// The results in full, in their order.
fn results(report: &Report) -> Vec<String> {
    let full = |result: knhk_ontology::shacl::ValidationResult<'_>| {
        format!(
            "{:?} {:?} {:?} {:?} {:?} {:?}",
            result.focus_term(),
            result.path(),
            result.value_term(),
            result.constraint(),
            result.shape_term(),
            result.message(),
        )
    };
    report.results().map(full).collect()
}

fn built(terms: &Arc<Terms>, statements: &[Statement]) -> Graph {
    let mut builder = GraphBuilder::new(terms.clone());
    for statement in statements {
        let triple = statement.triple(terms);
        builder.push(triple.subject, triple.predicate, triple.object);
    }
    builder.finish()
}

/// Some changes in a row, each validated from the report before.
fn changes(tape: &[u8]) -> Result<(), TestCaseError> {
    let mut tape = Tape(tape);
    let terms = Arc::new(Terms::new());
    let turtle = generate::shapes(&mut tape);
    let shapes = Shapes::compile(&graph(&terms, &turtle)).unwrap_or_else(|why| panic!("{why}\n{turtle}"));
    let mut statements = generate::data(&mut tape);
    let mut data = built(&terms, &statements);
    let mut report = shapes.validate(&data);
    for _ in 0..3 {
        let removed: Vec<Statement> =
            (0..tape.below(4)).filter_map(|_| statements.get(tape.below(statements.len().max(1))).copied()).collect();
        let added: Vec<Statement> = (0..tape.below(4)).map(|_| generate::statement(&mut tape)).collect();
        let triples = |of: &[Statement]| of.iter().map(|statement| statement.triple(&terms)).collect::<Vec<_>>();
        let delta = Delta::new(&data, triples(&removed), triples(&added));
        prop_assert!(!shapes.touched_by(&delta), "the data of this test are no shapes");
        let after = data.apply(&delta);
        let whole = shapes.validate(&after);
        let partial = shapes.validate_delta(&data, &after, &delta, &report);
        prop_assert_eq!(
            results(&partial),
            results(&whole),
            "{}\n{:?}\nremoved {:?}\nadded {:?}",
            turtle,
            statements,
            removed,
            added
        );
        prop_assert_eq!(partial.conforms(), whole.conforms());
        statements.retain(|statement| !removed.contains(statement));
        statements.extend(added);
        (data, report) = (after, partial);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_change_gives_what_the_whole_gives(tape in prop::collection::vec(any::<u8>(), 60..400)) {
        changes(&tape)?;
    }
}
