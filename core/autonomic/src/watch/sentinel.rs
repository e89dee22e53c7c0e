//! A watch at work: a detector, fed sample by sample.

use knhk_observation::{Aggregate, Counts};
use serde::{Deserialize, Serialize, Serializer};
use serde_json::{Value, json};

use super::{Detecting, Watch};
use crate::detect::{
    Adwin, Cusum, Detector, ErrorRatio, Ewma, Heartbeat, Held, PageHinkley, Rate, Robust, Score, Seasonal, Unusual,
};
use crate::forecast::HoltWinters;
use crate::state::{Kept, MOST};
use crate::{Pattern, StateError};

/// What was recorded of the watched kind in one sample's time.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Sample {
    /// When it begins, in nanoseconds since 1970 (UTC).
    pub from_ns: u64,
    /// When it ends.
    pub to_ns: u64,
    /// How many records, and how they ended.
    #[serde(serialize_with = "told")]
    pub counts: Counts,
    /// The watch's measure; none where there is nothing to compute it of.
    pub value: Option<f64>,
}

/// A watch's detector. It tells of what lasts once, and again when it gets worse or turns to the other side.
pub struct Sentinel {
    watch: Watch,
    sector: String,
    at_work: AtWork,
    /// Of what is above what was expected, and of what is below: the end of a spike is news while the spike is held.
    held: [Held; 2],
    /// Samples that it saw.
    samples: u64,
    /// The last score's confidence.
    last: Option<f64>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[expect(clippy::large_enum_variant, reason = "one a watch, made once: a box would save nothing that counts")]
enum AtWork {
    Ewma(Ewma),
    Robust(Robust),
    Cusum(Cusum),
    PageHinkley(PageHinkley),
    Adwin(Adwin),
    Seasonal(Seasonal),
    Unusual(Unusual),
    Rate(Rate),
    ErrorRatio(ErrorRatio),
    Heartbeat(Heartbeat),
    Mismatch(ErrorRatio),
    /// The program's own: what it has seen is the program's to keep.
    Own,
}

/// What is kept of a sentinel.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct State {
    /// What its series is of: a state is of no use to another.
    of: Value,
    detector: AtWork,
    held: [Held; 2],
    samples: u64,
    last: Option<f64>,
}

/// Samples that say what is usual.
const MEMORY: f64 = 120.0;
/// Samples before the first score.
const WARM: u32 = 20;
/// Calls before the first score of a ratio.
const CALLS: u32 = 50;
/// What each sample leaves of the height that a score must exceed to be told again: half of it in 34.
const FADING: f64 = 0.98;
/// How many times that height it must be: what lasts also varies.
const WORSE: f64 = 1.5;
/// Values beyond this have no square that is a number.
const LARGEST: f64 = 1e150;

impl Sentinel {
    /// The watch of a sector, with a detector that has seen nothing.
    pub fn new(sector: &str, watch: Watch) -> Sentinel {
        let at_work = AtWork::of(&watch);
        let held = [Held::new(FADING, WORSE); 2];
        Sentinel { watch, sector: sector.into(), at_work, held, samples: 0, last: None }
    }

    /// What it has seen, as it is kept: [`Sentinel::restore`] goes on from it as if nothing had been between, to the last bit. What a detector
    /// of the program's own has seen is the program's to keep.
    pub fn state(&self) -> Value {
        json!({
            "of": basis(&self.watch), "detector": self.at_work, "held": self.held, "samples": self.samples, "last": self.last,
        })
    }

    /// The watch of a sector, which goes on from what was kept.
    ///
    /// # Errors
    /// Where that is of another series or of another detector, or damaged.
    pub fn restore(sector: &str, watch: Watch, state: &Value) -> Result<Sentinel, StateError> {
        let wrong = |what: String| StateError { of: format!("watch {sector}/{}", watch.name), what };
        let state = State::deserialize(state).map_err(|error| wrong(format!("cannot be read ({error})")))?;
        if state.of != basis(&watch) {
            return Err(wrong("is of what it was declared to be before".into()));
        }
        let made = Sentinel::new(sector, watch.clone());
        let held = state.held.iter().zip(&made.held).all(|(own, made)| own.fits(made));
        let last = state.last.is_none_or(f64::is_finite);
        if !state.detector.fits(&made.at_work) || !held || !last || state.samples >= MOST {
            return Err(wrong("is of other settings, or damaged".into()));
        }
        Ok(Sentinel { at_work: state.detector, held: state.held, samples: state.samples, last: state.last, ..made })
    }

    /// What it watches.
    pub fn watch(&self) -> &Watch {
        &self.watch
    }

    /// The samples that it saw.
    pub fn samples(&self) -> u64 {
        self.samples
    }

    /// The last score's confidence; none while there was none.
    pub fn last_confidence(&self) -> Option<f64> {
        self.last
    }

    /// Whether its detector is the program's own: its samples come with scores ([`Sentinel::scored`]).
    pub fn is_own(&self) -> bool {
        matches!(self.at_work, AtWork::Own)
    }

    /// Forgets what it told: what lasts is told again.
    pub fn rearm(&mut self) {
        self.held = [Held::new(FADING, WORSE); 2];
    }

    /// Takes up a sample; a pattern where there is one. Its evidence is the caller's to add. A value beyond ±10¹⁵⁰, of which no square is a
    /// number, is passed over.
    pub fn observe(&mut self, sample: &Sample) -> Option<Pattern> {
        self.samples += 1;
        let (name, observed, score) = self.at_work.observe(sample)?;
        self.judge(sample, name.into(), observed, score)
    }

    /// Takes up a sample with what the program's own detector says of it. A score whose confidence is not between 0 and 1, or that is no number,
    /// counts as none.
    pub fn scored(&mut self, sample: &Sample, score: Option<Score>) -> Option<Pattern> {
        self.samples += 1;
        let Detecting::Callback(name, _) = &self.watch.detecting else { return None };
        let name = format!("callback:{name}");
        let observed = sample.value.unwrap_or(sample.counts.count as f64);
        self.judge(sample, name, observed, score.filter(Score::is_sound)?)
    }

    fn judge(&mut self, sample: &Sample, detector: String, observed: f64, score: Score) -> Option<Pattern> {
        let Score { statistic, confidence, expected } = score;
        self.last = Some(confidence);
        // Only what would be told is held: what is usual must not hide what comes.
        let told = confidence >= self.watch.confidence;
        let [above, below] = &mut self.held;
        let (own, other) = if observed < expected { (below, above) } else { (above, below) };
        other.fade();
        if !told {
            own.fade();
            return None;
        }
        if !own.exceeds(statistic) {
            return None;
        }
        Some(Pattern {
            watch: self.watch.name.clone(),
            sector: self.sector.clone(),
            detector,
            concerns: self.watch.concerns.clone(),
            confidence,
            observed,
            expected,
            from_ns: sample.from_ns,
            to_ns: sample.to_ns,
            evidence: Vec::new(),
            observations: Vec::new(),
            forecast: None,
        })
    }
}

impl AtWork {
    fn of(watch: &Watch) -> AtWork {
        let share = 2.0 / (MEMORY + 1.0);
        match &watch.detecting {
            Detecting::Measured(name, _, season) => match *name {
                "ewma" => AtWork::Ewma(Ewma::new(share, WARM.into())),
                "robust" => AtWork::Robust(Robust::new(MEMORY as usize)),
                "cusum" => AtWork::Cusum(Cusum::new(0.5, 8.0, WARM.into())),
                "page-hinkley" => AtWork::PageHinkley(PageHinkley::new(0.005, 50.0, 0.9999, WARM.into())),
                "adwin" => AtWork::Adwin(Adwin::new(1.0 - watch.confidence)),
                "seasonal" => AtWork::Seasonal(Seasonal::new(HoltWinters::new(0.2, 0.02, 0.2, *season), share)),
                _ => AtWork::Unusual(Unusual::new(*season)),
            },
            Detecting::Rate => AtWork::Rate(Rate::new(MEMORY, WARM)),
            Detecting::ErrorRatio => AtWork::ErrorRatio(ErrorRatio::new(MEMORY, CALLS)),
            Detecting::Heartbeat => AtWork::Heartbeat(Heartbeat::new(share, WARM.into())),
            Detecting::Mismatch => AtWork::Mismatch(ErrorRatio::new(MEMORY, CALLS)),
            Detecting::Callback(..) => AtWork::Own,
        }
    }

    /// The detector's name, what it saw and what it says of it.
    fn observe(&mut self, sample: &Sample) -> Option<(&'static str, f64, Score)> {
        let Counts { count, mismatched, .. } = sample.counts;
        let value = sample.value.filter(|value| value.abs() <= LARGEST);
        let measured = |detector: &mut dyn Detector| {
            let value = value?;
            Some((detector.name(), value, detector.observe(value)?))
        };
        match self {
            AtWork::Ewma(detector) => measured(detector),
            AtWork::Robust(detector) => measured(detector),
            AtWork::Cusum(detector) => measured(detector),
            AtWork::PageHinkley(detector) => measured(detector),
            AtWork::Adwin(detector) => measured(detector),
            AtWork::Seasonal(detector) => measured(detector),
            AtWork::Unusual(detector) => measured(detector),
            AtWork::Rate(rate) => Some((rate.name(), count as f64, rate.observe(count as f64)?)),
            AtWork::ErrorRatio(ratio) => {
                let failures = count - sample.counts.successes();
                Some((ratio.name(), share(failures, count), ratio.observe(count, failures)?))
            }
            AtWork::Mismatch(ratio) => Some(("mismatch", share(mismatched, count), ratio.observe(count, mismatched)?)),
            AtWork::Heartbeat(heartbeat) => {
                if count > 0 {
                    heartbeat.beat(sample.to_ns);
                }
                Some((heartbeat.name(), 0.0, heartbeat.silence(sample.to_ns)?))
            }
            AtWork::Own => None,
        }
    }
}

impl Kept for AtWork {
    fn fits(&self, made: &Self) -> bool {
        match (self, made) {
            (AtWork::Ewma(own), AtWork::Ewma(made)) => own.fits(made),
            (AtWork::Robust(own), AtWork::Robust(made)) => own.fits(made),
            (AtWork::Cusum(own), AtWork::Cusum(made)) => own.fits(made),
            (AtWork::PageHinkley(own), AtWork::PageHinkley(made)) => own.fits(made),
            (AtWork::Adwin(own), AtWork::Adwin(made)) => own.fits(made),
            (AtWork::Seasonal(own), AtWork::Seasonal(made)) => own.fits(made),
            (AtWork::Unusual(own), AtWork::Unusual(made)) => own.fits(made),
            (AtWork::Rate(own), AtWork::Rate(made)) => own.fits(made),
            (AtWork::ErrorRatio(own), AtWork::ErrorRatio(made)) | (AtWork::Mismatch(own), AtWork::Mismatch(made)) => {
                own.fits(made)
            }
            (AtWork::Heartbeat(own), AtWork::Heartbeat(made)) => own.fits(made),
            (AtWork::Own, AtWork::Own) => true,
            _ => false,
        }
    }
}

/// What a watch's series is of.
fn basis(watch: &Watch) -> Value {
    let (detector, season) = match &watch.detecting {
        Detecting::Measured(name, _, season) => ((*name).to_owned(), Some(season)),
        Detecting::Rate => ("rate".into(), None),
        Detecting::ErrorRatio => ("error-ratio".into(), None),
        Detecting::Heartbeat => ("heartbeat".into(), None),
        Detecting::Mismatch => ("mismatch".into(), None),
        Detecting::Callback(name, _) => (format!("callback:{name}"), None),
    };
    let measure = watch.measure().map(Aggregate::as_str);
    json!({
        "kind": watch.kind, "detector": detector, "measure": measure, "season": season, "sample_s": watch.sample_s,
    })
}

fn told<S: Serializer>(counts: &Counts, to: S) -> Result<S::Ok, S::Error> {
    let Counts { count, outcomes, own, mismatched, .. } = counts;
    json!({ "count": count, "outcomes": outcomes, "own": own, "mismatched": mismatched }).serialize(to)
}

fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}
