//! Any bytes as a change (what is removed, a line `--`, what is added): refused, or applied and taken back.
#![no_main]

use std::cell::RefCell;

use knhk_ontology::graph::Graph;
use knhk_ontology::rdf::{self, Format};
use libfuzzer_sys::fuzz_target;

mod survive;

const BEFORE: &str = "<a:s> <a:p> [ <a:q> 1 , 2 ] , _:x , ( 1 2 ) . _:x <a:q> _:x .";

/// Inputs after which the graph is read anew: what they say stays in its interner.
const FRESH: usize = 1000;

thread_local! {
    /// The graph before the change, and how many inputs it still serves.
    static KEPT: RefCell<Option<(Graph, usize)>> = const { RefCell::new(None) };
}

fn before() -> Graph {
    KEPT.with_borrow_mut(|kept| {
        let read = || survive::read(BEFORE.as_bytes(), Format::Turtle, &survive::limits()).expect("it is Turtle");
        let (graph, left) = kept.take().filter(|(_, left)| *left > 0).unwrap_or_else(|| (read(), FRESH));
        *kept = Some((graph.clone(), left - 1));
        graph
    })
}

fuzz_target!(init: survive::quiet_readers(), |text: &[u8]| {
    let separator = text.windows(4).position(|window| window == b"\n--\n");
    let (removed, added) = separator.map_or((&b""[..], text), |at| (&text[..at], &text[at + 4..]));
    let before = before();
    let Ok(delta) = rdf::parse_delta(removed, added, Format::Turtle, "urn:knhk:fuzz:", &before, &survive::limits()) else {
        return;
    };
    let after = before.apply(&delta);
    assert_eq!(after.len() + delta.removed().len(), before.len() + delta.added().len());
    assert!(after.iter().all(|triple| !triple.subject.is_blank() || before.about(triple.subject).next().is_some()));
    let back = after.apply(&delta.inverse());
    assert!(back.len() == before.len() && back.iter().all(|triple| before.contains(triple)));
});
