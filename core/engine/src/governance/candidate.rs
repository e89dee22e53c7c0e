//! From what somebody asks to candidates: what each sector would become, carried out aside.

use std::sync::Arc;

use knhk_governance::{Asked, Candidate};
use knhk_ontology::graph::Delta;
use knhk_ontology::{Document, KeyTable};
use knhk_promotion::{Content, Sector, Statements};
use sha2::{Digest, Sha256};

use super::{Proposal, Propose, SectorChange};
use crate::control::{self, edited, named};
use crate::{Engine, Error, Format, Status};

/// Sectors that one proposal changes, at most: as many as an engine has.
const SECTORS: usize = knhk_hot::layout::SECTOR_CAPACITY;

/// Characters of a name or a reason, at most.
const TEXT: usize = 2000;

/// A candidate with what it was made against.
pub(super) struct Prepared {
    pub sector: Arc<Sector>,
    pub candidate: Candidate,
    /// The sector's key table as it was.
    pub keys: KeyTable,
}

impl Prepared {
    /// Whether the sector is still as it was.
    pub fn is_current(&self) -> Result<bool, Error> {
        let state = self.sector.lock()?;
        Ok(state.current().map_or(0, |current| current.number) == self.candidate.base_version)
    }

    /// What a promotion of it changes.
    pub fn content(&self) -> Content {
        let (terms, delta) = (self.candidate.base.graph().terms(), &self.candidate.delta);
        let of = |triples: &[_]| Statements { terms: terms.clone(), triples: triples.to_vec() };
        Content::Change { removed: of(delta.removed()), added: of(delta.added()) }
    }
}

impl Propose {
    /// Refuses what is no request.
    pub(super) fn check(&self) -> Result<(), Error> {
        let wrong = |item: &str, why: String| Err(Error::new(Status::InvalidArgument, "propose", item, why));
        let sectors: Vec<&str> = self.changes.iter().map(|change| change.sector.as_str()).collect();
        if sectors.is_empty() {
            return wrong("changes", "a proposal changes one sector at least: name what becomes of which".into());
        }
        if sectors.len() > SECTORS {
            return wrong(
                "changes",
                format!("a proposal changes {SECTORS} sectors at most, and this one {}", sectors.len()),
            );
        }
        if let Some(twice) = sectors.iter().enumerate().find(|(at, name)| sectors[..*at].contains(name)) {
            return wrong(twice.1, format!("sector {} is changed twice: make one change of both", twice.1));
        }
        if let Some(confidence) = self.confidence.filter(|confidence| !(0.0..=1.0).contains(confidence)) {
            return wrong("confidence", format!("a confidence is between 0 and 1, and {confidence} is not"));
        }
        for (item, text) in [("by", &self.by), ("why", &self.why)] {
            if text.chars().count() > TEXT {
                return wrong(item, format!("`{item}` has at most {TEXT} characters"));
            }
        }
        Ok(())
    }
}

impl Engine {
    /// What a change of a sector, as it travels, is to a promotion.
    pub(crate) fn content_of(&self, sector: &Sector, content: &control::Content) -> Result<Content, Error> {
        match content {
            control::Content::Document { text, format } => match named(format.as_deref())? {
                Format::Json => Ok(Document::parse(text, &self.inner.limits)?.into()),
                format => self.whole(sector, text.as_bytes(), format),
            },
            control::Content::Change { removed, added, format } => {
                let base = self.base(sector)?;
                let format = named(Some(format))?;
                let delta = self.change(&base, removed.as_bytes(), added.as_bytes(), format)?;
                let of = |triples: &[_]| Statements { terms: base.graph().terms().clone(), triples: triples.to_vec() };
                Ok(Content::Change { removed: of(delta.removed()), added: of(delta.added()) })
            }
            control::Content::Values(values) => edited(self, sector, values),
        }
    }

    /// Carries a change out aside. Nothing that others see changes.
    pub(super) fn prepared(&self, change: &SectorChange, asked: Asked) -> Result<Prepared, Error> {
        let sector = self.sector(&change.sector)?;
        let content = self.content_of(&sector, &change.content)?;
        let (number, base, current, keys) = {
            let state = sector.lock()?;
            let current = state.current().map(|version| (version.number, version.compiled.clone()));
            let (number, compiled) = current.map_or((0, None), |(number, compiled)| (number, Some(compiled)));
            (number, state.base().clone(), compiled, state.keys.clone())
        };
        let delta: Arc<Delta> = Arc::new(content.change(&base)?);
        let candidate = Candidate::prepare(asked, number, base, current, delta, &keys);
        match candidate {
            Ok(candidate) => Ok(Prepared { sector, candidate, keys }),
            Err(error) => {
                // What it brought is let go of again; a sector that refuses changes says so elsewhere.
                _ = sector.tidy();
                Err(error.into())
            }
        }
    }

    /// The candidates of a proposal, sector by sector, as things are now.
    pub(super) fn candidates(&self, id: &str, asked: &Propose, time_ns: u64) -> Result<Vec<Prepared>, Error> {
        let of = |change| {
            let asked = Asked {
                proposal: id.into(),
                by: asked.by.clone(),
                why: asked.why.clone(),
                confidence: asked.confidence,
                major: asked.major,
                time_ns,
                effective_ns: asked.at_ns,
            };
            self.prepared(change, asked)
        };
        asked.changes.iter().map(of).collect()
    }
}

impl Proposal {
    /// What was asked, to be asked again.
    pub(super) fn asked(&self) -> Propose {
        let change = |one: &super::Proposed| SectorChange { sector: one.sector.clone(), content: one.content.clone() };
        Propose {
            changes: self.changes.iter().map(change).collect(),
            by: self.by.clone(),
            why: self.why.clone(),
            major: self.major,
            confidence: self.confidence,
            merges: self.merges,
            depends: self.depends.clone(),
            at_ns: self.at_ns,
            enact: self.enact,
        }
    }
}

/// What approvals of a proposal are about: who asks for what. SHA-256 over `knhk proposal 1`, NUL, the proposal's id, who asks, whether it is
/// a major change, its moment, and each sector's name with its delta's digest; every text with its length before it.
pub(super) fn request_digest(id: &str, asked: &Propose, prepared: &[Prepared]) -> [u8; 32] {
    let mut hash = Sha256::new_with_prefix(b"knhk proposal 1\0");
    let mut text = |bytes: &[u8]| {
        hash.update((bytes.len() as u64).to_be_bytes());
        hash.update(bytes);
    };
    text(id.as_bytes());
    text(asked.by.as_bytes());
    text(&[u8::from(asked.major)]);
    text(&asked.at_ns.unwrap_or(0).to_be_bytes());
    for one in prepared {
        text(one.candidate.sector.as_bytes());
        text(&one.candidate.digest);
    }
    hash.finalize().into()
}
