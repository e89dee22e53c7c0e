//! The requests that change something.

use std::time::Instant;

use knhk_ontology::sectors;
use serde::{Deserialize, Serialize};

use super::edit::edited;
use super::reads::named;
use super::{Changed, Item, Request, VersionEntry};
use crate::{Engine, Error, Format, Options, Origin, SectorKind, Status, VersionInfo};

/// Makes a sector: with the ontology that is shipped under its name, if there is one.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Create {
    /// Its name.
    pub sector: String,
    /// Whether its changes pass the seven stages, instead of being trusted.
    #[serde(default)]
    pub governed: bool,
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
    /// All of the sector.
    Document {
        /// Its text.
        text: String,
        /// The format's name, its files' extension, or its media type; plain JSON if left out.
        #[serde(default)]
        format: Option<String>,
    },
    /// Statements that go, and statements that come.
    Change {
        /// Those that go; may be empty.
        #[serde(default)]
        removed: String,
        /// Those that come; may be empty.
        #[serde(default)]
        added: String,
        /// The format of both.
        format: String,
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
    /// A reference to the version, as [`Engine::resolve`] takes it; the one before the current if left out.
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
        let kind = if self.governed { SectorKind::Governed } else { SectorKind::Direct };
        if !sectors::shipped().iter().any(|shipped| shipped.name == self.sector) {
            engine.create_sector(&self.sector, kind)?;
            return Ok(Changed { sector: self.sector, created: true, version: None, changes: Vec::new() });
        }
        let version = engine.create_sector_from(&self.sector, kind)?;
        Ok(changed(self.sector, true, &version))
    }
}

impl Request for Promote {
    const METHOD: &'static str = "promote";
    type Answer = Changed;

    fn serve(self, engine: &Engine) -> Result<Changed, Error> {
        let Promote { sector, content, create, by, why, major } = self;
        let origin = Origin { by, why, major, ..Origin::default() };
        let missing = matches!(engine.sector(&sector), Err(error) if error.status() == Status::NotFound);
        if create && missing {
            // Tried elsewhere before the sector is made, so that a slip leaves nothing behind.
            let trial = Engine::open(":memory:", Options { limits: engine.inner.limits, ..Options::default() })?;
            trial.create_sector(&sector, SectorKind::Direct)?;
            promoted(&trial, &sector, &content, Origin::default())?;
            engine.create_sector(&sector, SectorKind::Direct)?;
        }
        let version = promoted(engine, &sector, &content, origin)?;
        Ok(changed(sector, create && missing, &version))
    }
}

impl Request for Rollback {
    const METHOD: &'static str = "rollback";
    type Answer = Changed;

    fn serve(self, engine: &Engine) -> Result<Changed, Error> {
        let Rollback { sector, version, emergency, by, why } = self;
        let target = match version {
            Some(version) => engine.resolve(&sector, &version)?,
            None => before_current(engine, &sector)?,
        };
        let origin = Origin { by, why, ..Origin::default() };
        let version = if emergency {
            engine.emergency_rollback(&sector, target, origin)?
        } else {
            engine.rollback(&sector, target, origin)?
        };
        Ok(changed(sector, false, &version))
    }
}

fn promoted(engine: &Engine, sector: &str, content: &Content, origin: Origin) -> Result<VersionInfo, Error> {
    match content {
        Content::Document { text, format } => match named(format.as_deref())? {
            Format::Json => engine.promote_json(sector, text, origin),
            format => engine.promote_rdf(sector, text.as_bytes(), format, origin),
        },
        Content::Change { removed, added, format } => {
            engine.promote_delta(sector, removed.as_bytes(), added.as_bytes(), named(Some(format))?, origin)
        }
        Content::Values(values) => set(engine, sector, values, &origin),
    }
}

/// Sets single values. Where another promotion comes between the look at the old values and the change, both are made anew.
fn set(engine: &Engine, name: &str, values: &[(String, String)], origin: &Origin) -> Result<VersionInfo, Error> {
    let sector = engine.sector(name)?;
    let current = || Ok::<_, Error>(sector.lock()?.current().map(|version| version.number));
    loop {
        let (seen, begun) = (current()?, Instant::now());
        let promoted = edited(engine, &sector, values)
            .and_then(|content| engine.promote_content(&sector, content, origin.clone(), begun));
        if promoted.is_ok() || current()? == seen {
            return promoted;
        }
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
