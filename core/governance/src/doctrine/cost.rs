//! What a condition may call and cost, told from its tree without running it.

use std::collections::BTreeSet;

use cel::common::ast::{ComprehensionExpr, EntryExpr, Expr, IdedExpr, LiteralValue};

use super::expression::{ExpressionError, FUNCTIONS};

const OPERATORS: [&str; 17] = [
    "_?_:_", "_&&_", "_||_", "!_", "_-_", "_+_", "_*_", "_/_", "_%_", "_==_", "_!=_", "_>=_", "_<=_", "_>_", "_<_",
    "-_", "_[_]",
];

/// Operators that macros and `in` become.
const INNER: [&str; 2] = ["@in", "@not_strictly_false"];

pub(super) const NODES: usize = 256;
pub(super) const DEPTH: usize = 32;
const LOOPS: usize = 2;
/// What is known of an expression without running it.
#[derive(Debug, Default)]
pub(super) struct Facts {
    nodes: usize,
    pub variables: BTreeSet<String>,
    pub literals: BTreeSet<String>,
    /// Steps: the first outside of loops over what is given, the second to be multiplied by its greatest length, and so on.
    steps: [f64; LOOPS + 1],
}

/// Where in an expression a node stands.
struct Place {
    bound: Vec<String>,
    depth: usize,
    /// Loops around it.
    loops: usize,
    /// How often the loops around it over literals run it.
    times: f64,
    /// How many of the loops around it go over what is given.
    given: usize,
}

impl Facts {
    /// What is known of a tree; refuses what is beyond what a condition may ask for.
    pub fn of(tree: &IdedExpr) -> Result<Facts, ExpressionError> {
        let mut facts = Facts::default();
        facts.look(tree, &mut Place { bound: Vec::new(), depth: 0, loops: 0, times: 1.0, given: 0 })?;
        Ok(facts)
    }

    /// Steps that it may take where nothing that is given is longer than this.
    pub fn steps(&self, longest: usize) -> f64 {
        let longest = longest.max(1) as f64;
        self.steps.iter().rev().fold(0.0, |sum, steps| sum * longest + steps)
    }

    /// Counts and checks a node and what is below it; how many nodes that are.
    fn look(&mut self, node: &IdedExpr, place: &mut Place) -> Result<usize, ExpressionError> {
        self.nodes += 1;
        too_large("nodes", self.nodes, NODES)?;
        too_large("depth", place.depth, DEPTH * 2)?;
        place.depth += 1;
        let before = self.nodes;
        let mut steps = 1.0;
        match &node.expr {
            Expr::Ident(name) => {
                let name = name.trim_start_matches('.');
                if !place.bound.iter().any(|bound| bound == name) {
                    self.variables.insert(name.to_owned());
                }
            }
            Expr::Literal(LiteralValue::String(text)) => {
                self.literals.insert(text.inner().to_owned());
            }
            Expr::Literal(_) => {}
            Expr::Select(select) => {
                self.look(&select.operand, place)?;
            }
            Expr::List(list) => {
                for element in &list.elements {
                    self.look(element, place)?;
                }
            }
            Expr::Map(map) => {
                for entry in &map.entries {
                    let EntryExpr::MapEntry(entry) = &entry.expr else { return Err(unknown("a message")) };
                    self.look(&entry.key, place)?;
                    self.look(&entry.value, place)?;
                }
            }
            Expr::Call(call) => {
                let name = call.func_name.as_str();
                if !FUNCTIONS.contains(&name) && !OPERATORS.contains(&name) && !INNER.contains(&name) {
                    return Err(ExpressionError::Function { name: name.to_owned() });
                }
                for part in call.target.iter().map(|target| &**target).chain(&call.args) {
                    self.look(part, place)?;
                }
                // What it makes, or goes through, is as long as what it is given at most, once for each node below.
                steps += (self.nodes - before) as f64;
                let literal = call.args.iter().any(is_written);
                if name == "contains" || matches!(name, "@in" | "_==_" | "_!=_") && !literal {
                    let at = (place.given + 1).min(LOOPS);
                    self.steps[at] += place.times;
                }
            }
            Expr::Comprehension(comprehension) => self.comprehension(comprehension, place)?,
            Expr::Struct(message) => return Err(unknown(&message.type_name)),
            Expr::Unspecified => return Err(ExpressionError::Syntax("it is not whole".to_owned())),
        }
        self.steps[place.given] += steps * place.times;
        place.depth -= 1;
        Ok(self.nodes - before)
    }

    fn comprehension(&mut self, of: &ComprehensionExpr, place: &mut Place) -> Result<(), ExpressionError> {
        too_large("loops in one another", place.loops + 1, LOOPS)?;
        self.look(&of.iter_range, place)?;
        self.look(&of.accu_init, place)?;
        let times = match &of.iter_range.expr {
            Expr::List(list) if list.elements.iter().all(is_written) => Some(list.elements.len().max(1) as f64),
            _ if is_given(&of.iter_range) => None,
            _ => return Err(ExpressionError::Range),
        };
        let bound = place.bound.len();
        place.bound.push(of.accu_var.clone());
        let around = (place.loops, place.times, place.given);
        self.look(&of.result, place)?;
        place.bound.push(of.iter_var.clone());
        place.bound.extend(of.iter_var2.clone());
        place.loops += 1;
        match times {
            Some(times) => place.times *= times,
            None => place.given += 1,
        }
        self.look(&of.loop_cond, place)?;
        self.look(&of.loop_step, place)?;
        place.bound.truncate(bound);
        (place.loops, place.times, place.given) = around;
        Ok(())
    }
}

/// Whether a node is a literal: no longer than the expression.
fn is_written(node: &IdedExpr) -> bool {
    match &node.expr {
        Expr::Literal(_) => true,
        Expr::List(list) => list.elements.iter().all(is_written),
        _ => false,
    }
}

/// Whether a node is a variable, or a field or an element of one: no longer than the longest thing that is given.
fn is_given(node: &IdedExpr) -> bool {
    match &node.expr {
        Expr::Ident(name) => name != "@result",
        Expr::Select(select) => !select.test && is_given(&select.operand),
        Expr::Call(call) => match (call.func_name.as_str(), call.args.as_slice()) {
            ("_[_]", [of, _]) => is_given(of),
            _ => false,
        },
        _ => false,
    }
}

fn unknown(name: &str) -> ExpressionError {
    ExpressionError::Function { name: name.to_owned() }
}

pub(super) fn too_large(what: &'static str, is: usize, limit: usize) -> Result<(), ExpressionError> {
    if is > limit { Err(ExpressionError::TooLarge { what, is, limit }) } else { Ok(()) }
}
