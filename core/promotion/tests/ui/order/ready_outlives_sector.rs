//! A promotion that is ready holds its sector's lock, so it stays where the sector is.
use knhk_hot::Hot;
use knhk_ontology::Document;
use knhk_promotion::{NoJournal, Promotion, Ready, Sector, Verified};

fn escaped(hot: &'static Hot, sector: Sector) -> (Promotion<'static, Ready<'static>>, Verified) {
    sector.prepare(hot, &NoJournal, Document::default()).verify().unwrap()
}

fn main() {}
