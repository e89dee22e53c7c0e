//! Any bytes as a change (what is removed, a line `--`, what is added): refused, or applied and taken back.
#![no_main]

use knhk_ontology::rdf::{self, Format};
use libfuzzer_sys::fuzz_target;

mod survive;

const BEFORE: &str = "<a:s> <a:p> [ <a:q> 1 , 2 ] , _:x , ( 1 2 ) . _:x <a:q> _:x .";

fuzz_target!(init: survive::quiet_readers(), |text: &[u8]| {
    let separator = text.windows(4).position(|window| window == b"\n--\n");
    let (removed, added) = separator.map_or((&b""[..], text), |at| (&text[..at], &text[at + 4..]));
    let before = survive::read(BEFORE.as_bytes(), Format::Turtle, &survive::limits()).expect("it is Turtle");
    let Ok(delta) = rdf::parse_delta(removed, added, Format::Turtle, "urn:knhk:fuzz:", &before, &survive::limits()) else {
        return;
    };
    let after = before.apply(&delta);
    assert_eq!(after.len() + delta.removed().len(), before.len() + delta.added().len());
    assert!(after.iter().all(|triple| !triple.subject.is_blank() || before.about(triple.subject).next().is_some()));
    let back = after.apply(&delta.inverse());
    assert!(back.len() == before.len() && back.iter().all(|triple| before.contains(triple)));
});
