//! Rules: what to do about which pattern.

use serde::{Deserialize, Serialize};
use serde_json::{Number, Value};

use super::{Parameter, Plan, PlanError, Proposer, Question, Setting};

/// A rule: when this was found, move that parameter.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Remedy {
    /// Its name in the sector's ontology.
    pub name: String,
    /// The watch whose pattern it is for.
    pub when: String,
    /// Above what was expected (true), below it (false), or either (none).
    pub above: Option<bool>,
    /// The parameter that it moves.
    pub path: String,
    /// How.
    pub step: Step,
    /// Its own lower bound, within the parameter's.
    pub at_least: Option<f64>,
    /// Its own upper bound.
    pub at_most: Option<f64>,
}

/// How a parameter is moved.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// To so many times its value.
    Times(f64),
    /// By so much.
    By(f64),
    /// To this value.
    To(Value),
}

/// The proposer that goes by rules: the first one that fits a pattern and changes something.
#[derive(Clone, Debug, Default)]
pub struct Remedies(pub Vec<Remedy>);

impl Proposer for Remedies {
    fn name(&self) -> &str {
        "rule"
    }

    fn propose(&self, question: &Question) -> Result<Option<Plan>, PlanError> {
        let pattern = &question.pattern;
        for remedy in self.0.iter().filter(|remedy| remedy.fits(question)) {
            let Some(parameter) = question.parameters.iter().find(|parameter| parameter.path == remedy.path) else {
                continue;
            };
            let Some(value) = remedy.value(parameter) else { continue };
            let why = format!(
                "{}: {} was {:.4} where {:.4} was expected",
                remedy.name, pattern.watch, pattern.observed, pattern.expected
            );
            let changes = vec![Setting { path: remedy.path.clone(), value }];
            return Ok(Some(Plan { changes, why, confidence: pattern.confidence }));
        }
        Ok(None)
    }
}

impl Remedy {
    fn fits(&self, question: &Question) -> bool {
        let pattern = &question.pattern;
        self.when == pattern.watch && self.above.is_none_or(|above| above == (pattern.observed > pattern.expected))
    }

    /// The parameter's value after it, within all bounds; none where that is the value already or the parameter is no number to be moved.
    fn value(&self, parameter: &Parameter) -> Option<Value> {
        let moved = match (&self.step, parameter.value.as_f64()) {
            (Step::To(value), _) => return parameter.admit(value).is_ok().then(|| value.clone()),
            (Step::Times(times), Some(now)) => now * times,
            (Step::By(by), Some(now)) => now + by,
            _ => return None,
        };
        let now = parameter.value.as_f64()?;
        let reach = parameter.step.map_or(f64::INFINITY, |step| step * now.abs());
        let low = [parameter.min, self.at_least].into_iter().flatten().fold(now - reach, f64::max);
        let high = [parameter.max, self.at_most].into_iter().flatten().fold(now + reach, f64::min);
        if low > high {
            return None;
        }
        let value = match parameter.value_type.as_str() {
            // To whole numbers away from what it is, and back into the bounds.
            "i64" => {
                let rounded = if moved > now { moved.ceil() } else { moved.floor() };
                Value::from(rounded.clamp(low.ceil(), high.floor()) as i64)
            }
            "f64" => Value::Number(Number::from_f64(moved.clamp(low, high))?),
            _ => return None,
        };
        parameter.admit(&value).is_ok().then_some(value)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::Pattern;

    fn question(value: Value, value_type: &str, step: Option<f64>) -> Question {
        let pattern = Pattern {
            watch: "RejectSpike".into(),
            sector: "orders".into(),
            detector: "error-ratio".into(),
            concerns: Some("max_qty".into()),
            confidence: 0.9999,
            observed: 0.4,
            expected: 0.01,
            from_ns: 0,
            to_ns: 1,
            evidence: vec![],
            observations: vec![],
            forecast: None,
        };
        let parameter = Parameter {
            path: "max_qty".into(),
            value_type: value_type.into(),
            value,
            min: Some(1.0),
            max: Some(5000.0),
            values: vec![],
            step,
            unit: None,
            doc: None,
        };
        Question {
            pattern,
            parameters: vec![parameter],
            doctrine: vec![],
            guards: vec![],
            invariants: vec![],
            examples: vec![],
            refusals: vec![],
        }
    }

    fn remedy(step: Step) -> Remedy {
        let (name, when, path) = ("lower-on-rejects".into(), "RejectSpike".into(), "max_qty".into());
        Remedy { name, when, above: Some(true), path, step, at_least: Some(100.0), at_most: None }
    }

    #[test]
    fn a_rule_moves_its_parameter_as_far_as_it_may() {
        let value = |step, question: Question| {
            let plan = Remedies(vec![remedy(step)]).propose(&question).unwrap();
            plan.map(|plan| plan.changes[0].value.clone())
        };
        assert_eq!(value(Step::Times(0.8), question(json!(1000), "i64", None)), Some(json!(800)));
        assert_eq!(value(Step::By(-250.0), question(json!(1000.5), "f64", None)), Some(json!(750.5)));
        assert_eq!(value(Step::Times(0.1), question(json!(1000), "i64", Some(0.25))), Some(json!(750)));
        assert_eq!(value(Step::Times(0.01), question(json!(1000), "i64", None)), Some(json!(100)), "its own bound");
        assert_eq!(value(Step::Times(0.5), question(json!(100), "i64", None)), None, "it is there already");
        assert_eq!(value(Step::To(json!(9000)), question(json!(100), "i64", None)), None, "beyond the range");
        let mut below = question(json!(1000), "i64", None);
        (below.pattern.observed, below.pattern.expected) = (0.0, 0.3);
        assert_eq!(value(Step::Times(0.8), below), None, "the other way");
    }

    proptest! {
        #[test]
        fn whatever_a_rule_says_is_sound(
            now in 1i64..5000, times in -3.0..4.0f64, by in -1e4..1e4f64, step in prop::option::of(0.0..2.0f64), whole: bool, relative: bool,
        ) {
            let (value, kind) = if whole { (json!(now), "i64") } else { (json!(now as f64 + 0.5), "f64") };
            let question = question(value, kind, step);
            let step = if relative { Step::Times(times) } else { Step::By(by) };
            if let Some(plan) = Remedies(vec![remedy(step)]).propose(&question).unwrap() {
                prop_assert_eq!(plan.check(&question.parameters), Ok(()));
            }
        }
    }
}
