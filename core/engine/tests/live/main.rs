//! What is on its way to everyone: canaries, schedules and probations, on a clock that the tests set.

mod canary;
mod own;
mod probation;
mod schedule;
mod soak;
mod verified;
#[path = "../governance/world.rs"]
#[allow(dead_code, reason = "the tests of governance use the rest")]
mod world;

use knhk_engine::governance::{Proposal, Propose};
use knhk_engine::{Engine, Format, Key, Observations, Observed, Options, Origin, Outcome, Reader, SectorKind};

use crate::world::{World, values};

/// A sector that declares what it records, and what it aims at.
pub const ORDERS: &str = r#"
    @prefix : <urn:knhk:orders:> . @prefix k: <urn:knhk:core:> . @prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
    :max_qty k:value 1000 ; k:unit "lots" . :reject_share k:value 5 ; k:unit "%" .
    <urn:knhk:orders:governance/probation_seconds> k:value PROBATION .
    :OrderChecked a k:ObservationKind ; k:valueType "i64" ; k:unit "lots" ; k:concerns :max_qty ; k:min 1 ;
        rdfs:comment "Each order that was checked."@en .
    :Rejects a k:Slo ; k:indicator :OrderChecked ; k:aggregate "failure_share" ; k:atMost :reject_share ; k:window 60 ;
        k:onMissingData "MISSING" ; rdfs:comment "Few orders are refused."@en .
"#;

/// The same world, observing.
pub fn observing(world: &World) -> Options {
    let mut options = world.options();
    options.observations = Some(Observations::default());
    options.hot.ring_records = 4096;
    options
}

/// A direct sector `desk` with [`ORDERS`].
pub fn desk(engine: &Engine, probation_s: u64, missing: &str) -> Key<i64> {
    engine.create_sector("desk", SectorKind::Direct).unwrap();
    let text = ORDERS.replace("urn:knhk:orders:", "urn:knhk:desk:").replace("MISSING", missing);
    let text = text.replace("PROBATION", &probation_s.to_string());
    engine.promote_rdf("desk", text.as_bytes(), Format::Turtle, Origin::default()).unwrap();
    engine.key("desk", "max_qty").unwrap()
}

/// Records how a decision ended, for a subject.
pub fn record(reader: &Reader, key: Key<i64>, subject: u64, outcome: Outcome) {
    let view = reader.view_for(subject);
    assert!(reader.observe(&view, Observed { subject, ..Observed::i64(key.raw(), 1, outcome) }));
}

/// A proposal that passed, and is not enacted by itself.
pub fn passed(world: &World, max_qty: &str) -> Proposal {
    let asked = Propose { enact: false, ..Propose::of("orders", values(&[("max_qty", max_qty)]), "ops-1", "") };
    let proposal = world.engine().propose(&asked).unwrap();
    assert_eq!(proposal.state.as_str(), "passed", "{}", world::told(&proposal.reports));
    proposal
}
