//! The form of an answer: a JSON Schema in which a plan out of bounds cannot be said.

use serde_json::{Value, json};

use crate::plan::Parameter;

/// The JSON Schema of a plan over these parameters: each change is one of the parameters with a value of its type, within its bounds and its
/// largest step. It keeps to what strict structured outputs know: every property required, no other allowed,
/// and no lengths of texts, which are looked at on arrival.
pub fn schema(parameters: &[Parameter]) -> Value {
    let change = |parameter: &Parameter| {
        json!({
            "type": "object",
            "properties": {"path": {"type": "string", "enum": [parameter.path]}, "value": value(parameter)},
            "required": ["path", "value"],
            "additionalProperties": false,
        })
    };
    json!({
        "type": "object",
        "properties": {
            "changes": {
                "type": "array",
                "items": {"anyOf": parameters.iter().map(change).collect::<Vec<_>>()},
                "minItems": 1,
                "maxItems": parameters.len(),
            },
            "why": {"type": "string", "description": "one sentence, 500 characters at most"},
            "confidence": {"type": "number", "minimum": 0, "maximum": 1},
        },
        "required": ["changes", "why", "confidence"],
        "additionalProperties": false,
    })
}

fn value(parameter: &Parameter) -> Value {
    if !parameter.values.is_empty() {
        return json!({"enum": parameter.values});
    }
    let reach = parameter.step.zip(parameter.value.as_f64()).map(|(step, now)| (now, step * now.abs()));
    let low = [parameter.min, reach.map(|(now, reach)| now - reach)].into_iter().flatten().reduce(f64::max);
    let high = [parameter.max, reach.map(|(now, reach)| now + reach)].into_iter().flatten().reduce(f64::min);
    let (kind, low, high) = match parameter.value_type.as_str() {
        "bool" => return json!({"type": "boolean"}),
        "i64" => ("integer", low.map(|low| json!(low.ceil() as i64)), high.map(|high| json!(high.floor() as i64))),
        "f64" => ("number", low.map(|low| json!(low)), high.map(|high| json!(high))),
        _ => return json!({"type": "string", "description": "1000 characters at most"}),
    };
    let mut value = json!({"type": kind});
    if let Some(low) = low {
        value["minimum"] = low;
    }
    if let Some(high) = high {
        value["maximum"] = high;
    }
    value
}
