//! Several sectors at once, on a folder: all of it or nothing, whatever happens in between.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use knhk_engine::control::Content;
use knhk_engine::governance::SectorChange;
use knhk_engine::{Engine, Origin, ReaderOptions, SectorKind, Status};

use crate::scratch::{Scratch, few, whole};

const SECTORS: [&str; 8] = ["s0", "s1", "s2", "s3", "s4", "s5", "s6", "s7"];
const CHILD: &str = "KNHK_TEST_KILL_TOGETHER";

fn change(sector: &str, text: String) -> SectorChange {
    SectorChange { sector: sector.into(), content: Content::Document { text, format: None } }
}

fn all(n: u64) -> Vec<SectorChange> {
    SECTORS.iter().map(|sector| change(sector, format!(r#"{{"n": {n}, "k{}": true}}"#, n % 50))).collect()
}

fn origin() -> Origin {
    Origin { by: "ops-2".into(), why: "asked".into(), ..Origin::default() }
}

fn with_sectors(engine: Engine) -> Engine {
    SECTORS.iter().for_each(|sector| _ = engine.create_sector(sector, SectorKind::Direct));
    engine
}

/// What one view reads of each sector, and the newest versions.
fn seen(engine: &Engine) -> (Vec<i64>, Vec<u64>) {
    let keys = SECTORS.map(|sector| engine.key::<i64>(sector, "n").ok());
    let reader = engine.register_reader(ReaderOptions::default()).unwrap();
    let view = reader.view();
    let values = keys.iter().map(|key| key.as_ref().map_or(-1, |key| key.get(&view, -1))).collect();
    let newest = |sector: &&str| engine.history(sector).unwrap().last().map_or(0, |version| version.version);
    (values, SECTORS.iter().map(newest).collect())
}

#[test]
fn all_of_it_is_durable_and_each_receipt_names_the_others() {
    let scratch = Scratch::new("together");
    let engine = with_sectors(scratch.open());
    let mut changes = all(1);
    changes.reverse();
    let versions = engine.promote_together(&changes, origin()).unwrap();
    assert!(versions.iter().all(|version| version.epoch == versions[0].epoch));
    let ids: Vec<&String> = versions.iter().map(|version| version.receipt.as_ref().unwrap()).collect();
    for (at, id) in ids.iter().enumerate() {
        let receipt = engine.receipt(id).unwrap();
        assert_eq!(receipt.sector.as_deref(), Some(SECTORS[7 - at]), "in the order of the changes");
        assert_eq!((receipt.kind.as_str(), receipt.outcome.as_str()), ("snapshot promoted", "approved"));
        let mut named = receipt.links.clone();
        named.push(id.to_string());
        named.sort();
        let mut every: Vec<String> = ids.iter().map(|id| id.to_string()).collect();
        every.sort();
        assert_eq!(named, every);
    }
    engine.promote_together(&all(2), origin()).unwrap();
    let before = seen(&engine);
    drop(engine);
    let engine = scratch.open();
    assert_eq!(seen(&engine), before);
    assert_eq!(before, (vec![2; 8], vec![2; 8]));
    whole(&engine);
}

#[test]
fn what_cannot_be_stored_is_current_nowhere_and_leaves_its_refusal() {
    let scratch = Scratch::new("together-refused");
    let engine = with_sectors(scratch.open());
    engine.promote_together(&all(1), origin()).unwrap();
    let before = seen(&engine);
    scratch.refuse_versions();
    assert_eq!(engine.promote_together(&all(2), origin()).unwrap_err().status(), Status::Io);
    scratch.take_versions();
    let mut broken = all(2);
    broken[5].content = Content::Document { text: "{".into(), format: None };
    assert_eq!(engine.promote_together(&broken, origin()).unwrap_err().status(), Status::Document);
    let mut incompatible = all(2);
    engine.key::<i64>("s6", "n").unwrap();
    incompatible[6].content = Content::Document { text: r#"{"m": 1}"#.into(), format: None };
    let refused = engine.promote_together(&incompatible, origin()).unwrap_err();
    assert_eq!(refused.status(), Status::Incompatible);
    assert!(refused.message().contains("sector s6: ") && refused.message().contains("none of the 8"), "{refused}");
    let refused = &engine.log("s0", &Default::default()).unwrap();
    assert_eq!(refused.len(), 1);
    let twice = [change("s0", r#"{"n": 1}"#.into()), change("s0", r#"{"n": 1}"#.into())];
    assert_eq!(engine.promote_together(&twice, origin()).unwrap_err().status(), Status::InvalidArgument);
    assert_eq!(seen(&engine), before);
    let rejected = crate::scratch::receipts(&engine);
    let rejected = rejected.iter().filter(|receipt| receipt.outcome == "rejected").count();
    assert!(rejected >= 8 + 1 + 8, "each sector has the receipt of the refusal: {rejected}");
    whole(&engine);
}

#[test]
fn all_go_back_together_also_to_what_only_the_store_has() {
    let scratch = Scratch::new("together-back");
    let engine = with_sectors(scratch.try_open(few()).unwrap());
    (1..=5).for_each(|n| _ = engine.promote_together(&all(n), origin()).unwrap());
    let to = |version| SECTORS.map(|sector| (sector.to_owned(), version));
    let missing = engine.rollback_together(&to(9), origin()).unwrap_err();
    assert_eq!(missing.status(), Status::NotFound);
    let versions = engine.rollback_together(&to(1), origin()).unwrap();
    assert!(versions.iter().all(|version| version.rollback_of == Some(1) && version.version == 6));
    assert_eq!(seen(&engine), (vec![1; 8], vec![6; 8]));
    let receipt = engine.receipt(versions[3].receipt.as_ref().unwrap()).unwrap();
    assert_eq!((receipt.kind.as_str(), receipt.links.len()), ("rollback executed", 7));
    engine.rollback_together(&to(4), origin()).unwrap();
    drop(engine);
    let engine = scratch.open();
    assert_eq!(seen(&engine), (vec![4; 8], vec![7; 8]));
    whole(&engine);
}

/// Kills a process that promotes eight sectors at once, and rolls them back, at moments before and after it says that one is done.
#[test]
fn a_kill_at_any_moment_leaves_all_or_nothing() {
    if let Ok(folder) = std::env::var(CHILD) {
        let engine = with_sectors(Engine::open(&folder, few()).unwrap());
        loop {
            let next = seen(&engine).1[0] + 1;
            println!("begun {next}");
            if next.is_multiple_of(7) {
                let to = SECTORS.map(|sector| (sector.to_owned(), next - 3));
                engine.rollback_together(&to, origin()).unwrap();
            } else {
                engine.promote_together(&all(next), origin()).unwrap();
            }
            println!("acknowledged {next}");
        }
    }
    let scratch = Scratch::new("kill-together");
    // The soak kills 500 times.
    let rounds = std::env::var("KNHK_KILL_ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(50);
    let (mut begun, mut acknowledged) = (0, 0);
    let mut outcomes = [0; 2];
    for round in 0..rounds {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "together::a_kill_at_any_moment_leaves_all_or_nothing", "--nocapture"])
            .env(CHILD, &scratch.0)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut take = |line: &str| {
            for (word, place) in [("begun ", &mut begun), ("acknowledged ", &mut acknowledged)] {
                if let Some((_, version)) = line.split_once(word) {
                    *place = version.parse::<u64>().unwrap();
                }
            }
        };
        // An odd number of lines: the next one is on its way.
        for _ in 0..1 + round % 9 {
            let line = loop {
                let line = lines.next().unwrap().unwrap();
                if line.contains("begun ") || line.contains("acknowledged ") {
                    break line;
                }
            };
            take(&line);
        }
        child.kill().unwrap();
        child.wait().unwrap();
        lines.map_while(Result::ok).for_each(|line| take(&line));
        let engine = with_sectors(scratch.try_open(few()).unwrap());
        let (values, versions) = seen(&engine);
        assert!(versions.iter().all(|version| *version == versions[0]), "all or nothing: {versions:?}");
        assert!(values.iter().all(|value| *value == values[0]), "all or nothing: {values:?}");
        assert!(
            versions[0] == acknowledged || versions[0] == begun,
            "{versions:?} after {acknowledged}, {begun} begun"
        );
        outcomes[usize::from(versions[0] > acknowledged)] += 1;
        acknowledged = versions[0];
        assert_eq!(engine.stats().damaged_versions, 0);
        if round % 10 == 9 {
            whole(&engine);
        }
    }
    println!("{} times all that was acknowledged, {} times the one on its way as well", outcomes[0], outcomes[1]);
}
