//! Search: candidates are tried, and the best that is better than nothing is kept.

use serde_json::{Number, Value};

use super::{Parameter, Plan, PlanError, Proposer, Question, Setting};

/// What a trial says of a plan: how good it would be, the more the better; none where it may not be. Nothing changed is asked for with no
/// plan.
type Trial = dyn Fn(&Question, Option<&Plan>) -> Option<f64> + Send + Sync;

/// The proposer that tries values in a shadow against what was recorded: for the parameter that a pattern concerns, a grid from its lower bound to
/// its upper one, then a finer one around the best (golden section would assume one maximum).
pub struct Search {
    trial: Box<Trial>,
    points: usize,
}

impl Search {
    /// `trial` judges a plan; `points`: values of a grid, 3 to 101.
    pub fn new(
        points: usize,
        trial: impl Fn(&Question, Option<&Plan>) -> Option<f64> + Send + Sync + 'static,
    ) -> Search {
        Search { trial: Box::new(trial), points: points.clamp(3, 101) }
    }

    fn best(&self, question: &Question, parameter: &Parameter, (low, high): (f64, f64)) -> Option<(f64, Plan)> {
        let (mut values, mut best) = (Vec::new(), None::<(f64, Plan)>);
        for point in 0..self.points {
            let place = low + (high - low) * point as f64 / (self.points - 1) as f64;
            let value = match parameter.value_type.as_str() {
                "i64" => Value::from(place.round() as i64),
                _ => Value::Number(Number::from_f64(place)?),
            };
            if values.contains(&value) || parameter.admit(&value).is_err() {
                continue;
            }
            values.push(value.clone());
            let why = format!(
                "{}: {} did best among the values tried against what was recorded",
                question.pattern.watch, value
            );
            let changes = vec![Setting { path: parameter.path.clone(), value }];
            let plan = Plan { changes, why, confidence: question.pattern.confidence };
            let good = (self.trial)(question, Some(&plan)).filter(|good| good.is_finite());
            if let Some(good) = good.filter(|good| best.as_ref().is_none_or(|(most, _)| good > most)) {
                best = Some((good, plan));
            }
        }
        best
    }
}

impl Proposer for Search {
    fn name(&self) -> &str {
        "search"
    }

    fn propose(&self, question: &Question) -> Result<Option<Plan>, PlanError> {
        let concerned = |parameter: &&Parameter| Some(&parameter.path) == question.pattern.concerns.as_ref();
        let Some(parameter) = question.parameters.iter().find(concerned) else { return Ok(None) };
        let (Some(now), Some(min), Some(max)) = (parameter.value.as_f64(), parameter.min, parameter.max) else {
            return Ok(None);
        };
        let reach = parameter.step.map_or(f64::INFINITY, |step| step * now.abs());
        let (low, high) = (min.max(now - reach), max.min(now + reach));
        let Some((good, plan)) = self.best(question, parameter, (low, high)) else { return Ok(None) };
        let spacing = (high - low) / (self.points - 1) as f64;
        let at = plan.changes[0].value.as_f64().unwrap_or(now);
        let finer = self.best(question, parameter, (low.max(at - spacing), high.min(at + spacing)));
        let (good, plan) = finer.filter(|(finer, _)| *finer > good).unwrap_or((good, plan));
        let nothing = (self.trial)(question, None).unwrap_or(f64::NEG_INFINITY);
        Ok((good > nothing).then_some(plan))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::Pattern;

    #[test]
    fn the_best_value_is_found_and_none_where_nothing_is_better() {
        let pattern = Pattern {
            watch: "Latency".into(),
            sector: "gateway".into(),
            detector: "cusum".into(),
            concerns: Some("concurrency".into()),
            confidence: 0.99,
            observed: 9.0,
            expected: 3.0,
            from_ns: 0,
            to_ns: 1,
            evidence: vec![],
            observations: vec![],
            forecast: None,
        };
        let parameter = Parameter {
            path: "concurrency".into(),
            value_type: "i64".into(),
            value: json!(50),
            min: Some(1.0),
            max: Some(1000.0),
            values: vec![],
            step: None,
            unit: None,
            doc: None,
        };
        let mut question = Question {
            pattern,
            parameters: vec![parameter],
            doctrine: vec![],
            guards: vec![],
            invariants: vec![],
            examples: vec![],
            refusals: vec![],
        };
        let good = |value: f64| -(value - 337.0).abs();
        let search = Search::new(21, move |question, plan| {
            let value = plan.map_or(&question.parameters[0].value, |plan| &plan.changes[0].value);
            Some(good(value.as_f64()?))
        });
        let found = search.propose(&question).unwrap().unwrap().changes[0].value.as_i64().unwrap();
        assert!((found - 337).abs() <= 3, "{found}");
        question.parameters[0].value = json!(337);
        assert_eq!(search.propose(&question).unwrap(), None);
        let never = Search::new(5, |_, plan| plan.is_none().then_some(0.0));
        assert_eq!(never.propose(&question).unwrap(), None, "nothing may be");
    }
}
