//! Which parameters a rule is about, and which rules a change has to keep.

use std::collections::HashMap;

/// The names of a pattern. What it names it selects with everything below, so that `/**` at its end says nothing more.
fn names(pattern: &str) -> impl Iterator<Item = &str> {
    pattern.strip_suffix("/**").unwrap_or(pattern).split('/').filter(|&name| name != "**")
}

/// What is wrong with a pattern; none where nothing is.
pub(super) fn fault(pattern: &str) -> Option<&'static str> {
    let mut names = names(pattern).peekable();
    if names.peek().is_none() || names.any(|name| name.is_empty() || name.contains('*') && name != "*") {
        return Some("write limits, limits/max_qty or */max_qty: * stands for one whole name");
    }
    let before_last = pattern.strip_suffix("**").unwrap_or(pattern);
    before_last.contains("**").then_some("write ** at its end only: limits/**")
}

/// Whether a pattern selects a path: name by name, `*` any one name, and everything below what it names.
pub(super) fn selects(pattern: &str, path: &str) -> bool {
    let mut path = path.split('/');
    names(pattern).all(|wanted| path.next().is_some_and(|name| wanted == "*" || wanted == name))
}

/// Whether two patterns select a path in common. Where one ends, the rest of the other lies below it.
pub(super) fn overlap(left: &str, right: &str) -> bool {
    names(left).zip(names(right)).all(|(left, right)| left == "*" || right == "*" || left == right)
}

/// Whether two lists of patterns select a path in common; an empty list selects all.
pub(super) fn lists_overlap(left: &[String], right: &[String]) -> bool {
    left.is_empty() || right.is_empty() || left.iter().any(|left| right.iter().any(|right| overlap(left, right)))
}

/// Rules by what they are about.
#[derive(Debug, Default)]
pub(super) struct Index {
    /// Those that judge every change.
    always: Vec<u32>,
    /// Those that name a path in full, by it.
    named: HashMap<String, Vec<u32>>,
    /// Those that do not, with their pattern.
    open: Vec<(String, u32)>,
}

impl Index {
    pub(super) fn add(&mut self, rule: u32, patterns: &[String]) {
        if patterns.is_empty() {
            self.always.push(rule);
        }
        for pattern in patterns {
            if names(pattern).any(|name| name == "*") {
                self.open.push((pattern.clone(), rule));
            } else {
                self.named.entry(names(pattern).collect::<Vec<_>>().join("/")).or_default().push(rule);
            }
        }
    }

    /// The rules that judge every change.
    pub(super) fn always(&self) -> &[u32] {
        &self.always
    }

    /// Tells each rule that is about a path; one with several patterns may be told more than once.
    pub(super) fn of(&self, path: &str, mut tell: impl FnMut(u32)) {
        if !self.named.is_empty() {
            let ends = path.match_indices('/').map(|(at, _)| at).chain([path.len()]);
            for rule in ends.filter_map(|end| self.named.get(&path[..end])).flatten() {
                tell(*rule);
            }
        }
        for (_, rule) in self.open.iter().filter(|(pattern, _)| selects(pattern, path)) {
            tell(*rule);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_selects_a_path_and_what_is_below() {
        for (pattern, path, does) in [
            ("limits", "limits/max_qty", true),
            ("limits", "limits", true),
            ("limits/**", "limits/max_qty", true),
            ("*/**", "limits/max_qty", true),
            ("limits", "limits_2", false),
            ("limits/max_qty", "limits", false),
            ("*/max_qty", "limits/max_qty", true),
            ("*/max_qty", "limits/min_qty", false),
            ("*", "anything/at/all", true),
        ] {
            assert_eq!(selects(pattern, path), does, "{pattern} {path}");
            let mut index = Index::default();
            index.add(7, &[pattern.to_owned()]);
            let mut told = Vec::new();
            index.of(path, |rule| told.push(rule));
            assert_eq!(told, if does { vec![7] } else { vec![] }, "{pattern} {path}");
        }
    }

    #[test]
    fn stars_stand_for_whole_names() {
        for pattern in ["limits/max_*", "", "a//b", "**/a", "a/**/b", "a**", "**"] {
            assert!(fault(pattern).is_some(), "{pattern}");
        }
        for pattern in ["limits", "limits/*/max", "limits/**", "*"] {
            assert_eq!(fault(pattern), None, "{pattern}");
        }
    }

    #[test]
    fn patterns_overlap_where_a_path_fits_both() {
        assert!(overlap("limits", "limits/max_qty"));
        assert!(overlap("*/max_qty", "limits/*"));
        assert!(overlap("limits/**", "*/max_qty"));
        assert!(!overlap("limits/max_qty", "limits/min_qty"));
        assert!(lists_overlap(&[], &["a".to_owned()]));
    }
}
