//! What the shared library exports is what `ffi/symbols.txt` lists, under the name and with the flags that `build.rs` gives it.
//! `KNHK_WRITE=1 cargo test --test ffi symbols` writes the list; a symbol is taken off it only with a new ABI number.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use crate::support;

fn output(program: &str, args: &[&str]) -> String {
    let output = support::succeeded(Command::new(program).args(args).arg(support::libraries().join("libknhk.so")));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn the_exported_symbols_are_those_listed() {
    let symbols = output("nm", &["-D", "--defined-only"]);
    let exported: BTreeSet<&str> = symbols.lines().filter_map(|line| line.split_whitespace().last()).collect();
    let path = support::root().join("ffi/symbols.txt");
    if std::env::var_os("KNHK_WRITE").is_some() {
        let list: String = exported.iter().map(|symbol| format!("{symbol}\n")).collect();
        fs::write(&path, list).unwrap();
    }
    let listed = fs::read_to_string(&path).unwrap();
    let listed: BTreeSet<&str> = listed.lines().collect();
    assert_eq!(exported, listed, "ffi/symbols.txt differs from the library");
}

#[test]
fn every_symbol_is_declared_and_every_inline_function_exported() {
    let listed = fs::read_to_string(support::root().join("ffi/symbols.txt")).unwrap();
    let read = |name: &str| fs::read_to_string(support::root().join("include").join(name)).unwrap();
    let (header, inline) = (read("knhk.h"), read("knhk_inline.h"));
    for symbol in listed.lines() {
        assert!(header.contains(&format!("{symbol}(")), "{symbol} is not declared in knhk.h");
    }
    for line in inline.lines().filter(|line| line.starts_with("KNHK_INLINE_")) {
        let name = line.split('(').next().and_then(|before| before.rsplit([' ', '*']).next()).unwrap();
        assert!(name.ends_with('_') || listed.lines().any(|symbol| symbol == name), "{name} is not exported");
    }
}

#[test]
fn the_name_carries_the_abi_and_unloading_is_off() {
    let dynamic = output("readelf", &["-d", "-W"]);
    let soname = format!("[libknhk.so.{}]", knhk_hot::layout::ABI);
    assert!(dynamic.lines().any(|line| line.contains("SONAME") && line.contains(&soname)), "{dynamic}");
    assert!(dynamic.lines().any(|line| line.contains("FLAGS_1") && line.contains("NODELETE")), "{dynamic}");
}
