//! A rule, ready to judge.

use std::sync::OnceLock;

use super::expression::Expression;
use super::judge::VARIABLES;
use super::rule::{Kind, Rule};
use super::shape::Cache;
use super::window::Window;

/// A rule with what its kind needs to be judged quickly, made when it is first asked for: who only lists or admits rules needs none of it.
#[derive(Debug)]
pub(super) struct Compiled {
    pub rule: Rule,
    pub name: String,
    part: OnceLock<Part>,
}

/// What a kind needs beside the rule.
#[derive(Debug)]
pub(super) enum Part {
    /// Nothing.
    Plain,
    Window(Window),
    Shape(Cache),
    Expression(Expression),
    /// It cannot be judged any more, and why.
    Broken(String),
}

impl Compiled {
    pub(super) fn new(rule: Rule) -> Compiled {
        Compiled { name: rule.name(), part: OnceLock::new(), rule }
    }

    pub(super) fn part(&self) -> &Part {
        self.part.get_or_init(|| {
            let part = match &self.rule.kind {
                Kind::TimeWindow(window) => {
                    Window::of(window).map(Part::Window).map_err(|(part, why)| format!("{part}: {why}"))
                }
                Kind::Shape(_) => Ok(Part::Shape(Cache::default())),
                Kind::Expression(condition) => Expression::compile_for(&condition.cel, &VARIABLES)
                    .map(Part::Expression)
                    .map_err(|error| error.to_string()),
                _ => Ok(Part::Plain),
            };
            part.unwrap_or_else(Part::Broken)
        })
    }
}
