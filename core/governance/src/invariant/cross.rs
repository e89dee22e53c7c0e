//! Invariants across sectors: what several sectors say together, and names that one uses and another has or has not.

use std::collections::HashSet;
use std::sync::Arc;

use knhk_hot::artifact::{Artifact, Value};
use knhk_ontology::graph::{Term, TermRef};
use knhk_ontology::vocabulary::{knhk, owl, rdf, rdfs};
use knhk_ontology::{Compiled, Snapshot, owner};

use crate::doctrine::{Expression, ExpressionError, Scope, json_of};
use crate::mutant::{Mutant, mutated};
use crate::names::name;
use crate::notes::Notes;
use crate::{Candidate, Severity};

/// Another sector, as it is while the change is judged.
#[derive(Clone, Debug)]
pub struct Other {
    /// Its name.
    pub sector: String,
    /// What is known of it: what is current, or what it becomes together with the candidate.
    pub snapshot: Arc<Snapshot>,
    /// What programs read of that.
    pub compiled: Option<Arc<Compiled>>,
}

/// The sectors as they would be after the change.
#[derive(Clone, Copy, Debug)]
pub struct Sectors<'c> {
    candidate: &'c Candidate,
    others: &'c [Other],
}

/// What has to hold of several sectors together.
#[derive(Clone)]
pub struct CrossInvariant {
    /// Its name.
    pub name: String,
    /// How grave it is where it does not hold.
    pub severity: Severity,
    /// Whether it holds.
    #[allow(clippy::type_complexity, reason = "it is one function")]
    pub holds: Arc<dyn Fn(&Sectors<'_>) -> Result<(), Broken> + Send + Sync>,
}

/// Why an invariant counts as broken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Broken {
    /// It does not hold; what is wrong, where that says more than the invariant's name.
    Not(String),
    /// Whether it holds cannot be told, and why: that refuses, however grave the invariant is.
    Unknown(String),
}

impl std::fmt::Debug for CrossInvariant {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CrossInvariant").field("name", &self.name).finish_non_exhaustive()
    }
}

impl CrossInvariant {
    /// A condition in CEL over values of several sectors: `after["orders/max_qty"] <= after["risk/ceiling"]`. The first name of a path is the
    /// sector's.
    ///
    /// # Errors
    /// What is wrong with the condition.
    pub fn of_condition(name: &str, severity: Severity, condition: &str) -> Result<CrossInvariant, ExpressionError> {
        let expression = Expression::compile_for(condition, &["after"])?;
        let holds = move |sectors: &Sectors<'_>| {
            let of = |path: &str| path.split_once('/').and_then(|(sector, path)| sectors.value(sector, path));
            let scope = Scope::new(&serde_json::json!({ "after": values(&expression, of) }));
            match expression.holds(&scope) {
                Ok(true) => Ok(()),
                Ok(false) => Err(Broken::Not(String::new())),
                Err(error) => Err(Broken::Unknown(error.to_string())),
            }
        };
        Ok(CrossInvariant { name: name.into(), severity, holds: Arc::new(holds) })
    }
}

/// The values at the paths that a condition writes out, where there are any.
pub(crate) fn values<'v>(expression: &Expression, of: impl Fn(&str) -> Option<Value<'v>>) -> serde_json::Value {
    let value = |path: &str| Some((path.to_owned(), json_of(&of(path)?)));
    expression.literals().filter_map(value).collect::<serde_json::Map<_, _>>().into()
}

impl<'c> Sectors<'c> {
    /// The sectors with a candidate in the place of its own.
    pub fn new(candidate: &'c Candidate, others: &'c [Other]) -> Sectors<'c> {
        Sectors { candidate, others }
    }

    /// The candidate.
    pub fn candidate(&self) -> &'c Candidate {
        self.candidate
    }

    /// The other sectors; those that change together with the candidate as they would be.
    pub fn others(&self) -> &'c [Other] {
        self.others
    }

    /// What is known of a sector.
    pub fn snapshot(&self, sector: &str) -> Option<&'c Snapshot> {
        if sector == self.candidate.sector {
            return Some(&self.candidate.snapshot);
        }
        self.others.iter().find(|other| other.sector == sector).map(|other| &*other.snapshot)
    }

    /// What programs read of a sector.
    pub fn artifact(&self, sector: &str) -> Option<&'c Artifact> {
        let compiled = if sector == self.candidate.sector {
            self.candidate.compiled.as_ref()
        } else {
            self.others.iter().find(|other| other.sector == sector)?.compiled.as_ref()
        };
        compiled.map(|compiled| &*compiled.artifact)
    }

    /// A parameter's value.
    pub fn value(&self, sector: &str, path: &str) -> Option<Value<'c>> {
        let artifact = self.artifact(sector)?;
        artifact.value(artifact.find(path)?)
    }
}

pub(crate) fn across(sectors: &Sectors<'_>, invariants: &[CrossInvariant], notes: &mut Notes) {
    for CrossInvariant { name, severity, holds } in invariants {
        let item = format!("invariant {name}");
        match holds(sectors) {
            Ok(()) => {}
            Err(Broken::Not(_)) if mutated(Mutant::AcrossUnasked) => {}
            Err(Broken::Not(what)) => {
                let fix = "change the sectors together, so that it holds of all of them";
                let what = if what.is_empty() { what } else { format!(": {what}") };
                notes.add(*severity, item, format!("{name} would not hold any more{what}"), fix.into());
            }
            Err(Broken::Unknown(why)) => {
                notes.blocker(item, format!("whether {name} holds cannot be told: {why}"), "mend the invariant")
            }
        }
    }
    identifiers(sectors, notes);
}

/// Names of other sectors that the change uses, names of its own that it takes from others, and foreign names that two sectors take for
/// different kinds of things.
fn identifiers(sectors: &Sectors<'_>, notes: &mut Notes) {
    let candidate = sectors.candidate;
    let terms = candidate.base.graph().terms();
    let mut seen = HashSet::new();
    for added in candidate.delta.added() {
        for term in [added.predicate, added.object] {
            let TermRef::Iri(iri) = terms.get(term) else { continue };
            let Some(other) = owner(iri).filter(|&other| other != candidate.sector) else { continue };
            if iri.starts_with(knhk::SKOLEM) || iri.starts_with(knhk::CORE) || !seen.insert(term) {
                continue;
            }
            let known = sectors.snapshot(other).is_some_and(|snapshot| states(snapshot, iri));
            if !known {
                let subject = name(&candidate.base, added.subject);
                let what = format!("{subject} refers to {iri}, of which sector {other} says nothing");
                notes.blocker("identifier", what, format!("state it in {other} first, or promote both together"));
            }
        }
        kinds(sectors, added.subject, added.predicate, added.object, notes);
    }
    for subject in candidate.subjects() {
        gone(sectors, subject, notes);
    }
}

fn states(snapshot: &Snapshot, iri: &str) -> bool {
    let graph = snapshot.graph();
    graph.terms().find_iri(iri).is_some_and(|term| graph.about(term).next().is_some())
}

/// A name that nothing is said of any more, and that another sector refers to.
fn gone(sectors: &Sectors<'_>, subject: Term, notes: &mut Notes) {
    let candidate = sectors.candidate;
    let TermRef::Iri(iri) = candidate.base.graph().terms().get(subject) else { return };
    let graph = candidate.snapshot.graph();
    if candidate.base.namespace().local(iri).is_none()
        || candidate.after(subject).is_some_and(|subject| graph.about(subject).next().is_some())
    {
        return;
    }
    for other in sectors.others {
        // Most names are not even known there, which costs one look.
        let graph = other.snapshot.graph();
        let Some(term) = graph.terms().find_iri(iri) else { continue };
        if let Some((by, _)) = graph.with_object(term).next() {
            let by = name(&other.snapshot, by);
            let what = format!(
                "{} would be gone, to which {by} of sector {} refers",
                name(&candidate.base, subject),
                other.sector
            );
            notes.blocker("identifier", what, format!("change {by} first, or promote both together"));
        }
    }
}

/// A name of neither sector that is a class in one and a property in the other.
fn kinds(sectors: &Sectors<'_>, subject: Term, predicate: Term, object: Term, notes: &mut Notes) {
    let terms = sectors.candidate.base.graph().terms();
    let (TermRef::Iri(subject), TermRef::Iri(rdf::TYPE), TermRef::Iri(object)) =
        (terms.get(subject), terms.get(predicate), terms.get(object))
    else {
        return;
    };
    let Some(is_class) = class_or_property(object) else { return };
    for other in sectors.others {
        let graph = other.snapshot.graph();
        let (Some(same), Some(is)) = (graph.terms().find_iri(subject), graph.terms().find_iri(rdf::TYPE)) else {
            continue;
        };
        let contrary = graph.objects(same, is).find(|&kind| match graph.terms().get(kind) {
            TermRef::Iri(kind) => class_or_property(kind) == Some(!is_class),
            _ => false,
        });
        if contrary.is_some() {
            let (here, there) = if is_class { ("a class", "a property") } else { ("a property", "a class") };
            let what = format!("{subject} would be {here} here, and is {there} in sector {}", other.sector);
            notes.blocker("identifier", what, "take another name for one of them");
        }
    }
}

fn class_or_property(kind: &str) -> Option<bool> {
    match kind {
        rdfs::CLASS | owl::CLASS => Some(true),
        rdf::PROPERTY | owl::OBJECT_PROPERTY | owl::DATATYPE_PROPERTY | owl::ANNOTATION_PROPERTY => Some(false),
        _ => None,
    }
}
