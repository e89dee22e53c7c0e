//! A watch at work: a detector, fed sample by sample.

use knhk_observation::Counts;

use super::{Detecting, Watch};
use crate::Pattern;
use crate::detect::{
    Adwin, Cusum, Detector, ErrorRatio, Ewma, Heartbeat, Held, PageHinkley, Rate, Robust, Score, Seasonal, Unusual,
};
use crate::forecast::HoltWinters;

/// What was recorded of the watched kind in one sample's time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sample {
    /// When it begins, in nanoseconds since 1970 (UTC).
    pub from_ns: u64,
    /// When it ends.
    pub to_ns: u64,
    /// How many records, and how they ended.
    pub counts: Counts,
    /// The watch's measure; none where there is nothing to compute it of.
    pub value: Option<f64>,
}

/// A watch's detector. It tells of what lasts once, and again when it gets worse.
pub struct Sentinel {
    watch: Watch,
    sector: String,
    at_work: AtWork,
    held: Held,
}

enum AtWork {
    Measured(Box<dyn Detector>),
    Rate(Rate),
    ErrorRatio(ErrorRatio),
    Heartbeat(Heartbeat),
    Mismatch(ErrorRatio),
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

impl Sentinel {
    /// The watch of a sector, with a detector that has seen nothing.
    pub fn new(sector: &str, watch: Watch) -> Sentinel {
        let share = 2.0 / (MEMORY + 1.0);
        let at_work = match watch.detecting {
            Detecting::Measured(name, _, season) => AtWork::Measured(match name {
                "ewma" => Box::new(Ewma::new(share, WARM.into())),
                "robust" => Box::new(Robust::new(MEMORY as usize)),
                "cusum" => Box::new(Cusum::new(0.5, 8.0, WARM.into())),
                "page-hinkley" => Box::new(PageHinkley::new(0.005, 50.0, 0.9999, WARM.into())),
                "adwin" => Box::new(Adwin::new(1.0 - watch.confidence)),
                "seasonal" => Box::new(Seasonal::new(HoltWinters::new(0.2, 0.02, 0.2, season), share)),
                _ => Box::new(Unusual::new(season)),
            }),
            Detecting::Rate => AtWork::Rate(Rate::new(MEMORY, WARM)),
            Detecting::ErrorRatio => AtWork::ErrorRatio(ErrorRatio::new(MEMORY, CALLS)),
            Detecting::Heartbeat => AtWork::Heartbeat(Heartbeat::new(share, WARM.into())),
            Detecting::Mismatch => AtWork::Mismatch(ErrorRatio::new(MEMORY, CALLS)),
        };
        Sentinel { watch, sector: sector.into(), at_work, held: Held::new(FADING, WORSE) }
    }

    /// What it watches.
    pub fn watch(&self) -> &Watch {
        &self.watch
    }

    /// Takes up a sample; a pattern where there is one. Its evidence is the caller's to add.
    pub fn observe(&mut self, sample: &Sample) -> Option<Pattern> {
        let Counts { count, mismatched, .. } = sample.counts;
        let (name, observed, score) = match &mut self.at_work {
            AtWork::Measured(detector) => {
                let value = sample.value?;
                (detector.name(), value, detector.observe(value)?)
            }
            AtWork::Rate(rate) => (rate.name(), count as f64, rate.observe(count as f64)?),
            AtWork::ErrorRatio(ratio) => {
                let failures = count - sample.counts.successes();
                (ratio.name(), share(failures, count), ratio.observe(count, failures)?)
            }
            AtWork::Mismatch(ratio) => ("mismatch", share(mismatched, count), ratio.observe(count, mismatched)?),
            AtWork::Heartbeat(heartbeat) => {
                if count > 0 {
                    heartbeat.beat(sample.to_ns);
                }
                (heartbeat.name(), 0.0, heartbeat.silence(sample.to_ns)?)
            }
        };
        let Score { statistic, confidence, expected } = score;
        // Only what would be told is held: what is usual must not hide what comes.
        if confidence < self.watch.confidence || !self.held.exceeds(statistic) {
            return None;
        }
        Some(Pattern {
            watch: self.watch.name.clone(),
            sector: self.sector.clone(),
            detector: name.into(),
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

fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}
