//! What a sector's ontology declares.

use std::borrow::Cow;

use knhk_observation::Aggregate;
use knhk_ontology::graph::{Graph, Term, TermRef};
use knhk_ontology::vocabulary::{rdf, xsd};
use knhk_ontology::{Namespace, Snapshot};
use serde_json::Value;

use crate::plan::{Remedies, Remedy, Step};

/// Something that is looked for in the observations (`knhk:Watch`).
#[derive(Clone, Debug, PartialEq)]
pub struct Watch {
    /// Its name in the sector, such as `RejectSpike`.
    pub name: String,
    /// The name of the observation kind.
    pub kind: String,
    /// How it is looked for.
    pub detecting: Detecting,
    /// Seconds that one value of the series is over.
    pub sample_s: u32,
    /// From which confidence on it is told.
    pub confidence: f64,
    /// The parameter that the kind is recorded under, or, where remedies move another one, that one.
    pub concerns: Option<String>,
}

/// A detector, with what it looks at.
#[derive(Clone, Debug, PartialEq)]
pub enum Detecting {
    /// A detector of values, by its name, over this aggregate of each sample, with so many samples a season.
    Measured(&'static str, Aggregate, usize),
    /// The number of records in a sample.
    Rate,
    /// How many of them were no success.
    ErrorRatio,
    /// That there are any at all.
    Heartbeat,
    /// How many of them are not of the type, or not in the range, that the ontology declares.
    Mismatch,
    /// A detector of the program's own, by its name, over this aggregate of each sample where one is declared.
    Callback(String, Option<Aggregate>),
}

impl Watch {
    /// The aggregate that its samples need; none for those that only count.
    pub fn measure(&self) -> Option<Aggregate> {
        match self.detecting {
            Detecting::Measured(_, measure, _) => Some(measure),
            Detecting::Callback(_, measure) => measure,
            _ => None,
        }
    }
}

impl Detecting {
    /// The detector's name, as the ontology has it.
    pub fn name(&self) -> Cow<'_, str> {
        match self {
            Detecting::Measured(name, ..) => Cow::Borrowed(name),
            Detecting::Rate => Cow::Borrowed("rate"),
            Detecting::ErrorRatio => Cow::Borrowed("error-ratio"),
            Detecting::Heartbeat => Cow::Borrowed("heartbeat"),
            Detecting::Mismatch => Cow::Borrowed("mismatch"),
            Detecting::Callback(name, _) => Cow::Owned(format!("callback:{name}")),
        }
    }
}

/// The detectors of values, by name.
const MEASURED: [&str; 7] = ["ewma", "robust", "cusum", "page-hinkley", "adwin", "seasonal", "unusual"];
/// What the names of the program's own detectors begin with.
const CALLBACK: &str = "callback:";
/// Samples in a season where none is declared.
const SEASON: usize = 60;

/// All that a sector declares of the loop.
#[derive(Clone, Debug, Default)]
pub struct Declared {
    /// The watches, by name.
    pub watches: Vec<Watch>,
    /// The remedies, by name.
    pub remedies: Remedies,
}

mod words {
    pub const WATCH: &str = "urn:knhk:core:Watch";
    pub const REMEDY: &str = "urn:knhk:core:Remedy";
    pub const WATCHES: &str = "urn:knhk:core:watches";
    pub const MEASURE: &str = "urn:knhk:core:measure";
    pub const DETECTOR: &str = "urn:knhk:core:detector";
    pub const SAMPLE: &str = "urn:knhk:core:sample";
    pub const SEASON: &str = "urn:knhk:core:season";
    pub const CONFIDENCE: &str = "urn:knhk:core:confidence";
    pub const CONCERNS: &str = "urn:knhk:core:concerns";
    pub const WHEN: &str = "urn:knhk:core:when";
    pub const DIRECTION: &str = "urn:knhk:core:direction";
    pub const MOVES: &str = "urn:knhk:core:moves";
    pub const TIMES: &str = "urn:knhk:core:times";
    pub const BY: &str = "urn:knhk:core:by";
    pub const TO: &str = "urn:knhk:core:to";
    pub const NOT_BELOW: &str = "urn:knhk:core:notBelow";
    pub const NOT_ABOVE: &str = "urn:knhk:core:notAbove";
}

impl Declared {
    /// Reads what a snapshot declares. What its shapes would refuse (a promoted snapshot has none of it) is left out.
    pub fn of(snapshot: &Snapshot) -> Declared {
        let graph = snapshot.graph();
        let reader = Reader { graph, space: snapshot.namespace() };
        let term = |iri| graph.terms().find_iri(iri);
        let (Some(is), Some(watch), Some(remedy)) = (term(rdf::TYPE), term(words::WATCH), term(words::REMEDY)) else {
            return Declared::default();
        };
        let mut declared = Declared::default();
        for triple in graph.own().filter(|triple| triple.predicate == is) {
            if triple.object == watch {
                declared.watches.extend(reader.watch(triple.subject));
            } else if triple.object == remedy {
                declared.remedies.0.extend(reader.remedy(triple.subject));
            }
        }
        declared.watches.sort_by(|one, other| one.name.cmp(&other.name));
        declared.remedies.0.sort_by(|one, other| one.name.cmp(&other.name));
        for watch in &mut declared.watches {
            let moved = declared.remedies.0.iter().find(|remedy| remedy.when == watch.name);
            watch.concerns = moved.map(|remedy| remedy.path.clone()).or(watch.concerns.take());
        }
        declared
    }
}

struct Reader<'s> {
    graph: &'s Graph,
    space: &'s Namespace,
}

impl Reader<'_> {
    fn watch(&self, subject: Term) -> Option<Watch> {
        let (kind, name) = (self.object(subject, words::WATCHES)?, self.text(subject, words::DETECTOR)?);
        let measure = self.text(subject, words::MEASURE).and_then(|name| Aggregate::from_name(&name));
        let season = self.number(subject, words::SEASON).map_or(SEASON, |season| season as usize);
        let detecting = match (name.as_str(), measure) {
            ("rate", None) => Detecting::Rate,
            ("error-ratio", None) => Detecting::ErrorRatio,
            ("heartbeat", None) => Detecting::Heartbeat,
            ("mismatch", None) => Detecting::Mismatch,
            (name, measure) if name.starts_with(CALLBACK) => {
                Detecting::Callback(name[CALLBACK.len()..].into(), measure)
            }
            (name, Some(measure)) => {
                Detecting::Measured(MEASURED.into_iter().find(|known| *known == name)?, measure, season)
            }
            _ => return None,
        };
        Some(Watch {
            name: self.path(subject)?,
            kind: self.path(kind)?,
            detecting,
            sample_s: self.number(subject, words::SAMPLE)? as u32,
            confidence: self.number(subject, words::CONFIDENCE)?,
            concerns: self.object(kind, words::CONCERNS).and_then(|parameter| self.path(parameter)),
        })
    }

    fn remedy(&self, subject: Term) -> Option<Remedy> {
        let path = self.path(self.object(subject, words::MOVES)?)?;
        let number = |word| self.number(subject, word);
        let step = match (number(words::TIMES), number(words::BY), self.value(subject, words::TO)) {
            (Some(times), None, None) => Step::Times(times),
            (None, Some(by), None) => Step::By(by),
            (None, None, Some(value)) => Step::To(value),
            _ => return None,
        };
        Some(Remedy {
            name: self.path(subject)?,
            when: self.path(self.object(subject, words::WHEN)?)?,
            above: self.text(subject, words::DIRECTION).map(|direction| direction == "above"),
            path,
            step,
            at_least: number(words::NOT_BELOW),
            at_most: number(words::NOT_ABOVE),
        })
    }

    fn object(&self, subject: Term, predicate: &str) -> Option<Term> {
        self.graph.objects(subject, self.graph.terms().find_iri(predicate)?).next()
    }

    fn text(&self, subject: Term, predicate: &str) -> Option<String> {
        match self.graph.terms().get(self.object(subject, predicate)?) {
            TermRef::Literal { lexical, .. } => Some(lexical.into_owned()),
            _ => None,
        }
    }

    fn number(&self, subject: Term, predicate: &str) -> Option<f64> {
        self.text(subject, predicate)?.parse().ok()
    }

    /// A literal as JSON has it: what reads as a number or a truth value is one, unless it is a string.
    fn value(&self, subject: Term, predicate: &str) -> Option<Value> {
        match self.graph.terms().get(self.object(subject, predicate)?) {
            TermRef::Literal { lexical, datatype, .. } if datatype != xsd::STRING => {
                serde_json::from_str(&lexical).ok()
            }
            TermRef::Literal { lexical, .. } => Some(Value::String(lexical.into_owned())),
            _ => None,
        }
    }

    fn path(&self, term: Term) -> Option<String> {
        match self.graph.terms().get(term) {
            TermRef::Iri(iri) => Some(self.space.path(iri).unwrap_or_else(|| iri.to_owned())),
            _ => None,
        }
    }
}
