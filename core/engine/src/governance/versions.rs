//! Merging, bisecting, blaming: what the history tells, and what is proposed from it.

use std::collections::BTreeMap;

use knhk_governance::doctrine::{Expression, Scope};
use knhk_ontology::graph::{Delta, write_statement};
use knhk_ontology::{Document, Snapshot};
use knhk_promotion::Sector;
use knhk_version::{Bisect, BlameOf, Blamed, Culprit, Merged, Resolved, Side, Step, Trial};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Proposal, Propose};
use crate::control::{Content, edited};
use crate::{Engine, Error, Status};

/// Two versions that are to become one.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Merge {
    /// The sector.
    pub sector: String,
    /// This side: a reference to a version; the current one if left out.
    #[serde(default)]
    pub ours: Option<String>,
    /// The other side: a reference to a version.
    pub theirs: String,
    /// Who asks.
    #[serde(default)]
    pub by: String,
    /// Why.
    #[serde(default)]
    pub why: String,
    /// What becomes of conflicts, by their item: a side, or a value for a parameter. `*` stands for those that are not named.
    #[serde(default)]
    pub resolve: BTreeMap<String, Resolution>,
    /// Whether a clean merge is proposed, where this side is current.
    #[serde(default)]
    pub propose: bool,
}

/// What becomes of a conflict.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Resolution {
    /// One side holds: `"ours"` or `"theirs"`.
    Side(Side),
    /// A parameter gets this value, as text: `{"value": "1400"}`. Where this side is current.
    Given {
        /// The value.
        value: String,
    },
}

/// What came of a merge.
#[derive(Clone, Debug, Serialize)]
pub struct MergeInfo {
    /// The sector.
    pub sector: String,
    /// The version that both came from; none: nothing.
    pub base: Option<u64>,
    /// This side.
    pub ours: u64,
    /// The other side.
    pub theirs: u64,
    /// What both sides changed differently; nothing is merged then.
    pub conflicts: Vec<knhk_version::Conflict>,
    /// Statements that go from this side, as lines of N-Triples.
    pub removed: Vec<String>,
    /// Statements that come to this side.
    pub added: Vec<String>,
    /// All of it for people.
    pub text: String,
    /// The proposal, where it was asked for and there is something to propose.
    pub proposal: Option<Proposal>,
}

/// A search for the first bad version, and where it stands.
#[derive(Clone, Debug, Serialize)]
pub struct BisectInfo {
    /// The search, to be handed back with what trying showed.
    pub state: Bisect,
    /// The version to try, and how many tries are left at most; none at the end.
    pub next: Option<NextTry>,
    /// What was found, at the end.
    pub culprit: Option<Culprit>,
    /// Where it stands, for people.
    pub text: String,
}

/// A version that is to be tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct NextTry {
    /// The version.
    pub version: u64,
    /// How many tries are left at most, this one included.
    pub left: u32,
}

impl Engine {
    /// Merges one version of a sector into another, by statement: what changed towards `theirs` since both were one, on top of `ours`. A clean
    /// merge can be proposed; what both changed differently is reported, statement by statement.
    ///
    /// # Errors
    /// `NotFound` where a version is not retained; `InvalidArgument` to propose where this side is not current; `Document` where both
    /// together cannot be read; else as [`Engine::propose`].
    pub fn merge(&self, asked: &Merge) -> Result<MergeInfo, Error> {
        let sector = self.sector(&asked.sector)?;
        let current = self.resolve(&asked.sector, "current")?;
        let ours = asked.ours.as_deref().map_or(Ok(current), |ours| self.resolve(&asked.sector, ours))?;
        let theirs = self.resolve(&asked.sector, &asked.theirs)?;
        if asked.propose && ours != current {
            let message =
                format!("version {ours} is not current, which {current} is: merge into the current one to propose it");
            return Err(Error::new(Status::InvalidArgument, "merge", &*asked.sector, message));
        }
        let base = self.base(&sector)?;
        let given = self.given(asked, &sector, &base, ours == current)?;
        let side = |(item, resolution): (&String, &Resolution)| match resolution {
            Resolution::Side(side) => (item.clone(), *side),
            // What is given is set on this side.
            Resolution::Given { .. } => (item.clone(), Side::Ours),
        };
        let mut sides: BTreeMap<String, Side> = asked.resolve.iter().map(side).collect();
        let otherwise = sides.remove("*");
        let resolved = Resolved { sides, otherwise, given: given.as_ref() };
        let merge = self.durable()?.history.merge(&asked.sector, (ours, theirs), &base, &resolved)?;
        let mut info = MergeInfo {
            sector: asked.sector.clone(),
            base: merge.base,
            ours,
            theirs,
            conflicts: Vec::new(),
            removed: Vec::new(),
            added: Vec::new(),
            text: String::new(),
            proposal: None,
        };
        match merge.merged {
            Merged::Nothing => info.text = format!("version {theirs} has nothing that version {ours} does not have"),
            Merged::Clean { delta, snapshot } => {
                (info.removed, info.added) = lines(&snapshot, &delta);
                let (removed, added) = (info.removed.len(), info.added.len());
                info.text =
                    format!("version {theirs} merges into version {ours}: {removed} statements go, {added} come");
            }
            Merged::Conflicts(conflicts) => {
                let told: Vec<String> = conflicts.iter().map(ToString::to_string).collect();
                info.text = format!("{} conflicts; nothing is merged\n{}", told.len(), told.join("\n"));
                info.conflicts = conflicts;
            }
        }
        let changes = !info.removed.is_empty() || !info.added.is_empty();
        if asked.propose && changes {
            let text = |lines: &[String]| lines.iter().map(|line| format!("{line}\n")).collect::<String>();
            let (removed, added) = (text(&info.removed), text(&info.added));
            let content = Content::Change { removed, added, format: "ntriples".into() };
            let why = if asked.why.is_empty() { format!("merge of version {theirs}") } else { asked.why.clone() };
            let merges = Some(theirs);
            let propose = Propose { merges, ..Propose::of(&asked.sector, content, &asked.by, &why) };
            info.proposal = Some(self.propose(&propose)?);
        }
        Ok(info)
    }

    /// This side with the values that were given for the merge.
    fn given(
        &self,
        asked: &Merge,
        sector: &Sector,
        base: &Snapshot,
        is_current: bool,
    ) -> Result<Option<Snapshot>, Error> {
        let value = |(item, resolution): (&String, &Resolution)| match resolution {
            Resolution::Given { value } => Some((item.clone(), value.clone())),
            Resolution::Side(_) => None,
        };
        let values: Vec<(String, String)> = asked.resolve.iter().filter_map(value).collect();
        let Some((first, _)) = values.first() else { return Ok(None) };
        if !is_current {
            let message = "a value can be given where this side is current: leave `ours` out, or resolve by a side";
            return Err(Error::new(Status::InvalidArgument, "merge", first.as_str(), message));
        }
        let change = edited(self, sector, &values)?.change(base)?;
        Ok(Some(base.apply(&change)?))
    }

    /// Begins a search for the first bad version between a good one and a later bad one.
    ///
    /// # Errors
    /// `InvalidArgument` where the bad one does not come after the good one; `NotFound` where one is not retained.
    pub fn begin_bisect(&self, sector: &str, good: &str, bad: &str) -> Result<BisectInfo, Error> {
        let (good, bad) = (self.resolve(sector, good)?, self.resolve(sector, bad)?);
        self.bisecting(self.durable()?.history.begin_bisect(sector, good, bad)?)
    }

    /// Goes on with a search by what trying a version showed.
    ///
    /// # Errors
    /// `InvalidArgument` for a version that is not between the good one and the bad one.
    pub fn go_on_bisecting(&self, mut state: Bisect, version: u64, trial: Trial) -> Result<BisectInfo, Error> {
        state.take(version, trial)?;
        self.bisecting(state)
    }

    /// Searches for the first version of which a predicate says that it is bad.
    ///
    /// # Errors
    /// As [`Engine::begin_bisect`]; whatever the predicate says.
    pub fn bisect(
        &self,
        sector: &str,
        good: &str,
        bad: &str,
        trial: &mut dyn FnMut(u64) -> Result<Trial, Error>,
    ) -> Result<Culprit, Error> {
        let (good, bad) = (self.resolve(sector, good)?, self.resolve(sector, bad)?);
        self.durable()?.history.bisect(sector, good, bad, trial)
    }

    /// [`Engine::bisect`] by a condition in CEL that is true of a bad version. It asks about `values`, a map from path to value.
    ///
    /// # Errors
    /// `Document` for what is no condition, or cannot be told of a version; else as [`Engine::bisect`].
    pub fn bisect_where(&self, sector: &str, good: &str, bad: &str, condition: &str) -> Result<Culprit, Error> {
        let wrong =
            |error: &dyn std::fmt::Display| Error::new(Status::Document, "bisect", condition, error.to_string());
        let expression = Expression::compile_for(condition, &["values"]).map_err(|error| wrong(&error))?;
        self.bisect(sector, good, bad, &mut |version| {
            let of = self.sector(sector)?;
            let snapshot = self.snapshot_of(&of, Some(version), "bisect")?;
            let document = snapshot.document().map_err(Clone::clone)?;
            let scope = Scope::new(&serde_json::json!({ "values": values(document) }));
            let is_bad = expression.holds(&scope).map_err(|error| wrong(&error))?;
            Ok(if is_bad { Trial::Bad } else { Trial::Good })
        })
    }

    /// Which version each statement came with: of all, or of those about a path and what is below it, or of one statement.
    ///
    /// # Errors
    /// `NotFound` where the version is not retained, or does not say that; `Document` for what is no statement of N-Triples.
    pub fn blame(&self, sector: &str, version: Option<&str>, of: BlameOf<'_>) -> Result<Vec<Blamed>, Error> {
        let version = self.resolve(sector, version.unwrap_or("current"))?;
        Ok(self.durable()?.history.blame(sector, version, of)?)
    }

    fn bisecting(&self, state: Bisect) -> Result<BisectInfo, Error> {
        if let Step::Try { version, left } = state.step() {
            let text = format!("try version {version}; at most {left} tries are left");
            return Ok(BisectInfo { state, next: Some(NextTry { version, left }), culprit: None, text });
        }
        let culprit = self.durable()?.history.culprit(&state)?;
        Ok(BisectInfo { state, next: None, text: culprit.to_string(), culprit: Some(culprit) })
    }
}

/// The scalars of a document, by path.
fn values(document: &Document) -> Map<String, Value> {
    let json = |leaf: &knhk_ontology::Leaf<'_>| {
        use knhk_hot::artifact::Value as Of;
        Some(match &leaf.value {
            Of::Bool(value) => Value::from(*value),
            Of::I64(value) => Value::from(*value),
            Of::F64(value) => Value::from(*value),
            Of::Str(value) => Value::from(*value),
            Of::ListBool(values) => values.iter().copied().collect(),
            Of::ListI64(values) => values.iter().copied().collect(),
            Of::ListF64(values) => values.iter().copied().collect(),
            Of::ListStr(values) => values.iter().copied().collect(),
            _ => return None,
        })
    };
    document.entries().filter_map(|leaf| Some((leaf.path.clone(), json(&leaf)?))).collect()
}

/// What a delta removes and adds, as lines of N-Triples.
fn lines(snapshot: &Snapshot, delta: &Delta) -> (Vec<String>, Vec<String>) {
    let terms = snapshot.graph().terms();
    let line = |&triple: &knhk_ontology::graph::Triple| {
        let mut line = Vec::new();
        write_statement(terms, triple, &mut line);
        String::from_utf8_lossy(line.trim_ascii_end()).into_owned()
    };
    (delta.removed().iter().map(line).collect(), delta.added().iter().map(line).collect())
}
