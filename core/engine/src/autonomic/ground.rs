//! What a plan for a sector can rest on: the parameters that it may change and how far, and the rules that hold.

use std::collections::BTreeSet;

use knhk_autonomic::plan::Parameter;
use knhk_autonomic::watch::Declared;
use knhk_governance::Limits;
use knhk_governance::guard::{Guards, Loosens};
use knhk_hot::artifact::Value as Read;
use knhk_observation::{Bound, Schema};
use knhk_ontology::{Leaf, ValueType};
use serde_json::{Number, Value, json};

use super::journal::Ground;
use crate::{Engine, Error};

/// Parameters of a question, at most: those that the sector's watches and remedies name come first.
const PARAMETERS: usize = 64;
/// Characters of a sentence about a rule or a guard, at most.
const SENTENCE: usize = 600;

impl Engine {
    /// The ground as it is now.
    pub(super) fn ground(&self, name: &str) -> Result<Ground, Error> {
        let sector = self.sector(name)?;
        let version = self.version_of(&sector, None, "loop")?;
        let snapshot = &version.snapshot;
        let (declared, schema, limits) = (Declared::of(snapshot), Schema::of(snapshot), Limits::of(version.artifact()));
        let guards = self.guards()?;
        let named: BTreeSet<&str> = (declared.watches.iter().filter_map(|watch| watch.concerns.as_deref()))
            .chain(declared.remedies.0.iter().map(|remedy| remedy.path.as_str()))
            .collect();
        // What an objective is measured by is not for the loop to move, unless a remedy says so.
        let aims: BTreeSet<&str> = schema.objectives.iter().map(|one| one.parameter.as_str()).collect();
        let free = |path: &str| {
            !path.starts_with("governance/") && !limits.protects(path) && (named.contains(path) || !aims.contains(path))
        };
        let document = snapshot.document().map_err(Clone::clone)?;
        let mut parameters: Vec<Parameter> = Vec::new();
        for first in [true, false] {
            let wanted = document.leaves().filter(|leaf| named.contains(leaf.path.as_str()) == first);
            let allowed = wanted.filter(|leaf| leaf.has_value && free(&leaf.path));
            let allowed = allowed.filter_map(|leaf| guarded(parameter(&leaf)?, name, &guards));
            parameters.extend(allowed.take(PARAMETERS - parameters.len()));
        }
        let doctrine = self.rules(Some(name), None, None)?.into_iter().map(|one| {
            let (name, doc) = (one.rule.name(), one.rule.doc.clone());
            shortened(format!("{name}: {doc} {}", one.rule.to_json()))
        });
        let of = |sector: &Option<String>| sector.as_deref().is_none_or(|sector| sector == name);
        let guards = guards.guards.iter().filter(|guard| of(&guard.sector));
        let guards = guards.map(|guard| shortened(format!("{}: {} {}", guard.name(), guard.doc, guard.to_json())));
        let mut invariants: Vec<String> = schema
            .objectives
            .iter()
            .map(|one| {
                let side = if one.bound == Bound::AtMost { "at most" } else { "at least" };
                let (name, what, kind) = (&one.name, one.aggregate.as_str(), &one.kind);
                let limit = one.limit.map_or_else(|| one.parameter.clone(), |limit| limit.to_string());
                format!("objective {name}: {what} of {kind} is {side} {limit} over {} s", one.window_s)
            })
            .collect();
        invariants.push(shortened(format!("budgets: {}", json!(limits))));
        Ok(Ground {
            sector: name.into(),
            version: version.number,
            parameters,
            doctrine: doctrine.collect(),
            guards: guards.collect(),
            invariants,
        })
    }
}

/// A leaf that a plan can change; none for lists, bytes, maps and classes.
fn parameter(leaf: &Leaf<'_>) -> Option<Parameter> {
    let value_type = match leaf.value_type {
        ValueType::Bool => "bool",
        ValueType::I64 => "i64",
        ValueType::F64 => "f64",
        ValueType::Str => "string",
        _ => return None,
    };
    let values = match leaf.allowed.as_ref() {
        None => Vec::new(),
        Some(Read::ListBool(values)) => values.iter().map(|&value| value.into()).collect(),
        Some(Read::ListI64(values)) => values.iter().map(|&value| value.into()).collect(),
        Some(Read::ListF64(values)) => values.iter().filter_map(|&value| number(value)).collect(),
        Some(Read::ListStr(values)) => values.iter().map(|&value| value.into()).collect(),
        Some(_) => return None,
    };
    Some(Parameter {
        path: leaf.path.clone(),
        value_type: value_type.into(),
        value: json_of(&leaf.value)?,
        min: leaf.min.as_ref().and_then(as_f64),
        max: leaf.max.as_ref().and_then(as_f64),
        values,
        step: None,
        unit: leaf.unit.map(str::to_owned),
        doc: leaf.doc.map(str::to_owned),
    })
}

/// A parameter within what the guards allow; none where they let it change by nothing.
fn guarded(mut parameter: Parameter, sector: &str, guards: &Guards) -> Option<Parameter> {
    let now = parameter.value.as_f64();
    let of = |guard: &&knhk_governance::guard::Guard| guard.sector.as_deref().is_none_or(|of| of == sector);
    for limit in guards.guards.iter().filter(of).flat_map(|guard| &guard.limits) {
        if !limit.paths.iter().any(|pattern| pattern.matches(&parameter.path)) {
            continue;
        }
        if limit.fixed {
            return None;
        }
        let least = [limit.min.map(|min| min.to_f64()), now.filter(|_| limit.loosens == Some(Loosens::Down))];
        let most = [limit.max.map(|max| max.to_f64()), now.filter(|_| limit.loosens == Some(Loosens::Up))];
        parameter.min = least.into_iter().flatten().chain(parameter.min).reduce(f64::max);
        parameter.max = most.into_iter().flatten().chain(parameter.max).reduce(f64::min);
        parameter.step = limit.max_step.into_iter().chain(parameter.step).reduce(f64::min);
    }
    Some(parameter)
}

fn json_of(value: &Read<'_>) -> Option<Value> {
    match value {
        Read::Bool(value) => Some((*value).into()),
        Read::I64(value) => Some((*value).into()),
        Read::F64(value) => number(*value),
        Read::Str(value) => Some((*value).into()),
        _ => None,
    }
}

fn as_f64(value: &Read<'_>) -> Option<f64> {
    match value {
        Read::I64(value) => Some(*value as f64),
        Read::F64(value) => Some(*value),
        _ => None,
    }
}

fn number(value: f64) -> Option<Value> {
    Number::from_f64(value).map(Value::Number)
}

fn shortened(text: String) -> String {
    match text.char_indices().nth(SENTENCE) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}
