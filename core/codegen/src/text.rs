//! Text from outside in source code: comments that cannot be left, and strings.

use std::fmt::Write;

/// The lines of a text, without what would hide or reorder code: control characters, and those that change the direction of writing.
pub(crate) fn lines_of(text: &str) -> Vec<String> {
    let plain = |line: &str| {
        let mut plain = String::with_capacity(line.len());
        for character in line.trim().chars() {
            match character {
                '\u{200e}'
                | '\u{200f}'
                | '\u{202a}'..='\u{202e}'
                | '\u{2066}'..='\u{2069}'
                | '\u{2028}'
                | '\u{2029}' => {
                    plain += &format!("U+{:04X}", u32::from(character));
                }
                character if character.is_control() => plain.push(' '),
                character => plain.push(character),
            }
        }
        plain
    };
    text.lines().map(plain).filter(|line| !line.is_empty()).collect()
}

/// A comment as `/** … */`, at an indentation; nothing in it ends it, begins another one or is a trigraph.
pub(crate) fn block_comment(out: &mut String, indent: &str, lines: &[String]) {
    let plain = |line: &String| line.replace("*/", "* /").replace("/*", "/ *").replace("??", "? ?");
    match lines {
        [] => {}
        [one] => *out += &format!("{indent}/** {} */\n", plain(one)),
        many => {
            *out += &format!("{indent}/**\n");
            many.iter().for_each(|line| *out += &format!("{indent} * {}\n", plain(line)));
            *out += &format!("{indent} */\n");
        }
    }
}

/// Comment lines that begin alike.
pub(crate) fn line_comment(out: &mut String, begin: &str, lines: &[String]) {
    lines.iter().for_each(|line| *out += &format!("{begin} {line}\n"));
}

/// A string of C and C++.
pub(crate) fn c_string(text: &str) -> String {
    let mut quoted = String::from("\"");
    for byte in text.bytes() {
        match byte {
            // A question mark could begin a trigraph.
            b'"' | b'\\' | b'?' => quoted.extend(['\\', byte as char]),
            b' '..=b'~' => quoted.push(byte as char),
            byte => _ = write!(quoted, "\\{byte:03o}"),
        }
    }
    quoted + "\""
}

/// A string of Rust.
pub(crate) fn rust_string(text: &str) -> String {
    escaped(text, '"', |character| format!("\\u{{{:x}}}", u32::from(character)))
}

/// A string of Python, in quotes of its usual kind.
pub(crate) fn python_string(text: &str) -> String {
    escaped(text, '"', |character| format!("\\U{:08x}", u32::from(character)))
}

/// A string of TypeScript.
pub(crate) fn typescript_string(text: &str) -> String {
    escaped(text, '\'', |character| format!("\\u{{{:x}}}", u32::from(character)))
}

fn escaped(text: &str, quote: char, escape: impl Fn(char) -> String) -> String {
    let mut quoted = String::from(quote);
    for character in text.chars() {
        match character {
            '\\' => quoted += "\\\\",
            ' '..='~' if character == quote => quoted.extend(['\\', quote]),
            ' '..='~' => quoted.push(character),
            character => quoted += &escape(character),
        }
    }
    quoted.push(quote);
    quoted
}
