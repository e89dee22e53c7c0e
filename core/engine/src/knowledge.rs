//! Knowledge beyond plain JSON: ontologies in the formats of RDF, changes by statement, validation, proofs, what is shipped.

use std::sync::Arc;
use std::time::Instant;

use knhk_ontology::graph::Delta;
use knhk_ontology::rdf::{self, Format};
use knhk_ontology::shacl::Report;
use knhk_ontology::{Snapshot, canon, sectors};
use knhk_promotion::{Content, Origin, Sector, SectorKind, Statements, Version};

use crate::proof::canonical_line;
use crate::{Engine, Error, Proof, StatementDiff, Status, VersionInfo};

impl Engine {
    /// Makes an ontology the whole of a sector's knowledge. Names that begin with `#` or nothing at all are the sector's own.
    ///
    /// # Errors
    /// `Document` or `Limit` for what cannot be parsed, with line and column, and for parameters that are not sound; `Nonconforming` when
    /// it breaks a shape, with [`Error::report`]; `Conflict` when it says something of the core's or another sector's names; else as
    /// [`Engine::promote_json`]. Nothing changes then.
    pub fn promote_rdf(&self, sector: &str, text: &[u8], format: Format, origin: Origin) -> Result<VersionInfo, Error> {
        self.checked()?;
        if format == Format::Json {
            let json = std::str::from_utf8(text).map_err(not_utf8);
            let json = self.admitted(&*self.sector(sector)?, &origin, json)?;
            return self.promote_json(sector, json, origin);
        }
        let sector = self.sector(sector)?;
        let begun = Instant::now();
        let content = self.admitted(&sector, &origin, self.whole(&sector, text, format))?;
        self.promote_content(&sector, content, origin, begun)
    }

    /// Changes a sector's knowledge by statement: takes some away, and then adds some. Taking away what is not there is no error. Blank nodes
    /// labelled `c14n0`, `c14n1`, … are those of an export as N-Triples; others, among what is added, are new.
    ///
    /// # Errors
    /// As [`Engine::promote_rdf`].
    pub fn promote_delta(
        &self,
        sector: &str,
        removed: &[u8],
        added: &[u8],
        format: Format,
        origin: Origin,
    ) -> Result<VersionInfo, Error> {
        self.checked()?;
        let sector = self.sector(sector)?;
        let begun = Instant::now();
        let base = self.base(&sector)?;
        let delta = self.admitted(&sector, &origin, self.change(&base, removed, added, format))?;
        let of = |triples: &[_]| Statements { terms: base.graph().terms().clone(), triples: triples.to_vec() };
        let content = Content::Change { removed: of(delta.removed()), added: of(delta.added()) };
        self.promote_content(&sector, content, origin, begun)
    }

    /// Whether a text of so many bytes is within the engine's limit: for whoever has to copy it before the call.
    ///
    /// # Errors
    /// `Limit`.
    pub fn check_bytes(&self, len: usize) -> Result<(), Error> {
        Ok(rdf::check_bytes(len, &self.inner.limits)?)
    }

    /// Validates a sector's current knowledge against its shapes.
    ///
    /// # Errors
    /// `NotFound` for an unknown sector, `NotReady` before the first promotion.
    pub fn validate(&self, sector: &str) -> Result<Report, Error> {
        let sector = self.sector(sector)?;
        Ok(self.version_of(&sector, None, "validate")?.snapshot.report().clone())
    }

    /// Validates an ontology as if it were promoted, and changes nothing.
    ///
    /// # Errors
    /// As [`Engine::promote_rdf`], but that breaking shapes is no error.
    pub fn validate_rdf(&self, sector: &str, text: &[u8], format: Format) -> Result<Report, Error> {
        let sector = self.sector(sector)?;
        let base = self.base(&sector)?;
        let report = || -> Result<Report, Error> {
            let content = match format {
                Format::Json => sector.read_json(std::str::from_utf8(text).map_err(not_utf8)?, &self.inner.limits)?,
                _ => self.whole(&sector, text, format)?,
            };
            let after = base.apply(&content.change(&base)?)?;
            after.document().map_err(Clone::clone)?;
            Ok(after.report().clone())
        };
        let report = report();
        forget(&sector);
        report
    }

    /// Validates a change by statement as if it were promoted, and changes nothing. What it costs follows the change.
    ///
    /// # Errors
    /// As [`Engine::promote_delta`], but that breaking shapes is no error.
    pub fn validate_delta(&self, sector: &str, removed: &[u8], added: &[u8], format: Format) -> Result<Report, Error> {
        let sector = self.sector(sector)?;
        let base = self.base(&sector)?;
        let report = || -> Result<Report, Error> {
            let after = base.apply(&self.change(&base, removed, added, format)?)?;
            Ok(after.report().clone())
        };
        let report = report();
        forget(&sector);
        report
    }

    /// A retained version, or the current one with `None`, in a format; importing it gives the same knowledge. The text is the same for the
    /// same knowledge. JSON holds parameters and the sector's own classes alone: [`Engine::is_beyond_json`] tells whether there is more.
    ///
    /// # Errors
    /// `NotFound`; `NotReady` before the first promotion; `Document` for what the format cannot say.
    pub fn export(&self, sector: &str, version: Option<u64>, format: Format) -> Result<String, Error> {
        if format == Format::Json {
            return self.export_json(sector, version);
        }
        let sector = self.sector(sector)?;
        let snapshot = self.snapshot_of(&sector, version, "export")?;
        let graph = snapshot.graph();
        let mut text = Vec::new();
        rdf::write(graph, graph.own(), format, &mut text)?;
        Ok(String::from_utf8(text).expect("every format is written as UTF-8"))
    }

    /// Whether a version states more than plain JSON can: shapes, instances, foreign classes, properties.
    ///
    /// # Errors
    /// As [`Engine::export`].
    pub fn is_beyond_json(&self, sector: &str, version: Option<u64>) -> Result<bool, Error> {
        let sector = self.sector(sector)?;
        let snapshot = self.snapshot_of(&sector, version, "export")?;
        Ok(snapshot.is_beyond_json().map_err(Clone::clone)?)
    }

    /// What leads from one retained version to another, statement by statement; `from` 0 is the sector before its first promotion.
    ///
    /// # Errors
    /// `NotFound` when the sector or a version does not exist.
    pub fn statement_diff(&self, sector: &str, from: u64, to: u64) -> Result<StatementDiff, Error> {
        let sector = self.sector(sector)?;
        let before = match from {
            0 => sector.empty().clone(),
            _ => self.snapshot_of(&sector, Some(from), "diff")?,
        };
        let to = self.snapshot_of(&sector, Some(to), "diff")?;
        Ok(StatementDiff::between(&before, &to))
    }

    /// Proves that a sector's current version says something, to whoever knows its content address.
    ///
    /// # Errors
    /// `Document` for what is not one statement of N-Triples, `NotFound` where the version does not say it, `NotReady` before the first
    /// promotion.
    pub fn prove(&self, sector: &str, statement: &str) -> Result<Proof, Error> {
        let line = canonical_line(statement)?;
        let sector = self.sector(sector)?;
        let version = self.version_of(&sector, None, "prove")?;
        version.snapshot.prove(&line).map(Proof::from).ok_or_else(|| {
            let line = String::from_utf8_lossy(line.trim_ascii_end()).into_owned();
            let message = format!("version {} of sector {} does not state {line}", version.number, sector.name());
            Error::new(Status::NotFound, "prove", line, message)
        })
    }

    /// Creates a sector with the knowledge that is shipped for it: its classes, shapes, and parameters with ranges and defaults. `name` is
    /// `finance`, `healthcare`, `logistics` or `manufacturing`, and the sector's name then. A governed one is proposed, and has the doctrine and
    /// the guards that are shipped for it.
    ///
    /// # Errors
    /// `NotFound` where none of that name is shipped; `NotAdmitted` where a stage refuses it; else as [`Engine::create_sector`].
    pub fn create_sector_from(&self, name: &str, kind: SectorKind) -> Result<VersionInfo, Error> {
        let Some(shipped) = sectors::shipped().iter().find(|shipped| shipped.name == name) else {
            let names: Vec<_> = sectors::shipped().iter().map(|shipped| shipped.name).collect();
            let message = format!("no sector {name:?} is shipped; there are {}", names.join(", "));
            return Err(Error::new(Status::NotFound, "create", name, message));
        };
        self.create_sector(name, kind)?;
        let why = format!("shipped for {}", shipped.title);
        if kind == SectorKind::Governed {
            return self.govern_shipped(shipped, &why);
        }
        let origin = Origin { by: "knhk".into(), why, ..Origin::default() };
        self.promote_rdf(name, shipped.ontology.as_bytes(), Format::Turtle, origin)
    }

    /// What a change starts from: the current version's snapshot, or the empty one.
    pub(crate) fn base(&self, sector: &Sector) -> Result<Arc<Snapshot>, Error> {
        Ok(sector.lock()?.base().clone())
    }

    pub(crate) fn whole(&self, sector: &Sector, text: &[u8], format: Format) -> Result<Content, Error> {
        let base = self.base(sector)?;
        let terms = base.graph().terms().clone();
        let limits = &self.inner.limits;
        let triples = rdf::parse(text, format, base.namespace().prefix(), &terms, limits)
            .and_then(|triples| canon::label(triples, &terms, limits))
            .inspect_err(|_| forget(sector))?;
        Ok(Content::Whole(Statements { terms, triples }))
    }

    pub(crate) fn change(&self, base: &Snapshot, removed: &[u8], added: &[u8], format: Format) -> Result<Delta, Error> {
        let prefix = base.namespace().prefix();
        let sector = self.sector(base.namespace().sector())?;
        let delta = rdf::parse_delta(removed, added, format, prefix, base.graph(), &self.inner.limits);
        Ok(delta.inspect_err(|_| forget(&sector))?)
    }

    /// What a retained version states, or the current one: from memory, or else from the store.
    pub(crate) fn snapshot_of(
        &self,
        sector: &Sector,
        version: Option<u64>,
        stage: &'static str,
    ) -> Result<Arc<Snapshot>, Error> {
        match (self.version_of(sector, version, stage), version, &self.inner.journal.durable) {
            (Ok(version), _, _) => Ok(version.snapshot.clone()),
            (Err(error), Some(number), Some(durable)) if error.status() == Status::NotFound => {
                let near = self.base(sector)?;
                let record = durable.history.version(sector.name(), number)?;
                Ok(Arc::new(durable.history.load(&record, &near)?.0))
            }
            (Err(error), _, _) => Err(error),
        }
    }

    /// A version in memory, or the current one.
    pub(crate) fn version_of(
        &self,
        sector: &Sector,
        version: Option<u64>,
        stage: &'static str,
    ) -> Result<Arc<Version>, Error> {
        let state = sector.lock()?;
        let found = match version {
            Some(number) => state.version(number),
            None => state.current(),
        };
        found.cloned().ok_or_else(|| match version {
            Some(number) => {
                let message = format!("sector {} retains no version {number}", sector.name());
                Error::new(Status::NotFound, stage, sector.name(), message)
            }
            None => {
                let message = format!("nothing was promoted in sector {} yet", sector.name());
                Error::new(Status::NotReady, stage, sector.name(), message)
            }
        })
    }
}

/// Lets go of the names that a refused text, or one that was only validated, brought.
fn forget(sector: &Sector) {
    // Where a promotion panicked under the sector's lock, nothing more comes in.
    _ = sector.tidy();
}

fn not_utf8(error: std::str::Utf8Error) -> Error {
    let message = format!("byte {} is not UTF-8: a document is UTF-8 text", error.valid_up_to());
    Error::new(Status::Document, "parse", "", message)
}
