//! A rule, ready to judge.

use super::expression::Expression;
use super::judge::VARIABLES;
use super::rule::{Kind, Rule};
use super::shape::Cache;
use super::window::Window;

/// A rule with what its kind needs to be judged quickly.
#[derive(Debug)]
pub(super) struct Compiled {
    pub rule: Rule,
    pub name: String,
    pub part: Part,
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
        let part = match &rule.kind {
            Kind::TimeWindow(window) => {
                Window::of(window).map(Part::Window).map_err(|(part, why)| format!("{part}: {why}"))
            }
            Kind::Shape(_) => Ok(Part::Shape(Cache::default())),
            Kind::Expression(condition) => Expression::compile_for(&condition.cel, &VARIABLES)
                .map(Part::Expression)
                .map_err(|error| error.to_string()),
            _ => Ok(Part::Plain),
        };
        let part = part.unwrap_or_else(Part::Broken);
        Compiled { name: rule.name(), part, rule }
    }
}
