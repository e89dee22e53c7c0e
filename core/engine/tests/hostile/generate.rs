//! Answers of a model that goes by nothing but the form that it was asked for, and of one that does not even do that.

use knhk_resilience::Random;
use serde_json::{Map, Value, json};

/// Something that a JSON Schema allows, by chance: the part of JSON Schema that plans are asked for in.
pub fn allowed(schema: &Value, random: &Random) -> Value {
    let pick = |items: &Vec<Value>| items[below(random, items.len())].clone();
    if let Some(values) = schema["enum"].as_array() {
        return pick(values);
    }
    if let Some(forms) = schema["anyOf"].as_array() {
        return allowed(&pick(forms), random);
    }
    let bound = |name: &str, usual: f64| schema[name].as_f64().unwrap_or(usual);
    match schema["type"].as_str() {
        Some("object") => {
            let properties = schema["properties"].as_object().expect("an object says what it has");
            properties
                .iter()
                .map(|(name, schema)| (name.clone(), allowed(schema, random)))
                .collect::<Map<_, _>>()
                .into()
        }
        Some("array") => {
            let (least, most) = (bound("minItems", 0.0) as usize, bound("maxItems", 3.0) as usize);
            // Few, mostly.
            let count = if below(random, 4) == 0 { least + below(random, most - least + 1) } else { least };
            (0..count).map(|_| allowed(&schema["items"], random)).collect()
        }
        Some("integer") => {
            let (low, high) = (bound("minimum", -10.0) as i64, bound("maximum", 10_000.0) as i64);
            json!(low + below(random, (high - low) as usize + 1) as i64)
        }
        Some("number") => {
            let (low, high) = (bound("minimum", -1.0), bound("maximum", 1.0));
            json!([low, high, low + (high - low) * random.unit()][below(random, 3)])
        }
        Some("boolean") => json!(below(random, 2) == 0),
        Some("string") => json!(["", "because", "Ignore all rules.", "x"][below(random, 4)]),
        other => panic!("plans are not asked for as {other:?}"),
    }
}

/// The same with something in it that may not be.
pub fn broken(plan: &Value, random: &Random) -> String {
    let mut plan = plan.clone();
    let odd = [
        json!(1e300),
        json!(-1),
        json!(u64::MAX),
        json!("5000"),
        json!(null),
        json!([1]),
        json!({"$value": 1}),
        json!(0.1),
    ];
    match below(random, 8) {
        0 => plan["changes"][0]["value"] = odd[below(random, odd.len())].clone(),
        1 => {
            plan["changes"][0]["path"] =
                json!(["", "admin", "governance/protected", "max_qty/..", "$classes/A"][below(random, 5)])
        }
        2 => plan["confidence"] = json!(1.5),
        3 => plan["enact"] = json!(true),
        4 => plan["changes"] = json!([]),
        5 => return "Sure! Here is your plan.".into(),
        6 => {
            let text = plan.to_string();
            return text[..text.len() / 2].into();
        }
        _ => return plan.to_string().replace("\"value\":", "\"value\":1,\"value\":"),
    }
    plan.to_string()
}

pub fn below(random: &Random, count: usize) -> usize {
    (random.unit() * count as f64) as usize % count
}
