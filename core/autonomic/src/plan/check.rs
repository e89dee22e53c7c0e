//! Whether a plan says only what it may.

use std::fmt;

use serde_json::Value;

use super::{Parameter, Plan};

/// The most characters of a plan's reason.
const WHY: usize = 500;
/// The most characters of a text that a parameter becomes.
const TEXT: usize = 1000;

/// What is wrong with a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flaw {
    /// The parameter, or the plan's field.
    pub item: String,
    /// What is wrong with it.
    pub what: String,
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.item, self.what)
    }
}

impl Plan {
    /// All that a plan says and may not: parameters that it was not given, values of another type or out of bounds, larger steps, nothing to
    /// change. Whatever a proposer answers is checked by this before it is filed, whoever the proposer is.
    ///
    /// # Errors
    /// Every flaw.
    pub fn check(&self, parameters: &[Parameter]) -> Result<(), Vec<Flaw>> {
        let mut flaws = Vec::new();
        let mut flaw = |item: &str, what: String| flaws.push(Flaw { item: item.into(), what });
        if !(0.0..=1.0).contains(&self.confidence) {
            flaw("confidence", format!("{} is not between 0 and 1", self.confidence));
        }
        if self.why.chars().count() > WHY {
            flaw("why", format!("longer than {WHY} characters"));
        }
        if self.changes.is_empty() {
            flaw("changes", "there is none".into());
        }
        for (place, change) in self.changes.iter().enumerate() {
            if self.changes[..place].iter().any(|other| other.path == change.path) {
                flaw(&change.path, "changed twice".into());
            }
            match parameters.iter().find(|parameter| parameter.path == change.path) {
                None => flaw(&change.path, "not among the parameters that may be changed".into()),
                Some(parameter) => parameter.admit(&change.value).unwrap_or_else(|what| flaw(&change.path, what)),
            }
        }
        if flaws.is_empty() { Ok(()) } else { Err(flaws) }
    }
}

impl Parameter {
    /// Whether it may have a value.
    pub(crate) fn admit(&self, value: &Value) -> Result<(), String> {
        let typed = match self.value_type.as_str() {
            "bool" => value.is_boolean(),
            "i64" => value.is_i64(),
            "f64" => value.as_f64().is_some_and(f64::is_finite),
            "string" => value.is_string(),
            _ => false,
        };
        if !typed {
            return Err(format!("{value} is not of type {}", self.value_type));
        }
        if value.as_str().is_some_and(|text| text.chars().count() > TEXT) {
            return Err(format!("longer than {TEXT} characters"));
        }
        if !self.values.is_empty() && !self.values.contains(value) {
            return Err(format!("{value} is none of the values that there are"));
        }
        if *value == self.value {
            return Err(format!("it is {value} already"));
        }
        let Some(number) = value.as_f64() else { return Ok(()) };
        if let Some(min) = self.min.filter(|min| number < *min) {
            return Err(format!("{number} is below {min}"));
        }
        if let Some(max) = self.max.filter(|max| number > *max) {
            return Err(format!("{number} is above {max}"));
        }
        let (Some(step), Some(now)) = (self.step, self.value.as_f64()) else { return Ok(()) };
        // As much as the arithmetic of whoever computed the step rounds.
        let most = step * now.abs() * (1.0 + 1e-12);
        if (number - now).abs() > most {
            return Err(format!("{number} is more than {} % away from {now}", step * 100.0));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::plan::Setting;

    fn parameters() -> Vec<Parameter> {
        let parameter = |path: &str, value_type: &str, value| Parameter {
            path: path.into(),
            value_type: value_type.into(),
            value,
            min: None,
            max: None,
            values: vec![],
            step: None,
            unit: None,
            doc: None,
        };
        vec![
            Parameter {
                min: Some(1.0),
                max: Some(5000.0),
                step: Some(0.5),
                ..parameter("max_qty", "i64", json!(1000))
            },
            Parameter { values: vec![json!("a"), json!("b")], ..parameter("mode", "string", json!("a")) },
            parameter("on", "bool", json!(true)),
            parameter("name", "string", json!("x")),
        ]
    }

    #[test]
    fn each_flaw_is_named() {
        let check = |path: &str, value: Value| {
            let plan = Plan { changes: vec![Setting { path: path.into(), value }], why: "why".into(), confidence: 0.9 };
            plan.check(&parameters()).map_err(|flaws| flaws.iter().map(Flaw::to_string).collect::<Vec<_>>().join("; "))
        };
        assert_eq!(check("max_qty", json!(800)), Ok(()));
        assert_eq!(check("mode", json!("b")), Ok(()));
        for (path, value, said) in [
            ("max_qty", json!(0), "max_qty: 0 is below 1"),
            ("max_qty", json!(6000), "max_qty: 6000 is above 5000"),
            ("max_qty", json!(400), "max_qty: 400 is more than 50 % away from 1000"),
            ("max_qty", json!(800.5), "max_qty: 800.5 is not of type i64"),
            ("max_qty", json!(1000), "max_qty: it is 1000 already"),
            ("mode", json!("c"), "mode: \"c\" is none of the values that there are"),
            ("name", json!("x".repeat(1001)), "name: longer than 1000 characters"),
            ("on", json!("no"), "on: \"no\" is not of type bool"),
            ("min_qty", json!(1), "min_qty: not among the parameters that may be changed"),
        ] {
            assert_eq!(check(path, value).unwrap_err(), said);
        }
        let plan = Plan { changes: vec![], why: "x".repeat(501), confidence: f64::NAN };
        assert_eq!(plan.check(&parameters()).unwrap_err().len(), 3);
        let twice = Setting { path: "on".into(), value: json!(false) };
        let plan = Plan { changes: vec![twice.clone(), twice], why: String::new(), confidence: 0.5 };
        assert_eq!(plan.check(&parameters()).unwrap_err()[0].what, "changed twice");
    }
}
