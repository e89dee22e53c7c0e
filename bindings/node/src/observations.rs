//! Observations that the engine keeps by itself: what they add up to, and each one with its proof.

use std::time::Duration;

use knhk_engine::observation::{Bound, Counts, Figures, ObjectiveState, ObserveStats, Series};
use knhk_engine::{ObservationInfo, ObservationProof, Observations, SegmentInfo, SegmentQuery};
use knhk_hot::layout::Tag;
use napi::bindgen_prelude::Function;
use napi::{Env, sys};
use napi_derive::napi;

use crate::calls::{Raw, run};
use crate::job::Job;
use crate::records::{Object, array, hex};
use crate::value;

type Js = sys::napi_value;

/// How observations are kept; what is left out has the engine's default.
#[napi(object)]
pub struct KeepOptions {
    /// Observations of a segment.
    pub segment_records: Option<u32>,
    /// How long one waits for its segment to fill.
    pub seal_after_ms: Option<f64>,
    /// Memory for what is not durable yet.
    pub memory_bytes: Option<f64>,
    /// How often empty rings are looked into.
    pub period_ms: Option<f64>,
    /// Bytes of observations that are kept.
    pub retain_bytes: Option<f64>,
    /// For how long they are kept.
    pub retain_age_ms: Option<f64>,
    /// The window that aggregates are over.
    pub window_ms: Option<f64>,
    /// Pairs of key and kind that are added up apart.
    pub series: Option<u32>,
    /// The effort of zstd.
    pub compression: Option<i32>,
}

impl KeepOptions {
    pub(crate) fn settings(self) -> Observations {
        let mut settings = Observations::default();
        let span = |given: Option<f64>, to: &mut Duration| {
            if let Some(given) = given {
                *to = Duration::from_secs_f64(given / 1000.0);
            }
        };
        span(self.seal_after_ms, &mut settings.seal_after);
        span(self.period_ms, &mut settings.period);
        span(self.window_ms, &mut settings.window);
        if let Some(records) = self.segment_records {
            settings.segment_records = records as usize;
        }
        if let Some(bytes) = self.memory_bytes {
            settings.memory = bytes as u64;
        }
        if let Some(series) = self.series {
            settings.series = series as usize;
        }
        if let Some(compression) = self.compression {
            settings.compression = compression;
        }
        settings.retention.bytes = self.retain_bytes.map(|bytes| bytes as u64);
        settings.retention.age = self.retain_age_ms.map(|age| Duration::from_secs_f64(age / 1000.0));
        settings
    }
}

/// What a sector's observations add up to.
#[napi(catch_unwind)]
pub fn aggregates(env: Env, engine: u32, sector: String, settle: Function<'_>) -> napi::Result<Raw> {
    run(env, engine, Some(settle), Job::Aggregates { sector })
}

/// How a sector's objectives stand.
#[napi(catch_unwind)]
pub fn objectives(env: Env, engine: u32, sector: String, settle: Function<'_>) -> napi::Result<Raw> {
    run(env, engine, Some(settle), Job::Objectives { sector })
}

/// Waits until what the rings hold is durable.
#[napi(catch_unwind)]
pub fn flush_observations(env: Env, engine: u32, settle: Function<'_>) -> napi::Result<Raw> {
    run(env, engine, Some(settle), Job::FlushObservations)
}

/// Figures of what drains the rings.
#[napi(catch_unwind)]
pub fn observe_stats(env: Env, engine: u32, settle: Function<'_>) -> napi::Result<Raw> {
    run(env, engine, Some(settle), Job::ObserveStats)
}

/// Lists segments.
#[napi(catch_unwind)]
pub fn segments(
    env: Env,
    engine: u32,
    sector: Option<String>,
    first: f64,
    limit: Option<u32>,
    settle: Function<'_>,
) -> napi::Result<Raw> {
    let limit = limit.map(|limit| limit as usize);
    let query = SegmentQuery { from: first as u64, sector, limit, ..SegmentQuery::default() };
    run(env, engine, Some(settle), Job::Segments { query })
}

/// The observations of a segment.
#[napi(catch_unwind)]
pub fn observations(env: Env, engine: u32, segment: f64, settle: Function<'_>) -> napi::Result<Raw> {
    run(env, engine, Some(settle), Job::Observations { segment: segment as u64 })
}

/// Proves that an observation was ingested.
#[napi(catch_unwind)]
pub fn prove_observation(env: Env, engine: u32, segment: f64, index: f64, settle: Function<'_>) -> napi::Result<Raw> {
    run(env, engine, Some(settle), Job::ProveObservation { segment: segment as u64, index: index as u64 })
}

/// Checks such a proof.
#[napi(catch_unwind)]
pub fn verify_observation(
    env: Env,
    engine: u32,
    record: &[u8],
    proof: &[u8],
    settle: Function<'_>,
) -> napi::Result<Raw> {
    run(env, engine, Some(settle), Job::VerifyObservation { record: record.to_vec(), proof: proof.to_vec() })
}

/// What was asked, as it was told.
pub(crate) enum Told {
    Aggregates(Vec<Series>),
    Objectives(Vec<ObjectiveState>),
    Stats(Box<ObserveStats>),
    Segments(Vec<SegmentInfo>),
    Observations(Vec<ObservationInfo>),
    Proof(Box<ObservationProof>),
}

impl Told {
    pub(crate) fn js(&self, env: sys::napi_env) -> Js {
        match self {
            Told::Aggregates(series) => array(env, series.iter().map(|series| aggregate(env, series))),
            Told::Objectives(states) => array(env, states.iter().map(|state| objective(env, state))),
            Told::Stats(stats) => observe_figures(env, stats),
            Told::Segments(segments) => array(env, segments.iter().map(|one| segment(env, one))),
            Told::Observations(kept) => array(env, kept.iter().map(|one| observation(env, one))),
            Told::Proof(proven) => {
                Object::new(env)
                    .set(c"record", value::bytes(env, &proven.record))
                    .set(c"proof", value::bytes(env, &proven.proof))
                    .raw
            }
        }
    }
}

fn set(object: Object, env: sys::napi_env, name: &std::ffi::CStr, figure: Option<f64>) -> Object {
    match figure {
        Some(figure) => object.set(name, value::number(env, figure)),
        None => object,
    }
}

fn counts(env: sys::napi_env, counts: &Counts) -> Js {
    let [unspecified, success, rejected, error, timeout] = counts.outcomes;
    Object::new(env)
        .number(c"count", counts.count)
        .number(c"unspecified", unspecified)
        .number(c"success", success)
        .number(c"rejected", rejected)
        .number(c"error", error)
        .number(c"timeout", timeout)
        .number(c"own", counts.own)
        .number(c"mismatched", counts.mismatched)
        .raw
}

fn figures(env: sys::napi_env, of: &Figures) -> Js {
    let mut object = Object::new(env)
        .set(c"seconds", value::number(env, of.seconds))
        .set(c"counts", counts(env, &of.counts))
        .set(c"rate", value::number(env, of.rate));
    let optional = [
        (c"failureShare", of.failure_share),
        (c"sum", of.sum),
        (c"mean", of.mean),
        (c"min", of.min),
        (c"max", of.max),
        (c"p50", of.p50),
        (c"p90", of.p90),
        (c"p99", of.p99),
        (c"p999", of.p999),
    ];
    for (name, figure) in optional {
        object = set(object, env, name, figure);
    }
    object.raw
}

fn aggregate(env: sys::napi_env, series: &Series) -> Js {
    Object::new(env)
        .optional(c"key", series.key.as_deref())
        .optional(c"kind", series.kind.as_deref())
        .optional(c"unit", series.unit.as_deref())
        .set(c"window", figures(env, &series.window))
        .set(c"total", counts(env, &series.total))
        .raw
}

fn objective(env: sys::napi_env, now: &ObjectiveState) -> Js {
    let bound = match now.objective.bound {
        Bound::AtMost => "at most",
        Bound::AtLeast => "at least",
    };
    let mut object = Object::new(env)
        .text(c"name", &now.objective.name)
        .text(c"kind", &now.objective.kind)
        .text(c"aggregate", now.objective.aggregate.as_str())
        .text(c"bound", bound)
        .text(c"parameter", &now.objective.parameter)
        .number(c"windowSeconds", now.objective.window_s.into())
        .set(c"figures", figures(env, &now.figures));
    for (name, figure) in [(c"limit", now.objective.limit), (c"value", now.value), (c"burn", now.burn)] {
        object = set(object, env, name, figure);
    }
    match now.met {
        Some(met) => object.boolean(c"met", met).raw,
        None => object.raw,
    }
}

fn observe_figures(env: sys::napi_env, stats: &ObserveStats) -> Js {
    Object::new(env)
        .number(c"drained", stats.drained)
        .number(c"persisted", stats.persisted)
        .number(c"refused", stats.refused)
        .number(c"unattributed", stats.unattributed)
        .number(c"lost", stats.lost)
        .number(c"segments", stats.segments)
        .number(c"storedBytes", stats.stored_bytes)
        .number(c"pruned", stats.pruned)
        .number(c"heldBytes", stats.held_bytes)
        .optional(c"failing", stats.failing.as_deref())
        .raw
}

fn segment(env: sys::napi_env, segment: &SegmentInfo) -> Js {
    let object = Object::new(env)
        .number(c"number", segment.number)
        .text(c"sector", &segment.sector)
        .unsigned(c"firstNs", segment.first_ns)
        .unsigned(c"lastNs", segment.last_ns)
        .number(c"count", segment.count)
        .text(c"root", &hex(&segment.root));
    match segment.receipt {
        Some(receipt) => object.number(c"receipt", receipt).raw,
        None => object.raw,
    }
}

fn observation(env: sys::napi_env, kept: &ObservationInfo) -> Js {
    let record = &kept.record;
    let value = match u64::from(record.tag) {
        tag if tag == Tag::Bool as u64 => value::boolean(env, record.value != 0),
        tag if tag == Tag::F64 as u64 => value::number(env, f64::from_bits(record.value)),
        tag if tag == Tag::I64 as u64 => value::bigint(env, record.value.cast_signed()),
        _ => value::undefined(env),
    };
    Object::new(env)
        .text(c"sector", &kept.sector)
        .optional(c"key", kept.key.as_deref())
        .set(c"value", value)
        .number(c"outcome", record.outcome.into())
        .unsigned(c"subject", record.subject)
        .unsigned(c"detail", record.detail)
        .unsigned(c"timeNs", record.time_ns)
        .number(c"epoch", record.epoch)
        .raw
}
