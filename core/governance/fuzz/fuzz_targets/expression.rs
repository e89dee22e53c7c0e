//! Any text as a condition: refused with a reason, or answered soon, whatever it asks for.
#![no_main]

use std::cell::LazyCell;

use knhk_governance::doctrine::{Expression, Scope};
use libfuzzer_sys::fuzz_target;

thread_local! {
    static FACTS: LazyCell<Scope<'static>> = LazyCell::new(|| {
        let change = |at: u32| serde_json::json!({"path": format!("limits/p{at}"), "kind": "changed", "old": at, "new": f64::from(at) + 0.5});
        let changes: Vec<_> = (0..100).map(change).collect();
        Scope::new(&serde_json::json!({"changes": changes, "by": "bob", "after": {"a": 1, "b": "x", "c": [1, 2]}, "before": {}, "major": false}))
    });
}

fuzz_target!(|text: &str| {
    let Ok(expression) = Expression::compile(text) else { return };
    FACTS.with(|facts| {
        if let Err(error) = expression.holds(facts) {
            assert!(!error.to_string().is_empty());
        }
    });
});
