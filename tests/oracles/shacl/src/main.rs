//! Writes cases with the verdicts of the validators that are built in, one JSON line each: so many generated ones with `COUNT SEED`, or those
//! that stand on the standard input, one JSON line each, with no argument. `compare.py` adds pySHACL's and compares.

#[allow(dead_code, reason = "the tests use the rest")]
#[path = "../../../../core/ontology/tests/shacl/generate.rs"]
mod generate;

use std::panic::{AssertUnwindSafe, catch_unwind};

use generate::Choose;
use knhk_shacl_oracles::validators;
use serde_json::{Value, json};

const PREFIXES: &str = "\
@prefix ex: <http://example.org/> .
@prefix rdf: <http://www.w3.org/1999/02/22-rdf-syntax-ns#> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
@prefix sh: <http://www.w3.org/ns/shacl#> .
@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
";

/// SplitMix64 (Steele, Lea, Flood 2014).
struct Random(u64);

impl Choose for Random {
    fn below(&mut self, count: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut bits = self.0;
        bits = (bits ^ bits >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        bits = (bits ^ bits >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((bits ^ bits >> 31) % count as u64) as usize
    }
}

fn main() {
    // What panics is reported as a verdict that could not be had.
    std::panic::set_hook(Box::new(|_| {}));
    let arguments: Vec<u64> =
        std::env::args().skip(1).map(|text| text.parse().expect("both arguments are numbers")).collect();
    match arguments[..] {
        [count, seed] => (0..count).for_each(|case| judge(generated(case, seed))),
        [] => std::io::stdin().lines().for_each(|line| {
            let line = line.expect("the standard input can be read");
            judge(serde_json::from_str(&line).expect("each line is a case"));
        }),
        _ => panic!("the arguments are COUNT and SEED, or none"),
    }
}

fn generated(case: u64, seed: u64) -> Value {
    let mut random = Random(seed << 32 | case);
    let shapes = format!("{PREFIXES}{}", generate::shapes(&mut random));
    let statements: Vec<String> = generate::data(&mut random).into_iter().map(|it| it.turtle()).collect();
    json!({ "case": case, "shapes": shapes, "data": format!("{PREFIXES}{}\n", statements.join("\n")) })
}

/// Prints a case with its verdicts.
fn judge(mut case: Value) {
    let text = |name: &str| case[name].as_str().expect("a case has shapes and data").to_owned();
    let (shapes, data) = (text("shapes"), text("data"));
    let verdicts = validators().into_iter().map(|(name, validate)| {
        let verdict = catch_unwind(AssertUnwindSafe(|| validate(&shapes, &data)));
        let verdict = match verdict.unwrap_or_else(|_| Err("panicked".to_owned())) {
            Ok(conforms) => Value::Bool(conforms),
            Err(why) => Value::String(why),
        };
        (name.to_owned(), verdict)
    });
    case["verdicts"] = Value::Object(verdicts.collect());
    println!("{case}");
}
