//! What changed between two documents, as people say it.

use std::fmt;

use knhk_hot::artifact::Value;

use crate::display::literal_text;
use crate::{Document, Leaf, ValueType};

/// One path whose value, or what is said about it, differs.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Difference {
    /// The path.
    pub path: String,
    /// What it was, as people write it; none if it was not there.
    pub old: Option<String>,
    /// What it is; none if it is gone.
    pub new: Option<String>,
    summary: String,
}

/// `max_qty 1200 → 1000`, `venues + XPAR`.
impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.summary)
    }
}

/// What changed from `old` to `new`: first what is in the new document, in its order, then what is gone.
pub fn diff(old: &Document, new: &Document) -> Vec<Difference> {
    let changed = new.entries().filter_map(|leaf| {
        let before = old.get(&leaf.path);
        match before {
            Some(before) if same(old, &before, new, &leaf) => None,
            Some(before) => Some(change(old, before, new, leaf)),
            None if leaf.value_type == ValueType::Map => None,
            None => Some(whole(&leaf.path, None, Some(spoken(new, &leaf)))),
        }
    });
    let gone = old.leaves().filter(|leaf| new.get(&leaf.path).is_none());
    let gone = gone.map(|leaf| whole(&leaf.path, Some(spoken(old, &leaf)), None));
    changed.chain(gone).collect()
}

fn same<'d>(old: &'d Document, before: &Leaf<'d>, new: &'d Document, after: &Leaf<'d>) -> bool {
    match (&before.value, &after.value) {
        // Numbers of classes are counted anew in each document.
        (Value::Class { number: left, .. }, Value::Class { number: right, .. }) => {
            parents(old, *left) == parents(new, *right)
        }
        _ => before == after,
    }
}

fn change<'d>(old: &'d Document, before: Leaf<'d>, new: &'d Document, after: Leaf<'d>) -> Difference {
    let alike = Leaf { value: after.value.clone(), ..before.clone() } == after;
    let speak = |document, leaf: &Leaf<'_>| match leaf.value {
        Value::Class { .. } => spoken(document, leaf),
        _ if alike => literal_text(&leaf.value),
        _ => leaf.to_string(),
    };
    let (was, is) = (speak(old, &before), speak(new, &after));
    let summary = match (&before.value, &after.value) {
        (Value::ListStr(was), Value::ListStr(is)) if alike => list_change(was, is),
        _ => None,
    };
    let summary = summary.unwrap_or_else(|| format!("{was} → {is}"));
    Difference { summary: format!("{} {summary}", after.path), path: after.path, old: Some(was), new: Some(is) }
}

/// `+ XPAR − XLON`, where nothing but membership changed.
fn list_change(old: &[&str], new: &[&str]) -> Option<String> {
    let gone = old.iter().filter(|item| !new.contains(item));
    let come = new.iter().filter(|item| !old.contains(item));
    let kept = |from: &[&str], other: &[&str]| -> Vec<String> {
        from.iter().filter(|item| other.contains(item)).map(|item| item.to_string()).collect()
    };
    if old.len() + new.len() > 64 || kept(old, new) != kept(new, old) {
        return None;
    }
    let spoken = |sign: char, item: &&str| format!("{sign} {}", literal_text(&Value::Str(item)));
    let parts: Vec<String> = come.map(|item| spoken('+', item)).chain(gone.map(|item| spoken('−', item))).collect();
    (!parts.is_empty()).then(|| parts.join(" "))
}

fn whole(path: &str, old: Option<String>, new: Option<String>) -> Difference {
    let summary = match (&old, &new) {
        (None, Some(new)) => format!("{path} = {new} (new)"),
        (Some(old), _) => format!("{path} removed, was {old}"),
        (None, None) => path.to_owned(),
    };
    Difference { path: path.to_owned(), old, new, summary }
}

fn spoken(document: &Document, leaf: &Leaf<'_>) -> String {
    match leaf.value {
        Value::Class { number, .. } => match parents(document, number).join(", ") {
            none if none.is_empty() => "class".to_owned(),
            parents => format!("class under {parents}"),
        },
        _ => leaf.to_string(),
    }
}

fn parents(document: &Document, class: u32) -> Vec<&str> {
    let mut parents = document.classes().nth(class as usize).map(|(_, parents)| parents).unwrap_or_default();
    parents.sort_unstable();
    parents
}
