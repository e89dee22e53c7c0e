//! Beside a live engine: reads without a lock, changes through its socket.

use std::fs;
use std::io::stdin;

use knhk_engine::{Engine, Options, Origin, SectorKind};
use serde_json::json;

use crate::scratch::{ENGINE, LIMITS, MODE, Scratch};

/// The engine process of the other tests; nothing by itself. It ends with its standard input.
#[test]
fn engine_process() {
    let Ok(folder) = std::env::var(ENGINE) else { return };
    let mode = std::env::var(MODE).unwrap();
    let mut options = if mode == "loop" { crate::autonomic::options() } else { Options::default() };
    options.control = mode != "deaf";
    options.history = 4;
    let engine = Engine::open(&folder, options).unwrap();
    _ = engine.create_sector("orders", SectorKind::Direct);
    if mode == "fresh" {
        engine.promote_json("orders", LIMITS, Origin::default()).unwrap();
    }
    if mode == "busy" {
        engine.promote_json("orders", r#"{"left": 0, "right": 0}"#, Origin::default()).unwrap();
    }
    if mode == "loop" {
        crate::autonomic::program(&engine);
    }
    let _program = (mode == "program").then(|| crate::operate::Program::new(&engine));
    let told = engine.subscribe(|change| println!("changed {}", change.summary())).unwrap();
    println!("ready");
    let mut lines = stdin().lines();
    if mode == "busy" {
        lines.next();
        for n in 1..=1000 {
            let text = format!(r#"{{"left": {n}, "right": {n}}}"#);
            engine.promote_json("orders", &text, Origin::default()).unwrap();
        }
        println!("promoted all");
    }
    for line in lines {
        if line.unwrap() == "close" {
            engine.unsubscribe(told);
            engine.close();
            println!("closed");
        }
    }
}

#[test]
fn reads_see_whole_versions_while_a_thousand_are_promoted() {
    let scratch = Scratch::new("busy");
    let mut live = scratch.live("busy");
    live.tell("go");
    let (mut seen, mut last) = (0, 0);
    while last < 1001 {
        let answer = scratch.json(&["get", "orders/left"]);
        let version = answer["sector"]["current"]["version"].as_u64().unwrap();
        assert!(version >= last, "{version} after {last}");
        seen += usize::from(version > last);
        last = version;
        let shown = scratch.json(&["show", "orders"]);
        assert_eq!(shown["parameters"][0]["leaf"], shown["parameters"][1]["leaf"]);
        let numbers: Vec<u64> =
            shown["versions"].as_array().unwrap().iter().map(|version| version["version"].as_u64().unwrap()).collect();
        assert!(numbers.windows(2).all(|pair| pair[0] == pair[1] + 1), "{numbers:?}");
        assert_eq!(shown["parameters"][0]["leaf"], json!(numbers[0] - 1));
        let compared = scratch.json(&["diff", "orders"]);
        assert_eq!(compared["changes"].as_array().unwrap().len(), 2);
    }
    live.hear("promoted all");
    assert!(seen > 1, "the reads were made while versions came");
    live.end();
}

#[test]
fn changes_go_through_the_socket() {
    let scratch = Scratch::new("through");
    let mut live = scratch.live("fresh");
    let said = scratch.says(&["promote", "orders", "max_qty=1400", "--why", "desk asked"]);
    assert!(said.contains("max_qty 1000 → 1400"), "{said}");
    assert_eq!(live.hear("changed "), "orders 2: max_qty 1000 → 1400 (by ops-2: desk asked)");
    assert!(scratch.says(&["get", "orders/max_qty"]).starts_with("1400 lots"));
    scratch.fails(&["promote", "orders", "max_qty=9000"], 1);
    scratch.says(&["rollback", "orders"]);
    assert!(live.hear("changed ").starts_with("orders 3: rollback to 1"));
    scratch.write("limits.json", LIMITS);
    scratch.says(&["import", "limits.json", "--sector", "copy"]);
    assert!(live.hear("changed ").starts_with("copy 1: "));
    scratch.says(&["init", "--sector", "routes"]);
    assert_eq!(scratch.json(&["show"])["sectors"].as_array().unwrap().len(), 3);
    scratch.fails(&["rollback", "orders", "77"], 3);

    live.tell("close");
    live.hear("closed");
    assert!(!scratch.0.join("control").exists(), "a closed engine leaves no socket");
    scratch.says(&["promote", "orders", "max_qty=5"]);
    live.end();
}

#[test]
fn an_engine_that_takes_no_commands_can_be_read_but_not_changed() {
    let scratch = Scratch::with_limits("deaf");
    let live = scratch.live("deaf");
    let refused = scratch.fails(&["promote", "orders", "max_qty=2"], 4);
    assert!(refused.contains("takes no commands; open that engine with the option control on"), "{refused}");
    assert_eq!(scratch.says(&["get", "--raw", "orders/max_qty"]), "1000\n");
    live.end();
    scratch.says(&["promote", "orders", "max_qty=2"]);
}

#[test]
fn a_killed_engine_leaves_the_folder_to_the_command() {
    let scratch = Scratch::new("killed");
    let live = scratch.live("fresh");
    scratch.says(&["promote", "orders", "max_qty=2"]);
    live.kill();
    assert!(scratch.0.join("control").exists(), "a killed engine leaves its socket");
    assert_eq!(scratch.says(&["get", "--raw", "orders/max_qty"]), "2\n");
    scratch.says(&["promote", "orders", "max_qty=3"]);
    let mut live = scratch.live("open");
    scratch.says(&["promote", "orders", "max_qty=4"]);
    assert!(live.hear("changed ").contains("max_qty 3 → 4"), "a new engine takes the dead one's place");
    live.end();
}

#[test]
fn a_folder_with_a_long_name_has_a_socket_too() {
    let mut scratch = Scratch::new("long");
    let root = scratch.0.clone();
    scratch.0 = root.join("a-rather-long-name-of-a-folder".repeat(4)).join("limits");
    fs::create_dir_all(&scratch.0).unwrap();
    let mut live = scratch.live("fresh");
    scratch.says(&["promote", "orders", "max_qty=2"]);
    assert!(live.hear("changed ").contains("max_qty 1000 → 2"));
    live.end();
    scratch.0 = root;
}
