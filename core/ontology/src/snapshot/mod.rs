//! A snapshot: one immutable Σ with what follows from it.

mod lines;

use std::sync::{Arc, OnceLock};

use sha2::{Digest, Sha256};

pub use self::lines::address_of;
use crate::aside::{Alone, Aside, Hashing};
use crate::core::Core;
use crate::counters;
use crate::graph::{Delta, Graph, TermRef, Triple, write_statement};
use crate::merkle::{Hash, Map};
use crate::names::{self, Namespace};
use crate::proof::Proof;
use crate::rdf::RdfError;
use crate::shacl::{Report, Shapes, ShapesError};
use crate::statements::{Changes, changes};
use crate::view::View;
use crate::vocabulary::knhk;
use crate::words::Words;
use crate::{CompileError, Compiled, Difference, Document, DocumentError, Limits, diff};

/// Σ_core ⊕ Σ_sector at one moment. Cloning it is cheap, and snapshots share what they have in common.
#[derive(Clone, Debug)]
pub struct Snapshot {
    of: Arc<Sector>,
    graph: Graph,
    map: Map,
    id: [u8; 32],
    shapes: Shapes,
    report: Report,
    /// Whether the report is the same whatever the parameters' values are.
    idle: OnceLock<bool>,
    view: Arc<OnceLock<Result<View, DocumentError>>>,
    /// What it was made as, where that was under another core.
    made: Option<Arc<Made>>,
}

/// A snapshot as it was made under a core that is not this library's.
#[derive(Debug)]
struct Made {
    /// The root of that core.
    core: Hash,
    /// The Merkle map of the statements that were the sector's own under it.
    map: Map,
    /// Those statements, where this core has some of them.
    lines: Option<Vec<u8>>,
}

/// Statements to hash from which on another thread helps.
const MANY: usize = 4096;

/// What all snapshots of a sector share.
#[derive(Debug)]
struct Sector {
    space: Namespace,
    words: Words,
    /// The Merkle map of the core's statements.
    core: Map,
    limits: Limits,
}

/// Why a change was refused. The snapshot is as it was.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SnapshotError {
    /// A change of the core.
    #[error("the core is the same in every sector and no sector changes it: leave out {statement}")]
    Core {
        /// The statement, as a line of N-Triples.
        statement: String,
    },
    /// A statement about another sector's name.
    #[error("{statement} is about a name of sector {owner}: state it there, or give it a name under {prefix}")]
    Foreign {
        /// The statement, as a line of N-Triples.
        statement: String,
        /// The sector whose name it is.
        owner: String,
        /// Where this sector's names begin.
        prefix: String,
    },
    /// What programs would read of it is not sound.
    #[error(transparent)]
    Document(#[from] DocumentError),
    /// No RDF.
    #[error(transparent)]
    Rdf(#[from] RdfError),
    /// Its shapes are ill-formed, or ask for what SHACL Core does not have.
    #[error(transparent)]
    Shapes(#[from] ShapesError),
}

impl Snapshot {
    /// A sector of which nothing but the core is known.
    pub fn empty(sector: &str, core: &Core, limits: &Limits) -> Snapshot {
        let words = Words::of(core.graph().terms());
        let of = Sector { space: Namespace::of(sector), words, core: core.map().clone(), limits: *limits };
        let graph = Graph::over(core.graph());
        let shapes = Shapes::compile(&graph).expect("a core's shapes are sound: its tests compile them");
        let report = shapes.validate(&graph);
        Snapshot::with(Arc::new(of), graph, Map::empty(), shapes, report)
    }

    fn with(of: Arc<Sector>, graph: Graph, map: Map, shapes: Shapes, report: Report) -> Snapshot {
        let id = address(&of.core.root(), &map.root());
        Snapshot { of, graph, map, id, shapes, report, idle: OnceLock::new(), view: Arc::default(), made: None }
    }

    /// The content address: `SHA-256("knhk snapshot 2\0" || root of the core || root of the sector's own statements)`. The core is the one
    /// that it was made with: see [`Snapshot::core_root`].
    pub fn id(&self) -> [u8; 32] {
        self.id
    }

    /// The root of the core that its content address was made with: this library's, save for [`Snapshot::made_under`].
    pub fn core_root(&self) -> [u8; 32] {
        self.made.as_ref().map_or_else(|| self.of.core.root(), |made| made.core)
    }

    /// The root of the core that it is read and checked over.
    pub fn over(&self) -> [u8; 32] {
        self.of.core.root()
    }

    /// Core and sector as one graph.
    pub fn graph(&self) -> &Graph {
        &self.graph
    }

    /// The shapes of core and sector.
    pub fn shapes(&self) -> &Shapes {
        &self.shapes
    }

    /// What breaks the shapes. A snapshot with violations can be made, to look at, and is refused where it would be promoted.
    pub fn report(&self) -> &Report {
        &self.report
    }

    /// What a document, or a graph, of the sector may ask for.
    pub fn limits(&self) -> &Limits {
        &self.of.limits
    }

    /// The sector's names.
    pub fn namespace(&self) -> &Namespace {
        &self.of.space
    }

    /// What programs read of it, as a document: parameters, maps and classes, sorted by name; and the classes and properties that JSON
    /// cannot name, which its JSON leaves out. Computed when first asked for.
    ///
    /// # Errors
    /// What is not sound: a parameter that breaks its own range, a name that is both a value and a map, and so on.
    pub fn document(&self) -> Result<&Document, &DocumentError> {
        self.view().map(|view| &view.document)
    }

    /// Whether it states more than its JSON tells: shapes, instances, foreign classes, properties. Turtle tells all of it.
    ///
    /// # Errors
    /// As [`Snapshot::document`].
    pub fn is_beyond_json(&self) -> Result<bool, &DocumentError> {
        self.view().map(|view| view.lossy)
    }

    pub(crate) fn view(&self) -> Result<&View, &DocumentError> {
        let of = || View::of(&self.graph, &self.of.words, &self.of.space, &self.of.limits);
        self.view.get_or_init(of).as_ref()
    }

    pub(crate) fn words(&self) -> &Words {
        &self.of.words
    }

    /// What leads from here to the document's values, maps and classes; all else stays as it is.
    ///
    /// # Errors
    /// As [`Snapshot::document`].
    pub fn change_to(&self, document: &Document) -> Result<Delta, DocumentError> {
        let view = self.view().map_err(Clone::clone)?;
        let Changes { removed, added } = changes(&self.graph, &self.of.words, &self.of.space, view, document);
        Ok(Delta::new(&self.graph, removed, added))
    }

    /// The snapshot after a change, validated as far as the change asks for it.
    ///
    /// # Errors
    /// [`SnapshotError::Core`] and [`SnapshotError::Foreign`], with the statement; [`SnapshotError::Shapes`].
    pub fn apply(&self, delta: &Delta) -> Result<Snapshot, SnapshotError> {
        let _span = tracing::debug_span!("knhk.ontology.apply", changes = delta.len()).entered();
        self.check(delta).inspect_err(|error| {
            counters::FOREIGN.add(1);
            tracing::debug!(%error, "the change was refused");
        })?;
        let after = self.apply_own(delta)?;
        counters::APPLIED.add(1);
        counters::CHANGED.add(delta.len());
        Ok(after)
    }

    /// [`Snapshot::apply`] of a change that is known to be about the sector's own names: one that a document made.
    fn apply_own(&self, delta: &Delta) -> Result<Snapshot, SnapshotError> {
        let graph = self.graph.apply(delta);
        let map = self.map.apply_towards(&graph, delta);
        if let Some(graph) = graph.compacted() {
            return self.moved(graph, map);
        }
        let (shapes, report) = if self.shapes.touched_by(delta) {
            let shapes = Shapes::compile(&graph)?;
            let report = shapes.validate(&graph);
            (shapes, report)
        } else {
            (self.shapes.clone(), self.validated(&graph, delta, &Alone))
        };
        Ok(Snapshot::with(self.of.clone(), graph, map, shapes, report))
    }

    /// The same in an interner of its own, where the one it has holds much that it does not use: what refused changes and mere questions
    /// left there. Cheap where there is little.
    pub fn compacted(&self) -> Option<Snapshot> {
        // Shapes that compiled do so again.
        let moved = self.moved(self.graph.compacted()?, self.map.clone()).ok()?;
        Some(Snapshot { made: self.made.clone(), id: self.id, ..moved })
    }

    /// The snapshot of a graph that is in another interner.
    fn moved(&self, graph: Graph, map: Map) -> Result<Snapshot, SnapshotError> {
        let Sector { space, core, limits, .. } = &*self.of;
        let (space, words) = (space.clone(), Words::of(graph.terms()));
        let of = Sector { space, words, core: core.clone(), limits: *limits };
        let shapes = Shapes::compile(&graph)?;
        let report = shapes.validate(&graph);
        Ok(Snapshot::with(Arc::new(of), graph, map, shapes, report))
    }

    /// [`Snapshot::apply`] of a change that gives parameters other values and nothing else, together with what it compiles to; none for any
    /// other change, and now and then for one that is, which has to take the way of all others then. The content address of a change of many
    /// is computed aside.
    ///
    /// # Errors
    /// When there is no memory for the artifact.
    pub fn revise(
        &self,
        compiled: &Compiled,
        delta: &Arc<Delta>,
        aside: &dyn Aside,
    ) -> Option<Result<(Snapshot, Compiled), CompileError>> {
        if !compiled.is_revised_by(self, delta) {
            return None;
        }
        // Where only a part of what there is stays, hashing what stays beats hashing what goes.
        let most = delta.len() > self.graph.own_len() && delta.removed().len() < self.map.len();
        let least = if most { usize::MAX } else { MANY };
        let hashing = Hashing::begin(aside, &self.map, self.graph.terms(), delta, least);
        // First, so that the other thread makes the map while this one does all the rest.
        let hashed = hashing.as_ref().and_then(Hashing::help);
        let revised = compiled.revise(self, delta)?;
        let idle = *self.idle.get_or_init(|| self.shapes.is_idle(&self.graph, self.of.words.value));
        let graph = if idle { self.graph.apply_own(delta) } else { self.graph.apply(delta) };
        if graph.compacted().is_some() {
            return None;
        }
        let report = if idle { self.report.clone() } else { self.validated(&graph, delta, aside) };
        let map = match (hashed, hashing) {
            (Some(map), _) => map,
            (None, Some(hashing)) => hashing.finish(),
            (None, None) => self.map.apply_towards(&graph, delta),
        };
        let next = Snapshot::with(self.of.clone(), graph, map, self.shapes.clone(), report);
        next.idle.get_or_init(|| idle);
        let compiled = revised.finish(next.id);
        counters::APPLIED.add(usize::from(compiled.is_ok()));
        counters::CHANGED.add(if compiled.is_ok() { delta.len() } else { 0 });
        Some(compiled.map(|compiled| (next, compiled)))
    }

    /// The report on the graph after a change that leaves the shapes as they are.
    fn validated(&self, graph: &Graph, delta: &Delta, aside: &dyn Aside) -> Report {
        // Where most of it changed, the whole is less than the change.
        if delta.len() >= graph.own_len() {
            self.shapes.validate_with(graph, aside)
        } else {
            self.shapes.validate_delta(&self.graph, graph, delta, &self.report)
        }
    }

    /// The proof that the snapshot, core included, states this: a canonical line of N-Triples with its line feed. None where it does not, and
    /// for a statement of the core that it was made with where that is not this library's.
    pub fn prove(&self, line: &[u8]) -> Option<Proof> {
        if let Some(made) = &self.made {
            return Some(Proof { in_core: false, other: made.core, path: made.map.prove(line)? });
        }
        let (core, sector) = (&self.of.core, &self.map);
        let of = |in_core, map: &Map, other: &Map| Some(Proof { in_core, other: other.root(), path: map.prove(line)? });
        of(false, sector, core).or_else(|| of(true, core, sector))
    }

    /// Refuses what no change of this sector may touch.
    fn check(&self, delta: &Delta) -> Result<(), SnapshotError> {
        let mut last = None;
        for (triple, removes) in
            delta.removed().iter().map(|&one| (one, true)).chain(delta.added().iter().map(|&one| (one, false)))
        {
            if removes && self.graph.is_core(triple) {
                return Err(SnapshotError::Core { statement: self.line(triple) });
            }
            if last == Some(triple.subject) {
                continue;
            }
            last = Some(triple.subject);
            let TermRef::Iri(iri) = self.graph.terms().get(triple.subject) else { continue };
            if !iri.starts_with(knhk::SECTORS) || self.of.space.local(iri).is_some() || iri.starts_with(knhk::SKOLEM) {
                continue;
            }
            if iri.starts_with(knhk::CORE) {
                return Err(SnapshotError::Core { statement: self.line(triple) });
            }
            return Err(SnapshotError::Foreign {
                statement: self.line(triple),
                owner: names::owner(iri).unwrap_or_default().to_owned(),
                prefix: self.of.space.prefix().to_owned(),
            });
        }
        Ok(())
    }

    fn line(&self, triple: Triple) -> String {
        let mut line = Vec::new();
        write_statement(self.graph.terms(), triple, &mut line);
        String::from_utf8_lossy(line.trim_ascii_end()).into_owned()
    }

    /// What changed since `before`, path by path, as people say it.
    ///
    /// # Errors
    /// As [`Snapshot::document`].
    pub fn differences(&self, before: &Snapshot) -> Result<Vec<Difference>, &DocumentError> {
        // Both were read before they became current; a snapshot that never did may not be sound.
        Ok(match before.document() {
            Ok(before) => diff(before, self.document()?),
            Err(_) => diff(&Document::empty(), self.document()?),
        })
    }
}

/// The content address of a core and a sector.
pub(crate) fn address(core: &[u8; 32], sector: &[u8; 32]) -> [u8; 32] {
    Sha256::new_with_prefix(b"knhk snapshot 2\0").chain_update(core).chain_update(sector).finalize().into()
}
