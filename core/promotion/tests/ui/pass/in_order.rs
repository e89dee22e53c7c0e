//! The one order that compiles.
use knhk_hot::{Hot, Options};
use knhk_ontology::{Document, KeyTable, Limits};
use knhk_promotion::{Guard, NoJournal, Promotion, Ready, Sector, SectorKind};

fn main() {
    let hot = Hot::new(Options::default()).unwrap();
    let sector = Sector::new("orders", 0, SectorKind::Direct, KeyTable::default(), 8);
    let document = Document::parse(br#"{"max_qty": 1000}"#, &Limits::default()).unwrap();

    let preparing = sector.prepare(&hot, &NoJournal, document);
    let (ready, verified) = preparing.verify().unwrap();
    let guard = Guard::new(verified);
    let promoted = ready.promote(guard).unwrap();
    assert_eq!(promoted.version().number, 1);

    let (ready, verified) = Promotion::<Ready>::back_to(&sector, &hot, &NoJournal, 1, Default::default()).unwrap();
    assert_eq!(ready.promote(Guard::new(verified)).unwrap().version().rollback_of, Some(1));
}
