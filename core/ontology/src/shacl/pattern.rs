//! `sh:pattern`: SPARQL's REGEX, which is XPath's (<https://www.w3.org/TR/xpath-functions/#regex-syntax>), over the `regex` crate.

use regex::Regex;
use regex_automata::Anchored;
use regex_automata::dfa::{Automaton, StartKind, dense};
use regex_automata::nfa::thompson;
use regex_automata::util::primitives::StateID;
use regex_automata::util::{start, syntax};

/// Bytes that a compiled pattern may take; patterns such as `((a{1000}){1000})` ask for more.
const SIZE_LIMIT: usize = 1 << 20;

/// Groups within groups that a pattern may have.
const NEST_LIMIT: u32 = 64;

/// Bytes that the automaton of a pattern may take before it is made a table: Unicode's classes take more.
const NFA_LIMIT: usize = 16 << 10;

/// Bytes that its table may take, and as many while it is made.
const TABLE_LIMIT: usize = 64 << 10;

/// A pattern with its flags, ready to match.
#[derive(Clone, Debug)]
pub(super) struct Pattern {
    regex: Regex,
    /// The same as a table of states, where it is a small one: a look-up for each byte, and nothing to borrow from a pool beforehand.
    table: Option<Table>,
    source: String,
    flags: String,
}

impl Pattern {
    /// The reason says what the pattern asks for that cannot be had.
    pub(super) fn compile(source: &str, flags: &str) -> Result<Pattern, String> {
        let mut settings = Settings::default();
        for flag in flags.chars() {
            match flag {
                'i' => settings.ignore_case = true,
                's' => settings.dot_all = true,
                'm' => settings.multi_line = true,
                'x' => settings.no_whitespace = true,
                'q' => settings.quote = true,
                _ => return Err(format!("the flag {flag:?} is unknown; flags are i, m, q, s and x")),
            }
        }
        let text = match settings {
            Settings { quote: true, .. } => regex::escape(source),
            Settings { no_whitespace: true, .. } => translate(&without_whitespace(source))?,
            _ => translate(source)?,
        };
        let built = regex::RegexBuilder::new(&text)
            .case_insensitive(settings.ignore_case)
            .dot_matches_new_line(settings.dot_all)
            .multi_line(settings.multi_line)
            .size_limit(SIZE_LIMIT)
            .nest_limit(NEST_LIMIT)
            .build();
        let regex = built.map_err(|error| reason(&error))?;
        let table = Table::build(&text, settings);
        Ok(Pattern { regex, table, source: source.to_owned(), flags: flags.to_owned() })
    }

    pub(super) fn is_match(&self, text: &str) -> bool {
        let found = self.table.as_ref().and_then(|table| table.is_match(text.as_bytes()));
        found.unwrap_or_else(|| self.regex.is_match(text))
    }

    /// As it was written.
    pub(super) fn source(&self) -> &str {
        &self.source
    }

    pub(super) fn flags(&self) -> &str {
        &self.flags
    }
}

/// A deterministic automaton that knows all its states.
#[derive(Clone, Debug)]
struct Table {
    dfa: dense::DFA<Vec<u32>>,
    start: StateID,
}

impl Table {
    fn build(text: &str, settings: Settings) -> Option<Table> {
        let config = dense::Config::new()
            .start_kind(StartKind::Unanchored)
            .dfa_size_limit(Some(TABLE_LIMIT))
            .determinize_size_limit(Some(TABLE_LIMIT));
        let syntax = syntax::Config::new()
            .case_insensitive(settings.ignore_case)
            .dot_matches_new_line(settings.dot_all)
            .multi_line(settings.multi_line)
            .nest_limit(NEST_LIMIT);
        let nfa = thompson::Config::new().nfa_size_limit(Some(NFA_LIMIT));
        let dfa = dense::Builder::new().configure(config).thompson(nfa).syntax(syntax).build(text).ok()?;
        let start = dfa.start_state(&start::Config::new().anchored(Anchored::No)).ok()?;
        Some(Table { dfa, start })
    }

    /// None where the automaton gives up.
    fn is_match(&self, text: &[u8]) -> Option<bool> {
        let mut state = self.start;
        for &byte in text {
            state = self.dfa.next_state(state, byte);
            // Matches and dead ends are among the special states.
            if self.dfa.is_special_state(state) {
                if self.dfa.is_match_state(state) {
                    return Some(true);
                }
                if self.dfa.is_dead_state(state) {
                    return Some(false);
                }
                if self.dfa.is_quit_state(state) {
                    return None;
                }
            }
        }
        let state = self.dfa.next_eoi_state(state);
        (!self.dfa.is_quit_state(state)).then(|| self.dfa.is_match_state(state))
    }
}

#[derive(Clone, Copy, Default)]
struct Settings {
    ignore_case: bool,
    dot_all: bool,
    multi_line: bool,
    no_whitespace: bool,
    quote: bool,
}

/// The crate's message without its drawing of the place.
fn reason(error: &regex::Error) -> String {
    match error {
        regex::Error::CompiledTooBig(limit) => format!("the pattern would take more than {limit} bytes compiled"),
        other => {
            let text = other.to_string();
            text.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned()
        }
    }
}

/// XPath's flag x takes whitespace out of a pattern, except in a character class.
fn without_whitespace(source: &str) -> String {
    let mut depth = 0usize;
    let mut escaped = false;
    let keep = |char: &char| {
        let white = matches!(char, ' ' | '\t' | '\n' | '\r');
        match char {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '[' => depth += 1,
            ']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        !white || depth > 0
    };
    source.chars().filter(keep).collect()
}

/// The same pattern in the crate's syntax: what means something else in each of the two is rewritten or refused.
fn translate(source: &str) -> Result<String, String> {
    let mut text = String::with_capacity(source.len() + 16);
    let mut chars = source.chars().peekable();
    let mut class = 0usize;
    let mut class_start = false;
    while let Some(char) = chars.next() {
        let at_start = std::mem::take(&mut class_start);
        match char {
            '\\' => escape(&mut chars, class > 0, &mut text)?,
            '[' if class == 0 => {
                class = 1;
                class_start = true;
                text.push('[');
                if chars.next_if_eq(&'^').is_some() {
                    text.push('^');
                }
            }
            // XPath's subtraction [a-z-[aeiou]]; the crate writes it with two dashes.
            '-' if class > 0 && chars.peek() == Some(&'[') => {
                chars.next();
                class += 1;
                class_start = true;
                text.push_str("--[");
                if chars.next_if_eq(&'^').is_some() {
                    text.push('^');
                }
            }
            '[' => return Err("\"[\" inside a character class has to be written \"\\[\"".to_owned()),
            ']' if class > 0 && at_start => return Err("a character class is empty".to_owned()),
            ']' if class > 0 => {
                class -= 1;
                text.push(']');
            }
            ']' | '}' if class == 0 => {
                if char == ']' {
                    return Err("\"]\" outside a character class has to be written \"\\]\"".to_owned());
                }
                text.push(char);
            }
            // In a class these mean themselves here, and set operations in the crate.
            '&' | '~' | '-' if class > 0 && chars.peek() == Some(&char) => {
                chars.next();
                if char == '-' {
                    return Err("\"--\" in a character class has to be written \"\\-\"".to_owned());
                }
                text.push('\\');
                text.push(char);
            }
            '(' if class == 0 && chars.peek() == Some(&'?') => group(&mut chars, &mut text)?,
            _ => text.push(char),
        }
    }
    Ok(text)
}

/// `(?:…)` is XPath's; the other groups with a question mark are the crate's own.
fn group(chars: &mut std::iter::Peekable<std::str::Chars<'_>>, text: &mut String) -> Result<(), String> {
    chars.next();
    match chars.next() {
        Some(':') => {
            text.push_str("(?:");
            Ok(())
        }
        Some(other) => Err(format!("\"(?{other}\" is no construct of XPath's regular expressions")),
        None => Err("the pattern ends after \"(?\"".to_owned()),
    }
}

/// What follows a backslash.
fn escape(
    chars: &mut std::iter::Peekable<std::str::Chars<'_>>,
    in_class: bool,
    text: &mut String,
) -> Result<(), String> {
    let Some(char) = chars.next() else { return Err("the pattern ends after a backslash".to_owned()) };
    match char {
        'n' | 'r' | 't' | '\\' | '|' | '.' | '?' | '*' | '+' | '(' | ')' | '{' | '}' | '-' | '[' | ']' | '^' | '$' => {
            text.extend(['\\', char]);
        }
        's' => text.push_str(r"[ \t\n\r]"),
        'S' => text.push_str(r"[^ \t\n\r]"),
        'd' | 'D' => text.extend(['\\', char]),
        // All characters but punctuation, separators and others.
        'w' => text.push_str(r"[^\p{P}\p{Z}\p{C}]"),
        'W' => text.push_str(r"[\p{P}\p{Z}\p{C}]"),
        'i' => text.push_str(NAME_START),
        'I' => text.push_str(&format!("[^{NAME_START}]")),
        'c' => text.push_str(NAME_CHAR),
        'C' => text.push_str(&format!("[^{NAME_CHAR}]")),
        'p' | 'P' => property(char, chars, text)?,
        '0'..='9' if !in_class => return Err(format!("the back-reference \\{char} is not supported")),
        _ => return Err(format!("\\{char} is no escape of XPath's regular expressions")),
    }
    Ok(())
}

/// `\p{Lu}`; blocks (`\p{IsGreek}`) are not known.
fn property(char: char, chars: &mut std::iter::Peekable<std::str::Chars<'_>>, text: &mut String) -> Result<(), String> {
    if chars.next() != Some('{') {
        return Err(format!("\\{char} needs a category in braces, such as \\{char}{{Lu}}"));
    }
    let name: String = chars.by_ref().take_while(|&char| char != '}').collect();
    if name.starts_with("Is") {
        return Err(format!("the block \\{char}{{{name}}} is not supported"));
    }
    let category = |name: &str| {
        let mut chars = name.chars();
        let major = chars.next().is_some_and(|char| "LMNPZSC".contains(char));
        major && name.len() <= 2 && chars.all(|char| char.is_ascii_lowercase())
    };
    if !category(&name) {
        return Err(format!("\\{char}{{{name}}} is no category of Unicode"));
    }
    text.push_str(&format!("\\{char}{{{name}}}"));
    Ok(())
}

/// NameStartChar of XML 1.0, fifth edition, as a class.
const NAME_START: &str = r"[:A-Z_a-z\u{C0}-\u{D6}\u{D8}-\u{F6}\u{F8}-\u{2FF}\u{370}-\u{37D}\u{37F}-\u{1FFF}\u{200C}-\u{200D}\u{2070}-\u{218F}\u{2C00}-\u{2FEF}\u{3001}-\u{D7FF}\u{F900}-\u{FDCF}\u{FDF0}-\u{FFFD}\u{10000}-\u{EFFFF}]";

/// NameChar likewise.
const NAME_CHAR: &str = r"[\-.0-9\u{B7}\u{300}-\u{36F}\u{203F}-\u{2040}:A-Z_a-z\u{C0}-\u{D6}\u{D8}-\u{F6}\u{F8}-\u{2FF}\u{370}-\u{37D}\u{37F}-\u{1FFF}\u{200C}-\u{200D}\u{2070}-\u{218F}\u{2C00}-\u{2FEF}\u{3001}-\u{D7FF}\u{F900}-\u{FDCF}\u{FDF0}-\u{FFFD}\u{10000}-\u{EFFFF}]";

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, flags: &str, yes: &[&str], no: &[&str]) {
        let compiled = Pattern::compile(pattern, flags).unwrap_or_else(|why| panic!("{pattern:?}: {why}"));
        let check = |text: &str, found: bool| {
            assert_eq!(compiled.is_match(text), found, "{pattern:?} with {flags:?} in {text:?}");
            assert_eq!(compiled.regex.is_match(text), found, "{pattern:?} with {flags:?} in {text:?}, without a table");
        };
        yes.iter().for_each(|text| check(text, true));
        no.iter().for_each(|text| check(text, false));
    }

    #[test]
    fn the_syntax_of_xpath() {
        matches("^[a-z-[aeiou]]+$", "", &["bcd"], &["bad"]);
        matches("^[A-Z]{2}\\d{10}$", "", &["DE0123456789"], &["DE012345678"]);
        matches("^\\i\\c*$", "", &["a-1", ":x"], &["1a", "a b"]);
        matches("^[\\c-[:]]+$", "", &["a-1"], &["a:b"]);
        matches("^\\w+$", "", &["été1", "a+b"], &["a b", "a-b"]);
        matches("^[a&&b]+$", "", &["a&b"], &["c"]);
        matches("a.c", "s", &["a\nc"], &[]);
        matches("a.c", "", &["abc"], &["a\nc"]);
        matches("^b$", "m", &["a\nb"], &[]);
        matches("^b$", "", &["b"], &["a\nb", "b\n"]);
        matches("A B [ c]", "x", &["AB ", "ABc"], &["A B c"]);
        matches("a.c*", "q", &["xa.c*x"], &["abc"]);
        matches("joe", "i", &["JOEY"], &["jo"]);
        matches("(?:ab)+?", "", &["ab"], &["ba"]);
    }

    #[test]
    fn small_patterns_have_a_table() {
        for pattern in ["^[A-Z]{2}[0-9A-Z]{9}[0-9]$", "^ORD-[0-9]{6}$", "^[0-9A-Z]+$", "a", "^(EUR|USD)$"] {
            assert!(Pattern::compile(pattern, "").unwrap().table.is_some(), "{pattern:?}");
        }
        for pattern in ["^\\w+$", "(a|b){1000}"] {
            assert!(Pattern::compile(pattern, "").unwrap().table.is_none(), "{pattern:?}");
        }
    }

    #[test]
    fn what_is_refused() {
        for (pattern, flags, word) in [
            ("(a)\\1", "", "back-reference"),
            ("(?=a)", "", "(?="),
            ("(?i)a", "", "(?i"),
            ("(a", "", "unclosed"),
            ("[]", "", "empty"),
            ("a{1000}{1000}{1000}", "", "bytes"),
            ("\\b", "", "\\b"),
            ("\\p{IsGreek}", "", "block"),
            ("\\p{Greek}", "", "category"),
            ("a", "g", "flag"),
            ("\\", "", "backslash"),
            (&format!("{}{}", "(".repeat(1000), ")".repeat(1000)), "", "nest"),
        ] {
            let why = Pattern::compile(pattern, flags).expect_err(pattern);
            assert!(why.contains(word), "{pattern:?}: {why}");
        }
    }
}
