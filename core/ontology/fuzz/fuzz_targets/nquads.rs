//! Any bytes as N-Quads: refused, or the graph survives every format.
#![no_main]

use knhk_ontology::rdf::Format;
use libfuzzer_sys::fuzz_target;

mod survive;

fuzz_target!(init: survive::quiet_readers(), |text: &[u8]| survive::survive(text, Format::NQuads));
