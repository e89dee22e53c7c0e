//! The closed loop from the command: what was found, what was done about it, what was learned.

use std::fs;
use std::time::{Duration, SystemTime};

use knhk_engine::autonomic::Settings;
use knhk_engine::{Engine, Observed, Options, Outcome, ReaderOptions, SectorKind};
use serde_json::{Value, json};

use crate::scratch::Scratch;

const SECOND: Duration = Duration::from_secs(1);

/// Options of an engine whose clock is moved by hand, from now on.
pub fn options() -> Options {
    let mut options = Options::default();
    options.observations = Some(Default::default());
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    options.manual_time = Some(now.as_nanos() as u64);
    options
}

/// A program whose upstream begins to fail after 40 seconds, and whose loop has halved what it is asked.
pub fn program(engine: &Engine) {
    let table = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/loop/table.json")).unwrap();
    let table: Value = serde_json::from_str(&table).unwrap();
    let row = &table["rows"][1];
    let declares = row["declares"].as_array().unwrap().iter().map(|one| one.as_str().unwrap());
    let text = [table["ontology"].as_str().unwrap()].into_iter().chain(declares).collect::<Vec<_>>().join("\n");
    engine.create_sector("gateway", SectorKind::Governed).unwrap();
    let first = json!({ "changes": [{ "sector": "gateway", "content": { "document": { "text": text, "format": "turtle" } } }] });
    assert_eq!(engine.govern("propose", first).unwrap()["state"], "enacted");
    engine.start_loop(Settings { every_ms: 0, ..Settings::default() }).unwrap();
    engine.loop_step().unwrap();
    let concurrency = engine.key::<i64>("gateway", "concurrency").unwrap();
    let reader =
        engine.register_reader(ReaderOptions { ring_records: Some(1 << 14), ..ReaderOptions::default() }).unwrap();
    let mut now = engine.advance_time(Duration::ZERO).unwrap();
    for phase in row["traffic"].as_array().unwrap() {
        let of = |place: usize| phase[place].as_u64().unwrap();
        for _ in 0..of(0) {
            for record in 0..of(1) {
                let outcome = if record < of(2) { Outcome::Error } else { Outcome::Success };
                let plain = Observed::i64(concurrency.raw(), of(3) as i64, outcome);
                let observed = Observed { time_ns: Some(now + record), ..plain };
                assert!(reader.observe(&reader.view(), observed));
            }
            now = engine.advance_time(SECOND).unwrap();
        }
    }
    engine.loop_step().unwrap();
    engine.loop_step().unwrap();
}

#[test]
fn what_was_found_and_done_is_shown() {
    let scratch = Scratch::new("loop");
    let live = scratch.live("loop");
    let found = scratch.says(&["patterns"]);
    assert!(
        found.starts_with("f-1   gateway/Errors   0.5") && found.contains("error-ratio > 99.9999 %   in l-1"),
        "{found}"
    );
    assert_eq!(scratch.json(&["patterns", "gateway", "--limit", "1"])["patterns"][0]["cycle"], "l-1");
    assert_eq!(scratch.says(&["patterns", "--since", "2199-01-01"]), "nothing was found\n");

    let cycles = scratch.says(&["cycle"]);
    assert!(cycles.starts_with("the loop does not run: 3 turns, the last one just now in "), "{cycles}");
    assert!(cycles.contains("  gateway/Errors   error-ratio   4") && cycles.contains(" samples   last "), "{cycles}");
    assert!(
        cycles.contains("cycle l-1   kept   gateway/Errors 0.5") && cycles.contains("concurrency = 32 (rule)"),
        "{cycles}"
    );
    let told = scratch.json(&["cycle", "--sector", "gateway"]);
    assert_eq!((&told["cycles"][0]["outcome"], &told["loop"]["turns"]), (&json!("kept"), &json!(3)));
    assert_eq!(scratch.json(&["cycle", "--open"])["cycles"], json!([]));
    let one = scratch.says(&["cycle", "l-1"]);
    for (row, said) in
        [("said", ""), ("plan", "Halve: "), ("proposal", "p-2"), ("versions", "gateway 2"), ("receipts", "")]
    {
        assert!(one.contains(&format!("\n  {row:9} {said}")), "{row}: {one}");
    }
    let proposal = scratch.says(&["proposals", "p-2"]);
    assert!(proposal.contains("concurrency 64 → 32"), "{proposal}");
    assert_eq!(scratch.json(&["proposals", "gateway", "--all"])["proposals"].as_array().unwrap().len(), 2);
    assert_eq!(scratch.json(&["proposals"])["proposals"], json!([]));

    scratch.fails(&["cycle", "l-99"], 3);
    scratch.fails(&["patterns", "nowhere"], 3);
    scratch.fails(&["proposals", "nowhere"], 3);
    scratch.fails(&["cycle", "--start", "--sector", "nowhere"], 3);
    assert!(scratch.says(&["cycle", "--stop"]).starts_with("the loop does not run"));
    live.end();
    // What was done is told without the program, too.
    assert!(scratch.says(&["cycle"]).starts_with("cycle l-1   kept"));
    assert!(scratch.says(&["cycle", "l-1"]).contains("cycle l-1   kept"));
    scratch.fails(&["cycle", "--step"], 3);
}

#[test]
fn what_was_learned_is_shown_and_carried_elsewhere() {
    let scratch = Scratch::new("learn");
    let live = scratch.live("loop");
    let learned = scratch.says(&["learn"]);
    assert!(learned.contains("proposer   rule   1 kept, 0 rolled back, 0 refused   100 %, at least "), "{learned}");
    assert_eq!(scratch.says(&["learn", "--export", "learned.json"]), "what was learned is in learned.json\n");
    live.end();

    let other = Scratch::new("learn-other");
    other.says(&["init"]);
    let file = scratch.0.join("learned.json");
    let added = other.json(&["learn", "--import", file.to_str().unwrap()]);
    assert!(added["imported"].as_u64().unwrap() > 0, "{added}");
    assert!(other.says(&["learn"]).contains("rule   1 kept"));
    other.write("wrong.json", "[1");
    assert!(other.fails(&["learn", "--import", "wrong.json"], 1).contains("holds nothing that was learned"));
    other.fails(&["learn", "--import", "absent.json"], 3);
}

#[test]
fn decisions_are_made_anew() {
    let scratch = Scratch::new("replay");
    scratch.live("loop").end();
    let all = scratch.says(&["replay"]);
    assert!(all.contains("each as its receipt says"), "{all}");
    let one = scratch.json(&["replay", "l-1"]);
    assert_eq!((&one["equal"], &one["differences"]), (&json!(true), &json!([])), "{one}");
    scratch.fails(&["replay", "l-99"], 3);
}
