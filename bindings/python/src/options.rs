//! Settings of an engine, from keyword arguments.

use std::time::Duration;

use knhk_engine::Options;
use knhk_hot::BarrierChoice;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::error::invalid;
use crate::signer::Signer;

/// Reads the settings that were given; the others keep the engine's defaults.
pub(crate) fn options(given: Option<&Bound<'_, PyDict>>) -> PyResult<(Options, bool)> {
    let (mut options, mut read_only) = (Options::default(), false);
    let Some(given) = given else { return Ok((options, read_only)) };
    for (name, value) in given {
        if value.is_none() {
            continue;
        }
        let name: String = name.extract()?;
        match name.as_str() {
            "history" => options.history = positive(&name, &value)?,
            "clock_period" => options.clock_period = seconds(&name, &value)?,
            "barrier" => options.hot.barrier = barrier(&value)?,
            "retained_roots" => options.hot.retained_roots = positive(&name, &value)?,
            "soft_limit_bytes" => options.hot.soft_limit_bytes = positive(&name, &value)? as u64,
            "hard_limit_bytes" => options.hot.hard_limit_bytes = positive(&name, &value)? as u64,
            "ring_records" => {
                options.hot.ring_records = value.extract().map_err(|_| refused(&name, &value, "a count"))?
            }
            "control" => options.control = flag(&name, &value)?,
            "read_only" => read_only = flag(&name, &value)?,
            "max_document_bytes" => options.limits.bytes = positive(&name, &value)?,
            "max_depth" => options.limits.depth = positive(&name, &value)?,
            "max_keys" => options.limits.keys = positive(&name, &value)?,
            "observations" => options.observations = crate::observations::settings(&value)?,
            "signer" => options.signer = Some(signer(&value)?),
            "trust_root" => options.trust_root = Some(text(&name, &value)?),
            "checkpoint" => options.checkpoint = Some(text(&name, &value)?),
            "manual_time" => {
                options.manual_time =
                    Some(value.extract().map_err(|_| refused(&name, &value, "nanoseconds since 1970"))?);
            }
            "hot_budget" => options.hot_budget = seconds(&name, &value)?,
            "retain_versions" => options.retention.versions = Some(positive(&name, &value)? as u64),
            "retain_age" => options.retention.age = Some(seconds(&name, &value)?),
            _ => return Err(PyTypeError::new_err(format!("there is no setting {name:?} of an engine"))),
        }
    }
    Ok((options, read_only))
}

fn signer(value: &Bound<'_, PyAny>) -> PyResult<knhk_engine::Signer> {
    value.cast::<Signer>().map(|signer| signer.get().0.clone()).map_err(|_| {
        // Not what it is: it might be a secret.
        let kind = value.get_type().name().map_or_else(|_| "?".into(), |name| name.to_string());
        invalid("open", "signer", format!("signer is a knhk.Signer, not a {kind}"))
    })
}

fn text(name: &str, value: &Bound<'_, PyAny>) -> PyResult<String> {
    value.extract().map_err(|_| refused(name, value, "a str"))
}

fn flag(name: &str, value: &Bound<'_, PyAny>) -> PyResult<bool> {
    value.extract().map_err(|_| refused(name, value, "True or False"))
}

pub(crate) fn positive(name: &str, value: &Bound<'_, PyAny>) -> PyResult<usize> {
    match value.extract::<usize>() {
        Ok(number) if number > 0 => Ok(number),
        _ => Err(refused(name, value, "a positive number")),
    }
}

fn barrier(value: &Bound<'_, PyAny>) -> PyResult<BarrierChoice> {
    match value.extract::<String>().as_deref() {
        Ok("auto") => Ok(BarrierChoice::Auto),
        Ok("fence") => Ok(BarrierChoice::Fence),
        _ => Err(refused("barrier", value, "\"auto\" or \"fence\"")),
    }
}

/// A time span in seconds: a finite number that is not negative.
pub(crate) fn seconds(name: &str, value: &Bound<'_, PyAny>) -> PyResult<Duration> {
    let span = value.extract::<f64>().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    span.ok_or_else(|| refused(name, value, "a number of seconds that is not negative"))
}

pub(crate) fn refused(name: &str, value: &Bound<'_, PyAny>, wanted: &str) -> PyErr {
    let shown = value.repr().map_or_else(|_| "?".into(), |shown| shown.to_string());
    invalid("open", name, format!("{name} is {wanted}, not {shown}"))
}
