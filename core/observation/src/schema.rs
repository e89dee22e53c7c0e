//! What a sector's ontology says of its observations: kinds, and the objectives that are about them.

use knhk_hot::layout::Tag;
use knhk_ontology::graph::{Graph, Term, TermRef};
use knhk_ontology::vocabulary::{knhk, rdf};
use knhk_ontology::{Namespace, Snapshot};

/// What a sector records, and what it aims at.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Schema {
    /// Its observation kinds, by name.
    pub kinds: Vec<Kind>,
    /// Its service level objectives, by name.
    pub objectives: Vec<Objective>,
}

/// An observation kind (`knhk:ObservationKind`).
#[derive(Clone, Debug, PartialEq)]
pub struct Kind {
    /// Its name in the sector, such as `OrderChecked`; the IRI of a foreign one.
    pub name: String,
    /// The type of the recorded value.
    pub value_type: Recorded,
    /// What the value is counted in.
    pub unit: Option<String>,
    /// The smallest value that is to be expected.
    pub min: Option<f64>,
    /// The largest value that is to be expected.
    pub max: Option<f64>,
    /// The parameter under whose key it is recorded.
    pub key: Option<String>,
    /// The outcome, from 256 on, that it is recorded with; none: any outcome that is no other kind's code.
    pub code: Option<u32>,
}

/// The type of a recorded value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recorded {
    /// A bool.
    Bool,
    /// An i64.
    I64,
    /// An f64.
    F64,
    /// None: the record only counts.
    Nothing,
}

impl Recorded {
    /// Its name in the ontology.
    pub fn as_str(self) -> &'static str {
        match self {
            Recorded::Bool => "bool",
            Recorded::I64 => "i64",
            Recorded::F64 => "f64",
            Recorded::Nothing => "none",
        }
    }

    fn from_name(name: &str) -> Option<Recorded> {
        [Recorded::Bool, Recorded::I64, Recorded::F64, Recorded::Nothing].into_iter().find(|one| one.as_str() == name)
    }

    /// Whether a value with this tag is of the type; every value counts where none is expected.
    pub fn admits(self, tag: u8) -> bool {
        let tag = u64::from(tag);
        match self {
            Recorded::Bool => tag == Tag::Bool as u64,
            Recorded::I64 => tag == Tag::I64 as u64,
            Recorded::F64 => tag == Tag::F64 as u64,
            Recorded::Nothing => true,
        }
    }
}

/// A service level objective (`knhk:Slo`).
#[derive(Clone, Debug, PartialEq)]
pub struct Objective {
    /// Its name in the sector, such as `AckLatency`; the IRI of a foreign one.
    pub name: String,
    /// The name of the kind that it is about.
    pub kind: String,
    /// What is computed over the window.
    pub aggregate: Aggregate,
    /// Which side of the limit is allowed.
    pub bound: Bound,
    /// The parameter that is the limit.
    pub parameter: String,
    /// The parameter's value as it is now.
    pub limit: Option<f64>,
    /// The window, in seconds.
    pub window_s: u32,
    /// Records in the window below which there is no data: what a few of them come to is chance. Of `count` and `rate`, which are about how
    /// many there are, it is not asked.
    pub least_samples: u64,
    /// What follows where a window has no observations.
    pub on_missing_data: OnMissingData,
}

macro_rules! named {
    ($(#[$doc:meta])* $type:ident { $($(#[$variant_doc:meta])* $variant:ident $name:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $type {
            $($(#[$variant_doc])* $variant,)*
        }

        impl $type {
            /// Its name in the ontology.
            pub fn as_str(self) -> &'static str {
                match self {
                    $($type::$variant => $name,)*
                }
            }

            /// The one with this name.
            pub fn from_name(name: &str) -> Option<$type> {
                match name {
                    $($name => Some($type::$variant),)*
                    _ => None,
                }
            }
        }
    };
}

named! {
    /// What an objective computes over its window.
    Aggregate {
        /// How many records.
        Count "count",
        /// Records a second.
        Rate "rate",
        /// The mean of the values.
        Mean "mean",
        /// The smallest value.
        Min "min",
        /// The largest value.
        Max "max",
        /// The median.
        P50 "p50",
        /// The 90th percentile.
        P90 "p90",
        /// The 99th percentile.
        P99 "p99",
        /// The 99.9th percentile.
        P999 "p99.9",
        /// The share of records whose outcome is not success, in %.
        FailureShare "failure_share",
    }
}

named! {
    /// What follows where a window has no observations, which never counts as a pass.
    OnMissingData {
        /// Wait for more.
        Hold "hold",
        /// Roll back at the window's end.
        RollBack "roll_back",
        /// Keep what is.
        Keep "keep",
    }
}

/// Which side of its limit an aggregate must stay on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bound {
    /// It must not exceed it.
    AtMost,
    /// It must not fall below it.
    AtLeast,
}

impl Schema {
    /// Reads what a snapshot declares. What its shapes would refuse (a promoted snapshot has none of it) is left out.
    pub fn of(snapshot: &Snapshot) -> Schema {
        let graph = snapshot.graph();
        let term = |iri: &str| graph.terms().find_iri(iri);
        let (Some(is), Some(kind), Some(slo)) = (term(rdf::TYPE), term(words::KIND), term(words::SLO)) else {
            return Schema::default();
        };
        let reader = Reader { graph, space: snapshot.namespace() };
        let mut schema = Schema::default();
        // The statements by subject: sorting them by predicate would cost more than looking at each once.
        for triple in graph.own().filter(|triple| triple.predicate == is) {
            if triple.object == kind {
                schema.kinds.extend(reader.kind(triple.subject));
            } else if triple.object == slo {
                schema.objectives.extend(reader.objective(triple.subject));
            }
        }
        schema.kinds.sort_by(|one, other| one.name.cmp(&other.name));
        schema.objectives.sort_by(|one, other| one.name.cmp(&other.name));
        schema
    }
}

/// The core's terms for observations and service levels.
mod words {
    pub const KIND: &str = "urn:knhk:core:ObservationKind";
    pub const VALUE_TYPE: &str = "urn:knhk:core:valueType";
    pub const CONCERNS: &str = "urn:knhk:core:concerns";
    pub const CODE: &str = "urn:knhk:core:code";
    pub const SLO: &str = "urn:knhk:core:Slo";
    pub const INDICATOR: &str = "urn:knhk:core:indicator";
    pub const AGGREGATE: &str = "urn:knhk:core:aggregate";
    pub const AT_MOST: &str = "urn:knhk:core:atMost";
    pub const AT_LEAST: &str = "urn:knhk:core:atLeast";
    pub const WINDOW: &str = "urn:knhk:core:window";
    pub const LEAST_SAMPLES: &str = "urn:knhk:core:leastSamples";
    pub const ON_MISSING_DATA: &str = "urn:knhk:core:onMissingData";
}

struct Reader<'s> {
    graph: &'s Graph,
    space: &'s Namespace,
}

impl Reader<'_> {
    fn kind(&self, subject: Term) -> Option<Kind> {
        Some(Kind {
            name: self.name(subject)?,
            value_type: Recorded::from_name(&self.text(subject, words::VALUE_TYPE)?)?,
            unit: self.text(subject, knhk::UNIT),
            min: self.number(subject, knhk::MIN),
            max: self.number(subject, knhk::MAX),
            key: self.object(subject, words::CONCERNS).and_then(|parameter| self.path(parameter)),
            code: self.number(subject, words::CODE).map(|code| code as u32),
        })
    }

    fn objective(&self, subject: Term) -> Option<Objective> {
        let most = self.object(subject, words::AT_MOST).map(|parameter| (Bound::AtMost, parameter));
        let least = || self.object(subject, words::AT_LEAST).map(|parameter| (Bound::AtLeast, parameter));
        let (bound, parameter) = most.or_else(least)?;
        Some(Objective {
            name: self.name(subject)?,
            kind: self.name(self.object(subject, words::INDICATOR)?)?,
            aggregate: Aggregate::from_name(&self.text(subject, words::AGGREGATE)?)?,
            bound,
            parameter: self.path(parameter)?,
            limit: self.number(parameter, knhk::VALUE),
            window_s: self.number(subject, words::WINDOW)? as u32,
            least_samples: self.number(subject, words::LEAST_SAMPLES).map_or(1, |least| least as u64),
            on_missing_data: OnMissingData::from_name(&self.text(subject, words::ON_MISSING_DATA)?)?,
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

    /// The path of a parameter; a foreign one is its IRI.
    fn path(&self, term: Term) -> Option<String> {
        match self.graph.terms().get(term) {
            TermRef::Iri(iri) => Some(self.space.path(iri).unwrap_or_else(|| iri.to_owned())),
            _ => None,
        }
    }

    fn name(&self, term: Term) -> Option<String> {
        self.path(term)
    }
}
