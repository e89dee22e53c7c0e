//! Resource limits: bounds on values, on how far they move, and on how much changes.

use super::case::{Breach, Case};
use super::chain::{percent, spoken_percent};
use super::rule::{Quantity, ResourceLimit, Rule};
use super::touched::{Touched, number, numbers};
use crate::mutant::{Mutant, mutated};
use crate::number::{Number, decimal};

/// Findings of one rule; what is beyond is counted.
const SHOWN: usize = 20;

/// What is outside of a limit.
pub(super) fn breaches(rule: &Rule, limit: &ResourceLimit, case: &Case<'_>, own: &[&Touched<'_>]) -> Vec<Breach> {
    let candidate = case.facts.candidate;
    let artifact = candidate.compiled.as_ref().map(|compiled| &compiled.artifact);
    let whole = |count: usize| Number::I64(count as i64);
    let total = match limit.of {
        Quantity::Value | Quantity::Change | Quantity::ChangePercent => return values(rule, limit, case, own),
        Quantity::Paths => Some(("the change touches", whole(own.len()), "paths")),
        Quantity::Statements => Some(("the change removes and adds", whole(candidate.delta.len()), "statements")),
        Quantity::ChangesPerHour => {
            let count = i64::try_from(case.facts.changes_last_hour).unwrap_or(i64::MAX).saturating_add(1);
            Some(("this would be", Number::I64(count), "changes within an hour"))
        }
        Quantity::Keys => {
            artifact.map(|artifact| ("programs would read", Number::I64(artifact.names().into()), "names"))
        }
        Quantity::ArtifactBytes => artifact.map(|artifact| ("programs would map", whole(artifact.bytes()), "bytes")),
    };
    let Some((before, total, unit)) = total else {
        return vec![Breach::of("what it bounds is not known, since the change does not compile", "mend its schema")];
    };
    let fix = match limit.of {
        Quantity::Paths | Quantity::Statements => "propose it in parts",
        Quantity::ChangesPerHour => "propose it later, or together with another change",
        _ => "remove what is not needed any more",
    };
    outside(limit, total).map(|side| Breach::of(format!("{before} {total} {unit}, {side}"), fix)).into_iter().collect()
}

/// `above the limit of 5`, where a number is outside.
fn outside(limit: &ResourceLimit, is: Number) -> Option<String> {
    let above = limit
        .max
        .filter(|&max| is.is_above(max) && !mutated(Mutant::LimitUnheld))
        .map(|max| format!("above the limit of {max}"));
    above.or_else(|| limit.min.filter(|&min| is.is_below(min)).map(|min| format!("below the least of {min}")))
}

/// The values of parameters, or how far they move.
fn values(rule: &Rule, limit: &ResourceLimit, case: &Case<'_>, own: &[&Touched<'_>]) -> Vec<Breach> {
    let candidate = case.facts.candidate;
    let mut breaches = Vec::new();
    let mut more = 0;
    for touched in own {
        let (old, new) = (touched.before(candidate), touched.after(candidate));
        let path = &touched.path;
        let Some(new) = new else { continue };
        let breach = match limit.of {
            Quantity::Value => match numbers(&new) {
                Some(numbers) => numbers.into_iter().find_map(|is| {
                    outside(limit, is).map(|side| Breach::of(format!("{path} = {is} is {side}"), fix(limit, path)))
                }),
                None => not_a_number(rule, path),
            },
            _ => match (old.as_ref().and_then(number), number(&new)) {
                (Some(old), Some(new)) => {
                    let (far, spoken) = distance(limit.of, old, new);
                    outside(limit, far).map(|side| {
                        Breach::of(
                            format!("{path} {old} → {new} moves by {spoken}, {side}"),
                            "move it in smaller steps",
                        )
                    })
                }
                (None, Some(_)) if old.is_none() => None,
                _ => not_a_number(rule, path),
            },
        };
        match breach {
            Some(_) if breaches.len() == SHOWN => more += 1,
            Some(breach) => breaches.push(breach),
            None => {}
        }
    }
    if more > 0 {
        breaches.push(Breach::of(format!("{more} more parameters are outside of it"), "mend the first ones"));
    }
    breaches
}

/// How far a number moves, and how people say that.
fn distance(of: Quantity, old: Number, new: Number) -> (Number, String) {
    if of == Quantity::ChangePercent {
        let percent = percent(old, new);
        return (Number::F64(percent), spoken_percent(percent));
    }
    let far = match (old, new) {
        (Number::I64(old), Number::I64(new)) => match i64::try_from(old.abs_diff(new)) {
            Ok(far) => Number::I64(far),
            Err(_) => Number::F64(old.abs_diff(new) as f64),
        },
        (old, new) => Number::F64(decimal((new.to_f64() - old.to_f64()).abs())),
    };
    (far, far.to_string())
}

/// A parameter that is named in full has to be a number; one that lies below a name need not be.
fn not_a_number(rule: &Rule, path: &str) -> Option<Breach> {
    let named = rule.paths.iter().any(|pattern| pattern == path);
    named.then(|| {
        Breach::of(format!("{path} is no number, and the rule limits one"), "give it a number, or revise the rule")
    })
}

fn fix(limit: &ResourceLimit, path: &str) -> String {
    match (limit.min, limit.max) {
        (Some(min), Some(max)) => format!("choose {path} from {min} to {max}"),
        (None, Some(max)) => format!("choose {path} up to {max}"),
        (Some(min), None) => format!("choose {path} from {min} on"),
        (None, None) => String::new(),
    }
}
