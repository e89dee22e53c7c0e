//! What an engine holds: enumeration, history, export, figures.

use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};

use knhk_ontology::{Difference, Document, diff};
use knhk_promotion::Sector;

use crate::{Engine, Error, KeyInfo, SectorInfo, Stats, VersionInfo};

impl Engine {
    /// All sectors, in the order of their creation.
    ///
    /// # Errors
    /// `Panic` when a sector refuses since a promotion panicked.
    pub fn sectors(&self) -> Result<Vec<SectorInfo>, Error> {
        self.not_forked()?;
        let sectors = self.inner.sectors.read().unwrap_or_else(PoisonError::into_inner).clone();
        let info = |sector: &Arc<Sector>| -> Result<SectorInfo, Error> {
            let state = sector.lock()?;
            let current = state.current();
            Ok(SectorInfo {
                name: sector.name().into(),
                kind: sector.kind(),
                ready: current.is_some(),
                version: current.map_or(0, |version| version.number),
                snapshot_id: current.map_or([0; 32], |version| version.snapshot_id),
                epoch: current.map_or(0, |version| version.epoch),
                keys: state.document().map_or(0, |document| document.len()),
            })
        };
        sectors.iter().map(info).collect()
    }

    /// The values of a sector's current document, or of the declared one before the first promotion.
    ///
    /// # Errors
    /// `NotFound` for an unknown sector.
    pub fn keys(&self, sector: &str) -> Result<Vec<KeyInfo>, Error> {
        let sector = self.sector(sector)?;
        let state = sector.lock()?;
        let Some(document) = state.document() else { return Ok(Vec::new()) };
        Ok(document.leaves().map(KeyInfo::from).collect())
    }

    /// The retained versions of a sector, oldest first.
    ///
    /// # Errors
    /// `NotFound` for an unknown sector.
    pub fn history(&self, sector: &str) -> Result<Vec<VersionInfo>, Error> {
        let sector = self.sector(sector)?;
        let state = sector.lock()?;
        Ok(state.versions.iter().map(VersionInfo::from).collect())
    }

    /// What changed from version `from` of a sector to version `to`, path by path; `from` 0 is the sector before its first promotion.
    ///
    /// # Errors
    /// `NotFound` when the sector or one of the versions does not exist.
    pub fn differences(&self, sector: &str, from: u64, to: u64) -> Result<Vec<Difference>, Error> {
        let sector = self.sector(sector)?;
        let document = |number| -> Result<Document, Error> {
            let snapshot = self.snapshot_of(&sector, Some(number), "diff")?;
            Ok(snapshot.document().map_err(Clone::clone)?.clone())
        };
        let old = if from == 0 { Document::default() } else { document(from)? };
        Ok(diff(&old, &document(to)?))
    }

    /// The document of a retained version, or of the current one with `None`; importing it gives the same knowledge.
    ///
    /// # Errors
    /// `NotFound` when the sector or the version does not exist, `NotReady` before the first promotion.
    pub fn export_json(&self, sector: &str, version: Option<u64>) -> Result<String, Error> {
        let sector = self.sector(sector)?;
        let snapshot = self.snapshot_of(&sector, version, "export")?;
        Ok(snapshot.document().map_err(Clone::clone)?.to_json())
    }

    /// All sectors' current documents as one JSON object, sector by sector.
    ///
    /// # Errors
    /// `Panic` when a sector refuses since a promotion panicked.
    pub fn dump(&self) -> Result<String, Error> {
        self.not_forked()?;
        let sectors = self.inner.sectors.read().unwrap_or_else(PoisonError::into_inner).clone();
        let mut parts = Vec::with_capacity(sectors.len());
        for sector in sectors {
            let state = sector.lock()?;
            let document =
                state.document().map_or_else(|| Document::default().to_json(), |document| document.to_json());
            parts.push(format!("\"{}\": {}", sector.name(), document.trim_end()));
        }
        Ok(format!("{{{}}}\n", parts.join(",\n")))
    }

    /// Figures since the engine was opened.
    pub fn stats(&self) -> Stats {
        Stats {
            sectors: self
                .not_forked()
                .map_or(0, |()| self.inner.sectors.read().unwrap_or_else(PoisonError::into_inner).len() as u64),
            promotions: self.inner.promotions.load(Ordering::Relaxed),
            refused: self.inner.refused.load(Ordering::Relaxed),
            missed_changes: self.inner.announcer.missed.load(Ordering::Relaxed),
            damaged_versions: self.inner.damaged.load(Ordering::Relaxed),
            hot: self.inner.hot.stats(),
        }
    }
}
