//! Snapshots that were made under another core than the one that is shipped.

use knhk_ontology::graph::Delta;
use knhk_ontology::sectors::CORE;
use knhk_ontology::{Core, Document, Limits, Snapshot, address_of};

/// A core that says more than the shipped one.
fn later(more: &str) -> Core {
    Core::from_turtle(&format!("{CORE}\n{more}")).unwrap()
}

fn snapshot(core: &Core, json: &str) -> Snapshot {
    let nothing = Snapshot::empty("orders", core, &Limits::default());
    let document = Document::parse(json.as_bytes(), &Limits::default()).unwrap();
    nothing.apply(&nothing.change_to(&document).unwrap()).unwrap()
}

const LABEL: &str = "<http://qudt.org/vocab/unit/KiloGM> <http://www.w3.org/2000/01/rdf-schema#label> \"kg\" .\n";

#[test]
fn a_snapshot_keeps_its_address_over_another_core() {
    let (then, now) = (Core::shipped(), later("<urn:knhk:core:New> a <http://www.w3.org/2000/01/rdf-schema#Class> ."));
    assert_ne!(then.root(), now.root());
    let made = snapshot(&then, r#"{"limits": {"max_qty": {"$value": 7, "$min": 1}}}"#);
    let lines = made.own_lines();
    assert_eq!(address_of(&then.root(), &lines), made.id());
    assert_ne!(address_of(&now.root(), &lines), made.id());

    let empty = Snapshot::empty("orders", &now, &Limits::default());
    let served = empty.made_under(then.root(), &lines).unwrap();
    assert_eq!((served.id(), served.core_root()), (made.id(), then.root()));
    assert_eq!((served.own_lines(), served.document().unwrap()), (lines.clone(), made.document().unwrap()));
    assert!(served.report().conforms());
    // A statement of its own is proven to whoever knows its address; the other core's statements are not at hand.
    let own = lines.split_inclusive(|&byte| byte == b'\n').next().unwrap();
    assert!(served.prove(own).unwrap().verify(&made.id(), own));
    let of_core = b"<urn:knhk:core:New> <http://www.w3.org/1999/02/22-rdf-syntax-ns#type> <http://www.w3.org/2000/01/rdf-schema#Class> .\n";
    assert!(empty.prove(of_core).is_some() && served.prove(of_core).is_none());

    // What a change of it gives is made under this core.
    let changed = served.apply(&Delta::new(served.graph(), vec![], vec![])).unwrap();
    assert_eq!((changed.id(), changed.core_root()), (address_of(&now.root(), &lines), now.root()));
    assert_eq!(empty.made_under(now.root(), &lines).unwrap().id(), changed.id());
}

#[test]
fn what_a_later_core_says_too_stays_part_of_what_was_signed() {
    let (then, now) = (Core::shipped(), later(LABEL));
    let made = snapshot(&then, r#"{"max_qty": 7}"#);
    let lines = [LABEL.as_bytes(), &made.own_lines()].concat();
    let made = Snapshot::empty("orders", &then, &Limits::default()).of_lines(&lines).unwrap();
    let served = Snapshot::empty("orders", &now, &Limits::default()).made_under(then.root(), &lines).unwrap();
    assert_eq!((served.id(), served.own_lines()), (made.id(), lines));
    assert!(served.prove(LABEL.as_bytes()).unwrap().verify(&made.id(), LABEL.as_bytes()));
    // Its own now is less, and a change goes out from that.
    let none = Delta::new(served.graph(), vec![], vec![]);
    assert_eq!(served.apply(&none).unwrap().own_lines(), snapshot(&now, r#"{"max_qty": 7}"#).own_lines());
}
