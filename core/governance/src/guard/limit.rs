//! Limits: what parameters may be, and how they may change.

use knhk_hot::artifact::Value;
use knhk_ontology::Leaf;

use super::chain::exceeds;
use super::judge::{Crossing, Judged};
use super::value::{number, numbers};
use super::{Guard, Limit, Loosens};
use crate::mutant::{Mutant, mutated};
use crate::number::Number;

impl Guard {
    pub(super) fn check_limits(&self, judged: &Judged<'_>, crossings: &mut Vec<Crossing>) -> Result<(), Crossing> {
        for limit in &self.limits {
            for path in judged.changed(&limit.paths) {
                let (old, new) = (judged.before().get(path), judged.after()?.get(path));
                let named = limit.paths.iter().any(|pattern| pattern.0 == path);
                let number = |leaf: &Option<Leaf<'_>>| leaf.as_ref().and_then(numbers).is_some();
                // What only a pattern names, and neither was nor becomes a number, is none of a rule for numbers.
                if named || !limit.is_of_numbers() || number(&old) || number(&new) {
                    crossings.extend(limit.crossing(path, old.as_ref(), new.as_ref()));
                }
            }
        }
        Ok(())
    }
}

impl Limit {
    fn is_of_numbers(&self) -> bool {
        !self.fixed && self.loosens != Some(Loosens::Range)
    }

    /// The first thing that is wrong with a changed parameter.
    fn crossing(&self, path: &str, old: Option<&Leaf<'_>>, new: Option<&Leaf<'_>>) -> Option<Crossing> {
        let Some(new) = new else {
            return Some(Crossing::new(format!("{path} would be removed, and it is guarded"), "leave it in"));
        };
        if self.fixed
            && !mutated(Mutant::FixedMoves)
            && let Some(old) = old
        {
            let what = format!("{path} would change from {old} to {new}, and may not change");
            return Some(Crossing::new(what, "leave it as it is"));
        }
        let range = || self.outside(path, new);
        let looser = || self.looser(path, old?, new);
        let step = || self.step(path, old?, new);
        range().or_else(looser).or_else(step)
    }

    fn outside(&self, path: &str, new: &Leaf<'_>) -> Option<Crossing> {
        if self.min.is_none() && self.max.is_none() {
            return None;
        }
        let Some(values) = numbers(new) else { return Some(no_number(path, new)) };
        let beyond = |side: &str, bound: Number, value: Number| {
            let unit = new.unit.map(|unit| format!(" {unit}")).unwrap_or_default();
            let what = format!("{path} would be {value}{unit}, and may be {bound} {side}");
            Crossing::new(what, format!("keep it at {bound} {side}"))
        };
        let low =
            self.min.and_then(|min| Some(beyond("at least", min, values.iter().copied().find(|value| *value < min)?)));
        let high = || {
            if mutated(Mutant::MostIgnored) {
                return None;
            }
            self.max.and_then(|max| Some(beyond("at most", max, values.iter().copied().find(|value| *value > max)?)))
        };
        low.or_else(high)
    }

    fn looser(&self, path: &str, old: &Leaf<'_>, new: &Leaf<'_>) -> Option<Crossing> {
        let loosens = self.loosens?;
        let crossing = |what: String| Some(Crossing::new(what, "make it no looser than it is"));
        let up = |old: Option<Number>, new: Option<Number>| old.is_some_and(|old| new.is_none_or(|new| new > old));
        let down = |old: Option<Number>, new: Option<Number>| old.is_some_and(|old| new.is_none_or(|new| new < old));
        let bound = |value: &Option<Value<'_>>| value.as_ref().and_then(number);
        let wider = down(bound(&old.min), bound(&new.min)) || up(bound(&old.max), bound(&new.max));
        if wider || allows_more(old.allowed.as_ref(), new.allowed.as_ref()) {
            return crossing(format!("what {path} may be would be looser: {old} would become {new}"));
        }
        if loosens == Loosens::Range {
            return None;
        }
        let (Some(was), Some(is)) = (numbers(old), numbers(new)) else { return Some(no_number(path, new)) };
        let looser = match loosens {
            _ if was.len() != is.len() => true,
            Loosens::Up => was.iter().zip(&is).any(|(was, is)| is > was),
            Loosens::Down | Loosens::Range => was.iter().zip(&is).any(|(was, is)| is < was),
        };
        if looser { crossing(format!("{path} would be looser: {old} would become {new}")) } else { None }
    }

    fn step(&self, path: &str, old: &Leaf<'_>, new: &Leaf<'_>) -> Option<Crossing> {
        let share = self.max_step?;
        let (Some(was), Some(is)) = (numbers(old), numbers(new)) else { return Some(no_number(path, new)) };
        let far = |(was, is): (&Number, &Number)| exceeds(was.to_f64(), is.to_f64(), share);
        (was.len() != is.len() || was.iter().zip(&is).any(far)).then(|| {
            let percent = share * 100.0;
            let what = format!("{path} would go from {old} to {new}, and may change by {percent} % at once");
            Crossing::new(what, "go there in smaller steps")
        })
    }
}

fn no_number(path: &str, new: &Leaf<'_>) -> Crossing {
    Crossing::new(format!("{path} would be {new}, and its guard is about a number"), "leave it a number")
}

/// Whether values are allowed that were not.
fn allows_more(old: Option<&Value<'_>>, new: Option<&Value<'_>>) -> bool {
    let Some(old) = old else { return false };
    let Some(new) = new else { return true };
    match (old, new) {
        (Value::ListI64(old), Value::ListI64(new)) => new.iter().any(|item| !old.contains(item)),
        (Value::ListF64(old), Value::ListF64(new)) => new.iter().any(|item| !old.contains(item)),
        (Value::ListStr(old), Value::ListStr(new)) => new.iter().any(|item| !old.contains(item)),
        (Value::ListBool(old), Value::ListBool(new)) => new.iter().any(|item| !old.contains(item)),
        (Value::ListBytes(old), Value::ListBytes(new)) => new.iter().any(|item| !old.contains(item)),
        _ => true,
    }
}
