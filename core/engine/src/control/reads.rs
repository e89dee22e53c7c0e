//! The requests that change nothing.

use knhk_ontology::rdf::UnknownFormat;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::edit::edited;
use super::history::{entry, logged};
use super::{
    Clash, Compared, Content, Exported, Parameter, Request, Sector, Shown, Statements, Validated, VersionEntry,
};
use crate::intern::nearest;
use crate::{Conflict, Engine, Error, Format, KeyInfo, LogQuery, SectorInfo, Status};

/// Versions of a history, unless a request says otherwise.
const ENTRIES: usize = 20;
/// Versions among which the one that set a value is looked for.
const LOOKED_BACK: usize = 256;

/// Lists the sectors.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sectors {}

/// Shows a sector: its values and its history.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Show {
    /// The sector.
    pub sector: String,
    /// How many versions of its history at most, the newest; 20 if left out.
    #[serde(default)]
    pub versions: Option<usize>,
    /// A reference to the version to show, as [`Engine::resolve`] takes it; the current one if left out.
    #[serde(default)]
    pub at: Option<String>,
}

/// Looks up one value, or the values of a map.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Get {
    /// The sector.
    pub sector: String,
    /// The path in it.
    pub path: String,
    /// A reference to the version to look into, as [`Engine::resolve`] takes it; the current one if left out.
    #[serde(default)]
    pub at: Option<String>,
}

/// Writes a version as a document.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Export {
    /// The sector.
    pub sector: String,
    /// A reference to the version, as [`Engine::resolve`] takes it; the current one if left out.
    #[serde(default)]
    pub version: Option<String>,
    /// The format's name, its files' extension, or its media type; plain JSON if left out.
    #[serde(default)]
    pub format: Option<String>,
}

/// Compares two versions.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Compare {
    /// The sector.
    pub sector: String,
    /// The older version; the one before `to` if left out.
    #[serde(default)]
    pub from: Option<String>,
    /// The newer version; the current one if left out.
    #[serde(default)]
    pub to: Option<String>,
    /// Whether statements are compared too.
    #[serde(default)]
    pub statements: bool,
}

/// Checks what would become of a sector, and changes nothing: as a promotion would.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Validate {
    /// The sector.
    pub sector: String,
    /// What would be promoted; what is current if left out.
    #[serde(default)]
    pub content: Option<Content>,
}

/// Looks for names that two sectors define differently.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Conflicts {}

impl Request for Sectors {
    const METHOD: &'static str = "sectors";
    type Answer = Vec<Sector>;

    fn serve(self, engine: &Engine) -> Result<Vec<Sector>, Error> {
        engine.sectors()?.iter().map(|info| describe(engine, info)).collect()
    }
}

impl Request for Show {
    const METHOD: &'static str = "show";
    type Answer = Shown;

    fn serve(self, engine: &Engine) -> Result<Shown, Error> {
        let Show { sector, versions, at } = self;
        // Beside a live engine the store may be ahead of the picture that is shown.
        let newest = match &at {
            Some(at) => engine.resolve(&sector, at)?,
            None => info(engine, &sector)?.version,
        };
        let before = newest.checked_add(1);
        let versions = engine.log(&sector, &LogQuery { before, limit: Some(versions.unwrap_or(ENTRIES)) })?;
        let versions = versions.into_iter().map(|entry| logged(engine, &sector, entry)).collect::<Result<_, _>>()?;
        let shown = Get { sector, path: String::new(), at }.serve(engine)?;
        Ok(Shown { versions, ..shown })
    }
}

impl Request for Get {
    const METHOD: &'static str = "get";
    type Answer = Shown;

    fn serve(self, engine: &Engine) -> Result<Shown, Error> {
        let Get { sector, path, at } = self;
        let info = info(engine, &sector)?;
        let at = at.map(|at| engine.resolve(&sector, &at)).transpose()?;
        let (keys, document) = match at {
            Some(version) => {
                let stored = engine.sector(&sector)?;
                let snapshot = engine.snapshot_of(&stored, Some(version), "get")?;
                let document = snapshot.document().map_err(Clone::clone)?;
                (document.leaves().map(KeyInfo::from).collect(), parsed(&info, &document.to_json())?)
            }
            None => (engine.keys(&sector)?, document(engine, &info)?),
        };
        let below = format!("{path}/");
        let under = |name: &str| path.is_empty() || name == path || name.starts_with(&below);
        let parameters: Vec<Parameter> = keys
            .iter()
            .filter(|key| under(&key.name))
            .map(|key| Parameter {
                path: key.name.clone(),
                value_type: key.value_type.to_string(),
                leaf: key.name.split('/').try_fold(&document, |at, name| at.get(name)).cloned().unwrap_or_default(),
                display: key.display.clone(),
                doc: key.doc.clone(),
            })
            .collect();
        if parameters.is_empty() && !path.is_empty() {
            let names: Vec<String> = keys.into_iter().map(|key| key.name).collect();
            let near = nearest(&path, &names).map_or(String::new(), |near| format!("; did you mean {sector}/{near}?"));
            let message = format!("sector {sector} has no value {path:?}{near}");
            return Err(Error::new(Status::NotFound, "get", format!("{sector}/{path}"), message));
        }
        let set_by = match &parameters[..] {
            [only] if only.path == path => setter(engine, &sector, &path, at.unwrap_or(info.version))?,
            _ => None,
        };
        let mut about = describe(engine, &info)?;
        if let Some(version) = at {
            (about.current, about.keys) = (Some(entry(engine, &sector, version)?), keys.len());
        }
        Ok(Shown { sector: about, path, parameters, set_by, versions: Vec::new() })
    }
}

impl Request for Export {
    const METHOD: &'static str = "export";
    type Answer = Exported;

    fn serve(self, engine: &Engine) -> Result<Exported, Error> {
        let version = find(engine, &self.sector, self.version.as_deref())?;
        let format = named(self.format.as_deref())?;
        let text = engine.export(&self.sector, Some(version), format)?;
        let partial = format == Format::Json && engine.is_beyond_json(&self.sector, Some(version))?;
        let version = entry(engine, &self.sector, version)?;
        Ok(Exported { sector: self.sector, version, format: format.to_string(), partial, text })
    }
}

impl Request for Compare {
    const METHOD: &'static str = "diff";
    type Answer = Compared;

    fn serve(self, engine: &Engine) -> Result<Compared, Error> {
        let to = find(engine, &self.sector, self.to.as_deref())?;
        let from = match self.from.as_deref() {
            Some("0") => 0,
            Some(from) => find(engine, &self.sector, Some(from))?,
            None => {
                let log = engine.log(&self.sector, &LogQuery { before: Some(to), limit: Some(1) })?;
                log.first().filter(|entry| entry.retained).map_or(0, |entry| entry.version)
            }
        };
        let changes = engine.differences(&self.sector, from, to)?;
        let statements = match self.statements {
            true => Some(engine.statement_diff(&self.sector, from, to)?),
            false => None,
        };
        let statements = statements.map(|diff| Statements { removed: diff.removed, added: diff.added });
        let changes = changes.into_iter().map(Into::into).collect();
        Ok(Compared { sector: self.sector, from, to, changes, statements })
    }
}

impl Request for Validate {
    const METHOD: &'static str = "validate";
    type Answer = Validated;

    fn serve(self, engine: &Engine) -> Result<Validated, Error> {
        let Validate { sector, content } = self;
        let report = match content {
            None => engine.validate(&sector)?,
            Some(Content::Document { text, format }) => {
                engine.validate_rdf(&sector, text.as_bytes(), named(format.as_deref())?)?
            }
            Some(Content::Change { removed, added, format }) => {
                engine.validate_delta(&sector, removed.as_bytes(), added.as_bytes(), named(Some(&format))?)?
            }
            Some(Content::Values(values)) => {
                let stored = engine.sector(&sector)?;
                let base = engine.base(&stored)?;
                let after = base.apply(&edited(engine, &stored, &values)?.change(&base)?)?;
                after.document().map_err(Clone::clone)?;
                after.report().clone()
            }
        };
        Ok(Validated::new(&sector, &report))
    }
}

impl Request for Conflicts {
    const METHOD: &'static str = "conflicts";
    type Answer = Vec<Clash>;

    fn serve(self, engine: &Engine) -> Result<Vec<Clash>, Error> {
        let clash = |conflict: Conflict| Clash {
            summary: conflict.to_string(),
            identifier: conflict.identifier,
            first: conflict.first,
            second: conflict.second,
        };
        Ok(engine.conflicts()?.into_iter().map(clash).collect())
    }
}

/// The format that is meant; plain JSON by nothing.
pub(crate) fn named(format: Option<&str>) -> Result<Format, Error> {
    let unknown = |error: UnknownFormat| {
        Error::new(Status::InvalidArgument, "format", format.unwrap_or_default(), error.to_string())
    };
    format.map_or(Ok(Format::Json), |name| name.parse().map_err(unknown))
}

/// The version that a reference means; the current one by nothing.
fn find(engine: &Engine, sector: &str, reference: Option<&str>) -> Result<u64, Error> {
    if let Some(reference) = reference {
        return engine.resolve(sector, reference);
    }
    let current = info(engine, sector)?.version;
    let message = || format!("nothing was promoted in sector {sector} yet");
    if current > 0 { Ok(current) } else { Err(Error::new(Status::NotReady, "lookup", sector, message())) }
}

/// The version, at or before `at`, that last changed a value; none where it lies too far back to look for.
fn setter(engine: &Engine, sector: &str, path: &str, at: u64) -> Result<Option<VersionEntry>, Error> {
    for version in engine.log(sector, &LogQuery { before: at.checked_add(1), limit: Some(LOOKED_BACK) })? {
        let parent = version.parents.last().copied().unwrap_or(0);
        match engine.differences(sector, parent, version.version) {
            Ok(changes) if changes.iter().any(|change| change.path == path) => return Ok(Some((&version).into())),
            Ok(_) => {}
            // What is not kept, or damaged, cannot be looked into.
            Err(error) if matches!(error.status(), Status::NotFound | Status::Corrupt) => return Ok(None),
            Err(error) => return Err(error),
        }
    }
    Ok(None)
}

fn describe(engine: &Engine, info: &SectorInfo) -> Result<Sector, Error> {
    let current = engine.history(&info.name)?;
    Ok(Sector::new(info, current.last().map(VersionEntry::from)))
}

fn info(engine: &Engine, sector: &str) -> Result<SectorInfo, Error> {
    engine.sector(sector)?;
    let found = engine.sectors()?.into_iter().find(|info| info.name == sector);
    found.ok_or_else(|| Error::new(Status::NotFound, "lookup", sector, format!("there is no sector {sector:?}")))
}

/// The sector's document as JSON: the current one, or the declared one before the first promotion.
pub(super) fn document(engine: &Engine, info: &SectorInfo) -> Result<Value, Error> {
    if info.ready {
        return parsed(info, &engine.export_json(&info.name, None)?);
    }
    Ok(parsed(info, &engine.dump()?)?.get_mut(&info.name).map(Value::take).unwrap_or_default())
}

fn parsed(info: &SectorInfo, text: &str) -> Result<Value, Error> {
    serde_json::from_str(text)
        .map_err(|error| Error::new(Status::System, "export", &info.name, format!("the export is not JSON: {error}")))
}
