//! What is asserted of a shadow, and what came of it.

use std::collections::HashSet;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use knhk_hot::artifact::{Artifact, Bounds, Value};
use knhk_ontology::graph::{Term, TermRef};
use knhk_ontology::vocabulary::{knhk, owl, rdf, rdfs};
use knhk_ontology::{Compiled, Snapshot, shacl};
use serde::{Deserialize, Serialize};

use super::Shadow;
use crate::counters::TESTS;
use crate::doctrine::{Expression, Scope};
use crate::invariant::values;
use crate::notes::nanoseconds;
use crate::{Severity, Verdict};

/// A test of a shadow: what is asserted, and how grave it is where it does not hold.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Test {
    /// What it is called.
    pub name: String,
    /// How grave it is where it does not hold: only a blocker refuses.
    pub severity: Severity,
    /// What is asserted.
    pub assertion: Assertion,
}

/// What is asserted.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Assertion {
    /// There is a class, below another where one is named.
    Class {
        /// Its name in the sector, or its IRI.
        class: String,
        /// The class that it descends from.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        under: Option<String>,
    },
    /// Something is said of a subject: a property, with a value where one is named.
    Property {
        /// The subject's name in the sector, or its IRI.
        subject: String,
        /// The property's name in the sector, `knhk:` and a name of the core, or its IRI.
        property: String,
        /// The value: a name or an IRI, or what a literal says.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        value: Option<String>,
    },
    /// A parameter's guard range lies within these bounds, so that it guards at least as much.
    Guard {
        /// The parameter's path.
        parameter: String,
        /// The smallest value that may be allowed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        min: Option<f64>,
        /// The largest value that may be allowed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        max: Option<f64>,
    },
    /// A condition in CEL over values: `after["max_qty"] <= 2 * before["max_qty"]`.
    Invariant {
        /// The condition; `before` is what the shadow starts from.
        condition: String,
    },
    /// Nothing contradicts itself: no shape is violated, and programs can read it.
    NoConflicts,
    /// What a function of the program says, which it registered under this name. A shadow by itself knows none: whoever holds the functions
    /// puts a [`Assertion::Callback`] in its place.
    Function {
        /// The name.
        name: String,
    },
    /// Whatever else can be told by looking: named in what is kept, and not to be read back.
    #[serde(skip)]
    Callback(Callback),
}

/// A test of one's own: what is wrong, or nothing.
pub type Callback = Arc<dyn Fn(&Shadow) -> Result<(), String> + Send + Sync>;

impl fmt::Debug for Assertion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Assertion::Class { class, under } => f.debug_tuple("Class").field(class).field(under).finish(),
            Assertion::Property { subject, property, value } => {
                f.debug_tuple("Property").field(subject).field(property).field(value).finish()
            }
            Assertion::Guard { parameter, min, max } => {
                f.debug_tuple("Guard").field(parameter).field(min).field(max).finish()
            }
            Assertion::Invariant { condition } => f.debug_tuple("Invariant").field(condition).finish(),
            Assertion::NoConflicts => f.write_str("NoConflicts"),
            Assertion::Function { name } => f.debug_tuple("Function").field(name).finish(),
            Assertion::Callback(_) => f.write_str("Callback"),
        }
    }
}

/// What came of one test.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// The test.
    pub name: String,
    /// How grave it is where it does not hold.
    pub severity: Severity,
    /// What does not hold; none where all does.
    pub failed: Option<String>,
    /// How long it took, in nanoseconds.
    pub duration_ns: u64,
}

/// What came of all tests of a shadow.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TestReport {
    /// Whether a blocker failed.
    pub verdict: Verdict,
    /// The tests, in their order.
    pub outcomes: Vec<Outcome>,
    /// How long all of it took, in nanoseconds.
    pub duration_ns: u64,
}

impl Shadow {
    /// Runs tests, several at once where the machine can. A test that panics has failed.
    pub fn test(&self, tests: &[Test]) -> TestReport {
        let began = Instant::now();
        let (next, outcomes) = (AtomicUsize::new(0), Mutex::new(Vec::with_capacity(tests.len())));
        let work = || {
            loop {
                let at = next.fetch_add(1, Ordering::Relaxed);
                let Some(test) = tests.get(at) else { return };
                let outcome = self.tested(test);
                outcomes.lock().unwrap_or_else(PoisonError::into_inner).push((at, outcome));
            }
        };
        let threads = std::thread::available_parallelism().map_or(1, usize::from).min(tests.len()).max(1);
        std::thread::scope(|scope| {
            for _ in 1..threads {
                // Without other threads it takes longer.
                _ = std::thread::Builder::new().name("knhk-shadow".into()).spawn_scoped(scope, work);
            }
            work();
        });
        let mut outcomes = outcomes.into_inner().unwrap_or_else(PoisonError::into_inner);
        outcomes.sort_by_key(|(at, _)| *at);
        let outcomes: Vec<Outcome> = outcomes.into_iter().map(|(_, outcome)| outcome).collect();
        TESTS.add(outcomes.len() as u64);
        let stops = |outcome: &Outcome| outcome.failed.is_some() && outcome.severity == Severity::Blocker;
        let verdict = if outcomes.iter().any(stops) { Verdict::Refused } else { Verdict::Passed };
        TestReport { verdict, outcomes, duration_ns: nanoseconds(began) }
    }

    fn tested(&self, test: &Test) -> Outcome {
        let began = Instant::now();
        let holds = catch_unwind(AssertUnwindSafe(|| self.holds(&test.assertion)));
        let failed = holds.unwrap_or_else(|_| Err("the test panicked".into())).err();
        Outcome { name: test.name.clone(), severity: test.severity, failed, duration_ns: nanoseconds(began) }
    }

    fn holds(&self, assertion: &Assertion) -> Result<(), String> {
        match assertion {
            Assertion::Class { class, under } => self.has_class(class, under.as_deref()),
            Assertion::Property { subject, property, value } => self.says(subject, property, value.as_deref()),
            Assertion::Guard { parameter, min, max } => guarded(self.artifact()?, parameter, *min, *max),
            Assertion::Invariant { condition } => self.meets(condition),
            Assertion::NoConflicts => self.has_no_conflicts(),
            Assertion::Function { name } => {
                Err(format!("there is no function {name:?}: the program that has the engine open registers it"))
            }
            Assertion::Callback(callback) => callback(self),
        }
    }

    fn artifact(&self) -> Result<&Artifact, String> {
        match (&self.compiled, self.snapshot.document()) {
            (Some(compiled), _) => Ok(&compiled.artifact),
            (None, Err(error)) => Err(error.to_string()),
            (None, Ok(_)) => Err("it does not compile: a limit is reached".into()),
        }
    }

    fn has_class(&self, class: &str, under: Option<&str>) -> Result<(), String> {
        let graph = self.snapshot.graph();
        let iri = |iri: &str| graph.terms().find_iri(iri);
        let (is, sub_class) = (iri(rdf::TYPE), iri(rdfs::SUB_CLASS_OF));
        let parents = |term| sub_class.into_iter().flat_map(move |sub_class| graph.objects(term, sub_class));
        let is_class = |name: &str| {
            let term = named(&self.snapshot, name)?;
            let kinds = [iri(rdfs::CLASS), iri(owl::CLASS)];
            let declared = is.is_some_and(|is| graph.objects(term, is).any(|kind| kinds.contains(&Some(kind))));
            (declared || parents(term).next().is_some()).then_some(term)
        };
        let Some(term) = is_class(class) else { return Err(format!("there is no class {class}")) };
        let Some(under) = under else { return Ok(()) };
        let Some(ancestor) = is_class(under) else { return Err(format!("there is no class {under}")) };
        // Upwards, each class once.
        let (mut open, mut seen) = (vec![term], HashSet::from([term]));
        while let Some(term) = open.pop() {
            if term == ancestor {
                return Ok(());
            }
            open.extend(parents(term).filter(|&parent| seen.insert(parent)));
        }
        Err(format!("{class} is not under {under}"))
    }

    fn meets(&self, condition: &str) -> Result<(), String> {
        let expression = Expression::compile_for(condition, &["after", "before"]).map_err(|error| error.to_string())?;
        let of = |compiled: Option<&Arc<Compiled>>| {
            values(&expression, |path| {
                let artifact = &compiled?.artifact;
                artifact.value(artifact.find(path)?)
            })
        };
        let scope = serde_json::json!({ "after": of(self.compiled.as_ref()), "before": of(self.current.as_ref()) });
        match expression.holds(&Scope::new(&scope)) {
            Ok(true) => Ok(()),
            Ok(false) => Err(format!("{condition} is not so")),
            Err(error) => Err(format!("{condition} cannot be decided: {error}")),
        }
    }

    fn says(&self, subject: &str, property: &str, value: Option<&str>) -> Result<(), String> {
        let graph = self.snapshot.graph();
        let find = |name: &str| named(&self.snapshot, name);
        let (Some(of), Some(what)) = (find(subject), find(property)) else {
            return Err(format!("nothing is said of {subject} and its {property}"));
        };
        let said: Vec<Term> = graph.objects(of, what).collect();
        let Some(value) = value else {
            return if said.is_empty() { Err(format!("{subject} has no {property}")) } else { Ok(()) };
        };
        let same = |term: &Term| match graph.terms().get(*term) {
            TermRef::Literal { lexical, .. } => lexical == value,
            _ => find(value) == Some(*term),
        };
        if said.iter().any(same) {
            return Ok(());
        }
        let said: Vec<String> = said.iter().map(|&term| crate::names::name(&self.snapshot, term)).collect();
        Err(match said.is_empty() {
            true => format!("{subject} has no {property}"),
            false => format!("{property} of {subject} is {}, not {value}", said.join(", ")),
        })
    }

    fn has_no_conflicts(&self) -> Result<(), String> {
        self.artifact()?;
        let report = self.snapshot.report();
        let worst = report.results().find(|result| result.severity() == shacl::Severity::Violation);
        worst.map_or(Ok(()), |result| Err(result.message()))
    }
}

fn guarded(artifact: &Artifact, parameter: &str, min: Option<f64>, max: Option<f64>) -> Result<(), String> {
    let Some(slot) = artifact.find(parameter) else { return Err(format!("there is no parameter {parameter}")) };
    if !matches!(artifact.value(slot), Some(Value::I64(_) | Value::F64(_))) {
        return Err(format!("{parameter} is no number, so that no range guards it"));
    }
    let (low, high) = match artifact.bounds(slot) {
        Some(Bounds::I64(low, high)) => (low as f64, high as f64),
        Some(Bounds::F64(low, high)) => (low, high),
        None => return Err(format!("no range guards {parameter}")),
    };
    match (min, max) {
        (Some(min), _) if low < min => Err(format!("the range of {parameter} begins at {low}, below {min}")),
        (_, Some(max)) if high > max => Err(format!("the range of {parameter} ends at {high}, above {max}")),
        _ => Ok(()),
    }
}

/// The term of a name in the sector, of `knhk:` and a name of the core, or of an IRI.
fn named(snapshot: &Snapshot, name: &str) -> Option<Term> {
    let terms = snapshot.graph().terms();
    let core = || terms.find_iri(&format!("{}{}", knhk::CORE, name.strip_prefix("knhk:")?));
    terms.find_iri(&snapshot.namespace().iri(name)).or_else(core).or_else(|| terms.find_iri(name))
}
