//! Conditions in CEL, the Common Expression Language (<https://github.com/google/cel-spec>).
//!
//! Why CEL and not Cedar: conditions here are about numbers, doubles among them, which Cedar does not have (its decimals end at four digits and
//! do not add up); they ask about lists of changes, while Cedar answers who may do what to which resource; and Cedar's crate brings about four
//! times as many dependencies. The `cel` crate (MIT, developed since 2021, releases every month) is used without regular expressions, clocks
//! and extensions, with its hand-written parser, which keeps a limit of depth.
//!
//! CEL ends on every input but not soon on every input, so that a hostile condition is stopped before it runs:
//! * its text has at most 2 KiB, 256 nodes (after macros) and a depth of 32, and calls nothing but what [`FUNCTIONS`] lists;
//! * `all`, `exists`, `exists_one`, `map` and `filter` go over what they are given or over written-out literals, not over the outcome of
//!   another, and nest two deep: what is looped over has a known length, and no text or list can be doubled again and again;
//! * from those lengths follows how many steps it takes at most; one that may take more than a million is not run.
//!
//! What does not compile is not admitted; what cannot be evaluated (a key that is not there, two types that do not compare) is an error, which
//! a rule counts as broken, and never as kept.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, LazyLock};

use cel::common::ast::IdedExpr;
use cel::objects::{Key, Map};
use cel::parser::PrattParser;
use cel::{Context, Env, Value};
use serde_json::Value as Json;

use super::cost::{DEPTH, Facts, NODES, too_large};
use super::limits::EXPRESSION_BYTES;

/// What a condition may call, beside CEL's operators and the macros `has`, `all`, `exists`, `exists_one`, `map` and `filter`.
pub const FUNCTIONS: [&str; 9] =
    ["size", "contains", "startsWith", "endsWith", "int", "uint", "double", "string", "bool"];

/// Steps that an evaluation may take.
const STEPS: f64 = 1_000_000.0;

static STANDARD: LazyLock<Arc<Env>> = LazyLock::new(|| Arc::new(Env::stdlib()));

/// Why a condition does not compile, or what came of it is no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ExpressionError {
    /// Too long, too deep, too many nodes.
    #[error("{what}: {is}, and the limit is {limit}: split it into several rules")]
    TooLarge {
        /// What is too large.
        what: &'static str,
        /// How large.
        is: usize,
        /// How large it may be.
        limit: usize,
    },
    /// No CEL.
    #[error("{0}")]
    Syntax(String),
    /// A function that is not among [`FUNCTIONS`].
    #[error("there is no function {name:?}: it may call {}", FUNCTIONS.join(", "))]
    Function {
        /// Its name.
        name: String,
    },
    /// A variable that nothing gives a value.
    #[error("there is no variable {name:?}: it may ask about {known}")]
    Variable {
        /// Its name.
        name: String,
        /// What there is.
        known: String,
    },
    /// A loop over what another loop or an operator made.
    #[error(
        "a loop goes over a variable, a field or a list of literals, not over what was computed: put the condition into one loop"
    )]
    Range,
    /// It would look at too much.
    #[error("it may take {steps} steps over what it is asked about, and {limit} are allowed: loop over less")]
    Steps {
        /// Steps that it may take.
        steps: u64,
        /// Steps that are allowed.
        limit: u64,
    },
    /// It has no answer.
    #[error("{0}")]
    Evaluation(String),
    /// It is no condition.
    #[error("it came out as {0}, and a condition comes out true or false")]
    NotBoolean(String),
}

/// A compiled condition. Cheap to clone; any thread may evaluate it.
#[derive(Clone, Debug)]
pub struct Expression {
    tree: Arc<IdedExpr>,
    facts: Arc<Facts>,
}

/// The variables of an evaluation. It stays in its thread.
pub struct Scope<'s> {
    context: Context<'s, 'static>,
    /// The greatest length of a list, a map or (by 256 bytes) a text in it.
    longest: usize,
}

impl Expression {
    /// Compiles a condition.
    ///
    /// # Errors
    /// What is no CEL, or beyond what a condition may ask for.
    pub fn compile(text: &str) -> Result<Expression, ExpressionError> {
        too_large("bytes", text.len(), EXPRESSION_BYTES)?;
        let parser = PrattParser::new().max_recursion_depth(DEPTH as u16).max_expression_node_count(4 * NODES);
        // A fault of the parser is the text's, too.
        let parsed = catch_unwind(AssertUnwindSafe(|| parser.parse(text)));
        let tree = match parsed {
            Ok(Ok(tree)) => tree,
            Ok(Err(errors)) => return Err(ExpressionError::Syntax(errors.to_string().trim_end().to_owned())),
            Err(_) => return Err(ExpressionError::Syntax("the parser cannot read it".to_owned())),
        };
        let facts = Facts::of(&tree)?;
        Ok(Expression { tree: Arc::new(tree), facts: Arc::new(facts) })
    }

    /// [`Expression::compile`] of a condition that may ask about these variables only, so that a misspelt one is found now.
    ///
    /// # Errors
    /// As `compile`; [`ExpressionError::Variable`].
    pub fn compile_for(text: &str, variables: &[&str]) -> Result<Expression, ExpressionError> {
        let expression = Expression::compile(text)?;
        if let Some(name) = expression.variables().find(|name| !variables.contains(name)) {
            return Err(ExpressionError::Variable { name: name.to_owned(), known: variables.join(", ") });
        }
        Ok(expression)
    }

    /// The variables that it asks about, sorted.
    pub fn variables(&self) -> impl Iterator<Item = &str> {
        self.facts.variables.iter().map(String::as_str)
    }

    /// The texts that it writes out, sorted: names that it may look up.
    pub fn literals(&self) -> impl Iterator<Item = &str> {
        self.facts.literals.iter().map(String::as_str)
    }

    /// Whether it is true.
    ///
    /// # Errors
    /// [`ExpressionError::Steps`] without running it; else what has no answer.
    pub fn holds(&self, scope: &Scope<'_>) -> Result<bool, ExpressionError> {
        let steps = self.facts.steps(scope.longest);
        if steps > STEPS {
            return Err(ExpressionError::Steps { steps: steps as u64, limit: STEPS as u64 });
        }
        let outcome = catch_unwind(AssertUnwindSafe(|| Value::resolve(&self.tree, &scope.context)));
        match outcome {
            Ok(Ok(Value::Bool(holds))) => Ok(holds),
            Ok(Ok(other)) => Err(ExpressionError::NotBoolean(other.type_of().to_string())),
            Ok(Err(error)) => Err(ExpressionError::Evaluation(error.to_string())),
            Err(_) => Err(ExpressionError::Evaluation("the interpreter cannot evaluate it".to_owned())),
        }
    }
}

impl Scope<'_> {
    /// The variables that are the fields of a JSON object; of anything else there are none. A number is an `int` where it is whole, else a
    /// `double`.
    pub fn new(variables: &Json) -> Scope<'static> {
        Scope { context: Context::with_env(STANDARD.clone()), longest: 0 }.and(variables)
    }

    /// The same and further variables, as those of [`Scope::new`].
    pub fn with<'s>(&'s self, variables: &Json) -> Scope<'s> {
        Scope { context: self.context.new_inner_scope(), longest: self.longest }.and(variables)
    }
}

impl<'s> Scope<'s> {
    fn and(mut self, variables: &Json) -> Scope<'s> {
        let longest = Cell::new(self.longest);
        for (name, json) in variables.as_object().into_iter().flatten() {
            self.context.add_variable_from_value(name.as_str(), value(json, &longest));
        }
        Scope { longest: longest.get(), ..self }
    }
}

fn value(json: &Json, longest: &Cell<usize>) -> Value {
    let seen = |length: usize| longest.set(longest.get().max(length));
    match json {
        Json::Null => Value::Null,
        Json::Bool(truth) => Value::Bool(*truth),
        Json::Number(number) => match (number.as_i64(), number.as_u64()) {
            (Some(whole), _) => Value::Int(whole),
            (None, Some(whole)) => Value::UInt(whole),
            (None, None) => Value::Float(number.as_f64().unwrap_or(f64::NAN)),
        },
        Json::String(text) => {
            seen(text.len() / 256);
            Value::String(Arc::new(text.clone()))
        }
        Json::Array(elements) => {
            seen(elements.len());
            Value::List(Arc::new(elements.iter().map(|element| value(element, longest)).collect()))
        }
        Json::Object(fields) => {
            seen(fields.len());
            let entry = |(key, field): (&String, &Json)| (Key::String(Arc::new(key.clone())), value(field, longest));
            Value::Map(Map { map: Arc::new(fields.iter().map(entry).collect()) })
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn holds(text: &str, variables: Json) -> Result<bool, ExpressionError> {
        Expression::compile(text)?.holds(&Scope::new(&variables))
    }

    #[test]
    fn conditions_are_true_or_false_or_say_why_not() {
        let facts = json!({"n": 5, "x": 2.5, "by": "ops-2", "changes": [{"path": "a/b", "new": 4}, {"path": "c", "new": null}]});
        for (text, answer) in [
            ("n > 4 && x < 3.0", true),
            ("n * 2 == 10 ? by.startsWith('ops') : false", true),
            ("changes.all(c, c.path in ['a/b', 'c'])", true),
            ("changes.exists(c, c.new != null && c.new > 4)", false),
            ("size(changes.filter(c, c.path.contains('/'))) == 1", true),
            ("[1, 2, 3].exists(v, v == n)", false),
            ("n < 2.5 || x == 2.5", true),
        ] {
            assert_eq!(holds(text, facts.clone()), Ok(answer), "{text}");
        }
        assert!(matches!(holds("changes[0].old == 1", facts.clone()), Err(ExpressionError::Evaluation(_))));
        assert!(matches!(holds("n + x > 1.0", facts.clone()), Err(ExpressionError::Evaluation(_))));
        assert_eq!(holds("n", facts), Err(ExpressionError::NotBoolean("int".to_owned())));
    }

    #[test]
    fn a_misspelt_name_is_found_when_it_is_compiled() {
        let error = Expression::compile_for("chnages.all(c, c.new > 1)", &["changes", "by"]).unwrap_err();
        assert_eq!(error.to_string(), "there is no variable \"chnages\": it may ask about changes, by");
        assert!(Expression::compile_for("changes.all(c, c.new > 1)", &["changes"]).is_ok());
        assert!(matches!(Expression::compile("matches(by, 'a+')"), Err(ExpressionError::Function { .. })));
    }

    #[test]
    fn what_would_not_end_soon_is_stopped_before_it_runs() {
        let deep = format!("{}true{}", "(".repeat(1000), ")".repeat(1000));
        let bangs = "!".repeat(2000) + "true";
        let minus = "-".repeat(2000) + "1 == 1";
        let chain = vec!["1"; 1000].join("+") + "==1000";
        let fields = format!("a{} == 1", ".a".repeat(1000));
        let ternary = "a?".repeat(1000) + "true";
        let lists = "[".repeat(1000);
        let three = "l.all(a, l.all(b, l.all(c, a == b)))".to_owned();
        let doubled = "['x'].map(a, a + a).map(b, b + b) == []".to_owned();
        let long = format!("'{}' == ''", "x".repeat(3000));
        for text in [chain, fields, ternary, lists, three, doubled, long] {
            assert!(Expression::compile(&text).is_err(), "{text}");
        }
        // Brackets around brackets, and an even number of negations, are nothing to the parser.
        for text in [deep, bangs, minus] {
            assert_eq!(holds(&text, json!({})), Ok(true));
        }
        let list: Vec<u32> = (0..2000).collect();
        let twice = holds("l.all(a, l.all(b, a <= 5000))", json!({ "l": list }));
        assert!(matches!(twice, Err(ExpressionError::Steps { .. })), "{twice:?}");
        assert_eq!(holds("l.all(a, a <= 5000)", json!({ "l": list })), Ok(true));
    }
}
