//! How rules are written: as JSON, which is stored and hashed, and as TOML, which people write.

use std::fmt::Write;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::limits::{FILE_BYTES, RULES, within};
use super::rule::{
    ApprovalChain, Callback, Condition, Enforcement, Kind, ResourceLimit, Rule, SegregationOfDuties, Shape, TimeWindow,
};
use super::{RuleError, check};

/// A rule as it is written in every form: one key for each thing it says, and one for its kind. What is not known is refused.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Form {
    id: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sector: Option<String>,
    enforcement: Enforcement,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    doc: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    fix: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    from: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    until: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    paths: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    guards: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    override_by: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    approval_chain: Option<ApprovalChain>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    segregation_of_duties: Option<SegregationOfDuties>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    resource_limit: Option<ResourceLimit>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    time_window: Option<TimeWindow>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    shape: Option<Shape>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expression: Option<Condition>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    callback: Option<Callback>,
}

impl From<Rule> for Form {
    fn from(rule: Rule) -> Form {
        let mut form = Form {
            id: rule.id,
            sector: rule.sector,
            enforcement: rule.enforcement,
            doc: rule.doc,
            fix: rule.fix,
            from: (rule.from_ns > 0).then(|| spoken(rule.from_ns)),
            until: rule.until_ns.map(spoken),
            paths: rule.paths,
            guards: rule.guards,
            override_by: rule.override_by,
            approval_chain: None,
            segregation_of_duties: None,
            resource_limit: None,
            time_window: None,
            shape: None,
            expression: None,
            callback: None,
        };
        match rule.kind {
            Kind::ApprovalChain(kind) => form.approval_chain = Some(kind),
            Kind::SegregationOfDuties(kind) => form.segregation_of_duties = Some(kind),
            Kind::ResourceLimit(kind) => form.resource_limit = Some(kind),
            Kind::TimeWindow(kind) => form.time_window = Some(kind),
            Kind::Shape(kind) => form.shape = Some(kind),
            Kind::Expression(kind) => form.expression = Some(kind),
            Kind::Callback(kind) => form.callback = Some(kind),
        }
        form
    }
}

impl TryFrom<Form> for Rule {
    type Error = String;

    fn try_from(form: Form) -> Result<Rule, String> {
        let kinds = [
            form.approval_chain.map(Kind::ApprovalChain),
            form.segregation_of_duties.map(Kind::SegregationOfDuties),
            form.resource_limit.map(Kind::ResourceLimit),
            form.time_window.map(Kind::TimeWindow),
            form.shape.map(Kind::Shape),
            form.expression.map(Kind::Expression),
            form.callback.map(Kind::Callback),
        ];
        let mut kinds = kinds.into_iter().flatten();
        let (Some(kind), None) = (kinds.next(), kinds.next()) else {
            return Err(format!(
                "rule {} needs exactly one of approval_chain, segregation_of_duties, resource_limit, time_window, shape, expression, callback",
                form.id
            ));
        };
        let time = |field: &str, text: Option<String>| match text {
            Some(text) => match nanoseconds(&text) {
                Some(time) => Ok(Some(time)),
                None => Err(format!(
                    "rule {}, {field}: {text:?} is no time from 1970 on: write it as 2026-01-31T09:00:00Z",
                    form.id
                )),
            },
            None => Ok(None),
        };
        Ok(Rule {
            from_ns: time("from", form.from)?.unwrap_or(0),
            until_ns: time("until", form.until)?,
            id: form.id,
            sector: form.sector,
            enforcement: form.enforcement,
            paths: form.paths,
            guards: form.guards,
            override_by: form.override_by,
            doc: form.doc,
            fix: form.fix,
            kind,
        })
    }
}

/// A time in nanoseconds since 1970 (UTC) as people and RFC 3339 write it.
pub(super) fn spoken(time_ns: u64) -> String {
    let time = Timestamp::from_nanosecond(i128::from(time_ns));
    time.expect("what 64 bits of nanoseconds reach lies before the year 2555").to_string()
}

fn nanoseconds(text: &str) -> Option<u64> {
    u64::try_from(text.parse::<Timestamp>().ok()?.as_nanosecond()).ok()
}

pub(super) fn from_json(text: &str) -> Result<Rule, RuleError> {
    within("bytes of a rule", text.len(), Rule::MAX_BYTES)?;
    let rule: Rule =
        serde_json::from_str(text).map_err(|error| RuleError::Text { form: "JSON", why: error.to_string() })?;
    rule.check()?;
    Ok(rule)
}

/// The rules of a TOML text: each a `[[rule]]`, in order.
///
/// # Errors
/// [`RuleError::TooLarge`] before memory is taken for it; what is no TOML, with line and column, or no rule; as [`Rule::check`].
pub fn rules_from_toml(text: &str) -> Result<Vec<Rule>, RuleError> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct File {
        #[serde(default)]
        rule: Vec<Rule>,
    }
    within("bytes of rules", text.len(), FILE_BYTES)?;
    let file: File = toml::from_str(text).map_err(|error| RuleError::Text { form: "TOML", why: error.to_string() })?;
    checked(file.rule)
}

/// The rules as TOML, each a `[[rule]]`.
pub fn rules_to_toml(rules: &[Rule]) -> String {
    #[derive(Serialize)]
    struct File<'r> {
        rule: &'r [Rule],
    }
    toml::to_string_pretty(&File { rule: rules }).expect("rules are tables of texts, numbers and lists")
}

/// Rules that were read, each of which says something that can be judged.
pub(super) fn checked(rules: Vec<Rule>) -> Result<Vec<Rule>, RuleError> {
    within("rules", rules.len(), RULES)?;
    for rule in &rules {
        within("bytes of a rule", rule.to_json().len(), Rule::MAX_BYTES)?;
        check::rule(rule)?;
    }
    Ok(rules)
}

pub(super) fn one(rules: Vec<Rule>) -> Result<Rule, RuleError> {
    let count = rules.len();
    let mut rules = rules.into_iter();
    match (rules.next(), rules.next()) {
        (Some(rule), None) => Ok(rule),
        _ => Err(RuleError::Count { count }),
    }
}

/// Canonical JSON: keys sorted bytewise, no white space; texts and numbers as `serde_json` writes them.
pub(super) fn canonical(value: &impl Serialize) -> String {
    let value = serde_json::to_value(value).expect("rules are objects of texts, numbers and lists");
    let mut text = String::new();
    write_canonical(&value, &mut text);
    text
}

fn write_canonical(value: &Value, out: &mut String) {
    match value {
        Value::Object(fields) => {
            let mut keys: Vec<_> = fields.iter().collect();
            keys.sort_unstable_by_key(|(key, _)| *key);
            out.push('{');
            for (at, (key, value)) in keys.into_iter().enumerate() {
                out.push_str(if at > 0 { "," } else { "" });
                let _ = write!(out, "{}:", Value::String(key.clone()));
                write_canonical(value, out);
            }
            out.push('}');
        }
        Value::Array(elements) => {
            out.push('[');
            for (at, element) in elements.iter().enumerate() {
                out.push_str(if at > 0 { "," } else { "" });
                write_canonical(element, out);
            }
            out.push(']');
        }
        scalar => {
            let _ = write!(out, "{scalar}");
        }
    }
}

pub(super) fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

/// Bytes as people write them.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
