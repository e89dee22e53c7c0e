//! The programs of `tests/c`, each in every way in which a program can be compiled and linked.

mod support;

use std::process::Command;

use support::{LANGUAGES, Link, compile, succeeded};

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

programs!(sketch management bad_input);
