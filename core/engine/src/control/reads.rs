//! The requests that change nothing.

use knhk_ontology::rdf::UnknownFormat;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::edit::edited;
use super::{
    Clash, Compared, Content, Exported, History, Parameter, Request, Sector, Shown, Statements, Validated, VersionEntry,
};
use crate::intern::nearest;
use crate::{Conflict, Engine, Error, Format, SectorInfo, Status, VersionInfo};

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
    /// How many versions of its history at most, the newest; all that are retained if left out.
    #[serde(default)]
    pub versions: Option<usize>,
}

/// Looks up one value, or the values of a map.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Get {
    /// The sector.
    pub sector: String,
    /// The path in it.
    pub path: String,
}

/// Writes a version as a document.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Export {
    /// The sector.
    pub sector: String,
    /// A version's number or the beginning of its content address; the current one if left out.
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
        let history = engine.history(&self.sector)?;
        let newest = history.len().saturating_sub(self.versions.unwrap_or(usize::MAX));
        let versions = history[newest..].iter().map(History::from).collect();
        let shown = Get { sector: self.sector, path: String::new() }.serve(engine)?;
        Ok(Shown { versions, ..shown })
    }
}

impl Request for Get {
    const METHOD: &'static str = "get";
    type Answer = Shown;

    fn serve(self, engine: &Engine) -> Result<Shown, Error> {
        let Get { sector, path } = self;
        let info = info(engine, &sector)?;
        let document = document(engine, &info)?;
        let keys = engine.keys(&sector)?;
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
        Ok(Shown { sector: describe(engine, &info)?, path, parameters, versions: Vec::new() })
    }
}

impl Request for Export {
    const METHOD: &'static str = "export";
    type Answer = Exported;

    fn serve(self, engine: &Engine) -> Result<Exported, Error> {
        let version = find(engine, &self.sector, self.version.as_deref())?;
        let format = named(self.format.as_deref())?;
        let text = engine.export(&self.sector, Some(version.version), format)?;
        let partial = format == Format::Json && engine.is_beyond_json(&self.sector, Some(version.version))?;
        let version = VersionEntry::from(&version);
        Ok(Exported { sector: self.sector, version, format: format.to_string(), partial, text })
    }
}

impl Request for Compare {
    const METHOD: &'static str = "diff";
    type Answer = Compared;

    fn serve(self, engine: &Engine) -> Result<Compared, Error> {
        let to = find(engine, &self.sector, self.to.as_deref())?.version;
        let from = match self.from.as_deref() {
            Some("0") => 0,
            Some(from) => find(engine, &self.sector, Some(from))?.version,
            None => {
                let history = engine.history(&self.sector)?;
                history.iter().rev().map(|info| info.version).find(|&number| number < to).unwrap_or(0)
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
pub(super) fn named(format: Option<&str>) -> Result<Format, Error> {
    let unknown = |error: UnknownFormat| {
        Error::new(Status::InvalidArgument, "format", format.unwrap_or_default(), error.to_string())
    };
    format.map_or(Ok(Format::Json), |name| name.parse().map_err(unknown))
}

/// The retained version that is meant by a number or the beginning of a content address; the current one by nothing.
pub(super) fn find(engine: &Engine, sector: &str, named: Option<&str>) -> Result<VersionInfo, Error> {
    let mut history = engine.history(sector)?;
    let Some(named) = named else {
        return history.pop().ok_or_else(|| {
            Error::new(Status::NotReady, "lookup", sector, format!("nothing was promoted in sector {sector} yet"))
        });
    };
    if let Some(at) = history.iter().position(|info| named.parse() == Ok(info.version)) {
        return Ok(history.swap_remove(at));
    }
    let wanted = named.to_ascii_lowercase();
    let begins = |info: &VersionInfo| VersionEntry::from(info).snapshot_id.starts_with(&wanted);
    // A rollback has the content address of what it brought back: any of them is the same content, and the newest says it best.
    let found = history.iter().rev().filter(|info| wanted.len() >= 4 && begins(info));
    let ids: std::collections::BTreeSet<[u8; 32]> = found.clone().map(|info| info.snapshot_id).collect();
    match (found.clone().next(), ids.len()) {
        (Some(info), 1) => Ok(info.clone()),
        (Some(_), _) => {
            let message = format!("several versions of sector {sector} begin with {named:?}: write more of it");
            Err(Error::new(Status::InvalidArgument, "lookup", sector, message))
        }
        (None, _) => {
            let retained = match (history.first(), history.last()) {
                (Some(first), Some(last)) if first.version < last.version => {
                    format!("{} to {}", first.version, last.version)
                }
                (Some(only), _) => format!("only {}", only.version),
                _ => "none yet".into(),
            };
            let message = format!(
                "sector {sector} retains no version {named}; it has {retained} (a number, or 4 or more digits of a content address)"
            );
            Err(Error::new(Status::NotFound, "lookup", sector, message))
        }
    }
}

fn describe(engine: &Engine, info: &SectorInfo) -> Result<Sector, Error> {
    Ok(Sector::new(info, engine.history(&info.name)?.last()))
}

fn info(engine: &Engine, sector: &str) -> Result<SectorInfo, Error> {
    engine.sector(sector)?;
    let found = engine.sectors()?.into_iter().find(|info| info.name == sector);
    found.ok_or_else(|| Error::new(Status::NotFound, "lookup", sector, format!("there is no sector {sector:?}")))
}

/// The sector's document as JSON: the current one, or the declared one before the first promotion.
pub(super) fn document(engine: &Engine, info: &SectorInfo) -> Result<Value, Error> {
    let parsed = |text: &str| {
        serde_json::from_str(text).map_err(|error| {
            Error::new(Status::System, "export", &info.name, format!("the export is not JSON: {error}"))
        })
    };
    if info.ready {
        return parsed(&engine.export_json(&info.name, None)?);
    }
    Ok(parsed(&engine.dump()?)?.get_mut(&info.name).map(Value::take).unwrap_or_default())
}
