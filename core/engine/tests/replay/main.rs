//! What the loop decided is recomputed from what was recorded and equals what its receipts state; whatever was changed since is found and named.

#[path = "../autonomic/traffic.rs"]
#[allow(dead_code, reason = "the tests of the loop use the rest")]
mod traffic;
#[path = "../governance/world.rs"]
#[allow(dead_code, reason = "the tests of governance use the rest")]
mod world;

use std::path::Path;
use std::sync::Arc;

use knhk_engine::autonomic::{
    Custom, CycleQuery, PatternQuery, Plan, PlanError, Proposer, Question, ReplaySpan, Replayed, Sample, Score,
    Setting, Settings,
};
use knhk_engine::control::Content;
use knhk_engine::governance::{Propose, State};
use knhk_engine::{Engine, Options, Status};
use rusqlite::{Connection, params};
use serde_json::{Value, json};
use traffic::{Gateway, Second, USUAL, by_hand};

const FAILING: Second = Second { failing: 0.4, ..USUAL };
const SLOW: Second = Second { slower: 4.0, ..USUAL };

/// A watch by a detector of the program's own, which comes with a version of its own.
const OWN: &str = r#"
    @prefix : <urn:knhk:gateway:> . @prefix k: <urn:knhk:core:> . @prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
    :Peak a k:Watch ; k:watches :Served ; k:detector "callback:peak" ; k:measure "max" ; k:sample 2 ; k:confidence 0.9 ;
        rdfs:comment "The slowest answer took very long." .
"#;

/// Sees what is beyond a second.
struct Peak;

impl Custom for Peak {
    fn observe(&mut self, sample: &Sample) -> Result<Option<Score>, String> {
        let Some(value) = sample.value else { return Err("there is no value".into()) };
        let confidence = if value > 6_000.0 { 0.99 } else { 0.1 };
        Ok(Some(Score { statistic: value, confidence, expected: 2000.0 }))
    }
}

/// A desk that answers what is slow by a shorter time-out, and knows nothing else.
struct Desk;

impl Proposer for Desk {
    fn name(&self) -> &str {
        "desk"
    }

    fn propose(&self, question: &Question) -> Result<Option<Plan>, PlanError> {
        if question.pattern.watch != "Latency" && question.pattern.watch != "Peak" {
            return Ok(None);
        }
        let timeout = question.parameters.iter().find(|parameter| parameter.path == "timeout_ms");
        let now = timeout.and_then(|parameter| parameter.value.as_i64()).unwrap_or(0);
        let changes = vec![Setting { path: "timeout_ms".into(), value: json!(now * 9 / 10) }];
        Ok(Some(Plan { changes, why: "desk: what is slow is given up earlier".into(), confidence: 0.8 }))
    }
}

fn settings() -> Settings {
    Settings { proposers: vec!["desk".into(), "rule".into()], cooldown_s: 2, ..by_hand() }
}

fn staff(gateway: &Gateway) {
    gateway.engine().add_proposer(Arc::new(Desk)).unwrap();
    gateway.engine().add_detector("peak", Arc::new(|_: &str, _: &str| Box::new(Peak) as Box<dyn Custom>)).unwrap();
}

/// A run with rules, callbacks, probations, a restart and a version that declares another watch.
fn run() -> Gateway {
    let mut gateway = Gateway::new(21, 5, settings());
    staff(&gateway);
    gateway.seconds(5, USUAL);
    let added = Content::Change { removed: String::new(), added: OWN.into(), format: "turtle".into() };
    let added = gateway.engine().propose(&Propose::of("gateway", added, "ops-1", "one more watch")).unwrap();
    assert_eq!(added.state, State::Enacted, "{}", added.said);
    gateway.seconds(60, USUAL);
    gateway.seconds(2, FAILING);
    gateway.seconds(12, USUAL);
    gateway.reopen(settings());
    staff(&gateway);
    gateway.seconds(8, USUAL);
    gateway.seconds(2, SLOW);
    gateway.seconds(12, USUAL);
    gateway.engine().stop_loop().unwrap();
    gateway
}

fn everything() -> ReplaySpan {
    ReplaySpan::default()
}

#[test]
fn a_run_is_recomputed_whole_and_in_part() {
    let gateway = run();
    let engine = gateway.engine();
    let replayed = engine.replay(&everything()).unwrap();
    assert_eq!((replayed.equal, &replayed.differences), (true, &vec![]));
    let cycles = engine.cycles(&CycleQuery::default()).unwrap();
    let cycle_count = cycles.len() as u64;
    let turns = 101 + cycle_count;
    assert_eq!(
        (replayed.turns, replayed.decisions),
        (turns, cycle_count),
        "one more turn for each answer: {replayed:?}"
    );
    assert!(replayed.patterns >= replayed.decisions && replayed.decisions >= 2, "{cycles:#?}");
    let proposers: Vec<_> = cycles.iter().filter_map(|cycle| cycle.proposer.as_deref()).collect();
    assert!(proposers.contains(&"rule") && proposers.contains(&"desk"), "{cycles:#?}");
    let patterns = engine.patterns(&PatternQuery::default()).unwrap();
    assert!(patterns.iter().any(|one| one.pattern.detector == "callback:peak"), "{patterns:#?}");

    let part = gateway.world.govern("replay", json!({ "cycle": cycles[0].id }));
    let part: Replayed = serde_json::from_value(part).unwrap();
    assert!(part.equal && part.turns < replayed.turns && part.decisions > 0, "{part:?}");
    let none = engine.replay(&ReplaySpan { from_ns: Some(u64::MAX), ..everything() }).unwrap();
    assert_eq!((none.equal, none.turns), (true, 0));
    let unknown = engine.replay(&ReplaySpan { cycle: Some("l-99".into()), ..everything() }).unwrap_err();
    assert_eq!(unknown.status(), Status::NotFound);
}

/// What somebody does to a folder that they can write into, and what replay says to it.
struct Tampering {
    what: &'static str,
    said: &'static str,
    with: fn(&Connection),
}

const TAMPERING: &[Tampering] = &[
    Tampering {
        what: "an observation",
        said: "segment 7",
        with: |sql| {
            let content: Vec<u8> =
                sql.query_row("SELECT content FROM segments WHERE number = 7", [], |row| row.get(0)).unwrap();
            let mut records = zstd::bulk::decompress(&content, 1 << 20).unwrap();
            records[63] ^= 1;
            let content = zstd::bulk::compress(&records, 1).unwrap();
            assert_eq!(sql.execute("UPDATE segments SET content = ?1 WHERE number = 7", [content]).unwrap(), 1);
        },
    },
    Tampering {
        what: "a segment's count",
        said: "segment 9",
        with: |sql| {
            assert_eq!(sql.execute("UPDATE segments SET content = (SELECT content FROM segments WHERE number = 8), count = (SELECT count FROM segments WHERE number = 8) WHERE number = 9", []).unwrap(), 1);
        },
    },
    Tampering {
        what: "the moment of a turn",
        said: "is not the one that",
        with: |sql| {
            edit(sql, &|page| {
                page["turns"][0]["moment_ns"] = json!(page["turns"][0]["moment_ns"].as_u64().unwrap() + 1_000_000_000)
            });
        },
    },
    Tampering {
        what: "a callback's answer",
        said: "decision f-",
        with: |sql| {
            edit(sql, &|page| {
                for turn in page["turns"].as_array_mut().unwrap() {
                    for event in turn.get_mut("events").and_then(Value::as_array_mut).into_iter().flatten() {
                        let answered = event.get_mut("answered").and_then(|one| one["answer"]["said"].get_mut("plan"));
                        if let Some(plan) = answered {
                            plan["changes"][0]["value"] = json!(60);
                        }
                    }
                }
            });
        },
    },
    Tampering {
        what: "a detector's score",
        said: "the state after page",
        with: |sql| {
            edit(sql, &|page| {
                for turn in page["turns"].as_array_mut().unwrap() {
                    for score in turn
                        .get_mut("scores")
                        .and_then(Value::as_array_mut)
                        .into_iter()
                        .flatten()
                        .filter(|score| !score.is_null())
                    {
                        score["confidence"] = json!(0.2);
                    }
                }
            });
        },
    },
    Tampering {
        what: "a decision that is taken out",
        said: "was not recorded",
        with: |sql| {
            edit(sql, &|page| {
                for turn in page["turns"].as_array_mut().unwrap() {
                    turn.as_object_mut().unwrap().remove("decisions");
                }
            });
        },
    },
    Tampering {
        what: "a page that is taken out",
        said: "page 2 of the loop's turns is gone",
        with: |sql| {
            assert_eq!(sql.execute("DELETE FROM states WHERE name = 'knhk.loop' AND number = 2", []).unwrap(), 1);
        },
    },
    Tampering {
        what: "the newest pages that are taken out",
        said: "is gone",
        with: |sql| {
            sql.execute("DELETE FROM states WHERE name = 'knhk.loop' AND number >= 3", []).unwrap();
        },
    },
    Tampering {
        what: "what a cycle did",
        said: "the row of cycle l-1 is another than was decided",
        with: |sql| {
            row(sql, "cycle", "l-1", &|cycle| cycle["cycle"]["plan"]["changes"][0]["value"] = json!(500));
        },
    },
    Tampering {
        what: "how a cycle ended",
        said: "the row of cycle l-1",
        with: |sql| {
            row(sql, "cycle", "l-1", &|cycle| cycle["cycle"]["outcome"] = json!("rolled_back"));
        },
    },
    Tampering {
        what: "a pattern",
        said: "the row of pattern f-1 is another",
        with: |sql| {
            row(sql, "pattern", "f-1", &|pattern| pattern["observed"] = json!(0.001));
        },
    },
];

/// Changes every page.
fn edit(sql: &Connection, change: &dyn Fn(&mut Value)) {
    let mut pages = sql.prepare("SELECT number, content FROM states WHERE name = 'knhk.loop'").unwrap();
    let pages: Vec<(i64, Vec<u8>)> =
        pages.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap().map(Result::unwrap).collect();
    assert!(pages.len() > 3);
    for (number, content) in pages {
        let mut page: Value = serde_json::from_slice(&content).unwrap();
        change(&mut page);
        let content = serde_json::to_vec(&page).unwrap();
        sql.execute(
            "UPDATE states SET content = ?1 WHERE name = 'knhk.loop' AND number = ?2",
            params![content, number],
        )
        .unwrap();
    }
}

/// Changes the newest revision of an item.
fn row(sql: &Connection, kind: &str, id: &str, change: &dyn Fn(&mut Value)) {
    let of = "kind = ?1 AND id = ?2 AND newest = 1";
    let body = sql.query_row(&format!("SELECT body FROM items WHERE {of}"), [kind, id], |row| row.get::<_, Vec<u8>>(0));
    let mut body: Value = serde_json::from_slice(&body.unwrap()).unwrap();
    change(&mut body);
    let body = serde_json::to_vec(&body).unwrap();
    let changed = sql.execute(&format!("UPDATE items SET body = ?3 WHERE {of}"), params![kind, id, body]).unwrap();
    assert_eq!(changed, 1);
}

fn copied(from: &Path, to: &Path) {
    for entry in
        std::fs::read_dir(from).unwrap().map(Result::unwrap).filter(|entry| entry.file_type().unwrap().is_file())
    {
        std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}

#[test]
fn whatever_was_changed_since_is_found_and_named() {
    let mut gateway = run();
    gateway.close();
    let replayed = |tampering: Option<&Tampering>| {
        let copy = tempfile::tempdir().unwrap();
        copied(Path::new(gateway.world.location()), copy.path());
        if let Some(tampering) = tampering {
            let sql = Connection::open(copy.path().join("store.sqlite")).unwrap();
            sql.pragma_update(None, "foreign_keys", false).unwrap();
            (tampering.with)(&sql);
        }
        // Whoever only reads can replay.
        let engine = Engine::open_read_only(copy.path().to_str().unwrap(), Options::default()).unwrap();
        engine.replay(&everything()).unwrap()
    };
    assert_eq!(replayed(None).differences, vec![]);
    for tampering in TAMPERING {
        let replayed = replayed(Some(tampering));
        let found = replayed.differences.iter().any(|one| one.what.contains(tampering.said));
        assert!(!replayed.equal && found, "{}: {:#?}", tampering.what, replayed.differences);
    }
}
