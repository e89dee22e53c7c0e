//! Versions that were made with another core ontology than the one that this library ships.

use knhk_ontology::sectors::CORE;
use knhk_ontology::{Core, Limits, Snapshot};
use knhk_store::VersionRecord;
use knhk_version::{History, LogEntry, VersionError};

use crate::world::{Made, World, empty, of_json, snapshot};

const SAYS_MORE: &str = "<urn:knhk:core:Later> a <http://www.w3.org/2000/01/rdf-schema#Class> .";
const MAX_QTY: &str = r#"{"max_qty": {"$value": 7, "$min": 1, "$unit": "lots"}}"#;

/// Nothing, over a core that says more than the shipped one.
fn elsewhere(more: &str) -> Snapshot {
    let core = Core::from_turtle(&format!("{CORE}\n{more}")).unwrap();
    Snapshot::empty("orders", &core, &Limits::default())
}

fn newest(world: &World) -> VersionRecord {
    world.history.versions("orders", None, 1).unwrap().remove(0)
}

fn other_cores(history: &History) -> Vec<bool> {
    history.log("orders", None, 9).unwrap().iter().map(|LogEntry { other_core, .. }| *other_core).collect()
}

#[test]
fn a_library_with_another_core_reads_what_was_made_before_it() {
    let world = World::new(&["orders"]);
    let made = of_json(&elsewhere(SAYS_MORE), MAX_QTY);
    assert_ne!(made.id(), snapshot("orders", MAX_QTY).id(), "the core is part of the address");
    world.commit("orders", &made, Made::default());
    let record = newest(&world);
    assert_eq!(record.core, Some(elsewhere(SAYS_MORE).core_root()));

    let (served, receipt) = world.history.load(&record, &empty("orders")).unwrap();
    assert_eq!((served.id(), Some(receipt.number)), (made.id(), record.receipt), "its address is what was signed");
    assert_eq!(served.over(), empty("orders").over(), "it is read over this library's core");
    assert_eq!(served.document().unwrap(), made.document().unwrap());

    // What comes after it is made with this core; going back to it is going back to its address.
    world.commit("orders", &of_json(&served, r#"{"max_qty": 8}"#), Made::default());
    assert_eq!(newest(&world).core, Some(Core::shipped().root()));
    world.commit("orders", &served, Made { rollback_of: Some(1), ..Made::default() });
    assert_eq!((newest(&world).snapshot, newest(&world).core), (made.id(), record.core));
    for version in world.history.versions("orders", None, 9).unwrap() {
        world.history.load(&version, &empty("orders")).unwrap();
    }

    assert_eq!(other_cores(&world.history), [true, false, true], "the log says it");
    let verified = world.history.verify(&mut |_| true).unwrap();
    assert_eq!((verified.versions, verified.snapshots, verified.other_core), (3, 2, 2));
}

#[test]
fn what_the_other_core_did_not_ask_for_is_refused_and_not_called_damaged() {
    let world = World::new(&["orders"]);
    // It admits two of what the shipped core admits one of.
    let without = CORE.replace("sh:maxCount 1", "sh:maxCount 2");
    assert_ne!(without, CORE, "the core bounds something");
    let core = Core::from_turtle(&without).unwrap();
    let nothing = Snapshot::empty("orders", &core, &Limits::default());
    let made = nothing.of_lines(&breaks_the_shipped_core()).unwrap();
    assert!(made.report().conforms(), "{}", made.report());
    world.commit("orders", &made, Made::default());
    let refused = world.history.load(&newest(&world), &empty("orders")).unwrap_err();
    assert!(matches!(&refused, VersionError::OtherCore { number: 1, .. }), "{refused:?}");
    let text = refused.to_string();
    assert!(text.contains("another core ontology") && text.contains("promote content that conforms"), "{text}");
    let verified = world.history.verify(&mut |_| true).unwrap();
    assert_eq!((verified.versions, verified.other_core), (1, 1), "it is whole");
}

/// Statements with two values where the shipped core admits one.
fn breaks_the_shipped_core() -> Vec<u8> {
    let mut lines: Vec<String> = String::from_utf8(snapshot("orders", MAX_QTY).own_lines())
        .unwrap()
        .lines()
        .map(|line| format!("{line}\n"))
        .collect();
    let unit = lines.iter().find(|line| line.contains("lots")).expect("it has a unit").clone();
    lines.push(unit.replace("lots", "more lots"));
    lines.sort_unstable();
    lines.concat().into()
}

#[test]
fn a_core_that_is_not_the_one_of_then_does_not_pass_for_it() {
    let world = World::new(&["orders"]);
    world.promote("orders", MAX_QTY, Made::default());
    let record = newest(&world);
    for core in [Some([7; 32]), Some(elsewhere(SAYS_MORE).core_root())] {
        let forged = VersionRecord { core, ..record.clone() };
        let damaged = world.history.load(&forged, &empty("orders")).unwrap_err();
        assert!(matches!(&damaged, VersionError::Damaged { why, .. } if why.contains("address")), "{damaged:?}");
        world.history.check(&forged).unwrap_err();
    }
}

#[test]
fn what_was_stored_before_cores_were_is_of_the_first_one() {
    let lines = snapshot("orders", MAX_QTY).own_lines();
    let world = World::new(&["orders"]);
    let made = empty("orders").made_under(Core::FIRST_ROOT, &lines).unwrap();
    world.commit("orders", &made, Made::default());
    let record = VersionRecord { core: None, ..newest(&world) };
    let (served, _) = world.history.load(&record, &empty("orders")).unwrap();
    assert_eq!((served.id(), served.core_root()), (record.snapshot, Core::FIRST_ROOT));
}
