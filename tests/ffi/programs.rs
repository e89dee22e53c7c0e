//! The programs of `tests/c`, each in every way in which a program can be compiled and linked.

use std::process::Command;

use crate::support::{self, LANGUAGES, Link, compile, succeeded};

/// Compiles and runs a program as C11 and C++17, with inline reads and with the library's symbols, shared and static.
fn every_way(source: &str) {
    for language in LANGUAGES {
        for link in [Link::Inline, Link::Symbols, Link::Static] {
            succeeded(&mut Command::new(compile(&[source], language, link, &[])));
        }
    }
}

macro_rules! programs {
    ($($name:ident)*) => {
        $(
            #[test]
            fn $name() {
                every_way(concat!(stringify!($name), ".c"));
            }
        )*
    };
}

programs!(
    sketch management knowledge ledger keys versions observed hostile bad_input readers callbacks observations threads engines fork seccomp resilience
    mending checkpoints executor functions channel graph
);

#[test]
fn raii() {
    for language in ["c++17", "c++20"] {
        for link in [Link::Inline, Link::Symbols] {
            succeeded(&mut Command::new(compile(&["raii.cpp"], language, link, &[])));
        }
    }
}

#[test]
fn ledger_raii() {
    for language in ["c++17", "c++20"] {
        succeeded(&mut Command::new(compile(&["ledger.cpp"], language, Link::Inline, &[])));
    }
}

#[test]
fn functions_raii() {
    for language in ["c++17", "c++20"] {
        succeeded(&mut Command::new(compile(&["functions.cpp"], language, Link::Inline, &[])));
    }
}

#[test]
fn resilience_raii() {
    for language in ["c++17", "c++20"] {
        succeeded(&mut Command::new(compile(&["resilience.cpp"], language, Link::Inline, &[])));
    }
}

#[test]
fn warm_raii() {
    for language in ["c++17", "c++20"] {
        succeeded(&mut Command::new(compile(&["warm.cpp"], language, Link::Inline, &[])));
    }
}

#[test]
fn observed_raii() {
    for language in ["c++17", "c++20"] {
        succeeded(&mut Command::new(compile(&["observed.cpp"], language, Link::Inline, &[])));
    }
}

#[test]
fn two_units() {
    for language in LANGUAGES {
        for link in [Link::Inline, Link::Symbols] {
            succeeded(&mut Command::new(compile(&["two_units_a.c", "two_units_b.c"], language, link, &[])));
        }
    }
}

/// Loaded twice at run time, and unloaded in use.
#[test]
fn two_copies() {
    let copies = ["one.so", "two.so"].map(|name| support::scratch("copies").join(name));
    for copy in &copies {
        std::fs::copy(support::libraries().join("libknhk.so"), copy).unwrap();
    }
    for language in LANGUAGES {
        for inline in [&[][..], &["-DKNHK_NO_INLINE"]] {
            let program = compile(&["copies.c"], language, Link::Loaded, inline);
            succeeded(Command::new(program).args(&copies));
        }
    }
}

/// The examples at the top of the headers are programs.
#[test]
fn examples_in_headers_run() {
    let die = "#include <stdio.h>\n#include <stdlib.h>\nstatic void die(const char *why) {\n    puts(why);\n    abort();\n}\n";
    for (header, margin, language, before) in [("knhk.h", " *", "c11", die), ("knhk.hpp", "//", "c++17", "")] {
        let text = std::fs::read_to_string(support::root().join("include").join(header)).unwrap();
        let comment =
            text.lines().map_while(|line| if line.starts_with("/*") { Some("") } else { line.strip_prefix(margin) });
        let example: Vec<&str> = comment.filter_map(|line| line.strip_prefix("     ")).collect();
        assert!(example.len() > 8, "{header} has an example");
        let program =
            format!("#include <{header}>\n{before}int main(void) {{\n{}\nreturn 0;\n}}\n", example.join("\n"));
        let source = support::scratch("examples").join(format!("{header}.c"));
        std::fs::write(&source, program).unwrap();
        succeeded(&mut Command::new(compile(&[source.to_str().unwrap()], language, Link::Inline, &[])));
    }
}

/// Each header is whole, in every language that it promises.
#[test]
fn headers_compile_alone() {
    let every = ["c99", "c11", "c17", "c2x", "c++11", "c++17", "c++20", "c++23"];
    for (header, languages) in [
        ("knhk.h", &every[..]),
        ("knhk_inline.h", &every),
        ("knhk.hpp", &every[5..]),
        ("knhk_ledger.hpp", &every[5..]),
        ("knhk_governance.hpp", &every[5..]),
        ("knhk_answers.hpp", &every[5..]),
        ("knhk_functions.hpp", &every[5..]),
        ("knhk_loop.hpp", &every[5..]),
        ("knhk_observed.hpp", &every[5..]),
        ("knhk_resilience.hpp", &every[5..]),
        ("knhk_checkpoints.hpp", &every[5..]),
        ("knhk_warm.hpp", &every[5..]),
        ("knhk_graph.hpp", &every[5..]),
    ] {
        for language in languages {
            for inline in [&[][..], &["-DKNHK_NO_INLINE"]] {
                support::compiles_alone(header, language, inline);
            }
        }
    }
}
