//! What the tests of the pipeline share.

use knhk_hot::{Hot, Options};
use knhk_ontology::{Document, KeyTable, Limits};
use knhk_promotion::{Guard, Journal, NoJournal, Origin, Promoted, Promotion, PromotionError, Sector, SectorKind};

pub fn cells() -> Hot {
    Hot::new(Options::default()).expect("cells")
}

pub fn sector(name: &str, number: usize, depth: usize) -> Sector {
    Sector::new(name, number, SectorKind::Direct, KeyTable::default(), depth)
}

pub fn document(json: &str) -> Document {
    Document::parse(json.as_bytes(), &Limits::default()).expect("a valid document")
}

/// The whole pipeline, in order.
pub fn promote<'s>(
    sector: &'s Sector,
    hot: &'s Hot,
    journal: &'s dyn Journal,
    json: &str,
) -> Result<Promotion<'s, Promoted>, PromotionError> {
    let (ready, verified) = sector.prepare(hot, journal, document(json)).verify()?;
    ready.promote(Guard::new(verified))
}

/// Promotes without a journal; returns the version's number.
pub fn promoted(sector: &Sector, hot: &Hot, json: &str) -> u64 {
    promote(sector, hot, &NoJournal, json).expect("nothing is in the way").version().number
}

pub fn origin(by: &str) -> Origin {
    Origin { by: by.into(), ..Origin::default() }
}

/// What a sector's readers and history show, to find that nothing changed.
pub fn state(sector: &Sector, hot: &Hot) -> (u64, Vec<u64>, Option<String>) {
    let state = sector.lock().expect("not poisoned");
    let numbers = state.versions.iter().map(|version| version.number).collect();
    (hot.epoch(), numbers, state.current().map(|version| version.document().to_json()))
}
