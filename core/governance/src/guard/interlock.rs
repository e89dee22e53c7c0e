//! Interlocks: while one condition holds, another has to.

use std::fmt;

use knhk_ontology::Document;

use super::judge::{Crossing, Judged};
use super::value::scalars;
use super::{Condition, Guard, Interlock, Number, Scalar};

impl Guard {
    pub(super) fn check_interlocks(&self, judged: &Judged<'_>, crossings: &mut Vec<Crossing>) -> Result<(), Crossing> {
        let changes = |path: &str| judged.candidate.differences.iter().any(|difference| difference.path == path);
        for Interlock { when, require } in &self.interlocks {
            if !changes(&when.path) && !changes(&require.path) {
                continue;
            }
            let after = judged.after()?;
            if when.holds(after) && !require.holds(after) {
                let is = match after.get(&require.path) {
                    Some(leaf) => format!("is {leaf}"),
                    None => "is not there".to_owned(),
                };
                let what = format!("{when} is allowed only while {require}, and {} {is}", require.path);
                crossings.push(Crossing::new(what, format!("see to it that {require}")));
            }
        }
        Ok(())
    }
}

impl Condition {
    fn holds(&self, document: &Document) -> bool {
        let values = document.get(&self.path).as_ref().and_then(scalars);
        values.is_some_and(|values| !values.is_empty() && values.iter().all(|value| self.holds_of(value)))
    }

    fn holds_of(&self, value: &Scalar) -> bool {
        let within = |bound: Option<Number>, fits: fn(&Number, &Number) -> bool| match (bound, value) {
            (None, _) => true,
            (Some(bound), Scalar::Number(number)) => fits(number, &bound),
            (Some(_), _) => false,
        };
        let listed = self.values.is_empty() || self.values.contains(value);
        listed && within(self.min, Number::ge) && within(self.max, Number::le)
    }
}

/// `control/mode is live`, `limits/max is at most 5`.
impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let values: Vec<String> = self.values.iter().map(Scalar::to_string).collect();
        let values = Some(values.join(" or ")).filter(|values| !values.is_empty());
        let least = self.min.map(|min| format!("at least {min}"));
        let most = self.max.map(|max| format!("at most {max}"));
        let parts: Vec<String> = values.into_iter().chain(least).chain(most).collect();
        write!(f, "{} is {}", self.path, parts.join(" and "))
    }
}
