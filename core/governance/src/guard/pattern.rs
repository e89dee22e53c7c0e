//! Patterns of paths and IRIs: `*` stands for any characters but `/`, `**` for any at all.

use serde::{Deserialize, Serialize};

/// A pattern: `order/max_*`, `limits/**`, `urn:knhk:finance:audit/*`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Pattern(pub String);

impl Pattern {
    /// Whether it is a plain path, which only one path matches.
    pub fn is_exact(&self) -> bool {
        !self.0.contains('*')
    }

    /// Whether a path matches all of it. Takes time in proportion to both lengths at most.
    pub fn matches(&self, path: &str) -> bool {
        let (pattern, path) = (self.0.as_bytes(), path.as_bytes());
        let (mut at, mut done) = (0, 0);
        // Where the last `*` and the last `**` are, and how far each has eaten: whoever fails goes back to the nearest that may eat more.
        let (mut star, mut double) = (None, None);
        loop {
            if pattern[at..].starts_with(b"**") {
                (at, double, star) = (at + 2, Some((at + 2, done)), None);
            } else if pattern.get(at) == Some(&b'*') {
                (at, star) = (at + 1, Some((at + 1, done)));
            } else if at < pattern.len() && pattern.get(at) == path.get(done) {
                (at, done) = (at + 1, done + 1);
            } else if at == pattern.len() && done == path.len() {
                return true;
            } else if let Some((after, eaten)) = star.filter(|&(_, eaten)| path.get(eaten).is_some_and(|&b| b != b'/'))
            {
                (at, done, star) = (after, eaten + 1, Some((after, eaten + 1)));
            } else if let Some((after, eaten)) = double.filter(|&(_, eaten)| eaten < path.len()) {
                (at, done, star, double) = (after, eaten + 1, None, Some((after, eaten + 1)));
            } else {
                return false;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Pattern;

    #[test]
    fn patterns_match_what_they_say() {
        for (pattern, path, expected) in [
            ("max_qty", "max_qty", true),
            ("max_qty", "max_qt", false),
            ("max_qty", "max_qty2", false),
            ("max_*", "max_qty", true),
            ("max_*", "max_", true),
            ("max_*", "order/max_qty", false),
            ("*", "order/max_qty", false),
            ("order/*", "order/max_qty", true),
            ("order/*", "order/max/qty", false),
            ("order/**", "order/max/qty", true),
            ("**", "order/max/qty", true),
            ("**/qty", "order/max/qty", true),
            ("**/*_qty", "order/a/max_qty", true),
            ("**/*_qty", "order/a/max_qty/b", false),
            ("a*b*c", "aXbYc", true),
            ("a*b*c", "aXbY/c", false),
            ("a**b*c", "aX/Yb/bZc", true),
            ("*a", "aaa", true),
            ("", "", true),
            ("", "a", false),
        ] {
            assert_eq!(Pattern(pattern.into()).matches(path), expected, "{pattern} {path}");
        }
    }

    #[test]
    fn a_hostile_pattern_takes_no_time() {
        let pattern = Pattern(format!("{}b", "a*".repeat(100)));
        assert!(!pattern.matches(&"a".repeat(2_000)));
        let pattern = Pattern(format!("{}b", "a**".repeat(100)));
        assert!(!pattern.matches(&"a".repeat(2_000)));
    }
}
