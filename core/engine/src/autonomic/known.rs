//! A sector that is looked after: what it declares, its open samples, and its detectors and forecasts at work.

use std::collections::BTreeMap;

use knhk_autonomic::Foretold;
use knhk_autonomic::forecast::{Best, HoltWinters, Linear, Model, MovingAverage, Running};
use knhk_autonomic::watch::{Closed, Declared, Detecting, Place, Sample, Sampler, Sentinel, Watch};
use knhk_observation::{Kinds, Record};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::mind::Asking;
use super::{ForecastStatus, Pattern, WatchStatus};
use crate::Error;

/// Samples that forecasts of a mean or a line look back.
const WINDOW: usize = 12;
/// Samples in a season where a watch declares none.
const SEASON: usize = 60;
/// The newest error's share in the mean by which forecasts are compared.
const SHARE: f64 = 0.02;

/// What a version of a sector declares.
pub(crate) struct Declaration {
    pub version: u64,
    pub declared: Declared,
    pub kinds: Kinds,
}

pub(super) struct Known {
    version: u64,
    declared: Declared,
    kinds: Kinds,
    /// By the place of their kind in the schema.
    samplers: Vec<(usize, Sampler)>,
    /// In the order of the watches.
    series: Vec<Series>,
}

/// A watched series.
struct Series {
    sentinel: Sentinel,
    forecast: Best,
    /// The place of its sampler.
    sampler: usize,
}

/// A sector as it is kept.
#[derive(Serialize, Deserialize)]
pub(super) struct KeptSector {
    pub version: u64,
    /// By the name of the kind.
    samplers: Vec<(String, Sampler)>,
    /// By the name of the watch: its detector, and its forecasts.
    series: BTreeMap<String, (Value, Value)>,
}

impl Known {
    pub(super) fn empty(version: u64) -> Known {
        let (declared, kinds) = (Declared::default(), Kinds::default());
        Known { version, declared, kinds, samplers: Vec::new(), series: Vec::new() }
    }

    /// A sector as it was kept. What is of another declaration, or damaged, begins anew.
    pub(super) fn restore(sector: &str, kept: KeptSector, declaration: Declaration) -> Known {
        let mut known = Known::empty(kept.version);
        let sampler = |(kind, sampler): (String, Sampler)| Some((place_of(&declaration.kinds, &kind)?, sampler));
        known.samplers = kept.samplers.into_iter().filter_map(sampler).collect();
        let series = declaration.declared.watches.iter().filter_map(|watch| {
            let (sentinel, forecast) = kept.series.get(&watch.name)?;
            let made = forecasts(watch);
            Some(Series {
                sentinel: Sentinel::restore(sector, watch.clone(), sentinel).ok()?,
                forecast: made.restore(forecast).unwrap_or(made),
                sampler: 0,
            })
        });
        known.series = series.collect();
        known.kinds = declaration.kinds.clone();
        known.learn(sector, declaration, 0);
        known
    }

    /// What it takes to go on later.
    pub(super) fn state(&self) -> KeptSector {
        let kind = |place: usize| self.kinds.schema().kinds[place].name.clone();
        let kept = |one: &Series| {
            let forecast = serde_json::to_value(&one.forecast);
            let forecast = forecast.expect("a forecast has text for keys, and numbers that JSON knows");
            (one.sentinel.watch().name.clone(), (one.sentinel.state(), forecast))
        };
        KeptSector {
            version: self.version,
            samplers: self.samplers.iter().map(|(place, sampler)| (kind(*place), sampler.clone())).collect(),
            series: self.series.iter().map(kept).collect(),
        }
    }

    pub(super) fn version(&self) -> u64 {
        self.version
    }

    pub(super) fn declared(&self) -> &Declared {
        &self.declared
    }

    pub(super) fn watches(&self) -> bool {
        !self.series.is_empty()
    }

    /// Takes up what the sector declares now. What is watched as before goes on as before.
    pub(super) fn learn(&mut self, sector: &str, declaration: Declaration, moment_ns: u64) {
        let Declaration { version, declared, kinds } = declaration;
        let name = |place: usize| self.kinds.schema().kinds[place].name.clone();
        let mut samplers: Vec<(String, Sampler)> =
            std::mem::take(&mut self.samplers).into_iter().map(|(place, one)| (name(place), one)).collect();
        let mut before = std::mem::take(&mut self.series);
        for watch in &declared.watches {
            let Some(kind) = place_of(&kinds, &watch.kind) else { continue };
            let same = |(of, one): &(usize, Sampler)| (*of, one.seconds()) == (kind, watch.sample_s);
            let sampler = self.samplers.iter().position(same).unwrap_or_else(|| {
                let kept = samplers.iter().position(|(of, one)| (of, one.seconds()) == (&watch.kind, watch.sample_s));
                let sampler = kept.map(|place| samplers.swap_remove(place).1);
                self.samplers.push((kind, sampler.unwrap_or_else(|| Sampler::new(watch.sample_s, moment_ns))));
                self.samplers.len() - 1
            });
            let kept = before.iter().position(|one| one.sentinel.watch() == watch);
            let kept = kept.map(|place| before.swap_remove(place));
            let (sentinel, forecast) = match kept {
                Some(Series { sentinel, forecast, .. }) => (sentinel, forecast),
                None => (Sentinel::new(sector, watch.clone()), forecasts(watch)),
            };
            self.series.push(Series { sentinel, forecast, sampler });
        }
        (self.version, self.declared, self.kinds) = (version, declared, kinds);
    }

    /// Takes up the records of a segment.
    pub(super) fn take(&mut self, segment: u64, records: &[Record], moment_ns: u64) {
        let Known { kinds, samplers, .. } = self;
        for (index, record) in (0..).zip(records) {
            let Some(kind) = kinds.place(record) else { continue };
            for (_, sampler) in samplers.iter_mut().filter(|(of, _)| *of == kind) {
                sampler.add(moment_ns, Place { segment, index }, record, &kinds.schema().kinds[kind]);
            }
        }
    }

    /// Closes samples, and has the detectors look at them.
    pub(super) fn look(
        &mut self,
        sector: &str,
        moment_ns: u64,
        resumes: bool,
        asking: &mut dyn Asking,
        found: &mut Vec<Pattern>,
    ) -> Result<(), Error> {
        let closed: Vec<Vec<Closed>> = self.samplers.iter_mut().map(|(_, one)| one.close(moment_ns, resumes)).collect();
        for Series { sentinel, forecast, sampler } in &mut self.series {
            for closed in &closed[*sampler] {
                let value = sentinel.watch().measure().and_then(|measure| closed.figures.aggregate(measure));
                let sample = Sample { from_ns: closed.from_ns, to_ns: closed.to_ns, counts: closed.counts(), value };
                let foretold = forecast.forecast(1).filter(|value| value.is_finite());
                let foretold = foretold.map(|value| Foretold { model: forecast.name().into(), value });
                observed(sentinel.watch(), &sample).into_iter().for_each(|value| forecast.observe(value));
                let pattern = match &sentinel.watch().detecting {
                    Detecting::Callback(detector, _) => {
                        let score = asking.score(sector, &sentinel.watch().name, detector, &sample)?;
                        sentinel.scored(&sample, score)
                    }
                    _ => sentinel.observe(&sample),
                };
                if let Some(pattern) = pattern {
                    let (evidence, observations) = (asking.evidence(&closed.segments)?, closed.places.clone());
                    found.push(Pattern { evidence, observations, forecast: foretold, ..pattern });
                }
            }
        }
        Ok(())
    }

    /// Has a watch tell anew of what lasts.
    pub(super) fn rearm(&mut self, watch: &str) {
        let own = self.series.iter_mut().filter(|one| one.sentinel.watch().name == watch);
        own.for_each(|one| one.sentinel.rearm());
    }

    /// The watches at work, and what is foretold of each.
    pub(super) fn status(&self, sector: &str) -> Vec<(WatchStatus, ForecastStatus)> {
        let one = |Series { sentinel, forecast, .. }: &Series| {
            let (sector, watch) = (sector.to_owned(), sentinel.watch().name.clone());
            let standing = forecast.standings().into_iter().find(|one| one.model == forecast.name());
            let foretold = ForecastStatus {
                sector: sector.clone(),
                watch: watch.clone(),
                model: forecast.name().into(),
                next: forecast.forecast(1).filter(|value| value.is_finite()),
                relative_error: standing.map_or(1.0, |standing| standing.relative_error),
            };
            let detector = sentinel.watch().detecting.name().into_owned();
            let (samples, confidence_last) = (sentinel.samples(), sentinel.last_confidence());
            (WatchStatus { sector, watch, detector, samples, confidence_last }, foretold)
        };
        self.series.iter().map(one).collect()
    }
}

fn place_of(kinds: &Kinds, name: &str) -> Option<usize> {
    kinds.schema().kinds.iter().position(|kind| kind.name == name)
}

/// The models that foretell a watch's series.
fn forecasts(watch: &Watch) -> Best {
    let season = match watch.detecting {
        Detecting::Measured(_, _, season) => season,
        _ => SEASON,
    };
    let line = Running::Linear(Linear::new(WINDOW));
    let mean = Running::MovingAverage(MovingAverage::new(WINDOW));
    Best::of(vec![line, mean, Running::HoltWinters(HoltWinters::new(0.3, 0.05, 0.2, season))], SHARE)
}

/// The series that a watch is of: its measure, a share of the records, or their number.
fn observed(watch: &Watch, sample: &Sample) -> Option<f64> {
    let (count, successes) = (sample.counts.count as f64, sample.counts.successes() as f64);
    match watch.detecting {
        Detecting::Measured(..) | Detecting::Callback(_, Some(_)) => sample.value,
        Detecting::ErrorRatio => (count > 0.0).then(|| (count - successes) / count),
        Detecting::Mismatch => (count > 0.0).then(|| sample.counts.mismatched as f64 / count),
        Detecting::Rate | Detecting::Heartbeat | Detecting::Callback(_, None) => Some(count),
    }
}
