//! Any text as rules: refused with a reason, or read and written, in each form, so that it reads the same.
#![no_main]

use knhk_governance::doctrine::{Rule, rules_from_toml, rules_from_turtle, rules_to_toml};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let mut rules: Vec<Rule> = Rule::from_json(text).into_iter().collect();
    if let Ok(file) = rules_from_toml(text) {
        assert_eq!(rules_from_toml(&rules_to_toml(&file)).expect("it was written so"), file);
        rules.extend(file);
    }
    rules.extend(rules_from_turtle(text).unwrap_or_default());
    for rule in rules {
        assert_eq!(Rule::from_json(&rule.to_json()).expect("it was written so"), rule);
        assert_eq!(Rule::from_toml(&rule.to_toml()).expect("it was written so"), rule);
        assert_eq!(Rule::from_turtle(&rule.to_turtle()).expect("it was written so").hash(), rule.hash());
    }
});
