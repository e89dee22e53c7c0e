//! The requests that change something.

use serde::{Deserialize, Serialize};

use super::reads::find;
use super::{Changed, Item, Request, VersionEntry, edit};
use crate::{Engine, Error, Origin, SectorKind, Status, VersionInfo};

/// Makes a sector.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Create {
    /// Its name.
    pub sector: String,
}

/// Makes something the current knowledge of a sector.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Promote {
    /// The sector.
    pub sector: String,
    /// What to promote.
    pub content: Content,
    /// Makes the sector if there is none.
    #[serde(default)]
    pub create: bool,
    /// Who.
    #[serde(default)]
    pub by: String,
    /// Why.
    #[serde(default)]
    pub why: String,
    /// Whether keys that programs hold may be dropped or retyped.
    #[serde(default)]
    pub major: bool,
}

/// What is promoted.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Content {
    /// A whole document.
    Document {
        /// Its text.
        text: String,
    },
    /// Single values, the rest staying as it is: pairs of a path and a value as people write it.
    Values(Vec<(String, String)>),
}

/// Makes an earlier version's content current again.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rollback {
    /// The sector.
    pub sector: String,
    /// A version's number or the beginning of its content address; the one before the current if left out.
    #[serde(default)]
    pub version: Option<String>,
    /// Takes effect before anything is written, also where nothing can be.
    #[serde(default)]
    pub emergency: bool,
    /// Who.
    #[serde(default)]
    pub by: String,
    /// Why.
    #[serde(default)]
    pub why: String,
}

impl Request for Create {
    const METHOD: &'static str = "create";
    type Answer = Changed;

    fn serve(self, engine: &Engine) -> Result<Changed, Error> {
        engine.create_sector(&self.sector, SectorKind::Direct)?;
        Ok(Changed { sector: self.sector, created: true, version: None, changes: Vec::new() })
    }
}

impl Request for Promote {
    const METHOD: &'static str = "promote";
    type Answer = Changed;

    fn serve(self, engine: &Engine) -> Result<Changed, Error> {
        let Promote { sector, content, create, by, why, major } = self;
        let origin = Origin { by, why, major };
        let missing = matches!(engine.sector(&sector), Err(error) if error.status() == Status::NotFound);
        let text = match content {
            Content::Document { text } => text,
            Content::Values(values) => edit::edited(engine, &sector, &values)?,
        };
        if create && missing {
            // Refused before the sector is made, so that a slip leaves nothing behind.
            engine.compile_json(&text)?;
            engine.create_sector(&sector, SectorKind::Direct)?;
        }
        let version = engine.promote_json(&sector, &text, origin)?;
        Ok(changed(sector, create && missing, &version))
    }
}

impl Request for Rollback {
    const METHOD: &'static str = "rollback";
    type Answer = Changed;

    fn serve(self, engine: &Engine) -> Result<Changed, Error> {
        let Rollback { sector, version, emergency, by, why } = self;
        let target = match version {
            Some(_) => find(engine, &sector, version.as_deref())?.version,
            None => before_current(engine, &sector)?,
        };
        let origin = Origin { by, why, major: false };
        let version = if emergency {
            engine.emergency_rollback(&sector, target, origin)?
        } else {
            engine.rollback(&sector, target, origin)?
        };
        Ok(changed(sector, false, &version))
    }
}

/// The version whose content was current before the current content: what rollbacks only brought back is not gone back to twice.
fn before_current(engine: &Engine, sector: &str) -> Result<u64, Error> {
    let history = engine.history(sector)?;
    let current = history.last().map(|info| info.rollback_of.unwrap_or(info.version));
    let earlier = history.iter().rev().find(|info| Some(info.version) < current && info.rollback_of.is_none());
    earlier.map(|info| info.version).ok_or_else(|| {
        let message =
            format!("sector {sector} retains no version before the current one: promote what should hold instead");
        Error::new(Status::NotFound, "rollback", sector, message)
    })
}

fn changed(sector: String, created: bool, version: &VersionInfo) -> Changed {
    let changes = version.differences().into_iter().map(Item::from).collect();
    Changed { sector, created, version: Some(VersionEntry::from(version)), changes }
}
