//! What the phases of promoting a document of 1,000 values cost: `cargo bench -p knhk-ontology --bench promote_phases`.
//!
//! One JSON line a figure: the median over rounds in which the phases take turns.

use std::hint::black_box;
use std::time::Instant;

use knhk_hot::artifact::{self, Artifact};
use knhk_ontology::{Core, Document, KeyTable, Limits, Snapshot, compile_snapshot};

const ROUNDS: usize = 2000;

/// 1,000 values in 20 maps: integers, most of them with a range, doubles, texts, truth values and lists. `turn` varies them.
fn document(turn: usize) -> String {
    let mut json = String::new();
    for at in 0..1000 {
        let opening = match at % 50 {
            0 if at == 0 => "{\"group_0\": {".to_owned(),
            0 => format!("}}, \"group_{}\": {{", at / 50),
            _ => ", ".to_owned(),
        };
        json += &opening;
        json += &format!("\"value_{}\": ", at % 50);
        json += &value(at, turn);
    }
    json + "}}"
}

fn value(at: usize, turn: usize) -> String {
    match at % 10 {
        0..=2 => format!("{{\"$value\": {}, \"$min\": 0, \"$max\": 100000}}", (at * 31 + turn) % 100_000),
        3 | 4 => (at * 7 + turn).to_string(),
        5 | 6 => format!("{}.25", at + turn),
        7 => format!("\"text number {at}\""),
        8 => (at + turn).is_multiple_of(2).to_string(),
        _ => format!("[{at}, {turn}, 3]"),
    }
}

fn main() {
    let limits = Limits::default();
    let documents: Vec<String> = (0..16).map(document).collect();
    let mut table = KeyTable::new();
    let mut snapshot = Snapshot::empty("orders", &Core::shipped(), &limits);
    let mut before = None;
    let mut times: [(&str, Vec<f64>); 6] =
        ["parse", "change", "apply", "compile", "verify_image", "all"].map(|name| (name, Vec::with_capacity(ROUNDS)));
    for round in 0..ROUNDS {
        let json = &documents[round % documents.len()];
        let clock = Instant::now();
        let mut lap = clock;
        let mut take = |phase: usize| {
            let now = Instant::now();
            times[phase].1.push((now - lap).as_nanos() as f64);
            lap = Instant::now();
        };
        let document = Document::parse(json, &limits).expect("the document keeps the grammar");
        take(0);
        let change = snapshot.change_to(&document).expect("the document is sound");
        take(1);
        snapshot = snapshot.apply(&change).expect("it is about its own sector");
        take(2);
        let compiled = compile_snapshot(&snapshot, &mut table, before.as_deref());
        let compiled = compiled.expect("the document fits").artifact;
        take(3);
        let all = clock.elapsed();
        lap = Instant::now();
        let verified = Artifact::from_image(compiled.image(), &artifact::Limits::default());
        black_box(verified.expect("a compiled image is valid"));
        let now = Instant::now();
        times[4].1.push((now - lap).as_nanos() as f64);
        times[5].1.push(all.as_nanos() as f64);
        before = Some(compiled);
    }
    for (name, times) in &mut times {
        times.sort_by(f64::total_cmp);
        println!("{{\"name\":\"H3/promote_1000_{name}\",\"ours\":{},\"unit\":\"ns\"}}", times[times.len() / 2]);
    }
}
