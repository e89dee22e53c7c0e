//! Files made to hurt: each is refused by name within bounded memory, and the folder stays as it was.

use std::fs::File;
use std::process::Command;

use crate::scratch::{Scratch, text};

/// What the command may reserve, its threads' stacks included, in KiB.
const MEMORY_KIB: u32 = 1 << 20;

/// Imports a file with little memory, and gives what the command says of it.
fn refused(scratch: &Scratch, file: &str) -> String {
    let mut bounded = Command::new("sh");
    bounded.args(["-c", "ulimit -v \"$1\" && shift && exec \"$@\"", "sh", &MEMORY_KIB.to_string()]);
    bounded.args([env!("CARGO_BIN_EXE_knhk"), "import", file, "--sector", "orders"]).current_dir(&scratch.0);
    let done = bounded.output().unwrap();
    let message = text(&done.stderr);
    assert_eq!(done.status.code(), Some(1), "{file}: {message}");
    assert!(message.len() < 2000 && message.starts_with("knhk: "), "{file}: {message}");
    message
}

#[test]
fn files_made_to_hurt_are_refused() {
    let scratch = Scratch::with_limits("hostile");
    let before = scratch.says(&["export", "orders"]);
    let laughs: String = ('b'..='m')
        .zip('a'..)
        .map(|(name, of)| format!("<!ENTITY {name} \"{}\">", format!("&{of};").repeat(10)))
        .collect();
    let clique: String = (0..1600)
        .map(|n| (n % 40, n / 40))
        .filter(|(from, to)| from != to)
        .map(|(from, to)| format!("_:n{from} <urn:p> _:n{to} .\n"))
        .collect();
    let texts = [
        ("deep.ttl", format!("<urn:a> <urn:b> {}", "[ <urn:b> ".repeat(100_000)), "nest"),
        ("lists.ttl", format!("<urn:a> <urn:b> {}", "( ".repeat(100_000)), "nest"),
        ("graphs.nq", "<urn:a> <urn:b> <urn:c> <urn:graph> .".into(), "graph"),
        ("deep.jsonld", "[".repeat(100_000), "nest"),
        ("deep.rdf", "<a>".repeat(100_000), "nest"),
        ("deep.json", "{\"a\":".repeat(100_000), ""),
        ("literal.ttl", format!("<urn:a> <urn:b> \"{}\" .", "x".repeat(2 << 20)), ""),
        ("bomb.nt", clique, "blank node"),
        ("laughs.rdf", format!("<!DOCTYPE r [<!ENTITY a \"ha\">{laughs}]><r>&m;</r>"), ""),
        ("remote.jsonld", "{\"@context\": \"http://example.com/context\"}".into(), "http://example.com/context"),
    ];
    for (file, text, said) in texts {
        scratch.write(file, &text);
        let message = refused(&scratch, file);
        assert!(message.contains(said), "{file}: {message}");
    }
    // A gibibyte without a line's end, of which the disk holds nothing.
    for file in ["endless.ttl", "endless.nt", "endless.jsonld", "endless.rdf", "endless.json"] {
        File::create(scratch.0.join(file)).unwrap().set_len(1 << 30).unwrap();
        assert!(refused(&scratch, file).contains("too large"));
    }
    assert_eq!(scratch.says(&["export", "orders"]), before);
}
